"""A person's token opens the same doors as a key."""

import pytest
from openai import AuthenticationError

from waule import CHAT, call, client, question


@pytest.fixture
def session(tenant):
    person = {"username": "ada", "password": "a long enough pass phrase 7"}
    tenant.admin.ask("POST", f"/tenants/{tenant.id}/users", {**person, "role": "owner"})
    answer = call("POST", "/api/v1/auth/login", {"apiKey": tenant.key, **person})
    assert answer.status == 200, answer
    assert answer.body["tenant"]["id"] == tenant.id
    assert answer.body["user"]["username"] == "ada"
    return answer.body


def test_the_official_client_works_with_a_persons_token(tenant, session):
    with client(session["token"]) as person:
        assert CHAT in {model.id for model in person.models.list()}
        answer = person.chat.completions.create(model=CHAT, messages=question("Me? [tokens:4]"))
    assert answer.choices
    assert tenant.settled()["used"] > 0


def test_a_refresh_token_is_good_once(session):
    once = {"refresh_token": session["refresh_token"]}
    fresh = call("POST", "/api/v1/auth/refresh", once)
    assert fresh.status == 200, fresh
    assert fresh.body["refresh_token"] != session["refresh_token"]
    # Used again, an old one betrays a theft: the whole family ends.
    assert call("POST", "/api/v1/auth/refresh", once).status == 401
    next_one = {"refresh_token": fresh.body["refresh_token"]}
    assert call("POST", "/api/v1/auth/refresh", next_one).status == 401


def test_a_refresh_token_is_no_access_token(session):
    with client(session["refresh_token"]) as person, pytest.raises(AuthenticationError):
        person.models.list()


def test_unknown_key_user_and_password_get_the_same_answer(tenant, session):
    good = {
        "apiKey": tenant.key,
        "username": "ada",
        "password": "a long enough pass phrase 7",
    }
    wrong = [
        {**good, "apiKey": "wk_live_" + "b" * 32},
        {**good, "username": "nobody"},
        {**good, "password": "another pass phrase 8"},
    ]
    answers = [call("POST", "/api/v1/auth/login", body) for body in wrong]
    assert [answer.status for answer in answers] == [401, 401, 401]
    assert len({str(answer.body) for answer in answers}) == 1
