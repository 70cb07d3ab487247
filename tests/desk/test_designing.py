"""Designing: colours that can be read, and pictures with nothing in them but the picture."""

import json
from collections.abc import Iterator

import pytest

import kantis.desk
from kantis.core.knobs import ProgramError, plain
from kantis.desk import designing, pictures, text
from kantis.desk.audit import By
from kantis.desk.submit import Desk
from kantis.store import designs, hands
from tests.desk.drawing import ALPH, SECRET, VP8, VP8L, chunk, extended, png, webp

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
    ("data", "size"),
    [
        (png(32, 16, b"tEXt" + SECRET, b"eXIf" + SECRET, b"iCCP" + SECRET) + SECRET, (32, 16)),
        (webp((b"VP8 ", VP8)), (24, 20)),
        (webp((b"VP8L", VP8L)) + SECRET, (24, 20)),
        (webp(extended(0x3C), (b"ICCP", SECRET), (b"ALPH", ALPH), (b"VP8 ", VP8),
              (b"EXIF", SECRET), (b"XMP ", SECRET)), (24, 20)),
    ],
)  # fmt: skip
def test_what_is_not_the_picture_is_left_out(data: bytes, size: tuple[int, int]) -> None:
    found = pictures.checked(data)
    assert (found.width, found.height) == size
    assert SECRET not in found.data
    assert (SECRET in data) == (found.data != data)
    assert pictures.checked(found.data) == found  # and what is left is a picture again
    if found.kind == pictures.WEBP and b"VP8X" in found.data:
        assert found.data[20] == 0x10


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "no-picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>", "no-picture"),
        (b"GIF89a" + bytes(40), "no-picture"),
        (b"\xff\xd8\xff\xe0" + bytes(40), "no-picture"),
        (png(32, 16)[:-20], "no-picture"),
        (png(32, 16).replace(b"IDAT", b"IDAU"), "no-picture"),
        (png(32, 16, lines=b"\0" * 100_000), "no-picture"),  # more than fits its size
        (b"\x89PNG\r\n\x1a\n" + chunk(b"IEND", b""), "no-picture"),
        (png(32, 16)[:8] + chunk(b"IDAT", b"") + png(32, 16)[8:], "no-picture"),
        (png(1025, 16), "no-picture"),
        (png(8, 8), "picture-too-large"),
        (png(32, 16) + bytes(65_536), "picture-too-large"),
        (webp((b"VP8L", VP8L))[:-4], "no-picture"),
        (webp(extended(2), (b"ANIM", bytes(6)), (b"ANMF", bytes(30))), "no-picture"),
        (webp((b"EXIF", SECRET)), "no-picture"),
        (webp((b"VP8 ", b"\0" * 30)), "no-picture"),
        (b"RIFF\xff\xff\xff\xffWEBPVP8 ", "no-picture"),
    ],
)  # fmt: skip
def test_what_is_no_picture_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(ProgramError) as found:
        pictures.checked(data)
    assert found.value.faults[0].code == code
