"""households: accounts that several members share, who may burn, and what a leaver takes.

Guarantee: what members contributed, less what is attributed to them, adds up to no more than
the pool; nobody who leaves takes more than is there; a redemption is attributed when the
program says so, and what is undone is attributed back; value that leaves an account stands in
transit until the other one takes it.

The members' points are one pool. A burn takes lots *in order*, whoever brought them, or *in
proportion* to what each member has available. What a leaver takes is what is left of the
lots they brought or earned (*own points*), their *contributions less redemptions* that are
attributed to them, or nothing.

>>> from kantis.core.amounts import share
>>> contributed = {"anna": 60_000, "ben": 20_000}
>>> share(10_000, list(contributed.values()))        # a redemption, by contributions so far
[7500, 2500]
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Annotated

from msgspec import Struct

from kantis.core.amounts import share
from kantis.core.events import Activity, CarriedLot, Leave, Permit, Purchase, Redeem
from kantis.core.knobs import Kind, Knob, Node, Reader, Wrong
from kantis.core.lots import Balance, open_lots, stop_waiting
from kantis.core.phrases import TEXTS, TITLE, text_of, word
from kantis.core.places import (
    AVAILABLE,
    EXPIRED,
    FORFEITED,
    HELD,
    MEMBER_PLACES,
    OWED,
    PAYOUT,
    PENDING,
    REDEEMED,
    TRANSIT,
    VOUCHER,
)
from kantis.core.records import Member
from kantis.core.turn import Refused, Turn

REASON = "households"


def _at_most(node: Node, reader: Reader) -> int:
    match = re.fullmatch(r"at most ([1-9][0-9]{0,5})", text_of(node))
    if not match:
        raise Wrong("at-most-expected", "Write for example: at most 8.", node)
    return int(match[1])


AT_MOST = Kind("most members", _at_most, "at most number", ("at most 8",))

CONTRIBUTIONS = "contributions less redemptions"


class HouseholdSection(Struct, frozen=True, kw_only=True):
    """A household: how many may share an account, who may burn, and what a leaver takes."""

    name: str
    title: Annotated[dict[str, str], Knob(TITLE, "how members read it", dated=False)] = {}
    members: Annotated[int, Knob(AT_MOST, "how many members it has at most, the lead inside")] = 0
    pools: Annotated[
        tuple[str, ...],
        Knob(TEXTS, "the balances that all members burn from; without it all of them"),
    ] = ()
    may_burn: Annotated[
        str, Knob(word("any member", "the lead", "whom the lead permits"), "who may burn")
    ] = "any member"
    burns: Annotated[
        str,
        Knob(
            word("in order", "in proportion"),
            "whose points a burn takes: lot after lot, or of each member in proportion to"
            " what they have",
        ),
    ] = "in order"
    leaver_takes: Annotated[
        str, Knob(word("own points", CONTRIBUTIONS, "nothing"), "what somebody who leaves takes")
    ] = "own points"
    attributed: Annotated[
        str,
        Knob(
            word(
                "by contributions so far",
                "by balances",
                "to who burns",
                "when a member leaves",
            ),
            "to whom a redemption counts",
        ),
    ] = "by contributions so far"


def contributed(balance: str) -> str:
    """The counter of what a member brought or earned, less what was taken back of it."""
    return f"contributed {balance}"


def redeemed(balance: str) -> str:
    """The counter of what is attributed to a member, or waits to be."""
    return f"redeemed {balance}"


def _ever(member: Member, name: str) -> int:
    return member.counters.get(name, {}).get(0, 0)


# ── who may do what ──────────────────────────────────────────────────────────────────


def may_burn(household: HouseholdSection | None, turn: Turn) -> None:
    """``Refused`` where the member of the event is not known or may not burn."""
    if household is None or not turn.account.members:
        return
    known(turn)
    member = turn.account.members[turn.member]
    allowed = {
        "any member": True,
        "the lead": member.role == "lead",
        "whom the lead permits": member.role == "lead" or member.burns,
    }
    if not allowed[household.may_burn]:
        sentence = f"{turn.member!r} may not spend the household's points."
        raise Refused("may-not-burn", sentence)


def known(turn: Turn) -> None:
    """``Refused`` where an event names a member that the account does not have."""
    body = turn.event.body
    named = body.member if isinstance(body, Purchase | Activity | Redeem) else ""
    if named and turn.account.members and named not in turn.account.members:
        sentence = f"{named!r} is no member of this household."
        raise Refused("unknown-member", sentence)


def _by_the_lead(turn: Turn, by: str, or_else: str = "") -> None:
    members = turn.account.members
    if by and by != or_else and (by not in members or members[by].role != "lead"):
        raise Refused("only-the-lead", f"{by!r} is not the lead of this household.")


def permit(household: HouseholdSection | None, turn: Turn, body: Permit) -> None:
    """The lead says whether a member may burn."""
    if household is None or household.may_burn != "whom the lead permits":
        raise Refused("nothing-to-permit", "This program does not ask the lead who may spend.")
    _by_the_lead(turn, body.by)
    member = turn.account.members.get(body.member)
    if member is None:
        raise Refused("unknown-member", f"{body.member!r} is no member of this household.")
    turn.change("member", body.member, member.role, member.joined, body.burns, member.home)


# ── joining ──────────────────────────────────────────────────────────────────────────


def check_joining(household: HouseholdSection | None, turn: Turn, name: str) -> HouseholdSection:
    """``Refused`` where nobody of that name can become a member."""
    members = turn.account.members
    if household is None:
        raise Refused("no-households", "Members of this program do not share accounts.")
    if not name:
        raise Refused("member-missing", "Nobody is named who joins.")
    if name in members:
        raise Refused("member-already", f"{name!r} is a member of this household already.")
    if household.members and len(members) >= household.members:
        sentence = f"The household is full: it has {household.members} members."
        raise Refused("household-full", sentence)
    return household


def join(
    household: HouseholdSection, balances: Iterable[str], turn: Turn, name: str, home: str
) -> None:
    """Somebody becomes a member; the first one is the lead, and what is there is theirs."""
    lead = not turn.account.members
    role = "lead" if lead else "member"
    burns = lead or household.may_burn == "any member"
    turn.change("member", name, role, turn.day, burns, home)
    turn.member = name
    if not lead:
        return
    for lot in list(turn.account.lots.values()):
        if not lot.member:
            turn.change("label", lot.id, name)
    for balance in balances:
        purse = turn.account.purse.get(balance)
        there = purse[AVAILABLE] + purse[PENDING] + purse[HELD] if purse is not None else 0
        if there:
            turn.of(name).change("count", contributed(balance), 0, there)


def take_along(turn: Turn, lots: list[tuple[int, int, int]]) -> list[CarriedLot]:
    """Points go in transit, with their ends and what they wait for: (lot, available, pending)."""
    found = []
    account = turn.account
    for lot_id, available, pending in lots:
        lot = account.lots[lot_id]
        carried = (lot.balance, lot.bucket, lot.expires)
        waits = [each for each in account.waiting if each[1] == lot_id] if pending else []
        for opens, _, amount in waits:
            found.append(_carried(carried, min(amount, pending), opens, "", lot.funder))
            pending -= min(amount, pending)
        if pending:
            found.append(_carried(carried, pending, 0, lot.group, lot.funder))
        if available:
            found.append(_carried(carried, available, 0, "", lot.funder))
    for lot_id, available, pending in lots:
        lot = account.lots[lot_id]
        if pending:
            stop_waiting(turn, lot_id, pending)
            turn.post(lot.balance, PENDING, TRANSIT, pending, lot_id, REASON)
        if available:
            turn.post(lot.balance, AVAILABLE, TRANSIT, available, lot_id, REASON)
    return found


def _carried(
    lot: tuple[str, int, int], amount: int, opens: int, group: str, funder: str
) -> CarriedLot:
    balance, bucket, expires = lot
    return CarriedLot(balance, amount, bucket, expires, opens, group, funder=funder)


# ── leaving ──────────────────────────────────────────────────────────────────────────


def check_leaving(turn: Turn, body: Leave) -> Member:
    """The member who leaves; ``Refused`` where that cannot be."""
    members = turn.account.members
    member = members.get(body.member)
    if member is None:
        raise Refused("unknown-member", f"{body.member!r} is no member of this household.")
    _by_the_lead(turn, body.by, body.member)
    if len(members) == 1:
        raise Refused("last-member", f"{body.member!r} is the only one here.")
    if not (body.to or member.home):
        raise Refused("nowhere-to-go", f"{body.member!r} came from no other account.")
    return member


def share_of(
    household: HouseholdSection, balance: Balance, turn: Turn, name: str
) -> list[tuple[int, int, int]]:
    """(lot, available, pending) of what a member takes along of a balance.

    Under *contributions less redemptions* that is their share of the pool, out of their own
    lots first and then out of the others in their order of burning.
    """
    lots = [x for x in turn.account.lots.values() if x.balance == balance.name]
    own = [(x.id, x.available, x.pending) for x in lots if x.member == name]
    own = [each for each in own if each[1] or each[2]]
    if not balance.pooled or household.leaver_takes == "own points":
        return own
    if household.leaver_takes == "nothing":
        return []
    left = max(0, _share(household, turn, name, balance.name))
    found = {}
    for lot_id, _, pending in own:
        part = min(left, pending)
        found[lot_id] = (0, part)
        left -= part
    order = open_lots(turn, balance)
    order.sort(key=lambda lot: lot.member != name)
    for lot in order:
        part = min(left, lot.available)
        found[lot.id] = (part, found.get(lot.id, (0, 0))[1])
        left -= part
    return [(lot_id, a, b) for lot_id, (a, b) in found.items() if a or b]


def _share(household: HouseholdSection, turn: Turn, name: str, balance: str) -> int:
    """What a member contributed, less what is attributed to them now."""
    member = turn.account.members[name]
    less = _ever(member, redeemed(balance))
    if household.attributed == "when a member leaves":
        less = _parts_of_all(turn, balance)[name]
    return _ever(member, contributed(balance)) - less


def _parts_of_all(turn: Turn, balance: str) -> dict[str, int]:
    """Everything that was redeemed, cut by what each member has contributed until now."""
    waits = turn.account.counters.get(redeemed(balance), {}).get(0, 0)
    return _cut(turn, balance, waits, shares=False)


def _cut(turn: Turn, balance: str, amount: int, *, shares: bool) -> dict[str, int]:
    """An amount over the members, by contributions or by what each still has of the pool."""
    weights = {}
    for name, member in turn.account.members.items():
        weight = _ever(member, contributed(balance))
        weights[name] = max(0, weight - (_ever(member, redeemed(balance)) if shares else 0))
    return dict(zip(weights, share(amount, list(weights.values())), strict=True))


def leave(
    household: HouseholdSection, balances: Mapping[str, Balance], turn: Turn, name: str
) -> list[CarriedLot]:
    """A member goes with what is theirs; the one who has been there longest follows a lead."""
    account = turn.account
    taken = [part for each in balances.values() for part in share_of(household, each, turn, name)]
    shared = [each.name for each in balances.values() if each.pooled]
    later = household.attributed == "when a member leaves"
    spent_more = {}
    for pool in shared if household.leaver_takes == CONTRIBUTIONS else ():
        spent_more[pool] = max(0, -_share(household, turn, name, pool))
        part = _parts_of_all(turn, pool)[name] if later else 0
        if part:
            turn.change("count", redeemed(pool), 0, -part)
    found = take_along(turn, taken)
    was = account.members[name]
    turn.change("left", name)
    for pool, amount in spent_more.items():
        if not later:
            _leave_behind(turn, pool, amount)
    if was.role == "lead":
        heir, member = next(iter(account.members.items()))
        turn.change("member", heir, "lead", member.joined, True, member.home)
    turn.member = ""
    return found


def _leave_behind(turn: Turn, balance: str, amount: int) -> None:
    """Who goes and had spent more than theirs leaves that to those who stay."""
    for name, part in _cut(turn, balance, amount, shares=True).items():
        if part:
            turn.of(name).change("count", redeemed(balance), 0, part)


# ── attribution ──────────────────────────────────────────────────────────────────────

_SPENT = (REDEEMED, VOUCHER, PAYOUT, TRANSIT)
_GONE = (EXPIRED, FORFEITED)


def _spends(source: int, target: int) -> int:
    """1 where a posting takes points out of the pool, -1 where they come back into it."""
    if target in _SPENT and source in (AVAILABLE, HELD, OWED):
        return 1
    if target in _GONE and source in (AVAILABLE, PENDING):
        return 1
    undone = source in _SPENT and source != TRANSIT and target in (AVAILABLE, OWED)
    return -1 if undone or (source in _GONE and target < MEMBER_PLACES) else 0


def attribute(household: HouseholdSection, balances: Mapping[str, Balance], turn: Turn) -> None:
    """Count what the decision brought, and to whom what it spent is attributed.

    Points that expire leave the pool like points that are spent, so that what the members
    may take always adds up to the pool.
    """
    if household.leaver_takes != CONTRIBUTIONS:
        return
    brought: dict[tuple[str, str], int] = {}
    spent: dict[str, int] = {}
    for name, source, target, amount, lot_id, reason in list(turn.decision.postings):
        balance = balances.get(name)
        if balance is None or not balance.pooled or reason == REASON:
            continue
        sign = _spends(source, target)
        here, there = source < MEMBER_PLACES, target < MEMBER_PLACES
        if sign:
            spent[name] = spent.get(name, 0) + sign * amount
        elif here != there and source not in (VOUCHER, PAYOUT):
            lot = turn.account.lots.get(lot_id)
            key = name, (lot.member if lot is not None else "") or turn.member
            brought[key] = brought.get(key, 0) + (amount if there else -amount)
    for (name, member), amount in brought.items():
        if amount and member in turn.account.members:
            turn.of(member).change("count", contributed(name), 0, amount)
        elif amount:  # of somebody who has left: it falls to those who are here
            spent[name] = spent.get(name, 0) - amount
    for name, amount in spent.items():
        if amount:
            _attribute(household, turn, name, amount)


def _attribute(household: HouseholdSection, turn: Turn, balance: str, amount: int) -> None:
    if household.attributed == "when a member leaves":
        turn.change("count", redeemed(balance), 0, amount)
        return
    parts = _undone(turn, balance, -amount) if amount < 0 else {}
    if not parts:
        if household.attributed == "to who burns" and turn.member:
            parts = {turn.member: amount}
        else:
            parts = _cut(turn, balance, abs(amount), shares=household.attributed == "by balances")
            parts = {name: part if amount > 0 else -part for name, part in parts.items()}
    for name, part in parts.items():
        if part:
            turn.of(name).change("count", redeemed(balance), 0, part)


def _undone(turn: Turn, balance: str, amount: int) -> dict[str, int]:
    """To whom that belongs which comes back: as it was attributed when it was spent."""
    was: dict[str, int] = {}
    for original in turn.context.originals.values():
        for decision in (original.entry.decision, *original.undone):
            for change in decision.changes:
                if change[0] == "of" and change[2:5] == ("count", redeemed(balance), 0):
                    was[change[1]] = was.get(change[1], 0) + change[5]
    was = {name: part for name, part in was.items() if name in turn.account.members and part > 0}
    parts = share(amount, list(was.values()))
    return {name: -part for name, part in zip(was, parts, strict=True)}
