"""A fake of OpenAI's Responses, which refuses what the official client's types do not know."""

import json

from openai.types.responses import Response, ResponseStreamEvent, response_create_params

from vendor_openai import adapter, checked, details, error, strict, text_of, told_key
from vendors import Asked, event, must

ENCRYPTED = "gAAAAABtides0123456789=="


class Responses:
    version = "v1"
    calls = "call_tide"  # what the ids of its calls begin with
    error = staticmethod(error)

    def error_event(self, status, message):
        failed = {
            "type": "error",
            "code": "server_error",
            "message": message,
            "param": None,
            "sequence_number": 9,
        }
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
            must(
                "json" in json.dumps(items).lower(),
                "'input' must contain the word 'json' in some form",
            )
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
                    asked.images += sum(
                        part.get("type") == "input_image"
                        for part in item["content"]
                        if isinstance(part, dict)
                    )
                else:
                    kinds = {part.get("type") for part in item["content"] if isinstance(part, dict)}
                    must(
                        kinds <= {"output_text", "refusal"},
                        f"Invalid value in an assistant's content: {kinds}",
                    )
            elif kind == "function_call":
                calls[item["call_id"]] = None
            elif kind == "function_call_output":
                must(
                    item["call_id"] in calls,
                    f"No tool call found for function call output with call_id {item['call_id']}.",
                )
                calls[item["call_id"]] = item["output"]
                asked.results.append(text_of(item["output"]))
            elif kind == "reasoning":
                must(
                    item.get("encrypted_content") == ENCRYPTED,
                    "The encrypted content could not be verified.",
                )
                follows = items[at + 1].get("type", "message") if at + 1 < len(items) else None
                must(
                    follows in ("function_call", "message", "reasoning"),
                    "Item 'rs_tides' of type 'reasoning' was provided without its required following item.",
                )
        missing = [call for call, output in calls.items() if output is None]
        must(not missing, f"No tool output found for function call {missing}.")

    def _output(self, asked, said):
        output = []
        if said.thought:
            summary = [{"type": "summary_text", "text": said.thought}]
            output.append(
                {
                    "id": "rs_tides",
                    "type": "reasoning",
                    "summary": summary,
                    "encrypted_content": ENCRYPTED,
                }
            )
        if said.text:
            part = {"type": "output_text", "text": said.text, "annotations": [], "logprobs": []}
            output.append(
                {
                    "id": "msg_tides",
                    "type": "message",
                    "role": "assistant",
                    "status": "completed",
                    "content": [part],
                }
            )
        for at, (call_id, name, arguments) in enumerate(said.calls):
            text = json.dumps(arguments)
            output.append(
                {
                    "id": f"fc_tides{at}",
                    "type": "function_call",
                    "status": "completed",
                    "call_id": call_id,
                    "name": name,
                    "arguments": text,
                }
            )
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
        begun = {
            **whole,
            "status": "in_progress",
            "output": [],
            "usage": None,
            "incomplete_details": None,
        }
        yield "response.created", {"response": begun}
        yield "response.in_progress", {"response": begun}
        for at, item in enumerate(whole["output"]):
            where = {"item_id": item["id"], "output_index": at}
            empty = {
                "message": {"content": []},
                "function_call": {"arguments": ""},
                "reasoning": {"summary": []},
            }[item["type"]]
            status = {} if item["type"] == "reasoning" else {"status": "in_progress"}
            yield (
                "response.output_item.added",
                {"output_index": at, "item": {**item, **empty, **status}},
            )
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
                yield (
                    "response.function_call_arguments.delta",
                    {**where, "delta": text[at : at + 5]},
                )
            done = {**where, "arguments": text, "name": item["name"]}
            yield "response.function_call_arguments.done", done
