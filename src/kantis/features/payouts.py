"""payouts: where value goes that leaves the program: the member, a share, a charity, a voucher.

Guarantee: what is paid out is cut without a rest: into the member's share until it is full,
then as the payout says, and every part stands in a place of its own until it is settled.
What a charity is owed is a fold of the books, exact to a millionth of the smallest coin; when
a purchase comes back, the charity gives back what it had been given for it.

A payout says where; a cycle, a reward or a balance that is given away says when and how much.

>>> from kantis.core.amounts import money
>>> parts([("share capital", 800), ("", 400)], 1200)
[('share capital', 800, 800), ('', 400, 400)]
>>> parts([("red-cross", 250), ("unicef", 250)], 1000)
[('red-cross', 250, 500), ('unicef', 250, 500)]
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated

from msgspec import Struct

from kantis.core.account import value_at
from kantis.core.amounts import Ratio, Unit, divide, share
from kantis.core.events import Arrived
from kantis.core.knobs import Kind, Knob, Node, Reader, Wrong, suggest
from kantis.core.lots import Balance, give_back, take
from kantis.core.money import FINE
from kantis.core.phrases import (
    PERCENT,
    QUANTITY,
    TEXT,
    TIMES,
    TITLE,
    Quantity,
    text_of,
    word,
)
from kantis.core.places import (
    AVAILABLE,
    CHARITY,
    ISSUED,
    OWED,
    PARTNER_RECEIVABLE,
    PAYOUT,
    REDEEMED,
    REVERSED,
    SHARE_CAPITAL,
    VOUCHER,
)
from kantis.core.rates import Worth
from kantis.core.turn import Refused, Turn

__all__ = ["Reader", "Unit"]

REASON = "payouts"
_ONE: int = 10**FINE
SHARE = "share capital"


def _matched(node: Node, reader: Reader) -> tuple[str, Ratio]:
    if isinstance(node.value, str):
        return node.value, Ratio(1)
    if not isinstance(node.value, dict) or len(node.value) != 1:
        raise Wrong("match-expected", "Write who matches, for example {sponsor: 1 times}.", node)
    ((partner, child),) = node.value.items()
    return partner, TIMES.read(child, reader)


def _until(node: Node, reader: Reader) -> Quantity:
    text = text_of(node).removeprefix("until ")
    found: Quantity = QUANTITY.read(Node(text, node.line, node.column), reader)
    return found


def _charity(node: Node, reader: Reader) -> tuple[str, str]:
    text = text_of(node)
    if not text.startswith("chosen "):
        return text, ""
    choice, known = text[7:], reader.names.get("choices", [])
    if choice not in known:
        message = f"There is no choice {choice!r}. {suggest(choice, known)}"
        raise Wrong("unknown-choice", message, node, 7)
    return "", choice


MATCHED = Kind("match", _matched, "{partner: 1 times}", ("{sponsor: 1 times}",))
UNTIL = Kind("share", _until, "until number unit", ("until 100.00 EUR",))
CHARITY_KIND = Kind("charity", _charity, "a charity | chosen choice", ("chosen cause",))


class PayoutSection(Struct, frozen=True, kw_only=True):
    """A payout: what goes where, in which order."""

    name: str
    title: Annotated[dict[str, str], Knob(TITLE, "how members read it", dated=False)] = {}
    gives_away: Annotated[
        str, Knob(TEXT, "the balance of which all is paid at once, for the member's cause")
    ] = ""
    share_capital_first: Annotated[
        Quantity | None, Knob(UNTIL, "the member's share, which is filled first")
    ] = None
    paid_in: Annotated[str, Knob(TEXT, "the counter of what is paid into the share")] = ""
    charity: Annotated[
        tuple[str, str] | None,
        Knob(CHARITY_KIND, "the charity that gets it, or whose choice it is"),
    ] = None
    without_a_choice: Annotated[
        str, Knob(word("split equally", "to the member"), "what happens where none is chosen")
    ] = "split equally"
    part: Annotated[
        Ratio | None, Knob(PERCENT, "the part that is donated; the rest is the member's")
    ] = None
    matched_by: Annotated[
        tuple[str, Ratio] | None, Knob(MATCHED, "the partner who gives so many times as much")
    ] = None
    voucher: Annotated[str, Knob(TEXT, "the kind of voucher that the member gets, not money")] = ""


#: Issues a voucher: (turn, kind, worth, balance, points, number) -> its code.
Issue = Callable[..., str]


class Payouts:
    """The payouts of a plan, with what they need to know of it."""

    def __init__(
        self,
        sections: Mapping[str, PayoutSection],
        options: Mapping[str, tuple[str, ...]],
        money: Unit,
    ) -> None:
        self.sections = dict(sections)
        self.options = options
        self.money = money
        self.at_once = [each for each in sections.values() if each.gives_away]

    def fine(self, balance: Balance, points: int, worth: Worth | None) -> int:
        """What points are worth, in millionths of the smallest coin: themselves, if no worth."""
        if worth is not None:
            return divide(points * worth.money, worth.points, "down") * _ONE
        up: int = 10 ** (self.money.scale + FINE - balance.unit.scale)
        return points * up


def parts(wanted: list[tuple[str, int]], points: int) -> list[tuple[str, int, int]]:
    """(where, money, points) of each part that gets something; the points go by largest rest."""
    found = [each for each in wanted if each[1]] or wanted[-1:]
    cut = share(points, [money for _, money in found])
    return [(where, money, part) for (where, money), part in zip(found, cut, strict=True)]


def charities(payouts: Payouts, section: PayoutSection, turn: Turn, moment: int) -> list[str]:
    """Who gets a donation: the charity, the one that was chosen, or all of them in equal parts.

    A chosen one that there is no more counts as none.
    """
    if section.charity is None:
        return []
    fixed, choice = section.charity
    if fixed:
        return [fixed]
    options = payouts.options.get(choice, ())
    history = turn.account.choices.get(choice)
    chosen = value_at(history, moment, "") if history else ""
    if chosen in options:
        return [chosen]
    return list(options) if section.without_a_choice == "split equally" else []


def cut(payouts: Payouts, section: PayoutSection, turn: Turn, fine: int) -> list[tuple[str, int]]:
    """Money, cut in order: the share, the charities, and the member for the rest."""
    found: list[tuple[str, int]] = []
    if section.share_capital_first is not None:
        before = turn.account.counters.get(section.paid_in, {}).get(0, 0)
        left = max(0, section.share_capital_first.amount - before) * _ONE
        found.append((SHARE, min(fine, left)))
        fine -= found[-1][1]
    names = charities(payouts, section, turn, turn.moment)
    given = 0
    if names:
        part = section.part or Ratio(1)
        given = divide(fine * part.num, part.den, "half up")
        found += zip(names, share(given, [1] * len(names)), strict=True)
    found.append(("", fine - given))
    return found


def pay(
    payouts: Payouts,
    name: str,
    turn: Turn,
    balance: Balance,
    points: int,
    worth: Worth | None,
    issue: Issue,
    lots: set[int] | None = None,
) -> None:
    """Available points leave as money: to the share, to charities, to the member.

    ``lots`` are those that they leave from, where not all are meant.
    """
    section = payouts.sections[name]
    fine = payouts.fine(balance, points, worth)
    for where, money, part in parts(cut(payouts, section, turn, fine), points):
        target = SHARE_CAPITAL if where == SHARE else CHARITY if where else 0
        target = target or (VOUCHER if section.voucher else PAYOUT)
        if part:
            take(turn, balance, part, target, REASON, only=lots)
        if where == SHARE:
            turn.change("count", section.paid_in, 0, money // _ONE)
        elif where:
            give(section, turn, where, money)
        elif section.voucher:
            coins = money // _ONE
            issue(turn, section.voucher, worth=coins, balance=balance.name, points=part, number=1)
        turn.decision.fired.append((name, balance.name, where, part, 0, money))


def give(section: PayoutSection, turn: Turn, charity: str, money: int) -> None:
    """A charity is owed so much more, and a sponsor its match; or (below zero) so much less."""
    if not money:
        return
    move(turn, charity, CHARITY, money)
    if section.matched_by is not None:
        partner, times = section.matched_by
        more = divide(abs(money) * times.num, times.den, "half up") * (1 if money > 0 else -1)
        move(turn, charity, CHARITY, more)
        move(turn, partner, PARTNER_RECEIVABLE, more)
        turn.decision.fired.append((section.name, "", charity, 0, 0, more))
        turn.decision.fired.append((partner, "", "matched", 0, 0, more))


def move(turn: Turn, name: str, place: int, money: int) -> None:
    """Money comes into a place of a name's account of the books, or is taken back from there."""
    if money > 0:
        turn.post(name, ISSUED, place, money, 0, REASON)
    elif money:
        turn.post(name, place, REVERSED, -money, 0, REASON)


