"""Counter: the sale at a till: a card, an amount, what it brings, and one press that records it."""

from __future__ import annotations

from typing import Any, Final

from msgspec import structs
from starlette.responses import Response

from kantis.core.amounts import money
from kantis.core.events import Load, Redeem, Release, Use
from kantis.desk import around, household
from kantis.desk.forecasts import quoted
from kantis.desk.programs import Home
from kantis.desk.results import PARKED
from kantis.desk.showing import standing
from kantis.desk.submit import Desk
from kantis.doors.web.allowing import at_counter, seen
from kantis.doors.web.basket import (
    LINES_MAX,
    Basket,
    card_of,
    categories,
    line_of,
    lines_of,
    new_receipt,
    receipt_of,
)
from kantis.doors.web.greeting import greeting
from kantis.doors.web.pages import Visit, whole
from kantis.doors.web.places import Place, place_of
from kantis.doors.web.selling import HOLD, RELEASE, purchase, sell, send, set_aside, why_not
from kantis.engine.reach import OPEN
from kantis.features.rewards import ON_REQUEST
from kantis.store import people
from kantis.store.printing import printed
from kantis.store.rows import AccountRow

_LETTERS_MAX: Final = 20_000
#: What is put behind the id of a basket for a voucher that is used with it.
_VOUCHER: Final = "-v-"


async def sale(visit: Visit) -> Response:
    """The basket, and what it would bring."""
    said = dict(visit.request.query_params)
    basket = basket_of(visit, said)
    if said.get("amount", "").strip():
        place = await visit.office.read(_place, visit)
        line = line_of(
            said["amount"], money(place.money), said.get("add", ""), len(basket.lines) + 1
        )
        if line is None or len(basket.lines) >= LINES_MAX:
            return await show(visit, basket, trouble="bad-amount", status=422)
        basket = structs.replace(basket, lines=(*basket.lines, line))
    return await show(visit, basket)


async def record(visit: Visit) -> Response:
    """The purchase is recorded, once, however often this is pressed."""
    basket = await _posted(visit)
    if not basket.lines:
        return await show(visit, basket, trouble="bad-amount", status=422)
    code = await sell(visit, basket)
    if code:
        return await show(visit, basket, trouble=code, status=409)
    return visit.go(f"/till/receipts/{basket.id}")


async def hold(visit: Visit) -> Response:
    """Points are set aside for a reward; the purchase spends them."""
    form = await visit.form()
    basket = basket_of(visit, form)
    _, member = await visit.office.read(_whose, visit, basket.card)
    reward = form.get("reward", "")
    wanted = Redeem(reward, basket.total, hold=True, lines=basket.lines, member=member)
    return await _asked(visit, basket, HOLD, wanted)


async def release(visit: Visit) -> Response:
    """What was set aside is given back; the basket goes on under another id."""
    basket = await _posted(visit)
    wanted = Release(f"{basket.id}{HOLD}")
    fresh = structs.replace(basket, id=new_receipt())
    return await _asked(visit, basket, RELEASE, wanted, fresh)


async def use(visit: Visit) -> Response:
    """A voucher is used up."""
    form = await visit.form()
    basket, code = basket_of(visit, form), form.get("voucher", "")[:100]
    return await _asked(visit, basket, f"{_VOUCHER}{code}", Use(code, basket.total))


async def load(visit: Visit) -> Response:
    """An offer is loaded, and counts for this purchase already."""
    form = await visit.form()
    basket, offer = basket_of(visit, form), form.get("offer", "")[:100]
    return await _asked(visit, basket, f"-o-{offer}", Load(offer))


async def _asked(
    visit: Visit, basket: Basket, behind: str, body: Any, onward: Basket | None = None
) -> Response:
    subject, _ = await visit.office.read(_whose, visit, basket.card)
    code = await send(visit, f"{basket.id}{behind}", subject, body)
    if code:
        return await show(visit, basket, trouble=code, status=409)
    # it goes on from now: what has just been loaded or set aside counts for it
    return visit.go(structs.replace(onward or basket, at=visit.office.desk.clock()).address)


async def _posted(visit: Visit) -> Basket:
    return basket_of(visit, await visit.form())


def basket_of(visit: Visit, said: dict[str, str]) -> Basket:
    """The basket that an address or a form tells of; a new one where it tells of none."""
    card, lines = card_of(said.get("card", "")), lines_of(said.get("lines", "")[:_LETTERS_MAX])
    id, at, now = (
        receipt_of(said.get("id", "")),
        whole(said.get("at", "")),
        visit.office.desk.clock(),
    )
    if not id or not 0 < at <= now:
        id, at = new_receipt(), now
    return Basket(id, at, card, lines)


async def show(visit: Visit, basket: Basket, *, trouble: str = "", status: int = 200) -> Response:
    """The page of a basket; that of its receipt where it is recorded already."""
    place, shown = await visit.office.read(_shown, visit, basket)
    if shown["recorded"]:
        return visit.go(f"/till/receipts/{basket.id}")
    refused = trouble or shown.pop("refused")
    account, hello = shown["account"], None
    if account is not None:
        now = visit.office.desk.clock()
        hello = await greeting(visit, shown["own"], basket.id, now)
    return visit.page(
        "till-sale.html", status=status, place=place, say=place.speaker(visit.language),
        basket=basket, trouble=refused, hello=hello, **{"refused": "", **shown},
    )  # fmt: skip


