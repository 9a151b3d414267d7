"""Fixtures: the superadmin, a client of the demo tenant, tenants made for one test, and fake vendors with models."""

from contextlib import contextmanager
from itertools import count
from types import SimpleNamespace
from uuid import uuid4

import pytest

from callers import CALLERS
from vendor_anthropic import Anthropic
from vendor_azure import DATED, Azure, AzureNew
from vendor_bedrock import REGION, Bedrock
from vendor_cohere import Cohere
from vendor_gemini import Gemini
from vendor_openai import Chat
from vendor_ranks import DashScope, Jina, Voyage
from vendor_responses import Responses
from vendors import SECRET, Vendors
from waule import DEMO_KEY, Admin, Tenant, client

# The dialect of each fake or its vendor's name, the kind of its provider, and the vendor's name of a model that can all it
# can.
VENDORS = {
    "openai_chat": (Chat, "openai", "gpt-5.4"),
    "openai_responses": (Responses, "custom", "gpt-5.4"),
    "azure": (Azure, "azure", "gpt-5.4"),
    "bedrock": (Bedrock, "bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
    "anthropic_messages": (Anthropic, "anthropic", "claude-sonnet-4-5"),
    "gemini": (Gemini, "gemini", "gemini-3.8-flash"),
    "cohere_chat": (Cohere, "cohere", "command-a-03-2025"),
}
# Those that speak as another one does: one chat proves where they are asked and how they are opened.
TWINS = {"azure_v1": (AzureNew, "azure", "gpt-5.4")}
# Those that rank and embed, and have no chats.
RANKERS = {
    "jina": (Jina, "jina", "jina-reranker-v3.5"),
    "voyage": (Voyage, "voyage", "rerank-2.5"),
    "dashscope": (DashScope, "dashscope", "qwen3-rerank"),
}
OPTIONS = {
    "openai_responses": {"dialects": ["openai_responses"]},
    "azure": {"api_version": DATED},
    "bedrock": {"region": REGION},
}
WIDE = {"requests_per_minute": 100_000, "tokens_per_minute": 100_000_000, "concurrency": 100}


@pytest.fixture(scope="session")
def admin():
    return Admin()


@pytest.fixture(scope="session")
def demo():
    with client(DEMO_KEY) as made:
        yield made


@pytest.fixture
def tenant(admin):
    return Tenant(admin, credits=100)


@pytest.fixture
def new_tenant(admin):
    def make(**given):
        return Tenant(admin, **given)

    return make


def started_vendors():
    """All fakes, on a port."""
    return Vendors({dialect: kind() for dialect, (kind, *_) in {**VENDORS, **TWINS, **RANKERS}.items()})


@pytest.fixture(scope="session")
def vendors():
    made = started_vendors()
    yield made
    made.shutdown()


_numbers = count(1)


@contextmanager
def made_models(admin, vendors):
    """Makes models of providers of their own that speak a dialect, and takes all away in the end: there may not be
    many providers."""
    run, made = uuid4().hex[:6], []

    def make(dialect, vendor_model=None, operation="chat"):
        fake, kind, usual = {**VENDORS, **TWINS, **RANKERS}[dialect]
        name = f"fake-{dialect.replace('_', '-')}-{run}-{next(_numbers)}"
        provider = {
            "name": name,
            "kind": kind,
            "base_url": vendors.base_url(dialect),
            "options": OPTIONS.get(dialect, {}),
        }
        admin.ask("POST", "/providers", provider)
        admin.ask("POST", f"/providers/{name}/keys", {"secret": getattr(fake, "secret", SECRET)})
        price = {"input_per_million": 3, "output_per_million": 15, "cached_input_per_million": 1}
        target = {"provider": name, "model": vendor_model or usual}
        model = {
            "id": name,
            "operation": operation,
            "targets": [target],
            "price": price,
        }
        if operation == "chat":
            model["max_output_tokens"] = 8192
        admin.ask("POST", "/models", model)
        made.append(name)
        return name

    yield make
    for name in made:
        admin.ask("DELETE", f"/models/{name}")
        admin.ask("DELETE", f"/providers/{name}")


@pytest.fixture
def new_model(admin, vendors):
    with made_models(admin, vendors) as make:
        yield make


@pytest.fixture(scope="session")
def models(admin, vendors):
    """A model of each dialect, that never fails."""
    with made_models(admin, vendors) as make:
        yield {dialect: make(dialect) for dialect in VENDORS}


@pytest.fixture(scope="session")
def rich(admin):
    """A tenant whose books nobody reads."""
    return Tenant(admin, credits=1000, limits=WIDE)


@pytest.fixture(scope="session")
def callers(rich):
    """Each client as that tenant."""
    return {kind: kind(rich.key) for kind in CALLERS}


@pytest.fixture
def fakes(vendors):
    """What the fakes were asked in this test, and what they refused."""
    asked, refused = len(vendors.seen), len(vendors.refusals)
    return SimpleNamespace(
        asked=lambda: vendors.seen[asked:], refused=lambda: vendors.refusals[refused:]
    )
