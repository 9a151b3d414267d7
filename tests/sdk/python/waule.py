"""Talks to a running Waule as an operator does: plain HTTP, money as exact decimals.

The official client is what the tests prove; this only sets the stage and reads the books.
"""

import json
import os
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from itertools import count
from uuid import uuid4

from openai import OpenAI

BASE_URL = os.environ["WAULE_BASE_URL"].rstrip("/")
ORIGIN = BASE_URL.removesuffix("/api/v1")
DEMO_KEY = os.environ["WAULE_KEY"]
ADMIN_PASSWORD = os.environ["WAULE_ADMIN_PASSWORD"]

CHAT = "sandbox-chat"
EMBEDDING = "sandbox-embedding"
IMAGE = "sandbox-image"

MICRO = Decimal("0.000001")
TIMEOUT_SECONDS = 10
# A settlement follows the answer at once; a second is already slow, five is broken.
SETTLED_SECONDS = 5.0


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict
    body: object


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


# No proxy of the machine may come between, and a redirect would hide the true answer.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), NoRedirect)


def call(method, path, body=None, headers=None):
    """One HTTP call; every status is an answer, not an exception."""
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(ORIGIN + path, data=data, method=method)
    if data is not None:
        request.add_header("Content-Type", "application/json")
    for name, value in (headers or {}).items():
        request.add_header(name, value)
    try:
        with _opener.open(request, timeout=TIMEOUT_SECONDS) as response:
            return _answer(response)
    except urllib.error.HTTPError as error:
        with error:
            return _answer(error)


def _answer(response):
    text = response.read()
    is_json = "json" in (response.headers.get("Content-Type") or "")
    body = (
        json.loads(text, parse_float=Decimal, parse_int=Decimal) if text and is_json else text
    )
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Answer(response.status, headers, body)


class Admin:
    """The superadmin's JSON API."""

    def __init__(self):
        answer = call(
            "POST", "/admin/api/login", {"username": "admin", "password": ADMIN_PASSWORD}
        )
        assert answer.status == 200, answer
        self._bearer = {"Authorization": f"Bearer {answer.body['token']}"}

    def ask(self, method, path, body=None, headers=None):
        answer = call(method, f"/admin/api{path}", body, {**self._bearer, **(headers or {})})
        assert 200 <= answer.status < 300, (method, path, answer)
        return answer.body

    def price(self, model):
        return self.ask("GET", f"/models/{model}")["price"]


_numbers = count(1)


class Tenant:
    """A tenant of its own for each test, so that no test reads another's books."""

    def __init__(self, admin, credits=None, limits=None):
        self.admin = admin
        self.name = f"sdk-{next(_numbers)}-{uuid4().hex[:8]}"
        self.id = admin.ask("POST", "/tenants", {"name": self.name})["tenant"]["id"]
        if limits:
            admin.ask("PATCH", f"/tenants/{self.id}", {"limits": limits})
        if credits is not None:
            self.recharge(credits)
        self.key = self.new_key("live")

    def recharge(self, credits):
        return self.admin.ask(
            "POST",
            f"/tenants/{self.id}/recharge",
            {"amount": credits},
            {"Idempotency-Key": uuid4().hex},
        )

    def new_key(self, kind):
        made = self.admin.ask("POST", f"/tenants/{self.id}/keys", {"name": kind, "kind": kind})
        return made["secret"]

    def client(self, key=None):
        return client(key or self.key)

    def balance(self):
        answer = call(
            "GET", "/api/v1/credits/balance", headers={"Authorization": f"Bearer {self.key}"}
        )
        assert answer.status == 200, answer
        return answer.body

    def settled(self, used_above=0, within=SETTLED_SECONDS):
        """The balance once nothing is held and more than `used_above` was charged."""

        def look():
            balance = self.balance()
            return balance, balance["held"] == 0 and balance["used"] > used_above

        return _until(look, within)

    def untouched(self):
        """The balance once nothing is held, after calls that must have been free."""

        def look():
            balance = self.balance()
            return balance, balance["held"] == 0

        balance = _until(look, SETTLED_SECONDS)
        assert balance["used"] == 0, balance
        return balance

    def usage(self, calls):
        """The summary of the books, by operation, once that many calls are in them."""

        def look():
            rows = self.admin.ask("GET", f"/tenants/{self.id}/usage")["summary"]
            return rows, sum(row["calls"] for row in rows) >= calls

        rows = _until(look, SETTLED_SECONDS)
        assert sum(row["calls"] for row in rows) == calls, rows
        return {row["operation"]: row for row in rows}


def _until(look, within):
    deadline = time.monotonic() + within
    while True:
        seen, done = look()
        if done:
            return seen
        assert time.monotonic() < deadline, f"not so within {within} s: {seen}"
        time.sleep(0.05)


def client(key):
    # Retries would hide the answers that these tests are about.
    return OpenAI(base_url=BASE_URL, api_key=key, max_retries=0, timeout=TIMEOUT_SECONDS)


def question(text):
    return [{"role": "user", "content": text}]


def cost(price, prompt=0, completion=0):
    """What a chat call costs by the price list, each part rounded up to a micro-credit."""

    def part(name, tokens):
        exact = Decimal(price.get(name) or 0) * tokens / 1_000_000
        return exact.quantize(MICRO, rounding=ROUND_CEILING)

    return (
        Decimal(price.get("per_request") or 0)
        + part("input_per_million", prompt)
        + part("output_per_million", completion)
    )


def near(left, right):
    """Equal but for where the last micro-credit of each part is rounded."""
    return abs(Decimal(left) - Decimal(right)) <= 3 * MICRO
