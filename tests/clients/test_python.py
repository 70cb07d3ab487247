"""The Python client: made from the contract, apart from the server, and nothing done twice."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from kantis_client import Kantis, Problem, Unreachable
from scripts.client import FOLDER, generated
from tests.doors.service.server import Server, begin, buy, served

Place = tuple[Server, dict[str, str]]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    store: Path = tmp_path_factory.mktemp("client") / "books.db"
    keys = begin(str(store), "club")
    with served(store) as server:
        with Kantis(server.address, keys["club/till"]) as till:
            till.send({"type": "enrol", "id": "e", "subject": "card:1", "data": {}})
        yield server, keys


class Cut(httpx.HTTPTransport):
    """A connection that breaks before or after the service has answered, so many times."""

    def __init__(self, times: int, *, after: bool, said: str = "") -> None:
        super().__init__()
        self.left, self.after, self.said = times, after, said
        self.keys: list[str] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.keys.append(request.headers.get("idempotency-key", ""))
        if self.left <= 0:
            return super().handle_request(request)
        self.left -= 1
        if self.said:
            return httpx.Response(int(self.said), headers={"retry-after": "7"}, request=request)
        if self.after:
            super().handle_request(request).read()
            raise httpx.ReadError("cut after the answer", request=request)
        raise httpx.ConnectError("cut before", request=request)


def client(place: Place, who: str, cut: Cut | None = None, **other: float) -> Kantis:
    server, keys = place
    return Kantis(server.address, keys[f"club/{who}"], transport=cut, **other)


def available(place: Place) -> int:
    with client(place, "till") as till:
        return int(till.account("card:1")["balances"].get("points", {}).get("available", "0"))


def test_it_is_made_from_the_contract_of_today() -> None:
    for name, text in generated().items():
        kept = (FOLDER / name).read_text(encoding="utf-8")
        assert kept == text, "run: python scripts/client.py"
        ast.parse(text)


def test_it_needs_nothing_of_the_server() -> None:
    script = (
        "import kantis_client, sys; print([m for m in sys.modules if m.split('.')[0] == 'kantis'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], env={"PYTHONPATH": str(FOLDER.parent)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "[]"


def test_what_is_asked_comes_back_typed(place: Place) -> None:
    with client(place, "till") as till, client(place, "auditor") as auditor:
        answer = till.send(buy("typed", "1", 20))  # type: ignore[arg-type]
        assert not isinstance(answer, list)
        assert answer["event"] == "club-till/typed"
        listed = till.send([buy("typed", "1", 20), buy("typed-2", "", 1)])  # type: ignore[list-item]
        assert isinstance(listed, list)
        assert [each["outcome"] for each in listed] == ["decided", "alone"]
        assert till.entries("card:1", limit=1)["entries"][0]["type"] == "purchase"
        assert till.programs()["programs"][0]["program"] == "club"
        rows = [json.loads(line) for line in auditor.export_table("events")]
        assert {"club-till/e", "club-till/typed"} <= {each["event"] for each in rows}
        assert auditor.settlements(from_="2024-03-01", to="2024-03-02")["statements"] == []
        assert "kantis_requests" in auditor.metrics()


def test_a_no_is_a_problem(place: Place) -> None:
    with client(place, "till") as till:
        with pytest.raises(Problem) as no:
            till.account("card:nobody")
        assert (no.value.status, no.value.code) == (404, "unknown-account")
        with pytest.raises(Problem) as no:
            till.send({"type": "redeem", "id": "r", "subject": "card:1", "ask": True,
                       "data": {"reward": "mug"}})  # fmt: skip
        assert (no.value.status, no.value.recorded) == (409, True)
        with pytest.raises(Problem) as no:
            till.send({"type": "purchas", "id": "r", "data": {}})  # type: ignore[typeddict-item]
        assert no.value.code == "malformed"


@pytest.mark.parametrize("after", [True, False])
def test_a_connection_that_breaks_doubles_nothing(place: Place, after: bool) -> None:
    before, cut = available(place), Cut(2, after=after)
    with client(place, "till", cut) as till:
        event = buy("", "1", 10)
        del event["id"]
        answer = till.send(event)  # type: ignore[arg-type]
    assert not isinstance(answer, list)
    assert answer.get("again", False) is after
    assert len(cut.keys) == 3
    assert len(set(cut.keys)) == 1
    assert available(place) == before + 10


def test_a_key_made_anew_for_each_try_would_double_it(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin: each try is a request of its own."""
    before = available(place)
    event = buy("", "1", 10)
    del event["id"]
    with client(place, "till", Cut(1, after=True), patience_s=0) as till:
        with pytest.raises(Unreachable):
            till.send(event)  # type: ignore[arg-type]
        till.send(event)  # type: ignore[arg-type]
    assert available(place) == before + 20


def test_what_has_no_id_is_not_sent_again(place: Place) -> None:
    cut = Cut(1, after=True)
    asked = {"name": "x", "scope": "till", "source": "x"}
    with client(place, "owner", cut) as owner:
        with pytest.raises(Unreachable):
            owner.make_key(asked)  # type: ignore[arg-type]
        assert len(cut.keys) == 1
        assert len([k for k in owner.list_keys()["keys"] if k["source"] == "x"]) == 1


def test_a_busy_service_is_asked_again_when_it_says(place: Place) -> None:
    slept: list[float] = []
    server, keys = place
    cut = Cut(2, after=False, said="429")
    with Kantis(server.address, keys["club/owner"], transport=cut, sleep=slept.append) as owner:
        owner.make_key({"name": "y", "scope": "till", "source": "y"})
    assert len(slept) == 2
    assert all(7 <= each < 9 for each in slept)
    cut = Cut(9, after=False, said="429")
    with (
        Kantis(server.address, "", transport=cut, sleep=slept.append, patience_s=10) as nobody,
        pytest.raises(Problem) as no,
    ):
        nobody.programs()
    assert no.value.status == 429
