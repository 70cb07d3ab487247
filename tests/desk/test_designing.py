"""Designing: colours that can be read, and pictures with nothing in them but the picture."""

import json
from collections.abc import Iterator
from io import BytesIO

import pytest
from PIL import Image

import kantis.desk
from kantis.core.knobs import ProgramError, plain
from kantis.desk import designing, pictures, text
from kantis.desk.audit import By
from kantis.desk.submit import Desk
from kantis.store import designs, hands
from tests.desk.drawing import RED, SECRET, moving, picture, png, talkative

BY = By("anna", "Anna")
FILE = """\
program: club
money: EUR
timezone: UTC
balances: {points: {expires: never}}
earning: {all: {give: 1 point per 1 EUR}}
"""


@pytest.fixture
def desk(url: str) -> Iterator[Desk]:
    with kantis.desk.open(url) as found:
        assert isinstance(found, Desk)
        found.publish("club", 0, FILE, plain(text.read(FILE)))
        yield found


def refused(desk: Desk, *about: object) -> str:
    with pytest.raises(ProgramError) as found:
        designing.put(desk, 1, *about, BY)  # type: ignore[arg-type]
    return found.value.faults[0].code


def test_a_design_is_kept_and_its_logo_stays_until_it_goes(desk: Desk) -> None:
    designing.put(desk, 1, " Our  card ", 0x0B5D4E, 0xFFFFFF, png(32, 16), BY)
    found = designs.design(desk.books, 1)
    assert found is not None
    assert (found.name, found.kind, found.width, found.height) == (
        "Our card", "image/png", 32, 16
    )  # fmt: skip
    designing.put(desk, 1, "", 0xFFDD00, 0, None, BY)
    found = designs.design(desk.books, 1)
    assert found is not None
    assert (found.name, found.ground, found.width) == ("", 0xFFDD00, 32)
    for _ in range(2):
        designing.put(desk, 1, "", 0xFFDD00, 0, b"", BY)
    found = designs.design(desk.books, 1)
    assert found is not None
    assert (found.logo, found.kind) == (b"", "")
    lines = hands.audit(desk.books, 1 << 60, 9, deed="design")
    assert [json.loads(each.said)["logo"] for each in lines] == ["", "image/png", "image/png"]


def test_what_cannot_be_read_is_refused(desk: Desk) -> None:
    assert refused(desk, "", 0xFFFFFF, 0x777777, None) == "low-contrast"
    assert designing.contrast(0xFFFFFF, 0x777777) == 447
    designing.put(desk, 1, "", 0xFFFFFF, 0x767676, None, BY)
    assert refused(desk, "x" * 41, 0, 0xFFFFFF, None) == "bad-name"
    assert refused(desk, "a\x00b", 0, 0xFFFFFF, None) == "bad-name"


def test_on_every_ground_black_or_white_can_be_read() -> None:
    levels = range(0, 256, 15)
    for ground in (r << 16 | g << 8 | b for r in levels for g in levels for b in levels):
        assert designing.contrast(ground, designing.readable(ground)) >= designing.CONTRAST_MIN


@pytest.mark.parametrize(
    ("kind", "how", "near"),
    [("PNG", {}, 0), ("WEBP", {"lossless": True}, 0), ("WEBP", {"quality": 80}, 4)],
)
def test_what_is_not_the_picture_is_left_out(kind: str, how: dict[str, int], near: int) -> None:
    data = talkative(kind, **how)
    found = pictures.checked(data)
    assert (found.kind, found.width, found.height) == (f"image/{kind.lower()}", 32, 16)
    assert SECRET in data
    assert SECRET not in found.data
    with Image.open(BytesIO(found.data)) as drawn:
        pixel = drawn.convert("RGBA").getpixel((5, 5))
    assert isinstance(pixel, tuple)
    assert all(abs(a - b) <= near for a, b in zip(pixel, RED, strict=True))
    assert pictures.checked(found.data) == found  # and what is left is a picture again


def test_a_large_picture_without_loss_is_drawn_with_a_little() -> None:
    noise = Image.merge("RGB", [Image.effect_noise((200, 200), 90) for _ in range(3)])
    out = BytesIO()
    noise.save(out, "WEBP", quality=80)
    assert len(out.getvalue()) < pictures.BYTES_MAX
    found = pictures.checked(out.getvalue())
    assert len(found.data) <= pictures.BYTES_MAX
    assert b"VP8L" not in found.data


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "no-picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>", "no-picture"),
        (b"GIF89a" + bytes(40), "no-picture"),
        (picture("GIF", 32, 16), "no-picture"),
        (picture("TIFF", 32, 16), "no-picture"),
        (png(32, 16)[:50], "no-picture"),
        (picture("WEBP", 32, 16)[:-20], "no-picture"),
        (moving("PNG"), "no-picture"),
        (moving("WEBP"), "no-picture"),
        (png(1025, 16), "picture-too-large"),
        (png(20_000, 16), "picture-too-large"),
        (png(8, 8), "picture-too-large"),
        (png(32, 16) + bytes(65_536), "picture-too-large"),
    ],
)  # fmt: skip
def test_what_is_no_picture_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(ProgramError) as found:
        pictures.checked(data)
    assert found.value.faults[0].code == code
