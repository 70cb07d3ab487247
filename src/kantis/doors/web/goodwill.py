"""Goodwill: a cashier gives points with one press, and the console says how many at most."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from kantis.core.knobs import ProgramError
from kantis.desk import adjusting, goodwill, unplugged
from kantis.desk.adjusting import Asked, Wrong
from kantis.desk.goodwill import Budget
from kantis.desk.programs import Home
from kantis.desk.results import UNKNOWN
from kantis.desk.submit import Desk
from kantis.doors.web import counter, till
from kantis.doors.web.allowing import GIFT, REASONS, by_cashier
from kantis.doors.web.basket import Basket, coins
from kantis.doors.web.console import placed
from kantis.doors.web.pages import Visit
from kantis.doors.web.selling import why_not

_WORDS_MAX: Final = 200


async def give(visit: Visit) -> Response:
    """Points are given for a reason, once for a sale, within the budget of whoever stands here."""
    form = await visit.form()
    basket = counter.basket_of(visit, form)
    home, asked, code = await visit.office.read(_asked, visit, basket, form)
    if asked is None:
        return await counter.show(visit, basket, trouble=code, status=422)
    try:
        row = await visit.change(goodwill.give, by_cashier(visit), home, asked)
    except Wrong as wrong:
        return await counter.show(visit, basket, trouble=wrong.code, status=409)
    (result,) = await visit.office.line.submit(home.name, [adjusting.event_of(row)])
    if not row.sent and result.outcome != UNKNOWN:
        await visit.change(adjusting.settled, row, result)
    code = why_not(result)
    if code:
        return await counter.show(visit, basket, trouble=code, status=409)
    return visit.go(basket.address)


async def allow(visit: Visit) -> Response:
    """Another budget for whoever stands at the tills of a program."""
    form = await visit.form()
    place, home = await visit.office.read(placed, visit)
    unit = home.program.units.get(form.get("balance", ""))
    wanted = Budget()
    if unit is not None:
        amounts = [coins(form.get(each, ""), unit) or 0 for each in ("usual", "day", "month")]
        wanted = Budget(unit.name, *amounts)
    try:
        await visit.change(goodwill.set_budget, home, wanted, visit.by)
    except ProgramError as error:
        return await till.show(visit, status=422, trouble=error.faults[0].code)
    return visit.go(f"/c/{place.name}/tills")


async def allow_offline(visit: Visit) -> Response:
    """Another amount that points may pay at a till without the network; nothing where empty."""
    form = await visit.form()
    place, home = await visit.office.read(placed, visit)
    typed = form.get("offline", "").strip()
    amount = coins(typed, home.program.money) if typed else 0
    try:
        await visit.change(unplugged.set_cap, home, -1 if amount is None else amount, visit.by)
    except ProgramError as error:
        return await till.show(visit, status=422, trouble=error.faults[0].code)
    return visit.go(f"/c/{place.name}/tills")


def _asked(
    reader: Desk, visit: Visit, basket: Basket, form: dict[str, str]
) -> tuple[Home, Asked | None, str]:
    """What is to be given; or the code of why that cannot be."""
    home = reader.homes.numbered(visit.till.number)
    there = goodwill.budget(reader.books, home.number)
    unit = home.program.units.get(there.balance)
    reason, words = REASONS.get(form.get("reason", "")), form.get("words", "").strip()
    if unit is None:
        return home, None, goodwill.NONE
    amount = coins(form.get("amount", ""), unit)
    if not reason or not amount or len(words) > _WORDS_MAX or not words.isprintable():
        return home, None, "bad-goodwill"
    said = f"{reason}: {words}" if words else reason
    about = visit.till.source, f"{basket.id}{GIFT}", f"card:{basket.card}"
    asked = Asked(*about, there.balance, amount, said)
    (quoted,) = reader.quote([asked.event], program=home.name)
    code = why_not(quoted)
    return home, None if code else asked, code
