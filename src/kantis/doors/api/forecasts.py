"""Forecasts as JSON: what a purchase would do, rule by rule. Amounts are whole numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta, Struct

from kantis.desk.around import text_in
from kantis.desk.showing import Say
from kantis.engine import forecast


class Gives(Struct):
    """What a rule would give, worked out on a base."""

    rule: str
    balance: str
    base: int
    amount: int


class Silent(Struct):
    """A rule that would give nothing: a code, and why in words."""

    rule: str
    code: str
    why: str


class Pays(Struct, omit_defaults=True):
    """The most that points could pay on these lines, with what the reward allows of it."""

    reward: str
    title: str
    balance: str
    points: int = 0
    worth: int = 0
    code: str = ""
    why: str = ""


class WouldGive(Struct, omit_defaults=True):
    """What an offer would give, or take off in minor units, if it were loaded now."""

    offer: str
    title: str
    balance: str = ""
    amount: int = 0
    off: int = 0


class Missing(Struct):
    """How much a counter still needs."""

    counter: str
    missing: int


class Level(Struct, omit_defaults=True):
    """Where the member would stand after it; `way` is what the next level still takes: any one
    of the lists, of that all."""

    group: str
    level: str
    next: str = ""
    way: list[list[Missing]] = []


class Forecast(Struct):
    """What a purchase would do. Each rule of the program gives, or is silent and says why."""

    gives: list[Gives]
    silent: list[Silent]
    pays: list[Pays]
    offers: Annotated[list[WouldGive], Meta(description="Those not loaded that would act.")]
    tiers: list[Level]


def told(found: forecast.Forecast, wanted: Sequence[str], say: Say) -> Forecast:
    """The forecast with its titles in the language that is wanted; ``say`` says its reasons."""
    return Forecast(
        [Gives(each.rule, each.balance, each.base, each.amount) for each in found.gives],
        [Silent(each.rule, each.code, say(each.why)) for each in found.silent],
        [
            Pays(
                x.reward,
                text_in(x.title, wanted),
                x.balance,
                x.points,
                x.money,
                x.code,
                say(x.why),
            )
            for x in found.pays
        ],
        [
            WouldGive(x.offer, text_in(x.title, wanted), x.balance, x.amount, x.off)
            for x in found.offers
        ],
        [
            Level(
                each.group,
                each.level,
                each.next,
                [[Missing(step.counter, step.missing) for step in way] for way in each.way],
            )
            for each in found.tiers
        ],
    )
