"""What only SQLite promises."""

import sqlite3
from pathlib import Path

import apsw
import pytest

from kantis.store.books import Outage
from kantis.store.rows import Page
from kantis.store.sqlite import SqliteBooks, check_library


@pytest.mark.parametrize("sound", ["3.51.3", "3.54.1", "4.0.0", "3.50.7", "3.50.9", "3.44.6"])
def test_a_sound_library_is_used(sound: str) -> None:
    check_library(sound)


@pytest.mark.parametrize("broken", ["3.51.2", "3.50.6", "3.44.5", "3.45.9", "3.40.1", "3.7.0"])
def test_a_library_with_the_wal_reset_bug_is_refused(broken: str) -> None:
    with pytest.raises(Outage, match="WAL-reset bug"):
        check_library(broken)


def test_the_books_are_opened_with_the_sound_library_and_sync_every_commit(tmp_path: Path) -> None:
    check_library(apsw.sqlite_lib_version())
    with SqliteBooks(tmp_path / "books.db") as books:
        assert books.one("PRAGMA journal_mode") == "wal"
        assert books.one("PRAGMA synchronous") == 2


def test_a_database_of_something_else_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    with sqlite3.connect(path) as notes:
        notes.execute("CREATE TABLE note (text)")
    notes.close()
    with SqliteBooks(path) as books, pytest.raises(Outage, match="something else"):
        books.migrate()


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "books.db"
    path.write_text("Dear diary, " * 100)
    with pytest.raises(Outage, match="cannot be opened"):
        SqliteBooks(path)


def test_the_log_is_brought_in_between_batches(tmp_path: Path) -> None:
    with SqliteBooks(tmp_path / "books.db") as books:
        books.migrate()
        for _ in range(3):
            books.begin()
            books.execute("CREATE TABLE filler (data BLOB)")
            for _ in range(25):
                books.execute("INSERT INTO filler VALUES (zeroblob(4000000))")
            books.commit()
            books.tidy()
            books.execute("DROP TABLE filler")
        log = tmp_path / "books.db-wal"
        assert log.stat().st_size < 250_000_000


def test_no_statement_of_a_batch_reads_a_whole_table(tmp_path: Path) -> None:
    with SqliteBooks(tmp_path / "books.db") as books:
        books.migrate()
        said: list[str] = []

        def listen(cursor: apsw.Cursor, statement: str, values: object) -> bool:
            said.append(statement)
            return True

        books._db.exec_trace = listen
        books.ready(5)
        books.waiting(2, 5)
        books.cards([(1, "x")])
        books.events(["a/b"])
        books.entries([(1, 1)])
        books.undoing([(1, "a/b")])
        books.accounts([1])
        books.receipts([(1, "r")])
        books.limits([(1, "mug")], lock=True)
        books.due(1, 1)
        books.execute("INSERT INTO event VALUES (1,'a',1,'',1,1,'',0,0,2,NULL,NULL,"
                      "zeroblob(16),NULL,'w',NULL,NULL)")  # fmt: skip
        books.arrive(Page(arrived=["w"]))
        books._db.exec_trace = None
        assert len(said) > 12
        for statement in said:
            values = (None,) * statement.count("?")
            plan = books.rows(f"EXPLAIN QUERY PLAN {statement}", values)
            reads = [row[3] for row in plan if row[3].startswith("SCAN")]
            assert all(read.startswith(("SCAN j", "SCAN CONST", "SCAN one")) for read in reads), (
                plan
            )
