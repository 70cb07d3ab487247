"""Drawing: pictures as browsers write them, whole and with more in them than the picture."""

import struct
import zlib

#: What chromium makes of one colour, 24 by 20 pixels: lossy with what can be seen through, and
#: without loss.
ALPH = bytes.fromhex("010750b388080004e17fdd4044ff5305")
VP8 = bytes.fromhex(
    "f002009d012a180014003f71b2d06034ae29a5a80802902e096500003d9ee00000fedf803e83e2e5fffa89ec23"
    "bef98000000000"
)
VP8L = bytes.fromhex("2f17c0040007508f2217a5ff8188e87f00")
SECRET = b"where the shop is"


def chunk(name: bytes, body: bytes) -> bytes:
    """A part of a PNG picture."""
    said = name + body
    return struct.pack(">I", len(body)) + said + struct.pack(">I", zlib.crc32(said))


def png(width: int, height: int, *more: bytes, lines: bytes = b"") -> bytes:
    """A picture of one colour, with more parts (their name first) before its pixels."""
    lines = lines or (b"\0" + b"\xc0\x20\x30" * width) * height
    size = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = [
        chunk(b"IHDR", size), *(chunk(each[:4], each[4:]) for each in more),
        chunk(b"IDAT", zlib.compress(lines)), chunk(b"IEND", b""),
    ]  # fmt: skip
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def webp(*parts: tuple[bytes, bytes]) -> bytes:
    """A WebP picture of these parts."""
    body = b"WEBP" + b"".join(
        name + struct.pack("<I", len(each)) + each + b"\0" * (len(each) % 2) for name, each in parts
    )
    return b"RIFF" + struct.pack("<I", len(body)) + body


def extended(flags: int) -> tuple[bytes, bytes]:
    """The part that says what else is in such a picture of 24 by 20 pixels."""
    return b"VP8X", bytes([flags, 0, 0, 0, 23, 0, 0, 19, 0, 0])
