"""Drawing: pictures as people bring them, with more in them than the picture."""

from io import BytesIO
from typing import Any

from PIL import Image, PngImagePlugin

#: What a picture says beside its pixels, and nobody else is to read.
SECRET = b"where the shop is"
RED = (192, 32, 48, 255)


def picture(kind: str, width: int, height: int, **how: Any) -> bytes:
    """A picture of one colour."""
    out = BytesIO()
    Image.new("RGBA", (width, height), RED).save(out, kind, **how)
    return out.getvalue()


def png(width: int, height: int) -> bytes:
    """A PNG picture with nothing but its pixels."""
    return picture("PNG", width, height)


def talkative(kind: str, width: int = 32, height: int = 16, **how: Any) -> bytes:
    """A picture with a place, a profile and a text in it, and more behind its end."""
    said = PngImagePlugin.PngInfo()
    said.add_text("Comment", SECRET.decode())
    exif = Image.Exif()
    exif[0x010E] = SECRET.decode()
    more = {"pnginfo": said} if kind == "PNG" else {"xmp": SECRET}
    return picture(kind, width, height, exif=exif, icc_profile=SECRET, **more, **how) + SECRET


def moving(kind: str) -> bytes:
    """A picture that moves."""
    out = BytesIO()
    first, *rest = (Image.new("RGB", (32, 16), (shade, 0, 0)) for shade in (0, 90, 180))
    first.save(out, kind, save_all=True, append_images=rest, duration=50)
    return out.getvalue()
