"""Safety: the switch that freezes spending, accounts that are frozen, and from when on a member
has to show again who they are.

Guarantee: the switch and the limit are an owner's, and ending the freeze of an account is for
whoever helps members; each takes a proof of the last quarter of an hour and stands in the audit
log. Freezing an account takes none: whoever is on the phone with its member presses at once.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct
from starlette.responses import Response

from kantis.core.amounts import Unit
from kantis.desk import freezing, large, settings
from kantis.desk.freezing import LOCK
from kantis.desk.submit import Desk
from kantis.doors.web.basket import coins
from kantis.doors.web.console import placed
from kantis.doors.web.pages import NotHere, Visit, whole
from kantis.doors.web.places import Place
from kantis.doors.web.proving import is_fresh, prove_first

#: Frozen accounts on the page.
SHOWN: Final = 100
_COINS_MAX: Final = 10**12


class Standing(Struct):
    """What is frozen, what waits for it, and the limit as it is written."""

    waits: int
    accounts: list[tuple[int, str]]
    more: int
    limit: str
    usual: bool
    unit: Unit


async def look(visit: Visit) -> Response:
    """How safe spending is now."""
    return await _look(visit)


async def switch(visit: Visit) -> Response:
    """An owner freezes spending, or lets points be spent again."""
    place, _ = await visit.office.read(_standing, visit)
    if not is_fresh(visit):
        return prove_first(visit, f"/c/{place.name}/safety")
    on = (await visit.form()).get("frozen") == "1"
    await visit.change(freezing.switch, place.number, visit.by, on=on)
    if not on:
        await visit.office.line.submit(place.name, [])
    return visit.go(f"/c/{place.name}/safety")


async def limit(visit: Visit) -> Response:
    """An owner says from how much on a member shows again who they are; empty is the usual."""
    place, found = await visit.office.read(_standing, visit)
    if not is_fresh(visit):
        return prove_first(visit, f"/c/{place.name}/safety")
    typed = (await visit.form()).get("limit", "").strip()
    value = coins(typed, found.unit) if typed else None
    if typed and (value is None or value > _COINS_MAX):
        return await _look(visit, trouble="bad-limit", typed=typed)
    await visit.change(settings.put, place.number, settings.PROVE_FROM, value, visit.by)
    return visit.go(f"/c/{place.name}/safety")


async def lock(visit: Visit) -> Response:
    """Somebody who helps a member locks their account."""
    place, account = await visit.office.read(_whose, visit)
    await visit.change(freezing.freeze_account, account, LOCK, visit.by)
    return visit.go(f"/c/{place.name}/members/{account}")


async def free(visit: Visit) -> Response:
    """Somebody who knows that it is the member ends what freezes their account."""
    place, account = await visit.office.read(_whose, visit)
    if not is_fresh(visit):
        return prove_first(visit, f"/c/{place.name}/members/{account}")
    await visit.change(freezing.free_account, account, visit.by)
    await visit.office.line.submit(place.name, [])
    return visit.go(f"/c/{place.name}/members/{account}")


async def _look(visit: Visit, *, trouble: str = "", typed: str = "") -> Response:
    place, found = await visit.office.read(_standing, visit)
    return visit.page(
        "console-safety.html", status=422 if trouble else 200, place=place, found=found,
        say=place.speaker(visit.language), trouble=trouble, typed=typed or found.limit,
        fresh=is_fresh(visit),
    )  # fmt: skip


# ── what a reader finds ──────────────────────────────────────────────────────


def _standing(reader: Desk, visit: Visit) -> tuple[Place, Standing]:
    place, home = placed(reader, visit)
    books, now = reader.books, reader.clock()
    held = sorted(
        account for program, account in reader.homes.freezes.held
        if program == place.number and account
    )  # fmt: skip
    reasons = [(each, reader.homes.freezes.own_reason(place.number, each, now)) for each in held]
    shown = [(account, why) for account, why in reasons if why]
    said = settings.get(books, place.number, settings.PROVE_FROM)
    written = home.program.money.number(large.limit(books, home))
    return place, Standing(
        freezing.waiting(books, place.number), shown[:SHOWN], max(0, len(shown) - SHOWN), written,
        said is None, home.program.money,
    )  # fmt: skip


def _whose(reader: Desk, visit: Visit) -> tuple[Place, int]:
    place, _ = placed(reader, visit)
    row = reader.books.account(whole(visit.about["account"]))
    if row is None or row.program != place.number:
        raise NotHere
    return place, row.id
