"""Check, of households, referrals and challenges: what nobody could explain to members.

A rule that has no effect, a promise that cannot come true, and two ways to cut the same
points are refused, with the reason and the place.
"""

from __future__ import annotations

from typing import Any

from kantis.core.knobs import Reader, suggest
from kantis.core.limits import caps_of
from kantis.core.phrases import Window
from kantis.features.households import CONTRIBUTIONS, HouseholdSection
from kantis.features.rewards import unit_of

Read = dict[str, dict[str, Any]]


def _said(reader: Reader, section: str, name: str) -> set[str]:
    assert reader.tree is not None
    entry = reader.tree.value[section].value[name]
    return set(entry.value) if isinstance(entry.value, dict) else set()


def check(read: Read, reader: Reader) -> None:
    """Write down everything that may not be said together."""
    for number, (name, household) in enumerate(read["households"].items()):
        if number:
            message = "A program has one kind of household, or nobody knows which terms hold."
            reader.fault_at("one-household", message, "households", name)
        _household(household, read, reader)
    _whose(read, reader)
    for name, referral in read["referrals"].items():
        _referral(referral, name, read, reader)
    _for_referral(read, reader)
    for name, challenge in read["challenges"].items():
        _challenge(challenge, name, read, reader)
    for section in ("referrals", "challenges"):
        others = [*read["earning"], *read["offers"]]
        others += read["referrals"] if section == "challenges" else []
        for name in read[section]:
            if name in others:
                message = f"Something that gives points is called {name!r} too; rename one."
                reader.fault_at("name-twice", message, section, name)


def _household(household: HouseholdSection, read: Read, reader: Reader) -> None:
    place = ("households", household.name)
    if household.members == 1:
        message = "A household of one member shares nothing; 'at most 2' is the least."
        reader.fault_at("household-of-one", message, *place, "members")
    for balance in household.pools:
        if balance not in read["balances"]:
            message = f"There is no balance {balance!r}. {suggest(balance, read['balances'])}"
            reader.fault_at("unknown-balance", message, *place, "pools")
    shares = household.leaver_takes == CONTRIBUTIONS
    if not shares and "attributed" in _said(reader, *place):
        message = f"'attributed' goes with 'leaver takes: {CONTRIBUTIONS}'."
        reader.fault_at("no-effect", message, *place, "attributed")
    if shares and household.burns == "in proportion":
        message = (
            "A burn in proportion takes each member's own points, so a leaver takes 'own"
            " points': there is no second way to cut the same redemption."
        )
        reader.fault_at("cannot-be-explained", message, *place, "burns")
    for section in ("cycles", "rewards"):
        for name, entry in read[section].items():
            alone = section == "rewards" and entry.issued != "by itself"
            unit = unit_of(entry) if section == "rewards" else entry.least.unit
            if not alone and unit and household.pools and unit not in household.pools:
                message = f"It takes {unit} of all members, which the household does not pool."
                reader.fault_at("cannot-be-explained", message, section, name)


def _whose(read: Read, reader: Reader) -> None:
    own = {section: set[str]() for section in ("counters", "caps", "tiers")}
    for section, names in own.items():
        for name, entry in read[section].items():
            if "whose" in _said(reader, section, name) and not read["households"]:
                message = "Without 'households' an account has one member, whose all of it is."
                reader.fault_at("no-effect", message, section, name, "whose")
            if entry.whose == "member":
                names.add(name)
    for name, tier in read["tiers"].items():
        parts = [part for _, level in tier.levels or () for part in level.any_of]
        named = {counter or tier.by for part in parts for counter, _ in part}
        if any((counter in own["counters"]) != (name in own["tiers"]) for counter in named):
            message = (
                "A level and the counters that it takes are of the same: the household's, or"
                " each member's own."
            )
            reader.fault_at("whose-differs", message, "tiers", name, "levels")
    for section in ("earning", "offers"):
        for name, rule in read[section].items():
            pools = [pool for each in read["households"].values() for pool in each.pools]
            pooled = rule.give is not None and (not pools or rule.give.unit in pools)
            if rule.over is not None and pooled and own["caps"] & set(rule.cap):
                message = "The total of a period is that of the pool, so its cap is too."
                reader.fault_at("whose-differs", message, section, name, "cap")


