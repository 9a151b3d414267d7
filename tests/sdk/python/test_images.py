"""Images through the official client: what comes back must be a picture, not a placeholder."""

import base64
import struct
import zlib

import pytest

from waule import IMAGE

SIGNATURE = b"\x89PNG\r\n\x1a\n"
SAMPLES_OF_COLOUR_TYPE = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


def png_size(data):
    """Checks every chunk and the amount of pixels; answers (width, height)."""
    assert data.startswith(SIGNATURE)
    at, kinds, pixels = len(SIGNATURE), [], b""
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        kind = data[at + 4 : at + 8]
        body = data[at + 8 : at + 8 + length]
        (checksum,) = struct.unpack_from(">I", data, at + 8 + length)
        assert zlib.crc32(kind + body) == checksum, f"chunk {kind} is damaged"
        kinds.append(kind)
        if kind == b"IHDR":
            width, height, depth, colour, *_ = struct.unpack(">IIBBBBB", body)
        if kind == b"IDAT":
            pixels += body
        at += 12 + length
    assert (kinds[0], kinds[-1]) == (b"IHDR", b"IEND")
    row = (width * depth * SAMPLES_OF_COLOUR_TYPE[colour] + 7) // 8
    assert len(zlib.decompress(pixels)) == height * (row + 1)
    return width, height


@pytest.mark.parametrize("side", [256, 1024])
def test_an_image_is_a_real_png_of_the_size_asked_for(demo, side):
    answer = demo.images.generate(
        model=IMAGE, prompt="a red boat", size=f"{side}x{side}", response_format="b64_json"
    )
    [image] = answer.data
    assert png_size(base64.b64decode(image.b64_json, validate=True)) == (side, side)


def test_two_images_are_two(demo):
    answer = demo.images.generate(
        model=IMAGE, prompt="boats", n=2, size="256x256", response_format="b64_json"
    )
    assert len(answer.data) == 2
    for image in answer.data:
        png_size(base64.b64decode(image.b64_json, validate=True))
