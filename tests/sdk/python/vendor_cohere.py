"""A fake of Cohere's chat, rankings and vectors (v2), as strict as the API reference of 2026-11 says."""

import json

from vendors import SECRET, Asked, Refused, event, must, only, ranks, vector

FIELDS = (
    "stream model messages tools documents citation_options response_format safety_mode max_tokens stop_sequences"
    " temperature seed frequency_penalty presence_penalty k p return_prompt logprobs tool_choice strict_tools"
    " thinking priority raw_prompting"
).split()
ITEMS = {
    "text": ["type", "text"],
    "thinking": ["type", "thinking"],
    "image_url": ["type", "image_url"],
    "document": ["type", "document"],
}
MESSAGES = {
    "user": ["role", "content"],
    "system": ["role", "content"],
    "assistant": ["role", "content", "tool_calls", "tool_plan", "citations"],
    "tool": ["role", "content", "tool_call_id"],
}


def text_of(content):
    if isinstance(content, str):
        return content
    texts = []
    for item in content or []:
        must(item.get("type") in ITEMS, f"invalid type of content: {item.get('type')!r}")
        only(item, ITEMS[item["type"]], f"a content of type {item['type']}")
        texts.append(item.get("text") or (item.get("document") or {}).get("data") or "")
    return "".join(text if isinstance(text, str) else json.dumps(text) for text in texts)


