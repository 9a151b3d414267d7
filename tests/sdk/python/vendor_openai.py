"""Fakes of OpenAI's Responses and of its chat completions, which refuse what the official client's types do not
know."""

import json
from functools import cache

from openai.types.chat import ChatCompletion, ChatCompletionChunk, completion_create_params
from openai.types.responses import Response, ResponseStreamEvent, response_create_params
from pydantic import ConfigDict, TypeAdapter, ValidationError

from vendors import SECRET, Asked, Refused, event, must

ENCRYPTED = "gAAAAABtides0123456789=="


@cache
def adapter(kind, closed):
    # In a list, since only there the rule reaches the types inside.
    return TypeAdapter(list[kind], config=ConfigDict(extra="forbid")) if closed else TypeAdapter(kind)


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
            must(schema.get("additionalProperties") is False, f"Invalid schema in {where}: 'additionalProperties' is required to be supplied and to be false.")
            must(set(schema.get("required", [])) == set(schema.get("properties", {})), f"Invalid schema in {where}: 'required' must name every property")
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
    kind = {401: "invalid_request_error", 429: "requests"}.get(status, "invalid_request_error" if status < 500 else "server_error")
    code = {401: "invalid_api_key", 429: "rate_limit_exceeded"}.get(status)
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


class Responses:
    version = "v1"
    calls = "call_tide"  # what the ids of its calls begin with
    error = staticmethod(error)

    def error_event(self, status, message):
        failed = {"type": "error", "code": "server_error", "message": message, "param": None, "sequence_number": 9}
        return event(failed, "error")

    def read(self, path, headers, request):
        must(path == "v1/responses", f"no such path {path}")
        told_key(headers)
        # The types say that these are there always; the API lets them be left out.
        for item in request["input"] if isinstance(request["input"], list) else []:
            if item.get("type") == "reasoning":
                item.setdefault("id", "rs_tides")
            for part in item["content"] if isinstance(item.get("content"), list) else []:
                if part["type"] == "input_image":
                    part.setdefault("detail", "auto")
                if part["type"] == "output_text":
                    part.setdefault("annotations", [])
                    item.setdefault("id", "msg_tides")
                    item.setdefault("status", "completed")
        for tool in request.get("tools") or []:
            tool.setdefault("strict", False)
        checked(response_create_params.ResponseCreateParamsNonStreaming, request)
        must(request.get("store") is False, "a gateway keeps nothing at a vendor")
        asked = Asked(
            model=request["model"],
            stream=request.get("stream", False),
            texts=[],
            system=request.get("instructions") or "",
            maximum=request.get("max_output_tokens"),
        )
        items = request["input"]
        items = [{"role": "user", "content": items}] if isinstance(items, str) else items
        self._items(items, asked)
        for tool in request.get("tools") or []:
            must(tool["type"] == "function", "functions alone")
            if tool["strict"]:
                strict(tool["parameters"], f"function '{tool['name']}'")
            asked.tools.append((tool["name"], tool["parameters"]))
        choice = request.get("tool_choice", "auto")
        asked.must_call = choice == "required" or isinstance(choice, dict)
        if choice == "none":
            asked.tools = []
        if isinstance(choice, dict):
            asked.tools = [tool for tool in asked.tools if tool[0] == choice["name"]]
        form = (request.get("text") or {}).get("format") or {"type": "text"}
        if form["type"] == "json_schema":
            if form.get("strict"):
                strict(form["schema"], "response_format")
            asked.schema = form["schema"]
        elif form["type"] == "json_object":
            must("json" in json.dumps(items).lower(), "'input' must contain the word 'json' in some form")
            asked.schema = {"type": "object", "properties": {"tide": {"type": "string"}}}
        return asked

    def _items(self, items, asked):
        calls = {}
        for at, item in enumerate(items):
            kind = item.get("type", "message")
            if kind != "function_call_output":
                asked.results = []
            if kind == "message":
                said = text_of(item["content"])
                if item["role"] in ("system", "developer"):
                    asked.system += said
                elif item["role"] == "user":
                    asked.texts.append(said)
                    asked.images += sum(part.get("type") == "input_image" for part in item["content"] if isinstance(part, dict))
                else:
                    kinds = {part.get("type") for part in item["content"] if isinstance(part, dict)}
                    must(kinds <= {"output_text", "refusal"}, f"Invalid value in an assistant's content: {kinds}")
            elif kind == "function_call":
                calls[item["call_id"]] = None
            elif kind == "function_call_output":
                must(item["call_id"] in calls, f"No tool call found for function call output with call_id {item['call_id']}.")
                calls[item["call_id"]] = item["output"]
                asked.results.append(text_of(item["output"]))
            elif kind == "reasoning":
                must(item.get("encrypted_content") == ENCRYPTED, "The encrypted content could not be verified.")
                follows = items[at + 1].get("type", "message") if at + 1 < len(items) else None
                must(follows in ("function_call", "message", "reasoning"), "Item 'rs_tides' of type 'reasoning' was provided without its required following item.")
        missing = [call for call, output in calls.items() if output is None]
        must(not missing, f"No tool output found for function call {missing}.")

    def _output(self, asked, said):
        output = []
        if said.thought:
            summary = [{"type": "summary_text", "text": said.thought}]
            output.append({"id": "rs_tides", "type": "reasoning", "summary": summary, "encrypted_content": ENCRYPTED})
        if said.text:
            part = {"type": "output_text", "text": said.text, "annotations": [], "logprobs": []}
            output.append({"id": "msg_tides", "type": "message", "role": "assistant", "status": "completed", "content": [part]})
        for at, (call_id, name, arguments) in enumerate(said.calls):
            text = json.dumps(arguments)
            output.append({"id": f"fc_tides{at}", "type": "function_call", "status": "completed", "call_id": call_id, "name": name, "arguments": text})
        return output

    def whole(self, asked, said):
        of_input, of_output = details(said)
        answer = {
            "id": "resp_tides",
            "object": "response",
            "created_at": 1764000000,
            "status": "incomplete" if said.cut else "completed",
            "error": None,
            "incomplete_details": {"reason": "max_output_tokens"} if said.cut else None,
            "instructions": None,
            "max_output_tokens": asked.maximum,
            "model": f"{asked.model}-2026-10-01",
            "output": self._output(asked, said),
            "parallel_tool_calls": True,
            "previous_response_id": None,
            "store": False,
            "text": {"format": {"type": "text"}},
            "tool_choice": "auto",
            "tools": [],
            "usage": {
                "input_tokens": said.input,
                "input_tokens_details": of_input,
                "output_tokens": said.output,
                "output_tokens_details": of_output,
                "total_tokens": said.input + said.output,
            },
        }
        adapter(Response, False).validate_python(answer)
        return answer

    def stream(self, asked, said):
        for number, (kind, one) in enumerate(self._events(asked, said)):
            one = {"type": kind, "sequence_number": number, **one}
            adapter(ResponseStreamEvent, False).validate_python(one)
            yield event(one, kind)

    def _events(self, asked, said):
        whole = self.whole(asked, said)
        begun = {**whole, "status": "in_progress", "output": [], "usage": None, "incomplete_details": None}
        yield "response.created", {"response": begun}
        yield "response.in_progress", {"response": begun}
        for at, item in enumerate(whole["output"]):
            where = {"item_id": item["id"], "output_index": at}
            empty = {"message": {"content": []}, "function_call": {"arguments": ""}, "reasoning": {"summary": []}}[item["type"]]
            status = {} if item["type"] == "reasoning" else {"status": "in_progress"}
            yield "response.output_item.added", {"output_index": at, "item": {**item, **empty, **status}}
            yield from self._inside(item, where, said)
            yield "response.output_item.done", {"output_index": at, "item": item}
        yield f"response.{whole['status']}", {"response": whole}

    def _inside(self, item, where, said):
        if item["type"] == "message":
            where = {**where, "content_index": 0}
            part = item["content"][0]
            yield "response.content_part.added", {**where, "part": {**part, "text": ""}}
            for piece in said.pieces:
                yield "response.output_text.delta", {**where, "delta": piece, "logprobs": []}
            yield "response.output_text.done", {**where, "text": said.text, "logprobs": []}
            yield "response.content_part.done", {**where, "part": part}
        elif item["type"] == "reasoning":
            where = {**where, "summary_index": 0}
            part = item["summary"][0]
            yield "response.reasoning_summary_part.added", {**where, "part": {**part, "text": ""}}
            yield "response.reasoning_summary_text.delta", {**where, "delta": said.thought}
            yield "response.reasoning_summary_text.done", {**where, "text": said.thought}
            yield "response.reasoning_summary_part.done", {**where, "part": part}
        else:
            text = item["arguments"]
            for at in range(0, len(text), 5):
                yield "response.function_call_arguments.delta", {**where, "delta": text[at : at + 5]}
            done = {**where, "arguments": text, "name": item["name"]}
            yield "response.function_call_arguments.done", done