# ── what a reader finds ──────────────────────────────────────────────────────


def _place(reader: Desk, visit: Visit) -> Place:
    return place_of(reader.homes.numbered(visit.till.number), reader.clock())


def account_of(reader: Desk, program: int, card: str) -> AccountRow | None:
    """The account that a card is for."""
    number = reader.books.cards([(program, card)]).get((program, card)) if card else None
    return reader.books.account(number) if number is not None else None


def _whose(reader: Desk, visit: Visit, card: str) -> tuple[str, str]:
    """Who is asked for what a card wants to spend: the account of the household whose points it
    has, with the name that its member has there, or the card itself, also where it is blocked."""
    home, now = reader.homes.numbered(visit.till.number), reader.clock()
    row = account_of(reader, home.number, card)
    name = household.name_in(home, row, now) if row is not None else ""
    if row is None or not name or people.cards_of(reader.books, [row.id])[row.id].get(card):
        return f"card:{card}", ""
    return f"account:{household.seen_from(reader.books, home, row, now).id}", name


def _shown(reader: Desk, visit: Visit, basket: Basket) -> tuple[Place, dict[str, Any]]:
    till, books = visit.till, reader.books
    home = reader.homes.numbered(till.number)
    place = place_of(home, reader.clock())
    known = next(iter(books.events([f"{till.source}/{basket.id}"])), None)
    row = account_of(reader, home.number, basket.card)
    held = set_aside(reader, till, basket.id)
    found: dict[str, Any] = {
        "recorded": known is not None, "refused": "", "waits": False, "known": row is not None,
        "categories": categories(place.tree), "unit": money(place.money), "held": held,
        "fresh": False, "seen": "", "gives": [], "off": 0, "offers": [], "pays": {}, "bring": {},
    }  # fmt: skip
    found |= _member(reader, visit, home, row, basket)
    if basket.lines and known is None:
        found |= _quoted(reader, visit, home, basket)
    if row is None and basket.card:
        found["fresh"] = bool(printed(books, home.number, [basket.card]))
    found |= at_counter(reader, visit, home, basket)
    taken = held.worth if held is not None else 0
    found["due"] = max(0, basket.total - found["off"] - taken)
    return place, found


def _member(
    reader: Desk, visit: Visit, home: Home, row: AccountRow | None, basket: Basket
) -> dict[str, Any]:
    """What is there for the member, whatever they buy."""
    if row is None:
        return {
            "account": None,
            "own": 0,
            "rewards": [],
            "vouchers": [],
            "used": [],
            "stopped": False,
        }
    now, books, tag, own = reader.clock(), reader.books, visit.language.tag, row
    row, name = household.seen_from(books, home, own, now), household.name_in(home, own, now)
    about = f"card:{name or basket.card}"
    stopped = any(reader.homes.freezes.stops(each, now) for each in (own, row))
    rewards = around.rewards(books, home, row, now, about, basket.total, [tag])
    return {
        "account": standing(books, home, row, now),
        "own": own.id,
        "stopped": stopped,
        "seen": "" if stopped or name else seen(books, home, row, now),
        "rewards": [each for each in rewards if each["can"] and each["comes"] == ON_REQUEST],
        "vouchers": around.vouchers(home, row, now, [tag]),
        "used": _used(reader, visit, home, row, basket),
        "offers": [
            each
            for each in around.offers(books, home, row, now, about, [tag])
            if each["state"] == OPEN
        ],
    }


def _used(
    reader: Desk, visit: Visit, home: Home, row: AccountRow, basket: Basket
) -> list[dict[str, Any]]:
    """The vouchers that were used up for this sale."""
    tag, now = visit.language.tag, reader.clock()
    key = f"{visit.till.source}/{basket.id}{_VOUCHER}"
    gone = {
        f"{key}{each['code']}": each
        for each in around.vouchers(home, row, now, [tag], closed=True)
        if each["state"] == "used"
    }
    return [gone[each.key] for each in reader.books.events(gone)] if gone else []


def _quoted(reader: Desk, visit: Visit, home: Home, basket: Basket) -> dict[str, Any]:
    """What the purchase would do, by rule."""
    till = visit.till
    wanted = purchase(till, basket, set_aside(reader, till, basket.id))
    subject, member = _whose(reader, visit, basket.card)
    if member:  # it is sent on to the household, which decides it
        wanted = structs.replace(
            wanted, subject=subject, body=structs.replace(wanted.body, member=member)
        )
    result, forecast = quoted(reader, wanted, program=till.program)
    found: dict[str, Any] = {"refused": why_not(result), "waits": result.outcome == PARKED}
    if result.entry is not None:
        found["off"] = sum(each[2] for each in result.entry.decision.effects)
    if forecast is None:
        return found
    units, coins = home.program.units, home.program.money
    found["gives"] = [
        (each.rule, units[each.balance].number(each.amount), each.balance)
        for each in forecast.gives
        if each.balance in units
    ]
    found["pays"] = {
        each.reward: coins.number(each.money)
        for each in forecast.pays
        if each.money and not each.code
    }
    found["bring"] = {
        each.offer: (
            units[each.balance].number(each.amount) if each.balance else coins.number(each.off),
            each.balance or coins.name,
        )
        for each in forecast.offers
    }
    return found
