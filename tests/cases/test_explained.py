"""Every entry of every case of the house is explained in words that a member understands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kantis.desk.cases.file import read_cases
from kantis.desk.cases.run import _Run
from kantis.engine.explain import explain
from kantis.engine.program import assemble
from tests.house.sources import REPO

FILES = sorted((REPO / "programs/cases").rglob("*.yaml"))

#: Words of the books, or tables of terms of which a member wants the one line that counted.
UNREAD = re.compile(
    r" moved from |(^| )-[0-9]|account:|whole amount:|each part:|(^| )1 (items|points|times) |"
    r"worth 0(\.0+)? |, on 0\.00|less: 0 |segment .* is yes"
)


def said(path: Path) -> list[str]:
    """All sentences about all entries of the cases of a file."""
    file, found = read_cases(path), []
    for case in file.cases:
        run = _Run(file.version, assemble([file.version]))
        result = run.run(case)
        assert not result.failures, result
        for entries in run.told.values():
            for told in entries:
                found += map(str, explain(run.program, told.entry, told.event))
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_entry_is_told_in_plain_words(path: Path) -> None:
    sentences = said(path)
    assert sentences
    for each in sentences:
        assert each.endswith((".", "?", "]")), each
        refused = each.startswith("Refused: ")
        assert refused or not UNREAD.search(each), each


def test_the_words_are_those_of_the_part_that_counted() -> None:
    bonus = said(REPO / "programs/cases/s-ryhma-bonus.yaml")
    assert (
        "7.98 bonus for bonus: from 300.00 EUR: 2 %, on 399.00 EUR in the calendar month." in bonus
    )
    hotel = said(REPO / "programs/cases/hilton-honors.yaml")
    assert "2000 points for elite-bonus: 80 % (gold), on 250.00 USD." in hotel
    cafe = said(REPO / "programs/cases/costa-club.yaml")
    assert "8 beans stood behind the voucher, and are spent now." in cafe
