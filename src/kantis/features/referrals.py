"""referrals: a member brings a friend, and both have something of it.

Guarantee: each side is paid once for a friend, when the friend has done all that is asked
for; the friend is paid even where the referrer's cap is full; when what the friend bought
comes back and too little is left, both sides give back what they had.

The friend's account decides. It keeps who invited, and how far the friend has come; when the
referral is completed a follow-up event tells the referrer's account, which has the caps.

>>> reader = Reader()
>>> reader.units = {"points": Unit("points")}
>>> BOTH.read(node("25 points"), reader)
Both(unit='points', friend=25, referrer=25)
>>> BOTH.read(node({"referrer": "25 points"}), reader)
Both(unit='points', friend=0, referrer=25)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from msgspec import Struct

from kantis.core import windows
from kantis.core.amounts import Unit
from kantis.core.basket import Sums
from kantis.core.code import Code
from kantis.core.conditions import EXCEPT, IF, WHERE, Filter, If, write_gates
from kantis.core.events import Refer, Referred
from kantis.core.knobs import Kind, Knob, Node, Reader, Wrong, node
from kantis.core.levels import Lasts
from kantis.core.limits import AVAILABLE_WHEN, CAPS, Available, Cap, caps_of, use_caps
from kantis.core.lots import Balance, claw_back, issue
from kantis.core.phrases import (
    DURATION,
    TEXTS,
    TITLE,
    Duration,
    quantity,
    text_of,
    word,
)
from kantis.core.places import REVERSED
from kantis.core.records import Award
from kantis.core.turn import Refused, Turn

__all__ = ["BOTH", "ReferralSection", "Unit", "node"]

REASON = "referrals"


class Both(Struct, frozen=True):
    """What a referral gives to each side, in one unit."""

    unit: str
    friend: int
    referrer: int


def _both(node: Node, reader: Reader) -> Both:
    if not isinstance(node.value, dict):
        each = quantity(text_of(node), node, reader)
        return Both(each.unit, each.amount, each.amount)
    if not node.value or set(node.value) - {"friend", "referrer"}:
        message = "Write what both get, or {friend: 10 points, referrer: 25 points}."
        raise Wrong("sides-expected", message, node)
    parts = {key: quantity(text_of(child), child, reader) for key, child in node.value.items()}
    units = {each.unit for each in parts.values()}
    if len(units) != 1:
        raise Wrong("units-differ", "Both sides get something of the same balance.", node)
    amounts = {key: each.amount for key, each in parts.items()}
    return Both(units.pop(), amounts.get("friend", 0), amounts.get("referrer", 0))


BOTH = Kind(
    "what both sides get",
    _both,
    "25 points | {friend: 10 points, referrer: 25 points}",
    ("25 points",),
)


def _at_least(node: Node, reader: Reader) -> int:
    text = text_of(node)
    if not text.startswith("at least "):
        raise Wrong("at-least-expected", f"Write 'at least' before {text!r}.", node)
    found = quantity(text[9:], node, reader, 9)
    if reader.money is None or found.unit != reader.money.name:
        raise Wrong("money-expected", f"{text!r} is no amount of money.", node, 9)
    return found.amount


AT_LEAST = Kind("least spend", _at_least, "at least amount", ("at least 50.00 EUR",))


class ReferralSection(Struct, frozen=True, kw_only=True):
    """A referral: what the friend has to do, until when, and what both sides get."""

    name: str
    title: Annotated[dict[str, str], Knob(TITLE, "how members read it", dated=False)] = {}
    stages: Annotated[
        tuple[str, ...], Knob(TEXTS, "the activities of the friend that complete it, all of them")
    ] = ()
    spends: Annotated[int, Knob(AT_LEAST, "what the friend has to spend")] = 0
    orders: Annotated[
        str, Knob(word("one or several", "one"), "whether several orders add up to the spend")
    ] = "one or several"
    where: Annotated[Filter | None, Knob(WHERE, "the lines that count")] = None
    except_: Annotated[Filter | None, Knob(EXCEPT, "the lines that do not count")] = None
    if_: Annotated[If | None, Knob(IF, "what a purchase must be like to count")] = None
    within: Annotated[
        Duration | None,
        Knob(DURATION, "how long the friend has; the day on which they came is the first"),
    ] = None
    give: Annotated[Both, Knob(BOTH, "what both sides get, or each of them")]
    cap: Annotated[tuple[Cap | str, ...], Knob(CAPS, "at most so much for who referred")] = ()
    available: Annotated[Available, Knob(AVAILABLE_WHEN, "when it can be spent")] = Available()
    filtered: Annotated[
        tuple[str, ...], Knob(TEXTS, "marks of an invitation that make it count for nothing")
    ] = ()
    terms_of: Annotated[
        str,
        Knob(word("joining", "completion"), "the day whose terms count where they have changed"),
    ] = "joining"


class Referral(Struct):
    """A referral, ready for use."""

    name: str
    section: ReferralSection
    balance: Balance
    bit: int
    caps: tuple[Cap, ...]


def compile_referral(
    section: ReferralSection, balance: Balance, bit: int, shared: Mapping[str, Cap]
) -> Referral:
    """A referral, ready for use."""
    return Referral(section.name, section, balance, bit, caps_of(section.cap, shared))


def counter(name: str) -> str:
    """The counter and the fact of a referral on the friend's account."""
    return f"referral {name}"


