"""A fake of OpenAI's chat completions, which refuses what the official client's types do not know."""

import base64
import json
import struct
from functools import cache

from openai.types import EmbeddingCreateParams
from openai.types.chat import ChatCompletion, ChatCompletionChunk, completion_create_params
from pydantic import ConfigDict, TypeAdapter, ValidationError

from vendors import SECRET, Asked, Refused, event, must, vector


@cache
def adapter(kind, closed):
    # In a list, since only there the rule reaches the types inside.
    return (
        TypeAdapter(list[kind], config=ConfigDict(extra="forbid")) if closed else TypeAdapter(kind)
    )


def drained(found):
    """Lists inside are checked while they are walked."""
    if isinstance(found, dict):
        for one in found.values():
            drained(one)
    elif hasattr(found, "__iter__") and not isinstance(found, (str, bytes)):
        for one in found:
            drained(one)


def checked(kind, request):
    request = {name: value for name, value in request.items() if name != "stream"}
    try:
        drained(adapter(kind, True).validate_python([request]))
    except ValidationError as error:
        raise Refused(400, f"Invalid request: {str(error)[:3000]}") from error


def told_key(headers):
    if headers.get("authorization") != f"Bearer {SECRET}":
        raise Refused(401, "Incorrect API key provided")


def strict(schema, where):
    """What OpenAI wants of a schema with `strict` (structured outputs guide)."""
    if isinstance(schema, dict):
        if schema.get("type") == "object":
            must(
                schema.get("additionalProperties") is False,
                f"Invalid schema in {where}: 'additionalProperties' is required to be supplied and to be false.",
            )
            must(
                set(schema.get("required", [])) == set(schema.get("properties", {})),
                f"Invalid schema in {where}: 'required' must name every property",
            )
        for one in schema.values():
            strict(one, where)
    elif isinstance(schema, list):
        for one in schema:
            strict(one, where)


def text_of(content):
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content or [])


def details(said):
    return (
        {"cached_tokens": said.cached, "cache_write_tokens": 0},
        {"reasoning_tokens": said.thoughts},
    )


def error(status, message):
    kind = {401: "invalid_request_error", 429: "requests"}.get(
        status, "invalid_request_error" if status < 500 else "server_error"
    )
    code = {401: "invalid_api_key", 429: "rate_limit_exceeded"}.get(status)
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


