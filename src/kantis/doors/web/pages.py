"""Pages: what every page has: its language, its look, and headers that keep it safe.

Guarantee: a page asks nobody but this service for anything, and runs no script and no style
that stands in it: the policy of each page says so to the browser. What is shown is escaped.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any, Concatenate, Final, ParamSpec, TypeVar
from urllib.parse import parse_qsl, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from kantis.desk import tills
from kantis.desk.audit import By
from kantis.desk.export import cell_of
from kantis.desk.sessions import Session, find, see
from kantis.desk.staff import Staff
from kantis.desk.submit import Desk
from kantis.doors.api.access import Caller
from kantis.doors.api.office import Office
from kantis.doors.api.problems import Problem
from kantis.doors.web import static
from kantis.doors.web.languages import LANGUAGES, Language, choose, language
from kantis.doors.web.menu import Shown, beside, menu

_P = ParamSpec("_P")
_T = TypeVar("_T")

TEMPLATES: Final = Path(__file__).parent / "templates"
LANGUAGE_COOKIE: Final = "language"
THEME_COOKIE: Final = "theme"
#: What a page is for, beside roles: a paired till, and one that a cashier stands at.
TILL: Final = "till"
COUNTER: Final = "counter"
THEMES: Final = ("auto", "light", "dark")
#: Whoever works here may be a member too, in the same browser: each sign-in has its own cookie,
#: and the address of a page says which of them counts there.
STAFF_COOKIE: Final = "session"
MEMBER_COOKIE: Final = "member"
_OF_MEMBERS: Final = ("/me", "/open/", "/lock/", "/p/")
FIELDS_MAX: Final = 200
_DIGITS_MAX: Final = 19
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

    def __init__(self, request: Request, office: Office) -> None:
        self.request, self.office = request, office
        self.about: dict[str, str] = {}
        self.session: Session | None = None
        self.device: Caller | None = None
        self.cashier: Staff | None = None
        asked = request.query_params.get("lang") or request.cookies.get(LANGUAGE_COOKIE, "")
        self.language: Language = choose(asked, request.headers.get("accept-language", ""))
        theme = request.cookies.get(THEME_COOKIE, "")
        self.theme = theme if theme in THEMES else "auto"

    def page(self, template: str, *, status: int = 200, **shown: Any) -> Response:
        """A page of a template, in the language of whoever asked."""
        spoken = self.language
        text = (
            _templates(spoken.tag)
            .get_template(template)
            .render(
                visit=self,
                language=spoken,
                session=self.session,
                languages={tag: name for tag, (name, _) in LANGUAGES.items()},
                theme=self.theme,
                here=self.here,
                **shown,
            )
        )
        headers = {**HEADERS, "content-language": spoken.tag, "vary": "accept-language, cookie"}
        answer = Response(text, status, headers, media_type="text/html")
        if self.request.query_params.get("lang") == spoken.tag:
            self.keep(answer, LANGUAGE_COOKIE, spoken.tag)
        return answer

    def here(self, **change: str) -> str:
        """This address with other values behind the question mark."""
        said = dict(parse_qsl(self.request.url.query)) | change
        query = urlencode({name: value for name, value in said.items() if value})
        return self.request.url.path + ("?" + query if query else "")

    def is_one_of(self, whose: frozenset[str]) -> bool:
        """Whether whoever is signed in has one of these roles, or is a member where that is one."""
        if TILL in whose or COUNTER in whose:
            return self.device is not None and (TILL in whose or self.cashier is not None)
        if self.session is None:
            return False
        staff = self.session.staff
        return (staff.role if staff is not None else "member") in whose

    def menu(self, program: str) -> tuple[list[Shown], list[Shown]]:
        """The menu of the console for whoever is signed in, as it stands at this page."""
        return menu(program, self.staff.role, self.request.url.path)

    def beside(self) -> list[Shown]:
        """The pages beside all programs for whoever is signed in."""
        return beside(self.staff.role, self.request.url.path)

    @property
    def staff(self) -> Staff:
        """Who of the staff is signed in; the page is for nobody else."""
        assert self.session is not None
        assert self.session.staff is not None
        return self.session.staff

    @property
    def by(self) -> By:
        """Who does what is done here, for the audit log."""
        return By(self.staff.login, self.staff.name)

    @property
    def today(self) -> str:
        """The day by the clock of the desk, in UTC."""
        at = dt.datetime.fromtimestamp(self.office.desk.clock() / 1000, dt.UTC)
        return self.language.day(at.toordinal())

    @property
    def address(self) -> str:
        """The address under which the browser reached us. Only they may believe it: whoever
        asks can write there what they like."""
        return f"{self.request.url.scheme}://{self.request.url.netloc}"

    @property
    def site(self) -> str:
        """The address that the service was told, else the one of ``address``; no slash ends it."""
        return (self.office.setup.address or self.address).rstrip("/")

    @property
    def place(self) -> str:
        """Where on the network somebody comes from; to be counted under a keyed hash only."""
        return self.request.client.host if self.request.client is not None else ""

    async def form(self) -> dict[str, str]:
        """The fields of a form, without what is no text."""
        form = await self.request.form(max_files=0, max_fields=FIELDS_MAX)
        return {name: value for name, value in form.items() if isinstance(value, str)}

    @property
    def _badge(self) -> str:
        """The cookie of the session that counts at this address."""
        return MEMBER_COOKIE if self.request.url.path.startswith(_OF_MEMBERS) else STAFF_COOKIE

    async def recognise(self) -> None:
        """Find out who is signed in."""
        token = self.entrusted(self._badge)
        if not token:
            return
        office = self.office
        self.session = await office.read(lambda reader: find(reader.books, token, reader.clock()))
        if self.session is not None and self.session.stale:
            await self.change(see, self.session)

    async def recognise_till(self) -> None:
        """Find out which till this is, and who stands at it."""
        token, office = self.entrusted("till"), self.office
        if not token:
            return
        try:
            caller = await office.caller(token, self.place)
        except Problem:  # its key was revoked, or is none
            return
        found = await office.read(
            lambda reader: tills.standing(reader.books, caller.key, caller.number, reader.clock())
        )
        if found is None or caller.scope != tills.SCOPE:
            return
        self.device, self.cashier = caller, found.cashier
        if self.cashier is None and self.session is not None and self.session.staff is not None:
            staff = self.session.staff
            if (
                not self.session.lacks
                and staff.role in tills.ROLES
                and staff.program in (0, caller.number)
            ):
                self.cashier = staff
        elif self.cashier is not None and found.stale:
            await self.change(tills.stand, caller.key, self.cashier.number)

    @property
    def till(self) -> Caller:
        """The till; the page is for nothing else."""
        assert self.device is not None
        return self.device

    def cookie(self, name: str) -> str:
        """A cookie's name, which holds it to this host where the browser can see that it is."""
        return f"__Host-{name}" if self.is_secure else name

    def entrust(self, answer: Response, name: str, secret: str, lasts_s: int = YEAR_S) -> None:
        """Give the browser something secret for so long, which no script and no other host gets."""
        answer.set_cookie(
            self.cookie(name), secret, max_age=lasts_s, path="/", samesite="lax", httponly=True,
            secure=self.is_secure,
        )  # fmt: skip

    def entrusted(self, name: str) -> str:
        """What the browser was entrusted with under that name; empty where it has nothing."""
        return self.request.cookies.get(self.cookie(name), "")

    def keep_till(self, answer: Response, secret: str) -> None:
        """Give a device the key of its till."""
        self.entrust(answer, "till", secret)

    async def change(
        self, do: Callable[Concatenate[Desk, _P], _T], *about: _P.args, **named: _P.kwargs
    ) -> _T:
        """Change something in the books that is no event."""
        return await self.office.act(do, *about, **named)

    def open_session(self, answer: Response, token: str) -> None:
        """Give the browser its session, until it is closed or signs out."""
        self.entrust(answer, self._badge, token)

    def close_session(self, answer: Response) -> None:
        """Take the session from the browser."""
        self.drop(answer, self._badge)

    def drop(self, answer: Response, name: str) -> None:
        """Take a cookie from the browser."""
        answer.delete_cookie(self.cookie(name), path="/", secure=self.is_secure, httponly=True)

    def number(self, name: str) -> int:
        """A whole number behind the question mark; 0 where there is none."""
        return whole(self.request.query_params.get(name, ""))

    def keep(self, answer: Response, name: str, value: str) -> None:
        """A choice of theirs that is no secret, for a year."""
        answer.set_cookie(
            name, value, max_age=YEAR_S, samesite="lax", httponly=True, secure=self.is_secure
        )

    @property
    def is_secure(self) -> bool:
        """Whether the browser reached us over TLS, or on this machine."""
        return self.request.url.scheme == "https"

    def onward(self, form: dict[str, str] | None = None) -> str:
        """The page that somebody wanted, by the address or a form; one of ours only."""
        wanted = self.request.query_params.get("next", "") if form is None else form.get("next", "")
        ours = wanted.startswith("/") and not wanted.startswith(("//", "/\\"))
        return wanted if ours and wanted.isprintable() else ""

    def go(self, path: str) -> Response:
        """Send the browser on after a form."""
        return RedirectResponse(path, 303, HEADERS)

    def file(self, name: str, data: str | bytes, kind: str) -> Response:
        """A file for whoever asked, which the browser saves under that name."""
        about = {"content-disposition": f'attachment; filename="{name}"'}
        return Response(data, 200, HEADERS | about, media_type=kind)

    def table(self, name: str, head: Iterable[str], rows: Iterable[Iterable[Any]]) -> Response:
        """A table as ``NAME.csv``; a spreadsheet takes no cell for a formula."""
        text = io.StringIO()
        csv.writer(text).writerows([cell_of(each) for each in row] for row in (head, *rows))
        return self.file(f"{name}.csv", text.getvalue(), "text/csv")


def whole(text: str) -> int:
    """A whole number out of an address; 0 where it is none.

    >>> whole("12"), whole("-1"), whole("9" * 30)
    (12, 0, 0)
    """
    fits = text.isascii() and text.isdecimal() and len(text) < _DIGITS_MAX
    return int(text) if fits else 0


@cache
def _templates(tag: str) -> Environment:
    """The templates with the words of a language."""
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