def _stage(name: str, stage: str) -> str:
    return f"referral {name} {stage}"


#: The referrals of another instant, where their terms count.
Then = Mapping[str, Referral]


def refer(referrals: Mapping[str, Referral], turn: Turn, body: Refer) -> None:
    """A new member came by the invitation of another one."""
    referral = referrals.get(body.referral)
    if referral is None:
        raise Refused("unknown-referral", f"There is no referral {body.referral!r} now.")
    if any(fact.startswith("referral ") for fact in turn.account.facts):
        raise Refused("referred-already", "This member came by an invitation before.")
    if body.by == f"account:{turn.account.id}" or body.by == turn.event.subject:
        raise Refused("own-referral", "Nobody can invite themselves.")
    if turn.account.joined != turn.day:
        raise Refused("not-new", "Who is a member already is no new friend.")
    found = [mark for mark in body.marks if mark in referral.section.filtered]
    if found:
        raise Refused("invitation-filtered", f"This invitation does not count: {found[0]}.")
    turn.change("know", counter(referral.name), turn.moment, body.by)
    _look(referral, turn)


def write(code: Code, referrals: Mapping[str, Referral], event: str, sums: Sums) -> None:
    """Write how far an event brings a friend: what is bought, or a stage."""
    for referral in referrals.values():
        section, it = referral.section, code.constant(referral, "referral")
        if event == "purchase" and section.spends:
            spend = sums.name("amounts", referral.bit)
            gates = write_gates(code, None, None, section.if_, sums.of(referral.bit))
            tests = ["turn.account.facts", f"{spend} > 0", *(test for test, _ in gates)]
            with code.block(f"if {' and '.join(tests)}:"):
                code.add(f"{code.constant(_bought, 'bought')}({it}, turn, {spend})")
        if event in section.stages:
            with code.block("if turn.account.facts:"):
                code.add(f"{code.constant(_done_stage, 'done')}({it}, turn, {event!r})")


def _bought(referral: Referral, turn: Turn, spend: int) -> None:
    if not _open(referral, turn):
        return
    terms = _terms(referral, turn)
    if referral.section.orders == "one" and spend < terms.spends:
        return
    turn.change("count", counter(referral.name), 0, spend)
    _look(referral, turn)


def _done_stage(referral: Referral, turn: Turn, name: str) -> None:
    stage = _stage(referral.name, name)
    if _open(referral, turn) and stage not in turn.account.counters:
        turn.change("count", stage, 0, 1)
        _look(referral, turn)


def _open(referral: Referral, turn: Turn) -> bool:
    """Whether the member came by the referral, and it is neither completed nor over."""
    key = counter(referral.name)
    history = turn.account.facts.get(key)
    if history is None or key in turn.account.awards or history[0][0] > turn.moment:
        return False
    within = _terms(referral, turn).within
    first = turn.calendar.day(history[0][0])
    return within is None or turn.day < Lasts(length=within).until(first)


def _terms(referral: Referral, turn: Turn, since: int = 0) -> ReferralSection:
    """The terms that count: those of the day on which the friend came, or of now."""
    if referral.section.terms_of == "completion" or turn.plan_at is None:
        return referral.section
    came = since or turn.account.facts[counter(referral.name)][0][0]
    then: Then = turn.plan_at(came).referrals
    found = then.get(referral.name)
    return found.section if found is not None else referral.section


