"""Answers: what became of an event, as JSON. The contract is made from these records.

What stands at its default is left out of an answer.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any, Final

from msgspec import UNSET, Meta, Struct, UnsetType

from kantis.core import decision
from kantis.core.calendar import show_instant
from kantis.core.places import CHART
from kantis.desk import results
from kantis.desk.results import Result
from kantis.doors.api.forecasts import Forecast

#: The entries of a batch have one instant.
_shown: Final = lru_cache(maxsize=64)(show_instant)

Place = Annotated[str, Meta(extra_json_schema={"enum": [place.name for place in CHART]})]
Time = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
_OUTCOMES: Final[list[Any]] = [
    results.DECIDED, results.REFUSED, results.PARKED, results.ALONE, results.BAD, results.UNKNOWN
]  # fmt: skip
Outcome = Annotated[str, Meta(extra_json_schema={"enum": _OUTCOMES})]


class Refusal(Struct):
    """Why not: a code for programs, and what to do next for people."""

    code: str
    message: str


class Posting(Struct, rename={"source": "from", "target": "to"}):
    """An amount of a balance that moves from one place to another."""

    balance: str
    source: Place
    target: Place
    amount: Annotated[int, Meta(ge=1)]
    reason: str


class Fired(Struct):
    """What a rule did: its amount, worked out on a base.

    Of what partners and charities owe or are owed the base is a word that says what it is for.
    """

    rule: str
    balance: str
    base: int | str
    amount: int


class Effect(Struct):
    """What a price rule took off a line, in minor units of money."""

    line: str
    rule: str
    off: int


class Fee(Struct):
    """Money that the member owes the merchant, in minor units; below zero it is given back."""

    of: str
    why: str
    amount: int


class Entry(Struct, omit_defaults=True):
    """What a decision did, with the names of its places and rules."""

    seq: Annotated[int, Meta(ge=1)]
    at: Time
    version: int
    postings: list[Posting]
    rules: list[Fired]
    effects: list[Effect] = []
    fees: list[Fee] = []
    flags: list[str] = []


class Answer(Struct, omit_defaults=True):
    """What became of an event."""

    outcome: Outcome
    event: Annotated[str, Meta(examples=["till-7/4711"])] = ""
    account: int = 0
    again: Annotated[
        bool, Meta(description="It had come before, and this is its first answer.")
    ] = False
    refusal: Refusal | UnsetType = UNSET
    recorded: Annotated[
        bool | UnsetType,
        Meta(description="Beside a refusal; where it is false, the id is not used up."),
    ] = UNSET
    entry: Entry | UnsetType = UNSET
    forecast: Annotated[
        Forecast | UnsetType, Meta(description="Of the quote of a single purchase.")
    ] = UNSET


def answer(result: Result, *, quoted: bool = False) -> Answer:
    """The answer to an event; of a quote nothing was recorded."""
    refused, made = result.refusal, result.entry
    found = Answer(result.outcome, result.key, result.account, result.again)
    if refused is not None:
        found.refusal = Refusal(refused.code, refused.sentence)
        found.recorded = made is not None and not quoted
    elif made is not None:
        found.entry = entry(made)
    return found


def entry(made: decision.Entry) -> Entry:
    """What a decision did, for people's programs."""
    did = made.decision
    return Entry(
        made.seq,
        _shown(made.at),
        made.version,
        [
            Posting(balance, CHART[source].name, CHART[target].name, amount, reason)
            for balance, source, target, amount, _, reason in did.postings
        ],
        [Fired(*fact[:4]) for fact in did.fired],
        [Effect(*each) for each in did.effects],
        [Fee(*each) for each in did.fees],
        list(did.flags),
    )
