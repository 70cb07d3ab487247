"""Whoever writes a page seals it, and the rows are the same."""

from pathlib import Path
from typing import Any

import pytest

from kantis.store import scribe
from kantis.store.chain import EMPTY, event_hash
from kantis.store.rows import Page
from kantis.store.scribe import OwnBooks
from kantis.store.sealing import seal
from kantis.store.sqlite import SqliteBooks

ACCOUNTS = range(1, 5)


def page(seq: int, head: bytes | None) -> Page:
    """Each account gets an entry for an event of this page."""
    purse = {"points": [10 * seq, 0, 0, 0, 0, 0]}
    postings = [("points", 6, 0, 10, 1, "earning"), ("owed by a partner", 6, 9, 1, 0, "partner")]
    said = (1, "purchase", 5, 6, "card:ä", 0, 0, 0)
    return Page(
        stamp=(1, "2026a"),
        unsealed=[
            (f"till/{n}-{seq}", *said, n, seq, None, None, None, b"b") for n in ACCOUNTS
        ],
        ledgers=[
            (n, 1 if seq == 1 else None, head, seq, None, b"snapshot", purse, [
                (seq, f"till/{n}-{seq}", 7, 8, 5, 9, 1, "", None, b"decision", b"", postings),
            ])
            for n in ACCOUNTS
        ],
    )  # fmt: skip


def write(books: SqliteBooks, *pages: Page) -> None:
    for each in pages:
        books.begin()
        books.write(each)
        books.commit()


def content(path: Path) -> list[Any]:
    with SqliteBooks(path, write=False) as books:
        names = ("event", "entry", "posting", "account", "balance")
        return [books.rows(f"SELECT * FROM {name}") for name in names]


@pytest.fixture
def whole(tmp_path: Path) -> list[Any]:
    """What books hold whose writer got every chain value."""
    path = tmp_path / "whole.db"
    with SqliteBooks(path, alone=True) as books:
        books.migrate()
        write(books, page(1, EMPTY))
        for seq in (2, 3, 4):
            made = page(seq, EMPTY)
            made.ledgers = [(n, p, books.sealed[n], *rest) for n, p, _, *rest in made.ledgers]
            write(books, made)
    return content(path)


@pytest.mark.parametrize("remembers", [scribe._HEADS_MAX, 0])
def test_chain_values_that_are_left_out_are_known_to_the_writer(
    whole: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, remembers: int
) -> None:
    """From its memory, from the books when that is full, and after another one took over."""
    monkeypatch.setattr(scribe, "_HEADS_MAX", remembers)
    path = tmp_path / "books.db"
    with OwnBooks(str(path)) as books:
        books.migrate()
        write(books, page(1, EMPTY), page(2, None), page(3, None))
    with OwnBooks(str(path)) as books:
        write(books, page(4, None))
    assert content(path) == whole


def test_what_was_not_committed_is_not_remembered(whole: list[Any], tmp_path: Path) -> None:
    path = tmp_path / "books.db"
    with OwnBooks(str(path)) as books:
        books.migrate()
        write(books, page(1, EMPTY), page(2, None))
        books.begin()
        other = page(3, None)
        other.ledgers = [
            (*ledger[:5], b"another snapshot", *ledger[6:]) for ledger in other.ledgers
        ]
        other.stamp = (2, "2026a")
        books.write(other)
        books.rollback()
        write(books, page(3, None), page(4, None))
    assert content(path) == whole


def test_a_page_is_sealed_once() -> None:
    made = page(1, EMPTY)
    first = seal(made, {})
    assert set(first) == set(ACCOUNTS)
    assert seal(made, {}) == {}
    assert len(made.events) == len(made.entries) == len(ACCOUNTS)
    assert made.events[0][-1] == event_hash(1, "till/1-1", 5, 6, "card:ä", 0, b"b")
    assert made.entries[0][12] == made.events[0][-1]
    assert [row[1] for row in made.balances] == ["points"] * len(ACCOUNTS)