def _referral(referral: Any, name: str, read: Read, reader: Reader) -> None:
    place = ("referrals", name)
    said = _said(reader, *place)
    if referral.give.unit not in read["balances"]:
        message = f"It gives a balance. {suggest(referral.give.unit, read['balances'])}"
        reader.fault_at("unknown-balance", message, *place, "give")
    if not (referral.give.friend or referral.give.referrer):
        reader.fault_at("gives-nothing", "It gives nothing to either side.", *place, "give")
    if not referral.spends:
        for key in said & {"orders", "where", "except", "if"}:
            message = f"{key!r} says which purchases count towards 'spends'; there is none."
            reader.fault_at("no-effect", message, *place, key)
    if "purchase" in referral.stages:
        message = "A purchase is asked for by 'spends: at least …'; stages are activities."
        reader.fault_at("unknown-stage", message, *place, "stages")
    if referral.within is not None and referral.within.unit in ("minute", "hour"):
        message = "The friend has whole days: write for example 'within: 90 days'."
        reader.fault_at("days-expected", message, *place, "within")
    if referral.within is not None and not (referral.spends or referral.stages):
        message = "It is completed when the friend comes, so 'within' has no effect."
        reader.fault_at("no-effect", message, *place, "within")
    if referral.available.group:
        message = "What a referral gives waits for no ticket or order; give it after some days."
        reader.fault_at("cannot-be-explained", message, *place, "available")
    shared = {key: each.at_most for key, each in read["caps"].items()}
    for cap in caps_of(referral.cap, shared):
        if cap.counts not in ("points", "times"):
            message = "A cap on referrals is in points or times."
            reader.fault_at("cap-does-not-fit", message, *place, "cap")
        elif cap.counts == "points" and cap.limit < referral.give.referrer:
            message = "The cap is below what one referral gives, so nobody gets what it says."
            reader.fault_at("cap-below-earn", message, *place, "cap")


def _for_referral(read: Read, reader: Reader) -> None:
    """What a rule gives for a referral stays, so the referral may not be undone."""
    bought = [name for name, each in read["referrals"].items() if each.spends]
    for name, rule in read["earning"].items():
        if rule.for_ == "referral" and bought:
            message = (
                f"{bought[0]!r} is undone when the friend gives back what was bought, and this"
                " would stay; let the referral give it."
            )
            reader.fault_at("cannot-be-explained", message, "earning", name, "for")


def _challenge(challenge: Any, name: str, read: Read, reader: Reader) -> None:
    place = ("challenges", name)
    said, goal = _said(reader, *place), challenge.goal
    if challenge.give is None and not challenge.voucher and not challenge.badge:
        message = "It gives nothing: say 'give', 'voucher' or 'badge'."
        reader.fault_at("gives-nothing", message, *place)
    if challenge.give is not None and challenge.give.unit not in read["balances"]:
        message = f"It gives a balance. {suggest(challenge.give.unit, read['balances'])}"
        reader.fault_at("unknown-balance", message, *place, "give")
    if challenge.voucher and challenge.voucher not in read["vouchers"]:
        message = f"There is no voucher {challenge.voucher!r}."
        message += f" {suggest(challenge.voucher, read['vouchers'])}"
        reader.fault_at("unknown-voucher", message, *place, "voucher")
    if challenge.streak is not None and "window" in said:
        message = "A streak says its windows itself; leave 'window' out."
        reader.fault_at("no-effect", message, *place, "window")
    endless = challenge.window == Window("ever") or challenge.window.kind.startswith("rolling")
    if challenge.repeats and challenge.streak is None and endless:
        message = "It can be won again in the next window, and this one has no next."
        reader.fault_at("cannot-be-explained", message, *place, "repeats")
    if challenge.window.kind == "purchase":
        message = "One purchase is no challenge; give points for it under 'earning'."
        reader.fault_at("cannot-be-explained", message, *place, "window")
    if challenge.available.group:
        message = "What a challenge gives waits for no ticket or order."
        reader.fault_at("cannot-be-explained", message, *place, "available")
    if "available" in said and challenge.give is None:
        message = "Only points can be available later."
        reader.fault_at("no-effect", message, *place, "available")
    bought = challenge.for_ == "purchase"
    if (goal.counts == "times") == bought or (goal.counts == "purchases" and not bought):
        message = "Of purchases write '3 purchases' or '5 items', of an activity '3 times'."
        reader.fault_at("goal-does-not-fit", message, *place, "goal")
    if not bought and said & {"where", "except"}:
        message = "An activity has no lines to choose from."
        reader.fault_at("no-effect", message, *place, "for")
