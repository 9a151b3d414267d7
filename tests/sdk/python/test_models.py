"""The catalogue through the official client."""

import pytest
from openai import NotFoundError, Omit

from waule import CHAT, DEMO_KEY, EMBEDDING, IMAGE, call, client


def test_the_models_of_the_demo_are_listed(demo):
    listed = list(demo.models.list())
    assert {CHAT, EMBEDDING, IMAGE} <= {model.id for model in listed}
    assert all(model.object == "model" and model.owned_by for model in listed)
    assert all(isinstance(model.created, int) for model in listed)


def test_one_model_is_retrieved_by_its_name(demo):
    model = demo.models.retrieve(CHAT)
    assert model.id == CHAT
    assert model.object == "model"


def test_a_model_nobody_has_is_not_found(demo):
    with pytest.raises(NotFoundError) as caught:
        demo.models.retrieve("no-such-model")
    assert caught.value.code == "model_not_found"


def test_the_key_may_come_in_x_api_key():
    with client("unused") as other:
        listed = other.models.list(
            extra_headers={"Authorization": Omit(), "X-API-Key": DEMO_KEY}
        )
    assert CHAT in {model.id for model in listed}


def test_x_api_key_alone_is_enough_for_a_plain_client():
    answer = call("GET", f"/api/v1/models/{CHAT}", headers={"X-API-Key": DEMO_KEY})
    assert (answer.status, answer.body["id"]) == (200, CHAT)
