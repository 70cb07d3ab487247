"""Adjustments: support proposes, a second person answers, and what was done stays in a list.

Guarantee: whoever proposed an adjustment never answers it. Above what one person may do alone
nothing is given or taken before somebody else has approved it. A form that is sent twice is
one adjustment.
"""

from __future__ import annotations

import secrets
from typing import Final

from msgspec import Struct
from starlette.responses import Response

from kantis.core.amounts import Unit
from kantis.core.calendar import show_instant
from kantis.desk import adjusting, settings
from kantis.desk.adjusting import Alone, Asked, Wrong
from kantis.desk.programs import Home
from kantis.desk.results import DECIDED, UNKNOWN, Result
from kantis.desk.settings import ADJUST_ALONE
from kantis.desk.staff import Staff
from kantis.desk.submit import Desk
from kantis.doors.api.problems import Problem
from kantis.doors.web.basket import coins
from kantis.doors.web.console import account_named, placed
from kantis.doors.web.pages import NotHere, Visit, whole
from kantis.doors.web.places import Place
from kantis.doors.web.proving import is_fresh, prove_first
from kantis.store import byhand, hands
from kantis.store.rows import AdjustmentRow

#: Adjustments on a page of those that are done; of those that wait the newest so many.
PAGE: Final = 20
WAITING_MAX: Final = 100
REASON_MAX: Final = 200
_UNITS_MAX: Final = 10**9
_AMOUNT_MAX: Final = 1 << 53
_NEWEST: Final = 1 << 62
_COLUMNS: Final = (
    "number", "at", "subject", "balance", "amount", "reason", "state", "outcome", "asked by",
    "answered by", "answered", "note",
)  # fmt: skip


class Desktop(Struct, frozen=True):
    """What the page has: what waits, what is done, and what one person may do alone."""

    place: Place
    home: Home
    waiting: list[AdjustmentRow]
    done: list[tuple[AdjustmentRow, str]]
    older: int
    limit: int | None


async def look(visit: Visit) -> Response:
    """What waits, and what is done."""
    return await _page(visit)


async def file(visit: Visit) -> Response:
    """What waits and what is done, as the page has it, for a spreadsheet."""
    found = await visit.office.read(_desktop, visit)
    units: dict[str, Unit] = found.home.program.units
    waits: list[tuple[AdjustmentRow, str]] = [(row, "") for row in found.waiting]
    rows = (
        (
            row.n, show_instant(row.at), row.subject, row.balance,
            units[row.balance].number(row.amount) if row.balance in units else row.amount,
            row.reason, byhand.STATES[row.state], outcome, _login(row.source),
            _login(row.decider or ""), show_instant(row.decided) if row.decided else "",
            row.note or "",
        )
        for row, outcome in (*waits, *found.done)
    )  # fmt: skip
    return visit.table(f"{found.place.name}-adjustments", _COLUMNS, rows)


def _login(source: str) -> str:
    return source.removeprefix(adjusting.CONSOLE)


async def propose(visit: Visit) -> Response:
    """Give or take by hand. What may be done alone takes a sign-in that is not long ago."""
    form = await visit.form()
    place, home, limit, member = await visit.office.read(_about, visit, form.get("member", ""))
    unit: Unit | None = home.program.units.get(form.get("balance", ""))
    reason, amount = form.get("reason", "").strip()[:REASON_MAX], 0
    if unit is not None:
        amount = amount_of(form.get("amount", ""), unit)
    trouble = _missing(member, unit, amount, reason)
    if trouble or unit is None:
        return await _page(visit, form=form, trouble=trouble, status=422)
    may = may_alone(visit.staff, limit, unit)
    if (may.any or abs(amount) <= may.size) and not is_fresh(visit):
        return prove_first(visit, f"/c/{place.name}/adjustments")
    id = form.get("id", "")[:40] or secrets.token_hex(8)
    source = adjusting.CONSOLE + visit.staff.login
    asked = Asked(source, id, f"account:{member}", form["balance"], amount, reason)
    if refused := await _quoted(visit, place, asked):
        return await _page(visit, form=form, refused=refused, status=422)
    try:
        row = await visit.change(adjusting.ask, visit.by, home, asked, may)
    except Wrong as wrong:
        return await _page(visit, form=form, trouble=wrong.code, status=409)
    return await _sent(visit, place, row)


async def answer(visit: Visit) -> Response:
    """Approve or decline what somebody else has proposed; with a sign-in not long ago."""
    if not is_fresh(visit):
        return prove_first(visit, f"/c/{visit.about['program']}/adjustments")
    form, number = await visit.form(), whole(visit.about["number"])
    place, _, _, _ = await visit.office.read(_about, visit, "")
    source = adjusting.CONSOLE + visit.staff.login
    about = source, place.number, number, form.get("do") == "approve", form.get("note", "")[:200]
    try:
        row = await visit.change(adjusting.answer, visit.by, *about)
    except Wrong as wrong:
        if wrong.code == "unknown-adjustment":
            raise NotHere from wrong
        return await _page(visit, trouble=wrong.code, status=409)
    return await _sent(visit, place, row)


