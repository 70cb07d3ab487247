"""Terms: a program in sentences that a member reads before joining, made from its own file.

Guarantee: every entry of the program that is in force is there, with everything that it
says; only what concerns nobody but the merchant (who pays whom, and how it is reckoned
inside) is left out, and ``SILENT`` names it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from msgspec import Struct

from kantis.core.amounts import Unit, money
from kantis.core.knobs import Node
from kantis.doors.web.languages import Language, said
from kantis.doors.web.phrasebook import Speaker

#: The chapters in their order: the section of the file, its heading, and the keys that make
#: the first line of a clause.
CHAPTERS: Final[tuple[tuple[str, str, tuple[str, ...]], ...]] = (
    ("earning", "How you earn", ("give", "multiply", "add")),
    ("offers", "Offers", ("give", "off", "multiply", "add")),
    ("prices", "Prices for members", ("off",)),
    ("rewards", "What you get for it", ("cost", "rate", "rungs", "reached")),
    ("vouchers", "Vouchers", ("good for", "worth")),
    ("plans", "Paid membership", ("fee",)),
    ("entitlements", "What you may have", ("good for",)),
    ("tiers", "Levels", ("levels",)),
    ("counters", "What is counted", ("counts",)),
    ("challenges", "Challenges", ("goal",)),
    ("referrals", "Inviting friends", ("give",)),
    ("choices", "Your choices", ("options",)),
    ("cycles", "On fixed days", ("every",)),
    ("payouts", "Money paid out", ("charity", "gives away")),
    ("partners", "Partners", ("give", "takes")),
    ("balances", "How long it lasts", ("expires",)),
    ("caps", "Limits", ("at most",)),
    ("forfeiture", "What can be lost", ("of",)),
    ("households", "Households", ()),
    ("refunds", "When something is returned", ()),
)

#: What is said of an entry, by its key in the file.
LABELS: Final = {
    "add": "On top", "above": "Above", "amount": "A number you choose, in steps of",
    "at": "Good at", "at least": "At least",
    "at most": "At most", "at partners": "At partners", "attributed": "Whose it was",
    "available": "You can use it", "badge": "Badge", "basket": "Whole purchase",
    "beyond": "Beyond the limit", "birthday": "Birthday", "bonus": "It brings",
    "brand": "Brand", "budget": "While it lasts, for all members together",
    "burns": "What is used first", "burns first": "What is used first",
    "by": "Decided by", "by the total of": "Decided by the total of",
    "cancelled trial": "A trial that is cancelled", "cap": "At most", "category": "Category",
    "changes": "Changes", "channel": "Where", "charity": "For", "choice": "Choice",
    "cost": "Costs", "counted": "Counted", "counts": "Counts", "covers": "Pays",
    "dates": "Dates", "age": "Age", "department": "Department", "downgrade": "Going down",
    "down": "Who does not keep it",
    "earned": "Earned", "earns": "Earns points itself", "every": "On", "except": "Does not count",
    "exchanges": "Exchanged at", "expires": "Ends", "fee": "Fee", "first": "The first choice",
    "for": "For", "give": "You get", "gives": "You get", "gives away": "Gives away",
    "goal": "Goal", "good for": "Good for", "grace": "Grace", "held for": "Set aside for",
    "hours": "Hours", "if": "If", "issued": "It comes", "items": "Items",
    "joining": "After joining", "kept by": "Kept by", "kept while": "Never ends for",
    "lasts": "Lasts", "least": "At least", "least basket": "For purchases of", "levels": "Levels",
    "leaver takes": "Who leaves takes", "location": "Where", "lost unless": "Only for",
    "makes": "Can become", "matched by": "We add", "may burn": "Who may use it",
    "members": "In the household", "most": "At most", "multiply": "Times",
    "no plan": "Without a plan",
    "note": "Note", "of": "Of", "off": "Off", "on": "For", "one per step": "One for each step",
    "only best of": "Only the best of", "options": "Options", "orders": "Orders",
    "over": "Counted over", "paid in": "Paid in", "paid in points": "Paid in points",
    "part": "The part given away",
    "partner": "Partner", "pay within": "Pay within", "pays at most": "Pays at most",
    "pays out": "Paid out to", "per member": "For each member", "plan": "Plan",
    "points": "Points", "points back": "Points that come back", "pools": "Shared",
    "product": "Product", "purchase": "Purchases", "pushed on by": "Kept going by",
    "rate": "Worth", "reached": "Reached with", "reads": "Reads", "refund": "Money back",
    "refund lowers": "A return can undo it", "reinstated for": "Given back for",
    "reinstated within": "Given back within", "renewal fee": "Fee when renewed",
    "renews": "Renews", "repeats": "Again", "rest": "What is left over", "review": "Reviewed",
    "rolls over": "Carried over", "round": "Rounded", "rungs": "Steps", "segment": "Group",
    "sends": "Comes in as",
    "settled": "Given", "share capital first": "First into your share",
    "shortage": "If points are missing",
    "spend": "Spending", "spends": "The friend spends",
    "spent points return for": "Points you used return for",
    "stack": "Together with others", "stages": "The friend has", "step": "In steps of",
    "stock": "There are", "streak": "In a row", "tag": "Tag", "takes": "Exchange",
    "tender": "Paid with", "tolerance": "Tolerance", "trial": "Trial", "up": "Reached",
    "up to": "Up to", "upgrade": "Going up", "uses": "How often", "valid": "Valid",
    "voucher": "Voucher", "weekdays": "Days", "when": "When", "where": "Counts for",
    "who": "For members", "whose": "Whose", "window": "Counted over", "within": "Within",
    "without a choice": "Without a choice", "worth": "Worth",
}  # fmt: skip
#: What concerns the merchant only.
SILENT: Final = frozenset(
    {
        "title",
        "titles",
        "decimals",
        "one",
        "funded by",
        "costs us",
        "issuing",
        "redeeming",
        "filtered",
        "terms of",
    }
)

#: Under these stand conditions, whose keys may be called as a level is.
_ASKING: Final = frozenset({"if", "when", "where", "except"})
_JOIN: Final = " · "
#: Sections that are one clause, without names.
_WHOLE: Final = ("refunds",)
#: What is said under these is the name of another entry, also where it could be a phrase.
_NAMING: Final = frozenset(
    "plan|no plan|above|voucher|on|by|of|by the total of|payout|pays out|makes|paid in|pools|cap"
    "|gives away".split("|")
)
#: A name as files have it; a reader gets it in words.
_NAME: Final = re.compile(r"[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*")


class Clause(Struct, frozen=True):
    """One entry of the program: its name, what it gives, and what else holds for it."""

    title: str
    main: str
    points: tuple[tuple[str, str], ...]


class Chapter(Struct, frozen=True):
    """The entries of one section."""

    title: str
    clauses: tuple[Clause, ...]


def said_of(tree: dict[str, Node], language: Language, section: str, name: str, key: str) -> str:
    """What an entry says under a key, as the terms have it; empty where it says nothing."""
    entries: Any = tree[section].value if section in tree else {}
    body: Any = entries[name].value if name in entries else {}
    found = body.get(key) if isinstance(body, dict) else None
    return _Writer(tree, language).said(found, key) if found is not None else ""


def chapters(tree: dict[str, Node], language: Language) -> list[Chapter]:
    """The terms of a program as it stands, from its file with all dates settled."""
    writer = _Writer(tree, language)
    found = [writer.chapter(*each) for each in CHAPTERS if each[0] in tree]
    return [each for each in found if each.clauses]


def clauses(tree: dict[str, Node], language: Language, section: str) -> dict[str, Clause]:
    """The entries of one section by their names, as the terms have them."""
    if section not in tree:
        return {}
    first = next(keys for name, _, keys in CHAPTERS if name == section)
    said = _Writer(tree, language).chapter(section, "", first).clauses
    return dict(zip(tree[section].value, said, strict=True))


class _Writer:
    def __init__(self, tree: dict[str, Node], language: Language) -> None:
        self._tree, self._language = tree, language
        self._speaker = Speaker(language, units(tree, language.tag), called(tree, language.tag))
        groups = tree["tiers"].value.values() if "tiers" in tree else ()
        self._levels = {name for group in groups for name in group.value["levels"].value}
        self._names = {
            name: title[:1].upper() + title[1:]
            for name, title in titles(tree, language.tag).items()
        }
        balances = tree["balances"].value if "balances" in tree else {}
        for name in balances:  # a language has its own words for points, stamps and the like
            if self._names[name] == name[:1].upper() + words(name)[1:]:
                self._names[name] = self._speaker.name(name)

    def chapter(self, section: str, title: str, first: tuple[str, ...]) -> Chapter:
        entries = self._tree[section].value
        if section in _WHOLE or not isinstance(entries, dict):
            clauses = [self._clause("", self._tree[section], ())]
        else:
            clauses = [self._clause(name, entry, first) for name, entry in entries.items()]
        return Chapter(self._language.gettext(title), tuple(clauses))

    def said(self, value: Node, key: str) -> str:
        """What stands under a key."""
        return self._text(value, key)

    def _clause(self, name: str, entry: Node, first: tuple[str, ...]) -> Clause:
        if not isinstance(entry.value, dict):
            return Clause(self._title(name, {}), self._text(entry), ())
        body: dict[str, Node] = entry.value
        keys = [key for key in first if key in body]
        main = _JOIN.join(self._main(key, body[key]) for key in keys)
        points = tuple(
            (self._label(key), self._text(value, key))
            for key, value in body.items()
            if key not in keys and key not in SILENT
        )
        return Clause(self._title(name, body), main, points)

    def _title(self, name: str, body: dict[str, Node]) -> str:
        titles = body.get("title")
        texts = {} if titles is None else _texts(titles)
        plain = words(name)
        return said(texts, self._language.tag, plain[:1].upper() + plain[1:])

    def _main(self, key: str, value: Node) -> str:
        text = self._text(value, key)
        if key in ("multiply", "add", "reached", "cost", "off", "takes"):
            return f"{self._label(key)}: {text}"
        return text

    def _label(self, key: str) -> str:
        known = LABELS.get(key)
        if known is not None:
            return self._language.gettext(known)
        return self._speaker.phrase(key)

    def _text(self, value: Node, key: str = "") -> str:
        found: Any = value.value
        if isinstance(found, dict):
            return _JOIN.join(
                f"{self._key(name, key)}: {self._text(each, name)}" for name, each in found.items()
            )
        if isinstance(found, list):
            return ", ".join(self._text(each, key) for each in found)
        named = self._names.get(str(found)) if key in _NAMING else None
        return named or self._speaker.phrase(str(found))

    def _key(self, key: str, under: str) -> str:
        """A key inside a value: a level, a word of the language, or a phrase, or a name."""
        if under in _ASKING and key in LABELS:
            return self._label(key)
        if key in self._levels:
            return self._speaker.phrase(key)
        named = self._speaker.phrase(key)
        return self._label(key) if named == key and key in LABELS else named


def words(text: str) -> str:
    """A name in words.

    >>> words("gift-card"), words("a mug, well-made")
    ('gift card', 'a mug, well-made')
    """
    return text.replace("-", " ") if _NAME.fullmatch(text) else text


def _texts(titles: Node) -> dict[str, str]:
    if isinstance(titles.value, dict):
        return {tag: str(each.value) for tag, each in titles.value.items()}
    return {"en": str(titles.value)}


def titles(tree: dict[str, Node], tag: str) -> dict[str, str]:
    """How a reader of a language finds each entry named: its title, or its name in words.

    By section and name (``vouchers coffee``), and by the name alone, which is that of the first
    section with a title for it.
    """
    found = _levels(tree, tag)
    alone: dict[str, str] = {}
    for section, _, _ in CHAPTERS:
        if section in _WHOLE or section not in tree or not isinstance(tree[section].value, dict):
            continue
        for name, entry in tree[section].value.items():
            has = isinstance(entry.value, dict) and "title" in entry.value
            title = said(_texts(entry.value["title"]) if has else {}, tag, words(name))
            found[f"{section} {name}"] = title
            if alone.get(name, words(name)) == words(name):
                alone[name] = title
    return found | alone


def called(tree: dict[str, Node], tag: str) -> Callable[[str], str]:
    """What says a name in words: of a level and a tier group its title, where it has one."""
    groups = tree["tiers"].value if "tiers" in tree else {}
    found = {
        name: said(_texts(group.value["title"]), tag, name)
        for name, group in groups.items()
        if "title" in group.value
    }
    found |= _levels(tree, tag)
    return lambda name: found.get(name) or words(name)


def _levels(tree: dict[str, Node], tag: str) -> dict[str, str]:
    """The titles of the levels that have one."""
    groups = tree["tiers"].value.values() if "tiers" in tree else ()
    return {
        name: said(_texts(title), tag, words(name))
        for group in groups
        if "titles" in group.value
        for name, title in group.value["titles"].value.items()
    }


def units(tree: dict[str, Node], tag: str) -> dict[str, tuple[Unit, str]]:
    """The units of a program by the words that its file has for them, with their titles."""
    found = {}
    balances = tree["balances"].value if "balances" in tree else {}
    for name, entry in balances.items():
        body = entry.value if isinstance(entry.value, dict) else {}
        titles = _texts(body["title"]) if "title" in body else {}
        unit = Unit(name)
        found[name] = unit, said(titles, tag, "")
    currency = str(tree["money"].value)
    found[currency] = money(currency), ""
    return found
