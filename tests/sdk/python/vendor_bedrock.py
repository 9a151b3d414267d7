"""A fake of Amazon Bedrock's Converse, as strict as the service model of 2026-11 says: requests are signed (AWS Signature
Version 4) or refused, and streams come in frames with checksums."""

import hashlib
import hmac
import json
import re
import struct
import zlib
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, unquote

# What proves a thought of Anthropic's models is good at both (Anthropic, "Extended thinking").
from vendor_anthropic import SIGNATURE
from vendors import SECRET, Asked, Refused, must, only

KEY_ID = "AKIATIDES0123456789"
REGION = "us-east-1"
SIGNED = "content-type;host;x-amz-date"
FIELDS = (
    "messages system inferenceConfig toolConfig outputConfig serviceTier requestMetadata"
    " additionalModelRequestFields"
).split()
BLOCKS = {
    "user": {"text", "image", "document", "video", "audio", "toolResult", "cachePoint"},
    "assistant": {"text", "toolUse", "reasoningContent", "citationsContent", "cachePoint"},
}
ERRORS = {
    400: "ValidationException",
    401: "UnrecognizedClientException",
    403: "AccessDeniedException",
    404: "ResourceNotFoundException",
    429: "ThrottlingException",
    500: "InternalServerException",
    503: "ServiceUnavailableException",
    529: "ModelNotReadyException",
}


def mac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def check_signature(method, path, headers, body):
    """As Amazon makes it of what came, or 403."""
    told = re.fullmatch(
        r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/bedrock/aws4_request,"
        r" SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})",
        headers.get("authorization", ""),
    )
    if not told:
        raise Refused(403, "Missing Authentication Token")
    key_id, day, region, names, signature = told.groups()
    date = headers.get("x-amz-date", "")
    now = datetime.now(UTC)
    try:
        made = datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise Refused(403, f"Date is not ISO-8601 basic: {date!r}") from error
    if abs(now - made) > timedelta(minutes=5) or not date.startswith(day):
        raise Refused(403, "Signature expired")
    if (key_id, region, names) != (KEY_ID, REGION, SIGNED):
        raise Refused(403, "The security token included in the request is invalid")
    lines = "".join(f"{name}:{headers[name].strip()}\n" for name in names.split(";"))
    # Each part of the path is escaped once more, as by every service but S3.
    twice = "/".join(quote(part, safe="-_.~") for part in path.split("/"))
    canonical = "\n".join(
        [method, twice, "", lines, names, hashlib.sha256(body).hexdigest()]
    )
    scope = f"{day}/{region}/bedrock/aws4_request"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    key = f"AWS4{SECRET}".encode()
    for part in (day, region, "bedrock", "aws4_request"):
        key = mac(key, part)
    expected = mac(key, f"AWS4-HMAC-SHA256\n{date}\n{scope}\n{digest}").hex()
    if not hmac.compare_digest(expected, signature):
        raise Refused(403, "The request signature we calculated does not match")


def frame(kind, payload, name=":event-type"):
    """A message of `application/vnd.amazon.eventstream`."""
    given = {
        name: kind,
        ":content-type": "application/json",
        ":message-type": "event" if name == ":event-type" else "exception",
    }
    headers = b"".join(
        bytes([len(key)]) + key.encode() + b"\x07" + struct.pack("!H", len(value)) + value.encode()
        for key, value in given.items()
    )
    data = json.dumps(payload, ensure_ascii=False).encode()
    begin = struct.pack("!II", len(headers) + len(data) + 16, len(headers))
    begin += struct.pack("!I", zlib.crc32(begin))
    message = begin + headers + data
    return message + struct.pack("!I", zlib.crc32(message))


