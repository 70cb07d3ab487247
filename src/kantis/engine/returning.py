"""Returning: what of a purchase, or of an activity, comes back, and its part of what was made.

Guarantee: each rule's points are cut over the lines that it counted by largest remainder; a
part of a line takes back the part of its points, rounded so that all of the line takes back
all of them. An activity is one line of its name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct

from kantis.core.amounts import share
from kantis.core.decision import Decision, Original
from kantis.core.events import EDITED, Activity, Body, Line, Purchase, Refund
from kantis.core.turn import Refused


def bought(body: Body) -> Purchase | None:
    """What comes back of an event: a purchase; or an activity, as one line of its name."""
    if isinstance(body, Activity):
        line = Line(body.name, "", body.quantity, body.amount, measure=body.quantity * 1000)
        return Purchase((line,), group=body.group)
    return body if isinstance(body, Purchase) else None


class Returning(Struct):
    """A purchase of which something comes back: its lines' masks, what came back ``before``
    and what has come back ``after`` this refund, by line; and whether its group was ``void``
    already."""

    original: Original
    purchase: Purchase
    masks: list[int]
    before: dict[str, int]
    after: dict[str, int]
    void: bool = False

    @property
    def group(self) -> str:
        """What the points of the purchase waited for, if they did."""
        return self.purchase.group or self.original.event.key

    @property
    def activity(self) -> str:
        """The activity that it is; empty for a purchase."""
        body = self.original.event.body
        return body.name if isinstance(body, Activity) else ""

    @property
    def whole(self) -> bool:
        """Whether all of it has come back now."""
        return all_back(self.purchase, self.after)

    def part(self, amount: int, means: Callable[[int], bool], per: str = "money") -> int:
        """Of an amount that lines made together, what belongs to those that come back now."""
        weights = self.weights(means, per)
        return self.portion(amount, weights, self.after) - self.portion(
            amount, weights, self.before
        )

    def weights(self, means: Callable[[int], bool], per: str = "money") -> list[int]:
        """What the lines that are meant counted: ``per`` item, measure, or what they came to.

        Their quantities stand in where that is nothing.
        """
        off: dict[str, int] = {}
        for line_id, _, amount in self.original.entry.decision.effects:
            off[line_id] = off.get(line_id, 0) + amount
        pairs = list(zip(self.purchase.lines, self.masks, strict=True))
        if per == "item":
            weights = [line.quantity if means(mask) else 0 for line, mask in pairs]
        elif per == "measure":
            weights = [line.measure if means(mask) else 0 for line, mask in pairs]
        else:
            weights = [
                line.amount - off.get(line.id, 0) if means(mask) else 0 for line, mask in pairs
            ]
        if not any(weights):
            weights = [quantity_of(line) if means(mask) else 0 for line, mask in pairs]
        return weights

    def portion(self, amount: int, weights: list[int], returned: dict[str, int]) -> int:
        """Whole lines wholly, parts of a line rounded down."""
        total = 0
        for line, part in zip(self.purchase.lines, share(amount, weights), strict=True):
            back = returned.get(line.id, 0)
            if back:
                total += part * back // quantity_of(line)
        return total


def all_back(purchase: Purchase, returned: Mapping[str, int]) -> bool:
    """Whether nothing of a purchase is left, of which so much came back by line."""
    return all(returned.get(line.id, 0) >= quantity_of(line) for line in purchase.lines)


def returned_by(decisions: Iterable[Decision]) -> dict[str, int]:
    """What decisions took back of a purchase, by line."""
    found: dict[str, int] = {}
    for decision in decisions:
        for fact in decision.fired:
            if fact[0] == "refund" and not fact[1]:
                for line, quantity in fact[5]:
                    found[line] = found.get(line, 0) + quantity
    return found


def quantity_of(line: Line) -> int:
    """How much of a line can come back; a line without a quantity can once."""
    return max(1, line.quantity)


def returning_now(lines: tuple[Line, ...], before: dict[str, int], body: Refund) -> dict[str, int]:
    """What comes back now, by line; ``Refused`` when that is more than was bought."""
    left = {line.id: quantity_of(line) - before.get(line.id, 0) for line in lines}
    if not body.lines:
        if not any(left.values()) and body.reason != EDITED:
            raise Refused("refunded-already", f"All of {body.of!r} came back before.")
        return {line: quantity for line, quantity in left.items() if quantity}
    now: dict[str, int] = {}
    for line, quantity in body.lines:
        now[line] = now.get(line, 0) + quantity
    for line, quantity in now.items():
        if line not in left:
            raise Refused("unknown-line", f"There is no line {line!r} in {body.of!r}.")
        if quantity <= 0 or quantity > left[line]:
            sentence = f"Of line {line!r} {left[line]} can come back, not {quantity}."
            raise Refused("refund-too-large", sentence)
    return now
