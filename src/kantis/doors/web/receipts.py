"""Receipts: what a purchase brought, how it comes back, and how it is claimed.

The number of a receipt is the id of its purchase. A part of the money comes back by booking
the purchase anew as what is left of it, at its own time, under a receipt of its own.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from msgspec import structs
from starlette.responses import Response

from kantis.core.amounts import money, share
from kantis.core.events import EDITED, Body, Cancel, Claim, Event, Purchase, Refund
from kantis.desk import around, household
from kantis.desk.forecasts import quoted
from kantis.desk.programs import Home
from kantis.desk.recorded import entry_of, event_of
from kantis.desk.redemptions import CAPTURED
from kantis.desk.showing import standing
from kantis.desk.submit import Desk
from kantis.desk.tills import SCOPE
from kantis.doors.web.basket import card_of, coins, new_receipt, receipt_of
from kantis.doors.web.greeting import greeting
from kantis.doors.web.pages import NotHere, Visit
from kantis.doors.web.places import Place, place_of
from kantis.doors.web.portal import is_near
from kantis.doors.web.selling import HOLD, UNCOVERED, event, send, set_aside, why_not
from kantis.features.rewards import ON_REQUEST
from kantis.store import people
from kantis.store.rows import EventRow
from kantis.store.schema import ALONE, PARKED

#: What is put behind the id of a refund for what belongs to it.
_EDIT: Final = "-e"
_BACK: Final = "-b"


async def find(visit: Visit) -> Response:
    """The form that finds a receipt, or on to it."""
    typed = visit.request.query_params.get("number", "")[:100]
    number = receipt_of(typed)
    if number and await visit.office.read(_row, visit, number) is not None:
        return visit.go(f"/till/receipts/{number}")
    status = 404 if typed else 200
    return visit.page("till-receipts.html", status=status, typed=typed)


async def show(visit: Visit) -> Response:
    """A receipt: what was bought, what it brought, and what can be done with it."""
    return await _show(visit)


async def _show(visit: Visit, *, trouble: str = "", status: int = 200) -> Response:
    place, shown = await visit.office.read(_shown, visit)
    account, hello = shown["account"], None
    if account is not None:
        hello = await greeting(visit, shown["own"], shown["number"], shown["at"])
    return visit.page(
        "till-receipt.html", status=status, place=place, say=place.speaker(visit.language),
        trouble=trouble, hello=hello, fresh=new_receipt(), **shown,
    )  # fmt: skip


async def refund(visit: Visit) -> Response:
    """All of it comes back, or an amount."""
    form = await visit.form()
    id, typed = receipt_of(form.get("id", "")), form.get("amount", "").strip()
    place, row, body = await visit.office.read(_found, visit)
    total = sum(line.amount for line in body.lines)
    amount = coins(typed, money(place.money)) if typed else total
    if not id or not amount:
        return await _show(visit, trouble="bad-amount", status=422)
    if amount > total:
        return await _show(visit, trouble="more-than-paid", status=422)
    events = _coming_back(visit, row, body, id, amount)
    onward, code = await visit.office.read(_may_come_back, visit, row, id, events)
    if code:
        return await _show(visit, trouble=code, status=409)
    if not onward:
        code = next(filter(None, map(why_not, await visit.office.submit(visit.till, events))), "")
        if code:
            return await _show(visit, trouble=code, status=409)
    whole = amount == total
    taken = await visit.office.read(set_aside, visit.till, visit.about["receipt"])
    if whole and taken is not None:
        held = visit.about["receipt"] + HOLD
        await send(visit, id + _BACK, f"account:{row.account}", Cancel(held))
    return visit.go(f"/till/receipts/{visit.about['receipt'] if whole else id}")


def _coming_back(visit: Visit, row: EventRow, body: Purchase, id: str, amount: int) -> list[Event]:
    """The events of a refund of an amount; of all of it, it is one."""
    source, _, of = row.key.partition("/")
    other = source if source != visit.till.source else ""
    weights = [line.amount for line in body.lines]

    def back(name: str, what: Body) -> Event:
        return event(visit.till, name, "", what, ask=True)

    if amount == sum(weights):
        return [back(id, Refund(of, of_source=other))]
    parts = share(amount, weights)
    lines = tuple(
        structs.replace(line, amount=line.amount - part)
        for line, part in zip(body.lines, parts, strict=True)
    )
    left = structs.replace(body, lines=lines, receipt=id)
    return [
        back(id + _EDIT, Refund(of, of_source=other, reason=EDITED)),
        event(visit.till, id, row.subject, left, row.time, ask=False),
    ]


def _may_come_back(
    reader: Desk, visit: Visit, row: EventRow, id: str, events: list[Event]
) -> tuple[bool, str]:
    """Whether it came back before under this id; and why it may not, by the program's terms."""
    done = reader.books.events([each.key for each in events])
    if len(done) == len(events):
        return True, ""
    if row.state == ALONE:
        return False, "unclaimed"
    source, _, of = row.key.partition("/")
    other = source if source != visit.till.source else ""
    asked = event(visit.till, f"{id}-q", "", Refund(of, of_source=other), ask=True)
    (result,) = reader.quote([asked], program=visit.till.program)
    return False, "" if done else why_not(result)