def _done(referral: Referral, turn: Turn) -> bool:
    terms, counters = _terms(referral, turn), turn.account.counters
    spent = counters.get(counter(referral.name), {}).get(0, 0)
    stages = (counters.get(_stage(referral.name, each), {}).get(0, 0) for each in terms.stages)
    return spent >= terms.spends and all(stages)


def _look(referral: Referral, turn: Turn) -> None:
    """Give both sides theirs, if the friend has done it all."""
    if not _done(referral, turn):
        return
    since, by = turn.account.facts[counter(referral.name)][0]
    give = _terms(referral, turn).give
    lot = _give(referral, turn, give.friend, give.friend)
    key = counter(referral.name)
    turn.change("award", key, turn.day, referral.balance.name, give.friend, lot, "", by)
    friend = f"account:{turn.account.id}"
    turn.follow(by, Referred(referral.name, friend, since))


def _give(referral: Referral, turn: Turn, points: int, plain: int) -> int:
    """Points of a referral come in; their lot."""
    lot, balance = 0, referral.balance
    if points:
        opens = referral.section.available.opens(turn)
        lot = issue(turn, balance, points, REASON, opens=opens)
    if plain:
        turn.decision.fired.append((referral.name, balance.name, 0, points, lot, plain))
    return lot


def referred(referrals: Mapping[str, Referral], turn: Turn, body: Referred) -> bool:
    """A friend has done it all: the referrer gets theirs, as far as the caps leave it.

    Whether something was given, and so counts as a referral.
    """
    key = _of_friend(body)
    referral = referrals.get(body.referral)
    if referral is None and turn.plan_at is not None and body.since:
        referral = turn.plan_at(body.since).referrals.get(body.referral)
    if referral is None:
        raise Refused("unknown-referral", f"There is no referral {body.referral!r} now.")
    if key in turn.account.awards:
        raise Refused("referred-already", f"This friend was paid for before ({body.friend}).")
    points = plain = _terms(referral, turn, body.since).give.referrer
    for cap in referral.caps:
        if cap.counts == "times" and not cap.left(turn):
            points = 0
    points = use_caps(referral.caps, turn, points, 1)
    lot = _give(referral, turn, points, plain)
    turn.change("award", key, turn.day, referral.balance.name, points, lot, "", body.friend)
    return points > 0


def _of_friend(body: Referred) -> str:
    return f"referral {body.referral} {body.friend}"


def refunded(referrals: Mapping[str, Referral], turn: Turn, name: str) -> None:
    """Something that counted came back: where too little is left, both sides give back."""
    referral, key = referrals.get(name), counter(name)
    award = turn.account.awards.get(key)
    if referral is None or award is None or _done(referral, turn):
        return
    since = turn.account.facts[key][0][0]
    _take_back(referral, turn, key, award)
    friend = f"account:{turn.account.id}"
    turn.follow(award.other, Referred(name, friend, since, undone=True))


def undone(referrals: Mapping[str, Referral], turn: Turn, body: Referred) -> Award:
    """What a friend did is undone: the referrer gives back, and the caps are free again."""
    key = _of_friend(body)
    award, referral = turn.account.awards.get(key), referrals.get(body.referral)
    if award is None or referral is None:
        raise Refused("nothing-to-undo", f"Nothing was given for {body.friend}.")
    joined = turn.account.joined
    for cap in referral.caps if award.points else ():
        bucket = windows.bucket(cap.window, award.day, joined)
        used = turn.account.counters.get(cap.counter, {}).get(bucket, 0)
        part = min(used, 1 if cap.counts == "times" else award.points)
        if part:
            turn.change("count", cap.counter, bucket, -part)
    _take_back(referral, turn, key, award)
    return award


def _take_back(referral: Referral, turn: Turn, key: str, award: Award) -> None:
    if award.points:
        rest = claw_back(turn, referral.balance, award.lot, award.points, REVERSED, REASON)
        taken = award.points - rest
        fact = (referral.name, award.balance, 0, -taken, award.lot, -award.points)
        turn.decision.fired.append(fact)
    turn.change("unaward", key)
