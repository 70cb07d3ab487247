"""What a marketing person writes by habit: each slip has its code, its place, and what to write."""

from __future__ import annotations

import pytest

from kantis.core.knobs import Fault, ProgramError
from kantis.desk import text
from kantis.engine.program import Version, assemble

GOOD = """\
program: shop
money: EUR
timezone: Europe/Helsinki
balances:
  points: {expires: 12 months after earning}
counters:
  spend: {counts: spend, window: calendar year}
tiers:
  status:
    by: spend
    levels: {basic: from the start, gold: 500.00 EUR}
earning:
  shopping: {give: 1 point per 1.00 EUR}
rewards:
  five: {cost: 100 points, gives: 5.00 EUR off}
"""
RATE, END = "1 point per 1.00 EUR", "rewards:"
XMAS = "  xmas: {on: shopping, multiply: 2 times, when: DAY}\nrewards:"
CAPPED = "1 point per 1.00 EUR, cap: "
STARS = "  points: {expires: 12 months after earning}\n  stars: {expires: never}"
CYCLE = (
    "cycles:\n  pay: {every: 1st of May, least: 9 stars, worth: 1.00 EUR per 1 star, voucher: v}\n"
    "vouchers:\n  v: {valid: 30 days}\nrewards:"
)


def faults(program: str) -> list[Fault]:
    try:
        assemble([Version.of(1, 0, text.read(program))])
    except ProgramError as error:
        return error.faults
    return []


def xmas(day: str) -> tuple[str, str]:
    return END, XMAS.replace("DAY", day)


def block(rate: str) -> tuple[str, str]:
    return "shopping: {give: 1 point per 1.00 EUR}", f"shopping:\n    give: {rate}"


