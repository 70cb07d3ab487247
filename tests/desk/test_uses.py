"""When a key was used last is in the books, and only ever moves on."""

from pathlib import Path

import kantis.desk
from kantis.desk import keys
from kantis.store.uses import uses
from tests.doors.service.server import begin, served


def test_the_last_use_only_moves_on(tmp_path: Path) -> None:
    with kantis.desk.open(str(tmp_path / "books.db")) as desk:
        for used in ({"a": (5, "x"), "b": (7, "")}, {"a": (9, "y")}, {"a": (3, "z")}):
            desk.chore("note_uses", used)
        assert uses(desk.books) == {"a": (9, "y"), "b": (7, "")}


def test_a_key_that_called_says_so(tmp_path: Path) -> None:
    store = str(tmp_path / "books.db")
    made = begin(store, "club")
    with served(store) as server:
        with server.client(made["club/till"]) as client:
            assert client.get("/v1/accounts/card:1").status_code == 404
        assert server.end()[0] == 0
    with kantis.desk.open(store) as desk:
        used = {each.source: (each.used, each.used_from) for each in keys.shown(desk.books)}
    assert used["club-till"][0]
    assert used["club-till"][1] == "127.0.0.0/24"
    assert used["club-shop"] == (None, "")
