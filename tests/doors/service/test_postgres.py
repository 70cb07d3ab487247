"""On PostgreSQL two services share the books."""

from concurrent.futures import ThreadPoolExecutor

import kantis.desk
from kantis.desk.verify import verify
from tests.doors.service.server import begin, buy, enrol, mug, served
from tests.doors.service.test_events import points, problem


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