class Cohere:
    version = "v2"
    calls = "get_tide_"  # what the ids of its calls begin with

    def read(self, path, headers, request):
        if headers.get("authorization") != f"Bearer {SECRET}":
            raise Refused(401, "invalid api token")
        if path == "v2/rerank":
            return self._rank(request)
        if path == "v2/embed":
            return self._embed(request)
        must(path == "v2/chat", f"no such path {path}")
        only(request, FIELDS)
        asked = Asked(
            model=request["model"],
            stream=request.get("stream", False),
            texts=[],
            maximum=request.get("max_tokens"),
        )
        messages = request.get("messages")
        must(messages, "messages: must not be empty")
        self._messages(messages, asked)
        for tool in request.get("tools") or []:
            only(tool, ["type", "function"], "a tool")
            must(tool["type"] == "function", "tools: type must be function")
            only(tool["function"], ["name", "description", "parameters"], "a tool's function")
            must("parameters" in tool["function"], "tools: parameters is required")
            asked.tools.append((tool["function"]["name"], tool["function"]["parameters"]))
        choice = request.get("tool_choice")
        must(choice in (None, "REQUIRED", "NONE"), f"invalid tool_choice {choice!r}")
        asked.must_call = choice == "REQUIRED"
        if choice == "NONE":
            asked.tools = []
        if form := request.get("response_format"):
            only(form, ["type", "json_schema"], "response_format")
            must(not asked.tools, "response_format with json_object is not supported with tools")
            if form["type"] == "json_object":
                asked.schema = form.get("json_schema") or {
                    "properties": {"tide": {"type": "string"}}
                }
                must(asked.schema.get("properties"), "json_schema: must have properties")
        return asked

    def _rank(self, request):
        only(request, ["model", "query", "documents", "top_n", "max_tokens_per_doc", "priority"])
        documents = request["documents"]
        must(documents, "documents: must not be empty")
        must(all(isinstance(one, str) for one in documents), "documents: must be texts")
        return Asked(
            model=request["model"],
            stream=False,
            texts=[request["query"]],
            documents=documents,
            top=request.get("top_n"),
        )

    def _embed(self, request):
        fields = "model input_type texts inputs images max_tokens output_dimension embedding_types truncate priority"
        only(request, fields.split())
        kinds = ["search_document", "search_query", "classification", "clustering", "image"]
        must(request.get("input_type") in kinds, "input_type is required")
        must(request.get("embedding_types") == ["float"], "only floats are asked for here")
        must(1 <= len(request["texts"]) <= 96, "texts: at most 96")
        return Asked(
            model=request["model"],
            stream=False,
            texts=request["texts"],
            vectors=request.get("output_dimension") or 8,
        )

    def _messages(self, messages, asked):
        open_calls = set()
        system = []
        for message in messages:
            role = message["role"]
            must(role in MESSAGES, f"invalid role {role!r}")
            only(message, MESSAGES[role], f"a message of {role}")
            said = text_of(message.get("content"))
            if role == "system":
                system.append(said)
            if role == "user":
                asked.texts.append(said)
                asked.images += sum(
                    item["type"] == "image_url"
                    for item in message["content"]
                    if isinstance(item, dict)
                )
            if role == "tool":
                must(message["tool_call_id"] in open_calls, "tool_call_id is not of a call")
                open_calls.discard(message["tool_call_id"])
                asked.results.append(said)
            else:
                must(not open_calls, "all tool calls must have results")
                asked.results = []
            if role == "assistant":
                calls = message.get("tool_calls") or []
                must(
                    said or calls or message.get("content"),
                    "assistant message must have content or tool calls",
                )
                for call in calls:
                    only(call, ["id", "type", "function"], "a tool call")
                    must(
                        isinstance(json.loads(call["function"]["arguments"]), dict),
                        "arguments must be an object",
                    )
                open_calls = {call["id"] for call in calls}
        must(
            messages[-1]["role"] in ("user", "tool"),
            "the last message must be the user's or a tool's",
        )
        asked.system = "\n".join(system)

    def _usage(self, said):
        tokens = {"input_tokens": said.input, "output_tokens": said.output}
        usage = {
            "billed_units": dict(tokens),
            "tokens": {**tokens, "input_tokens": said.input + 60},
        }
        return {**usage, "cached_tokens": said.cached} if said.cached else usage

    def _finish(self, said):
        return "MAX_TOKENS" if said.cut else "TOOL_CALL" if said.calls else "COMPLETE"

    def whole(self, asked, said):
        if asked.documents is not None:
            places = [{"index": at, "relevance_score": score} for at, score in ranks(asked)]
            billed = {"search_units": -(-len(asked.documents) // 100)}
            meta = {"api_version": {"version": "2"}, "billed_units": billed}
            return {"id": "tides", "results": places, "meta": meta}
        if asked.vectors:
            return {
                "id": "tides",
                "embeddings": {"float": [vector(text, asked.vectors) for text in asked.texts]},
                "texts": asked.texts,
                "meta": {"billed_units": {"input_tokens": said.input}},
                "response_type": "embeddings_by_type",
            }
        message = {"role": "assistant"}
        content = []
        if said.thought:
            content.append({"type": "thinking", "thinking": said.thought})
        if said.text:
            content.append({"type": "text", "text": said.text})
        if content:
            message["content"] = content
        if said.calls:
            message["tool_plan"] = "I will ask."
            message["tool_calls"] = [
                {
                    "id": call_id,
                    "type": "function",
                    "function": {"name": name, "arguments": json.dumps(arguments)},
                }
                for call_id, name, arguments in said.calls
            ]
        return {
            "id": "tides",
            "finish_reason": self._finish(said),
            "message": message,
            "usage": self._usage(said),
        }

    def stream(self, asked, said):
        for one in self._events(said):
            yield event(one, one["type"])
        yield event("[DONE]")

    def _events(self, said):
        message = {
            "role": "assistant",
            "content": [],
            "tool_plan": "",
            "tool_calls": [],
            "citations": [],
        }
        yield {"id": "tides", "type": "message-start", "delta": {"message": message}}
        index = 0
        for kind, pieces in (("thinking", [said.thought]), ("text", said.pieces)):
            if not any(pieces):
                continue
            yield {
                "type": "content-start",
                "index": index,
                "delta": {"message": {"content": {"type": kind, kind: ""}}},
            }
            for piece in pieces:
                yield {
                    "type": "content-delta",
                    "index": index,
                    "delta": {"message": {"content": {kind: piece}}},
                }
            yield {"type": "content-end", "index": index}
            index += 1
        for word in ("I will", " ask.") if said.calls else ():
            yield {"type": "tool-plan-delta", "delta": {"message": {"tool_plan": word}}}
        for at, (call_id, name, arguments) in enumerate(said.calls):
            function = {"name": name, "arguments": ""}
            call = {"id": call_id, "type": "function", "function": function}
            yield {
                "type": "tool-call-start",
                "index": at,
                "delta": {"message": {"tool_calls": call}},
            }
            text = json.dumps(arguments)
            for where in range(0, len(text), 5):
                more = {"function": {"arguments": text[where : where + 5]}}
                yield {
                    "type": "tool-call-delta",
                    "index": at,
                    "delta": {"message": {"tool_calls": more}},
                }
            yield {"type": "tool-call-end", "index": at}
        yield {
            "type": "message-end",
            "delta": {"finish_reason": self._finish(said), "usage": self._usage(said)},
        }

    def error(self, status, message):
        return {"id": "tides", "message": message}

    def error_event(self, status, message):
        delta = {"finish_reason": "ERROR", "error": message}
        return event({"type": "message-end", "id": "tides", "delta": delta}, "message-end")
