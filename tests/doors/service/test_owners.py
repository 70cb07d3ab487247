"""The first link, keys and the audit log: who may call, and who did what."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.doors.service.conftest import Place
from tests.doors.service.server import CLUB, Server, buy, served
from tests.doors.service.test_events import problem

PAGE = {"accept": "text/html"}


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Server]:
    """A service that was started where nothing was."""
    with served(tmp_path / "books.db") as server:
        yield server
        status, log = server.end()
        assert status == 0, log
        assert "first/" not in log.replace("/first/{token}", "")


def test_the_first_link_gives_one_key_and_leads_to_a_purchase(fresh: Server) -> None:
    link = fresh.said["first"]
    with fresh.client() as client:
        assert "Welcome to Kantis" in client.get(link, headers=PAGE).text
        assert client.get(link, headers=PAGE).status_code == 200  # looking uses nothing up
        made = client.post(link)
        assert made.status_code == 201
        assert problem(client.post(link)) == (404, "link-unknown")
        assert client.get(link, headers=PAGE).status_code == 404
        assert problem(client.post(f"{link[:-1]}x")) == (404, "link-unknown")
    with fresh.client(made.json()["key"]) as owner:
        for name in ("cafe", "bakery"):  # several programs per installation
            said = {"source": CLUB.format(name=name)}
            path = f"/v1/programs/{name}/versions"
            done = owner.post(path, json=said, headers={"if-none-match": "*"})
            assert done.json() == {
                "program": name, "version": 1, "since": None, "published": True
            }  # fmt: skip
        asked = {"name": "Till 1", "scope": "till", "source": "till-1", "program": "bakery"}
        key = owner.post("/v1/keys", json=asked)
        assert key.status_code == 201
        listed = owner.get("/v1/programs").json()["programs"]
        assert [each["program"] for each in listed] == ["bakery", "cafe"]
        deeds = [(e["deed"], e["name"]) for e in owner.get("/v1/audit").json()["lines"]]
        publish = ("publish", "First owner")
        assert deeds == [("key", "First owner"), publish, publish, ("key", "")]
    with fresh.client(key.json()["key"]) as till:
        assert till.post("/v1/events", json=buy("1", "")).status_code == 200


def test_a_person_becomes_an_owner_who_signs_in(fresh: Server) -> None:
    link = fresh.said["first"]
    about = {"name": "Liisa", "login": "liisa", "password": "correct horse battery"}
    with fresh.client() as client:
        client.headers.update(PAGE | {"sec-fetch-site": "same-origin"})
        weak = client.post(link, data=about | {"password": "short"})
        assert (weak.status_code, "too short or too simple" in weak.text) == (422, True)
        page = client.post(link, data=about)
        assert (page.status_code, page.headers["location"]) == (303, "/account/second?first=1")
        assert client.get("/c").status_code == 200
        assert client.post(link, data=about | {"login": "other"}).status_code == 404
    fresh.end()
    fresh.start()
    assert fresh.said["first"] is None


def test_with_an_owner_there_is_no_link(fresh: Server) -> None:
    with fresh.client() as client:
        client.post(fresh.said["first"])
    fresh.end()
    fresh.start()
    assert fresh.said["first"] is None


def test_keys_are_made_listed_and_revoked(place: Place) -> None:
    asked = {"name": "Till 9", "scope": "till", "source": "till-9", "limits": {"largest": 500}}
    with place.client("club/owner") as owner, place.client("other/owner") as other:
        made = owner.post("/v1/keys", json=asked).json()
        assert made["key"].startswith("kantis_" + made["prefix"])
        listed = owner.get("/v1/keys")
        assert made["key"] not in listed.text
        told = next(e for e in listed.json()["keys"] if e["prefix"] == made["prefix"])
        assert (told["limits"], told["revoked"]) == ({"largest": 500}, None)
        assert {each["program"] for each in listed.json()["keys"]} == {"club"}
        assert made["prefix"] not in other.get("/v1/keys").text
        assert problem(other.delete(f"/v1/keys/{made['prefix']}")) == (404, "unknown-key")
        for wrong, code in (
            ({"scope": "god"}, (422, "key-refused")),
            ({"program": "other"}, (404, "unknown-program")),
            ({"source": "other-till"}, (422, "key-refused")),
            ({"limits": {"largest": -1}}, (400, "malformed")),
            ({"colour": "red"}, (400, "malformed")),
        ):
            assert problem(owner.post("/v1/keys", json=asked | wrong)) == code
        with place.server.client(made["key"]) as till:
            assert till.get("/v1/programs").status_code == 200
            assert owner.delete(f"/v1/keys/{made['prefix']}").status_code == 204
            assert problem(till.get("/v1/programs")) == (401, "key-unknown")
        assert problem(owner.delete(f"/v1/keys/{made['prefix']}")) == (404, "unknown-key")
        lines = owner.get("/v1/audit", params={"limit": 2}).json()
        assert [(e["deed"], e["about"]) for e in lines["lines"]] == [
            ("revoke", made["prefix"]), ("key", made["prefix"])
        ]  # fmt: skip
        more = owner.get("/v1/audit", params={"cursor": lines["next"], "deed": "key"}).json()
        assert {each["program"] for each in more["lines"]} == {"club"}


def test_a_key_has_so_many_requests_per_minute(place: Place) -> None:
    asked = {"name": "slow", "scope": "auditor", "source": "slow", "limits": {"per_minute": 3}}
    with place.client("club/owner") as owner:
        key = owner.post("/v1/keys", json=asked).json()["key"]
    with place.server.client(key) as slow:
        answers = [slow.get("/v1/programs") for _ in range(8)]
    turned = [each for each in answers if each.status_code == 429]
    assert 2 <= len(turned) <= 5  # a new minute may begin meanwhile
    assert problem(turned[0]) == (429, "too-often")
    assert 0 < int(turned[0].headers["retry-after"]) <= 60


def test_a_limited_key_moves_no_more_than_it_may(place: Place) -> None:
    def redeem(id: str) -> dict[str, object]:
        data = {"reward": "mug"}
        return {"id": id, "type": "redeem", "subject": "card:lim", "ask": True, "data": data}

    def key(source: str, largest: int) -> httpx.Client:
        limits = {"largest": largest}
        asked = {"name": source, "scope": "till", "source": source, "limits": limits}
        with place.client("club/owner") as owner:
            return place.server.client(owner.post("/v1/keys", json=asked).json()["key"])

    with place.client() as till, key("lim-99", 99) as small, key("lim-100", 100) as large:
        till.post("/v1/events", json={"id": "lim", "type": "enrol", "subject": "card:lim"})
        assert problem(small.post("/v1/events", json=redeem("a")))[0] == 422  # no points yet
        till.post("/v1/events", json=buy("lim-1", "lim", 250))
        assert problem(small.post("/v1/events", json=redeem("a"))) == (403, "above-limit")
        listed = [buy("lim-2", "lim"), redeem("a")]
        assert problem(small.post("/v1/events", json=listed)) == (403, "above-limit")
        assert small.post("/v1/events", json=buy("lim-2", "lim")).json().get("again") is None
        assert large.post("/v1/events", json=redeem("a")).status_code == 200
        again = large.post("/v1/events", json=redeem("a"))
        assert (again.status_code, again.json()["again"]) == (200, True)


def test_a_large_body_is_turned_away(place: Place) -> None:
    with place.client("club/owner") as owner:
        answer = owner.post("/v1/keys", content=b" " * (5 << 20))
    assert problem(answer) == (413, "body-too-large")
