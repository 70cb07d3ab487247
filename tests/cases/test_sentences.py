"""Each sentence of a program, and of the language, has a case that fails without it."""

import os
import random
import re
from collections.abc import Iterator
from typing import Any

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
    "amazon-prime": ("plans > prime > renewal fee > from 2022-03-26",),
    "amex-gold": ("earning > welcome > who > plan", "rewards > airline-miles > least"),
    "bank-of-america": (
        "existing > from 2026-05-27 > levels > none",
        "earning > preferred > add > before 2026-05-27 > diamond",
    ),
    "body-shop-cyprus": ("refunds",),
    "body-shop-uk": ("balances > points > expires",),
    "caffe-nero": ("balances > stamps > expires",),
    "costa-club": ("balances > beans > expires",),
    "costco-executive": (
        "cycles > certificate > worth",
        "cycles > certificate > who",
        "cycles > certificate > who > plan",
        "plans > executive > upgrade",
        "households > household > may burn",
    ),
    "cvs-extracare": ("cycles > extrabucks > worth",),
    "dropbox-referral": ("refunds", "counters > friends > window"),
    "east-of-england-coop": (
        "cycles > dividend-in-cash > worth > before 2024-05-15",
        "cycles > dividend-in-cash > worth > 2025-01-01 to 2025-05-13",
        "cycles > dividend-in-cash > worth > from 2026-01-01",
        "cycles > dividend > worth > 2025-01-01 to 2025-05-13",
    ),
    "goldpoints-plus": ("refunds",),
    "hometown-cafe": ("rewards > full-card > gives",),
    "household-contributions": ("households > household > attributed",),
    "ikea-family-us": ("refunds",),
    "k-plussa": ("payouts > charity > without a choice",),
    "marriott-bonvoy": ("earning > elite-bonus > add > ambassador",),
    "pc-optimum": ("households > household > pools", "households > household > attributed"),
    "plenti": ("earning > fuel > round",),
    "sephora-beauty-insider": (
        "rewards > bazaar-sample > gives",
        "rewards > rouge-reward > stock",
    ),
    "starbucks": ("rewards > free-mod-monday > from 2026-03-10 > gives",),
    "walmart-plus": ("rewards > money-center > note",),
    "xplr-pass": ("balances > points > expires", "earning > purchase > round"),
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
#: (place, value) of what is so where nothing is said.
DEFAULTS = (
    (r"conventions.*|balances > \S+ > one|.* > title", ANY := object()),
    (r"balances > \S+ > expires", "never"),
    (r"counters > \S+ > counts", "spend"),
    (r"counters > \S+ > window", "calendar year"),
    (r"choices > \S+ > window", "calendar month"),
    (r"plans > \S+ > renews", "by itself"),
    (r"tiers > \S+ > lasts", "for ever"),
    (r"cycles > \S+ > rest", "carries"),
    (r"households > \S+ > may burn", "any member"),
    (r"households > \S+ > burns", "in order"),
    (r"households > \S+ > leaver takes", "own points"),
    (r"refunds > within", "365 days"),
)
#: What identifies a program or speaks to people.
WORDS = {"program", "title", "titles", "sources", "about", "money", "timezone", "good for"}


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


PROGRAMS = sorted(each.stem for each in (REPO / "programs").glob("*.yaml"))
#: So many sentences of a program are tried, or all of them: ``KANTIS_SENTENCES=all``.
TRIED = os.environ.get("KANTIS_SENTENCES", "25")
SEED = os.environ.get("KANTIS_SEED", "1")


def aloud(tree: Node, path: Path) -> bool:
    """Whether a sentence of a program only says aloud what holds without it."""
    told, value = _told(path), _at(tree, path)
    if any(re.fullmatch(each, told) and so in (ANY, value) for each, so in DEFAULTS):
        return True
    if told == "refunds" and "forgiven" not in (each.value for each in value.values()):
        return True
    if path[-1] != "round" and not (len(path) > 1 and path[-2] == "round"):
        return False
    if not isinstance(value, str) or not (sums := re.fullmatch(r"spend down to (.+)", value)):
        return False
    entry = _at(tree, path[: path.index("round")])
    give = entry["give"].value if isinstance(entry, dict) and "give" in entry else ""
    rates = give.values() if isinstance(give, dict) else [Node(give)]
    partners = give == "the partner's rate"  # most of which give one point for each step
    ones = [re.fullmatch(rf"1 \S+ per {re.escape(sums[1])}", str(each.value)) for each in rates]
    return partners or any(ones)


def _at(tree: Node, path: Path) -> Any:
    for key in path:
        tree = tree.value[key]
    return tree.value


@pytest.mark.parametrize("name", [*PROGRAMS, *LANGUAGE])
def test_each_sentence_has_a_case_that_fails_without_it(name: str) -> None:
    file = read_cases(REPO / "programs" / "cases" / f"{name}.yaml")
    tree = file.version.tree
    places = [path for path in sentences(tree) if _told(path) not in SAID_ALOUD]
    common = SCAFFOLDING if name in LANGUAGE else ()
    spare = re.compile("|".join((*common, *map(re.escape, IDLE.get(name, ())))))
    places = [path for path in places if not spare.fullmatch(_told(path))]
    if name not in LANGUAGE:
        places = [path for path in places if not aloud(tree, path)]
        if TRIED != "all":
            dice = random.Random(f"{SEED} {name}")
            places = dice.sample(places, min(len(places), int(TRIED)))
    idle = [_told(path) for path in places if survives(file, path)]
    assert len(places) > 5
    assert not idle, "no case fails without: " + ", ".join(idle)


def _told(path: Path) -> str:
    return " > ".join(map(str, path))
