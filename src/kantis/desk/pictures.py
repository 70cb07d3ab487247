"""Pictures: a logo that somebody brings, as far as it is safe to show to everybody.

Guarantee: what is kept is a PNG or WebP picture that stands still, of at most 64 KB and 1,024
pixels each way, without anything that is not the picture: texts, places, profiles, and what
stands behind its end are left out. Anything else is refused, SVG too, as it can hold scripts.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from kantis.core.knobs import Fault, ProgramError

BYTES_MAX: Final = 64 * 1024
PIXELS_MIN: Final = 16
PIXELS_MAX: Final = 1024
PNG: Final = "image/png"
WEBP: Final = "image/webp"

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_KEPT_PNG: Final = (b"IHDR", b"PLTE", b"tRNS", b"sRGB", b"gAMA", b"IDAT", b"IEND")
#: Samples of a pixel by the colour type of PNG.
_SAMPLES: Final = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_KEPT_WEBP: Final = (b"VP8 ", b"VP8L", b"VP8X", b"ALPH")
_MOVING: Final = (b"ANIM", b"ANMF")
#: Of the flags of an extended WebP picture, the one that says that it can be seen through.
_ALPHA: Final = 0x10


class Picture(Struct, frozen=True):
    """A picture that may be shown: its bytes, its media type, and its size in pixels."""

    data: bytes
    kind: str
    width: int
    height: int


def checked(data: bytes) -> Picture:
    """A picture without what does not belong to it; ``ProgramError`` for what is none."""
    if len(data) > BYTES_MAX:
        raise _wrong("picture-too-large", f"The picture is larger than {BYTES_MAX // 1024} KB.")
    try:
        if data.startswith(_SIGNATURE):
            found = _png(data)
        elif data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            found = _webp(data)
        else:
            raise ValueError("neither PNG nor WebP")
    except (ValueError, IndexError, struct.error, zlib.error) as error:
        sentence = f"This is no PNG or WebP picture that stands still: {error}."
        raise _wrong("no-picture", sentence) from error
    if not all(PIXELS_MIN <= each <= PIXELS_MAX for each in (found.width, found.height)):
        size = f"{found.width} by {found.height} pixels"
        sentence = f"The picture has {size}; {PIXELS_MIN} to {PIXELS_MAX} are fine."
        raise _wrong("picture-too-large", sentence)
    return found


def _png(data: bytes) -> Picture:
    parts, pixels, size = [_SIGNATURE], b"", (0, 0, 0)
    for name, body in _chunks_of_png(data):
        if not size[2] and name != b"IHDR":
            raise ValueError("it does not begin with its size")
        if name == b"IHDR":
            size = _size_of_png(body)
        elif name == b"IDAT":
            pixels += body
        if name in _KEPT_PNG:
            said = name + body
            parts += [struct.pack(">I", len(body)), said, struct.pack(">I", zlib.crc32(said))]
    width, height, most = size
    unpacker = zlib.decompressobj()
    if not unpacker.decompress(pixels, most) or not unpacker.eof:
        raise ValueError("its pixels do not fit its size")
    return Picture(b"".join(parts), PNG, width, height)


def _chunks_of_png(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(_SIGNATURE)
    while True:
        length, name = struct.unpack_from(">I4s", data, at)
        body = data[at + 8 : at + 8 + length]
        (check,) = struct.unpack_from(">I", data, at + 8 + length)
        if zlib.crc32(name + body) != check:
            raise ValueError("a part of it is damaged")
        yield name, body
        if name == b"IEND":
            return
        at += 12 + length


def _size_of_png(body: bytes) -> tuple[int, int, int]:
    """Width, height, and the most bytes that its pixels unpack to."""
    width, height, depth, colour, _, _, woven = struct.unpack(">IIBBBBB", body)
    if not (0 < width <= PIXELS_MAX and 0 < height <= PIXELS_MAX):
        raise ValueError(f"it has {width} by {height} pixels, and at most {PIXELS_MAX} are fine")
    line = (width * depth * _SAMPLES.get(colour, 4) + 7) // 8 + 1
    return width, height, line * height * (2 if woven else 1) + 64


def _webp(data: bytes) -> Picture:
    (length,) = struct.unpack_from("<I", data, 4)
    if length + 8 > len(data):
        raise ValueError("it ends too early")
    parts, size, at = [], (0, 0), 12
    while at < length + 8:
        name, most = struct.unpack_from("<4sI", data, at)
        body = data[at + 8 : at + 8 + most]
        if len(body) != most:
            raise ValueError("it ends too early")
        if name in _MOVING:
            raise ValueError("it moves")
        if name == b"VP8X":
            body = bytes([body[0] & _ALPHA, 0, 0, 0]) + body[4:10]
        if name in _KEPT_WEBP:
            parts += [name, struct.pack("<I", len(body)), body, b"\0" * (len(body) % 2)]
        size = size if any(size) else _size_of_webp(name, body)
        at += 8 + most + most % 2
    kept = b"WEBP" + b"".join(parts)
    if not any(size) or not any(name in parts for name in (b"VP8 ", b"VP8L")):
        raise ValueError("there is no picture in it")
    return Picture(b"RIFF" + struct.pack("<I", len(kept)) + kept, WEBP, *size)


def _size_of_webp(name: bytes, body: bytes) -> tuple[int, int]:
    if name == b"VP8X":
        return (
            int.from_bytes(body[4:7], "little") + 1,
            int.from_bytes(body[7:10], "little") + 1,
        )
    if name == b"VP8L" and body[0] == 0x2F:
        bits = int.from_bytes(body[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if name == b"VP8 " and body[3:6] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", body, 6)
        return width & 0x3FFF, height & 0x3FFF
    return 0, 0


def _wrong(code: str, sentence: str) -> ProgramError:
    return ProgramError([Fault(code, sentence)])
