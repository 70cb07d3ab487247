"""Pages: what every page has: its language, its look, and headers that keep it safe.

Guarantee: a page asks nobody but this service for anything, and runs no script and no style
that stands in it: the policy of each page says so to the browser. What is shown is escaped.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from kantis.doors.api.office import Office
from kantis.doors.web import static
from kantis.doors.web.languages import LANGUAGES, Language, choose

TEMPLATES: Final = Path(__file__).parent / "templates"
LANGUAGE_COOKIE: Final = "language"
THEME_COOKIE: Final = "theme"
THEMES: Final = ("auto", "light", "dark")
YEAR_S: Final = 365 * 24 * 3600

POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "worker-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS: Final = {
    "content-security-policy": POLICY,
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(self), microphone=(), geolocation=()",
    "cache-control": "no-store",
}


class NotHere(Exception):
    """There is no such page, or not for whoever asks."""


class Visit:
    """A request for a page, and what is known of whoever makes it."""

    def __init__(self, request: Request, office: Office, about: dict[str, str]) -> None:
        self.request, self.office, self.about = request, office, about
        asked = request.query_params.get("lang") or request.cookies.get(LANGUAGE_COOKIE, "")
        self.language: Language = choose(asked, request.headers.get("accept-language", ""))
        theme = request.cookies.get(THEME_COOKIE, "")
        self.theme = theme if theme in THEMES else "auto"

    def page(self, template: str, *, status: int = 200, **shown: Any) -> Response:
        """A page of a template, in the language of whoever asked."""
        language = self.language
        text = (
            _templates(language.tag)
            .get_template(template)
            .render(
                visit=self,
                language=language,
                languages={tag: name for tag, (name, _) in LANGUAGES.items()},
                theme=self.theme,
                here=self.here,
                **shown,
            )
        )
        headers = {**HEADERS, "content-language": language.tag, "vary": "accept-language, cookie"}
        answer = Response(text, status, headers, media_type="text/html")
        if self.request.query_params.get("lang") == language.tag:
            self.keep(answer, LANGUAGE_COOKIE, language.tag)
        return answer

    def here(self, **change: str) -> str:
        """This address with other values behind the question mark."""
        said = dict(parse_qsl(self.request.url.query)) | change
        query = urlencode({name: value for name, value in said.items() if value})
        return self.request.url.path + ("?" + query if query else "")

    def keep(self, answer: Response, name: str, value: str) -> None:
        """A choice of theirs that is no secret, for a year."""
        answer.set_cookie(
            name, value, max_age=YEAR_S, samesite="lax", httponly=True, secure=self.is_secure
        )

    @property
    def is_secure(self) -> bool:
        """Whether the browser reached us over TLS, or on this machine."""
        return self.request.url.scheme == "https"

    def go(self, path: str) -> Response:
        """Send the browser on after a form."""
        return RedirectResponse(path, 303, HEADERS)


@cache
def _templates(tag: str) -> Environment:
    """The templates with the words of a language."""
    from kantis.doors.web.languages import language

    spoken = language(tag)
    found = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    found.install_gettext_callables(  # type: ignore[attr-defined]
        spoken.gettext, spoken.ngettext, newstyle=True
    )
    found.globals["static"] = static.url
    return found
