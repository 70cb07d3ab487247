"""Outward: what a case says of partners, charities, other programmes and money on its way."""

from __future__ import annotations

from typing import Final

from kantis.core import places
from kantis.core.decision import Decision
from kantis.core.events import Arrived, Body, Exchange
from kantis.core.knobs import Node, Wrong
from kantis.core.money import fine_unit
from kantis.desk.cases.look import Check, View, check
from kantis.desk.cases.words import Words


def brought(decisions: list[Decision], name: str, place: int) -> int:
    """What decisions moved into a place of a balance, less what they moved out of it."""
    return sum(
        amount * ((target == place) - (source == place))
        for decision in decisions
        for balance, source, target, amount, _, _ in decision.postings
        if balance == name
    )


_POSITIONS: Final = {
    "receivable": places.PARTNER_RECEIVABLE,
    "payable": places.PARTNER_PAYABLE,
    "given": places.CHARITY,
}


def partners(words: Words, key: str, node: Node) -> list[Check]:
    """What a partner has to pay and is to be paid, by the decisions of all accounts so far."""
    known = [partner for plan in words.program.plans for partner in plan.partners]
    found = []
    for name, child in words.fields(node, known, "'partners'").items():
        for part, amount in words.fields(child, ("receivable", "payable"), "A partner").items():
            found.append(_position(words, name, part, amount))
    return found


def charities(words: Words, key: str, node: Node) -> list[Check]:
    """What a charity is to be paid, by the decisions of all accounts so far."""
    if not isinstance(node.value, dict):
        raise Wrong("mapping-expected", "Write which charity is given what.", node)
    return [_position(words, name, "given", child) for name, child in node.value.items()]


def _position(words: Words, name: str, part: str, node: Node) -> Check:
    unit = fine_unit(words.program.money)

    def get(view: View) -> str:
        return unit.show(brought(view.everyone, name, _POSITIONS[part]))

    return check(node, f"{name} {part}", unit.show(words.amount(node, unit)), get)


def exchanged(words: Words, key: str, node: Node) -> list[Check]:
    """The units of a partner's programme that the last event gave there."""
    known = [partner for plan in words.program.plans for partner in plan.partners]
    found = []
    for name, child in words.fields(node, known, "'exchanged'").items():

        def get(view: View, name: str = name) -> str:
            facts = [fact for each in view.decisions for fact in each.fired]
            return str(sum(f[5] for f in facts if f[0] == name and f[2] == "taken"))

        found.append(check(child, f"exchanged {name}", str(words.whole(child)), get))
    return found


def exchange(words: Words, node: Node) -> Body:
    """``{partner: airline, points: 1600}``, or ``{partner: airline, back: 250}`` of theirs."""
    units = list(words.program.units)
    fields = words.fields(node, ("partner", "back", *units), "An exchange")
    partner = words.text(fields.pop("partner", None))
    if len(fields) != 1:
        raise Wrong("amount-expected", "Say how much is exchanged, of one balance or back.", node)
    ((name, amount),) = fields.items()
    if name == "back":
        return Exchange(partner, words.whole(amount), True)
    return Exchange(partner, words.amount(amount, words.program.units[name]))


def arrived(words: Words, node: Node) -> Body:
    """``{cash: 12.00}`` has arrived; with ``bounced: yes`` it has come back."""
    fields = words.fields(node, ("bounced", *words.program.units), "What arrived")
    bounced = words.yes(fields.pop("bounced", None))
    if len(fields) != 1:
        raise Wrong("amount-expected", "Say how much arrived, of one balance.", node)
    ((name, amount),) = fields.items()
    return Arrived(name, words.amount(amount, words.program.units[name]), bounced)
