"""What vendors refuse, and how each client is told: its own exception, by the status, and nothing is charged."""

import anthropic
import openai
import pytest
from google.genai import errors as gemini

from callers import CALLERS, AnthropicCaller, GeminiCaller
from conftest import VENDORS
from vendors import SECRET

OPENAI = {
    400: openai.BadRequestError,
    429: openai.RateLimitError,
    502: openai.InternalServerError,
    503: openai.InternalServerError,
}
ANTHROPIC = {
    400: anthropic.BadRequestError,
    429: anthropic.RateLimitError,
    502: anthropic.InternalServerError,
    503: anthropic.InternalServerError,
    529: anthropic.InternalServerError,
}
GEMINI = {400: gemini.ClientError, 429: gemini.ClientError, 502: gemini.ServerError, 503: gemini.ServerError}
EXCEPTIONS = {AnthropicCaller: ANTHROPIC, GeminiCaller: GEMINI}

pytestmark = [
    pytest.mark.parametrize("dialect", VENDORS),
    pytest.mark.parametrize("kind", CALLERS, ids=lambda kind: kind.name),
]


def status_of(error):
    return error.code if isinstance(error, gemini.APIError) else error.status_code


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("status", [400, 401, 429, 500, 529])
def test_a_refusal_is_the_clients_own_exception_and_free(kind, dialect, status, stream, new_model, new_tenant):
    tenant = new_tenant(credits=10)
    model = new_model(dialect)
    caller = kind(tenant.key)
    with pytest.raises((openai.APIStatusError, anthropic.APIStatusError, gemini.APIError)) as caught:
        caller.ask(model, caller.begin(f"Fail. [fail:{status}]"), stream=stream)
    shown = status_of(caught.value)
    # A vendor that refuses our key is our trouble, and none of the tenant's.
    assert shown in {400: (400,), 401: (502, 503), 429: (429, 503), 500: (502, 503), 529: (502, 503, 529)}[status]
    assert type(caught.value) is EXCEPTIONS.get(kind, OPENAI)[shown] or isinstance(caught.value, EXCEPTIONS.get(kind, OPENAI)[shown])
    assert SECRET not in str(caught.value)
    if status == 400:
        assert "asked for by the prompt" in str(caught.value)
    tenant.untouched()


def test_what_a_vendor_can_not_do_is_refused_before_it_is_asked(kind, dialect, models, rich, fakes):
    caller = kind(rich.key)
    with pytest.raises((openai.NotFoundError, anthropic.NotFoundError, gemini.ClientError)) as caught:
        caller.ask("no-such-model", caller.begin("Hello"))
    assert status_of(caught.value) == 404
    assert fakes.asked() == []
