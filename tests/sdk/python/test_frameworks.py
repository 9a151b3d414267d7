"""Frameworks that stand on the official clients, against the sandbox and a vendor of every dialect: OpenAI's agents
by both of its interfaces, and LangChain by three."""

import agents
import pytest
from agents import Agent, Runner, function_tool
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from openai import AsyncOpenAI
from pydantic import BaseModel

from conftest import VENDORS
from waule import BASE_URL, CHAT, ORIGIN, TIMEOUT_SECONDS

# Traces would go to OpenAI.
agents.set_tracing_disabled(True)

RESULT = "at six"


class Tide(BaseModel):
    harbour: str
    days: int


@pytest.fixture(params=["sandbox", *VENDORS])
def model(request, models):
    return models.get(request.param, CHAT)


@pytest.fixture
def anyio_backend():
    return "asyncio"


# --- OpenAI's agents -----------------------------------------------------------------------------


@pytest.fixture(
    params=[agents.OpenAIChatCompletionsModel, agents.OpenAIResponsesModel],
    ids=["chat", "responses"],
)
async def openais(request, rich, model, anyio_backend):
    async with AsyncOpenAI(
        base_url=BASE_URL, api_key=rich.key, max_retries=0, timeout=TIMEOUT_SECONDS
    ) as client:
        yield request.param(model=model, openai_client=client)


def agent(model, **more):
    asked = []

    @function_tool
    def get_tide(harbour: str) -> str:
        """The time of high water in a harbour."""
        asked.append(harbour)
        return RESULT

    return Agent(
        name="Pilot", instructions="Be brief.", model=model, tools=[get_tide], **more
    ), asked


@pytest.mark.anyio
async def test_an_agent_uses_its_tool(openais):
    pilot, asked = agent(openais)
    result = await Runner.run(pilot, "When is high water in Kirkwall?")
    assert len(asked) == 1
    assert result.final_output
    usage = result.context_wrapper.usage
    assert usage.requests == 2
    assert usage.total_tokens == usage.input_tokens + usage.output_tokens > 0
    # A second turn carries all of the first.
    again = await Runner.run(
        pilot, [*result.to_input_list(), {"role": "user", "content": "And tomorrow?"}]
    )
    assert again.final_output


@pytest.mark.anyio
async def test_an_agent_streams(openais):
    pilot, asked = agent(openais)
    result = Runner.run_streamed(pilot, "When is high water in Kirkwall?")
    deltas = [
        event.data.delta
        async for event in result.stream_events()
        if event.type == "raw_response_event" and event.data.type == "response.output_text.delta"
    ]
    assert len(asked) == 1
    assert "".join(deltas) == result.final_output


@pytest.mark.anyio
async def test_an_agent_answers_in_a_form(openais):
    pilot = Agent(name="Pilot", instructions="Be brief.", model=openais, output_type=Tide)
    result = await Runner.run(pilot, "The tide in Kirkwall, please.")
    assert isinstance(result.final_output, Tide)


# --- LangChain -----------------------------------------------------------------------------------


@tool
def get_tide(harbour: str) -> str:
    """The time of high water in a harbour."""
    return RESULT


@pytest.fixture(params=["chat", "responses", "anthropic"])
def chain(request, rich, model):
    given = {"model": model, "api_key": rich.key, "max_retries": 0, "timeout": TIMEOUT_SECONDS}
    if request.param == "anthropic":
        return ChatAnthropic(base_url=ORIGIN, max_tokens=500, **given)
    return ChatOpenAI(
        base_url=BASE_URL,
        use_responses_api=request.param == "responses",
        stream_usage=True,
        **given,
    )


def test_a_chain_answers(chain):
    answer = chain.invoke([("system", "Be brief."), ("human", "Why do tides come?")])
    assert answer.text
    assert answer.usage_metadata["output_tokens"] > 0


def test_a_chain_streams(chain):
    chunks = list(chain.stream("Why do tides come?"))
    whole = sum(chunks[1:], chunks[0])
    assert len(chunks) > 2
    assert whole.text == chain.invoke("Why do tides come?").text
    assert whole.usage_metadata["output_tokens"] > 0


@pytest.mark.parametrize("streams", [False, True])
def test_a_chain_uses_its_tool(chain, streams):
    with_tools = chain.bind_tools([get_tide])

    def ask(messages):
        if not streams:
            return with_tools.invoke(messages)
        first, *more = with_tools.stream(messages)
        return sum(more, first)

    messages = [HumanMessage("When is high water in Kirkwall?")]
    first = ask(messages)
    (call,) = first.tool_calls
    assert call["name"] == "get_tide"
    messages += [first, ToolMessage(get_tide.invoke(call["args"]), tool_call_id=call["id"])]
    second = ask(messages)
    assert second.text
    assert not second.tool_calls


def test_a_chain_answers_in_a_form(chain):
    given = {} if isinstance(chain, ChatOpenAI) else {"method": "json_schema"}
    assert isinstance(chain.with_structured_output(Tide, **given).invoke("The tide, please."), Tide)


def test_a_chain_answers_in_the_form_of_a_call(chain):
    shaped = chain.with_structured_output(Tide, method="function_calling")
    assert isinstance(shaped.invoke("The tide, please."), Tide)


def test_a_chain_tells_errors_of_its_client(chain):
    with pytest.raises(Exception) as caught:
        chain.invoke("No. [fail:400]")
    assert caught.value.status_code == 400