#: (what is written, code, where the fault points to, what the message says to write)
SLIPS: list[tuple[tuple[str, str], str, str, str]] = [
    # a percentage as 5 and as 0.05
    ((RATE, "5"), "quantity-expected", "5}", "5 % for a share, 5 points, or 5 EUR"),
    ((RATE, "0.05"), "quantity-expected", "0.05", "Write a share as 5 %."),
    ((RATE, "5%"), "space-missing", "5%", "Write 5 %"),
    ((RATE, "5 percent"), "unknown-unit", "percent", "Write 5 %."),
    ((END, "  x: {on: shopping, add: 5}\nrewards:"), "percentage-expected", "5}", "Write 5 %."),
    ((END, "  x: {on: shopping, add: 0.05}\nrewards:"), "percentage-expected", "0.05", "5 %"),
    ((END, "  x: {on: shopping, multiply: 2}\nrewards:"), "factor-expected", "2}", "2 times"),
    ((END, "  x: {on: shopping, multiply: x2}\nrewards:"), "factor-expected", "x2", "2 times"),
    ((END, "prices:\n  x: {off: 10}\nrewards:"), "price-expected", "10}", "10 %, or 10 EUR per"),
    ((END, "prices:\n  x: {off: 0.10}\nrewards:"), "price-expected", "0.10", "Write 10 %"),
    # a date in local order
    (xmas("24.12.2026"), "date-expected", "24.12.2026", "write 2026-12-24."),
    (xmas("12/24/2026"), "date-expected", "12/24/2026", "write 2026-12-24."),
    (xmas("24-12-2026"), "date-expected", "24-12-2026", "write 2026-12-24."),
    (xmas("2026-24-12"), "date-expected", "2026-24-12", "write 2026-12-24."),
    (xmas("2026\u201312\u201324"), "date-expected", "2026", "write 2026-12-24."),
    (xmas("24 December 2026"), "date-expected", "24 Dec", "write 2026-12-24."),
    (
        xmas("03/04/2026"),
        "date-expected",
        "03/04",
        "2026-04-03 if the day stands first, 2026-03-04",
    ),
    (xmas("2026-12-24 to 31.12.2026"), "date-expected", "31.12.2026", "write 2026-12-31."),
    (xmas("2026-12-31 to 2026-12-24"), "dates-reversed", "2026-12-31", "ends before it begins"),
    (
        (RATE, "{before 24.12.2026: 1 point, from 24.12.2026: 2 points}"),
        "dates-expected",
        "before 24",
        "Write before 2026-12-24.",
    ),
    (
        (RATE, "{1.1.2026 - 31.1.2026: 1 point}"),
        "dates-expected",
        "1.1",
        "2026-01-01 to 2026-01-31",
    ),
    (
        (RATE, "{before 2026-02-01: 1 point, from 2026-01-01: 2 points}"),
        "versions-overlap",
        "from 2026-01-01",
        "End one before the other begins.",
    ),
    # a tier without a way to reach it
    (("by: spend\n    levels", "levels"), "unreachable-level", "levels", "say 'by'"),
    (("by: spend", "by: spending"), "unreachable-level", "levels", "Did you mean 'spend'?"),
    (("gold: 500.00 EUR", "gold: 500"), "unit-missing", "500", "Write 500 EUR."),
    (
        ("counts: spend", "counts: points"),
        "unit-does-not-fit",
        "500.00 EUR",
        "Write 500.00 points.",
    ),
    (("counts: spend", "counts: points, of: pts"), "unknown-rule", "of:", "Did you mean 'points'?"),
    (("gold: 500.00 EUR", "gold: 500.00 EUR, top: 90.00 EUR"), "levels-out-of-order", "levels", ""),
    # a reward nobody can afford
    ((RATE, f"{CAPPED}50 points ever"), "nobody-can-afford", "cost", "50 points at most"),
    ((RATE, f"{CAPPED}20 points per calendar year"), "nobody-can-afford", "cost", "60 points"),
    (("100 points", "100 stars"), "unknown-unit", "stars", "There is 'EUR', 'points', 'point'."),
    (("5.00 EUR off", "{voucher: cup}"), "unknown-voucher", "gives", "There is no voucher"),
    (
        (
            "cost: 100 points, gives: 5.00 EUR off",
            "rate: 1 EUR per 9 points, least: 9 points, most: 8 points",
        ),
        "nobody-can-afford",
        "least",
        "Turn them round.",
    ),
    # a cap below the smallest earn
    (
        (RATE, "50 points, cap: 20 points per calendar year"),
        "cap-below-earn",
        "cap",
        "Raise the cap",
    ),
    ((RATE, "1 point per 10.00 EUR, cap: 5.00 EUR per purchase"), "cap-below-earn", "cap", "Raise"),
    (
        (RATE, "9 points per 9.00 EUR, round: spend down to 9.00 EUR, cap: 5 points per purchase"),
        "cap-below-earn",
        "cap",
        "Raise the cap",
    ),
    ((RATE, f"{CAPPED}0 points per calendar year"), "nothing", "0 points", "Write more than that."),
    # points that expire before they can be used
    ((RATE, "1 point, available: after 400 days"), "expire-before-use", "available", "sooner"),
    (
        ("12 months after earning", "12 months"),
        "unknown-expiry",
        "12 months",
        "12 months after earn",
    ),
    # misspelt words, indentation, tabs
    (("expires", "expire"), "unknown-key", "expire", "Did you mean 'expires'?"),
    (("earning:", "Earning:"), "unknown-key", "Earning", "Did you mean 'earning'?"),
    (("  shopping: {", "shopping: {"), "value-missing", "earning", "two spaces further in"),
    (("  shopping", "\tshopping"), "tab", "\tshop", "Use spaces"),
    (("shopping: {", "shopping:\t{"), "tab", "\t{", "Use spaces"),
    (("  shopping", " \u00a0shopping"), "odd-space", "\u00a0", "Write ordinary spaces."),
    (("money: EUR", "money:EUR"), "space-missing", ":EUR", "A colon and a space"),
    (("money: EUR", "money\uff1a EUR"), "space-missing", "\uff1a", "A colon and a space"),
    (("{give: 1", "{give:1"), "space-missing", "give", "Write 'give: …'."),
    # smart quotes, commas, signs
    (("5.00 EUR off", "\u201c5.00 EUR off\u201d"), "curly-quote", "\u201c", 'Write " instead'),
    (("1.00 EUR", "1.00\u00a0EUR"), "odd-space", "1 point", "Write an ordinary one"),
    (("1.00 EUR", "1,00 EUR"), "comma-in-number", "00 EUR", "Write decimals with a point"),
    (("100 points", "1,000 points"), "comma-in-number", "000 points", "thousands without anything"),
    (block("1 point per 1,00 EUR"), "quantity-expected", "1,00 EUR", "Write 1.00 EUR."),
    (block("2,5 %"), "quantity-expected", "2,5 %", "Write 2.5 %."),
    (("100 points", "1 000 points"), "unknown-unit", "000 points", "Write 1000 points."),
    (("100 points", "1.000 points"), "too-many-decimals", "1.000", "Write 1000 points."),
    (("per 1.00 EUR", "per 1.00 €"), "unknown-unit", "€", "Write 1.00 EUR."),
    (("per 1.00 EUR", "per €1.00"), "quantity-expected", "€1.00", "Write 1.00 EUR."),
    (("per 1.00 EUR", "per EUR 1"), "quantity-expected", "EUR 1", "Write 1 EUR."),
    (("per 1.00 EUR", "per 1 euro"), "unknown-unit", "euro", "Write 1 EUR."),
    (("gives: 5.00 EUR off", "gives: 5 € off"), "unknown-unit", "€", "Write 5 EUR."),
    (("gives: 5.00 EUR off", "gives: €5 off"), "quantity-expected", "€5", "Write 5 EUR."),
    (("money: EUR", "money: €"), "unknown-currency", "€", "Did you mean 'EUR'?"),
    (("money: EUR", "money: $"), "unknown-currency", "$", "Did you mean 'USD'?"),
]