async def claim(visit: Visit) -> Response:
    """Whoever has the receipt of a purchase without a card gets its points."""
    form = await visit.form()
    id, card, number = receipt_of(form.get("id", "")), card_of(form.get("card", "")), ""
    number = visit.about["receipt"]
    await visit.office.read(_found, visit)
    if not id or not card:
        return await _show(visit, trouble="unknown-card", status=422)
    code = await send(visit, id, f"card:{card}", Claim(number))
    if code:
        return await _show(visit, trouble=code, status=409)
    return visit.go(f"/till/receipts/{number}")


# ── what a reader finds ──────────────────────────────────────────────────────


def _row(reader: Desk, visit: Visit, number: str) -> EventRow | None:
    """The purchase of a receipt, of any till of the program; of this one first."""
    till = visit.till
    sources = {
        each.source
        for each in reader.books.all_keys()
        if each.program == till.number and each.scope == SCOPE
    }
    rows = {
        row.key.partition("/")[0]: row
        for row in reader.books.events(f"{source}/{number}" for source in sorted(sources))
        if row.program == till.number and row.type == "purchase" and row.body
    }
    return rows.get(till.source) or next(iter(rows.values()), None)


def _found(reader: Desk, visit: Visit) -> tuple[Place, EventRow, Purchase]:
    row = _row(reader, visit, visit.about["receipt"])
    if row is None:
        raise NotHere
    body = event_of(row).body
    assert isinstance(body, Purchase)
    return place_of(reader.homes.numbered(row.program), reader.clock()), row, body


def _shown(reader: Desk, visit: Visit) -> tuple[Place, dict[str, Any]]:
    place, row, body = _found(reader, visit)
    home = reader.homes.numbered(row.program)
    found: dict[str, Any] = {
        "number": visit.about["receipt"], "lines": body.lines, "unit": money(place.money),
        "total": sum(line.amount for line in body.lines),
        "spent": sum(line.discount for line in body.lines),
        "at": row.time or row.received,
        "when": home.program.calendar.local(row.time or row.received),
        "card": row.subject.removeprefix("card:"), "alone": row.state == ALONE,
        "waits": row.state == PARKED, "gives": [], "off": 0, "by_points": 0, "short": False,
        "back": False, "account": None, "near": None, "can": None,
    }  # fmt: skip
    if row.account is not None and row.seq is not None:
        found |= _decided(reader, visit, home, row, row.account, row.seq, set(body.points or ()))
    elif row.state == ALONE:
        asked = event(visit.till, f"{found['number']}-q", "", body, ask=False)
        _, forecast = quoted(reader, asked, program=visit.till.program)
        units = home.program.units
        found["gives"] = [
            (each.rule, units[each.balance].number(each.amount), each.balance)
            for each in (forecast.gives if forecast is not None else ())
            if each.balance in units
        ]
    return place, found


def _decided(
    reader: Desk, visit: Visit, home: Home, row: EventRow, account: int, seq: int, paid: set[str]
) -> dict[str, Any]:
    """What the purchase did, and where the member stands now."""
    books, now, units = reader.books, reader.clock(), home.program.units
    (recorded,) = books.entries([(account, seq)])
    did = entry_of(*recorded).decision
    own = books.account(account)
    assert own is not None
    owner, name = household.seen_from(books, home, own, now), household.name_in(home, own, now)
    about = f"card:{name}" if name else row.subject
    rewards = around.rewards(books, home, owner, now, about, wanted=[visit.language.tag])
    near = [each for each in rewards if is_near(each)]
    can = [each for each in rewards if each["can"] and each["comes"] == ON_REQUEST]
    held = set_aside(reader, visit.till, row.key.partition("/")[2])
    return {
        "gives": [
            (rule, units[balance].number(amount), balance)
            for rule, balance, _, amount, *_ in did.fired
            if balance in units and amount
        ],
        "off": sum(each[2] for each in did.effects),
        "by_points": sum(each[2] for each in did.effects if each[1] in paid),
        "short": UNCOVERED.intersection(did.flags),
        "back": any(
            (each.account, each.seq) != (account, seq)  # a claim has its purchase as its cause
            for each, _ in books.undoing([(x, row.key) for x in people.became(books, account)])
        ),
        "account": standing(books, home, owner, now),
        "own": own.id,
        "near": min(near, key=lambda each: Decimal(each["missing"]), default=None),
        "can": can[0] if can else None,
        "held": held if held is not None and held.state == CAPTURED else None,
    }
