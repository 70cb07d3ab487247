"""partners: who takes part beside the merchant: what they give, fund, take and exchange.

Guarantee: what a partner has to pay and what has to be paid to a partner is a fold of the
books. Each point that a partner funds is owed once at the price of its day, and is owed no
more when it is taken back; each point that is spent with a partner is paid for once, and no
more when it comes back. Amounts are exact: nothing is rounded before a statement is made.

A position is kept in money, to a millionth of the smallest coin, in an account of the books
that has the partner's name. A lot remembers who funds it, so its price is that of its day.

>>> from kantis.core.amounts import money
>>> reader = Reader(money("GBP"))
>>> reader.units = {"points": Unit("points"), "point": Unit("points")}
>>> PRICE.read(node("0.005 GBP per 1 point"), reader)
Price(num=500000, den=1, unit='points')
>>> OUT.read(node("250 avios per 400 points"), reader)
Lots(mine=400, theirs=250, unit='points', there='avios')
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

from msgspec import Struct, structs

from kantis.core.amounts import Ratio, Unit, ratio
from kantis.core.conditions import If
from kantis.core.events import Exchange
from kantis.core.knobs import Kind, Knob, Node, Reader, Wrong, node, suggest
from kantis.core.lots import Balance, issue, take
from kantis.core.money import FINE
from kantis.core.phrases import (
    NUMBER,
    SOME,
    TITLE,
    Quantity,
    percent,
    quantity,
    text_of,
)
from kantis.core.places import (
    AVAILABLE,
    ISSUED,
    PARTNER_PAYABLE,
    PARTNER_RECEIVABLE,
    REVERSED,
)
from kantis.core.rates import GIVE, PARTNERS_RATE, Give
from kantis.core.records import Lot
from kantis.core.rule import Rule
from kantis.core.turn import Refused, Turn

__all__ = ["OUT", "PARTNERS_RATE", "PRICE", "PartnerSection", "Reader", "Unit", "node"]

REASON = "partners"


class Price(Struct, frozen=True):
    """``num / den`` millionths of the smallest coin for each smallest part of a balance."""

    num: int
    den: int
    unit: str


_PRICE = re.compile(rf"({NUMBER}) (\S+) per (.+)")


def _price(node: Node, reader: Reader) -> Price:
    match = _PRICE.fullmatch(text_of(node))
    if not match or reader.money is None or match[2] != reader.money.name:
        message = "Write what points cost as money, for example 0.005 EUR per 1 point."
        raise Wrong("price-expected", message, node)
    points = quantity(match[3], node, reader, match.start(3))
    if not points.amount or points.unit not in {unit.name for unit in reader.units.values()}:
        message = f"Nothing is settled per {match[3]!r}; write so many of a balance."
        raise Wrong("price-expected", message, node, match.start(3))
    each = ratio(match[1])
    num, den = each.num * 10 ** (reader.money.scale + FINE), each.den * points.amount
    if num % den:
        message = f"{text_of(node)!r} is no exact price. Write it per 1 point, to {FINE} decimals."
        raise Wrong("price-not-exact", message, node)
    return Price(num // den, 1, points.unit)


class Lots(Struct, frozen=True):
    """``mine`` of the balance ``unit`` stand for ``theirs`` of a partner's unit."""

    mine: int
    theirs: int
    unit: str
    there: str


_FOREIGN = re.compile(r"([0-9]+) (.+)")


def _foreign(text: str, node: Node, offset: int = 0) -> tuple[int, str]:
    match = _FOREIGN.fullmatch(text)
    if not match or not int(match[1]):
        message = f"{text!r} is no amount of a partner's units. Write for example 250 miles."
        raise Wrong("units-expected", message, node, offset)
    return int(match[1]), match[2]


def _lots(points: Quantity, theirs: int, there: str, node: Node) -> Lots:
    if not points.amount:
        raise Wrong("per-nothing", "Nothing is exchanged for nothing.", node)
    return Lots(points.amount, theirs, points.unit, there)


def _out(node: Node, reader: Reader) -> Lots:
    theirs, _, mine = text_of(node).partition(" per ")
    amount, there = _foreign(theirs, node)
    points = quantity(mine, node, reader, len(theirs) + 5)
    return _lots(points, amount, there, node)


def _into(node: Node, reader: Reader) -> Lots:
    mine, _, theirs = text_of(node).partition(" per ")
    points = quantity(mine, node, reader)
    amount, there = _foreign(theirs, node, len(mine) + 5)
    return _lots(points, amount, there, node)


def _bonus(node: Node, reader: Reader) -> Lots:
    theirs, _, mine = text_of(node).partition(" for ")
    amount, there = _foreign(theirs, node)
    points = quantity(mine.removesuffix(" at once"), node, reader, len(theirs) + 5)
    return _lots(points, amount, there, node)


