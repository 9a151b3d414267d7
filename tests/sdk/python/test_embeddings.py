"""Embeddings through the official client."""

import base64
import struct

import pytest

from waule import EMBEDDING


def embed(client, text, **more):
    return client.embeddings.create(model=EMBEDDING, input=text, **more)


def test_the_clients_default_gives_the_same_numbers_as_floats(demo):
    # Left to itself the client asks for base64 and decodes it.
    packed = embed(demo, "a cat").data[0].embedding
    plain = embed(demo, "a cat", encoding_format="float").data[0].embedding
    assert len(plain) > 1
    assert all(isinstance(number, float) for number in plain)
    assert packed == pytest.approx(plain, abs=1e-6)


def test_base64_is_little_endian_float32(demo):
    text = embed(demo, "a cat", encoding_format="base64").data[0].embedding
    assert isinstance(text, str)
    packed = base64.b64decode(text, validate=True)
    numbers = struct.unpack(f"<{len(packed) // 4}f", packed)
    plain = embed(demo, "a cat", encoding_format="float").data[0].embedding
    assert list(numbers) == pytest.approx(plain, abs=1e-6)


def test_several_texts_keep_their_order(demo):
    answer = embed(demo, ["a cat", "a dog", "a cat"])
    assert answer.object == "list"
    assert [item.index for item in answer.data] == [0, 1, 2]
    assert answer.data[0].embedding == answer.data[2].embedding
    assert answer.data[0].embedding != answer.data[1].embedding
    assert answer.usage.prompt_tokens > 0
    assert answer.usage.total_tokens == answer.usage.prompt_tokens
