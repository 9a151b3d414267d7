"""The official Python clients, each as a caller that can the same: chat, streams, tools, schemas, pictures. What
comes back is checked against the client's own types, which the client itself does not do."""

import base64
import json
from dataclasses import dataclass, field

from anthropic import Anthropic
from google import genai
from google.genai import types
from openai import OpenAI
from openai.types.chat import ChatCompletion

from waule import BASE_URL, ORIGIN, TIMEOUT_SECONDS

# The smallest PNG: a pixel.
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
TIDE = {
    "type": "object",
    "properties": {"harbour": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["harbour", "days"],
    "additionalProperties": False,
}
TOOLS = {
    "get_tide": TIDE,
    "get_moon": {
        "type": "object",
        "properties": {"phase": {"type": "string"}},
        "required": ["phase"],
        "additionalProperties": False,
    },
}
ABOUT = "Tells what is asked of the sea."


@dataclass
class Reply:
    """An answer in words that all clients share."""

    text: str = ""
    thought: str = ""
    calls: list = field(default_factory=list)  # of (id, name, arguments)
    stop: str = ""  # end, max, calls
    input: int = 0  # cached ones among them
    cached: int = 0
    output: int = 0
    thoughts: int = 0
    said: object = None  # as the client sends it back


def strict(answer):
    """An answer again, by its client's types."""
    kind = type(answer)
    return kind.model_validate(answer.model_dump(by_alias=True, exclude_unset=True, warnings=False))


def collected(chunks):
    """The whole answer of a stream of chat completions."""
    head = chunks[0].model_dump(include={"id", "created", "model"})
    (usage,) = [chunk.usage for chunk in chunks if chunk.usage]
    message, calls, finish = {"role": "assistant", "content": None}, [], None
    for choice in (choice for chunk in chunks for choice in chunk.choices):
        finish = choice.finish_reason or finish
        for name, piece in choice.delta.model_dump(exclude_none=True).items():
            if name in ("content", "reasoning_content"):
                message[name] = (message.get(name) or "") + piece
            elif name == "reasoning_details":
                message.setdefault(name, []).extend(piece)
            elif name == "tool_calls":
                for part in piece:
                    index = part.pop("index")
                    if index == len(calls):
                        calls.append(part)
                    else:
                        calls[index]["function"]["arguments"] += part["function"]["arguments"]
    if calls:
        message["tool_calls"] = calls
    choice = {"index": 0, "message": message, "finish_reason": finish}
    return ChatCompletion(**head, object="chat.completion", choices=[choice], usage=usage)


class ChatCaller:
    name = "openai chat"

    def __init__(self, key):
        self.client = OpenAI(base_url=BASE_URL, api_key=key, max_retries=0, timeout=TIMEOUT_SECONDS)

    def begin(self, text, image=None):
        content = text
        if image:
            content = [
                {"type": "text", "text": text},
                {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{image}"}},
            ]
        return [{"role": "user", "content": content}]

    def told(self, history, reply, results):
        back = [
            {"role": "tool", "tool_call_id": call[0], "content": result}
            for call, result in zip(reply.calls, results, strict=bool(results))
        ]
        return [*history, reply.said, *back]

    def ask(
        self,
        model,
        history,
        stream=False,
        system=None,
        tools=(),
        schema=None,
        must=None,
        maximum=None,
        thinks=False,
    ):
        given = {"model": model, "messages": history}
        if system:
            given["messages"] = [{"role": "system", "content": system}, *history]
        if tools:
            given["tools"] = [
                {
                    "type": "function",
                    "function": {"name": name, "description": ABOUT, "parameters": TOOLS[name]},
                }
                for name in tools
            ]
        if must:
            given["tool_choice"] = {"type": "function", "function": {"name": must}}
        if schema:
            given["response_format"] = {
                "type": "json_schema",
                "json_schema": {"name": "tide", "schema": schema, "strict": True},
            }
        if maximum:
            given["max_completion_tokens"] = maximum
        if thinks:
            given["reasoning_effort"] = "low"
        if not stream:
            return self._reply(self.client.chat.completions.create(**given))
        # The client's own collector raises where an answer ends at its maximum.
        stream = self.client.chat.completions.create(
            **given, stream=True, stream_options={"include_usage": True}
        )
        return self._reply(collected([strict(chunk) for chunk in stream]))

    def _reply(self, answer):
        strict(answer)
        choice, usage = answer.choices[0], answer.usage
        message = choice.message
        calls = [
            (call.id, call.function.name, json.loads(call.function.arguments))
            for call in message.tool_calls or []
        ]
        return Reply(
            text=message.content or "",
            thought=getattr(message, "reasoning_content", None) or "",
            calls=calls,
            stop={"stop": "end", "length": "max", "tool_calls": "calls"}[choice.finish_reason],
            input=usage.prompt_tokens,
            cached=usage.prompt_tokens_details.cached_tokens if usage.prompt_tokens_details else 0,
            output=usage.completion_tokens,
            thoughts=usage.completion_tokens_details.reasoning_tokens
            if usage.completion_tokens_details
            else 0,
            said=message.model_dump(exclude_none=True),
        )


class ResponsesCaller:
    name = "openai responses"

    def __init__(self, key):
        self.client = OpenAI(base_url=BASE_URL, api_key=key, max_retries=0, timeout=TIMEOUT_SECONDS)

    def begin(self, text, image=None):
        content = text
        if image:
            content = [
                {"type": "input_text", "text": text},
                {
                    "type": "input_image",
                    "image_url": f"data:image/png;base64,{image}",
                    "detail": "auto",
                },
            ]
        return [{"role": "user", "content": content}]

    def told(self, history, reply, results):
        back = [
            {"type": "function_call_output", "call_id": call[0], "output": result}
            for call, result in zip(reply.calls, results, strict=bool(results))
        ]
        return [*history, *reply.said, *back]

    def ask(
        self,
        model,
        history,
        stream=False,
        system=None,
        tools=(),
        schema=None,
        must=None,
        maximum=None,
        thinks=False,
    ):
        given = {
            "model": model,
            "input": history,
            "store": False,
            "include": ["reasoning.encrypted_content"],
        }
        if system:
            given["instructions"] = system
        if tools:
            given["tools"] = [
                {
                    "type": "function",
                    "name": name,
                    "description": ABOUT,
                    "parameters": TOOLS[name],
                    "strict": True,
                }
                for name in tools
            ]
        if must:
            given["tool_choice"] = {"type": "function", "name": must}
        if schema:
            given["text"] = {
                "format": {"type": "json_schema", "name": "tide", "schema": schema, "strict": True}
            }
        if maximum:
            given["max_output_tokens"] = maximum
        if thinks:
            given["reasoning"] = {"effort": "low", "summary": "auto"}
        if not stream:
            return self._reply(self.client.responses.create(**given))
        numbers = []
        with self.client.responses.stream(**given) as events:
            for one in events:
                numbers.append(one.sequence_number)
                if not one.type.endswith((".delta", ".done")):
                    strict(one)
                if one.type in ("response.completed", "response.incomplete"):
                    answer = one.response
            assert numbers == list(range(len(numbers)))
            return self._reply(answer)

    def _reply(self, answer):
        strict(answer)
        usage = answer.usage
        calls = [
            (one.call_id, one.name, json.loads(one.arguments))
            for one in answer.output
            if one.type == "function_call"
        ]
        thoughts = [
            part.text for one in answer.output if one.type == "reasoning" for part in one.summary
        ]
        ended = {"completed": "calls" if calls else "end", "incomplete": "max"}
        said = [
            one.model_dump(
                exclude_none=True,
                exclude={"parsed_arguments": True, "content": {"__all__": {"parsed"}}},
            )
            for one in answer.output
        ]
        return Reply(
            text=answer.output_text,
            thought="".join(thoughts),
            calls=calls,
            stop=ended[answer.status],
            input=usage.input_tokens,
            cached=usage.input_tokens_details.cached_tokens,
            output=usage.output_tokens,
            thoughts=usage.output_tokens_details.reasoning_tokens,
            said=said,
        )


class AnthropicCaller:
    name = "anthropic"

    def __init__(self, key):
        self.client = Anthropic(
            base_url=ORIGIN, api_key=key, max_retries=0, timeout=TIMEOUT_SECONDS
        )

    def begin(self, text, image=None):
        content = text
        if image:
            source = {"type": "base64", "media_type": "image/png", "data": image}
            content = [{"type": "text", "text": text}, {"type": "image", "source": source}]
        return [{"role": "user", "content": content}]

    def told(self, history, reply, results):
        back = [
            {"type": "tool_result", "tool_use_id": call[0], "content": result}
            for call, result in zip(reply.calls, results, strict=bool(results))
        ]
        said = [*history, {"role": "assistant", "content": reply.said}]
        return [*said, {"role": "user", "content": back}] if back else said

    def ask(
        self,
        model,
        history,
        stream=False,
        system=None,
        tools=(),
        schema=None,
        must=None,
        maximum=None,
        thinks=False,
    ):
        given = {"model": model, "messages": history, "max_tokens": maximum or 4096}
        if system:
            given["system"] = system
        if tools:
            given["tools"] = [
                {"name": name, "description": ABOUT, "input_schema": TOOLS[name]} for name in tools
            ]
        if must:
            given["tool_choice"] = {"type": "tool", "name": must}
        if schema:
            given["output_config"] = {"format": {"type": "json_schema", "schema": schema}}
        if thinks:
            given["thinking"] = {"type": "enabled", "budget_tokens": 1024}
        if not stream:
            return self._reply(self.client.messages.create(**given))
        with self.client.messages.stream(**given) as events:
            for one in events:
                if one.type in (
                    "message_start",
                    "content_block_start",
                    "content_block_delta",
                    "message_delta",
                ):
                    strict(one)
            return self._reply(events.get_final_message(), is_snapshot=True)

    def _reply(self, answer, is_snapshot=False):
        if not is_snapshot:
            strict(answer)
        usage = answer.usage
        of_kind = lambda kind: [block for block in answer.content if block.type == kind]  # noqa: E731
        cached, written = usage.cache_read_input_tokens or 0, usage.cache_creation_input_tokens or 0
        details = usage.output_tokens_details
        return Reply(
            text="".join(block.text for block in of_kind("text")),
            thought="".join(block.thinking for block in of_kind("thinking")),
            calls=[(block.id, block.name, block.input) for block in of_kind("tool_use")],
            stop={"end_turn": "end", "max_tokens": "max", "tool_use": "calls"}[answer.stop_reason],
            input=usage.input_tokens + cached + written,
            cached=cached,
            output=usage.output_tokens,
            thoughts=details.thinking_tokens if details else 0,
            said=answer.content,
        )


class GeminiCaller:
    name = "gemini"

    def __init__(self, key):
        options = types.HttpOptions(base_url=ORIGIN, timeout=TIMEOUT_SECONDS * 1000)
        self.client = genai.Client(api_key=key, vertexai=False, http_options=options)

    def begin(self, text, image=None):
        parts = [types.Part(text=text)]
        if image:
            parts.append(types.Part.from_bytes(data=base64.b64decode(image), mime_type="image/png"))
        return [types.Content(role="user", parts=parts)]

    def told(self, history, reply, results):
        back = [
            types.Part(
                function_response=types.FunctionResponse(
                    id=call[0], name=call[1], response={"output": result}
                )
            )
            for call, result in zip(reply.calls, results, strict=bool(results))
        ]
        return [*history, reply.said, *([types.Content(role="user", parts=back)] if back else [])]

    def ask(
        self,
        model,
        history,
        stream=False,
        system=None,
        tools=(),
        schema=None,
        must=None,
        maximum=None,
        thinks=False,
    ):
        config = types.GenerateContentConfig(
            system_instruction=system,
            max_output_tokens=maximum,
            automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
        )
        if tools:
            declared = [
                types.FunctionDeclaration(
                    name=name, description=ABOUT, parameters_json_schema=TOOLS[name]
                )
                for name in tools
            ]
            config.tools = [types.Tool(function_declarations=declared)]
        if must:
            calling = types.FunctionCallingConfig(mode="ANY", allowed_function_names=[must])
            config.tool_config = types.ToolConfig(function_calling_config=calling)
        if schema:
            config.response_mime_type = "application/json"
            config.response_json_schema = schema
        if thinks:
            config.thinking_config = types.ThinkingConfig(
                include_thoughts=True, thinking_budget=1024
            )
        given = {"model": model, "contents": history, "config": config}
        if not stream:
            return self._reply([self.client.models.generate_content(**given)])
        return self._reply(list(self.client.models.generate_content_stream(**given)))

    def _reply(self, answers):
        parts = [
            part
            for one in answers
            for part in (
                one.candidates[0].content.parts
                if one.candidates and one.candidates[0].content
                else []
            )
            or []
        ]
        finish = [
            one.candidates[0].finish_reason
            for one in answers
            if one.candidates and one.candidates[0].finish_reason
        ]
        usage = answers[-1].usage_metadata
        thoughts = usage.thoughts_token_count or 0
        calls = [
            (part.function_call.id, part.function_call.name, part.function_call.args)
            for part in parts
            if part.function_call
        ]
        assert len(finish) == 1, finish
        assert (
            usage.total_token_count
            == usage.prompt_token_count + usage.candidates_token_count + thoughts
        )
        ended = {
            types.FinishReason.STOP: "calls" if calls else "end",
            types.FinishReason.MAX_TOKENS: "max",
        }
        return Reply(
            text="".join(part.text or "" for part in parts if not part.thought),
            thought="".join(part.text or "" for part in parts if part.thought),
            calls=calls,
            stop=ended[finish[0]],
            input=usage.prompt_token_count,
            cached=usage.cached_content_token_count or 0,
            output=usage.candidates_token_count + thoughts,
            thoughts=thoughts,
            said=types.Content(role="model", parts=parts),
        )


CALLERS = [ChatCaller, ResponsesCaller, AnthropicCaller, GeminiCaller]
