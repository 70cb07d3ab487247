"""Portal: what a member sees: the card, what there is, how to go on, and why."""

from __future__ import annotations

import secrets
from decimal import Decimal
from typing import Any, Final

import segno
from starlette.responses import Response

from kantis.core.calendar import show_day
from kantis.desk import around, household, surveys
from kantis.desk.programs import Home
from kantis.desk.showing import now_of, standing
from kantis.desk.submit import Desk
from kantis.desk.vault import passkeys
from kantis.desk.vault.vault import Member, Vault
from kantis.doors.web.barcode import can_say, code128
from kantis.doors.web.devices import system
from kantis.doors.web.look import design_of
from kantis.doors.web.pages import NotHere, Visit
from kantis.doors.web.places import Place, place_of
from kantis.doors.web.proving import is_fresh
from kantis.doors.web.terms import clauses
from kantis.features.rewards import ON_REQUEST
from kantis.store import people
from kantis.store.rows import AccountRow

#: Behind the question mark of the card: a passkey may be offered.
OFFER: Final = "offer"
#: What a device keeps on which one was.
OFFERED_COOKIE: Final = "passkey-offered"


async def card(visit: Visit) -> Response:
    """The card, what there is, and how to go on."""
    place, shown = await visit.office.read(_card, visit)
    number = (shown["account"]["cards"] or [""])[0]
    new, offered = "joined" in visit.request.query_params, await _is_offered(visit)
    answer = visit.page(
        "portal-card.html", **_said(visit, place), **codes(number), new=new, offered=offered,
        device=device(visit), **shown,
    )  # fmt: skip
    if offered:
        visit.keep(answer, OFFERED_COOKIE, "1")
    return answer


async def _is_offered(visit: Visit) -> bool:
    """Whether a passkey is offered: once on each device, after a letter has signed in on it."""
    if OFFER not in visit.request.query_params or OFFERED_COOKIE in visit.request.cookies:
        return False
    return is_fresh(visit) and await visit.office.people(_may_make, visit)


def _may_make(reader: Desk, vault: Vault, visit: Visit) -> bool:
    member = alone_here(reader, vault, visit)
    return member is not None and not passkeys.obstacle(reader, member)


def device(visit: Visit) -> str:
    """What a passkey of this device could be called; empty where nobody knows."""
    return system(visit.request.headers.get("user-agent", ""))


def codes(number: str) -> dict[str, Any]:
    """The number of a card as ``code`` for a camera and as ``bars`` for a laser; what cannot be
    drawn is empty."""
    if not number:
        return {"code": "", "bars": ""}
    made = segno.make_qr(number, error="m")  # never a micro code, which phones do not read
    code = made.svg_inline(omitsize=True, border=2, svgclass=None, lineclass=None)
    return {"code": code, "bars": code128(number) if can_say(number) else ""}


async def rewards(visit: Visit) -> Response:
    """What can be had, and how far it is to the rest."""
    place, found = await visit.office.read(_rewards, visit)
    query, form = visit.request.query_params, secrets.token_hex(16)
    became = next((each for each in ("no", "taken", "done") if each in query), "")
    return visit.page(
        "portal-rewards.html", **_said(visit, place), **found, became=became, form=form
    )


def _said(visit: Visit, place: Place) -> dict[str, Any]:
    return {"place": place, "say": place.speaker(visit.language)}


# ── what a reader finds ──────────────────────────────────────────────────────


def mine(reader: Desk, visit: Visit) -> tuple[AccountRow, Any, Place]:
    """The account of whoever is signed in, with their cards and what is personal; there is no
    other way to one."""
    assert visit.session is not None
    row = reader.books.account(visit.session.account)
    if row is None:
        raise NotHere
    home = reader.homes.numbered(row.program)
    return row, home, place_of(home, reader.clock())


def own(reader: Desk, visit: Visit) -> tuple[AccountRow, Any, Place]:
    """The account whose points whoever is signed in has: their own, or that of the household
    which they have joined."""
    row, home, place = mine(reader, visit)
    return household.seen_from(reader.books, home, row, reader.clock()), home, place


