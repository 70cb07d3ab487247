"""Editing: a purchase that is recorded anew leaves no level behind.

A shop corrects an order: what was bought comes back whole, for the reason ``edited``, and is
bought again as it is now. Nobody returned anything, so whether a refund lowers levels is no
question here: a level that only the purchase of before had reached is one that was never
reached.
"""

from __future__ import annotations

from kantis.core.decision import Entry
from kantis.core.turn import Turn
from kantis.features import tiers
from kantis.features.tiers import TierGroup

REFUND = "refund"


def fall(groups: list[TierGroup], turn: Turn, undone: Entry) -> None:
    """Levels that an entry reached fall back to what the member had, or still reaches."""
    for group in groups:
        standing = turn.account.tiers.get(group.name)
        if standing is None or not standing.level or standing.level != _reached(group, undone):
            continue
        before = [each for each in standing.history if each[0] < undone.at] or [(0, 0)]
        since, least = before[-1]
        level = max(least, tiers.earned_level(group, turn.account, turn.calendar.day(turn.at)))
        if level < standing.level:
            from_day = turn.calendar.day(since if level == least else turn.at)
            until = group.section.lasts.until(from_day) if level else 0
            turn.change("tier", group.name, level, turn.at, until, REFUND)
            turn.wake_at(turn.at)  # points that the level protected


def _reached(group: TierGroup, entry: Entry) -> int:
    """The level that an entry reached; 0 if it reached none."""
    for change in reversed(entry.decision.changes):
        own = change[2:] if change[0] == "of" else change
        if own[:2] == ("tier", group.name):
            return int(own[2])
    return 0
