"""entitlements: what a plan, a level or a segment entitles a member to beside points and prices.

Guarantee: a member has an entitlement at an instant exactly if the conditions of its entry
hold then; each use of it is recorded by the event *enjoy*, and refused where it is not had
or was had as often as the entry says.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Struct, structs

from kantis.core import calendar
from kantis.core.conditions import IF, WHEN, WHO, If, When, Who, gates
from kantis.core.events import Enjoy
from kantis.core.knobs import Knob
from kantis.core.limits import CAPS, Cap, caps_of
from kantis.core.phrases import TEXT, TITLE
from kantis.core.turn import Refused, Turn


class EntitlementSection(Struct, frozen=True, kw_only=True):
    """An entitlement: what it is good for, to whom, when, and how often."""

    name: str
    title: Annotated[dict[str, str], Knob(TITLE, "how members read it", dated=False)] = {}
    good_for: Annotated[str, Knob(TEXT, "what the member may have, in words")]
    who: Annotated[Who | None, Knob(WHO, "the members that are meant")] = None
    when: Annotated[When | None, Knob(WHEN, "the times that are meant")] = None
    if_: Annotated[If | None, Knob(IF, "what the basket must be like")] = None
    cap: Annotated[tuple[Cap | str, ...], Knob(CAPS, "how often it may be had")] = ()


class Entitlements(Struct):
    """The entitlements of a version, and the caps that they name."""

    sections: dict[str, EntitlementSection] = {}
    caps: dict[str, tuple[Cap, ...]] = {}


class Entitled(Struct, frozen=True):
    """What a member may have now: to which day (the first one without it; 0: no end is known),
    and how often still (-1: as often as they like)."""

    name: str
    good_for: str
    until: int = 0
    left: int = -1


def compile_entitlements(
    sections: dict[str, EntitlementSection], shared: dict[str, Cap]
) -> Entitlements:
    """The entitlements, with their caps by name.

    A rule that gives points may have the name of an entitlement, but never counts for its cap.
    """
    caps = {
        name: caps_of(
            (
                each if isinstance(each, str) else structs.replace(each, name=f"enjoy {each.name}")
                for each in section.cap
            ),
            shared,
        )
        for name, section in sections.items()
    }
    return Entitlements(dict(sections), caps)


def enjoy(entitlements: Entitlements, turn: Turn, body: Enjoy) -> None:
    """The member has what an entitlement gives; it is written down."""
    section = entitlements.sections.get(body.entitlement)
    if section is None:
        raise Refused("unknown-entitlement", f"There is no entitlement {body.entitlement!r} now.")
    for gate in gates(section.who, section.when, section.if_):
        why = gate(turn, body.basket, body.basket, 0)
        if why:
            sentence = f"The member is not entitled to {body.entitlement!r} now: {why}."
            raise Refused(f"not-entitled-{why.replace(' ', '-')}", sentence)
    caps = entitlements.caps[section.name]
    for cap in caps:
        if not cap.left(turn):
            sentence = f"{body.entitlement!r} was had as often as it may be for now."
            raise Refused("had-already", sentence)
    for cap in caps:
        cap.use(turn, 1)
    turn.decision.fired.append((section.name, "", body.basket, 0, 0, 0))


def have(entitlements: Entitlements, turn: Turn) -> list[Entitled]:
    """What the member may have at the turn's moment, whatever the basket is like then."""
    found = []
    for name, section in entitlements.sections.items():
        if any(gate(turn, 0, 0, 0) for gate in gates(section.who, section.when, None)):
            continue
        caps = entitlements.caps[name]
        left = min((cap.left(turn) for cap in caps), default=-1)
        if left:
            found.append(Entitled(name, section.good_for, _until(section, turn), left))
    return found


def _until(section: EntitlementSection, turn: Turn) -> int:
    """The first day on which the member has it no longer, as far as it is known now."""
    account, who = turn.account, section.who
    ends = []
    for standing in account.plans.values():
        if who is not None and standing.plan in who.plans:
            ends.append(standing.until)
    for group, _ in who.tiers if who is not None else ():
        standing_there = turn.standing(group)
        if standing_there.level and standing_there.until:
            ends.append(standing_there.until)
    for span in section.when.spans if section.when is not None else ():
        if span.first <= turn.day <= (span.last or 1 << 40) and span.last:
            ends.append(span.last + 1)
    if section.when is not None and section.when.joining:
        ends.append(account.joined + section.when.joining)
    if section.when is not None and section.when.birthday == "month":
        ends.append(calendar.window_end("month", turn.day))
    return min(ends, default=0)