def give_away(payouts: Payouts, balances: Mapping[str, Balance], turn: Turn, moment: int) -> None:
    """What members earn for a cause goes there at once; what was taken back comes from there.

    ``moment`` is when the purchase was: whoever was chosen then is meant.
    """
    for section in payouts.at_once:
        balance = balances[section.gives_away]
        purse = turn.account.purse.get(balance.name)
        if purse is None or not (purse[AVAILABLE] or purse[OWED]):
            continue
        points = purse[AVAILABLE] + purse[OWED]
        names = charities(payouts, section, turn, moment)
        if not names:
            continue
        if purse[AVAILABLE]:
            take(turn, balance, purse[AVAILABLE], CHARITY, REASON)
        if purse[OWED]:
            turn.post(balance.name, CHARITY, OWED, -purse[OWED], 0, REASON)
        fine = payouts.fine(balance, abs(points), None)
        for name, money in zip(names, share(fine, [1] * len(names)), strict=True):
            signed = money if points > 0 else -money
            give(section, turn, name, signed)
            turn.decision.fired.append((section.name, balance.name, name, points, 0, signed))


def arrived(balances: Mapping[str, Balance], turn: Turn, body: Arrived) -> None:
    """What was on its way has arrived at the member, or has bounced and is there again."""
    purse = turn.account.purse.get(body.balance)
    if purse is None or not 0 < body.amount <= purse[PAYOUT]:
        there = purse[PAYOUT] if purse is not None else 0
        sentence = f"{body.amount} were paid of {body.balance!r}, on its way are {there}."
        raise Refused("not-on-its-way", sentence)
    if body.bounced:
        give_back(turn, balances[body.balance], [(-1, body.amount)], PAYOUT, REASON)
    else:
        turn.post(body.balance, PAYOUT, REDEEMED, body.amount, 0, REASON)
