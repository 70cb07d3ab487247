"""First: the call behind the one-time link, by which a script gets the first owner's key.

A person who opens the link in a browser gets a page instead; see ``doors/web/first.py``.
"""

from __future__ import annotations

from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from kantis.desk import firstlink
from kantis.doors.api.office import Office
from kantis.doors.api.problems import Problem

NAME: Final = "First owner"
SOURCE: Final = "owner"


async def open_link(request: Request) -> Response:
    """POST /first/{token}: the key, once."""
    office: Office = request.scope["state"]["office"]
    made = await office.act(firstlink.use, request.path_params["token"], NAME, SOURCE)
    if made is None:
        raise Problem("link-unknown")
    key, prefix = made
    told = {"key": key, "prefix": prefix, "scope": "owner", "source": SOURCE}
    return Response(msgspec.json.encode(told), 201, media_type="application/json")
