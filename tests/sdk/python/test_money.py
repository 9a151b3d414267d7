"""What calls cost, read from the books: exact, once, and only for what was produced."""

import asyncio

from openai import APIStatusError, AsyncOpenAI

from waule import BASE_URL, CHAT, EMBEDDING, IMAGE, MICRO, call, cost, near, question


def test_a_call_takes_its_price_from_the_balance_and_holds_nothing_after(tenant):
    before = tenant.balance()
    assert (before["available"], before["held"], before["used"]) == (100, 0, 0)

    answer = tenant.client().chat.completions.create(
        model=CHAT, messages=question("What do you cost? [tokens:40]")
    )

    after = tenant.settled()
    charge = before["available"] - after["available"]
    assert charge > 0
    assert charge == after["used"]
    price = tenant.admin.price(CHAT)
    expected = cost(price, answer.usage.prompt_tokens, answer.usage.completion_tokens)
    assert near(charge, expected), f"charged {charge}, the price list says {expected}"

    row = tenant.usage(calls=1)["chat"]
    assert row["model"] == CHAT
    assert row["credits"] == charge
    assert row["input_tokens"] == answer.usage.prompt_tokens
    assert row["output_tokens"] == answer.usage.completion_tokens


def test_a_whole_stream_costs_what_the_whole_answer_costs(tenant):
    client = tenant.client()
    text = question("Stream it. [tokens:25]")
    client.chat.completions.create(model=CHAT, messages=text)
    whole = tenant.settled()["used"]
    for _ in client.chat.completions.create(model=CHAT, messages=text, stream=True):
        pass
    # The second charge is booked after the last byte; it is waited for by its amount.
    assert tenant.settled(used_above=whole)["used"] == 2 * whole


def test_a_stream_left_midway_costs_what_the_provider_counts(tenant):
    # 200 tokens every 20 ms take four seconds; the caller leaves after about 0.2 s, and what the
    # provider makes and bills meanwhile is read to its count.
    stream = tenant.client().chat.completions.create(
        model=CHAT, messages=question("Go on. [tokens:200][pace:20]"), stream=True
    )
    for number, _ in enumerate(stream):
        if number == 10:
            break
    stream.close()
    left = tenant.settled(within=15)

    price = tenant.admin.price(CHAT)
    assert left["used"] >= cost(price, prompt=0, completion=200)
    assert left["available"] == 100 - left["used"]
    assert tenant.usage(calls=1)["chat"]["output_tokens"] == 200


def test_every_kind_of_call_is_in_the_books(tenant):
    client = tenant.client()
    client.chat.completions.create(model=CHAT, messages=question("one [tokens:5]"))
    client.embeddings.create(model=EMBEDDING, input="two")
    client.images.generate(model=IMAGE, prompt="three", size="256x256")
    summary = tenant.usage(calls=3)
    assert set(summary) == {"chat", "embedding", "image"}
    assert summary["image"]["images"] == 1
    assert sum(row["credits"] for row in summary.values()) == tenant.settled()["used"]

    # The summary has them, so they are filed: lists show them too.
    mine = call("GET", "/api/v1/usage", headers={"Authorization": f"Bearer {tenant.key}"})
    assert mine.status == 200
    assert len(mine.body["data"]) == 3


def test_a_test_key_works_and_leaves_the_balance_alone(tenant):
    with tenant.client(tenant.new_key("test")) as tester:
        answer = tester.chat.completions.create(
            model=CHAT, messages=question("For free? [tokens:20]")
        )
        assert answer.choices[0].message.content
        assert list(
            tester.chat.completions.create(
                model=CHAT, messages=question("And streamed? [tokens:20]"), stream=True
            )
        )
    assert tenant.untouched()["available"] == 100


def test_a_test_key_needs_no_credits(new_tenant):
    poor = new_tenant()
    with poor.client(poor.new_key("test")) as tester:
        answer = tester.chat.completions.create(
            model=CHAT, messages=question("Still? [tokens:3]")
        )
    assert answer.choices


def test_many_calls_at_once_never_spend_more_than_there_is(new_tenant, admin):
    # Enough for a few of the thirty: each answer of 400 tokens is cheaper than its hold.
    price = admin.price(CHAT)
    credits = 5 * cost(price, prompt=50, completion=400)
    # Wide limits: the balance alone may refuse here.
    limits = {"requests_per_minute": 1_000, "tokens_per_minute": 1_000_000, "concurrency": 100}
    tenant = new_tenant(credits=float(credits), limits=limits)

    async def all_at_once():
        async with AsyncOpenAI(base_url=BASE_URL, api_key=tenant.key, max_retries=0) as client:
            return await asyncio.gather(
                *(
                    client.chat.completions.create(
                        model=CHAT,
                        messages=question("Me too. [tokens:400][delay:100]"),
                        max_tokens=400,
                    )
                    for _ in range(30)
                ),
                return_exceptions=True,
            )

    answers = asyncio.run(all_at_once())
    refused = [answer for answer in answers if isinstance(answer, Exception)]
    paid = [answer for answer in answers if not isinstance(answer, Exception)]
    assert all(isinstance(error, APIStatusError) for error in refused), refused
    assert {error.status_code for error in refused} == {402}
    assert paid

    balance = tenant.settled()
    assert balance["available"] >= 0
    assert balance["available"] + balance["used"] == credits
    expected = sum(
        cost(price, answer.usage.prompt_tokens, answer.usage.completion_tokens)
        for answer in paid
    )
    assert abs(balance["used"] - expected) <= len(paid) * 3 * MICRO
