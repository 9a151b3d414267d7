"""Rankings through Cohere's official client, in both versions of its API, of the sandbox and of every vendor that makes
some; and vectors of the same vendors through OpenAI's."""

import cohere
import pytest
from cohere.core.api_error import ApiError

from vendors import vector
from waule import ORIGIN, TIMEOUT_SECONDS, call

DOCUMENTS = [
    "Bread is made of flour.",
    "The moon moves the tides.",
    "Tides come twice a day.",
    "Ships wait for high water.",
]
QUERY = "what moves the tides"
RANKERS = ["cohere_chat", "jina", "voyage", "dashscope"]
NAMES = {"cohere_chat": "rerank-v5.0-pro"}
EMBEDDERS = {
    "cohere_chat": "embed-v4.0",
    "jina": "jina-embeddings-v4",
    "voyage": "voyage-3.5",
    "dashscope": "text-embedding-v4",
}
# Retries would hide the answers that these tests are about.
ONCE = {"max_retries": 0}


@pytest.fixture
def tenant(new_tenant):
    return new_tenant(credits=10)


@pytest.fixture(params=[f"{ORIGIN}/api", ORIGIN], ids=["below api", "at the root"])
def base_url(request):
    return request.param


@pytest.fixture
def clients(tenant, base_url):
    """Of both versions."""
    given = {"api_key": tenant.key, "base_url": base_url, "timeout": TIMEOUT_SECONDS}
    return {"v2": cohere.ClientV2(**given), "v1": cohere.Client(**given)}


def test_the_sandbox_ranks(clients, tenant):
    for client in clients.values():
        told = client.rerank(
            model="sandbox-rerank", query=QUERY, documents=DOCUMENTS, top_n=2, request_options=ONCE
        )
        assert [one.index for one in told.results] == [1, 2]
        first, second = (one.relevance_score for one in told.results)
        assert 1 >= first > second >= 0
        assert told.id
        assert told.meta.billed_units.search_units == 1
        assert told.meta.tokens.input_tokens > 0
    assert tenant.usage(calls=2)["rerank"]["input_tokens"] > 0
    assert tenant.settled()["used"] > 0


def test_documents_come_back_where_they_are_asked_for(clients):
    documents = [{"text": text, "page": at} for at, text in enumerate(DOCUMENTS)]
    told = clients["v1"].rerank(
        model="sandbox-rerank", query=QUERY, documents=documents, return_documents=True, top_n=1
    )
    assert told.results[0].document.text == DOCUMENTS[1]
    told = clients["v1"].rerank(model="sandbox-rerank", query=QUERY, documents=documents)
    assert len(told.results) == len(documents)
    assert told.results[0].document is None


def test_structured_documents_are_ranked_by_their_fields(clients):
    documents = [
        {"title": "Bread", "text": "What moves the tides?"},
        {"title": "What moves the tides", "text": "-"},
    ]
    told = clients["v1"].rerank(
        model="sandbox-rerank", query=QUERY, documents=documents, rank_fields=["title"], top_n=1
    )
    assert told.results[0].index == 1


def test_errors_are_the_clients_own(clients, tenant):
    for client in clients.values():
        with pytest.raises(cohere.NotFoundError) as caught:
            client.rerank(model="no-such-model", query="q", documents=["a"], request_options=ONCE)
        assert "no-such-model" in caught.value.body["message"]
        with pytest.raises(cohere.BadRequestError) as caught:
            client.rerank(model="sandbox-rerank", query="q", documents=[], request_options=ONCE)
        assert "documents" in caught.value.body["message"]
        assert caught.value.body["error"]["param"] == "documents"
    tenant.untouched()


