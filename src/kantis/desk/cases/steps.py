"""The steps of a case: what happened, in words that a shop owner writes.

A step is a mapping with a time and one verb: ``{time: 2024-03-01 09:00, purchase: 14.00}``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec import structs

from kantis.core.amounts import Unit
from kantis.core.events import (
    Activity,
    Adjust,
    Body,
    Cancel,
    Capture,
    CarriedLot,
    CarriedPlan,
    CarriedTier,
    CarriedVoucher,
    Carry,
    Choose,
    Claim,
    Confirm,
    Enjoy,
    Enrol,
    Forfeit,
    Join,
    Know,
    Leave,
    Line,
    Load,
    Merge,
    Pay,
    Permit,
    Purchase,
    Redeem,
    Refer,
    Refund,
    Reinstate,
    Release,
    Subscribe,
    Transfer,
    Unpaid,
    Unsubscribe,
    Use,
    Void,
)
from kantis.core.knobs import Node, Wrong, suggest
from kantis.desk.cases import outward
from kantis.desk.cases.words import ITEMS, Words, at_key
from kantis.features.counters import THOUSANDTHS
from kantis.features.rewards import unit_of


def one_pair(words: Words, node: Node, first: str, second: str) -> tuple[str, str]:
    """``{coffee: latte}``, or the same with the names of its two parts as keys."""
    if isinstance(node.value, dict) and set(node.value) == {first, second}:
        return words.text(node.value[first]), words.text(node.value[second])
    if not isinstance(node.value, dict) or len(node.value) != 1:
        raise Wrong("pair-expected", f"Here stands one {first} with its {second}.", node)
    ((name, child),) = node.value.items()
    return name, words.text(child)


_LINE = (
    "id", "product", "quantity", "amount", "category", "brand", "department", "tags",
    "discount", "tax", "measure",
)  # fmt: skip
_PURCHASE = (
    "lines", "location", "channel", "tender", "receipt", "partner", "group", "booked",
    "points", "vouchers", "member",
)  # fmt: skip


def _line(words: Words, node: Node, number: int) -> Line:
    if isinstance(node.value, str):
        return Line(str(number), "", 1, words.money(node))
    get = words.fields(node, _LINE, "A line").get
    return Line(
        words.text(get("id")) or str(number),
        words.text(get("product")),
        words.whole(get("quantity"), 1),
        words.money(get("amount")),
        words.text(get("category")),
        words.text(get("brand")),
        words.text(get("department")),
        words.texts(get("tags")),
        words.money(get("discount")),
        words.money(get("tax")),
        words.amount(get("measure"), THOUSANDTHS),
    )


def _lines(words: Words, node: Node | None) -> tuple[Line, ...]:
    if node is None:
        return ()
    items = node.value if isinstance(node.value, list) else [node]
    lines = tuple(_line(words, each, number) for number, each in enumerate(items, 1))
    seen: set[str] = set()
    for line, item in zip(lines, items, strict=True):
        if line.id in seen:
            raise Wrong("duplicate-line", f"There are two lines {line.id!r}.", item)
        seen.add(line.id)
    return lines


def _purchase(words: Words, node: Node) -> Body:
    """An amount, a list of lines, one line with its keys, or ``lines`` and what else is known."""
    if not isinstance(node.value, dict):
        return Purchase(_lines(words, node))
    fields = words.fields(node, [*_PURCHASE, *_LINE], "A purchase")
    own = {key: child for key, child in fields.items() if key in _LINE}
    lines = _lines(words, fields.get("lines"))
    if own:
        if lines:
            key = next(iter(own))
            raise Wrong("line-expected", f"{key!r} belongs into a line.", at_key(node, key))
        lines = (_line(words, Node(own, node.line, node.column, node.keys), 1),)
    get = fields.get
    booked = get("booked")
    points = None
    if (paid := get("points")) is not None:
        points = {
            name: words.amount(child, _paid_with(words, name, at_key(paid, name)))
            for name, child in words.fields(paid, list(paid.value), "What is paid").items()
        }
    return Purchase(
        lines,
        words.text(get("location")),
        words.text(get("channel")),
        words.text(get("tender")),
        words.text(get("receipt")),
        words.text(get("partner")),
        words.text(get("group")),
        words.moment(booked) if booked is not None else 0,
        points,
        words.texts(get("vouchers")),
        words.text(get("member")),
    )


def _paid_with(words: Words, name: str, node: Node) -> Unit:
    """The unit that is paid with: of a reward that is money off, or of a balance."""
    reward = words.reward(name)
    if reward is not None and (reward.rate is not None or reward.rungs):
        return words.program.units[unit_of(reward)]
    if name in words.program.units:
        return words.program.units[name]
    raise Wrong("unknown-reward", f"There is no reward {name!r} that pays in a purchase.", node)


def _refund(words: Words, node: Node) -> Body:
    if isinstance(node.value, str):
        return Refund(words.text(node))
    get = words.fields(node, ("of", "lines", "of source", "reason"), "A refund").get
    lines: list[tuple[str, int]] = []
    if (back := get("lines")) is not None:
        if not isinstance(back.value, dict):
            raise Wrong("mapping-expected", "Write which lines come back: {1: 1}.", back)
        lines = [(line, words.whole(child)) for line, child in back.value.items()]
    reason = words.text(get("reason")) or "refund"
    return Refund(words.text(get("of")), tuple(lines), words.text(get("of source")), reason)


def _redeem(words: Words, node: Node) -> Body:
    if isinstance(node.value, str):
        return Redeem(node.value)
    known = (
        "reward", "basket", "points", "hold", "member", "lines", "location", "channel", "partner",
    )  # fmt: skip
    get = words.fields(node, known, "A redemption").get
    name = words.text(get("reward"))
    reward = words.reward(name)
    unit = ITEMS
    if reward is not None:
        unit = words.program.units[unit_of(reward)]
    return Redeem(
        name,
        words.money(get("basket")),
        words.amount(get("points"), unit),
        words.yes(get("hold")),
        words.text(get("member")),
        _lines(words, get("lines")),
        words.text(get("location")),
        words.text(get("channel")),
        words.text(get("partner")),
    )


def _hold(words: Words, node: Node) -> Body:
    redeem = _redeem(words, node)
    assert isinstance(redeem, Redeem)
    return structs.replace(redeem, hold=True)


def _of(words: Words, node: Node, what: str) -> str:
    if isinstance(node.value, str):
        return node.value
    return words.text(words.fields(node, ("of",), what).get("of"))


def _use(words: Words, node: Node) -> Body:
    if isinstance(node.value, str):
        return Use(node.value)
    get = words.fields(node, ("voucher", "basket", "partner", "code"), "A use").get
    return Use(
        words.text(get("voucher")),
        words.money(get("basket")),
        words.text(get("partner")),
        words.yes(get("code")),
    )


def _subscribe(words: Words, node: Node) -> Body:
    if isinstance(node.value, str):
        return Subscribe(words.plan(node))
    get = words.fields(node, ("plan", "per", "trial"), "A subscription").get
    trial = get("trial")
    if trial is not None:
        words.yes(trial)
    return Subscribe(words.plan(get("plan") or node), words.text(get("per")), words.text(trial))


def _enjoy(words: Words, node: Node) -> Body:
    if isinstance(node.value, str):
        return Enjoy(node.value)
    known = ("entitlement", "basket", "location", "channel", "tender", "partner")
    get = words.fields(node, known, "A use").get
    return Enjoy(
        words.text(get("entitlement")),
        words.money(get("basket")),
        words.text(get("location")),
        words.text(get("channel")),
        words.text(get("tender")),
        words.text(get("partner")),
    )


def _adjust(words: Words, node: Node) -> Body:
    get = words.fields(node, ("balance", "amount", "reason", "by"), "An adjustment").get
    name = words.text(get("balance"))
    amount = words.amount(get("amount"), words.balance(name, node))
    return Adjust(name, amount, words.text(get("reason")), words.text(get("by")))


def _transfer(words: Words, node: Node) -> Body:
    get = words.fields(node, ("balance", "amount", "to"), "A transfer").get
    name = words.text(get("balance"))
    amount = words.amount(get("amount"), words.balance(name, node))
    return Transfer(name, amount, f"account:{words.text(get('to'))}")


def _enrol(words: Words, node: Node) -> Body:
    get = words.fields(node, ("facts",), "An enrolment").get
    facts = get("facts")
    if facts is None:
        return Enrol()
    pairs = words.fields(facts, list(facts.value), "Facts")
    return Enrol(tuple((name, words.text(child)) for name, child in pairs.items()))


def activity(words: Words, name: str, node: Node) -> Body:
    """An activity of a name: ``{}``, a number, or its keys."""
    if isinstance(node.value, str):
        return Activity(name, words.whole(node))
    known = ("quantity", "amount", "group", "partner", "member")
    get = words.fields(node, known, "An activity").get
    return Activity(
        name,
        words.whole(get("quantity"), 1),
        words.money(get("amount")),
        words.text(get("group")),
        words.text(get("partner")),
        words.text(get("member")),
    )


def _reference(words: Words, node: Node | None) -> str:
    """Another account of the case, by its name."""
    return f"account:{words.text(node)}" if node is not None else ""


def _join(words: Words, node: Node) -> Body:
    if isinstance(node.value, str):
        return Join(node.value)
    get = words.fields(node, ("member", "into"), "A joining").get
    return Join(words.text(get("member")), _reference(words, get("into")))


def _merge(words: Words, node: Node) -> Body:
    return Merge(_reference(words, node))


def _leave(words: Words, node: Node) -> Body:
    if isinstance(node.value, str):
        return Leave(node.value)
    get = words.fields(node, ("member", "to", "by"), "A leaving").get
    member, by = words.text(get("member")), words.text(get("by"))
    return Leave(member, _reference(words, get("to")), by)


def _permit(words: Words, node: Node) -> Body:
    get = words.fields(node, ("member", "burns", "by"), "A permission").get
    member, by = words.text(get("member")), words.text(get("by"))
    return Permit(member, words.yes(get("burns"), True), by)


def _refer(words: Words, node: Node) -> Body:
    get = words.fields(node, ("referral", "by", "marks"), "An invitation").get
    name = words.text(get("referral"))
    return Refer(name, _reference(words, get("by")), words.texts(get("marks")))


#: What an account can bring beside plain balances.
BROUGHT: Final = ("lots", "tiers", "counters", "vouchers", "offers", "plans")


def carry(words: Words, node: Node) -> Carry:
    """What an account brings: lots, tiers, counters, vouchers and offers, and plain balances."""
    fields = words.fields(node, [*BROUGHT, *words.program.units], "What is brought")
    lots = []
    for name, child in fields.items():
        if name not in BROUGHT:
            lots.append(CarriedLot(name, words.amount(child, words.program.units[name])))
    get = fields.get
    lots += [_lot(words, each) for each in _items(get("lots"))]
    counters: list[tuple[str, int, int]] = []
    for name, child in _pairs(get("counters")):
        if name not in words.counters:
            message = f"There is no counter {name!r}. {suggest(name, words.counters)}"
            raise Wrong("unknown-counter", message, child)
        unit = words.counters[name]
        dated = child.value.items() if isinstance(child.value, dict) else [("", child)]
        for date, amount in dated:
            day = words.day(Node(date, amount.line, amount.column)) if date else 0
            counters.append((name, day, words.amount(amount, unit)))
    return Carry(
        "opening",
        tuple(lots),
        tuple(_tier(words, name, child) for name, child in _pairs(get("tiers"))),
        tuple(counters),
        _vouchers(words, get("vouchers")),
        words.texts(get("offers")),
        tuple(_plan(words, name, child) for name, child in _pairs(get("plans"))),
    )


def _items(node: Node | None) -> list[Node]:
    if node is None:
        return []
    return node.value if isinstance(node.value, list) else [node]


def _pairs(node: Node | None) -> list[tuple[str, Node]]:
    if node is None:
        return []
    if not isinstance(node.value, dict):
        raise Wrong("mapping-expected", "Here stands a mapping of names to values.", node)
    return list(node.value.items())


def _lot(words: Words, node: Node) -> CarriedLot:
    known = ("balance", "amount", "earned", "until", "opens", "group", "member", "funder")
    get = words.fields(node, known, "A lot").get
    name = words.text(get("balance")) or next(iter(words.program.units))
    opens = get("opens")
    return CarriedLot(
        name,
        words.amount(get("amount"), words.balance(name, node)),
        words.day(get("earned")),
        words.last_day(get("until")),
        words.moment(opens) if opens is not None else 0,
        words.text(get("group")),
        words.text(get("member")),
        words.text(get("funder")),
    )


def _tier(words: Words, group: str, node: Node) -> CarriedTier:
    if isinstance(node.value, str):
        words.level(group, node.value, node)
        return CarriedTier(group, node.value)
    get = words.fields(node, ("level", "since", "until"), "A tier").get
    level = words.text(get("level"))
    words.level(group, level, node)
    return CarriedTier(group, level, words.day(get("since")), words.last_day(get("until")))


def _plan(words: Words, name: str, node: Node) -> CarriedPlan:
    """``{club: month}``, or its period, first day, last day, fee and state."""
    plan = words.plan(at_key(node, name) if isinstance(node.value, dict) else node, name)
    if isinstance(node.value, str):
        return CarriedPlan(plan, node.value)
    known = ("per", "since", "until", "fee", "trial", "renews")
    get = words.fields(node, known, "A plan").get
    return CarriedPlan(
        plan,
        words.text(get("per")),
        words.day(get("since")),
        words.last_day(get("until")),
        words.money(get("fee")),
        words.yes(get("trial")),
        words.yes(get("renews"), True),
    )


def _vouchers(words: Words, node: Node | None) -> tuple[CarriedVoucher, ...]:
    """``{free-drink: 2}``, or a list of vouchers with code, kind, worth and end."""
    if node is None:
        return ()
    found = []
    if isinstance(node.value, dict):
        for kind, count in node.value.items():
            codes = [f"{kind}-{n}" for n in range(1, words.whole(count) + 1)]
            found += [CarriedVoucher(code, kind) for code in codes]
        return tuple(found)
    for number, each in enumerate(_items(node), 1):
        get = words.fields(each, ("code", "kind", "worth", "until"), "A voucher").get
        kind = words.text(get("kind"))
        code = words.text(get("code")) or f"{kind}-{number}"
        end = words.last_day(get("until"))
        found.append(CarriedVoucher(code, kind, words.money(get("worth")), end))
    return tuple(found)


#: What can happen, by verb.
VERBS: Final[dict[str, Callable[[Words, Node], Body]]] = {
    "purchase": _purchase,
    "refund": _refund,
    "redeem": _redeem,
    "hold": _hold,
    "capture": lambda words, node: Capture(_of(words, node, "A capture")),
    "release": lambda words, node: Release(_of(words, node, "A release")),
    "cancel": lambda words, node: Cancel(_of(words, node, "A cancellation")),
    "use": _use,
    "load": lambda words, node: Load(words.text(node)),
    "choose": lambda words, node: Choose(*one_pair(words, node, "choice", "value")),
    "confirm": lambda words, node: Confirm(words.text(node)),
    "void": lambda words, node: Void(words.text(node)),
    "forfeit": lambda words, node: Forfeit(words.text(node)),
    "reinstate": lambda words, node: Reinstate(words.text(node)),
    "subscribe": _subscribe,
    "unsubscribe": lambda words, node: Unsubscribe(words.plan(node)),
    "pay": lambda words, node: Pay(words.plan(node)),
    "unpaid": lambda words, node: Unpaid(words.plan(node)),
    "enjoy": _enjoy,
    "adjust": _adjust,
    "transfer": _transfer,
    "exchange": outward.exchange,
    "arrived": outward.arrived,
    "carry": carry,
    "know": lambda words, node: Know(*one_pair(words, node, "fact", "value")),
    "join": _join,
    "merge": _merge,
    "leave": _leave,
    "permit": _permit,
    "refer": _refer,
    "enrol": _enrol,
    "claim": lambda words, node: Claim(words.text(node)),
}

#: Verbs that ask, and can be refused; the others tell what has happened.
ASKS: Final = {
    "redeem",
    "hold",
    "capture",
    "release",
    "cancel",
    "use",
    "load",
    "choose",
    "transfer",
    "subscribe",
    "unsubscribe",
    "enjoy",
    "reinstate",
    "join",
    "merge",
    "leave",
    "permit",
    "refer",
    "exchange",
}
