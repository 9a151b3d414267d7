"""Google's official client against the sandbox, which speaks another dialect: what it does on the first day."""

import pytest
from google import genai
from google.genai import errors, types
from pydantic import BaseModel

from waule import CHAT, DEMO_KEY, EMBEDDING, ORIGIN, TIMEOUT_SECONDS, call


class Tide(BaseModel):
    harbour: str
    days: int


def client(key, base=""):
    options = types.HttpOptions(base_url=ORIGIN + base, timeout=TIMEOUT_SECONDS * 1000)
    return genai.Client(api_key=key, vertexai=False, http_options=options)


@pytest.fixture(scope="module")
def google():
    return client(DEMO_KEY)


def ask(client, text="hello", model=CHAT, **config):
    config = types.GenerateContentConfig(**config)
    return client.models.generate_content(model=model, contents=text, config=config)


def test_content_is_generated_and_counted(google):
    answer = ask(
        google, "Say something. [tokens:12]", system_instruction="Be brief.", temperature=0.5
    )
    assert answer.text
    assert answer.candidates[0].finish_reason == types.FinishReason.STOP
    assert answer.usage_metadata.candidates_token_count == 12
    assert answer.usage_metadata.total_token_count == answer.usage_metadata.prompt_token_count + 12
    assert answer.model_version == CHAT


def test_a_stream_says_the_same(google):
    whole = ask(google, "Stream it. [tokens:15]")
    chunks = list(
        google.models.generate_content_stream(model=CHAT, contents="Stream it. [tokens:15]")
    )
    assert len(chunks) > 1
    assert "".join(chunk.text or "" for chunk in chunks) == whole.text
    assert chunks[-1].usage_metadata.candidates_token_count == 15
    assert chunks[-1].candidates[0].finish_reason == types.FinishReason.STOP


def test_the_maximum_ends_an_answer(google):
    answer = ask(google, "Go on. [tokens:50]", max_output_tokens=5)
    assert answer.candidates[0].finish_reason == types.FinishReason.MAX_TOKENS


def test_a_chat_remembers(google):
    chat = google.chats.create(model=CHAT)
    first = chat.send_message("One. [tokens:5]")
    second = chat.send_message("Two. [tokens:5]")
    assert second.usage_metadata.prompt_token_count > first.usage_metadata.prompt_token_count
    assert len(chat.get_history()) == 4


def test_the_client_calls_functions_by_itself(google):
    asked = []

    def get_tide(harbour: str) -> str:
        """The time of high water."""
        asked.append(harbour)
        return "at six"

    answer = ask(google, "When is high water in Kirkwall?", tools=[get_tide])
    assert len(asked) == 1
    assert answer.text


def test_structured_output_is_parsed(google):
    for given in ({"response_schema": Tide}, {"response_json_schema": Tide.model_json_schema()}):
        answer = ask(google, "The tide, please.", response_mime_type="application/json", **given)
        assert Tide.model_validate_json(answer.text)
    several = ask(
        google, "Tides.", response_mime_type="application/json", response_schema=list[Tide]
    )
    assert all(isinstance(tide, Tide) for tide in several.parsed)


def test_tokens_are_counted_for_nothing(new_tenant):
    poor = client(new_tenant().key)
    counted = poor.models.count_tokens(model=CHAT, contents="How many?")
    assert counted.total_tokens > 0


@pytest.mark.parametrize("text, code", [("Go on. [tokens:9]", None), ("[tokens:30][cut:5]", 502)])
def test_a_stream_that_does_not_ask_for_events_is_one_array(text, code):
    body = {"contents": [{"parts": [{"text": text}]}]}
    path = f"/v1beta/models/{CHAT}:streamGenerateContent"
    answer = call("POST", path, body, {"x-goog-api-key": DEMO_KEY})
    assert answer.status == 200, answer
    assert answer.headers["content-type"].startswith("application/json")
    assert len(answer.body) > 2
    last = answer.body[-1]
    if code:
        assert last["error"]["code"] >= 500
    else:
        assert last["candidates"][0]["finishReason"] == "STOP"
        assert last["usageMetadata"]["candidatesTokenCount"] == 9


def test_vectors_are_made_of_texts(google):
    config = types.EmbedContentConfig(output_dimensionality=5)
    made = google.models.embed_content(model=EMBEDDING, contents=["a", "b", "a"], config=config)
    first, second, third = (one.values for one in made.embeddings)
    assert first == third != second
    assert len(first) == 5
    assert made.usage_metadata.prompt_token_count > 0


def test_models_are_listed_in_its_own_shape(google):
    assert f"models/{EMBEDDING}" in [model.name for model in google.models.list()]
    assert f"models/{CHAT}" in [model.name for model in google.models.list()]
    assert google.models.get(model=CHAT).name == f"models/{CHAT}"


@pytest.mark.parametrize("base", ["", "/", "/api", "/v1"])
def test_every_base_url_works(base):
    assert ask(client(DEMO_KEY, base)).text


@pytest.mark.anyio
async def test_the_client_that_waits_for_many(google, anyio_backend):
    stream = await google.aio.models.generate_content_stream(model=CHAT, contents="At once.")
    assert [chunk.text async for chunk in stream]


@pytest.fixture
def anyio_backend():
    return "asyncio"


def test_errors_are_its_own(google, new_tenant):
    for attempt, code in [
        (lambda: ask(client("wk_live_" + "a" * 32)), 401),
        (lambda: ask(google, model="no-such-model"), 404),
        (lambda: ask(google, "[fail:400]"), 400),
        (lambda: ask(google, "[fail:429]"), 429),
        (lambda: ask(client(new_tenant().key)), 402),
    ]:
        with pytest.raises(errors.ClientError) as caught:
            attempt()
        assert caught.value.code == code
        assert caught.value.status and caught.value.message
    with pytest.raises(errors.ServerError):
        ask(google, "[fail:500]")


def test_a_stream_that_breaks_raises(google):
    with pytest.raises(errors.APIError):
        list(
            google.models.generate_content_stream(model=CHAT, contents="Begin. [tokens:30][cut:5]")
        )
