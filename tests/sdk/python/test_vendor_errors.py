"""What vendors refuse, and how each client is told: its own exception, by the status, and nothing is charged."""

import anthropic
import openai
import pytest
from google.genai import errors as gemini

from callers import CALLERS, AnthropicCaller, GeminiCaller
from conftest import VENDORS
from vendors import SECRET

ANY = (openai.APIError, anthropic.APIError, gemini.APIError)
# The exception of each client for a status.
OPENAI = {
    400: openai.BadRequestError,
    404: openai.NotFoundError,
    429: openai.RateLimitError,
    502: openai.InternalServerError,
    503: openai.InternalServerError,
}
ANTHROPIC = {
    400: anthropic.BadRequestError,
    404: anthropic.NotFoundError,
    429: anthropic.RateLimitError,
    502: anthropic.InternalServerError,
    503: anthropic.ServiceUnavailableError,
    529: anthropic.OverloadedError,
}
GEMINI = {
    400: gemini.ClientError,
    404: gemini.ClientError,
    429: gemini.ClientError,
    502: gemini.ServerError,
    503: gemini.ServerError,
}
EXCEPTIONS = {AnthropicCaller: ANTHROPIC, GeminiCaller: GEMINI}
# What a status of a vendor may be to a tenant. That our key is refused there is our trouble, and none of the tenant's.
SHOWN = {400: {400}, 401: {502, 503}, 429: {429}, 500: {502, 503}, 529: {502, 503, 529}}

pytestmark = [
    pytest.mark.parametrize("dialect", VENDORS),
    pytest.mark.parametrize("kind", CALLERS, ids=lambda kind: kind.name),
]


def shown(kind, caught):
    """The status that a client was told, whose own exception it must be."""
    error = caught.value
    status = error.code if isinstance(error, gemini.APIError) else error.status_code
    assert type(error) is EXCEPTIONS.get(kind, OPENAI)[status], (type(error), status)
    assert SECRET not in str(error)
    return status


@pytest.mark.parametrize("status", SHOWN)
def test_a_refusal_is_the_clients_own_exception_and_free(
    kind, dialect, status, new_model, new_tenant
):
    tenant = new_tenant(credits=10)
    caller = kind(tenant.key)
    with pytest.raises(ANY) as caught:
        # As a stream every other time: it has not begun, so both are told alike.
        caller.ask(
            new_model(dialect), caller.begin(f"Fail. [fail:{status}]"), stream=status % 2 == 0
        )
    assert shown(kind, caught) in SHOWN[status]
    if status == 400:
        assert "asked for by the prompt" in str(caught.value)
    tenant.untouched()


@pytest.mark.parametrize("how", ["break", "sever"])
def test_a_stream_that_breaks_raises(kind, dialect, how, new_model, callers):
    caller = callers[kind]
    with pytest.raises(ANY):
        caller.ask(new_model(dialect), caller.begin(f"Begin. [{how}]"), stream=True)


def test_a_model_that_is_not_there_is_not_found(kind, dialect, callers, fakes):
    with pytest.raises(ANY) as caught:
        callers[kind].ask(f"no-such-{dialect}", callers[kind].begin("Hello"))
    assert shown(kind, caught) == 404
    assert fakes.asked() == []
