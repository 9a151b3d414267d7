"""Anthropic's official client against the sandbox, which speaks another dialect: what it does on the first day."""

import anthropic
import pytest
from anthropic import Anthropic, AsyncAnthropic, beta_tool
from pydantic import BaseModel

from waule import CHAT, DEMO_KEY, ORIGIN, TIMEOUT_SECONDS, question

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


class Tide(BaseModel):
    harbour: str
    metres: float


@pytest.fixture(scope="module")
def claude():
    with Anthropic(
        base_url=ORIGIN, api_key=DEMO_KEY, max_retries=0, timeout=TIMEOUT_SECONDS
    ) as client:
        yield client


def ask(client, text="hello", **more):
    return client.messages.create(model=CHAT, max_tokens=200, messages=question(text), **more)


def test_a_message_is_answered_and_counted(claude):
    answer = ask(
        claude,
        "Say something. [tokens:12]",
        system=[{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
    )
    assert [block.type for block in answer.content] == ["text"]
    assert (answer.role, answer.type, answer.model) == ("assistant", "message", CHAT)
    assert answer.stop_reason == "end_turn"
    assert answer.usage.output_tokens == 12
    assert answer.usage.input_tokens > 0
    assert answer._request_id


def test_a_stream_says_the_same(claude):
    whole = ask(claude, "Stream it. [tokens:15]")
    with claude.messages.stream(
        model=CHAT, max_tokens=200, messages=question("Stream it. [tokens:15]")
    ) as stream:
        text = "".join(stream.text_stream)
        answer = stream.get_final_message()
    assert text == whole.content[0].text == answer.content[0].text
    assert answer.usage.output_tokens == 15
    assert answer.usage.input_tokens == whole.usage.input_tokens


def test_the_maximum_ends_an_answer(claude):
    answer = claude.messages.create(
        model=CHAT, max_tokens=5, messages=question("Go on. [tokens:50]")
    )
    assert answer.stop_reason == "max_tokens"
    assert answer.usage.output_tokens == 5


@pytest.mark.parametrize("stream", [False, True])
def test_the_clients_own_loop_calls_tools_to_the_end(claude, stream):
    asked = []

    @beta_tool
    def get_tide(harbour: str) -> str:
        """The time of high water.

        Args:
            harbour: Its name.
        """
        asked.append(harbour)
        return "at six"

    runner = claude.beta.messages.tool_runner(
        model=CHAT,
        max_tokens=200,
        tools=[get_tide],
        messages=question("When is high water?"),
        stream=stream,
    )
    answer = runner.until_done()
    assert len(asked) == 1
    assert answer.stop_reason == "end_turn"
    assert answer.content[0].text


def test_structured_output_is_parsed(claude):
    answer = claude.messages.parse(
        model=CHAT, max_tokens=500, messages=question("The tide, please."), output_format=Tide
    )
    assert isinstance(answer.parsed_output, Tide)


def test_tokens_are_counted_for_nothing(claude, new_tenant):
    poor = new_tenant()
    with Anthropic(base_url=ORIGIN, api_key=poor.key, max_retries=0) as client:
        counted = client.messages.count_tokens(model=CHAT, messages=question("How many?"))
    assert counted.input_tokens > 0


def test_models_are_listed_in_its_own_shape(claude):
    assert CHAT in [model.id for model in claude.models.list(limit=100)]
    found = claude.models.retrieve(CHAT)
    assert (found.type, found.id) == ("model", CHAT)


def test_a_key_may_come_as_a_token(claude):
    with Anthropic(base_url=ORIGIN, auth_token=DEMO_KEY, api_key=None, max_retries=0) as client:
        assert ask(client).content


@pytest.mark.parametrize("base", ["", "/", "/v1", "/api", "/api/v1"])
def test_every_base_url_works(base):
    with Anthropic(base_url=ORIGIN + base, api_key=DEMO_KEY, max_retries=0) as client:
        assert ask(client).content


@pytest.mark.anyio
async def test_the_client_that_waits_for_many(anyio_backend):
    async with AsyncAnthropic(base_url=ORIGIN, api_key=DEMO_KEY, max_retries=0) as client:
        async with client.messages.stream(
            model=CHAT, max_tokens=50, messages=question("At once.")
        ) as stream:
            assert [text async for text in stream.text_stream]


@pytest.fixture
def anyio_backend():
    return "asyncio"


def test_errors_are_its_own(claude, new_tenant):
    with Anthropic(base_url=ORIGIN, api_key="wk_live_" + "a" * 32, max_retries=0) as stranger:
        with pytest.raises(anthropic.AuthenticationError) as caught:
            ask(stranger)
    assert caught.value.body["error"]["type"] == "authentication_error"
    with pytest.raises(anthropic.NotFoundError):
        claude.messages.create(model="no-such-model", max_tokens=5, messages=question("hi"))
    with pytest.raises(anthropic.BadRequestError) as caught:
        claude.messages.create(model=CHAT, max_tokens=5, messages=[])
    assert caught.value.body["error"]["type"] == "invalid_request_error"
    with pytest.raises(anthropic.RateLimitError):
        ask(claude, "[fail:429]")
    poor = new_tenant()
    with Anthropic(base_url=ORIGIN, api_key=poor.key, max_retries=0) as client:
        with pytest.raises(anthropic.APIStatusError) as caught:
            ask(client)
    assert caught.value.status_code == 402


def test_what_can_not_be_said_is_named(claude):
    raw = claude.messages.with_raw_response.create(
        model=CHAT, max_tokens=20, messages=question("hi"), extra_body={"mystery": 1}
    )
    assert "mystery" in raw.headers["x-waule-dropped"]
    assert raw.parse().content


def test_a_stream_that_breaks_raises(claude):
    with pytest.raises(anthropic.APIError):
        for _ in ask(claude, "Begin. [tokens:30][cut:5]", stream=True):
            pass
