"""A fake of Anthropic's Messages, as strict as the API reference of 2026-11 says."""

import json

from anthropic.types import Message, RawMessageStreamEvent
from pydantic import TypeAdapter

from vendors import SECRET, Asked, Refused, event, must, only

FIELDS = (
    "model messages max_tokens system tools tool_choice thinking output_config temperature top_p top_k"
    " stop_sequences metadata service_tier stream cache_control container inference_geo"
).split()
# How words are chosen is the model's own matter from version 2026-10-21 on.
SAMPLING = {"temperature", "top_p", "top_k"}
BLOCKS = {
    "text": "type text citations cache_control",
    "image": "type source cache_control",
    "document": "type source title context citations cache_control",
    "tool_use": "type id name input caller cache_control",
    "tool_result": "type tool_use_id content is_error cache_control",
    "thinking": "type thinking signature",
    "redacted_thinking": "type data",
}
TOOL = "name description input_schema type strict cache_control eager_input_streaming".split()
SIGNATURE = "EqoBCkgIARABGAIiQL8tides0123456789abcdef=="
ERRORS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_events = TypeAdapter(RawMessageStreamEvent)


def blocks(content, role):
    if isinstance(content, str):
        must(content.strip(), "messages: text content blocks must be non-empty")
        return [{"type": "text", "text": content}]
    must(isinstance(content, list) and content, f"messages: {role} content must not be empty")
    for block in content:
        kind = block.get("type")
        must(kind in BLOCKS, f"messages: unknown block {kind!r}")
        only(block, BLOCKS[kind].split(), f"a block {kind}")
        must(kind != "text" or block["text"].strip(), "text content blocks must be non-empty")
        is_own = kind in ("tool_use", "thinking", "redacted_thinking")
        must(not is_own or role == "assistant", f"{kind} is the assistant's")
        must(kind != "tool_result" or role == "user", "tool_result is the user's")
        must(
            kind != "thinking" or block["signature"] == SIGNATURE,
            "Invalid `signature` in `thinking` block",
        )
    return content


def text_of(content):
    if isinstance(content, str):
        return content
    return "".join(block.get("text", "") for block in content or [])


