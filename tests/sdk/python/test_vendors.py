"""Every official client against every vendor's dialect: what the client says is what the vendor reads, and what the
vendor answers is what the client is told."""

import json

import pytest

from callers import CALLERS, PIXEL, TIDE
from conftest import VENDORS
from vendors import THOUGHT

TEXT = "Tides follow the moon, “naïvely” 🌊."
HARBOUR = {"harbour": "a harbour", "days": 7}

# Cohere counts no thoughts, and tells cached tokens of what it read, which is more than what it bills; Amazon counts no
# thoughts.
TOLD = {"cohere_chat": (0, 0), "bedrock": (40, 0)}

pytestmark = [
    pytest.mark.parametrize("dialect", VENDORS),
    pytest.mark.parametrize("kind", CALLERS, ids=lambda kind: kind.name),
]


@pytest.fixture
def caller(kind, callers):
    return callers[kind]


@pytest.fixture(params=[False, True], ids=["whole", "stream"])
def stream(request):
    return request.param


@pytest.fixture(autouse=True)
def no_refusals(fakes, request):
    yield
    assert fakes.refused() == []


def test_a_chat(caller, models, dialect, stream, fakes):
    text = "Why do tides come? [in:140][cached:40][out:33][thought:11]"
    reply = caller.ask(models[dialect], caller.begin(text), stream=stream, system="Be brief.")
    assert reply.text == f"{TEXT} You told me: Be brief."
    assert reply.stop == "end"
    assert not reply.calls
    ((asked, _),) = fakes.asked()
    assert (asked.texts, asked.system, asked.stream) == ([text], "Be brief.", stream)
    assert asked.model == VENDORS[dialect][2]
    told = (reply.input, reply.cached, reply.output, reply.thoughts)
    cached, thoughts = TOLD.get(dialect, (40, 11))
    assert told == (140, cached, 33, thoughts)


def test_the_maximum_is_told_and_met(caller, models, dialect, stream, fakes):
    reply = caller.ask(models[dialect], caller.begin("Go on. [cut]"), stream=stream, maximum=77)
    assert reply.stop == "max"
    ((asked, _),) = fakes.asked()
    assert asked.maximum == 77


def test_a_tool_is_called_and_its_result_read(caller, models, dialect, stream, fakes):
    model, tools = models[dialect], ["get_tide", "get_moon"]
    history = caller.begin("When is high water in Kirkwall? [calls:2]")
    first = caller.ask(model, history, stream=stream, tools=tools)
    assert first.stop == "calls"
    assert [call[1:] for call in first.calls] == [
        ("get_tide", HARBOUR),
        ("get_moon", {"phase": "a phase"}),
    ]
    assert len({call[0] for call in first.calls}) == 2
    history = caller.told(history, first, ["at six", "full"])
    second = caller.ask(model, history, stream=stream, tools=tools)
    assert second.text == "The tools said: at six and full."
    assert second.stop == "end"
    # The conversation goes on with all that was said.
    history = [*caller.told(history, second, []), *caller.begin("And tomorrow? [calls:1]")]
    third = caller.ask(model, history, stream=stream, tools=tools)
    assert [call[1] for call in third.calls] == ["get_tide"]
    asked = fakes.asked()[-1][0]
    assert [name for name, _ in asked.tools] == tools
    assert asked.tools[0][1]["required"] == TIDE["required"]


def test_a_tool_that_must_be_called(caller, models, dialect, fakes):
    tools = ["get_tide", "get_moon"]
    reply = caller.ask(models[dialect], caller.begin("Go."), tools=tools, must="get_moon")
    assert [call[1] for call in reply.calls] == ["get_moon"]
    assert fakes.asked()[0][0].must_call


def test_thoughts_come_and_go_back(caller, models, dialect, stream):
    model = models[dialect]
    history = caller.begin("Think of Kirkwall. [think]")
    first = caller.ask(model, history, stream=stream, tools=["get_tide"], thinks=True)
    # Cohere tells besides what it is about to do.
    assert first.thought == THOUGHT + ("I will ask." if dialect == "cohere_chat" else "")
    history = caller.told(history, first, ["at six"])
    second = caller.ask(model, history, stream=stream, tools=["get_tide"], thinks=True)
    assert second.text == "The tools said: at six."


def test_structured_output(caller, models, dialect, stream):
    reply = caller.ask(models[dialect], caller.begin("Answer in JSON."), stream=stream, schema=TIDE)
    assert json.loads(reply.text) == HARBOUR


def test_a_picture_is_seen(caller, models, dialect, stream):
    reply = caller.ask(models[dialect], caller.begin("What is it?", image=PIXEL), stream=stream)
    assert reply.text == f"{TEXT} I see 1 image."


def test_the_books_have_what_the_vendor_told(kind, dialect, models, new_tenant, stream):
    tenant = new_tenant(credits=10)
    text = f"{'What do you cost? ' * 400}[in:1400][cached:400][out:330]"
    caller = kind(tenant.key)
    caller.ask(models[dialect], caller.begin(text), stream=stream)
    row = tenant.usage(calls=1)["chat"]
    assert (row["input_tokens"], row["output_tokens"]) == (1400, 330)
    # Each price is for a million: 1000 at 3, 400 at 1, 330 at 15. Cohere bills nothing as cached.
    expected = 0.00915 if dialect == "cohere_chat" else 0.00835
    assert float(tenant.settled()["used"]) == pytest.approx(expected, abs=3e-6)


def test_lines_that_end_as_in_http_and_counts_of_nothing(kind, dialect, models, new_tenant):
    tenant = new_tenant(credits=10)
    caller = kind(tenant.key)
    reply = caller.ask(models[dialect], caller.begin("Hm. [crlf][zeros]"), stream=True)
    assert reply.text == TEXT
    # What is said costs what it is about, though the vendor says it is nothing.
    row = tenant.usage(calls=1)["chat"]
    assert row["input_tokens"] > 0 and row["output_tokens"] > 0
    assert tenant.settled()["used"] > 0
