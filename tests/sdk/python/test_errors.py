"""Failures arrive as the official client's own exceptions, with OpenAI's codes."""

import time

import pytest
from openai import (
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    NotFoundError,
    RateLimitError,
)

from waule import CHAT, EMBEDDING, IMAGE, client, question

# Promised is a second; the half more is for a slow machine.
REVOKED_SECONDS = 1.5


def ask(client, text="hello [tokens:3]", **more):
    given = {"model": CHAT, "messages": question(text), **more}
    return client.chat.completions.create(**given)


@pytest.mark.parametrize(
    "key",
    [
        "wk_live_" + "a" * 32,
        "wk_test_" + "a" * 32,
        "sk-somebody-elses",
        "wk_live_short",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.bm90IHNpZ25lZA",
    ],
)
def test_a_key_that_opens_nothing_is_an_authentication_error(key):
    with client(key) as stranger, pytest.raises(AuthenticationError) as caught:
        ask(stranger)
    assert caught.value.code == "invalid_api_key"
    assert key not in caught.value.message


def test_a_revoked_key_stops_working_within_a_second(tenant):
    made = tenant.admin.ask(
        "POST", f"/tenants/{tenant.id}/keys", {"name": "short-lived", "kind": "live"}
    )
    with client(made["secret"]) as holder:
        ask(holder)
        tenant.admin.ask("DELETE", f"/tenants/{tenant.id}/keys/{made['key']['id']}")
        time.sleep(REVOKED_SECONDS)
        with pytest.raises(AuthenticationError):
            ask(holder)


def test_an_unknown_model_is_not_found_and_free(tenant):
    for attempt in (
        lambda c: ask(c, model="no-such-model"),
        lambda c: c.embeddings.create(model="no-such-model", input="x"),
        lambda c: c.images.generate(model="no-such-model", prompt="x"),
    ):
        with pytest.raises(NotFoundError) as caught:
            attempt(tenant.client())
        assert caught.value.code == "model_not_found"
    tenant.untouched()


@pytest.mark.parametrize(
    "wrong",
    [
        {"messages": "not a list"},
        {"messages": []},
        {"model": 7},
        {"max_tokens": "many"},
        {"max_tokens": -1},
        {"stream": "yes"},
    ],
    ids=str,
)
def test_a_field_of_the_wrong_kind_is_a_bad_request_and_free(tenant, wrong):
    with pytest.raises(BadRequestError) as caught:
        ask(tenant.client(), extra_body=wrong)
    assert caught.value.type == "invalid_request_error"
    assert caught.value.message
    tenant.untouched()


def test_a_model_of_another_kind_is_refused(tenant):
    with pytest.raises(APIStatusError) as caught:
        ask(tenant.client(), model=EMBEDDING)
    assert caught.value.status_code in (400, 404)
    with pytest.raises(APIStatusError) as caught:
        tenant.client().embeddings.create(model=IMAGE, input="x")
    assert caught.value.status_code in (400, 404)


def test_a_tenant_without_credits_is_told_so(new_tenant):
    poor = new_tenant()
    with pytest.raises(APIStatusError) as caught:
        ask(poor.client())
    assert caught.value.status_code == 402
    assert caught.value.code == "insufficient_credits"
    assert caught.value.type == "insufficient_quota"


def test_calls_beyond_the_limit_are_told_when_to_come_back(new_tenant):
    limited = new_tenant(
        credits=100,
        limits={"requests_per_minute": 2, "tokens_per_minute": 100_000, "concurrency": 10},
    )
    with pytest.raises(RateLimitError) as caught:
        # A limit that refills while we ask may let one more pass.
        for _ in range(5):
            ask(limited.client())
    assert caught.value.code == "rate_limit_exceeded"
    assert int(caught.value.response.headers["retry-after"]) > 0


def test_a_failure_of_the_provider_is_passed_on_and_free(tenant):
    with pytest.raises(APIStatusError) as caught:
        ask(tenant.client(), "[fail:500]")
    assert caught.value.status_code >= 500
    with pytest.raises(BadRequestError):
        ask(tenant.client(), "[fail:400]")
    assert tenant.untouched()["available"] == 100
