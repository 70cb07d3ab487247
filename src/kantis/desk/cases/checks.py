"""What a case expects: balances per place, tiers, vouchers, counters, and what an event did.

A check knows its place in the file, what it looks at, what should be there, and how to
see what is there. Both are texts that people read, so a difference needs no translation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, cast

from msgspec import structs

from kantis.core import calendar, places, windows
from kantis.core.account import Account, value_at
from kantis.core.amounts import Unit
from kantis.core.decision import Decision
from kantis.core.earner import Earner
from kantis.core.knobs import Node, Wrong, suggest
from kantis.desk.cases import membership, outward
from kantis.desk.cases.look import Check, Expect, View, check
from kantis.desk.cases.words import ITEMS, Words, at_key
from kantis.features.challenges import progress
from kantis.features.counters import THOUSANDTHS

_MEMBER_PLACES: Final = {place.name: place.number for place in places.CHART if place.member}
#: Places outside of the account in which something can stand that was the member's.
_GIVEN_PLACES: Final = {
    places.CHART[n].name: n for n in (places.SHARE_CAPITAL, places.CHARITY, places.PARTNER_PAYABLE)
}


def read_then(words: Words, node: Node, account: str) -> Expect:
    """The checks of a ``then``; ``Wrong`` for what it cannot say."""
    known = ["time", "account", "of", *CHECKS, *words.program.units]
    fields = words.fields(node, known, "'then'")
    time = fields.get("time")
    found = Expect(
        node.line,
        words.text(fields.get("account")) or account,
        words.text(fields.get("of")),
        words.moment(time) if time is not None else 0,
        [],
        "refused" in fields,
    )
    for key, child in fields.items():
        if key in CHECKS:
            found.checks += CHECKS[key](words, key, child)
        elif key in words.program.units:
            found.checks += _balance(words, key, child)
    return found


def _balance(words: Words, name: str, node: Node) -> list[Check]:
    """A number is what is available; a mapping says what is in which place."""
    unit = words.program.units[name]
    if isinstance(node.value, str):
        return [_place(name, unit, places.AVAILABLE, node, words.amount(node, unit))]
    fields = words.fields(node, [*_MEMBER_PLACES, *_GIVEN_PLACES], f"{name!r}")
    found = []
    for place, child in fields.items():
        amount = words.amount(child, unit)
        if place in _GIVEN_PLACES:
            found.append(_given(name, unit, _GIVEN_PLACES[place], child, amount))
        else:
            found.append(_place(name, unit, _MEMBER_PLACES[place], child, amount))
    return found


def _given(name: str, unit: Unit, place: int, node: Node, expected: int) -> Check:
    """What the account's decisions brought to a place outside of it."""

    def get(view: View) -> str:
        return unit.show(outward.brought(view.told, name, place))

    return check(node, f"{name} {places.CHART[place].name}", unit.show(expected), get, name)


def _place(name: str, unit: Unit, place: int, node: Node, expected: int) -> Check:
    sign = -1 if place == places.OWED else 1

    def get(view: View) -> str:
        purse = view.account.purse.get(name)
        return unit.show(sign * purse[place] if purse else 0)

    what = f"{name} {places.CHART[place].name}"
    return check(node, what, unit.show(abs(expected)), get, name)


def _tiers(words: Words, key: str, node: Node) -> list[Check]:
    found = []
    groups = {each.name: each for plan in words.program.plans for each in plan.tiers}
    for name, child in words.fields(node, list(groups), "'tiers'").items():
        fields = {"level": child}
        if not isinstance(child.value, str):
            fields = words.fields(child, ("level", "since", "until"), "A tier")
        if "level" in fields:
            words.level(name, words.text(fields["level"]), fields["level"])
        for part, what in fields.items():
            expected = words.text(what)
            if part != "level":
                expected = calendar.show_day(words.day(what))
            found.append(check(what, f"{name} {part}", expected, _standing(name, part)))
    return found


def _standing(name: str, part: str) -> Callable[[View], str]:
    def get(view: View) -> str:
        tiers = view.plan.tiers
        group = next((each for each in tiers if each.name == name), None)
        standing = view.account.tiers.get(name)
        if group is None:
            return "none now"
        if part == "level":
            return group.levels[standing.level if standing else 0]
        if part == "since":
            since = view.program.calendar.day(standing.since) if standing else 0
            return calendar.show_day(since)
        return calendar.show_day(standing.until - 1 if standing and standing.until else 0)

    return get


