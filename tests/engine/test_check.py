"""Bad program files: each mistake is refused with a code, its place and what to do."""

import pytest

from kantis.core.knobs import ProgramError
from kantis.desk import text
from kantis.engine.program import Version, assemble

GOOD = """\
program: shop
money: EUR
timezone: Europe/Tallinn
balances:
  points: {expires: 12 months after earning}
counters:
  spend: {counts: spend}
tiers:
  status: {by: spend, levels: {basic: from the start, gold: 100 EUR}}
earning:
  base: {give: 1 point per 1 EUR}
rewards:
  off: {rate: 1 EUR per 100 points}
"""


def faults(program: str) -> list[tuple[str, int]]:
    """(code, line) of everything that is wrong with a program's text."""
    try:
        assemble([Version.of(1, 0, text.read(program))])
    except ProgramError as error:
        for fault in error.faults:
            assert fault.message.endswith((".", "?")), fault
        return [(fault.code, fault.line) for fault in error.faults]
    return []


def test_the_good_one_is_good() -> None:
    assert faults(GOOD) == []


@pytest.mark.parametrize(
    ("before", "after", "code", "line"),
    [
        ("give: 1 point", "gvie: 1 point", "unknown-key", 11),
        ("money: EUR", "money: EURO", "unknown-currency", 2),
        ("money: EUR", "money: EUX", "unknown-currency", 2),
        ("Europe/Tallinn", "Europe/Talinn", "unknown-time-zone", 3),
        ("1 point per 1 EUR", "1 pint per 1 EUR", "unknown-unit", 11),
        ("1 point per 1 EUR", "1 point per 0 EUR", "per-nothing", 11),
        ("1 point per 1 EUR", "1.23456 points per 1 EUR", "too-many-decimals", 11),
        ("1 point per 1 EUR", "1 point per 1.001 EUR", "too-many-decimals", 11),
        ("1 point per 1 EUR", "5%", "space-missing", 11),
        ("12 months after earning", "12 moons after earning", "duration-expected", 5),
        ("12 months after earning", "some day", "unknown-expiry", 5),
        ("gold: 100 EUR", "gold: 100 EUR, more: 90 EUR", "levels-out-of-order", 9),
        ("basic: from the start", "basic: 10 EUR", "no-entry-level", 9),
        ("by: spend, levels", "by: nights, levels", "unreachable-level", 9),
        ("by: spend, levels", "titles: {ruby: Ruby}, by: spend, levels", "unknown-level", 9),
        ("by: spend, levels", "titles: Ruby, by: spend, levels", "titles-expected", 9),
        (
            "{give: 1 point per 1 EUR}",
            "{give: {before 2024-01-02: 1 point per 1 EUR, from 2024-01-01: 2 points per 1 EUR}}",
            "versions-overlap",
            11,
        ),
        (
            "{give: 1 point per 1 EUR}",
            "{give: {from 2024-01-01: 1 point per 1 EUR, from 2024-02-01 to 2024-03-01: 2 points}}",
            "dates-expected",
            11,
        ),
        ("1 point per 1 EUR", "1 times per item", "unknown-balance", 11),
        ("1 point per 1 EUR", "1 point per 0.5 items", "whole-number-expected", 11),
        ("1 point per 1 EUR", "1 point per 0 items", "whole-number-expected", 11),
        ("1 point per 1 EUR", "99999999999999999999 points", "quantity-expected", 11),
        ("1 EUR}\nrewards", "1 EUR, round: spend down to 0 EUR}\nrewards", "nothing", 11),
        ("1 EUR}\nrewards", "1 EUR, round: points down to 0 points}\nrewards", "nothing", 11),
        ("1 EUR}\nrewards", "1 EUR, cap: 9 EUR per rolling 0 days}\nrewards", "unknown-window", 11),
        ("1 EUR}\nrewards", "1 EUR, available: after 999999 days}\nrewards", "too-long", 11),
        (
            "1 EUR}\nrewards",
            "1 EUR, available: on the 32nd of the next month}\nrewards",
            "unknown-availability",
            11,
        ),
        ("12 months after earning", "0 months after earning", "nothing", 5),
        ("12 months after earning", "on the first 31 June on or after 9 days", "date-expected", 5),
        ("12 months after earning", "9999 months after earning", "too-long", 5),
        ("gold: 100 EUR}", "gold: 100 EUR}, lasts: 0 months", "nothing", 9),
        ("1 EUR per 100 points", "0 EUR per 100 points", "nothing", 13),
        ("1 EUR per 100 points", "1 EUR per 0 points", "nothing", 13),
        ("1 EUR per 100 points", "1 EUR per 100 points, step: 0 points", "nothing", 13),
        ("rate: 1 EUR per 100 points", "cost: 0 points, gives: tea", "nothing", 13),
        ("1 point per 1 EUR}", "5 points, cap: 3 points per purchase}", "cap-below-earn", 11),
        ("1 point per 1 EUR}", "5 points, cap: 3 EUR per purchase}", "cap-does-not-fit", 11),
        ("1 EUR}\nrewards", "1 EUR, beyond: 1 point per 2 EUR}\nrewards", "no-effect", 11),
        ("1 EUR}\nrewards", "1 EUR, multiply: 2 times}\nrewards", "no-effect", 11),
        (
            "1 EUR}\nrewards",
            "1 EUR}\n  less: {on: base, multiply: 0.5 times}\nrewards",
            "multiply-below-one",
            12,
        ),
        (
            "1 EUR}\nrewards",
            "1 EUR}\n  both: {on: base, multiply: 2 times, stack: compounds,"
            " only best of: x}\nrewards",
            "cannot-be-explained",
            12,
        ),
        (
            "1 EUR}\nrewards",
            "1 EUR, over: calendar month, beyond: 2 points per 1 EUR}\nrewards",
            "cannot-be-explained",
            11,
        ),
        ("1 EUR}\nrewards", "1 EUR, over: ever}\nrewards", "period-without-end", 11),
        ("1 EUR}\nrewards", "1 EUR, available: after 400 days}\nrewards", "expire-before-use", 11),
        ("rate: 1 EUR per 100 points", "cost: 5 points, step: 5 points", "no-effect", 13),
        ("rate: 1 EUR per 100 points", "cost: 5 points, rate: 1 EUR per 2 points", "one-price", 13),
        (
            "rate: 1 EUR per 100 points",
            "cost: 5 points, gives: {voucher: cup}",
            "unknown-voucher",
            13,
        ),
        ("expires: 12 months after earning", "kept while: {status: gold}", "no-effect", 5),
        ("timezone", "order: [prices, counters, earning, tiers]\ntimezone", "order-incomplete", 3),
        (
            "rewards",
            "cycles:\n  a: {every: 1st of May, least: 5 points, pays out: me, one per step: yes}"
            "\npayouts: {me: {}}\nrewards",
            "no-effect",
            13,
        ),
        ("timezone", "late: soon\ntimezone", "duration-expected", 3),
        (
            "1 EUR}\nrewards",
            "1 EUR, round: items down to 2 items}\nrewards",
            "round-does-not-fit",
            11,
        ),
        ("1 point per 1 EUR", "2 % in gems", "unknown-balance", 11),
        ("1 point per 1 EUR", "{gold: 2 points per 1 EUR, ruby: 1 point}", "unknown-level", 11),
        (
            "1 EUR}\nrewards",
            "1 EUR, where: {category: chosen hobby}}\nrewards",
            "unknown-choice",
            11,
        ),
        (
            "1 EUR}\nrewards",
            "1 EUR}\n  more: {on: base, add: {ruby: 5 %}}\nrewards",
            "level-expected",
            12,
        ),
        ("counts: spend}", "counts: spend, reads: average per month}", "average-of-what", 0),
        ("gold: 100 EUR}", "gold: 100 EUR}, rolls over: {nights: all}", "unknown-counter", 9),
        (
            "rate: 1 EUR per 100 points",
            "reached: {spend: 5 EUR}, gives: tea",
            "cannot-be-explained",
            13,
        ),
        (
            "rate: 1 EUR per 100 points",
            "cost: 5 points, issued: on joining",
            "one-price",
            13,
        ),
        (
            "rewards",
            "prices:\n  less: {if: {items: at least 2 items}, off: 5 %}\nrewards",
            "cannot-be-explained",
            13,
        ),
        ("rewards", "prices:\n  less: {give: 5 points, off: 5 %}\nrewards", "unknown-key", 13),
        (
            "rewards",
            "offers:\n  base: {give: 5 points}\nrewards",
            "name-twice",
            13,
        ),
        (
            "rewards",
            "offers:\n  both: {give: 5 points, off: 5 %}\nrewards",
            "cannot-be-explained",
            13,
        ),
        (
            "rewards",
            "offers:\n  both: {on: base, multiply: 2 times, off: 5 %}\nrewards",
            "cannot-be-explained",
            13,
        ),
        (
            "rewards",
            "cycles:\n  month: {every: 1st of every month, least: 5 points}\nrewards",
            "makes-what",
            13,
        ),
        ("timezone", "existing: {levels: {gold: ruby}}\ntimezone", "unknown-level", 0),
        ("timezone", "existing: {grants: {spend: 5 gems}}\ntimezone", "unknown-unit", 0),
    ],
)
def test_a_mistake_is_named(before: str, after: str, code: str, line: int) -> None:
    assert before in GOOD
    found = faults(GOOD.replace(before, after, 1))
    assert (code, line) in found or (not line and code in dict(found)), found


def test_a_misspelt_key_is_suggested() -> None:
    with pytest.raises(ProgramError, match="Did you mean 'give'"):
        assemble([Version.of(1, 0, text.read(GOOD.replace("give", "gvie")))])


@pytest.mark.parametrize(
    ("money", "hint"),
    [
        ("money: EUX", "Did you mean 'EUR'?"),
        ("money: Euro", "Did you mean 'EUR'?"),
        ("money: QQQ", "Write for example EUR."),
        ("# no money", "'money' is missing"),
    ],
)
def test_money_that_is_none_is_told_once(money: str, hint: str) -> None:
    with pytest.raises(ProgramError) as told:
        assemble([Version.of(1, 0, text.read(GOOD.replace("money: EUR", money)))])
    (fault,) = [each for each in told.value.faults if each.code != "unknown-unit"]
    assert hint in fault.message
    if money.startswith("money"):
        assert len(told.value.faults) == 1


def test_every_fault_is_told_at_once() -> None:
    bad = GOOD.replace("EUR", "EUX").replace("give", "gvie").replace("expires", "expired")
    assert len(faults(bad)) >= 3
