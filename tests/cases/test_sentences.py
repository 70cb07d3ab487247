"""Each sentence of some programs, and of the language's, has a case that fails without it."""

import re
from collections.abc import Iterator

import pytest

from kantis.core.knobs import Node, ProgramError
from kantis.desk.cases.file import CaseFile, read_cases
from kantis.desk.cases.run import run_case
from kantis.engine.program import Version
from tests.house.sources import REPO

Path = tuple[str | int, ...]

#: What only says a default aloud, or what the desk and not the engine acts on.
SAID_ALOUD = {
    "spend",
    "order",
    "late",
    "refunds > shortage",
    "refunds > spent points return for",
    "balances > points > burns first",
    "counters > spend > counts",
    "counters > spend > window",
    "cycles > statement > worth",
    "cycles > statement > rest",
    "rewards > money-off > least",
}
#: Every mode that a program can say, each in a small program with its cases.
LANGUAGE = sorted(f"language/{each.stem}" for each in (REPO / "programs/cases/language").iterdir())
#: What its cases show in another way: a default, a voucher's name, a level that is set by hand.
IDLE: dict[str, tuple[str, ...]] = {
    "xplr-pass": ("balances > points > expires", "earning > purchase > round"),
    "ikea-family-us": ("refunds",),
    "costa-club": ("balances > beans > expires",),
    "caffe-nero": ("balances > stamps > expires",),
    "language/carry": (
        "balances > miles > decimals",
        "vouchers > coffee",
        "vouchers > coffee > valid",
    ),
    "language/challenges": ("challenges > regular > badge",),
    "language/choices": ("choices > favourite > window",),
    "language/entitlements": ("earning", "earning > base", "plans > plus > fee > 1"),
    "language/plans": (
        "balances > kept > kept while > plan > 1",
        "plans > prime > renewal fee > from 2022-03-26",
        "plans > plus > fee > 1",
        "plans > silver > grace",
        "plans > silver > pay within",
        "plans > press > pay within",
        "earning > everybody > who > no plan > 1",
        "earning > gold > who",
        "earning > gold > who > plan",
        "earning > members > who",
        "earning > members > who > plan",
        "earning > members > who > plan > 1",
    ),
    "language/milestones": ("vouchers > hello > valid", "rewards > shopper"),
    "language/modifiers": ("earning > second",),
    "language/periods": ("earning > milestone > give > each part > from 0 nights",),
    "language/referrals": ("referrals > visitor > terms of",),
    "language/refunds": ("tiers > status > lasts",),
    "language/rewards": ("rewards > rungs > most", "rewards > steps > least"),
    "language/shares": ("households > family > leaver takes > before 2025-01-01",),
    "language/tiers": ("tiers > lifetime > lasts", "tiers > honour > lasts"),
}
#: What identifies a program or speaks to people.
WORDS = {"program", "title", "sources", "about", "money", "timezone", "good for"}


def sentences(tree: Node, path: Path = ()) -> Iterator[Path]:
    """The places of everything that a program says, down to the values of a list."""
    if isinstance(tree.value, dict):
        for key, child in tree.value.items():
            if key not in WORDS:
                yield (*path, key)
                yield from sentences(child, (*path, key))
    elif isinstance(tree.value, list) and len(tree.value) > 1:
        yield from ((*path, position) for position in range(len(tree.value)))


def without(tree: Node, path: Path) -> Node:
    """The tree without what stands at a place."""
    head, *rest = path
    value = dict(tree.value) if isinstance(tree.value, dict) else list(tree.value)
    if rest:
        value[head] = without(value[head], tuple(rest))
    else:
        del value[head]
    return Node(value, tree.line, tree.column, tree.keys)


def survives(file: CaseFile, path: Path) -> bool:
    """Whether all cases pass without what stands at a place."""
    try:
        version = Version(1, 0, without(file.version.tree, path))
        return not any(run_case(version, case).failures for case in file.cases)
    except ProgramError:
        return False


#: Of the language: what stands in a program only because it is needed there, or says a default.
SCAFFOLDING = (
    r"counters > \S+ > (window|counts|of)",
    r"cycles > \S+ > worth",
    r"rewards > \S+ > gives",
    r"(balances|balances > points|measures|caps|rewards|vouchers|sources.*)",
)


#: Programs of which each sentence is held.
HELD = [
    "caffe-nero",
    "corner-cafe",
    "costa-club",
    "grocer",
    "grab-rewards-sg",
    "ikea-family-pt",
    "ikea-family-uk",
    "ikea-family-us",
    "mywalgreens",
    "walgreens-balance-rewards",
    "xplr-pass",
    "xplr-pass-hk",
]


@pytest.mark.parametrize("name", [*HELD, *LANGUAGE])
def test_each_sentence_has_a_case_that_fails_without_it(name: str) -> None:
    file = read_cases(REPO / "programs" / "cases" / f"{name}.yaml")
    places = [path for path in sentences(file.version.tree) if _told(path) not in SAID_ALOUD]
    common = SCAFFOLDING if name in LANGUAGE else ()
    spare = re.compile("|".join((*common, *map(re.escape, IDLE.get(name, ())))))
    places = [path for path in places if not spare.fullmatch(_told(path))]
    idle = [_told(path) for path in places if survives(file, path)]
    assert len(places) > 10
    assert not idle, "no case fails without: " + ", ".join(idle)


def _told(path: Path) -> str:
    return " > ".join(map(str, path))
