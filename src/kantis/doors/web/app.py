"""The web application: pages before whom nothing but what ``PAGES`` names is let through."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final
from urllib.parse import urlencode

import structlog
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from kantis.doors.api.office import Office
from kantis.doors.api.problems import Problem
from kantis.doors.web import static
from kantis.doors.web.pages import COUNTER, TILL, NotHere, Visit

log: Any = structlog.get_logger()

#: Where somebody sets up the second factor that they need.
_OWN_SIGN_IN: Final = "/account"
#: For a year; of this host, and not of others of its domain.
_ONLY_TLS: Final = "max-age=31536000"

Handler = Callable[[Visit], Awaitable[Response]]

#: Whoever comes, signed in or not.
ANYBODY: Final = frozenset({"anybody"})
#: Whoever has an account, and has signed in to it.
MEMBER: Final = frozenset({"member"})
#: A device that was paired; and one at which a cashier stands.
PAIRED: Final = frozenset({TILL})
AT_COUNTER: Final = frozenset({COUNTER})


class Page(Struct, frozen=True):
    """A method on a path, who may ask for it, and what answers.

    ``anywhere``: whoever has the address may send the form, from no page of ours; the address
    is the secret, and nobody has to be signed in.
    """

    method: str
    path: str
    whose: frozenset[str]
    handler: Handler
    anywhere: bool = False


class Web:
    """All pages. ``office`` is handed in with each request: it is there once we serve."""

    def __init__(self, pages: Sequence[Page]) -> None:
        self.pages = tuple(pages)
        self._patterns = [
            (re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", each.path)), each) for each in pages
        ]

    async def __call__(self, office: Office, scope: Scope, receive: Receive, send: Send) -> None:
        name = secrets.token_hex(8)
        started, route = time.perf_counter(), "none"
        request = Request(scope, receive)
        file = static.files().get(scope["path"]) if scope["method"] in ("GET", "HEAD") else None
        if file is not None:
            route, answer = static.START, Response(file.body, 200, file.headers)
        else:
            visit = Visit(request, office)
            try:
                page, visit.about = self._found(scope["method"], scope["path"])
                route = page.path
                if not page.anywhere:
                    _same_site(request)
                await visit.recognise()
                if scope["path"].startswith("/till"):
                    await visit.recognise_till()
                answer = await _answer(page, visit)
            except NotHere:
                answer = visit.page("not-here.html", status=404)
            except Problem as problem:
                answer = visit.page("trouble.html", status=problem.status, problem=problem)
            except Exception as error:
                log.exception("fault", request=name, error=type(error).__name__)
                answer = visit.page("trouble.html", status=500, problem=None)
        answer.headers["x-request-id"] = name
        if request.url.scheme == "https":  # from now on this browser comes by TLS only
            answer.headers["strict-transport-security"] = _ONLY_TLS
        await answer(scope, receive, send)
        seconds = time.perf_counter() - started
        office.journal.note(name, scope["method"], route, answer.status_code, seconds, "")

    def _found(self, method: str, path: str) -> tuple[Page, dict[str, str]]:
        for pattern, page in self._patterns:
            match = pattern.fullmatch(path)
            if match and method in (page.method, "HEAD" if page.method == "GET" else ""):
                return page, match.groupdict()
        raise NotHere


async def _answer(page: Page, visit: Visit) -> Response:
    """What the page answers, if it is for whoever asks."""
    if page.whose is not ANYBODY and not visit.is_one_of(page.whose):
        if page.whose in (PAIRED, AT_COUNTER) and visit.device is not None:
            return visit.go("/till/sign-in")
        if page.whose in (PAIRED, AT_COUNTER) and visit.request.method == "GET":
            return visit.go("/till/pair")
        if visit.session is not None or visit.request.method != "GET":
            raise NotHere
        door = "/me/sign-in" if page.whose is MEMBER else "/sign-in"
        return visit.go(f"{door}?{urlencode({'next': visit.here()})}")
    lacks = visit.session is not None and visit.session.lacks
    if lacks and page.whose is not ANYBODY and not page.path.startswith(_OWN_SIGN_IN):
        return visit.go("/account/second")
    return await page.handler(visit)


def _same_site(request: Request) -> None:
    """A form of another site changes nothing here."""
    if request.method in ("GET", "HEAD"):
        return
    site = request.headers.get("sec-fetch-site", "")
    origin = request.headers.get("origin", "")
    own = f"{request.url.scheme}://{request.url.netloc}"
    if site not in ("same-origin", "none", "") or (origin and origin != own):
        raise Problem("not-allowed")
    if not site and not origin:
        raise Problem("not-allowed")
