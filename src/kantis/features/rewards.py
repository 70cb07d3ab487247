"""rewards: what points can be spent on.

Guarantee: nobody spends more than is available; what is set aside is either captured or
given back, at the latest when its time is over; a redemption that is undone gives the
points back to the lots they came from.

A reward has one of three prices. ``cost`` is a fixed number of points. ``rate`` turns any
number into money, with a minimum, a step and a most. ``rungs`` is a table of numbers and
what they are worth, of which the best one below the balance and the basket counts.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Annotated, Final

from msgspec import Struct

from kantis.core import windows
from kantis.core.account import Account
from kantis.core.amounts import Ratio, divide, share
from kantis.core.conditions import EXCEPT, IF, WHEN, WHERE, WHO, Filter, If, When, Who, gates, unmet
from kantis.core.events import Line, Redeem
from kantis.core.knobs import Kind, Knob, Node, Reader, Wrong
from kantis.core.levels import REACHED
from kantis.core.limits import OFTEN, Often
from kantis.core.lots import Balance, issue, spendable, take
from kantis.core.phrases import (
    COINS,
    DURATION,
    PERCENT,
    SOME,
    TEXT,
    TITLE,
    WHOLE,
    YES,
    Duration,
    Quantity,
    Window,
    how_often,
    quantity,
    text_of,
    word,
)
from kantis.core.places import AVAILABLE, HELD, OWED, REDEEMED, VOUCHER
from kantis.core.rates import WORTH, Worth
from kantis.core.turn import Refused, Turn

REASON = "rewards"
#: How a reward comes that can be asked for.
ON_REQUEST: Final = "on request"


def _rungs(node: Node, reader: Reader) -> tuple[tuple[int, int, str], ...]:
    if not isinstance(node.value, dict) or not node.value:
        raise Wrong(
            "rungs-expected", "Write a table {1000 points: 1 USD, 3000 points: 4 USD}.", node
        )
    found: list[tuple[int, int, str]] = []
    for key, child in node.value.items():
        points = quantity(key, child, reader)
        worth = quantity(text_of(child), child, reader)
        if found and points.amount <= found[-1][0]:
            raise Wrong("rungs-out-of-order", "The rungs go from low to high.", child)
        found.append((points.amount, worth.amount, points.unit))
    return tuple(found)


RUNGS = Kind("rungs", _rungs, "{1000 points: 1 USD, 18000 points: 20 USD}")

_OFF = re.compile(r"(up to )?(.+) off")
#: A number and at most one word: money that is written in another way, not a thing.
_MONEY_MEANT = re.compile(r"[^\w%]*\d[\d.,]* ?[^\s%]*")


class Gives(Struct, frozen=True):
    """What a reward gives: money off (``up_to`` the price of the item), a voucher, money that is
    paid out, or a thing."""

    money: int = 0
    up_to: bool = False
    voucher: str = ""
    thing: str = ""
    payout: str = ""


def _gives(node: Node, reader: Reader) -> Gives:
    if isinstance(node.value, dict):
        if list(node.value) == ["voucher"]:
            return Gives(voucher=text_of(node.value["voucher"]))
        if list(node.value) == ["payout"]:
            return Gives(payout=text_of(node.value["payout"]))
        raise Wrong(
            "gives-expected", "Write '5 EUR off', {voucher: name}, {payout: name} or a thing.", node
        )
    text = text_of(node)
    if match := _OFF.fullmatch(text):
        try:
            return Gives(money=quantity(match[2], node, reader).amount, up_to=bool(match[1]))
        except Wrong as wrong:
            if _MONEY_MEANT.fullmatch(match[2]):
                start = match.start(2) + wrong.offset
                raise Wrong(wrong.code, wrong.message, node, start) from wrong
    return Gives(thing=text)


GIVES = Kind(
    "what a reward gives",
    _gives,
    "5 EUR off | up to 10 USD off | {voucher: name} | {payout: name} | words",
)


COST = Kind(
    "cost",
    lambda node, reader: quantity(text_of(node), node, reader),
    "number unit",
    ("50 points", "0 points"),
)


class RewardSection(Struct, frozen=True, kw_only=True):
    """A reward: its price in points, what it gives, for whom, and its limits."""

    name: str
    title: Annotated[dict[str, str], Knob(TITLE, "how members read it", dated=False)] = {}
    cost: Annotated[
        Quantity | None, Knob(COST, "a fixed price in points; 0 where only 'per member' limits it")
    ] = None
    rate: Annotated[Worth | None, Knob(WORTH, "what points are worth as money off")] = None
    rungs: Annotated[
        tuple[tuple[int, int, str], ...], Knob(RUNGS, "a table of points and what they are worth")
    ] = ()
    reached: Annotated[
        tuple[str, int] | None, Knob(REACHED, "the amount of a counter that brings it")
    ] = None
    gives: Annotated[Gives, Knob(GIVES, "what the member gets")] = Gives()
    least: Annotated[Quantity | None, Knob(SOME, "the fewest points at once")] = None
    step: Annotated[Quantity | None, Knob(SOME, "points go in steps of")] = None
    most: Annotated[Quantity | None, Knob(SOME, "the most points in one purchase")] = None
    pays_at_most: Annotated[
        Ratio | None, Knob(PERCENT, "the largest share of the basket that points pay")
    ] = None
    covers: Annotated[
        str, Knob(word("any part", "all or nothing"), "whether points may pay a part")
    ] = "any part"
    where: Annotated[Filter | None, Knob(WHERE, "the lines that it can pay for")] = None
    except_: Annotated[Filter | None, Knob(EXCEPT, "the lines that it cannot pay for")] = None
    who: Annotated[Who | None, Knob(WHO, "the members that are meant")] = None
    when: Annotated[When | None, Knob(WHEN, "the times that are meant")] = None
    if_: Annotated[If | None, Knob(IF, "what the purchase must be like")] = None
    stock: Annotated[int, Knob(WHOLE, "how many there are for all members; 0 is no limit")] = 0
    per_member: Annotated[Often, Knob(OFTEN, "how many one member may have; 0 is no limit")] = (
        Often()
    )
    issued: Annotated[
        str,
        Knob(
            word(ON_REQUEST, "by itself", "on the birthday", "on joining"),
            "whether it comes without being asked for",
        ),
    ] = "on request"
    held_for: Annotated[Duration | None, Knob(DURATION, "how long points are set aside for it")] = (
        None
    )
    points_back: Annotated[
        Ratio | None, Knob(PERCENT, "the share of redeemed points that comes back at once, as new")
    ] = None
    earns: Annotated[bool, Knob(YES, "whether a purchase that it pays still earns")] = True
    worth: Annotated[Quantity | None, Knob(COINS, "what a member would pay for it in money")] = None
    costs_us: Annotated[
        Quantity | None, Knob(COINS, "what one costs the merchant; members are not told")
    ] = None
    note: Annotated[str, Knob(TEXT, "a word for the staff")] = ""


def unit_of(reward: RewardSection) -> str:
    """The balance that a reward is paid with."""
    if reward.cost is not None:
        return reward.cost.unit
    if reward.rate is not None:
        return reward.rate.unit
    return reward.rungs[0][2] if reward.rungs else ""


def payable(reward: RewardSection, lines: Sequence[Line], amounts: Sequence[int]) -> list[int]:
    """What of each line's amount the reward can pay for; nothing of the lines not meant."""
    where, but = reward.where, reward.except_
    return [
        amount
        if (where is None or where.matches(line)) and (but is None or not but.matches(line))
        else 0
        for line, amount in zip(lines, amounts, strict=True)
    ]