def _vouchers(words: Words, key: str, node: Node) -> list[Check]:
    """Open vouchers of a kind: how many; or also their worth and end, and those that are gone."""
    if node.value == "none":
        return [check(node, "open vouchers", "0", lambda view: str(len(_open(view.account))))]
    kinds = [kind for plan in words.program.plans for kind in plan.vouchers]
    found = []
    for kind, child in words.fields(node, kinds, "'vouchers'").items():
        fields = {"count": child}
        if not isinstance(child.value, str):
            known = ("count", "worth", "until", "used", "expired", "reversed")
            fields = words.fields(child, known, "Vouchers")
        for part, what in fields.items():
            if part == "worth":
                expected = words.program.money.show(words.money(what))
            elif part == "until":
                expected = calendar.show_day(words.day(what))
            else:
                expected = str(words.whole(what))
            get = _voucher(kind, part, words.program.money)
            found.append(check(what, f"vouchers {kind} {part}", expected, get))
    return found


def _open(account: Account) -> list[Any]:
    return [each for each in account.vouchers.values() if each.state == "open"]


def _voucher(kind: str, part: str, money: Unit) -> Callable[[View], str]:
    def get(view: View) -> str:
        mine = [each for each in view.account.vouchers.values() if each.kind == kind]
        still = [each for each in mine if each.state == "open"]
        if part == "count":
            return str(len(still))
        if part == "worth":
            return money.show(sum(each.worth for each in still))
        if part == "until":
            ends = {each.expires - 1 if each.expires else 0 for each in still}
            return ", ".join(map(calendar.show_day, sorted(ends))) or "no open voucher"
        return str(sum(each.state == part for each in mine))

    return get


def _counters(words: Words, key: str, node: Node) -> list[Check]:
    found = []
    for name, child in words.fields(node, list(words.counters), "'counters'").items():
        unit = words.counters[name]

        def get(view: View, name: str = name, unit: Unit = unit) -> str:
            counts = view.account.counters.get(name)
            window = view.plan.windows[name]
            day = view.program.calendar.day(view.moment)
            return unit.show(windows.total(window, counts, day, view.account.joined))

        expected = unit.show(words.amount(child, unit))
        found.append(check(child, f"counter {name}", expected, get))
    return found


def _lots(words: Words, key: str, node: Node) -> list[Check]:
    """All open lots of the balances that are named, with the last day on which they are there."""
    items = node.value if isinstance(node.value, list) else [node]
    rows = []
    for each in items:
        get = words.fields(each, ("balance", "amount", "until", "member"), "A lot").get
        name = words.text(get("balance")) or next(iter(words.program.units))
        amount = words.amount(get("amount"), words.balance(name, each))
        rows.append((words.day(get("until")), name, amount, words.text(get("member"))))
    names = {name for _, name, _, _ in rows}

    def show(found: list[tuple[int, str, int, str]]) -> str:
        return (
            "; ".join(
                f"{words.program.units[name].show(amount)} until {calendar.show_day(end)}"
                + (f" of {member}" if member else "")
                for end, name, amount, member in sorted(found)
            )
            or "none"
        )

    def see(view: View) -> str:
        lots = [lot for lot in view.account.lots.values() if lot.open and lot.balance in names]
        ends = [lot.expires - 1 if lot.expires else 0 for lot in lots]
        return show([(end, x.balance, x.open, x.member) for end, x in zip(ends, lots, strict=True)])

    return [check(node, "open lots", show(rows), see, rows[0][1] if rows else "")]


