"""OpenAI's official client on Responses against the sandbox, which speaks chat completions."""

import json

import openai
import pytest
from pydantic import BaseModel

from waule import CHAT, client, question


class Tide(BaseModel):
    harbour: str
    days: int | None


WEATHER = {
    "type": "function",
    "name": "get_weather",
    "strict": True,
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
}


def test_a_response_is_answered_and_counted(demo):
    answer = demo.responses.create(
        model=CHAT, instructions="Be brief.", input="Say something. [tokens:12]"
    )
    assert answer.output_text
    assert (answer.status, answer.object, answer.model) == ("completed", "response", CHAT)
    assert answer.usage.output_tokens == 12
    assert answer.usage.total_tokens == answer.usage.input_tokens + 12
    assert answer.store is False


def test_a_stream_says_the_same(demo):
    whole = demo.responses.create(model=CHAT, input="Stream it. [tokens:15]")
    with demo.responses.stream(model=CHAT, input="Stream it. [tokens:15]") as stream:
        kinds = [event.type for event in stream]
        answer = stream.get_final_response()
    assert kinds[:2] == ["response.created", "response.in_progress"]
    assert kinds[-1] == "response.completed"
    assert answer.output_text == whole.output_text
    assert answer.usage.output_tokens == 15


def test_the_maximum_ends_an_answer(demo):
    answer = demo.responses.create(model=CHAT, input="Go on. [tokens:50]", max_output_tokens=16)
    assert (answer.status, answer.incomplete_details.reason) == ("incomplete", "max_output_tokens")


@pytest.mark.parametrize("streams", [False, True])
def test_an_agent_calls_its_tool_and_comes_to_an_end(demo, streams):
    items = question("What is the weather in Paris?")
    for turn in range(5):
        given = {"model": CHAT, "input": items, "tools": [WEATHER]}
        if streams:
            with demo.responses.stream(**given) as stream:
                answer = stream.get_final_response()
        else:
            answer = demo.responses.create(**given)
        calls = [item for item in answer.output if item.type == "function_call"]
        items = [*items, *(item.to_dict() for item in answer.output)]
        if not calls:
            break
        for call in calls:
            assert isinstance(json.loads(call.arguments), dict)
            items.append(
                {"type": "function_call_output", "call_id": call.call_id, "output": "20 degrees"}
            )
    assert turn == 1
    assert answer.output_text


def test_structured_output_is_parsed(demo):
    answer = demo.responses.parse(model=CHAT, input="The tide, please.", text_format=Tide)
    assert isinstance(answer.output_parsed, Tide)


def test_nothing_is_kept_and_that_is_said(demo):
    for kept in (
        {"previous_response_id": "resp_1"},
        {"background": True},
        {"conversation": "conv_1"},
    ):
        with pytest.raises(openai.BadRequestError) as caught:
            demo.responses.create(model=CHAT, input="hi", **kept)
        assert next(iter(kept)) in caught.value.message
    with pytest.raises(openai.BadRequestError):
        demo.responses.create(model=CHAT, input="hi", tools=[{"type": "web_search"}])


def test_tokens_are_counted_for_nothing(new_tenant):
    with client(new_tenant().key) as poor:
        assert poor.responses.input_tokens.count(model=CHAT, input="How many?").input_tokens > 0


def test_errors_are_its_own(demo):
    with pytest.raises(openai.NotFoundError):
        demo.responses.create(model="no-such-model", input="hi")
    with pytest.raises(openai.RateLimitError):
        demo.responses.create(model=CHAT, input="[fail:429]")
    with pytest.raises(openai.APIError):
        list(demo.responses.create(model=CHAT, input="Begin. [tokens:30][cut:5]", stream=True))
