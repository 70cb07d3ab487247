"""Keys: shown once, kept as a hash, revoked at once and for ever."""

import threading
from pathlib import Path

import pytest

from kantis.core.knobs import ProgramError
from kantis.desk import keys
from kantis.desk.codes import digest
from kantis.desk.submit import Desk
from kantis.desk.writer import RemoteDesk
from kantis.store.books import Forbidden, Outage
from tests.desk.shop import TERMS, Shop


def new(desk: Desk | RemoteDesk, **other: str) -> tuple[str, str]:
    given = {"name": "Till 7", "program": "p", "scope": "till", "source": "till-7"}
    return keys.make(desk, **(given | other))


def found(shop: Shop, secret: str) -> bool:
    with shop.desk.books.reader() as reader:
        return shop.desk.keyring.find(secret, reader) is not None


def test_a_key_is_found_until_it_is_revoked(shop: Shop) -> None:
    secret, prefix = new(shop.desk, location="harbour")
    other, _ = new(shop.desk, source="shop", scope="shop")
    assert found(shop, secret)
    assert not found(shop, secret[:-1] + ("0" if secret[-1] != "0" else "1"))
    assert not found(shop, "")
    assert shop.desk.revoke_key(prefix)
    assert not found(shop, secret)
    assert found(shop, other)
    assert not shop.desk.revoke_key(prefix)
    assert not shop.desk.revoke_key("00000000")
    first, second = keys.shown(shop.desk.books)
    assert (first.location, first.revoked) == ("harbour", shop.now)
    assert (second.scope, second.revoked) == ("shop", None)


def test_the_books_hold_no_key(tmp_path: Path) -> None:
    with Shop(str(tmp_path / "books.db")) as shop:
        secret, _ = new(shop.desk)
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert secret.encode() not in kept
    assert secret[len("kantis_") :].encode() not in kept
    assert digest(secret) in kept


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"scope": "god"}, "unknown-scope"),
        ({"program": "q"}, "unknown-program"),
        ({"source": "desk"}, "bad-source"),
        ({"source": "a/b"}, "bad-source"),
        ({"source": ""}, "bad-source"),
        ({"name": " "}, "bad-name"),
        ({"name": "a\nb"}, "bad-name"),
    ],
)
def test_what_nobody_could_explain_is_refused(shop: Shop, given: dict[str, str], code: str) -> None:
    with pytest.raises(ProgramError) as error:
        new(shop.desk, **given)
    assert error.value.faults[0].code == code
    assert keys.shown(shop.desk.books) == []


def test_a_source_belongs_to_one_program_for_ever(shop: Shop) -> None:
    shop.desk.publish("q", shop.now, "terms", TERMS)
    _, prefix = new(shop.desk)
    new(shop.desk)
    shop.desk.revoke_key(prefix)
    with pytest.raises(ProgramError, match="source-taken"):
        new(shop.desk, program="q")


def test_the_database_itself_keeps_what_a_key_may_do(shop: Shop) -> None:
    _, prefix = new(shop.desk)
    shop.desk.revoke_key(prefix)
    books = shop.desk.books
    for statement in (
        "UPDATE api_key SET scope = 'staff'",
        "UPDATE api_key SET revoked = NULL",
        "DELETE FROM api_key",
    ):
        books.begin()
        with pytest.raises((Forbidden, Outage), match="append-only"):
            books.execute(statement)
        books.rollback()


def test_another_process_makes_and_revokes_over_the_socket(tmp_path: Path) -> None:
    path = str(tmp_path / "books.db")
    with Shop(path) as shop:
        secret, prefix = new(shop.desk)
        assert found(shop, secret)
        with RemoteDesk(tmp_path / "books.db") as far:
            other, _ = new(far, source="till-8")
            with pytest.raises(ProgramError, match="unknown-scope"):
                new(far, scope="god")
            assert found(shop, other)
            assert far.revoke_key(prefix)
        assert not found(shop, secret)


def test_a_key_of_another_process_is_revoked_at_once_on_postgres(pg_url: str) -> None:
    with Shop(pg_url) as here, Shop(pg_url) as there:
        secret, prefix = new(here.desk)
        assert found(here, secret)
        assert there.desk.revoke_key(prefix)
        assert not found(here, secret)


def test_a_keyring_that_is_not_told_would_let_a_revoked_key_in(tmp_path: Path) -> None:
    """The twin: without ``forget`` the key is still known."""
    with Shop(str(tmp_path / "books.db")) as shop:
        secret, prefix = new(shop.desk)
        assert found(shop, secret)
        shop.desk.keyring.forget = lambda: None  # type: ignore[method-assign]
        shop.desk.revoke_key(prefix)
        assert found(shop, secret)


def test_a_busy_desk_lets_a_revocation_in(tmp_path: Path) -> None:
    with Shop(str(tmp_path / "books.db")) as shop:
        shop.desk.submit([shop.enrol("a")])
        _, prefix = new(shop.desk)
        over = threading.Event()

        def till(name: int) -> None:
            for n in range(100_000):
                if over.is_set():
                    return
                shop.desk.submit([shop.buy(f"{name}-{n}", "a")])

        tills = [threading.Thread(target=till, args=(n,)) for n in range(6)]
        for each in tills:
            each.start()
        done = threading.Event()
        revoking = threading.Thread(target=lambda: (shop.desk.revoke_key(prefix), done.set()))
        revoking.start()
        try:
            assert done.wait(5)
        finally:
            over.set()
            for each in [*tills, revoking]:
                each.join()