def _moved(key: str) -> Callable[[Decision, str], int]:
    """How much of a balance a decision earned (less what it reversed), spent or let expire."""

    def moved(decision: Decision, name: str) -> int:
        total = 0
        for balance, source, target, amount, _, _ in decision.postings:
            if balance != name:
                continue
            if key == "earned":
                total += amount * ((source == places.ISSUED) - (target == places.REVERSED))
            elif key == "expired":
                gone = (places.EXPIRED, places.FORFEITED)
                total += amount * ((target in gone) - (source in gone))
            else:
                spent = (
                    places.REDEEMED,
                    places.VOUCHER,
                    places.HELD,
                    places.PAYOUT,
                    places.SHARE_CAPITAL,
                    places.CHARITY,
                    places.PARTNER_PAYABLE,
                )
                mine = (places.AVAILABLE, places.OWED)
                total += amount * (source in mine and target in spent)
                total -= amount * (source in spent and target in mine)
        return total

    return moved


def _event(words: Words, key: str, node: Node) -> list[Check]:
    """What the event earned, spent or let expire: a number, or one for each balance."""
    units = words.program.units
    fields = {next(iter(units)): node}
    if not isinstance(node.value, str):
        fields = words.fields(node, list(units), f"{key!r}")
    elif len(units) > 1:
        message = f"The program has several balances; say which one: {{{next(iter(units))}: …}}."
        raise Wrong("balance-missing", message, node)
    found = []
    for name, child in fields.items():
        unit, moved = units[name], _moved(key)

        def get(view: View, name: str = name, unit: Unit = unit, moved: Any = moved) -> str:
            return unit.show(sum(moved(decision, name) for decision in view.decisions))

        expected = unit.show(words.amount(child, unit))
        found.append(check(child, f"{name} {key}", expected, get, name))
    return found


def _rules(words: Words, key: str, node: Node) -> list[Check]:
    """What single rules gave."""
    earning: dict[str, Earner] = {}
    for plan in words.program.plans:
        earning |= plan.earning.by_name
    found = []
    for rule, child in words.fields(node, list(earning), "'rules'").items():
        base = earning[rule]
        while base.balance is None:
            base = earning[base.rule.on[0]]
        unit = words.program.units[base.balance.name]

        def get(view: View, rule: str = rule, unit: Unit = unit) -> str:
            facts = [fact for each in view.decisions for fact in each.fired if fact[0] == rule]
            own = [
                fact[3] for fact in facts if isinstance(fact[2], int)
            ]  # not of a payout so called
            return unit.show(sum(own))

        expected = unit.show(words.amount(child, unit))
        found.append(check(child, f"rule {rule}", expected, get, base.balance.name))
    return found


def _effects(words: Words, key: str, node: Node) -> list[Check]:
    """What was taken off the price of a line (or of the ``basket``), in all or by each rule."""
    if not isinstance(node.value, dict):
        raise Wrong("mapping-expected", "Write what was taken off which line: {1: 0.50}.", node)
    money = words.program.money
    found = []
    for line, child in node.value.items():
        rules = child.value.items() if isinstance(child.value, dict) else [("", child)]
        for rule, amount in rules:
            expected = money.show(words.money(amount))
            get = _effect("" if line == "basket" else line, rule, money)
            found.append(check(amount, f"off line {line} {rule}".strip(), expected, get))
    return found


def _effect(line: str | None, rule: str, money: Unit) -> Callable[[View], str]:
    def get(view: View) -> str:
        return money.show(
            sum(
                amount
                for decision in view.decisions
                for on, by, amount in decision.effects
                if line in (None, on) and rule in ("", by)
            )
        )

    return get


def _off(words: Words, key: str, node: Node) -> list[Check]:
    """What was taken off all prices together."""
    money = words.program.money
    expected = money.show(words.money(node))
    return [check(node, "off in all", expected, _effect(None, "", money))]


def _refused(words: Words, key: str, node: Node) -> list[Check]:
    """The code of the refusal, or ``no``."""

    def get(view: View) -> str:
        codes = [each.refusal.code for each in view.decisions if each.refusal]
        return ", ".join(codes) or "no"

    return [check(node, "refused", words.text(node), get)]


def _flags(words: Words, key: str, node: Node) -> list[Check]:
    def get(view: View) -> str:
        flags = {flag for decision in view.decisions for flag in decision.flags}
        return ", ".join(sorted(flags)) or "none"

    expected = ", ".join(sorted(words.texts(node)))
    return [check(node, "flags", expected, get)]


