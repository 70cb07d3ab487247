"""First: the page behind the one-time link, where the first admin gets a key.

Looking at it uses nothing up, so that no preview of a chat takes the key: it is made by the
button. The page has no script and takes nothing from anywhere. A program asks for JSON.
"""

from __future__ import annotations

import base64
import hashlib
from html import escape
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from kantis.desk import firstlink
from kantis.doors.api.office import Office
from kantis.doors.api.problems import Problem

_STYLE: Final = (
    "body{font:1.1rem/1.5 system-ui,sans-serif;max-width:38rem;margin:3rem auto;padding:0 1rem;"
    "color-scheme:light dark}code{display:block;padding:1rem;border:1px solid;"
    "overflow-wrap:anywhere}button{font:inherit;padding:.6rem 1.2rem}"
)
_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_HEADERS: Final = {
    "content-security-policy": f"default-src 'none'; style-src 'sha256-{_HASH}'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
}
_PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width"><style>{style}</style></head>
<body><main><h1>{title}</h1>
{main}
</main></body></html>
"""
_ASK: Final = """<p>This link makes the first key of this installation: an owner's, which makes
all other keys and publishes programs. It works once.</p>
<form method="post"><button>Show me the key</button></form>"""
_SHOWN: Final = """<p>This is the first owner's key. Keep it: it is not shown again.</p>
<code>{key}</code>
<p>With it you publish a program and make a key for each till. To revoke it:
<br><code>kantis key revoke {prefix}</code></p>"""
NAME: Final = "First owner"
SOURCE: Final = "owner"


async def look(request: Request) -> Response:
    """GET /first/{token}: what the link does, and a button."""
    office: Office = request.scope["state"]["office"]
    if not await office.read(firstlink.opens, request.path_params["token"]):
        return _gone(request)
    return _page("The first key", _ASK)


async def open_link(request: Request) -> Response:
    """POST /first/{token}: the key, once."""
    office: Office = request.scope["state"]["office"]
    made = await office.act(firstlink.use, request.path_params["token"], NAME, SOURCE)
    if made is None:
        return _gone(request)
    key, prefix = made
    if not _wants_page(request):
        told = {"key": key, "prefix": prefix, "scope": "owner", "source": SOURCE}
        return Response(msgspec.json.encode(told), 201, media_type="application/json")
    return _page("Your key", _SHOWN.format(key=escape(key), prefix=escape(prefix)), 201)


def _wants_page(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "")


def _gone(request: Request) -> Response:
    """A person reads a sentence, a program gets the problem."""
    problem = Problem("link-unknown")
    if not _wants_page(request):
        raise problem
    return _page(problem.title, f"<p>{escape(problem.detail)}</p>", problem.status)


def _page(title: str, main: str, status: int = 200) -> Response:
    page = _PAGE.format(title=escape(title), style=_STYLE, main=main)
    return Response(page, status, _HEADERS, "text/html")
