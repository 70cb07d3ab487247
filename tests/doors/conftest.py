"""Fixtures for tests of doors."""

from pathlib import Path

import pytest

from tests.doors.command import Kantis

ROOT = Path(__file__).parents[2]

CAFE = """\
program: corner-cafe
money: EUR
timezone: Europe/Helsinki

balances:
  stamps: {expires: 12 months after earning}

counters:
  visits: {counts: purchases, window: calendar year}
  spent: {counts: spend, window: calendar year}

tiers:
  status:
    by: spent
    levels: {guest: from the start, friend: 50.00 EUR}
    lasts: to the end of the next calendar year

earning:
  coffee: {where: {category: coffee}, give: 1 stamp per item}
  own-cup: {where: {category: coffee, tag: own-cup}, give: 1 stamp per item}
  review: {for: review, give: 2 stamps}

rewards:
  free-drink: {cost: 10 stamps, gives: {voucher: free-drink}}

vouchers:
  free-drink: {good for: any coffee, worth: 3.50 EUR, valid: 6 months}
"""


@pytest.fixture
def kantis(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Kantis:
    """Runs commands; the books of a test are its own."""
    monkeypatch.delenv("KANTIS_STORE", raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    return Kantis(monkeypatch, capsys)


@pytest.fixture
def cafe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own, with the café's program in it."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "corner-cafe.yaml"
    path.write_text(CAFE)
    return path
