"""History: what happened to an account, line by line, with what the member was asked about it."""

from __future__ import annotations

from typing import Any, Final

from starlette.responses import Response

from kantis.core.events import Purchase
from kantis.core.places import AVAILABLE, HELD, OWED, PENDING
from kantis.core.sentences import Amount
from kantis.desk.programs import Home
from kantis.desk.showing import Say, Told, told
from kantis.desk.submit import Desk
from kantis.desk.surveys import SCORES
from kantis.doors.web import questions
from kantis.doors.web.languages import marked as _
from kantis.doors.web.pages import Visit
from kantis.doors.web.places import Place
from kantis.doors.web.portal import own

#: Lines of history on a page.
PAGE: Final = 20
#: Where points are that a member has; behind a voucher they are spent.
_HAS: Final = (AVAILABLE, PENDING, HELD, OWED)
#: What an event is for a member; of others the sentences say enough.
_HAPPENED: Final = {
    "purchase": _("Purchase"), "claim": _("Purchase"), "refund": _("Return"),
    "cancel": _("Undone"), "redeem": _("Reward"), "capture": _("Reward"), "use": _("Voucher"),
    "enrol": _("Joined"), "adjust": _("Adjustment"), "load": _("Offer"), "choose": _("Choice"),
    "referred": _("A friend"),
}  # fmt: skip


async def history(visit: Visit) -> Response:
    """What happened, line by line, each with its why."""
    place, entries, older = await visit.office.read(_history, visit)
    found = await questions.about(visit, [str(each["event"]) for each in entries])
    return visit.page(
        "portal-history.html", place=place, say=place.speaker(visit.language), entries=entries,
        older=older, questions=found, scores=SCORES,
    )  # fmt: skip


def _history(reader: Desk, visit: Visit) -> tuple[Place, list[dict[str, Any]], int]:
    row, home, place = own(reader, visit)
    below = visit.number("below") or row.seq + 1
    last = min(below, row.seq + 1)
    first = max(1, last - PAGE)
    found = told(reader.books, home.program, [(row.id, seq) for seq in range(first, last)])
    say = place.teller(visit.language)
    entries = [{**each.plain(say), **_headline(home, each, say)} for each in reversed(found)]
    return place, entries, first if first > 1 else 0


def _headline(home: Home, entry: Told, say: Say) -> dict[str, Any]:
    """What it was, what was bought for how much, and what the member has more or less by it."""
    sums: dict[str, int] = {}
    for balance, source, target, amount, *_more in entry.entry.decision.postings:
        change = ((target in _HAS) - (source in _HAS)) * amount
        sums[balance] = sums.get(balance, 0) + change
    units = home.program.units
    event = entry.event
    body = event.body if event is not None else None
    money = sum(each.amount for each in body.lines) if isinstance(body, Purchase) else 0
    return {
        "happened": _HAPPENED.get(event.type if event is not None else "", ""),
        "money": home.program.money.number(money) if money else "",
        "moved": [
            (amount > 0, say(Amount(units[balance], abs(amount))))
            for balance, amount in sums.items()
            if amount and balance in units
        ],
    }
