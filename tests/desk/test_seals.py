"""Seals: no copy of the books has a secret of a webhook or a shop; its key only opens it."""

from pathlib import Path
from secrets import token_hex
from types import SimpleNamespace

import pytest

import kantis.desk
from kantis.desk import backup, doctor, hooks, shops
from kantis.desk.submit import Desk
from kantis.desk.vault.keyfile import FolderKeys, Locked
from kantis.desk.vault.opening import folder_of, open_seals, open_vault
from kantis.desk.vault.rotating import rotate
from kantis.desk.vault.seals import Seals, webhook
from kantis.store.sealed import sealed
from tests.doors.service.server import begin

SIGNING, TOKEN = "planted-signing-canary", "planted-token-canary"
HOOK = b"planted-webhook-canary-32-bytes!"


def quiet(what: str, done: int, of: int) -> None:
    """Nobody is told how far it is."""


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Books in which nothing was sealed yet; the next secrets of webhooks are known."""
    made = SimpleNamespace(token_hex=token_hex, token_bytes=lambda _: HOOK)
    monkeypatch.setattr(hooks, "secrets", made)
    begin(str(tmp_path / "books.db"), "club")
    return str(tmp_path / "books.db")


def plant(store: str) -> str:
    """A shop and a webhook with two secrets; the id of the webhook."""
    with kantis.desk.open(store) as desk:
        seals = open_seals(desk)
        secrets = {"signing": SIGNING, "token": TOKEN}
        shops.connect(desk, seals, "web", "stripe", "club", "web", secrets, {})
        id, _ = hooks.make(desk, seals, 1, "https://example.com/", [], "", lan=False)
        hooks.rotate(desk, seals, 1, id)
    return id


def found(*folders: Path) -> set[bytes]:
    """The planted secrets that stand in the files of folders, keys left out."""
    files = [path for each in folders for path in each.iterdir() if path.is_file()]
    kept = b"".join(path.read_bytes() for path in files)
    return {each for each in (SIGNING.encode(), TOKEN.encode(), HOOK) if each in kept}


def copied(store: str) -> Path:
    """A backup of the books, in a folder of its own."""
    folder = Path(store).with_name("copies")
    folder.mkdir()
    backup.backup(store, folder / "books.backup", quiet)
    return folder


def test_no_copy_of_the_books_has_a_secret(store: str) -> None:
    id = plant(store)
    assert found(Path(store).parent, copied(store)) == set()
    with kantis.desk.open(store) as desk:
        assert isinstance(desk, Desk)
        seals = open_seals(desk)
        shop = shops.find(desk.books, "web")
        assert shop is not None
        assert shop.secrets == {}
        assert shops.opened(seals, shop).secrets == {"signing": SIGNING, "token": TOKEN}
        rows = [each for each in sealed(desk.books) if each.about == webhook(id)]
        assert [seals.open(each.about, each.data) for each in rows] == [HOOK, HOOK]


def test_without_sealing_they_would_be_found(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin."""
    monkeypatch.setattr(Seals, "seal", lambda self, about, secret: secret)
    plant(store)
    assert found(Path(store).parent) == found(copied(store)) == {
        SIGNING.encode(), TOKEN.encode(), HOOK
    }  # fmt: skip


def test_in_another_row_or_changed_it_does_not_open(store: str) -> None:
    id = plant(store)
    with kantis.desk.open(store) as desk:
        seals = open_seals(desk)
        first = next(each for each in sealed(desk.books) if each.about == webhook(id))
        with pytest.raises(Locked):
            seals.open(webhook("hook_other"), first.data)
        with pytest.raises(Locked):
            seals.open(first.about, first.data[:-1] + bytes([first.data[-1] ^ 1]))


def test_another_master_key_opens_them_too(store: str) -> None:
    plant(store)
    with kantis.desk.open(store) as desk:
        assert isinstance(desk, Desk)
        vault = open_vault(desk)
        assert isinstance(vault.keys, FolderKeys)
        before = sealed(desk.books)
        rotate(vault, vault.keys, desk.books, quiet)
        after, seals = sealed(desk.books), Seals(vault.keys)
        assert len(after) == len(before) == 3
        assert all(seals.is_newest(each.data) for each in after)
        assert {seals.open(each.about, each.data) for each in after} >= {HOOK}
        with pytest.raises(Locked):
            seals.open(before[0].about, before[0].data)


def test_the_doctor_says_when_the_key_is_missing_and_no_other_is_made(store: str) -> None:
    plant(store)
    folder = folder_of(store)
    folder.rename(folder.with_name("elsewhere"))
    assert "keys-missing" in {each.code for each in doctor.doctor(store) if each.act}
    with kantis.desk.open(store) as desk, pytest.raises(Locked, match="sealed secrets"):
        open_seals(desk)
    FolderKeys(folder, new=True).close()
    assert "secrets-closed" in {each.code for each in doctor.doctor(store) if each.act}
