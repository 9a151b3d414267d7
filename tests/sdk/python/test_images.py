"""Images through the official client: what comes back must be a picture, not a placeholder."""

import base64
import struct
import zlib

import openai
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


@pytest.fixture
def boat(demo):
    answer = demo.images.generate(model=IMAGE, prompt="a red boat", size="256x128")
    return base64.b64decode(answer.data[0].b64_json, validate=True)


def test_an_edit_is_a_picture_of_the_same_size_that_differs_by_its_words(demo, boat):
    made = []
    for prompt in ("make the boat blue", "make the boat green"):
        answer = demo.images.edit(model=IMAGE, image=("boat.png", boat), prompt=prompt)
        [image] = answer.data
        made.append(base64.b64decode(image.b64_json, validate=True))
        assert answer.usage.input_tokens_details.image_tokens > 0
    assert [png_size(png) for png in made] == [(256, 128)] * 2
    assert made[0] != made[1]


def test_an_edit_takes_several_pictures_and_a_mask(demo, boat):
    answer = demo.images.edit(
        model=IMAGE,
        image=[("a.png", boat), ("b.png", boat)],
        mask=("mask.png", boat),
        prompt="put one before the other",
        size="64x64",
        n=2,
    )
    assert [png_size(base64.b64decode(image.b64_json)) for image in answer.data] == [(64, 64)] * 2


def test_an_edit_streams_its_drafts_before_itself(demo, boat):
    events = list(
        demo.images.edit(
            model=IMAGE, image=boat, prompt="a blue boat", stream=True, partial_images=2
        )
    )
    kinds = [event.type for event in events]
    assert kinds == ["image_edit.partial_image"] * 2 + ["image_edit.completed"]
    for event in events:
        assert png_size(base64.b64decode(event.b64_json)) == (256, 128)
    assert events[-1].usage.output_tokens > 0


def test_a_generation_streams_its_drafts_before_itself(demo):
    events = list(
        demo.images.generate(
            model=IMAGE, prompt="a boat", size="64x64", stream=True, partial_images=1
        )
    )
    kinds = [event.type for event in events]
    assert kinds == ["image_generation.partial_image", "image_generation.completed"]


def test_variations_are_other_pictures_of_the_same_size(demo, boat):
    answer = demo.images.create_variation(model=IMAGE, image=("boat.png", boat), n=2)
    made = [base64.b64decode(image.b64_json, validate=True) for image in answer.data]
    assert [png_size(png) for png in made] == [(256, 128)] * 2
    assert made[0] != made[1]


def test_a_file_that_is_no_picture_is_refused_by_its_field(demo):
    with pytest.raises(openai.BadRequestError) as refused:
        demo.images.edit(model=IMAGE, image=("a.png", b"no picture"), prompt="x")
    assert refused.value.param == "image"