class Chat:
    version = "v1"
    calls = "call_tide"  # what the ids of its calls begin with
    error = staticmethod(error)

    def error_event(self, status, message):
        return event(error(status, message))

    def read(self, path, headers, request):
        told_key(headers)
        if path == "v1/embeddings":
            return self._embed(request)
        must(path == "v1/chat/completions", f"no such path {path}")
        for message in request["messages"]:
            # An answer is sent back as it came; thoughts are what compatible vendors take.
            for name in ("annotations", "reasoning_content"):
                must(
                    name not in message or message["role"] == "assistant",
                    f"Unknown parameter: {name}",
                )
                message.pop(name, None)
        checked(completion_create_params.CompletionCreateParamsNonStreaming, request)
        stream = request.get("stream") or False
        must(
            not stream or request["stream_options"]["include_usage"],
            "a gateway wants the usage of a stream",
        )
        maximum = request.get("max_completion_tokens") or request.get("max_tokens")
        asked = Asked(model=request["model"], stream=stream, texts=[], maximum=maximum)
        self._messages(request["messages"], asked)
        for tool in request.get("tools") or []:
            function = tool["function"]
            if function.get("strict"):
                strict(function["parameters"], f"function '{function['name']}'")
            asked.tools.append((function["name"], function.get("parameters")))
        choice = request.get("tool_choice", "auto")
        asked.must_call = choice == "required" or isinstance(choice, dict)
        if choice == "none":
            asked.tools = []
        if isinstance(choice, dict):
            asked.tools = [tool for tool in asked.tools if tool[0] == choice["function"]["name"]]
        form = request.get("response_format") or {"type": "text"}
        if form["type"] == "json_schema":
            asked.schema = form["json_schema"]["schema"]
            if form["json_schema"].get("strict"):
                strict(asked.schema, "response_format")
        elif form["type"] == "json_object":
            must(
                "json" in json.dumps(request["messages"]).lower(),
                "'messages' must contain the word 'json' in some form",
            )
            asked.schema = {"type": "object", "properties": {"tide": {"type": "string"}}}
        return asked

    def _embed(self, request):
        checked(EmbeddingCreateParams, request)
        given = request["input"]
        texts = [given] if isinstance(given, str) else given
        must(texts and all(isinstance(text, str) and text for text in texts), "input is invalid")
        length = request.get("dimensions") or 8
        asked = Asked(model=request["model"], stream=False, texts=texts, vectors=length)
        asked.packed = request.get("encoding_format") == "base64"
        return asked

    def _vectors(self, asked, said):
        def shown(text):
            numbers = vector(text, asked.vectors)
            if not asked.packed:
                return numbers
            return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()

        data = [
            {"object": "embedding", "index": at, "embedding": shown(text)}
            for at, text in enumerate(asked.texts)
        ]
        usage = {"prompt_tokens": said.input, "total_tokens": said.input}
        return {"object": "list", "data": data, "model": asked.model, "usage": usage}

    def _messages(self, messages, asked):
        open_calls = set()
        for message in messages:
            role, said = message["role"], text_of(message.get("content"))
            if role == "tool":
                must(
                    message["tool_call_id"] in open_calls,
                    "messages with role 'tool' must be a response to a preceding message with 'tool_calls'.",
                )
                open_calls.discard(message["tool_call_id"])
                asked.results.append(said)
                continue
            must(
                not open_calls,
                f"An assistant message with 'tool_calls' must be followed by tool messages: {open_calls}",
            )
            asked.results = []
            if role in ("system", "developer"):
                asked.system += said
            elif role == "user":
                asked.texts.append(said)
                asked.images += sum(
                    part.get("type") == "image_url"
                    for part in message["content"]
                    if isinstance(part, dict)
                )
            else:
                open_calls = {call["id"] for call in message.get("tool_calls") or []}
        must(
            not open_calls,
            f"An assistant message with 'tool_calls' must be followed by tool messages: {open_calls}",
        )

    def _usage(self, said):
        of_input, of_output = details(said)
        return {
            "prompt_tokens": said.input,
            "completion_tokens": said.output,
            "total_tokens": said.input + said.output,
            "prompt_tokens_details": of_input,
            "completion_tokens_details": of_output,
        }

    def _finish(self, said):
        return "length" if said.cut else "tool_calls" if said.calls else "stop"

    def _head(self, asked, kind):
        return {
            "id": "chatcmpl-tides",
            "object": kind,
            "created": 1764000000,
            "model": f"{asked.model}-2026-10-01",
        }

    def whole(self, asked, said):
        if asked.vectors:
            return self._vectors(asked, said)
        message = {
            "role": "assistant",
            "content": said.text or None,
            "refusal": None,
            "annotations": [],
        }
        if said.thought:
            message["reasoning_content"] = said.thought
        if said.calls:
            message["tool_calls"] = [
                {
                    "id": call_id,
                    "type": "function",
                    "function": {"name": name, "arguments": json.dumps(arguments)},
                }
                for call_id, name, arguments in said.calls
            ]
        choice = {
            "index": 0,
            "message": message,
            "logprobs": None,
            "finish_reason": self._finish(said),
        }
        answer = {
            **self._head(asked, "chat.completion"),
            "choices": [choice],
            "usage": self._usage(said),
        }
        adapter(ChatCompletion, False).validate_python(answer)
        return answer

    def stream(self, asked, said):
        head = self._head(asked, "chat.completion.chunk")
        deltas = [{"role": "assistant", "content": "", "refusal": None}]
        if said.thought:
            deltas.append({"reasoning_content": said.thought})
        deltas.extend({"content": piece} for piece in said.pieces)
        for at, (call_id, name, arguments) in enumerate(said.calls):
            call = {
                "index": at,
                "id": call_id,
                "type": "function",
                "function": {"name": name, "arguments": ""},
            }
            deltas.append({"tool_calls": [call]})
            text = json.dumps(arguments)
            for where in range(0, len(text), 5):
                deltas.append(
                    {
                        "tool_calls": [
                            {"index": at, "function": {"arguments": text[where : where + 5]}}
                        ]
                    }
                )
        for delta in [*deltas, None]:
            choice = {
                "index": 0,
                "delta": delta or {},
                "logprobs": None,
                "finish_reason": None if delta else self._finish(said),
            }
            chunk = {**head, "choices": [choice], "usage": None}
            adapter(ChatCompletionChunk, False).validate_python(chunk)
            yield event(chunk)
        yield event({**head, "choices": [], "usage": self._usage(said)})
        yield event("[DONE]")