PRICE = Kind("price of points", _price, "0.005 EUR per 1 point", ("0.005 EUR per 1 point",))
OUT = Kind("exchange", _out, "250 miles per 400 points", ("250 miles per 400 points",))
INTO = Kind("exchange", _into, "400 points per 250 miles", ("400 points per 250 miles",))
BONUS = Kind("bonus", _bonus, "500 miles for 1600 points at once")


class PartnerSection(Struct, frozen=True, kw_only=True):
    """A partner: what its purchases earn, what its points cost, what it exchanges."""

    name: str
    title: Annotated[dict[str, str], Knob(TITLE, "how members read it", dated=False)] = {}
    give: Annotated[Give | None, Knob(GIVE, "what purchases there earn: the partner's rate")] = None
    issuing: Annotated[Price | None, Knob(PRICE, "what it pays for the points that it funds")] = (
        None
    )
    redeeming: Annotated[
        Price | None, Knob(PRICE, "what it is paid for points that are spent or go there")
    ] = None
    sends: Annotated[
        Lots | None, Knob(INTO, "what units of its programme become here, in lots")
    ] = None
    takes: Annotated[Lots | None, Knob(OUT, "what points become in its programme, in lots")] = None
    least: Annotated[Quantity | None, Knob(SOME, "the fewest points that go there at once")] = None
    bonus: Annotated[
        Lots | None, Knob(BONUS, "what comes on top there, once, for so many points at once")
    ] = None


def expand(
    rules: dict[str, Rule], offers: dict[str, Rule], partners: Mapping[str, PartnerSection]
) -> dict[str, Rule]:
    """The rules, with one for each partner of those that give ``the partner's rate``.

    A rule that asks for some partners is for those; modifiers on it, offers too, are on all of
    them.
    """
    found: dict[str, Rule] = {}
    families: dict[str, list[str]] = {}
    for name, rule in rules.items():
        if rule.give is None or not rule.give.by_partner:
            found[name] = rule
            continue
        wanted = rule.if_.partner if rule.if_ is not None and rule.if_.partner else tuple(partners)
        families[name] = []
        for partner in wanted:
            section = partners.get(partner)
            if section is None or section.give is None:
                continue
            one = f"{name} {partner}"
            families[name].append(one)
            found[one] = structs.replace(
                rule,
                name=one,
                give=section.give,
                if_=structs.replace(rule.if_ or If(), partner=(partner,)),
                funded_by=rule.funded_by or (partner if section.issuing is not None else ""),
            )
    for some in (found, offers) if families else ():
        for name, rule in some.items():
            if rule.on:
                on = tuple(one for each in rule.on for one in families.get(each, [each]))
                some[name] = structs.replace(rule, on=on)
    return found


_SHARE = re.compile(rf"(.+?)(?: ({NUMBER} ?%))?")


def funding(text: str) -> list[tuple[str, Ratio]]:
    """Who funds a lot, and which share of it: ``dairy`` or ``dairy 60 %, kiosk 40 %``.

    >>> funding("dairy 60 %, kiosk 25 %")
    [('dairy', Ratio(num=60, den=100)), ('kiosk', Ratio(num=25, den=100))]
    """
    found = []
    for each in text.split(", ") if text else ():
        match = _SHARE.fullmatch(each)
        assert match is not None
        found.append((match[1], percent(match[2], node(match[2])) if match[2] else Ratio(1)))
    return found


def exact(price: Price, share: Ratio) -> bool:
    """Whether a share of a price comes to whole millionths."""
    return price.num * share.num % (price.den * share.den) == 0