def pay_lines(
    reward: RewardSection, lines: Sequence[Line], points: int, left: Sequence[int]
) -> list[int]:
    """What is left of the lines when points pay those that they can pay for, in proportion."""
    paid = payable(reward, lines, left)
    parts = share(min(pays(reward, points) or 0, sum(paid)), paid)
    return [amount - part for amount, part in zip(left, parts, strict=True)]


def price(reward: RewardSection, available: int, basket: int, wanted: int) -> tuple[int, int]:
    """(points, money off) of a redemption; ``wanted`` 0 takes the most.

    >>> table = RewardSection(name="pay", rungs=((10000, 1000, "points"), (18000, 2000, "points")))
    >>> price(table, 17999, 0, 0), price(table, 18000, 0, 0)
    ((10000, 1000), (18000, 2000))
    """
    if reward.cost is not None:
        if available < reward.cost.amount:
            raise Refused("not-enough", f"It takes {reward.cost.amount}, there are {available}.")
        off = reward.gives.money
        return reward.cost.amount, min(off, basket) if reward.gives.up_to else off
    if reward.rungs:
        return _rung(reward, available, basket, wanted)
    assert reward.rate is not None
    return _by_rate(reward, reward.rate, available, basket, wanted)


def _rung(reward: RewardSection, available: int, basket: int, wanted: int) -> tuple[int, int]:
    most = reward.most.amount if reward.most is not None else available
    fitting = [
        (points, worth)
        for points, worth, _ in reward.rungs
        if points <= min(available, most)
        and (not basket or worth <= basket)
        and (not wanted or points == wanted)
    ]
    if not fitting:
        if wanted and wanted not in [rung for rung, _, _ in reward.rungs]:
            raise Refused("not-a-rung", f"{wanted} is no rung of {reward.name!r}.")
        if wanted and wanted <= available:
            raise _too_much()
        least = wanted or reward.rungs[0][0]
        if least <= min(available, most):
            raise _too_much()
        raise Refused("not-enough", f"No rung fits: it takes {least}, there are {available}.")
    return fitting[-1]