class Bedrock:
    version = "runtime"
    calls = "tooluse_tide"  # what the ids of its calls begin with
    secret = f"{KEY_ID}:{SECRET}"
    content_type = "application/vnd.amazon.eventstream"
    check = staticmethod(check_signature)

    def read(self, path, headers, request):
        named = re.fullmatch(r"runtime/model/([^/]+)/(converse|converse-stream)", path)
        must(named, f"no such path {path}")
        stream = named[2] == "converse-stream"
        accept = self.content_type if stream else "application/json"
        must(headers.get("accept") == accept, f"accept must be {accept}")
        must(headers.get("content-type") == "application/json", "content-type must be JSON")
        only(request, FIELDS)
        asked = Asked(model=unquote(named[1]), stream=stream, texts=[])
        for block in request.get("system") or []:
            must(len(block) == 1 and set(block) <= {"text", "cachePoint"}, "a block of `system`")
            asked.system += block.get("text", "")
        config = request.get("inferenceConfig") or {}
        only(config, ["maxTokens", "temperature", "topP", "stopSequences"], "inferenceConfig")
        asked.maximum = config.get("maxTokens")
        self._tools(request.get("toolConfig"), asked)
        self._messages(request.get("messages"), asked, "toolConfig" in request)
        if output := request.get("outputConfig"):
            only(output, ["textFormat", "effort"], "outputConfig")
            if form := output.get("textFormat"):
                only(form, ["type", "structure"], "textFormat")
                must(form["type"] == "json_schema", "textFormat.type must be json_schema")
                schema = form["structure"]["jsonSchema"]
                only(schema, ["schema", "name", "description"], "jsonSchema")
                must(isinstance(schema["schema"], str), "a schema is a text")
                asked.schema = json.loads(schema["schema"])
        extra = request.get("additionalModelRequestFields") or {}
        if thinking := extra.get("thinking"):
            # Without `maxTokens` the model's own maximum is meant.
            must(
                thinking["type"] != "enabled"
                or 1024 <= thinking["budget_tokens"] < (asked.maximum or 64_000),
                "`max_tokens` must be greater than `thinking.budget_tokens`",
            )
            must(
                thinking["type"] == "disabled" or not asked.must_call,
                "Thinking may not be enabled when tool_choice forces tool use.",
            )
        return asked

    def _tools(self, config, asked):
        if not config:
            return
        only(config, ["tools", "toolChoice"], "toolConfig")
        must(config["tools"], "toolConfig.tools must not be empty")
        for tool in config["tools"]:
            only(tool, ["toolSpec", "cachePoint"], "a tool")
            if spec := tool.get("toolSpec"):
                only(spec, ["name", "description", "inputSchema", "strict"], "a toolSpec")
                must(re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", spec["name"]), "toolSpec.name")
                must(spec.get("description", "x"), "toolSpec.description must not be empty")
                only(spec["inputSchema"], ["json"], "an inputSchema")
                asked.tools.append((spec["name"], spec["inputSchema"]["json"]))
        if choice := config.get("toolChoice"):
            must(len(choice) == 1 and set(choice) <= {"auto", "any", "tool"}, "toolChoice")
            asked.must_call = "auto" not in choice
            if named := choice.get("tool"):
                asked.tools = [tool for tool in asked.tools if tool[0] == named["name"]]
                must(asked.tools, "toolChoice.tool is none of the tools")

    def _messages(self, messages, asked, has_tools):
        must(messages, "messages must not be empty")
        called, role = [], None
        for message in messages:
            only(message, ["role", "content"], "a message")
            must(message["role"] in BLOCKS, f"role {message['role']!r}")
            must(message["role"] != role, "roles must alternate between user and assistant")
            role = message["role"]
            must(message["content"], "content must not be empty")
            said, results, made = "", [], []
            for block in message["content"]:
                must(len(block) == 1 and set(block) <= BLOCKS[role], f"a block {set(block)}")
                if "text" in block:
                    must(block["text"].strip(), "text must not be blank")
                    said += block["text"]
                elif result := block.get("toolResult"):
                    only(result, ["toolUseId", "content", "status"], "a toolResult")
                    must(has_tools, "toolConfig must be defined when using toolResult blocks")
                    results.append((result["toolUseId"], result["content"][0].get("text", "")))
                elif use := block.get("toolUse"):
                    only(use, ["toolUseId", "name", "input"], "a toolUse")
                    must(re.fullmatch(r"[a-zA-Z0-9_.:-]{1,64}", use["toolUseId"]), "toolUseId")
                    must(isinstance(use["input"], dict), "toolUse.input must be an object")
                    must(has_tools, "toolConfig must be defined when using toolUse blocks")
                    made.append(use["toolUseId"])
                elif thought := block.get("reasoningContent"):
                    only(thought, ["reasoningText", "redactedContent"], "reasoningContent")
                    told = thought["reasoningText"]
                    must(told.get("signature") == SIGNATURE, "Invalid `signature` in thinking")
                elif image := block.get("image"):
                    only(image, ["format", "source"], "an image")
                    asked.images += 1
            must(
                sorted(one for one, _ in results) == sorted(called),
                "Expected toolResult blocks for the toolUse blocks of the turn before",
            )
            called = made
            if role == "user" and said:
                asked.texts.append(said)
            asked.results = [text for _, text in results]
        must(role == "user", "A conversation must end with a user message")

    def _usage(self, said):
        return {
            "inputTokens": said.input - said.cached,
            "outputTokens": said.output,
            "totalTokens": said.input + said.output,
            "cacheReadInputTokens": said.cached,
            "cacheWriteInputTokens": 0,
        }

    def _stop(self, said):
        return "max_tokens" if said.cut else "tool_use" if said.calls else "end_turn"

    def whole(self, asked, said):
        content = []
        if said.thought:
            text = {"text": said.thought, "signature": SIGNATURE}
            content.append({"reasoningContent": {"reasoningText": text}})
        if said.text:
            content.append({"text": said.text})
        for call_id, name, arguments in said.calls:
            content.append({"toolUse": {"toolUseId": call_id, "name": name, "input": arguments}})
        return {
            "output": {"message": {"role": "assistant", "content": content}},
            "stopReason": self._stop(said),
            "usage": self._usage(said),
            "metrics": {"latencyMs": 7},
        }

    def stream(self, asked, said):
        yield frame("messageStart", {"p": "abc", "role": "assistant"})
        at = 0
        if said.thought:
            for delta in ({"text": said.thought}, {"signature": SIGNATURE}):
                yield self._delta(at, {"reasoningContent": delta})
            yield frame("contentBlockStop", {"contentBlockIndex": at, "p": "a"})
            at += 1
        if said.text:
            for piece in said.pieces:
                yield self._delta(at, {"text": piece})
            yield frame("contentBlockStop", {"contentBlockIndex": at, "p": "ab"})
            at += 1
        for call_id, name, arguments in said.calls:
            start = {"toolUse": {"toolUseId": call_id, "name": name}}
            yield frame("contentBlockStart", {"contentBlockIndex": at, "p": "", "start": start})
            text = json.dumps(arguments)
            for where in range(0, len(text), 5):
                yield self._delta(at, {"toolUse": {"input": text[where : where + 5]}})
            yield frame("contentBlockStop", {"contentBlockIndex": at, "p": "abc"})
            at += 1
        yield frame("messageStop", {"p": "abcd", "stopReason": self._stop(said)})
        yield frame(
            "metadata", {"metrics": {"latencyMs": 7}, "p": "a", "usage": self._usage(said)}
        )

    def _delta(self, at, delta):
        return frame("contentBlockDelta", {"contentBlockIndex": at, "delta": delta, "p": "abcd"})

    def error(self, status, message):
        return {"message": message}

    def error_headers(self, status):
        return {"x-amzn-errortype": f"{ERRORS.get(status, 'InternalServerException')}:http://amazon"}

    def error_event(self, status, message):
        return frame("serviceUnavailableException", {"message": message}, ":exception-type")
