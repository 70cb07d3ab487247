"""Pictures: a logo that somebody brings, as far as it is safe to show to everybody.

Guarantee: what is kept is drawn anew from the pixels of a PNG or WebP picture that stands still,
of at most 64 KB and 1,024 pixels each way. So nothing else of the file is in it: no text, no
place, no profile, nothing behind its end. Anything else is refused, SVG too, as it can hold
scripts.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any, Final

from msgspec import Struct
from PIL import Image

from kantis.core.knobs import Fault, ProgramError

BYTES_MAX: Final = 64 * 1024
PIXELS_MIN: Final = 16
PIXELS_MAX: Final = 1024
PNG: Final = "image/png"
WEBP: Final = "image/webp"
#: How each is written; where a WebP without loss is too large, so good that nobody sees it.
_WAYS: Final[dict[str, list[dict[str, Any]]]] = {
    PNG: [{"optimize": True}],
    WEBP: [{"lossless": True}, {"quality": 90}],
}


class Picture(Struct, frozen=True):
    """A picture that may be shown: its bytes, its media type, and its size in pixels."""

    data: bytes
    kind: str
    width: int
    height: int


def checked(data: bytes) -> Picture:
    """A picture without what does not belong to it; ``ProgramError`` for what is none."""
    if len(data) > BYTES_MAX:
        raise _too_large(f"The picture is larger than {BYTES_MAX // 1024} KB.")
    try:
        with Image.open(BytesIO(data), formats=("PNG", "WEBP")) as found:
            kind, size = f"image/{str(found.format).lower()}", found.size
            if getattr(found, "is_animated", False):
                raise ValueError("it moves")
            if all(PIXELS_MIN <= each <= PIXELS_MAX for each in size):
                return Picture(_drawn(found.convert("RGBA"), kind), kind, *size)
    except (
        OSError, ValueError, SyntaxError, EOFError,
        Image.DecompressionBombError, Image.DecompressionBombWarning,
    ) as error:  # fmt: skip
        sentence = "This is no PNG or WebP picture that stands still and is whole."
        raise ProgramError([Fault("no-picture", sentence)]) from error
    width, height = size
    fine = f"{PIXELS_MIN} to {PIXELS_MAX} are fine"
    raise _too_large(f"The picture has {width} by {height} pixels; {fine}.")


def _drawn(picture: Image.Image, kind: str) -> bytes:
    """The picture as a file of its own."""
    picture.info.clear()  # a profile would be written along
    for how in _WAYS[kind]:
        out = BytesIO()
        picture.save(out, kind.removeprefix("image/"), **how)
        if out.tell() <= BYTES_MAX:
            return out.getvalue()
    raise _too_large(f"Drawn anew the picture is larger than {BYTES_MAX // 1024} KB.")


def _too_large(sentence: str) -> ProgramError:
    return ProgramError([Fault("picture-too-large", sentence)])