def pays(reward: RewardSection, points: int) -> int | None:
    """What points are worth as a part of a purchase; None where the reward is no money off.

    >>> table = RewardSection(name="pay", rungs=((1000, 100, "points"), (2000, 250, "points")))
    >>> pays(table, 2000), pays(table, 1999), pays(table, 500)
    (250, 100, 0)
    """
    if reward.rate is not None:
        return divide(points * reward.rate.money, reward.rate.points, "down")
    if reward.rungs:
        return max((worth for least, worth, _ in reward.rungs if least <= points), default=0)
    return None


def check_tender(
    reward: RewardSection,
    turn: Turn,
    points: int,
    lines: Sequence[Line],
    to_pay: Sequence[int],
    left: Sequence[int],
) -> None:
    """``Refused`` where so many points cannot be a part of this purchase.

    ``to_pay`` is what each line costs, ``left`` what other points leave of it.
    """
    basket = sum(payable(reward, lines, to_pay))
    _gated(reward, turn, sum(to_pay), basket)
    _, worth = price(reward, points, basket, points)
    if worth > sum(payable(reward, lines, left)):
        raise _too_much()


def _too_much() -> Refused:
    return Refused("too-much", "That is more than this purchase can take in points.")


def _by_rate(
    reward: RewardSection, rate: Worth, available: int, basket: int, wanted: int
) -> tuple[int, int]:
    whole = basket > 0 and reward.covers == "all or nothing"
    limit = basket
    if reward.pays_at_most is not None:
        limit = basket * reward.pays_at_most.num // reward.pays_at_most.den
    fits = -(-limit * rate.points // rate.money)  # the fewest that pay so much
    if not whole and divide(fits * rate.money, rate.points, "down") > limit:
        fits = limit * rate.points // rate.money
    most = min(available, reward.most.amount) if reward.most is not None else available
    if wanted > available:
        raise Refused("not-enough", f"{wanted} were asked for, there are {available}.")
    if wanted > most or (basket and wanted > fits):
        raise _too_much()
    if whole and (fits > most or wanted not in (0, fits)):
        raise Refused("all-or-nothing", f"Points pay all or nothing: it takes {fits}.")
    points = wanted or (min(most, fits) if basket else most)
    step = reward.step.amount if reward.step is not None else 1
    if points % step and (wanted or whole):
        raise Refused("not-a-step", f"Points go in steps of {step}.")
    points -= points % step
    least = max(1, reward.least.amount if reward.least is not None else 1)
    if points < least:
        sentence = f"It takes at least {least} at once, not {wanted or available}."
        raise Refused("below-minimum", sentence)
    worth = divide(points * rate.money, rate.points, "down")
    return points, min(worth, limit) if whole else worth


def _gated(reward: RewardSection, turn: Turn, basket: int, spend: int) -> None:
    for gate in gates(reward.who, reward.when, reward.if_):
        why = gate(turn, basket, spend, 1 << 40)
        if why:
            sentence = f"This reward does not fit here: {unmet(why, reward.who)}."
            raise Refused(f"reward-{why.replace(' ', '-')}", sentence)


def redeem(
    rewards: dict[str, RewardSection],
    balances: dict[str, Balance],
    turn: Turn,
    body: Redeem,
) -> tuple[RewardSection, int, int]:
    """Spend points or set them aside: (reward, points, money off)."""
    reward = rewards.get(body.reward)
    if reward is None:
        raise Refused("unknown-reward", f"There is no reward {body.reward!r} now.")
    if not unit_of(reward):
        raise Refused("comes-by-itself", f"The reward {reward.name!r} cannot be asked for.")
    amounts = [line.amount for line in body.lines]
    basket = sum(payable(reward, body.lines, amounts)) if body.lines else body.basket
    _gated(reward, turn, body.basket or basket, basket)
    balance = balances[unit_of(reward)]
    available = spendable(turn, balance)
    if not turn.event.ask and not body.hold:  # it has happened: what is short is owed
        cost = reward.cost.amount if reward.cost is not None else 0
        available = max(available, body.points or cost)
    points, worth = price(reward, available, basket, body.points)
    _limits(reward, turn)
    return reward, points, worth


def _limits(reward: RewardSection, turn: Turn) -> None:
    if reward.per_member.times:
        had = reward.per_member.had(turn, f"reward {reward.name}")
        if had >= reward.per_member.times:
            raise Refused(
                "had-already", f"This member had it {how_often(had)}, which is the limit."
            )
    if reward.stock and turn.context.limits.get(f"stock {reward.name}", reward.stock) < 1:
        raise Refused("sold-out", f"The reward {reward.name!r} is sold out.")


def spend(
    reward: RewardSection,
    balance: Balance,
    turn: Turn,
    points: int,
    *,
    hold: bool,
) -> list[tuple[int, int]]:
    """Take the points from their lots to where they belong: (lot, amount) each."""
    if reward.stock:
        turn.claim(f"stock {reward.name}", 1)
    if reward.per_member.times:
        turn.change("count", f"reward {reward.name}", reward.per_member.bucket(turn), 1)
    target = HELD if hold else VOUCHER if reward.gives.voucher else REDEEMED
    available = spendable(turn, balance)
    if points > available:
        turn.post(balance.name, OWED, target, points - available, 0, REASON)
        turn.flag("shortage")
        points = available
    if not points:
        return []
    return take(turn, balance, points, target, REASON)


def bring_back(reward: RewardSection | None, balance: Balance, turn: Turn, points: int) -> None:
    """The share of redeemed points that comes back at once, as new ones."""
    if reward is not None and reward.points_back is not None:
        share = reward.points_back
        back = divide(points * share.num, share.den, "down")
        if back:
            issue(turn, balance, back, REASON)


def give_up(reward: RewardSection | None, turn: Turn) -> None:
    """What a redemption that is undone had taken of the reward's limits is free again."""
    if reward is None:
        return
    if reward.stock:
        turn.claim(f"stock {reward.name}", -1)
    had = turn.account.counters.get(f"reward {reward.name}", {})
    buckets = [bucket for bucket, times in had.items() if times]
    if reward.per_member.times and buckets:
        turn.change("count", f"reward {reward.name}", max(buckets), -1)


def meant(reward: RewardSection, turn: Turn) -> bool:
    """Whether the member and the time are meant, where nobody asks for the reward."""
    if reward.who is None and reward.when is None:
        return True
    return not any(gate(turn, 0, 0, 0) for gate in gates(reward.who, reward.when, None))


def on_occasion(
    rewards: dict[str, RewardSection], turn: Turn, occasion: str
) -> list[RewardSection]:
    """The rewards that come on the birthday or on joining, to those who are meant."""
    return [each for each in rewards.values() if each.issued == occasion and meant(each, turn)]


def capture(
    reward: RewardSection | None, balance: str, turn: Turn, lots: list[tuple[int, int]]
) -> None:
    """What was set aside is spent."""
    target = VOUCHER if reward is not None and reward.gives.voucher else REDEEMED
    for lot, amount in lots:
        turn.post(balance, HELD, target, amount, lot, REASON)


def _milestone(reward: RewardSection, turn: Turn, window: Window) -> bool:
    """Whether a counter has reached the reward's amount now; written down once per window."""
    assert reward.reached is not None
    counter, amount = reward.reached
    joined, counts = turn.account.joined, turn.account.counters
    bucket, key = windows.bucket(window, turn.day, joined), f"milestone {reward.name}"
    if counts.get(key, {}).get(bucket, 0):
        return False
    if windows.total(window, counts.get(counter), turn.day, joined) < amount:
        return False
    turn.change("count", key, bucket, 1)
    return True


def come_at(rewards: dict[str, RewardSection]) -> tuple[tuple[str, int], ...]:
    """The (balance, points) that let a reward come by itself; no balance for a milestone."""
    return tuple(
        (each.cost.unit, each.cost.amount) if each.cost and not each.reached else ("", 0)
        for each in rewards.values()
        if each.issued == "by itself" and (each.cost or each.reached)
    )


def may_come(at: tuple[tuple[str, int], ...], account: Account) -> bool:
    """Whether a reward may come by itself; where not, no condition has to be looked at."""
    for balance, points in at:
        purse = account.purse.get(balance)
        if not balance or (purse is not None and purse[AVAILABLE] >= points):
            return True
    return False


def by_itself(
    rewards: dict[str, RewardSection],
    turn: Turn,
    windows_of: Mapping[str, Window],
    own: Collection[str] = (),
) -> Iterator[tuple[RewardSection, int]]:
    """The rewards that come without being asked for, and how many of each the balance buys.

    The points of one are taken before the next one is looked at. One that comes when a
    counter reaches an amount comes once in the counter's window; a counter in ``own`` is each
    member's own.
    """
    for reward in rewards.values():
        if reward.issued != "by itself" or not meant(reward, turn):
            continue
        if reward.reached is not None:
            counter = reward.reached[0]
            whose = turn.own() if counter in own else turn
            if _milestone(reward, whose, windows_of[counter]):
                yield reward, 1
            continue
        if reward.cost is None:
            continue
        purse = turn.account.purse.get(reward.cost.unit)
        if purse is not None and purse[AVAILABLE] >= reward.cost.amount:
            yield reward, purse[AVAILABLE] // reward.cost.amount
