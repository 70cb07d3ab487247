"""Gate: what no lane takes passes here, and nothing gets through that ``access`` does not name.

It gives the request an id, finds out who calls, refuses what is not allowed, turns every
failure into a problem, and has it noted in the journal. The hot routes come next, without the
framework between them; everything else goes on to the application.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Mapping
from itertools import count
from typing import Any, Final

import structlog
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kantis.desk.results import NO_KEY
from kantis.doors.api.access import CHECKOUT, OPEN, SIGNED, Caller, Route, route_of
from kantis.doors.api.events import BODY_BYTES_MAX, EVENTS
from kantis.doors.api.office import Office
from kantis.doors.api.problems import Problem, response

_ID: Final = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_NO_STORE: Final = (b"cache-control", b"no-store")
#: Routes that read a body by themselves, because it is a file.
_STREAMED: Final = ("/v1/imports",)
_NOSNIFF: Final = (b"x-content-type-options", b"nosniff")
#: From here on a status says that the service itself is to blame.
_FAULTS: Final = 500
#: Begins the ids that requests get here.
_PROCESS: Final = secrets.token_hex(8)
_numbers: Final = count(1)

log: Any = structlog.get_logger()


class Gate:
    """Wraps the application; ``office`` is there once the service has started.

    ``hot`` are the routes by path that are called without the application.
    """

    def __init__(self, app: ASGIApp, hot: Mapping[str, ASGIApp]) -> None:
        self.app, self.hot = app, hot
        self.office: Office | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await _Visit(self, scope, receive, send).run()
        elif scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1000})


class _Visit:
    """One request on its way through the gate."""

    def __init__(self, gate: Gate, scope: Scope, receive: Receive, send: Send) -> None:
        assert gate.office is not None
        self._gate, self._office = gate, gate.office
        self._scope, self._receive, self._send = scope, receive, send
        self._headers = dict(scope["headers"])
        self._id = request_id(self._headers)
        self._status = 0
        self._route: Route | None = None
        self._caller: Caller | None = None

    async def run(self) -> None:
        started = time.perf_counter()
        try:
            await self._enter()
        except Problem as problem:
            await self._refuse(await self._instead(problem))
        except Exception as error:
            log.exception("fault", request=self._id, error=type(error).__name__)
            await self._refuse(Problem("fault"))
        self._note(time.perf_counter() - started)

    async def _enter(self) -> None:
        scope = self._scope
        if scope["method"] == "OPTIONS" and b"access-control-request-method" in self._headers:
            await self._preflight(scope["path"])
            return
        route = self._route = route_of(scope["method"], scope["path"])
        state = scope["state"] = {"office": self._office, "request": self._id}
        state["headers"] = self._headers
        if route.scopes not in (OPEN, SIGNED, CHECKOUT):
            secret, address = secret_of(self._headers), (scope.get("client") or ("",))[0]
            caller = self._office.known(secret, address) if route.path == EVENTS else None
            if caller is None:
                caller = await self._office.caller(secret, address)
            self._caller = state["caller"] = caller
            if caller.scope not in route.scopes:
                raise Problem("not-allowed")
            if caller.limits.per_minute:
                self._pace(caller)
        app, receive = self._gate.hot.get(route.path), self._receive
        if app is None and scope["method"] not in ("GET", "HEAD") and route.path not in _STREAMED:
            receive = await self._whole_body()
        await (app or self._gate.app)(scope, receive, self._answer)

    async def _instead(self, problem: Problem) -> Problem:
        """What a caller did wrong; but one whose key is revoked is told that, and nothing else."""
        if self._caller is not None and problem.status < _FAULTS:
            try:
                await self._office.check(self._caller)
            except Problem as other:
                return other if other.code == NO_KEY else problem
        return problem

    def _pace(self, caller: Caller) -> None:
        wait_s = self._office.pace.wait_s(caller.key, caller.limits.per_minute)
        if wait_s:
            raise Problem("too-often", retry_after=str(wait_s))

    async def _whole_body(self) -> Receive:
        """The body, read up to what is allowed, as the application will receive it."""
        parts, size, more = [], 0, True
        while more:
            message = await self._receive()
            if message["type"] != "http.request":
                raise Problem("malformed", "The body was cut off.")
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            more = message.get("more_body", False)
            if size > BODY_BYTES_MAX:
                raise Problem("body-too-large", connection="close")
        whole: list[Message] = [{"type": "http.request", "body": b"".join(parts)}]

        async def receive() -> Message:
            return whole.pop() if whole else await self._receive()

        return receive

    async def _preflight(self, path: str) -> None:
        """A browser asks whether a page may call: those of the shops may, and only at checkout."""
        asked = self._headers[b"access-control-request-method"].decode("latin-1")
        route = self._route = route_of(asked, path)
        if route.scopes is not CHECKOUT or not self._shared():
            raise Problem("other-origin")
        headers = {
            "access-control-allow-methods": route.method,
            "access-control-allow-headers": "authorization, content-type",
            "access-control-max-age": "600",
        }
        await Response(None, 204, headers)(self._scope, self._receive, self._answer)

    def _shared(self) -> list[tuple[bytes, bytes]]:
        """What lets a page of a shop read the answer; nothing for any other page."""
        origin = self._headers.get(b"origin", b"")
        if self._route is None or self._route.scopes is not CHECKOUT:
            return []
        if origin.decode("latin-1") not in self._office.setup.origins:
            return []
        return [(b"access-control-allow-origin", origin), (b"vary", b"Origin")]

    async def _answer(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            said = [*message.get("headers", ()), (b"x-request-id", self._id.encode()), _NOSNIFF]
            if b"cache-control" not in [name for name, _ in said]:
                said.append(_NO_STORE)
            if self._route is not None and self._route.scopes is CHECKOUT:
                said += self._shared()
            message["headers"] = said
        await self._send(message)

    async def _refuse(self, problem: Problem) -> None:
        if self._status:  # the answer has begun; all that is left is to end it
            return
        await response(problem, self._id)(self._scope, self._receive, self._answer)

    def _note(self, seconds: float) -> None:
        route, key = self._route, self._caller.key if self._caller is not None else ""
        path, method = (route.path, route.method) if route else ("none", "other")
        self._office.journal.note(self._id, method, path, self._status, seconds, key)


def secret_of(headers: Mapping[bytes, bytes]) -> str:
    """The key that came with a request; ``Problem`` where there is none."""
    scheme, _, secret = headers.get(b"authorization", b"").partition(b" ")
    secret = secret.strip()
    if scheme.lower() != b"bearer" or not secret:
        raise Problem("key-missing", www_authenticate="Bearer")
    return secret.decode("latin-1")


def request_id(headers: Mapping[bytes, bytes]) -> str:
    """The id that a caller has chosen for a request, or one that no other request has: of this
    process, and a number."""
    said = headers.get(b"x-request-id")
    if said and _ID.fullmatch(said):
        return said.decode()
    return f"{_PROCESS}{next(_numbers):08x}"
