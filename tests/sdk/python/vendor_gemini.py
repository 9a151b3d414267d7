"""A fake of Google's generateContent (v1beta), as strict as the API reference of 2026-11 says: the client's own
types refuse what they do not know, and Gemini 3 wants back the signatures of the calls that it made."""

import base64
import re

from google.genai import types
from pydantic import ValidationError

from vendors import SECRET, Asked, Refused, event, must, only, vector

FIELDS = "contents systemInstruction tools toolConfig safetySettings generationConfig cachedContent serviceTier labels store".split()
EMBED = "model content taskType title outputDimensionality".split()
TASKS = "RETRIEVAL_QUERY RETRIEVAL_DOCUMENT SEMANTIC_SIMILARITY CLASSIFICATION CLUSTERING".split()
SIZE = 8  # of a vector, where none is asked for
SIGNATURE = base64.b64encode(b"the moon pulls the water, says Google").decode()
# What the guide "Thought signatures" gives for calls of other models.
SKIPS = "skip_thought_signature_validator"
ERRORS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


def checked(kind, given, where):
    """A pydantic model of the client that knows no other fields; names must be as JSON has them."""
    snakes = re.findall(r"'([a-z]+_[a-z_]+)':", str({key: None for key in given}))
    must(not snakes, f"Unknown name {snakes} at '{where}'")
    try:
        return kind.model_validate(given)
    except ValidationError as error:
        raise Refused(400, f"Invalid JSON payload received at '{where}': {error}") from error


