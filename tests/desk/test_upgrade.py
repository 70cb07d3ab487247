"""Migrate: older tables are brought to the newest schema, after a backup, whole or not at all."""

import os
from pathlib import Path

import pytest

import kantis.desk
from kantis.desk.backup import backup, restore
from kantis.desk.upgrade import upgrade
from kantis.desk.whole import Hindrance, books_at
from kantis.store import schema
from kantis.store.books import Outage
from kantis.store.schema import Step
from tests.desk.day import day
from tests.desk.shop import Shop, state
from tests.desk.test_backup import quiet

SECOND = Step(
    101, "flags say who looked", "ALTER TABLE flag ADD COLUMN who TEXT",
    "ALTER TABLE flag ADD COLUMN who text",
)  # fmt: skip
THIRD = Step(
    102,
    "a table of stalls",
    "CREATE TABLE stall (id INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT",
    'CREATE TABLE stall (id bigint PRIMARY KEY, name text COLLATE "C" NOT NULL)',
)
BROKEN = Step(102, "cannot be", "SELECT 1 FROM nowhere", "SELECT 1 FROM nowhere")


@pytest.fixture
def older(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Books that were made before two steps were added."""
    monkeypatch.chdir(tmp_path)
    with Shop(url) as shop:
        shop(*day(shop, 5, 60), importing=True)
        shop(shop.buy("early", "99"))
    monkeypatch.setattr(schema, "STEPS", [*schema.STEPS, SECOND, THIRD])
    return url


def test_older_tables_get_the_steps_that_are_missing(older: str) -> None:
    with books_at(older) as books:
        before, first = state(books), books.schema_number()
    done = upgrade(older, None, quiet)
    assert (done.before, done.after) == (first, 102)
    assert done.steps == ["flags say who looked", "a table of stalls"]
    with books_at(older) as books:
        assert state(books) == before
        assert books.layout()["stall"].columns == ("id", "name")
        numbers = [number for (number,) in books.rows("SELECT number FROM migration ORDER BY 1")]
        assert numbers == [*range(1, first + 1), 101, 102]
    with Shop(older) as shop:
        shop(shop.buy("after", "1"))
        shop.prove()
    again = upgrade(older, None, quiet)
    assert (again.before, again.steps, again.file) == (102, [], "")


def test_the_backup_before_it_is_what_was_there(older: str, tmp_path: Path) -> None:
    with books_at(older) as books:
        before = state(books)
    done = upgrade(older, None, quiet)
    assert done.backup is not None
    assert Path(done.file).parent == tmp_path
    assert done.backup.schema == done.before
    # Restored by this version, it comes with the newest tables; nothing else is another.
    restored = restore(Path(done.file), str(tmp_path / "again.db"), quiet, prove=True)
    assert restored.report is not None
    assert restored.report.ok
    with books_at(str(tmp_path / "again.db")) as books:
        assert (books.schema_number(), state(books)) == (102, before)


def test_an_older_backup_is_restored_to_postgres(
    older: str, tmp_path: Path, pg_second_url: str
) -> None:
    backup(older, tmp_path / "old.backup", quiet)
    restored = restore(tmp_path / "old.backup", pg_second_url, quiet, prove=True)
    assert restored.report is not None
    assert restored.report.ok
    with books_at(pg_second_url) as books:
        assert books.layout()["stall"].columns == ("id", "name")


def test_older_tables_are_not_opened(older: str) -> None:
    with pytest.raises(Outage, match="Run: kantis migrate"):
        kantis.desk.open(older)


def test_newer_tables_are_refused(older: str, monkeypatch: pytest.MonkeyPatch) -> None:
    upgrade(older, None, quiet)
    monkeypatch.setattr(schema, "STEPS", schema.STEPS[:-1])
    with pytest.raises(Hindrance) as said:
        upgrade(older, None, quiet)
    assert said.value.code == "other-schema"
    with pytest.raises(Outage, match="Install the newer version"):
        kantis.desk.open(older)


def test_a_step_that_fails_leaves_nothing_and_the_rest_follows(
    older: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = schema.STEPS
    monkeypatch.setattr(schema, "STEPS", [*steps[:-1], BROKEN])
    with pytest.raises(Exception, match="nowhere"):
        upgrade(older, None, quiet)
    with books_at(older) as books:
        assert books.schema_number() == 101
    monkeypatch.setattr(schema, "STEPS", steps)
    assert upgrade(older, None, quiet).steps == ["a table of stalls"]


@pytest.mark.parametrize("at", ["backup", "second", "third"])
def test_a_kill_in_the_middle_is_taken_up(older: str, at: str, tmp_path: Path) -> None:
    """The process dies in the backup, or inside the transaction of a step."""
    child = os.fork()
    if not child:
        try:
            _die_at(older, at)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WEXITSTATUS(status) == 77
    with books_at(older) as books:
        number = books.schema_number()
        assert (number == 101) == (at == "third")
        assert not books.rows("SELECT 1 FROM migration WHERE number = 102")
        assert "stall" not in books.layout()
        before = state(books)
    assert upgrade(older, None, quiet).after == 102
    with books_at(older) as books:
        assert state(books) == before
        assert "stall" in books.layout()


def _die_at(url: str, at: str) -> None:
    """In a process of its own: upgrade, and die without a word."""

    def tell(what: str, done: int, total: int) -> None:
        if at == "backup" and what == "proving posting":
            os._exit(77)

    number = {"second": 101, "third": 102}.get(at)
    with books_at(url) as books:
        kind = type(books)
    take = kind.take_step

    def step(self: object, asked: Step) -> None:
        take(self, asked)  # type: ignore[arg-type]
        if asked.number == number:
            os._exit(77)

    kind.take_step = step  # type: ignore[method-assign, assignment]
    upgrade(url, None, tell)


def test_nobody_writes_while_a_file_is_migrated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = str(tmp_path / "books.db")
    with Shop(url):
        monkeypatch.setattr(schema, "STEPS", [*schema.STEPS, SECOND])
        with pytest.raises(Hindrance) as said:
            upgrade(url, None, quiet)
        assert said.value.code == "in-use"


def test_steps_are_numbered_without_a_gap() -> None:
    assert [step.number for step in schema.STEPS] == list(range(1, len(schema.STEPS) + 1))
    assert set(schema.tables()) >= {"account", "entry", "posting", "event", "checkpoint"}


def test_both_stores_have_the_same_tables_and_columns(tmp_path: Path, pg_url: str) -> None:
    """So that a copy, a move and their proof can forget none of them."""
    found = []
    for url in (str(tmp_path / "books.db"), pg_url):
        with Shop(url) as shop:
            layout = shop.desk.books.layout()
            found.append({name: table.columns for name, table in layout.items()})
            assert set(layout) == set(schema.tables())
            tables = _everything(shop)
            assert tables - {"migration", "moved"} == set(layout)
    assert found[0] == found[1]


def _everything(shop: Shop) -> set[str]:
    books = shop.desk.books
    if books.lock:
        asked = "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'"
    else:
        asked = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    return {name for (name,) in books.rows(asked)}