def persons(reader: Desk, vault: Vault, visit: Visit) -> tuple[Member | None, bool]:
    """Whoever has the account alone; and whether several share it."""
    row, _, _ = mine(reader, visit)
    found = vault.open(people.by_account(reader.books, [row.id]))
    alone = len(found) == 1 and found[0].person is not None
    return (found[0] if alone else None), len(found) > 1


def alone_here(reader: Desk, vault: Vault, visit: Visit) -> Member | None:
    """Whoever is signed in, where they alone have the account."""
    return persons(reader, vault, visit)[0]


def must_be_alone(reader: Desk, vault: Vault, visit: Visit) -> Member:
    """The same; ``NotHere`` where several share the account, or nobody is known of it."""
    member = alone_here(reader, vault, visit)
    if member is None:
        raise NotHere
    return member


def _subject(reader: Desk, visit: Visit) -> str:
    """Who asks what can be had, as a household knows them."""
    row, home, _ = mine(reader, visit)
    name = household.name_in(home, row, reader.clock())
    return f"card:{name or household.name_of(row, reader.books.tokens(row.id))}"


def _card(reader: Desk, visit: Visit) -> tuple[Place, dict[str, Any]]:
    row, home, place = own(reader, visit)
    now = reader.clock()
    tongue = [visit.language.tag]
    say = place.teller(visit.language)
    found = around.rewards(reader.books, home, row, now, _subject(reader, visit), 0, tongue, say)
    account = standing(reader.books, home, row, now)
    account["cards"] = reader.books.tokens(mine(reader, visit)[0].id)
    return place, {
        "design": design_of(reader.books, place.number, place.name),
        "account": account,
        "counted": {name: unit.name for name, unit in home.program.counted.items()},
        "coming": around.coming(home, row, now),
        "challenges": around.challenges(home, row, now, tongue, say),
        "vouchers": around.vouchers(home, row, now, tongue),
        "entitlements": around.entitlements(home, row, now, wanted=tongue),
        "can": [each for each in found if each["can"]],
        "near": [each for each in found if is_near(each)],
        "frozen": _frozen(reader, visit, row),
        "news": _news(reader, visit, home),
    }


def _frozen(reader: Desk, visit: Visit, row: AccountRow) -> str:
    """What freezes the account of whoever is signed in, or the household's that they share."""
    now, freezes = reader.clock(), reader.homes.freezes
    both = (mine(reader, visit)[0].id, row.id)
    return next(filter(None, (freezes.own_reason(row.program, x, now) for x in both)), "")


def _news(reader: Desk, visit: Visit, home: Home) -> list[dict[str, Any]]:
    """A question about a purchase that is open, and replies of the shop."""
    own_row, _, _ = mine(reader, visit)
    days = home.program.calendar
    return [
        {"number": each.number, "bought": show_day(days.day(each.bought)),
         "replied": bool(each.replied)}
        for each in surveys.news(reader.books, own_row.id, reader.clock())
    ]  # fmt: skip


def is_near(reward: dict[str, Any]) -> bool:
    """Whether at least half of the points for a reward are there."""
    missing, points = Decimal(reward["missing"] or 0), Decimal(reward["points"] or 0)
    return not reward["can"] and 0 < missing * 2 <= points


def _rewards(reader: Desk, visit: Visit) -> tuple[Place, dict[str, Any]]:
    row, home, place = own(reader, visit)
    now, tongue, say = reader.clock(), [visit.language.tag], place.teller(visit.language)
    found = around.rewards(reader.books, home, row, now, _subject(reader, visit), 0, tongue, say)
    return place, {
        "rewards": found,
        "frozen": _frozen(reader, visit, row),
        "takeable": takeable(home, row, now) if row.id == mine(reader, visit)[0].id else set(),
        "offers": around.offers(reader.books, home, row, now, _subject(reader, visit), tongue, say),
        "terms": clauses(place.tree, visit.language, "offers"),
        "choices": around.choices(home, row, now, wanted=tongue),
    }


def takeable(home: Home, row: AccountRow, now: int) -> set[str]:
    """The rewards that a member takes on their own: those that give a voucher. Where several
    share an account, they are taken at the counter."""
    if now_of(home, row, now).members:
        return set()
    return {
        name for name, each in home.program.plan(now).rewards.items()
        if each.gives.voucher and each.issued == ON_REQUEST
    }  # fmt: skip
