"""Chat through the official client, whole and streamed."""

import re
import time

from waule import CHAT, question

# Go's way to write a duration, as OpenAI's limit headers have it: 12ms, 1s, 6m0s.
GO_DURATION = re.compile(r"^(?=\d)(\d+h)?(\d+m)?(\d+(\.\d+)?s)?(\d+(\.\d+)?ms)?$")


def ask(client, text, **more):
    return client.chat.completions.create(model=CHAT, messages=question(text), **more)


def text_of(chunks):
    return "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)


def test_a_chat_is_answered_with_text_and_usage(demo):
    answer = ask(demo, "Say something. [tokens:12]")
    assert answer.object == "chat.completion"
    assert answer.id
    [choice] = answer.choices
    assert choice.message.role == "assistant"
    assert choice.message.content
    assert choice.finish_reason == "stop"
    assert answer.usage.prompt_tokens > 0
    assert answer.usage.completion_tokens == 12
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + 12


def test_the_same_question_has_the_same_answer(demo):
    first, second = (ask(demo, "Twice. [tokens:9]") for _ in range(2))
    assert first.choices[0].message.content == second.choices[0].message.content


def test_max_tokens_cuts_the_answer(demo):
    answer = ask(demo, "Go on and on. [tokens:50]", max_tokens=7)
    assert answer.choices[0].finish_reason == "length"
    assert answer.usage.completion_tokens == 7


def test_a_stream_carries_the_text_and_no_usage_unless_asked(demo):
    chunks = list(ask(demo, "Stream it. [tokens:15]", stream=True))
    assert len(chunks) > 1
    assert all(chunk.object == "chat.completion.chunk" for chunk in chunks)
    assert all(chunk.choices for chunk in chunks), "a chunk without choices was not asked for"
    assert all(chunk.usage is None for chunk in chunks), "usage was not asked for"
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert text_of(chunks) == ask(demo, "Stream it. [tokens:15]").choices[0].message.content


def test_a_stream_ends_with_usage_when_asked(demo):
    chunks = list(
        ask(demo, "Stream it. [tokens:15]", stream=True, stream_options={"include_usage": True})
    )
    *parts, last = chunks
    assert last.choices == []
    assert last.usage.completion_tokens == 15
    assert last.usage.total_tokens == last.usage.prompt_tokens + 15
    assert all(chunk.choices for chunk in parts)
    assert all(chunk.usage is None for chunk in parts)


def test_the_streaming_helper_of_the_client_collects_the_answer(demo):
    with demo.chat.completions.stream(
        model=CHAT, messages=question("Collect it. [tokens:10]")
    ) as stream:
        stream.until_done()
        answer = stream.get_final_completion()
    whole = ask(demo, "Collect it. [tokens:10]")
    assert answer.choices[0].message.content == whole.choices[0].message.content


def test_the_first_chunk_arrives_long_before_the_last(demo):
    began = time.monotonic()
    arrived = [
        time.monotonic() - began for _ in ask(demo, "Slowly. [tokens:30][pace:20]", stream=True)
    ]
    assert arrived[-1] > 0.4
    assert arrived[0] < arrived[-1] / 2, "the stream was collected before it was passed on"


def test_answers_tell_the_limits_and_the_request_id(tenant):
    raw = tenant.client().chat.completions.with_raw_response.create(
        model=CHAT, messages=question("Count me. [tokens:3]")
    )
    headers = raw.headers
    assert headers["x-request-id"]
    for what in ("requests", "tokens"):
        limit = int(headers[f"x-ratelimit-limit-{what}"])
        remaining = int(headers[f"x-ratelimit-remaining-{what}"])
        assert 0 <= remaining <= limit
        reset = headers[f"x-ratelimit-reset-{what}"]
        assert GO_DURATION.match(reset), reset
    assert raw.parse().choices
