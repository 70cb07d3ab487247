"""Sections: everything that a program file can say, and where it is declared.

The head of the file is declared here, its other sections in the feature of their name.
``kantis format`` writes them in this order.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Struct

from kantis.core.knobs import (
    Kind,
    Knob,
    Node,
    Reader,
    Wrong,
    read_section,
    suggest,
)
from kantis.core.limits import Cap, read_cap
from kantis.core.phrases import (
    DURATION,
    MONEY,
    NAME,
    ROUNDING,
    TEXT,
    TEXTS,
    TITLE,
    WHOLE,
    WHOSE,
    ZONE,
    Duration,
    duration,
    list_of,
    one_of,
    text_of,
    word,
)
from kantis.core.rule import Rule
from kantis.features.balances import BalanceSection
from kantis.features.challenges import ChallengeSection
from kantis.features.choices import ChoiceSection
from kantis.features.counters import CounterSection
from kantis.features.cycles import CycleSection
from kantis.features.entitlements import EntitlementSection
from kantis.features.forfeiture import ForfeitSection
from kantis.features.households import HouseholdSection
from kantis.features.offers import OfferSection
from kantis.features.partners import PartnerSection
from kantis.features.payouts import PayoutSection
from kantis.features.plans import PlanSection
from kantis.features.prices import PriceSection
from kantis.features.referrals import ReferralSection
from kantis.features.rewards import RewardSection
from kantis.features.tiers import TierSection
from kantis.features.vouchers import VoucherSection


class RefundSection(Struct, frozen=True, kw_only=True):
    """refunds: what happens to points when a purchase comes back."""

    within: Annotated[Duration, Knob(DURATION, "how long a refund can come")] = Duration(365, "day")
    shortage: Annotated[
        str,
        Knob(
            word("owed", "forgiven", "pending only"),
            "what happens when the points are spent already",
        ),
    ] = "owed"
    spent_points_return_for: Annotated[
        Duration, Knob(DURATION, "how long spent points that come back are good at least")
    ] = Duration(30, "day")


def _cap(node: Node, reader: Reader) -> Cap:
    return read_cap(reader.path[-2], node, reader)


CAP = Kind("cap", _cap, "100 points per calendar year", ("100 points per calendar year",))


class CapSection(Struct, frozen=True, kw_only=True):
    """caps: a limit that several rules share."""

    name: str
    at_most: Annotated[Cap, Knob(CAP, "the limit")]
    whose: Annotated[str, Knob(WHOSE, "whose it is where several members share an account")] = (
        "household"
    )


STEPS = ("prices", "earning", "counters", "tiers", "rewards")


def _order(node: Node, reader: Reader) -> tuple[str, ...]:
    steps = tuple(one_of(each, STEPS) for each in list_of(node))
    if sorted(steps) != sorted(STEPS) or steps[0] != "prices" or steps[-1] != "rewards":
        message = "The order names each step once, prices first and rewards last."
        raise Wrong("order-incomplete", message, node)
    if steps.index("tiers") < steps.index("counters"):
        raise Wrong("order-impossible", "Tiers come after counters, which they read.", node)
    return steps


ORDER = Kind("order", _order, f"[{', '.join(STEPS)}]")

_SPEND = (
    ("net of discounts", "before discounts"),
    ("before tax", "with tax"),
    ("without the part paid in points", "with the part paid in points"),
)


def _spend(node: Node, reader: Reader) -> tuple[bool, bool, bool]:
    parts = [part for each in list_of(node) for part in text_of(each).split(", ")]
    values = [False, False, False]
    for part in parts:
        known = [each for pair in _SPEND for each in pair]
        if part not in known:
            raise Wrong("unknown-word", f"Spend has no {part!r}. {suggest(part, known)}", node)
        at = next(i for i, pair in enumerate(_SPEND) if part in pair)
        values[at] = part == _SPEND[at][1]
    return values[0], values[1], values[2]


SPEND = Kind("spend", _spend, ", ".join(pair[0] for pair in _SPEND))


def _claims(node: Node, reader: Reader) -> Duration | None:
    """How long a purchase can be claimed; None for ever, no days for never."""
    text = text_of(node)
    if text in ("any time", "never"):
        return None if text == "any time" else Duration(0, "day")
    if text.startswith("within "):
        return duration(text[7:], node, 7)
    message = f"{text!r} does not say how long. Write any time, within 30 days, or never."
    raise Wrong("unknown-length", message, node)


CLAIMS = Kind("claims", _claims, "any time | within 30 days | never", ("within 30 days",))


class ConventionSection(Struct, frozen=True, kw_only=True):
    """conventions: what a leaflet leaves unsaid, said aloud."""

    months: Annotated[
        str,
        Knob(
            word("the same day, or the last of the month"),
            "which day is so many months later",
        ),
    ] = "the same day, or the last of the month"
    caps: Annotated[
        str,
        Knob(
            word("split the purchase", "leave the purchase out"),
            "what a cap does to the purchase that crosses it; caps fill in the order of posting",
        ),
    ] = "split the purchase"
    refunds: Annotated[
        str, Knob(word("at the rate of the purchase"), "the rate at which points are taken back")
    ] = "at the rate of the purchase"
    money_rounds: Annotated[str, Knob(ROUNDING, "how a price in money is rounded")] = "half up"


def _words(node: Node, reader: Reader) -> dict[str, str]:
    if not isinstance(node.value, dict):
        raise Wrong("mapping-expected", "Here stands a list of keys and values.", node)
    return {key: text_of(child) for key, child in node.value.items()}


WORDS = Kind("pairs", _words, "{old: new}")


class ExistingSection(Struct, frozen=True, kw_only=True):
    """existing: what a new version does to what members have already, on its first day."""

    expiry: Annotated[
        str, Knob(word("stays", "follows"), "whether points that are there follow the new expiry")
    ] = "stays"
    levels: Annotated[dict[str, str], Knob(WORDS, "the new level of members of an old one")] = {}
    measured_by: Annotated[
        dict[str, str],
        Knob(
            WORDS,
            "the counter that a tier group's levels are worked out from, once: {status: spend}",
        ),
    ] = {}
    grants: Annotated[
        dict[str, str],
        Knob(WORDS, "what each count of a counter brings now: {referrals: 250 points}"),
    ] = {}


class PilotSection(Struct, frozen=True, kw_only=True):
    """pilot: this version holds only for members who come to some locations."""

    locations: Annotated[
        tuple[str, ...], Knob(TEXTS, "whoever comes to one of them is in the pilot from then on")
    ]


def _nested(section: type[Struct]) -> Kind:
    return Kind("section", lambda n, r: read_section(section, n, r), "keys and values")


REFUNDS, EXISTING = _nested(RefundSection), _nested(ExistingSection)
PILOT = _nested(PilotSection)
CONVENTIONS = _nested(ConventionSection)


class ProgramSection(Struct, frozen=True, kw_only=True):
    """The head of a program file: its name, its money, its clock and its conventions."""

    program: Annotated[str, Knob(NAME, "the program's name", dated=False)]
    title: Annotated[dict[str, str], Knob(TITLE, "how members read it", dated=False)] = {}
    about: Annotated[str, Knob(TEXT, "what it models, in plain words", dated=False)] = ""
    sources: Annotated[tuple[str, ...], Knob(TEXTS, "where the rules stand", dated=False)] = ()
    money: Annotated[str, Knob(MONEY, "the currency of prices", dated=False)]
    timezone: Annotated[str, Knob(ZONE, "the clock on the program's wall", dated=False)]
    measures: Annotated[
        tuple[str, ...], Knob(TEXTS, "quantities beside items, in thousandths", dated=False)
    ] = ()
    spend: Annotated[tuple[bool, bool, bool], Knob(SPEND, "what of a line's price counts")] = (
        False,
        False,
        False,
    )
    order: Annotated[tuple[str, ...], Knob(ORDER, "who acts first on a purchase")] = STEPS
    conventions: Annotated[ConventionSection, Knob(CONVENTIONS, "what a leaflet leaves unsaid")] = (
        ConventionSection()
    )
    late: Annotated[
        Duration, Knob(DURATION, "how late an event may come and still count in its own time")
    ] = Duration(30, "day")
    rules_of: Annotated[
        str,
        Knob(
            word("event", "booking"), "whether the rules of the purchase's or booking's day count"
        ),
    ] = "event"
    claims: Annotated[
        Duration | None,
        Knob(CLAIMS, "until when a purchase without a member can be claimed with its receipt"),
    ] = None
    least_age: Annotated[
        int, Knob(WHOLE, "how old a member is at least, in full years; 0 is no limit")
    ] = 0
    refunds: Annotated[RefundSection, Knob(REFUNDS, "what a refund does")] = RefundSection()
    existing: Annotated[
        ExistingSection, Knob(EXISTING, "what this version does to what is there")
    ] = ExistingSection()
    pilot: Annotated[
        PilotSection | None,
        Knob(PILOT, "for whom this version holds; without it for everybody", dated=False),
    ] = None


PROGRAM = ProgramSection

#: The sections with named entries, in the order of the canonical form.
SECTIONS: dict[str, type[Struct]] = {
    "balances": BalanceSection,
    "counters": CounterSection,
    "caps": CapSection,
    "tiers": TierSection,
    "prices": PriceSection,
    "earning": Rule,
    "offers": OfferSection,
    "rewards": RewardSection,
    "vouchers": VoucherSection,
    "cycles": CycleSection,
    "choices": ChoiceSection,
    "plans": PlanSection,
    "entitlements": EntitlementSection,
    "forfeiture": ForfeitSection,
    "households": HouseholdSection,
    "referrals": ReferralSection,
    "challenges": ChallengeSection,
    "partners": PartnerSection,
    "payouts": PayoutSection,
}

#: Every section that has a table of knobs on a page, by its name.
PAGES: dict[str, type[Struct]] = {
    "program": ProgramSection,
    "refunds": RefundSection,
    "conventions": ConventionSection,
    "existing": ExistingSection,
    "pilot": PilotSection,
    **SECTIONS,
}