class Anthropic:
    version = "v1"
    calls = "toolu_01tide"  # what the ids of its calls begin with

    def read(self, path, headers, request):
        must(path == "v1/messages", f"no such path {path}")
        if headers.get("x-api-key") != SECRET or "authorization" in headers:
            raise Refused(401, "invalid x-api-key")
        version = headers.get("anthropic-version")
        must(version in ("2023-06-01", "2026-10-21"), "anthropic-version: header is required")
        only(request, FIELDS if version == "2023-06-01" else set(FIELDS) - SAMPLING)
        must(
            isinstance(request.get("max_tokens"), int) and request["max_tokens"] > 0,
            "max_tokens: Field required",
        )
        messages = request["messages"]
        must(
            messages and messages[0]["role"] == "user",
            "messages: first message must use the user role",
        )
        asked = Asked(
            model=request["model"],
            stream=request.get("stream", False),
            texts=[],
            system=text_of(request.get("system")),
            maximum=request["max_tokens"],
        )
        self._messages(request, messages, asked)
        self._tools(request, asked)
        thinking = request.get("thinking") or {"type": "disabled"}
        if thinking["type"] == "enabled":
            budget = thinking.get("budget_tokens")
            must(
                1024 <= budget < request["max_tokens"],
                "`max_tokens` must be greater than `thinking.budget_tokens`",
            )
            must(
                request.get("temperature", 1) == 1,
                "`temperature` may only be set to 1 when thinking is enabled",
            )
            must(
                not asked.must_call, "Thinking may not be enabled when tool_choice forces tool use."
            )
        config = request.get("output_config") or {}
        only(config, ["effort", "format"], "output_config")
        if form := config.get("format"):
            only(form, ["type", "schema"], "output_config.format")
            closed(form["schema"])
            asked.schema = form["schema"]
        return asked

    def _messages(self, request, messages, asked):
        open_calls, before = set(), None
        for message in messages:
            only(message, ["role", "content"], "a message")
            role = message["role"]
            must(
                role in ("user", "assistant") and role != before,
                "messages: roles must alternate between user and assistant",
            )
            before = role
            content = blocks(message["content"], role)
            results = {block["tool_use_id"] for block in content if block["type"] == "tool_result"}
            must(results <= open_calls, "unexpected `tool_use_id` found in `tool_result` blocks")
            must(
                results >= open_calls,
                "`tool_use` ids were found without `tool_result` blocks immediately after",
            )
            kinds = [block["type"] for block in content]
            must(
                kinds == sorted(kinds, key=lambda kind: kind != "tool_result") or role != "user",
                "tool_result blocks must come first",
            )
            open_calls = {block["id"] for block in content if block["type"] == "tool_use"}
            must(
                not open_calls or request.get("tools"),
                "Requests which include `tool_use` blocks must define tools",
            )
            asked.images += kinds.count("image")
            said = text_of(content)
            if role == "user" and said:
                asked.texts.append(said)
            asked.results = [
                text_of(block.get("content")) for block in content if block["type"] == "tool_result"
            ]
        must(before == "user", "This model does not support assistant message prefill.")

    def _tools(self, request, asked):
        for tool in request.get("tools") or []:
            only(tool, TOOL, "a tool")
            must(
                tool["input_schema"].get("type") == "object",
                "tools: input_schema.type: Field required",
            )
            asked.tools.append((tool["name"], tool["input_schema"]))
        if choice := request.get("tool_choice"):
            must(asked.tools, "tool_choice may only be specified while providing tools")
            only(choice, ["type", "name", "disable_parallel_tool_use"], "tool_choice")
            asked.must_call = choice["type"] in ("any", "tool")
            if choice["type"] == "none":
                asked.tools = []
            if choice["type"] == "tool":
                asked.tools = [tool for tool in asked.tools if tool[0] == choice["name"]]

    def _usage(self, said):
        return {
            "input_tokens": said.input - said.cached,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": said.cached,
            "output_tokens": said.output,
            "output_tokens_details": {"thinking_tokens": said.thoughts},
            "service_tier": "standard",
        }

    def _content(self, said):
        content = []
        if said.thought:
            content.append({"type": "thinking", "thinking": said.thought, "signature": SIGNATURE})
        if said.text:
            content.append({"type": "text", "text": said.text})
        for call_id, name, arguments in said.calls:
            content.append({"type": "tool_use", "id": call_id, "name": name, "input": arguments})
        return content

    def _stop(self, said):
        return "max_tokens" if said.cut else "tool_use" if said.calls else "end_turn"

    def whole(self, asked, said):
        answer = {
            "id": "msg_01tides",
            "type": "message",
            "role": "assistant",
            "model": asked.model,
            "content": self._content(said),
            "stop_reason": self._stop(said),
            "stop_sequence": None,
            "usage": self._usage(said),
        }
        Message.model_validate(answer)
        return answer

    def stream(self, asked, said):
        for one in self._events(asked, said):
            if one["type"] != "ping":
                _events.validate_python(one)
            yield event(one, one["type"])

    def _events(self, asked, said):
        begun = {**self.whole(asked, said), "content": [], "stop_reason": None}
        begun["usage"] = {**begun["usage"], "output_tokens": 1}
        yield {"type": "message_start", "message": begun}
        for index, block in enumerate(self._content(said)):
            kind = block["type"]
            empty = {
                "text": {"text": ""},
                "thinking": {"thinking": "", "signature": ""},
                "tool_use": {"input": {}},
            }
            yield {
                "type": "content_block_start",
                "index": index,
                "content_block": {**block, **empty[kind]},
            }
            if index == 0:
                yield {"type": "ping"}
            for delta in self._deltas(block, said):
                yield {"type": "content_block_delta", "index": index, "delta": delta}
            yield {"type": "content_block_stop", "index": index}
        usage = {
            "output_tokens": said.output,
            "output_tokens_details": {"thinking_tokens": said.thoughts},
        }
        yield {
            "type": "message_delta",
            "delta": {"stop_reason": self._stop(said), "stop_sequence": None},
            "usage": usage,
        }
        yield {"type": "message_stop"}

    def _deltas(self, block, said):
        if block["type"] == "text":
            for piece in said.pieces:
                yield {"type": "text_delta", "text": piece}
        elif block["type"] == "thinking":
            yield {"type": "thinking_delta", "thinking": block["thinking"]}
            yield {"type": "signature_delta", "signature": SIGNATURE}
        else:
            text = json.dumps(block["input"])
            yield {"type": "input_json_delta", "partial_json": ""}
            for at in range(0, len(text), 5):
                yield {"type": "input_json_delta", "partial_json": text[at : at + 5]}

    def error(self, status, message):
        kind = ERRORS.get(status, "api_error")
        return {
            "type": "error",
            "error": {"type": kind, "message": message},
            "request_id": "req_01tides",
        }

    def error_event(self, status, message):
        return event(self.error(status, message), "error")


def closed(schema):
    """Objects in schemas of structured output must allow nothing besides (structured outputs guide)."""
    if isinstance(schema, dict):
        is_object = schema.get("type") == "object"
        must(
            not is_object or schema.get("additionalProperties") is False,
            "output_config.format.schema: For 'object' type, 'additionalProperties' must be explicitly set to false",
        )
        for one in schema.values():
            closed(one)
    elif isinstance(schema, list):
        for one in schema:
            closed(one)