def _said(words: Words, key: str, node: Node) -> list[Check]:
    """Choices and facts: what they say now."""
    found = []
    if not isinstance(node.value, dict):
        raise Wrong("mapping-expected", f"{key!r} is a mapping of names to values.", node)
    for name, child in node.value.items():

        def get(view: View, name: str = name) -> str:
            history = getattr(view.account, key).get(name, [])
            return str(value_at(history, view.moment, "none"))

        found.append(check(child, f"{key} {name}", words.text(child), get))
    return found


def _challenges(words: Words, key: str, node: Node) -> list[Check]:
    """How far a challenge is: a number, or ``{progress, won}``."""
    known = {name: each for plan in words.program.plans for name, each in plan.challenges.items()}
    found = []
    for name, child in words.fields(node, list(known), "'challenges'").items():
        goal = known[name].section.goal
        unit = {"spend": words.program.money, "measure": THOUSANDTHS}.get(goal.counts, ITEMS)
        unit = ITEMS if known[name].section.streak is not None else Unit(goal.counts, unit.scale)
        fields = {"progress": child}
        if not isinstance(child.value, str):
            fields = words.fields(child, ("progress", "won"), "A challenge")
        for part, what in fields.items():
            mine = unit if part == "progress" else Unit("times")

            def get(view: View, name: str = name, part: str = part, unit: Unit = mine) -> str:
                day = view.program.calendar.day(view.moment)
                challenge = view.program.plan(view.moment).challenges.get(name)
                if challenge is None:
                    return "none now"
                done, won = progress(challenge, view.account, day)
                return unit.show(done if part == "progress" else won)

            expected = mine.show(words.amount(what, mine))
            found.append(check(what, f"challenge {name} {part}", expected, get))
    return found


def _members(words: Words, key: str, node: Node) -> list[Check]:
    """The members of a household, the lead first; or what is one member's own."""
    if not isinstance(node.value, dict):

        def names(view: View) -> str:
            members = view.account.members
            return ", ".join(sorted(members, key=lambda x: members[x].role != "lead")) or "none"

        return [check(node, "members", ", ".join(words.texts(node)), names)]
    found = []
    for name, child in node.value.items():
        for what, inner in words.fields(child, ("tiers", "counters"), "A member").items():
            for whole in CHECKS[what](words, what, inner):

                def own(view: View, name: str = name, whole: Check = whole) -> str:
                    member = view.account.members.get(name)
                    if member is None:
                        return f"no member {name}"
                    mine = cast(Account, member)  # the checks ask for nothing else
                    return whole.get(structs.replace(view, account=mine))

                found.append(check(inner, f"{name} {whole.what}", whole.expected, own))
    return found


def _offers(words: Words, key: str, node: Node) -> list[Check]:
    """Whether an offer is loaded, and how often it was used."""
    found = []
    known = [offer for plan in words.program.plans for offer in plan.offers]
    for name, child in words.fields(node, known, "'offers'").items():
        expected = words.text(child)
        if expected not in ("loaded", "not loaded") and not expected.isdigit():
            states = ("loaded", "not loaded")
            message = (
                f"An offer is loaded, not loaded, or used so often. {suggest(expected, states)}"
            )
            raise Wrong("unknown-word", message, at_key(node, name))

        def get(view: View, name: str = name, uses: bool = expected.isdigit()) -> str:
            loaded, used = view.account.offers.get(name, (-1, 0))
            return str(used) if uses else "loaded" if loaded >= 0 else "not loaded"

        found.append(check(child, f"offer {name}", expected, get))
    return found


#: What a ``then`` can state beside balances.
CHECKS: Final[dict[str, Callable[[Words, str, Node], list[Check]]]] = {
    "tiers": _tiers,
    "vouchers": _vouchers,
    "counters": _counters,
    "lots": _lots,
    "earned": _event,
    "spent": _event,
    "expired": _event,
    "rules": _rules,
    "effects": _effects,
    "off": _off,
    "partners": outward.partners,
    "charities": outward.charities,
    "exchanged": outward.exchanged,
    "refused": _refused,
    "flags": _flags,
    "choices": _said,
    "facts": _said,
    "offers": _offers,
    "plans": membership.plans,
    "fees": membership.fees,
    "entitlements": membership.entitlements,
    "members": _members,
    "challenges": _challenges,
}