class Chat:
    version = "v1"
    calls = "call_tide"  # what the ids of its calls begin with
    error = staticmethod(error)

    def error_event(self, status, message):
        return event(error(status, message))

    def read(self, path, headers, request):
        must(path == "v1/chat/completions", f"no such path {path}")
        told_key(headers)
        for message in request["messages"]:
            # An answer is sent back as it came; thoughts are what compatible vendors take.
            for name in ("annotations", "reasoning_content"):
                must(name not in message or message["role"] == "assistant", f"Unknown parameter: {name}")
                message.pop(name, None)
        checked(completion_create_params.CompletionCreateParamsNonStreaming, request)
        stream = request.get("stream") or False
        must(not stream or request["stream_options"]["include_usage"], "a gateway wants the usage of a stream")
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
            must("json" in json.dumps(request["messages"]).lower(), "'messages' must contain the word 'json' in some form")
            asked.schema = {"type": "object", "properties": {"tide": {"type": "string"}}}
        return asked

    def _messages(self, messages, asked):
        open_calls = set()
        for message in messages:
            role, said = message["role"], text_of(message.get("content"))
            if role == "tool":
                must(message["tool_call_id"] in open_calls, "messages with role 'tool' must be a response to a preceding message with 'tool_calls'.")
                open_calls.discard(message["tool_call_id"])
                asked.results.append(said)
                continue
            must(not open_calls, f"An assistant message with 'tool_calls' must be followed by tool messages: {open_calls}")
            asked.results = []
            if role in ("system", "developer"):
                asked.system += said
            elif role == "user":
                asked.texts.append(said)
                asked.images += sum(part.get("type") == "image_url" for part in message["content"] if isinstance(part, dict))
            else:
                open_calls = {call["id"] for call in message.get("tool_calls") or []}
        must(not open_calls, f"An assistant message with 'tool_calls' must be followed by tool messages: {open_calls}")

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
        return {"id": "chatcmpl-tides", "object": kind, "created": 1764000000, "model": f"{asked.model}-2026-10-01"}

    def whole(self, asked, said):
        message = {"role": "assistant", "content": said.text or None, "refusal": None, "annotations": []}
        if said.thought:
            message["reasoning_content"] = said.thought
        if said.calls:
            message["tool_calls"] = [
                {"id": call_id, "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
                for call_id, name, arguments in said.calls
            ]
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": self._finish(said)}
        answer = {**self._head(asked, "chat.completion"), "choices": [choice], "usage": self._usage(said)}
        adapter(ChatCompletion, False).validate_python(answer)
        return answer

    def stream(self, asked, said):
        head = self._head(asked, "chat.completion.chunk")
        deltas = [{"role": "assistant", "content": "", "refusal": None}]
        if said.thought:
            deltas.append({"reasoning_content": said.thought})
        deltas.extend({"content": piece} for piece in said.pieces)
        for at, (call_id, name, arguments) in enumerate(said.calls):
            call = {"index": at, "id": call_id, "type": "function", "function": {"name": name, "arguments": ""}}
            deltas.append({"tool_calls": [call]})
            text = json.dumps(arguments)
            for where in range(0, len(text), 5):
                deltas.append({"tool_calls": [{"index": at, "function": {"arguments": text[where : where + 5]}}]})
        for delta in [*deltas, None]:
            choice = {"index": 0, "delta": delta or {}, "logprobs": None, "finish_reason": None if delta else self._finish(said)}
            chunk = {**head, "choices": [choice], "usage": None}
            adapter(ChatCompletionChunk, False).validate_python(chunk)
            yield event(chunk)
        yield event({**head, "choices": [], "usage": self._usage(said)})
        yield event("[DONE]")
