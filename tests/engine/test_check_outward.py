"""Bad programs with partners and payouts: each mistake has a code, a place and what to do."""

import pytest

from kantis.core.knobs import ProgramError
from kantis.desk import text
from kantis.engine.program import Version, assemble

GOOD = """\
program: shop
money: EUR
timezone: Europe/Tallinn
measures: [litres]
balances: {points: {}, cash: {decimals: 2}, cause: {decimals: 2}}
counters: {share: {for: paid-in, window: ever}, month: {window: calendar month}}
choices: {charity: {options: [sea, forest]}, most: {amount: 1000 points}}
earning:
  shopping: {give: the partner's rate}
  month:
    over: calendar month
    by the total of: month
    give: {whole amount: {from 50 EUR: 1 % in cash}}
  tasting: {for: tasting, give: 10 points, funded by: {dairy: 60 %, mill: 40 %}}
partners:
  dairy: {give: 1 point per 1 EUR, issuing: 0.005 EUR per 1 point}
  mill: {issuing: 0.005 EUR per 1 point}
  airline: {takes: 250 miles per 400 points, sends: 400 points per 250 miles}
payouts:
  account: {share capital first: until 100 EUR, paid in: share}
  gift: {charity: chosen charity, matched by: {mill: 1 times}, part: 50 %}
  cause: {gives away: cause, charity: chosen charity}
rewards:
  bank: {rate: 0.01 EUR per 1 point, gives: {payout: account}}
vouchers: {five: {at: dairy, at partners: {mill: 2 times}, makes: code}, code: {valid: 6 months}}
cycles:
  pay: {every: 1st of every month, least: 1 cash, pays out: account}
  fly: {every: Monday, least: 400 points, exchanges: airline}
  give:
    every: 1st of every month
    least: 1 points
    worth: 1 EUR per 1 point
    pays out: gift
    up to: chosen most
"""


def faults(program: str) -> list[str]:
    """The codes of everything that is wrong with a program's text."""
    try:
        assemble([Version.of(1, 0, text.read(program))])
    except ProgramError as error:
        for fault in error.faults:
            assert fault.message.endswith((".", "?")), fault
            assert fault.line, fault
        return [fault.code for fault in error.faults]
    return []


def test_the_good_one_is_good() -> None:
    assert faults(GOOD) == []


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        ("{dairy: 60 %, mill: 40 %}", "{dairy: 60 %, mill: 41 %}", "more-than-all"),
        ("{dairy: 60 %, mill: 40 %}", "{diary: 60 %}", "unknown-partner"),
        ("{dairy: 60 %, mill: 40 %}", "airline", "price-missing"),
        ("{dairy: 60 %, mill: 40 %}", "{dairy: 33.3333333 %}", "price-not-exact"),
        ("give: 10 points, funded", "give: 1 cash, funded", "price-missing"),
        ("give: 1 point per 1 EUR, ", "", "no-rate"),
        ("give: 1 point per 1 EUR, ", "give: the partner's rate, ", "rate-expected"),
        ("mill: {issuing: 0.005 EUR per 1 point}", "mill: {issuing: a lot}", "price-expected"),
        ("mill: {issuing: 0.005 EUR per 1", "mill: {issuing: 1 EUR per 3", "price-not-exact"),
        ("takes: 250 miles per 400 points", "takes: 250 miles per 4 EUR", "unknown-balance"),
        ("takes: 250 miles", "takes: many miles", "units-expected"),
        ("sends: 400", "bonus: 5 eggs for 400 points at once, sends: 400", "no-effect"),
        ("airline: {takes", "points: {takes", "name-twice"),
        ("options: [sea, forest]", "options: [sea, mill]", "name-twice"),
        ("{options: [sea, forest]}", "{changes: 1}", "nothing-to-choose"),
        ("until 100 EUR, paid in: share", "until 100 EUR", "share-incomplete"),
        ("paid in: share", "paid in: month", "unknown-counter"),
        ("charity: chosen charity, matched", "charity: chosen cherry, matched", "unknown-choice"),
        ("{charity: chosen charity, matched by", "{matched by", "no-effect"),
        ("matched by: {mill", "matched by: {moll", "unknown-partner"),
        ("gives away: cause", "gives away: causes", "unknown-balance"),
        ("gives away: cause,", "gives away: cause, voucher: five,", "cannot-be-explained"),
        ("gives away: cause,", "gives away: cause, part: 5 %,", "cannot-be-explained"),
        ("{payout: account}", "{payout: accounts}", "unknown-payout"),
        ("rate: 0.01 EUR per 1 point", "cost: 5 points", "cannot-be-explained"),
        ("pays out: account", "pays out: accounts", "unknown-payout"),
        ("exchanges: airline", "exchanges: mill", "no-exchange"),
        ("least: 400 points, exchanges", "least: 4 cash, exchanges", "no-exchange"),
        ("exchanges: airline", "exchanges: airline, voucher: five", "makes-what"),
        ("up to: chosen most", "up to: chosen must", "unknown-choice"),
        ("at: dairy", "at: diary", "unknown-partner"),
        ("makes: code", "makes: cod", "unknown-voucher"),
        ("by the total of: month", "by the total of: moth", "unknown-counter"),
        ("by the total of: month", "by the total of: share", "cannot-be-explained"),
        ("1 % in cash", "1 cash per 1 litre", ""),
        (
            "by the total of: month\n    give: {whole amount: {from 50 EUR: 1 % in cash}}",
            "give: {whole amount: {from 50 EUR: 1 cash per 1 litre}}",
            "bands-differ",
        ),
    ],
)
def test_a_mistake_is_named(before: str, after: str, code: str) -> None:
    assert before in GOOD
    found = faults(GOOD.replace(before, after, 1))
    assert code in found if code else found == []
