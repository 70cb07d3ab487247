"""Bodies: what every route with a body has in common: its media, its size, its id."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request

from kantis.doors.api.problems import Problem

BODY_BYTES_MAX: Final = 4 << 20


async def json_body(request: Request) -> bytes:
    """The body of a request, as JSON that is not too large."""
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != "application/json":
        raise Problem("media-type")
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > BODY_BYTES_MAX:
            raise Problem("body-too-large", connection="close")
        parts.append(part)
    return b"".join(parts)


def idempotency_key(said: str) -> str:
    """The id that a header says, as a structured string or bare."""
    said = said.strip()
    if len(said) > 1 and said[0] == said[-1] == '"':
        said = said[1:-1]
    return said
