"""Fakes of Azure OpenAI: the dated interface, which names the deployment in the path and the version in the query, and
the newer one, which is OpenAI's below `/openai/v1`. Both want the key in `api-key`."""

import re

from vendor_openai import Chat
from vendors import SECRET, Refused, must

DATED = "2024-10-21"


def told_key(headers):
    must("authorization" not in headers, "a key is no token of Entra")
    if headers.get("api-key") != SECRET:
        raise Refused(401, "Access denied due to invalid subscription key")


def as_openai(headers):
    return {**headers, "authorization": f"Bearer {SECRET}"}


class Azure(Chat):
    version = "openai"

    def read(self, path, headers, request):
        named = re.fullmatch(
            r"openai/deployments/([^/?]+)/chat/completions\?api-version=([\w-]+)", path
        )
        must(named, f"no such path {path}")
        must(named[2] == DATED, f"The api-version {named[2]} is not supported")
        told_key(headers)
        return super().read(
            "v1/chat/completions", as_openai(headers), {**request, "model": named[1]}
        )


class AzureNew(Chat):
    version = "openai/v1"

    def read(self, path, headers, request):
        must(path == "openai/v1/chat/completions", f"no such path {path}")
        told_key(headers)
        return super().read("v1/chat/completions", as_openai(headers), request)
