"""Front: where a request goes in. What the API names goes through its gate; the rest are pages."""

from __future__ import annotations

from typing import Final

from starlette.types import Receive, Scope, Send

from kantis.desk.submit import Desk
from kantis.doors.api.app import application
from kantis.doors.api.lane import Lane
from kantis.doors.api.setup import USUAL, Setup
from kantis.doors.web.app import Web
from kantis.doors.web.doors import PAGES

_API: Final = ("/v1", "/healthz", "/readyz", "/metrics", "/openapi.json")
_TILL: Final = "/till"
_OWN: Final = ("/static/", "/card/", "/me/", "/account/", "/sign-in/", "/stop/")


class Front:
    """The service and its pages as one ASGI application."""

    def __init__(self, desk: Desk, setup: Setup = USUAL) -> None:
        self._gate = application(desk, setup)
        self.lane = Lane(self._gate)
        self._web = Web(PAGES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        office = self._gate.office
        if scope["type"] == "http" and office is not None and not _is_api(scope):
            await self._web(office, scope, receive, send)
        else:
            await self._gate(scope, receive, send)


def _is_api(scope: Scope) -> bool:
    """Whether a request is for the API; what is nowhere is told to each in its own way."""
    path: str = scope["path"]
    if path.startswith("/v1/") or path in _API:
        return True
    if path.startswith(_TILL):  # its worker and its queue say what they accept in other words
        return False
    accepts = dict(scope["headers"]).get(b"accept", b"")
    # a worker, a manifest and challenges of ours are asked for by the browser itself, and what
    # stops reminders is pressed by mail programs, which accept anything
    return b"text/html" not in accepts and not path.startswith(_OWN)
