"""Code 128: what is drawn is what a scanner reads."""

import re

import pytest
import zxingcpp
from PIL import Image, ImageDraw

from kantis.doors.web.barcode import LETTERS_MAX, code128

_ALL = "".join(map(chr, range(ord(" "), ord("~") + 1)))
_PAIRS = "".join(f"{n:02}" for n in range(100))
TEXTS = [
    *(_ALL[n : n + 24] for n in range(0, len(_ALL), 24)),
    *(_PAIRS[n : n + 40] for n in range(0, len(_PAIRS), 40)),
    "7", "42", "6407001", "CLUB-0042", "AB12345", "AB123456C", "1234AB", "123A", "12345678AB12345",
    "a1b22c333d4444e55555f666666g",
]  # fmt: skip


def drawn(svg: str) -> Image.Image:
    """The picture, two pixels a module."""
    size = re.search(r'width="(\d+)" height="(\d+)"', svg)
    assert size is not None
    picture = Image.new("L", (int(size[1]), int(size[2])), 255)
    for x, width in re.findall(r"M(\d+) 0h(\d+)", svg):
        left = int(x) * 2
        box = (left, 0, left + int(width) * 2 - 1, picture.height)
        ImageDraw.Draw(picture).rectangle(box, fill=0)
    return picture


def read(picture: Image.Image) -> list[tuple[str, str]]:
    """The kind and the text of each code in a picture."""
    found = zxingcpp.read_barcodes(picture)
    return [(each.format.name, each.text) for each in found]


@pytest.mark.parametrize("text", TEXTS)
def test_a_scanner_reads_what_was_drawn(text: str) -> None:
    assert read(drawn(code128(text))) == [("Code128", text)]


def test_a_wrong_check_sign_is_caught() -> None:
    picture = drawn(code128("6407001"))
    first = picture.crop((20, 0, 42, picture.height))
    picture.paste(first, (42, 0))  # the first sign stands in the place of the second
    assert read(picture) == []


@pytest.mark.parametrize("text", ["", "Ümit", "tab\t", "1" * (LETTERS_MAX + 1)])
def test_what_it_cannot_say_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="printable letters"):
        code128(text)
