"""What conversations bring besides plain turns, at a vendor of every dialect: a move from one vendor to another in
their midst, odd orders of messages, tools without parameters, and fields that a vendor has no words for."""

import json

import openai
import pytest

from callers import CALLERS, ChatCaller
from conftest import VENDORS
from waule import question

KINDS = pytest.mark.parametrize("kind", CALLERS, ids=lambda kind: kind.name)
DIALECTS = pytest.mark.parametrize("dialect", VENDORS)
RESULT = "The tools said: at six."


@KINDS
@DIALECTS
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_it_moves_from_vendor_to_vendor(kind, dialect, stream, models, callers, fakes):
    caller = callers[kind]
    history = caller.begin("Think of Kirkwall. [think]")
    given = {"stream": stream, "tools": ["get_tide"], "thinks": True}
    first = caller.ask(models[dialect], history, **given)
    history = caller.told(history, first, ["at six"])
    for other in VENDORS:
        # Anthropic wants to be told what was thought where it is to think on, which only itself can know.
        thinks = other != "anthropic_messages" or dialect == other
        second = caller.ask(models[other], history, **{**given, "thinks": thinks})
        assert second.text == RESULT, other
        asked = caller.told(history, second, []) + caller.begin("And tomorrow?")
        third = caller.ask(models[other], asked, **given)
        assert len(third.calls) == 1, other
    assert fakes.refused() == []


def ask(callers, model, **given):
    answer = callers[ChatCaller].client.chat.completions.create(model=model, **given)
    return answer.choices[0].message


def function(name, **more):
    return {"type": "function", "function": {"name": name, **more}}


@DIALECTS
def test_messages_come_in_odd_orders(dialect, models, callers, fakes):
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "assistant", "content": "How may I help?"},
        {"role": "user", "content": "Hello."},
        {"role": "user", "content": "Why do tides come?"},
        {"role": "assistant", "content": ""},
        {"role": "system", "content": "Be kind."},
        {
            "role": "user",
            "content": [{"type": "text", "text": "Go on."}, {"type": "text", "text": " Please."}],
        },
    ]
    assert ask(callers, models[dialect], messages=messages).content
    (asked, _) = fakes.asked()[-1]
    assert "Be brief." in asked.system
    assert "Go on. Please." in asked.texts[-1].replace("\n", "")
    assert fakes.refused() == []


@DIALECTS
def test_tools_may_have_no_parameters(dialect, models, callers, fakes):
    tools = [
        function("get_time"),
        function("get_moon", description="Now.", parameters={"type": "object", "properties": {}}),
    ]
    messages = question("Now. [calls:2]")
    message = ask(callers, models[dialect], messages=messages, tools=tools)
    assert [call.function.name for call in message.tool_calls] == ["get_time", "get_moon"]
    assert all(json.loads(call.function.arguments) == {} for call in message.tool_calls)
    messages = [*messages, message.model_dump(exclude_none=True)]
    messages += [
        {"role": "tool", "tool_call_id": call.id, "content": "at six"}
        for call in message.tool_calls
    ]
    assert (
        ask(callers, models[dialect], messages=messages, tools=tools).content
        == "The tools said: at six and at six."
    )
    assert fakes.refused() == []


@DIALECTS
@pytest.mark.parametrize("choice", ["auto", "none", "required"])
def test_the_choice_of_tools_is_kept(dialect, choice, models, callers, fakes):
    tools = [function("get_moon", parameters={"type": "object", "properties": {}})]
    message = ask(
        callers, models[dialect], messages=question("Go."), tools=tools, tool_choice=choice
    )
    assert bool(message.tool_calls) == (choice != "none")
    (asked, _) = fakes.asked()[-1]
    assert asked.must_call == (choice == "required")
    assert fakes.refused() == []


@DIALECTS
def test_how_words_are_chosen_is_told_or_named(dialect, models, callers, fakes):
    given = {
        "temperature": 0.5,
        "top_p": 0.9,
        "seed": 7,
        "stop": ["END"],
        "user": "u1",
        "frequency_penalty": 0.5,
    }
    raw = callers[ChatCaller].client.chat.completions.with_raw_response.create(
        model=models[dialect], messages=question("Hello."), **given
    )
    assert raw.parse().choices
    _, request = fakes.asked()[-1]
    said = json.dumps(request)
    dropped = raw.headers.get("x-waule-dropped", "")
    for name, value in (("seed", "7"), ("stop", "END"), ("frequency_penalty", "0.5")):
        assert name in dropped or value in said, (name, dropped, said)
    assert fakes.refused() == []


@DIALECTS
def test_json_of_any_form(dialect, models, callers, fakes):
    def json_mode():
        form = {"type": "json_object"}
        return ask(
            callers, models[dialect], messages=question("Answer in JSON."), response_format=form
        )

    if dialect in ("anthropic_messages", "bedrock"):
        # They know schemas alone; an answer that may be no JSON would be another thing than was asked for.
        with pytest.raises(openai.BadRequestError) as caught:
            json_mode()
        assert caught.value.param == "response_format"
        assert fakes.asked() == []
        return
    assert isinstance(json.loads(json_mode().content), dict)
    assert fakes.refused() == []
