"""Printed cards: numbers that are nobody's, live once they are given, and are blocked together."""

from collections.abc import Iterator
from itertools import pairwise

import pytest

from kantis.core.events import Enrol, Event, Line, Purchase
from kantis.core.knobs import ProgramError, plain
from kantis.desk import printing, text
from kantis.desk.audit import By
from kantis.desk.programs import Engine
from kantis.desk.vault import cards
from kantis.store import hands
from kantis.store import printing as rows
from kantis.store.printing import BatchRow
from tests.desk.shop import Shop
from tests.desk.test_goodwill import TERMS

BY = By("maija", "Maija")


@pytest.fixture
def club(url: str) -> Iterator[Shop]:
    with Shop(url, Engine(), plain(text.read(TERMS))) as shop:
        yield shop
        shop.prove()


def batch(shop: Shop, size: int = 5) -> tuple[BatchRow, list[str]]:
    number = printing.make(shop.desk, 1, "first", size, BY)
    row = rows.batch(shop.desk.books, number)
    assert row is not None
    return row, [each.token for each in rows.cards(shop.desk.books, number, "", size)]


def tried(shop: Shop, id: str, card: str, body: Enrol | Purchase, *, ask: bool = True) -> str:
    """What became of an event with a card: the code of a refusal, or the outcome."""
    event = Event("till", id, shop.now, f"card:{card}", body, 0, ask)
    (result,) = shop.desk.submit([event], program="p")
    return result.refusal.code if result.refusal is not None else result.outcome


def test_numbers_are_of_the_program_and_not_in_a_row(club: Shop) -> None:
    row, tokens = batch(club, 300)
    assert len(set(tokens)) == row.size == 300
    assert all(cards.valid(each) and each.startswith("901") for each in tokens)
    gaps = [int(b) - int(a) for a, b in pairwise(tokens)]
    assert min(gaps) > 10
    assert len(set(gaps)) == len(gaps)


def test_a_number_is_printed_once_and_is_no_card_that_is_there(
    club: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, first = batch(club, 3)
    free = [cards.number(1, bytes([n])) for n in range(4)]
    club(club.enrol(free[0]))
    drawn = iter([first[0], free[0], free[1], first[1], free[2], free[3]] * 9)
    monkeypatch.setattr(printing, "number", lambda program, secret: next(drawn))
    _, second = batch(club, 3)
    assert not set(second) & {*first, free[0]}
    # the twin: a batch that does not look prints what somebody has
    monkeypatch.setattr(rows, "printed", lambda books, program, tokens: set())
    with pytest.raises(Exception, match=r"(?i)unique"):
        batch(club, 3)


def test_a_card_lives_once_it_is_given(club: Shop) -> None:
    row, tokens = batch(club)
    bought = Purchase((Line("1", "x", 1, 900),))
    assert tried(club, "1", tokens[0], bought, ask=False) == "parked"
    assert rows.batches(club.desk.books, 1) == [(row, 0)]
    assert tried(club, "2", tokens[0], Enrol()) == "decided"
    assert rows.batches(club.desk.books, 1) == [(row, 1)]
    club.desk.settle()
    assert tried(club, "1", tokens[0], bought, ask=False) == "decided"  # it had waited


def test_a_batch_is_blocked_as_a_whole(club: Shop) -> None:
    row, tokens = batch(club)
    other, spared = batch(club)
    assert tried(club, "1", tokens[0], Enrol()) == "decided"
    assert printing.block(club.desk, row, BY) == 5
    assert printing.block(club.desk, row, BY) == 0
    assert tried(club, "2", tokens[0], Purchase((Line("1", "x", 1, 900),))) == "card-blocked"
    assert tried(club, "3", tokens[1], Enrol()) == "card-blocked"
    assert tried(club, "4", spared[0], Enrol()) == "decided"
    found = {each.number: each.blocked for each, _ in rows.batches(club.desk.books, 1)}
    assert found == {row.number: club.now, other.number: None}
    said = [each.deed for each in hands.audit(club.desk.books, 1 << 60, 9) if each.deed == "cards"]
    assert len(said) == 3


@pytest.mark.parametrize(("name", "size"), [("", 1), ("x" * 61, 1), ("x", 0), ("x", 10_001)])
def test_what_no_batch_can_be(club: Shop, name: str, size: int) -> None:
    with pytest.raises(ProgramError):
        printing.make(club.desk, 1, name, size, BY)
