"""What an agent demo does on the first day, against the sandbox: tools, structured output, stops."""

import json

from pydantic import BaseModel
from waule import CHAT, IMAGE, question

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string"},
                "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
            },
            "required": ["city"],
        },
    },
}
CLOCK = {"type": "function", "function": {"name": "get_time", "parameters": {"type": "object"}}}


class Step(BaseModel):
    explanation: str
    minutes: int


class Recipe(BaseModel):
    title: str
    steps: list[Step]
    vegetarian: bool | None


def test_an_agent_calls_its_tool_and_comes_to_an_end(demo):
    messages = question("What is the weather in Paris?")
    for turn in range(5):
        answer = demo.chat.completions.create(model=CHAT, messages=messages, tools=[WEATHER])
        message = answer.choices[0].message
        if not message.tool_calls:
            break
        assert answer.choices[0].finish_reason == "tool_calls"
        messages.append(message.model_dump(exclude_none=True))
        for call in message.tool_calls:
            assert call.function.name == "get_weather"
            assert json.loads(call.function.arguments)["unit"] in ("celsius", "fahrenheit")
            messages.append({"role": "tool", "tool_call_id": call.id, "content": "20 degrees"})
    assert turn == 1
    assert message.content


def test_streamed_tool_calls_are_collected_by_the_client(demo):
    with demo.chat.completions.stream(
        model=CHAT,
        messages=question("get_weather and get_time at once, please"),
        tools=[WEATHER, CLOCK],
    ) as stream:
        stream.until_done()
        answer = stream.get_final_completion()
    calls = answer.choices[0].message.tool_calls
    assert [call.function.name for call in calls] == ["get_weather", "get_time"]
    assert len({call.id for call in calls}) == 2
    assert all(isinstance(json.loads(call.function.arguments), dict) for call in calls)
    assert answer.choices[0].finish_reason == "tool_calls"


def test_structured_output_is_parsed_by_the_client(demo):
    answer = demo.chat.completions.parse(
        model=CHAT, messages=question("A recipe, please."), response_format=Recipe
    )
    recipe = answer.choices[0].message.parsed
    assert isinstance(recipe, Recipe)
    assert recipe.steps


def test_json_mode_answers_json(demo):
    answer = demo.chat.completions.create(
        model=CHAT,
        messages=question("Answer in JSON."),
        response_format={"type": "json_object"},
    )
    assert isinstance(json.loads(answer.choices[0].message.content), dict)


def test_stops_and_logprobs(demo):
    whole = demo.chat.completions.create(model=CHAT, messages=question("Stop. [tokens:10]"))
    stop = whole.choices[0].message.content.split()[3]
    answer = demo.chat.completions.create(
        model=CHAT,
        messages=question("Stop. [tokens:10]"),
        stop=[stop],
        logprobs=True,
        top_logprobs=2,
    )
    choice = answer.choices[0]
    assert stop not in choice.message.content
    assert choice.finish_reason == "stop"
    told = choice.logprobs.content
    assert "".join(token.token for token in told) == choice.message.content
    assert all(len(token.top_logprobs) == 2 and token.logprob < 0 for token in told)


def test_an_image_can_be_had_as_an_address(demo):
    answer = demo.images.generate(
        model=IMAGE, prompt="a box of sand", size="64x64", response_format="url"
    )
    assert answer.data[0].url.startswith("data:image/png;base64,")
    assert answer.data[0].b64_json is None