def test_the_good_one_is_good() -> None:
    assert faults(GOOD) == []


@pytest.mark.parametrize(("slip", "code", "where", "says"), SLIPS, ids=lambda each: str(each)[:40])
def test_a_slip_is_told_with_what_to_write(
    slip: tuple[str, str], code: str, where: str, says: str
) -> None:
    before, after = slip
    assert before in GOOD
    written = GOOD.replace(before, after, 1)
    found = faults(written)
    first = next((each for each in found if each.code == code), None)
    assert first is not None, found
    line = written.split("\n")[first.line - 1]
    assert line[first.column - 1 :].startswith(where), (first, line)
    assert says in first.message, first.message
    assert first.message.endswith((".", "?"))


def test_points_that_only_a_cycle_takes_live_until_it_comes() -> None:
    paid = GOOD.replace("  points: {expires: 12 months after earning}", STARS)
    paid = paid.replace(RATE, "1 star per 1.00 EUR").replace(
        "  five: {cost: 100 points", "  five: {cost: 10 stars"
    )
    assert faults(paid) == []
    cycle = GOOD.replace("  points: {expires: 12 months after earning}", "  stars: {expires: LIFE}")
    cycle = cycle.replace(RATE, "1 star per 1.00 EUR").replace(END, CYCLE)
    cycle = cycle[: cycle.index(END)]
    assert faults(cycle.replace("LIFE", "12 months after earning")) == []
    (fault,) = faults(cycle.replace("LIFE", "90 days after earning"))
    assert (fault.code, fault.path) == ("expire-before-use", "cycles > pay > every")
    (fault,) = faults(cycle.replace("LIFE", "never").replace("1 star per 1.00 EUR", "1 litre"))
    assert fault.code == "unknown-unit"


def test_a_reward_in_points_that_nothing_gives_is_refused_whatever_the_dates() -> None:
    bad = GOOD.replace("  points: {expires: 12 months after earning}", STARS)
    bad = bad.replace("five: {cost: 100 points", "five: {cost: 100 stars")
    (fault,) = faults(bad)
    assert (fault.code, fault.line) == ("nobody-can-afford", 16)
    was = bad.replace(
        "shopping: {give", "shopping: {give: 2 points}\n  old: {before 2024-01-01: {give"
    )
    was = was.replace("1 point per 1.00 EUR}", "1 star per 1.00 EUR}}")
    assert faults(was) == [], "what was given once can still be spent"


def test_a_cap_that_others_share_says_nothing_of_one_rule() -> None:
    shared = GOOD.replace("earning:", "caps:\n  both: {at most: 50 points ever}\nearning:")
    assert faults(shared.replace(RATE, f"{CAPPED}both")) == []
