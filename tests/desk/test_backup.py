"""Backup and restore: consistent under load, whole or not at all, and proved."""

import os
import shutil
import threading
import time
from pathlib import Path

import apsw
import pytest

from kantis.desk.backup import Backup, backup, restore
from kantis.desk.verify import verify
from kantis.desk.whole import Hindrance, books_at, frozen
from kantis.store import copies
from kantis.store.books import Outage
from kantis.store.copies import DraftBooks, pour
from kantis.store.sqlite import SqliteBooks
from tests.desk.day import day
from tests.desk.shop import Shop, state


def quiet(what: str, done: int, total: int) -> None:
    """Tells nobody."""


@pytest.fixture(params=["sqlite", "postgres"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty store, on each kind in turn."""
    if request.param == "sqlite":
        return str(tmp_path / "restored.db")
    return str(request.getfixturevalue("pg_second_url"))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where a backup goes."""
    return tmp_path / "books.backup"


@pytest.fixture
def full(shop: Shop) -> Shop:
    """A shop with something in every table."""
    shop(*day(shop, 5, 150), importing=True)
    shop.desk.checkpoint()
    shop(*[shop.mug(f"mug{n}", f"{n}") for n in range(5)], shop.buy("lonely", ""))
    shop(shop.buy("early", "99"))
    shop.desk.settle()
    return shop


def test_what_was_backed_up_comes_back(full: Shop, file: Path, target: str) -> None:
    made = backup(full.url, file, quiet)
    counts = full.desk.books.counts()
    assert {name: made.count(name) for name in counts} == counts
    restored = restore(file, target, quiet, prove=True)
    assert restored.backup == made
    assert restored.report is not None
    assert restored.report.ok
    with books_at(target) as books:
        assert state(books) == full.state()
        assert books.checkpoints() == full.desk.books.checkpoints()
        assert not books.rows("SELECT 1 FROM account WHERE id < 0")


def test_restored_books_go_on(full: Shop, file: Path, target: str) -> None:
    """Counters stand behind what was taken in: new events, accounts and entries are taken."""
    backup(full.url, file, quiet)
    restore(file, target, quiet)
    with Shop(target) as other:
        answers = other(other.enrol("new"), other.buy("n1", "new"), other.buy("n2", "1"))
        assert [each.outcome for each in answers] == ["decided"] * 3
        (again,) = other(other.buy("lonely", ""))
        assert again.again
        other.desk.checkpoint()
        assert other.prove().checkpoints == 2


def test_a_backup_under_load_is_of_one_instant(shop: Shop, file: Path, tmp_path: Path) -> None:
    """A till and an import go on while backups are made; each holds all that was answered."""
    events = day(shop, 3, 4_000)
    shop(*events[:200], importing=True)
    answered: list[str] = []
    done = threading.Event()

    def load() -> None:
        batches = [events[at : at + 20] for at in range(200, len(events), 20)]
        for answers in shop.desk.stream(batches, importing=True):
            answered.extend(each.key for each in answers if each.outcome == "decided")
            if done.is_set():
                return

    writer = threading.Thread(target=load)
    writer.start()
    try:
        sizes = []
        for number in range(3):
            reached = len(answered)
            while len(answered) == reached and writer.is_alive():
                time.sleep(0.005)
            before = list(answered)
            path = tmp_path / f"{number}.backup"
            made = backup(shop.url, path, quiet)
            sizes.append(made.count("entry"))
            restored = restore(path, str(tmp_path / f"{number}.db"), quiet, prove=True)
            assert restored.report is not None
            assert restored.report.ok, restored.report.problems
            with books_at(str(path)) as books:
                assert {row.key for row in books.events(before)} == set(before)
        assert writer.is_alive(), "the load ended before the backups did"
        assert sizes[0] < sizes[-1]
    finally:
        done.set()
        writer.join()


def test_a_plain_copy_of_the_file_loses_what_was_answered(tmp_path: Path) -> None:
    """The twin: what ``cp`` takes of a file in use is not what was answered."""
    url = str(tmp_path / "books.db")
    with Shop(url) as shop:
        shop(*day(shop, 3, 200), importing=True)
        shutil.copy(url, tmp_path / "plain.db")
        with SqliteBooks(tmp_path / "plain.db", write=False) as copy:
            try:
                found = copy.counts()["entry"]
            except Outage:  # not even the tables have reached the file
                found = 0
        assert found < shop.desk.books.counts()["entry"]


NUMBERS = iter(range(1_000_000))


def writes_meanwhile(shop: Shop) -> copies.Progress:
    """Something is sold whenever the copy has got a bit further."""

    def tell(what: str, done: int, total: int) -> None:
        if what.startswith("copying"):
            name = f"meanwhile-{next(NUMBERS)}"
            shop(shop.buy(name, "1"), shop.enrol(name))

    return tell


def poured(shop: Shop, path: Path, *, freeze: bool) -> bool:
    """Whether books are right that were copied row by row, from one instant or from several."""
    with books_at(shop.url) as books:
        reader = books.reader()
        if freeze:
            reader.freeze()
        with reader, DraftBooks(path) as copy:
            copy.migrate()
            copy.begin()
            pour(reader, copy, writes_meanwhile(shop))
            copy.commit()
    with SqliteBooks(path, write=False) as made:
        return verify(made).ok


def test_a_copy_of_several_instants_is_found(full: Shop, tmp_path: Path) -> None:
    """The twin of the snapshot: without it, rows of different instants stand side by side."""
    assert poured(full, tmp_path / "one.db", freeze=True)
    assert not poured(full, tmp_path / "several.db", freeze=False)


def test_a_backup_while_it_is_written_to_in_between(full: Shop, file: Path, tmp_path: Path) -> None:
    made = backup(full.url, file, writes_meanwhile(full))
    assert full.desk.books.counts()["entry"] > made.count("entry")
    restored = restore(file, str(tmp_path / "r.db"), quiet, prove=True)
    assert restored.report is not None
    assert restored.report.ok


# ── whole or not at all ──────────────────────────────────────────────────────


def refused(file: Path, target: str, code: str) -> str:
    """What a restore says that is refused; afterwards the target is as empty as before."""
    with pytest.raises(Hindrance) as said:
        restore(file, target, quiet)
    assert said.value.code == code, said.value.message
    if target.startswith("postgresql:"):
        with books_at(target) as books:
            assert not books.schema_number() or copies.is_empty(books)
    else:
        assert not Path(target).exists()
    return said.value.message


def test_a_backup_replaces_nothing(full: Shop, file: Path) -> None:
    file.write_text("precious")
    with pytest.raises(Hindrance, match="replaces none"):
        backup(full.url, file, quiet)
    assert file.read_text() == "precious"


def test_a_backup_that_is_broken_off_leaves_nothing(full: Shop, file: Path) -> None:
    def stop(what: str, done: int, total: int) -> None:
        if what == "proving posting":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        backup(full.url, file, stop)
    assert not [each for each in os.listdir(file.parent) if "backup" in each]
    dead = file.with_name(f".{file.name}.{_dead()}.draft")
    dead.write_text("of a process that was killed")
    backup(full.url, file, quiet)
    assert not dead.exists()


def _dead() -> int:
    child = os.fork()
    if not child:
        os._exit(0)
    os.waitpid(child, 0)
    return child


def test_a_restore_that_is_broken_off_leaves_nothing(full: Shop, file: Path, target: str) -> None:
    backup(full.url, file, quiet)
    at = {"seen": 0}

    def stop(what: str, done: int, total: int) -> None:
        at["seen"] += what in ("copying pages", "copying posting")
        if at["seen"] and what == "proving posting":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        restore(file, target, stop)
    assert at["seen"]
    restored = restore(file, target, quiet, prove=True)
    assert restored.report is not None
    assert restored.report.ok


def test_a_store_with_rows_is_left_alone(full: Shop, file: Path, target: str) -> None:
    backup(full.url, file, quiet)
    with Shop(target) as other:
        other(other.enrol("1"))
        before = other.state()
    with pytest.raises(Hindrance) as said:
        restore(file, target, quiet)
    assert said.value.code == "not-empty"
    with books_at(target) as books:
        assert state(books) == before


@pytest.mark.parametrize(
    "bytes_", [b"", b"hello, I am a text", b"SQLite format 3\x00" + b"x" * 9000]
)
def test_a_foreign_file_is_refused(file: Path, target: str, bytes_: bytes) -> None:
    file.write_bytes(bytes_)
    refused(file, target, "not-a-backup")


def test_books_are_no_backup(tmp_path: Path, target: str) -> None:
    with Shop(str(tmp_path / "books.db")) as shop:
        shop(shop.enrol("1"))
    assert "kantis move" in refused(tmp_path / "books.db", target, "not-a-backup")


def test_a_backup_that_was_changed_is_refused(full: Shop, file: Path, target: str) -> None:
    backup(full.url, file, quiet)
    for change in (
        "UPDATE flag SET raised = raised + 1",
        "DELETE FROM flag",
        "UPDATE event SET note = 'x' WHERE n = 3",
        "UPDATE shared_limit SET taken = taken - 1",
    ):
        copy = file.with_name("changed.backup")
        shutil.copy(file, copy)
        with apsw.Connection(str(copy)) as db:
            db.execute(change)
            changed = db.changes()
        db.close()
        if changed:
            refused(copy, target, "broken-backup")
        copy.unlink()


def test_a_damaged_file_is_refused(full: Shop, file: Path, tmp_path: Path) -> None:
    """Each page of a backup is hit in turn: it is refused, or the books are all there."""
    backup(full.url, file, quiet)
    whole = file.read_bytes()
    hits = 0
    for page in range(0, len(whole), 4096):
        data = bytearray(whole)
        data[page + 600 : page + 900] = bytes(300)
        file.write_bytes(data)
        place = tmp_path / f"{page}.db"
        try:
            restored = restore(file, str(place), quiet, prove=True)
        except (Hindrance, Outage):
            hits += 1
            assert not place.exists()
        else:
            assert restored.report is not None
            assert restored.report.ok
    assert hits > 3
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(Hindrance):
        restore(file, str(tmp_path / "half.db"), quiet)
    assert not (tmp_path / "half.db").exists()


def test_a_backup_can_be_read_and_backed_up_like_books(full: Shop, file: Path) -> None:
    made = backup(full.url, file, quiet)
    assert isinstance(made, Backup)
    with books_at(str(file)) as books, frozen(books):
        assert verify(books).ok
    again = backup(str(file), file.with_name("again.backup"), quiet)
    assert again.seal == made.seal
