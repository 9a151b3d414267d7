"""Embeddings through the official clients of OpenAI and Google, each to a vendor that speaks either format."""

import pytest
from google.genai import errors, types
from openai import BadRequestError

from callers import GeminiCaller
from vendors import vector
from waule import call

TEXTS = ["High water in Kirkwall.", "The moon"]
MODELS = {"openai_chat": "text-embedding-3-small", "gemini": "gemini-embedding-001"}

pytestmark = pytest.mark.parametrize("dialect", MODELS)


@pytest.fixture
def model(dialect, new_model):
    return new_model(dialect, MODELS[dialect], "embedding")


@pytest.fixture
def tenant(new_tenant):
    return new_tenant(credits=10)


@pytest.fixture
def google(tenant):
    return GeminiCaller(tenant.key).client


def test_openais_client(dialect, model, tenant, fakes):
    client = tenant.client()
    # Left to itself the client asks for base64 and decodes it.
    for more in ({}, {"encoding_format": "float"}):
        answer = client.embeddings.create(model=model, input=TEXTS, dimensions=4, **more)
        assert [one.embedding for one in answer.data] == [vector(text, 4) for text in TEXTS]
        assert [one.index for one in answer.data] == [0, 1]
        # Google tells no usage: what is told and charged is an estimate there.
        tokens = answer.usage.prompt_tokens
        assert tokens == 120 if dialect == "openai_chat" else 0 < tokens < 40
    one = client.embeddings.create(model=model, input=TEXTS[0])
    assert one.data[0].embedding == vector(TEXTS[0], 8)
    assert [asked.texts for asked, _ in fakes.asked()] == [TEXTS, TEXTS, TEXTS[:1]]
    assert fakes.refused() == []
    assert tenant.usage(calls=3)["embedding"]["input_tokens"] > 0
    assert tenant.settled()["used"] > 0


def test_googles_client(dialect, model, google, tenant, fakes):
    config = types.EmbedContentConfig(
        task_type="RETRIEVAL_DOCUMENT", title="Tides", output_dimensionality=3
    )
    # The client makes one content of all texts for a model with `gemini` in its name.
    contents = [types.Content(parts=[types.Part(text=text)]) for text in TEXTS]
    answer = google.models.embed_content(model=model, contents=contents, config=config)
    assert [one.values for one in answer.embeddings] == [vector(text, 3) for text in TEXTS]
    answer = google.models.embed_content(model=model, contents=TEXTS[0])
    assert [one.values for one in answer.embeddings] == [vector(TEXTS[0], 8)]
    (_, first), _ = fakes.asked()
    if dialect == "gemini":
        assert first["requests"][0]["taskType"] == "RETRIEVAL_DOCUMENT"
    else:
        assert first == {"model": MODELS[dialect], "input": TEXTS, "dimensions": 3}
    assert fakes.refused() == []
    assert tenant.settled()["used"] > 0


def test_one_content_and_what_is_dropped_is_named(dialect, model, tenant):
    body = {"content": {"parts": [{"text": TEXTS[0]}]}, "taskType": "CLUSTERING"}
    path = f"/v1beta/models/{model}:embedContent"
    answer = call("POST", path, body, {"x-goog-api-key": tenant.key})
    assert answer.status == 200, answer
    values = [float(number) for number in answer.body["embedding"]["values"]]
    assert values == vector(TEXTS[0], 8)
    dropped = answer.headers.get("x-waule-dropped")
    assert dropped == (None if dialect == "gemini" else "task_type")


def test_what_a_vendor_cant_be_told_is_refused_and_free(dialect, model, google, tenant, fakes):
    if dialect == "gemini":
        with pytest.raises(BadRequestError) as caught:
            tenant.client().embeddings.create(model=model, input=[[1, 2, 3]])
        assert caught.value.param == "input"
    else:
        picture = types.Part.from_bytes(data=b"moon", mime_type="image/png")
        with pytest.raises(errors.ClientError) as caught:
            google.models.embed_content(model=model, contents=types.Content(parts=[picture]))
        assert caught.value.code == 400
    assert fakes.asked() == []
    tenant.untouched()


def test_a_refusal_is_the_vendors(dialect, model, google, tenant):
    with pytest.raises(errors.ClientError) as caught:
        google.models.embed_content(model=model, contents="Hm. [fail:400]")
    assert caught.value.code == 400
    assert "asked for by the prompt" in str(caught.value)
    tenant.untouched()
