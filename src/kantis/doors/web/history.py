"""History: what happened to an account, line by line, with what the member was asked about it."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from kantis.desk.showing import told
from kantis.desk.submit import Desk
from kantis.desk.surveys import SCORES
from kantis.doors.web import questions
from kantis.doors.web.pages import Visit
from kantis.doors.web.places import Place
from kantis.doors.web.portal import own

#: Lines of history on a page.
PAGE: Final = 20


async def history(visit: Visit) -> Response:
    """What happened, line by line, each with its why."""
    place, entries, older = await visit.office.read(_history, visit)
    found = await questions.about(visit, [str(each["event"]) for each in entries])
    return visit.page(
        "portal-history.html", place=place, say=place.speaker(visit.language), entries=entries,
        older=older, questions=found, scores=SCORES,
    )  # fmt: skip


def _history(reader: Desk, visit: Visit) -> tuple[Place, list[dict[str, object]], int]:
    row, home, place = own(reader, visit)
    below = visit.number("below") or row.seq + 1
    last = min(below, row.seq + 1)
    first = max(1, last - PAGE)
    found = told(reader.books, home.program, [(row.id, seq) for seq in range(first, last)])
    say = place.teller(visit.language)
    return place, [each.plain(say) for each in reversed(found)], first if first > 1 else 0
