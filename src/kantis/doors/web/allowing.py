"""Allowing: what tills may give away by themselves, as the counter and the console show it."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from kantis.core.amounts import Unit
from kantis.desk import goodwill, unplugged
from kantis.desk.audit import By
from kantis.desk.programs import Home
from kantis.desk.showing import now_of
from kantis.desk.submit import Desk
from kantis.doors.web.basket import Basket
from kantis.doors.web.languages import marked as _
from kantis.doors.web.pages import Visit
from kantis.store import hands
from kantis.store.reading import Reading
from kantis.store.rows import AccountRow

#: What is put behind the id of a basket for the gift that belongs to it.
GIFT: Final = "-g"
#: Why points are given: what the books keep, and what the button says.
REASONS: Final = {
    "wait": _("A long wait"),
    "mistake": _("A mistake of ours"),
    "quality": _("Something was not good"),
    "thanks": _("A thank-you"),
}


def shown(reader: Desk, home: Home) -> dict[str, Any]:
    """The budget of a program as the console shows it, and the balances that it can be of."""
    found = goodwill.budget(reader.books, home.number)
    units = {name: home.program.units[name] for name in home.program.plan(reader.clock()).balances}
    unit = units.get(found.balance, Unit("points"))
    amounts = (
        {each: unit.number(getattr(found, each)) for each in ("usual", "day", "month")}
        if found.balance
        else {}
    )
    most = unplugged.cap(reader.books, home.number)
    offline = home.program.money.number(most) if most else ""
    return {
        "goodwill": {"balance": found.balance, **amounts},
        "units": list(units),
        "offline": offline,
    }


def at_counter(reader: Desk, visit: Visit, home: Home, basket: Basket) -> dict[str, Any]:
    """What a cashier can still give for this sale, and what was given for it."""
    units = home.program.units
    there = goodwill.left(reader.books, home, by_cashier(visit).who, reader.clock())
    unit = units.get(there.budget.balance)
    if unit is None:
        return {"gift": None}
    given = hands.adjustment(reader.books, key=f"{visit.till.source}/{basket.id}{GIFT}")
    return {
        "gift": {
            "balance": unit.name,
            "usual": unit.number(min(there.budget.usual, there.now)),
            "now": unit.number(there.now),
            "can": there.now > 0,
            "given": unit.number(given.amount) if given is not None else "",
            "reasons": REASONS,
        }
    }


def seen(books: Reading, home: Home, row: AccountRow, now: int) -> str:
    """What a device keeps of a member for the time without the network; empty for nothing."""
    most = unplugged.cap(books, home.number)
    found = unplugged.payable(home, now_of(home, row, now), now, most)
    said = {"most": most, "at": now, "payable": found}
    return msgspec.json.encode(said).decode() if found else ""


def by_cashier(visit: Visit) -> By:
    """Who stands at the till, for the audit log and for the budget."""
    assert visit.cashier is not None
    return By(visit.cashier.login, visit.cashier.name)