async def limit(visit: Visit) -> Response:
    """Say how much one person may do alone; empty leaves it open."""
    if not is_fresh(visit):
        return prove_first(visit, f"/c/{visit.about['program']}/adjustments")
    said = (await visit.form()).get("limit", "").strip()
    place, _, _, _ = await visit.office.read(_about, visit, "")
    value = min(whole(said), _UNITS_MAX) if said else None
    if said and said != str(whole(said)):
        return await _page(visit, trouble="bad-limit", status=422)
    await visit.change(settings.put, place.number, ADJUST_ALONE, value, visit.by)
    return visit.go(f"/c/{place.name}/adjustments")


def may_alone(staff: Staff, limit: int | None, unit: Unit) -> Alone:
    """What somebody may do without a second person: as far as the owner has said; where nothing
    was said, owners and managers anything and support nothing.

    >>> boss = Staff(1, "maija", "Maija", "manager", 0, 0, None, False)
    >>> may_alone(boss, None, Unit("points")).any, may_alone(boss, 5, Unit("points", 1)).size
    (True, 50)
    """
    if limit is None:
        return Alone(any=staff.role != "support")
    return Alone(size=limit * 10**unit.scale)


def amount_of(text: str, unit: Unit) -> int:
    """An amount as somebody types it, below zero with a sign before it; 0 where it is none.

    >>> [amount_of(each, Unit("stars", 1)) for each in ("12,5", "-3", "+ 2", "x", "1.25")]
    [125, -30, 20, 0, 0]
    """
    said = text.strip().replace("\N{MINUS SIGN}", "-")
    sign = -1 if said.startswith("-") else 1
    found = coins(said.removeprefix("-").removeprefix("+"), unit) or 0
    return sign * found if found <= _AMOUNT_MAX else 0


def _missing(member: int, unit: Unit | None, amount: int, reason: str) -> str:
    """What is wrong with a form, as a word."""
    if not member:
        return "unknown-member"
    if unit is None or not amount:
        return "bad-amount"
    return "" if reason and "\x00" not in reason else "no-reason"


async def _quoted(visit: Visit, place: Place, asked: Asked) -> str:
    """Why the program would not make it now; nothing where it was asked for before."""
    read = visit.office.read
    if await read(lambda reader: hands.adjustment(reader.books, key=asked.key)) is not None:
        return ""
    (quoted,) = await read(Desk.quote, [asked.event], program=place.name)
    return _refused(visit, place, quoted)


def _refused(visit: Visit, place: Place, result: Result) -> str:
    """Why the program does not make it, in the language of whoever asks."""
    if result.refusal is not None:
        return place.teller(visit.language).refused(result.refusal.sentence)
    return "" if result.outcome == DECIDED else str(result.outcome)


async def _sent(visit: Visit, place: Place, row: AdjustmentRow) -> Response:
    """Send the event of what nobody has to answer any more, and show what became of it."""
    if row.state in (byhand.ALONE, byhand.APPROVED):
        (result,) = await visit.office.line.submit(place.name, [adjusting.event_of(row)])
        if result.outcome == UNKNOWN:
            raise Problem("outcome-unknown", retry_after="1")
        if not row.sent:
            await visit.change(adjusting.settled, row, result)
        if refused := _refused(visit, place, result):
            return await _page(visit, refused=refused, status=409)
    return visit.go(f"/c/{place.name}/adjustments?about={row.n}")


async def _page(
    visit: Visit, *, status: int = 200, form: dict[str, str] | None = None, trouble: str = "",
    refused: str = "",
) -> Response:  # fmt: skip
    found = await visit.office.read(_desktop, visit)
    units: dict[str, Unit] = found.home.program.units
    say = found.place.speaker(visit.language)

    def amount(row: AdjustmentRow) -> str:
        unit = units.get(row.balance)
        number = unit.number(abs(row.amount)) if unit is not None else str(abs(row.amount))
        sign = "+" if row.amount > 0 else "\N{MINUS SIGN}"
        return sign + say.amount(number, row.balance)

    def when(at: int) -> str:
        return visit.language.moment(found.home.program.calendar.local(at), "short")

    about = visit.number("about")
    told = [*found.waiting, *(row for row, _ in found.done)]
    return visit.page(
        "console-adjustments.html", status=status, place=found.place, say=say, found=found,
        form={"member": visit.request.query_params.get("member", "")} | (form or {}),
        trouble=trouble, refused=refused, amount=amount, when=when, units=list(units),
        states=byhand.STATES, own=adjusting.CONSOLE + visit.staff.login, fresh=secrets.token_hex(8),
        news=next((row for row in told if row.n == about), None),
        who=_login,
    )  # fmt: skip


# ── what a reader finds ──────────────────────────────────────────────────────


def _about(reader: Desk, visit: Visit, member: str) -> tuple[Place, Home, int | None, int]:
    place, home = placed(reader, visit)
    row = account_named(reader, place.number, member.strip()) if member else None
    limit = settings.get(reader.books, place.number, ADJUST_ALONE)
    return place, home, limit, row.id if row is not None else 0


def _desktop(reader: Desk, visit: Visit) -> Desktop:
    place, home = placed(reader, visit)
    books, below = reader.books, visit.number("below") or _NEWEST
    waiting = hands.adjustments(books, place.number, _NEWEST, WAITING_MAX, state=byhand.WAITS)
    done = hands.adjustments(books, place.number, below, PAGE, answered=True)
    older = done[-1].n if len(done) == PAGE else 0
    limit = settings.get(books, place.number, ADJUST_ALONE)
    told = [(row, adjusting.outcome(books, row)[0]) for row in done]
    return Desktop(place, home, waiting, told, older, limit)
