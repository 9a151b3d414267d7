"""Spreads the usage records of a stopped product over two months, as people work: by day, little
at night and at weekends, and a little more each week. Its sums are then made anew by `rollup rebuild`.
"""

import random
import sqlite3
import sys
import time

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
DAYS = 60
BY_HOUR = [2, 1, 1, 1, 1, 2, 4, 8, 14, 19, 21, 20, 14, 17, 21, 22, 20, 17, 12, 9, 8, 7, 5, 3]

chance = random.Random(11)
now = int(time.time() * 1000)
today = now - now % DAY_MS


def weight(start):
    """How many calls an hour sees."""
    days_ago = (today - start) // DAY_MS
    weekday = time.gmtime(start / 1000).tm_wday
    # The last day is looked at closely.
    close = 2.5 if now - start < DAY_MS else 1
    return BY_HOUR[(start // HOUR_MS) % 24] * (0.4 if weekday > 4 else 1) * (1.4 - days_ago / DAYS) * close


hours = [now - now % HOUR_MS - hour * HOUR_MS for hour in range(DAYS * 24)]
weights = [weight(start) for start in hours]

with sqlite3.connect(sys.argv[1]) as database:
    records = database.execute(
        "SELECT id, model, output_tokens, status FROM usage_records ORDER BY id"
    ).fetchall()
    for (start,), (record, model, tokens, status) in zip(
        (chance.choices(hours, weights) for _ in records), records
    ):
        at = min(start + chance.randrange(HOUR_MS), now - 60_000 - chance.randrange(HOUR_MS // 2))
        first = int(chance.lognormvariate(6.1 if "mini" in model else 6.5, 0.4))
        whole = first + int(tokens * chance.uniform(9, 16)) if status == "succeeded" else first
        database.execute(
            "UPDATE usage_records SET created_at = ?, first_byte_ms = ?, duration_ms = ? WHERE id = ?",
            (at, first if status == "succeeded" else 0, whole, record),
        )
    for place, (tenant,) in enumerate(database.execute("SELECT id FROM tenants ORDER BY created_at").fetchall()):
        back = (95 - 9 * place) * DAY_MS + chance.randrange(DAY_MS)
        database.execute("UPDATE tenants SET created_at = created_at - ? WHERE id = ?", (back, tenant))