class Gemini:
    version = "v1beta"
    calls = "tide"  # what the ids of its calls begin with

    def read(self, path, headers, request):
        named = re.fullmatch(
            r"v1beta/models/([^:/]+):(generateContent|streamGenerateContent\?alt=sse"
            r"|embedContent|batchEmbedContents)",
            path,
        )
        must(named, f"no such path {path}")
        if headers.get("x-goog-api-key") != SECRET:
            raise Refused(401, "API key not valid")
        if "mbedContent" in named[2]:
            return self._embed(named[1], named[2] == "embedContent", request)
        only(request, FIELDS)
        asked = Asked(model=named[1], stream=named[2].startswith("stream"), texts=[])
        contents = [
            checked(types.Content, one, "contents") for one in request.get("contents") or []
        ]
        must(contents, "contents is not specified")
        self._contents(contents, asked)
        if told := request.get("systemInstruction"):
            parts = checked(types.Content, told, "systemInstruction").parts
            asked.system = "".join(part.text for part in parts)
        for tool in request.get("tools") or []:
            for one in checked(types.Tool, tool, "tools").function_declarations or []:
                must(
                    re.fullmatch(r"[a-zA-Z_][\w.:-]{0,127}", one.name),
                    f"Invalid function name {one.name!r}",
                )
                must(
                    not (one.parameters and one.parameters_json_schema),
                    "only one of parameters, parametersJsonSchema",
                )
                schema = one.parameters_json_schema or (
                    one.parameters and one.parameters.model_dump(exclude_none=True, mode="json")
                )
                asked.tools.append((one.name, schema))
        if chosen := request.get("toolConfig"):
            calling = checked(types.ToolConfig, chosen, "toolConfig").function_calling_config
            asked.must_call = calling.mode == "ANY"
            if calling.mode == "NONE":
                asked.tools = []
            if calling.allowed_function_names:
                must(asked.must_call, "allowedFunctionNames needs mode ANY")
                asked.tools = [
                    tool for tool in asked.tools if tool[0] in calling.allowed_function_names
                ]
        if config := request.get("generationConfig"):
            self._config(checked(types.GenerationConfig, config, "generationConfig"), asked)
        return asked

    def _embed(self, model, is_single, request):
        asked = Asked(model=model, stream=False, texts=[], vectors=SIZE)
        only(request, EMBED if is_single else ["requests"])
        for one in [request] if is_single else request["requests"]:
            only(one, EMBED, "a request")
            must(
                is_single or one.get("model") == f"models/{model}",
                f"the model must be that of the path: {one.get('model')!r}",
            )
            content = checked(types.Content, one["content"], "content")
            asked.texts.append("".join(part.text for part in content.parts))
            task = one.get("taskType")
            must(task in (None, *TASKS), f"Invalid value at 'task_type': {task!r}")
            must(
                "title" not in one or task == "RETRIEVAL_DOCUMENT",
                "title is for RETRIEVAL_DOCUMENT alone",
            )
            asked.vectors = one.get("outputDimensionality", SIZE)
        asked.single = is_single
        return asked

    def _config(self, config, asked):
        asked.maximum = config.max_output_tokens
        schema = config.response_json_schema or config.response_schema
        must(
            not (config.response_json_schema and config.response_schema),
            "only one of responseSchema, responseJsonSchema",
        )
        must(
            not schema or config.response_mime_type == "application/json",
            "responseSchema needs responseMimeType application/json",
        )
        must(
            not schema or not asked.tools or asked.model.startswith("gemini-3"),
            "tools and a JSON answer are unsupported together",
        )
        if config.response_schema:
            schema = config.response_schema.model_dump(exclude_none=True, mode="json")
        if config.response_mime_type == "application/json":
            asked.schema = schema or {"type": "object", "properties": {"tide": {"type": "string"}}}

    def _contents(self, contents, asked):
        first = contents[0].parts or []
        must(
            not any(part.function_call for part in first),
            "Please ensure that function call turn comes immediately after a user turn",
        )
        # The current turn begins with the last text of the user (guide "Thought signatures").
        begins = max(
            (
                at
                for at, one in enumerate(contents)
                if one.role != "model" and any(p.text for p in one.parts)
            ),
            default=0,
        )
        calls = []
        for at, content in enumerate(contents):
            must(
                content.role in (None, "user", "model"),
                f"Please use a valid role: user, model. {content.role}",
            )
            must(content.parts, "contents.parts must not be empty")
            is_model = content.role == "model"
            answered = [part.function_response for part in content.parts if part.function_response]
            if calls or answered:
                must(
                    [one.name for one in answered] == [call.name for call in calls],
                    "Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.",
                )
                ids = [
                    (one.id, call.id) for one, call in zip(answered, calls) if one.id and call.id
                ]
                must(
                    all(one == call for one, call in ids),
                    "the ids of function responses are not those of the calls",
                )
            called = [part for part in content.parts if part.function_call]
            must(is_model or not called, "functionCall is the model's")
            if called and at > begins and asked.model.startswith("gemini-3"):
                signed = called[0].thought_signature or b""
                # Base64 that the client decoded; letters outside of it stay as they are.
                good = (base64.b64decode(SIGNATURE), base64.urlsafe_b64decode(SKIPS))
                must(
                    signed in good,
                    f"Function call is missing a thought_signature in functionCall parts, or it is corrupted: {signed!r}",
                )
            calls = [part.function_call for part in called]
            asked.images += sum(1 for part in content.parts if part.inline_data)
            said = "".join(part.text or "" for part in content.parts if not part.thought)
            if not is_model and said:
                asked.texts.append(said)
            asked.results = [text_of(one.response) for one in answered]
        must(contents[-1].role != "model", "Please ensure that the last turn is the user's")

    def _parts(self, said):
        if said.thought:
            yield {"text": said.thought, "thought": True}
        for piece in said.pieces:
            yield {"text": piece}
        for at, (call_id, name, arguments) in enumerate(said.calls):
            call = {"functionCall": {"id": call_id, "name": name, "args": arguments}}
            # Only the first of calls side by side has one.
            yield {**call, "thoughtSignature": SIGNATURE} if at == 0 else call

    def _answer(self, asked, said, parts, ends):
        usage = {
            "promptTokenCount": said.input,
            "candidatesTokenCount": said.output - said.thoughts,
            "totalTokenCount": said.input + said.output,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": said.input}],
        }
        if said.cached:
            usage["cachedContentTokenCount"] = said.cached
        if said.thoughts:
            usage["thoughtsTokenCount"] = said.thoughts
        candidate = {"content": {"role": "model", "parts": parts}, "index": 0}
        if ends:
            candidate["finishReason"] = "MAX_TOKENS" if said.cut else "STOP"
        answer = {
            "candidates": [candidate],
            "usageMetadata": usage,
            "modelVersion": asked.model,
            "responseId": "tides",
        }
        types.GenerateContentResponse.model_validate(answer)
        return answer

    def whole(self, asked, said):
        if asked.vectors:
            # Usage is not told.
            all_of = [{"values": vector(text, asked.vectors)} for text in asked.texts]
            return {"embedding": all_of[0]} if asked.single else {"embeddings": all_of}
        parts = list(self._parts(said))
        texts = [part for part in parts if set(part) == {"text"}]
        others = [part for part in parts if set(part) != {"text"}]
        if texts:
            others.append({"text": said.text})
        return self._answer(asked, said, others, True)

    def stream(self, asked, said):
        parts = list(self._parts(said))
        for part in parts:
            yield event(self._answer(asked, said, [part], False)).replace(b"\n\n", b"\r\n\r\n")
        yield event(self._answer(asked, said, [{"text": ""}], True)).replace(b"\n\n", b"\r\n\r\n")

    def error(self, status, message):
        return {
            "error": {"code": status, "message": message, "status": ERRORS.get(status, "INTERNAL")}
        }

    def error_event(self, status, message):
        return event(self.error(503, message))


def text_of(response):
    """What a function answered, wherever a client puts it."""
    for name in ("output", "result", "content", "error"):
        if isinstance(response.get(name), str):
            return response[name]
    return str(response)
