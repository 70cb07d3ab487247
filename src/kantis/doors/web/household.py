"""Household: members who share an account see who is in it, invite others, and leave.

Guarantee: nothing is done here that the API would not do: each press is an event, which the
program decides. Of the others somebody sees the first name and the role, and nothing else that
is personal. What goes along is shown before anybody leaves.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from msgspec import Struct
from starlette.responses import Response

from kantis.core.decision import Refusal
from kantis.core.events import Event
from kantis.core.sentences import No
from kantis.desk import around, household
from kantis.desk.programs import Home
from kantis.desk.showing import now_of, standing
from kantis.desk.submit import Desk
from kantis.desk.vault.vault import Reader, Vault
from kantis.doors.web.consents import SOURCE
from kantis.doors.web.own import MYSELF
from kantis.doors.web.pages import NotHere, Visit
from kantis.doors.web.places import Place
from kantis.doors.web.portal import mine
from kantis.doors.web.proving import is_fresh
from kantis.doors.web.taking import FROZEN, ask_proof, must_prove
from kantis.doors.web.terms import Clause
from kantis.store import people
from kantis.store.rows import AccountRow

#: What moves between accounts is there within a moment; a page waits so long for it.
_WAIT_S, _STEP_S = 3.0, 0.05
_SECTION: Final = "households"
_PAGE: Final = "/me/household"
_NAME_MAX: Final = 200


class Seen(Struct):
    """A household as one of its members sees it; ``me`` is empty for who is in none."""

    place: Place
    home: Home
    row: AccountRow
    own: AccountRow
    members: list[household.One]
    me: str
    most: int
    permits: bool
    names: dict[str, str]
    cards: list[str]

    @property
    def leads(self) -> bool:
        """Whether whoever looks may invite: the lead, and who could found a household."""
        return not self.me or any(
            each.name == self.me and each.role == household.LEAD for each in self.members
        )

    @property
    def full(self) -> bool:
        """Whether nobody else fits in."""
        return bool(self.most) and max(1, len(self.members)) >= self.most

    def one(self, name: str) -> household.One:
        """The member of that name."""
        found = next((each for each in self.members if each.name == name), None)
        if found is None:
            raise NotHere
        return found


# ── pages ────────────────────────────────────────────────────────────────────


async def look(visit: Visit) -> Response:
    """Who is in the household, what it shares, and how somebody comes in."""
    return await _look(visit)


async def invite(visit: Visit) -> Response:
    """A link and a code, shown once."""
    seen = await visit.office.people(_seen, visit)
    if not seen.leads or seen.full:
        raise NotHere
    if not is_fresh(visit):  # whoever comes spends what is there
        return await ask_proof(visit, seen.place, _PAGE)
    code = await visit.change(household.invite, seen.row.id)
    return await _look(visit, code=code)


async def consider(visit: Visit) -> Response:
    """What joining means, before anybody does it."""
    return await _consider(visit, visit.request.query_params.get("code", ""))


async def join(visit: Visit) -> Response:
    """Whoever has the code is in, and what they have goes along."""
    assert visit.session is not None
    form = await visit.form()
    code = form.get("code", "")[:_NAME_MAX]
    own, into = await visit.office.people(_both, visit, code)
    if into is None or own.me or into.full or into.row.id == own.own.id:
        return await _consider(visit, code, status=422)
    event = household.joining(SOURCE, own.own, own.cards, into.row.id)
    refusal = await visit.office.read(_refused, own.home, event)
    if refusal is not None:
        return await _look(visit, status=422, refusal=refusal)
    if await must_prove(visit, own.place.name, event):
        return await ask_proof(visit, own.place, _PAGE)
    if await visit.change(household.take, code) != into.row.id:
        return await _consider(visit, code, status=422)
    if not into.members:
        await _submit(visit, into.place, household.founding(SOURCE, into.row, into.cards))
    refusal = await _submit(visit, own.place, event)
    if refusal is not None:
        return await _look(visit, status=422, refusal=refusal)
    await _until(visit, arrived=True)
    return visit.go("/me/household?joined=1")


async def part(visit: Visit) -> Response:
    """What goes along and what stays, before somebody leaves."""
    return await _part(visit, visit.request.query_params.get("member", ""))


async def parted(visit: Visit) -> Response:
    """A member has left, or the lead has removed one."""
    form = await visit.form()
    seen = await visit.office.people(_seen, visit)
    name = form.get("member", "")[:_NAME_MAX] or seen.me
    _may_part(seen, name)
    event = household.leaving(SOURCE, seen.row, name, seen.me)
    if await must_prove(visit, seen.place.name, event):
        return await ask_proof(visit, seen.place, _PAGE)
    refusal = await _submit(visit, seen.place, event)
    if refusal is not None:
        return await _look(visit, status=422, refusal=refusal)
    if name == seen.me:
        await _until(visit, arrived=False)
    return visit.go("/me/household?left=1")


async def permit(visit: Visit) -> Response:
    """The lead says whether a member may spend what is shared."""
    form = await visit.form()
    seen = await visit.office.people(_seen, visit)
    one = seen.one(form.get("member", ""))
    burns = form.get("burns") == "1"
    event = household.permitting(SOURCE, seen.row, one.name, seen.me, burns=burns)
    refusal = await _submit(visit, seen.place, event)
    return await _look(visit, status=422 if refusal is not None else 200, refusal=refusal)


async def _look(
    visit: Visit, *, status: int = 200, code: str = "", refusal: Refusal | None = None
) -> Response:
    seen, account = await visit.office.people(_shared, visit)
    return visit.page(
        "portal-household.html", status=status, **_said(visit, seen), account=account, code=code,
        link=f"{visit.site}/me/household/join?code={code}", refused=_told(visit, seen, refusal),
        became=next((x for x in ("joined", "left") if x in visit.request.query_params), ""),
    )  # fmt: skip


async def _consider(visit: Visit, code: str, *, status: int = 200) -> Response:
    assert visit.session is not None
    may = await visit.change(household.may_try, visit.session.account)
    own, into = await visit.office.people(_both, visit, code if may else "")
    account, vouchers = await visit.office.read(_bring, visit)
    opens = into is not None and into.row.id != own.own.id and not own.me and not into.full
    return visit.page(
        "portal-household-join.html", status=status if opens or not code else 404,
        **_said(visit, own), code=code, into=into, opens=opens, may=may, account=account,
        vouchers=vouchers,
    )  # fmt: skip


async def _part(visit: Visit, name: str) -> Response:
    seen = await visit.office.people(_seen, visit)
    name = name or seen.me
    _may_part(seen, name)
    found = await visit.office.people(_foresee, visit, name)
    units = seen.home.program.units
    rows = [
        {"balance": each.balance, "there": units[each.balance].number(each.there),
         "goes": units[each.balance].number(each.goes),
         "stays": units[each.balance].number(each.there - each.goes)}
        for each in found.parts
    ]  # fmt: skip
    return visit.page(
        "portal-household-leave.html", **_said(visit, seen), one=seen.one(name), rows=rows,
        refused=_told(visit, seen, found.refusal),
    )  # fmt: skip


def _may_part(seen: Seen, name: str) -> None:
    seen.one(name)
    if name != seen.me and not seen.leads:
        raise NotHere


def _said(visit: Visit, seen: Seen) -> dict[str, Any]:
    return {
        "place": seen.place, "say": seen.place.speaker(visit.language), "seen": seen,
        "rules": _rules(seen.place, visit),
    }  # fmt: skip


def _rules(place: Place, visit: Visit) -> list[Clause]:
    """What the terms of the program say of households."""
    only = Place(
        place.number, place.name, place.titles,
        {key: node for key, node in place.tree.items() if key in (_SECTION, "money", "balances")},
    )  # fmt: skip
    title = visit.language.gettext("Households")
    found = (x.clauses for x in only.chapters(visit.language) if x.title == title)
    return [clause for clauses in found for clause in clauses]


def _told(visit: Visit, seen: Seen, refusal: Refusal | None) -> str:
    if refusal is None:
        return ""
    if refusal.code in FROZEN:
        return visit.language.gettext(FROZEN[refusal.code])
    return str(seen.place.teller(visit.language)(No(refusal.code, refusal.sentence)))


async def _submit(visit: Visit, place: Place, event: Event) -> Refusal | None:
    (result,) = await visit.office.line.submit(place.name, [event])
    return result.refusal


async def _until(visit: Visit, *, arrived: bool) -> None:
    """Wait a moment until whoever has joined or left has come to where they go."""
    for _ in range(int(_WAIT_S / _STEP_S)):
        shares, is_in = await visit.office.read(_standing, visit)
        if is_in if arrived else not shares:
            return
        await asyncio.sleep(_STEP_S)


# ── what a reader and a keeper find ──────────────────────────────────────────


def _standing(reader: Desk, visit: Visit) -> tuple[bool, bool]:
    """Whether whoever looks shares the account of somebody else, and is among its members."""
    own, home, _ = mine(reader, visit)
    now = reader.clock()
    row = household.seen_from(reader.books, home, own, now)
    found = household.members(now_of(home, row, now), reader.books.tokens(row.id))
    shares = row.id != own.id
    return shares, shares and any(each.account == own.id for each in found)


def _seen(reader: Desk, vault: Vault, visit: Visit) -> Seen:
    own, home, place = mine(reader, visit)
    return _seen_by(reader, vault, own, home, place)


def _seen_by(reader: Desk, vault: Vault, own: AccountRow, home: Home, place: Place) -> Seen:
    if _SECTION not in place.tree:
        raise NotHere
    now = reader.clock()
    row = household.seen_from(reader.books, home, own, now)
    state = now_of(home, row, now)
    found = household.members(state, reader.books.tokens(row.id))
    me = next((each.name for each in found if each.account == own.id), "")
    section = home.program.plan(now).household
    return Seen(
        place, home, row, own, found, me if len(found) > 1 else "",
        section.members if section is not None else 0,
        section is not None and section.may_burn == "whom the lead permits",
        _names(reader, vault, found or [_host(row)]), reader.books.tokens(own.id),
    )  # fmt: skip


def _host(row: AccountRow) -> household.One:
    """Whoever would lead the household that is founded when somebody joins."""
    return household.One("", household.LEAD, True, row.id, True)


def _names(reader: Desk, vault: Vault, members: list[household.One]) -> dict[str, str]:
    """The first names of those who have an account of their own that nobody else has."""
    accounts = {each.account: each.name for each in members if each.account}
    opened = vault.open(people.by_account(reader.books, sorted(accounts)))
    theirs: dict[int, list[str]] = {}
    for each in opened:
        given = each.person.given_name if each.person is not None else ""
        theirs.setdefault(each.row.account, []).append(given)
    vault.note(opened, Reader(MYSELF, "household"), ("given_name",))
    return {accounts[at]: given[0] for at, given in theirs.items() if len(given) == 1}


def _shared(reader: Desk, vault: Vault, visit: Visit) -> tuple[Seen, dict[str, Any]]:
    seen = _seen(reader, vault, visit)
    return seen, standing(reader.books, seen.home, seen.row, reader.clock())


def _both(reader: Desk, vault: Vault, visit: Visit, code: str) -> tuple[Seen, Seen | None]:
    """Whoever looks, and the household that a code lets into."""
    own = _seen(reader, vault, visit)
    into = household.invited(reader.books, code, reader.clock()) if code else 0
    row = reader.books.account(into) if into else None
    if row is None or row.program != own.own.program:
        return own, None
    return own, _seen_by(reader, vault, row, own.home, own.place)


def _bring(reader: Desk, visit: Visit) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    row, home, _ = mine(reader, visit)
    now = reader.clock()
    vouchers = around.vouchers(home, row, now, [visit.language.tag])
    return standing(reader.books, home, row, now), vouchers


def _refused(reader: Desk, home: Home, event: Event) -> Refusal | None:
    (result,) = reader.quote([event], program=home.name)
    return result.refusal


def _foresee(reader: Desk, vault: Vault, visit: Visit, name: str) -> household.Leaving:
    seen = _seen(reader, vault, visit)
    event = household.leaving(SOURCE, seen.row, name, seen.me)
    return household.foresee(reader, seen.home, seen.row, event)
