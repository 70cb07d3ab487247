"""Public: what anybody may read before joining: the programs, and the terms of each."""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response

from kantis.desk.submit import Desk
from kantis.doors.web import reckoning
from kantis.doors.web.pages import HEADERS, THEME_COOKIE, THEMES, NotHere, Visit
from kantis.doors.web.places import Place, place_of


async def start(visit: Visit) -> Response:
    """The programs that there are; with one only, that one."""
    shown = await visit.office.read(_programs)
    if len(shown) == 1:
        return visit.go(f"/p/{shown[0].name}")
    return visit.page("start.html", programs=shown)


async def program(visit: Visit) -> Response:
    """A program: what it is about, and its terms in sentences."""
    shown = await visit.office.read(_program, visit.about["program"])
    told = reckoning.habits_of(visit, shown)
    years = []
    if told.visits and told.amount:
        years = await visit.office.study(reckoning.years, shown, told)
    return visit.page(
        "program.html", program=shown, chapters=shown.chapters(visit.language), told=told,
        years=years, say=shown.speaker(visit.language), categories=reckoning.categories(shown),
        by=visit.request.query_params.get("by", ""),
    )  # fmt: skip


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


def _programs(reader: Desk) -> list[Place]:
    homes = [reader.homes.numbered(n) for n in reader.books.programs().values()]
    return [place_of(home, reader.clock()) for home in homes]


def _program(reader: Desk, name: str) -> Place:
    number = reader.books.programs().get(name)
    if number is None:
        raise NotHere
    return place_of(reader.homes.numbered(number), reader.clock())
