"""Plans, entitlements and forfeiture that nobody could explain are refused, with their place."""

import pytest

from kantis.core.knobs import ProgramError
from kantis.desk import text
from kantis.engine.program import Version, assemble

GOOD = """\
program: club
money: USD
timezone: America/New_York
balances:
  points: {expires: never}
  miles: {expires: never}
plans:
  plain: {fee: [5.00 USD per month, 50.00 USD per year], trial: 30 days}
  extra: {above: plain, fee: [9.00 USD per month, 90.00 USD per year], upgrade: prorated}
  alone: {fee: 2.00 USD per month, refund: full if no benefit was used, grace: 3 days}
vouchers:
  treat: {good for: a treat}
earning:
  base: {give: 1 point per 1.00 USD, available: when confirmed}
  fly: {give: 1 mile per 1.00 USD}
entitlements:
  lounge: {who: {plan: alone}, good for: the lounge, cap: 1 time per calendar month}
forfeiture:
  missed: {of: points, reinstated within: 12 months, reinstated for: 35.00 USD}
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
        ("5.00 USD per month", "5.00 USD a month", "fee-expected", 8),
        ("5.00 USD per month", "5 points per month", "money-expected", 8),
        ("5.00 USD per month", "5.00 USD per 0 months", "per-nothing", 8),
        ("5.00 USD per month", "5.00 USD per year", "fees-differ", 8),
        ("above: plain", "above: plane", "unknown-plan", 9),
        ("trial: 30 days}", "above: extra}", "plans-in-a-circle", 8),
        ("9.00 USD per month, 90.00", "4.00 USD per month, 90.00", "plans-out-of-order", 9),
        ("[9.00 USD per month, 90.00 USD per year]", "90.00 USD per year", "fees-differ", 9),
        ("trial: 30 days", "upgrade: prorated", "no-effect", 8),
        ("trial: 30 days", "cancelled trial: stops at once", "no-effect", 8),
        ("trial: 30 days", "renewal fee: 5.00 USD per month", "fees-differ", 8),
        ("trial: 30 days", "grace: 20 days", "cannot-be-explained", 8),
        ("trial: 30 days", "pay within: 2 months", "cannot-be-explained", 8),
        ("trial: 30 days", "trial: 30 hours", "too-short", 8),
        ("trial: 30 days", "trial: 0 days", "no-effect", 8),
        ("trial: 30 days", "refund: half", "unknown-refund", 8),
        ("trial: 30 days", "refund: full if no benefit was used", "cannot-be-explained", 8),
        ("trial: 30 days", "bonus: treet per month", "unknown-voucher", 8),
        ("trial: 30 days", "bonus: 5.00 USD per month", "unknown-balance", 8),
        ("trial: 30 days", "bonus: treat", "bonus-expected", 8),
        ("who: {plan: alone}", "who: {plan: aline}", "unknown-plan", 17),
        ("who: {plan: alone}", "who: {no plan: none}", "unknown-plan", 17),
        ("cap: 1 time per calendar month", "cap: 1 time per purchase", "cap-does-not-fit", 17),
        ("cap: 1 time per calendar month", "cap: 9 points ever", "cap-does-not-fit", 17),
        (
            "good for: the",
            "if: {spend: at least 5.00 USD}, good for: the",
            "cannot-be-explained",
            17,
        ),
        ("good for: the lounge, ", "", "missing-key", 17),
        ("of: points", "of: pints", "unknown-balance", 19),
        ("of: points", "of: miles", "no-effect", 19),
        ("of: points", "of: [points, points]", "name-twice", 19),
        ("reinstated within: 12 months, ", "", "missing-key", 19),
        ("reinstated for: 35.00 USD}", "reinstated for: 35 points}", "money-expected", 19),
    ],
)
def test_what_may_not_be_said(before: str, after: str, code: str, line: int) -> None:
    assert before in GOOD
    assert (code, line) in faults(GOOD.replace(before, after, 1))