def test_a_wrong_key_and_an_empty_balance(base_url, new_tenant):
    given = {"base_url": base_url, "timeout": TIMEOUT_SECONDS}
    wrong = cohere.ClientV2(api_key="wk_live_" + "0" * 32, **given)
    asked = {"model": "sandbox-rerank", "query": "q", "documents": ["a"], "request_options": ONCE}
    with pytest.raises(cohere.UnauthorizedError) as caught:
        wrong.rerank(**asked)
    assert caught.value.body["message"]
    poor = cohere.ClientV2(api_key=new_tenant().key, **given)
    with pytest.raises(ApiError) as caught:
        poor.rerank(**asked)
    assert caught.value.status_code == 402
    assert caught.value.body["error"]["code"] == "insufficient_credits"


@pytest.mark.parametrize("vendor", RANKERS)
def test_every_vendor_ranks(vendor, clients, tenant, new_model, fakes):
    model = new_model(vendor, NAMES.get(vendor), operation="rerank")
    for client in clients.values():
        told = client.rerank(
            model=model,
            query=f"{QUERY} [in:77]",
            documents=DOCUMENTS,
            top_n=2,
            request_options=ONCE,
        )
        assert [one.index for one in told.results] == [1, 2]
        # Cohere tells searches and no tokens: those are an estimate then.
        tokens = told.meta.tokens.input_tokens
        assert tokens == 77 if vendor != "cohere_chat" else tokens > 0
        assert told.meta.billed_units.search_units == 1
    assert fakes.refused() == []
    assert [asked.documents for asked, _ in fakes.asked()] == [DOCUMENTS, DOCUMENTS]
    assert tenant.settled()["used"] > 0


@pytest.mark.parametrize("vendor", RANKERS)
def test_a_vendors_refusal_is_told_in_cohere_words(vendor, clients, tenant, new_model):
    model = new_model(vendor, NAMES.get(vendor), operation="rerank")
    with pytest.raises(cohere.BadRequestError) as caught:
        clients["v2"].rerank(
            model=model, query="[fail:400]", documents=DOCUMENTS, request_options=ONCE
        )
    assert caught.value.body["message"] == "asked for by the prompt"
    tenant.untouched()


def test_what_a_vendor_has_no_words_for_is_named(tenant, new_model):
    model = new_model("voyage", operation="rerank")
    body = {"model": model, "query": QUERY, "documents": DOCUMENTS, "max_tokens_per_doc": 100}
    headers = {"Authorization": f"Bearer {tenant.key}"}
    answer = call("POST", "/v1/rerank", body, headers)
    assert answer.status == 200, answer
    assert answer.headers["x-waule-dropped"] == "max_tokens_per_doc"
    picture = {**body, "documents": [{"image": "https://example.com/a.png"}]}
    answer = call("POST", "/v1/rerank", picture, headers)
    assert answer.status == 400, answer
    assert answer.body["detail"] == answer.body["message"]


def test_searches_are_charged_where_they_are_priced(tenant, new_model, admin):
    model = new_model("cohere_chat", NAMES["cohere_chat"], operation="rerank")
    rates = [{"unit": "search", "credits": 2}, {"unit": "input_token", "credits": 0}]
    admin.ask("POST", "/prices", {"model_id": model, "rates": rates})
    client = cohere.ClientV2(api_key=tenant.key, base_url=f"{ORIGIN}/api")
    told = client.rerank(model=model, query="q", documents=["a"] * 101, request_options=ONCE)
    assert told.meta.billed_units.search_units == 2
    assert tenant.settled()["used"] == 4


@pytest.mark.parametrize("vendor", EMBEDDERS)
def test_every_vendor_embeds(vendor, tenant, new_model, fakes):
    model = new_model(vendor, EMBEDDERS[vendor], "embedding")
    texts = ["High water in Kirkwall.", "The moon [in:77]"]
    client = tenant.client()
    # Left to itself the client asks for base64 and decodes it.
    for more in ({}, {"encoding_format": "float"}, {"extra_body": {"input_type": "query"}}):
        answer = client.embeddings.create(model=model, input=texts, dimensions=4, **more)
        assert [one.embedding for one in answer.data] == [vector(text, 4) for text in texts]
        assert answer.usage.prompt_tokens == 77
    assert fakes.refused() == []
    assert len(fakes.asked()) == 3
    assert tenant.settled()["used"] > 0