class Positions:
    """What a decision does to the positions of partners: one posting for each kind of thing."""

    def __init__(self, turn: Turn) -> None:
        self.turn = turn
        self.sums: dict[tuple[str, str, str], tuple[int, int]] = {}

    def funded(self, partners: Mapping[str, PartnerSection], text: str, unit: str, n: int) -> None:
        """So many points that partners fund were issued, or (below zero) taken back."""
        for name, share in funding(text):
            section = partners.get(name)
            price = section.issuing if section is not None else None
            if price is not None and price.unit == unit:
                money = abs(n) * price.num * share.num // (price.den * share.den)
                self.add(name, unit, "issued" if n > 0 else "reversed", abs(n), money)

    def spent(self, section: PartnerSection | None, unit: str, n: int) -> None:
        """So many points were spent with a partner, or (below zero) came back."""
        price = section.redeeming if section is not None else None
        if section is not None and price is not None and price.unit == unit:
            kind = "redeemed" if n > 0 else "returned"
            self.add(section.name, unit, kind, abs(n), abs(n) * price.num // price.den)

    def add(self, name: str, unit: str, kind: str, points: int, money: int) -> None:
        """Add to a kind of thing: points, and their money in millionths of the smallest coin."""
        before = self.sums.get((name, unit, kind), (0, 0))
        self.sums[name, unit, kind] = before[0] + points, before[1] + money

    def book(self) -> None:
        """Write the postings and facts."""
        for (name, unit, kind), (points, money) in self.sums.items():
            self.turn.decision.fired.append((name, unit, kind, points, 0, money))
            if money:
                self.turn.post(name, *KINDS[kind], money, 0, REASON)


#: What each kind of thing moves, from one side of the system to another.
KINDS: dict[str, tuple[int, int]] = {
    "issued": (ISSUED, PARTNER_RECEIVABLE),
    "reversed": (PARTNER_RECEIVABLE, REVERSED),
    "redeemed": (ISSUED, PARTNER_PAYABLE),
    "returned": (PARTNER_PAYABLE, REVERSED),
}


def funder_of(lot: Lot | None, rules: Mapping[str, Any], rule: str) -> str:
    """Who funds what a rule gave: as its lot remembers, or as the rule says now."""
    if lot is not None:
        return lot.funder
    earner = rules.get(rule)
    return str(earner.rule.funded_by) if earner is not None else ""


def exchange(
    partners: Mapping[str, PartnerSection],
    balances: Mapping[str, Balance],
    turn: Turn,
    body: Exchange,
) -> None:
    """Points become units of a partner's programme, or the other way round, in whole lots."""
    section = partners.get(body.partner)
    lots = (section.sends if body.back else section.takes) if section is not None else None
    if section is None or lots is None:
        sentence = f"Nothing is exchanged with {body.partner!r} that way now."
        raise Refused("no-exchange", sentence)
    step = lots.theirs if body.back else lots.mine
    if body.amount <= 0 or body.amount % step:
        what = lots.there if body.back else lots.unit
        raise Refused("not-a-lot", f"It goes in lots of {step} {what}.")
    balance, count = balances[lots.unit], body.amount // step
    if body.back:
        _send(section, balance, turn, count * lots.mine, body.amount)
    else:
        if section.least is not None and body.amount < section.least.amount:
            sentence = f"At least {section.least.amount} are exchanged at once."
            raise Refused("below-minimum", sentence)
        available = turn.account.purse.get(lots.unit, [0])[AVAILABLE]
        if available < body.amount:
            sentence = f"{body.amount} were to be exchanged, there are {available}."
            raise Refused("not-enough", sentence)
        leave(section, balance, turn, body.amount)


def _send(section: PartnerSection, balance: Balance, turn: Turn, points: int, units: int) -> None:
    """What comes from a partner's programme is paid for by the partner."""
    issue(turn, balance, points, REASON, source=PARTNER_RECEIVABLE, funder=section.name)
    turn.decision.fired.append((section.name, balance.name, "sent", points, 0, units))
    positions = Positions(turn)
    positions.funded({section.name: section}, section.name, balance.name, points)
    positions.book()


def leave(section: PartnerSection, balance: Balance, turn: Turn, points: int) -> None:
    """Whole lots of points go to a partner's programme, which is paid for them."""
    lots = section.takes
    assert lots is not None
    take(turn, balance, points, PARTNER_PAYABLE, REASON)
    units = points // lots.mine * lots.theirs
    bonus, counter = section.bonus, f"exchange {section.name}"
    if bonus is not None and points >= bonus.mine and counter not in turn.account.counters:
        turn.change("count", counter, 0, 1)
        units += bonus.theirs
    turn.decision.fired.append((section.name, balance.name, "taken", points, 0, units))
    turn.notice("exchange", section.name, lots.there, units)
    positions = Positions(turn)
    positions.spent(section, balance.name, points)
    positions.book()


def faults(partners: Mapping[str, PartnerSection], text: str, unit: str) -> tuple[str, str]:
    """(code, message) of what is wrong with a funder; empty when nothing is."""
    total = Ratio(0)
    for name, share in funding(text):
        section = partners.get(name)
        if section is None:
            return "unknown-partner", f"There is no partner {name!r}. {suggest(name, partners)}"
        price = section.issuing
        if price is None or (unit and price.unit != unit):
            message = f"{name!r} has no price for {unit}: say 'issuing' under 'partners'."
            return "price-missing", message
        if not exact(price, share):
            message = f"Of its price the share of {name!r} is no exact amount; take a rounder one."
            return "price-not-exact", message
        total = Ratio(total.num * share.den + share.num * total.den, total.den * share.den)
    if total.num > total.den:
        return "more-than-all", "Partners fund more than all of it."
    return "", ""
