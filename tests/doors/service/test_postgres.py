"""On PostgreSQL two services share the books."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import kantis.desk
from kantis.desk.verify import verify
from tests.doors.service.server import KANTIS, begin, buy, enrol, mug, served
from tests.doors.service.test_events import points, problem
from tests.doors.service.tills import changed


def test_two_services_give_ten_rewards_and_know_each_others_events(pg_url: str) -> None:
    keys = begin(pg_url, "club")
    with served(pg_url) as one, served(pg_url) as two:
        tills = [each.client(keys["club/till"]) for each in (one, two)]
        first = tills[0].post("/v1/events", json=enrol("rush")).json()
        assert tills[1].post("/v1/events", json=enrol("rush")).json() == {**first, "again": True}
        tills[1].post("/v1/events", json=buy("rush", "rush", 1_000))
        quoted = tills[0].post("/v1/quotes", json=mug("", "rush"))
        assert quoted.status_code == 200

        def redeem(n: int) -> int:
            return tills[n % 2].post("/v1/events", json=mug(f"rush-{n}", "rush")).status_code

        with ThreadPoolExecutor(64) as pool:
            assert sorted(pool.map(redeem, range(64))) == [200] * 10 + [409] * 54
        assert [points(till, "rush") for till in tills] == ["0", "0"]
        with kantis.desk.open(pg_url) as desk:
            prefix = next(k.prefix for k in desk.books.all_keys() if k.scope == "till")
            desk.revoke_key(prefix)
            for till in tills:
                assert problem(till.get("/v1/programs")) == (401, "key-unknown")
                till.close()
            assert verify(desk.books).ok
        assert one.end()[0] == two.end()[0] == 0


#: A service whose batches do not look whether the keys of their callers hold.
TRUSTING = changed("""
from kantis.store.postgres import PostgresBooks
PostgresBooks.revoked = lambda self, numbers: set()
""")


def after_revoking(url: str, command: tuple[str, ...] = KANTIS) -> list[int]:
    """What a key gets that another process has revoked, whatever it sends; nothing is written
    unless it is let in."""
    key = begin(url, "club")["club/till"]
    with served(url, command, ["--no-jobs"]) as server, server.client(key) as till:
        assert till.post("/v1/events", json=enrol("a")).status_code == 200
        with kantis.desk.open(url) as desk:
            assert desk.revoke_key(next(k.prefix for k in desk.books.all_keys()))
            events = desk.books.counts()["event"]
            said: list[Any] = [buy("b", "a"), [buy("c", "a")], {"type": "nonsense"}, [{}]]
            found = [till.post("/v1/events", json=each) for each in said]
            assert desk.books.counts()["event"] - events == 2 * (found[0].status_code == 200)
        assert till.get("/v1/programs").status_code == 401
        assert server.end()[0] == 0
    return [each.status_code for each in found]


def test_a_key_that_was_revoked_elsewhere_does_nothing_from_the_next_request_on(
    pg_url: str,
) -> None:
    assert after_revoking(pg_url) == [401, 401, 401, 401]


def test_a_batch_that_does_not_look_lets_a_revoked_key_in(pg_url: str) -> None:
    """The twin."""
    assert after_revoking(pg_url, TRUSTING) == [200, 200, 400, 200]
