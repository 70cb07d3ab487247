"""Public: what anybody may read before joining: the programs, and the terms of each."""

from __future__ import annotations

from msgspec import Struct
from starlette.responses import RedirectResponse, Response

from kantis.core import dated
from kantis.core.knobs import Node
from kantis.desk.programs import Home
from kantis.desk.submit import Desk
from kantis.doors.web.languages import said
from kantis.doors.web.pages import HEADERS, THEME_COOKIE, THEMES, NotHere, Visit
from kantis.doors.web.terms import Chapter, chapters


class Shown(Struct, frozen=True):
    """A program as anybody sees it."""

    name: str
    titles: dict[str, str]
    about: str
    tree: dict[str, Node]

    def title(self, tag: str) -> str:
        """How members read its name."""
        return said(self.titles, tag, self.name)


async def start(visit: Visit) -> Response:
    """The programs that there are; with one only, that one."""
    shown = await visit.office.read(_programs)
    if len(shown) == 1:
        return visit.go(f"/p/{shown[0].name}")
    return visit.page("start.html", programs=shown)


async def program(visit: Visit) -> Response:
    """A program: what it is about, and its terms in sentences."""
    shown = await visit.office.read(_program, visit.about["program"])
    return visit.page("program.html", program=shown, chapters=_chapters(visit, shown))


async def theme(visit: Visit) -> Response:
    """Keep which colours somebody likes."""
    name = visit.about["theme"]
    if name not in THEMES:
        raise NotHere
    back = visit.request.headers.get("referer", "/")
    own = f"{visit.request.url.scheme}://{visit.request.url.netloc}/"
    answer = RedirectResponse(back if back.startswith(own) else "/", 303, HEADERS)
    visit.keep(answer, THEME_COOKIE, name)
    return answer


def _chapters(visit: Visit, shown: Shown) -> list[Chapter]:
    return chapters(shown.tree, visit.language)


def _programs(reader: Desk) -> list[Shown]:
    homes = [reader.homes.numbered(n) for n in reader.books.programs().values()]
    return [_shown(home, reader.clock()) for home in homes]


def _program(reader: Desk, name: str) -> Shown:
    number = reader.books.programs().get(name)
    if number is None:
        raise NotHere
    return _shown(reader.homes.numbered(number), reader.clock())


def _shown(home: Home, now: int) -> Shown:
    plan = home.program.plan(now)
    version = next(each for each in home.program.versions if each.number == plan.version)
    tree = dated.at(version.tree, plan.calendar.wall(now))
    assert tree is not None
    head = plan.head
    return Shown(home.name, head.title, head.about, tree.value)
