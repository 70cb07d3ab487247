"""Webhooks over HTTP: made, changed, told, looked at, and sent again."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook

from tests.doors.service.conftest import Place
from tests.doors.service.server import begin, buy, enrol, served
from tests.doors.service.test_events import problem
from tests.support.receiver import Receiver, receiving


@pytest.fixture(scope="module")
def lan(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A server that may call webhooks on this machine."""
    store: Path = tmp_path_factory.mktemp("webhooks") / "books.db"
    keys = begin(str(store), "club", "other")
    with served(store, options=["--lan-webhooks"]) as server:
        yield Place(server, keys)
        status, log = server.end()
        assert (status, '"fault"' in log, "Traceback" in log) == (0, False, False), log
        assert "whsec_" not in log


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def staff(lan: Place) -> Iterator[httpx.Client]:
    with lan.client("club/staff") as client:
        yield client
        for each in client.get("/v1/webhooks").json()["webhooks"]:
            assert client.delete(f"/v1/webhooks/{each['id']}").status_code == 204


def until(look: Callable[[], Any], seconds: float = 30) -> Any:
    end = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.02)
    return found


def test_from_a_purchase_to_the_receiver(
    lan: Place, staff: httpx.Client, receiver: Receiver
) -> None:
    wanted = {"url": receiver.url("/ok"), "types": ["points.*"], "name": "shop"}
    made = staff.post("/v1/webhooks", json=wanted)
    assert made.status_code == 201
    hook = made.json()
    assert hook["secret"].startswith("whsec_")
    with lan.client() as till:
        till.post("/v1/events", json=enrol("told"))
        till.post("/v1/events", json=buy("told", "told", 42))
    (event,) = receiver.wait("/ok", 1)
    assert event["type"] == "kantis.points.earned.v1"
    assert event["data"]["amount"] == 42
    assert event["data"]["event"] == "club-till/told"
    assert receiver.verified("/ok", hook["secret"]) == [event]
    path = f"/v1/webhooks/{hook['id']}"
    (sent,) = until(lambda: staff.get(f"{path}/deliveries?state=delivered").json()["deliveries"])
    assert (sent["message"], sent["tries"], sent["attempts"][0]["status"]) == (event["id"], 1, 200)
    shown = staff.get(path).json()
    assert shown == staff.get("/v1/webhooks").json()["webhooks"][0]
    assert "secret" not in shown
    figures = staff.get("/metrics").text
    assert 'kantis_webhook_deliveries_total{outcome="delivered"}' in figures
    assert "kantis_webhook_waiting 0.0" in figures


def test_a_secret_is_changed_and_a_test_is_sent(staff: httpx.Client, receiver: Receiver) -> None:
    hook = staff.post("/v1/webhooks", json={"url": receiver.url("/ok")}).json()
    path = f"/v1/webhooks/{hook['id']}"
    changed = staff.post(f"{path}/secret").json()
    assert changed["secret"] != hook["secret"]
    assert staff.post(f"{path}/test").status_code == 202
    receiver.wait("/ok", 1)
    _, headers, body = receiver.came[0]
    for secret in (hook["secret"], changed["secret"]):
        assert Webhook(secret).verify(body, headers)["type"] == "kantis.webhook.test.v1"


def test_what_failed_is_sent_again(lan: Place, staff: httpx.Client, receiver: Receiver) -> None:
    receiver.status = 500
    hook = staff.post("/v1/webhooks", json={"url": receiver.url("/switch")}).json()
    path = f"/v1/webhooks/{hook['id']}"
    with lan.client() as till:
        till.post("/v1/events", json=enrol("again"))
    (sent,) = until(
        lambda: [e for e in staff.get(f"{path}/deliveries").json()["deliveries"] if e["tries"]]
    )
    assert (sent["state"], sent["attempts"][0]["outcome"]) == ("waiting", "refused")
    assert staff.get(path).json()["failing_since"]
    receiver.status = 200
    resend = f"{path}/deliveries/{sent['message']}/resend"
    assert staff.post(resend).json() == {"staged": 1}
    until(lambda: staff.get(f"{path}/deliveries?state=delivered").json()["deliveries"])
    assert staff.get(path).json()["failing_since"] is None
    times = {"since": "2024-01-01T00:00:00Z", "until": "2100-01-01T00:00:00Z"}
    assert staff.post(f"{path}/resend", json=times).json() == {"staged": 0}
    assert staff.post(f"{path}/resend", json={**times, "state": ""}).json() == {"staged": 1}
    receiver.wait("/switch", 3)
    assert problem(staff.post(f"{path}/deliveries/none/resend")) == (404, "unknown-message")
    page = staff.get(f"{path}/deliveries?limit=1").json()
    assert staff.get(f"{path}/deliveries?limit=1&cursor={page['next']}").json() == {
        "deliveries": [], "next": None,
    }  # fmt: skip


def test_one_that_is_paused_goes_on_where_it_stopped(
    lan: Place, staff: httpx.Client, receiver: Receiver
) -> None:
    hook = staff.post("/v1/webhooks", json={"url": receiver.url("/ok")}).json()
    path = f"/v1/webhooks/{hook['id']}"
    assert staff.patch(path, json={"paused": True}).json()["state"] == "paused"
    with lan.client() as till:
        till.post("/v1/events", json=enrol("paused"))
    time.sleep(0.8)
    assert receiver.came == []
    changed = staff.patch(path, json={"paused": False, "name": "till"}).json()
    assert (changed["state"], changed["name"], changed["url"]) == ("active", "till", hook["url"])
    receiver.wait("/ok", 1)


@pytest.mark.parametrize(
    "given",
    [
        {"url": "http://shop.example.com/"},
        {"url": "https://10.0.0.1/"},
        {"url": "https://127.1/"},
        {"url": "https://[::1]/"},
        {"url": "https://user:pass@shop.example.com/"},
        {"url": "ftp://shop.example.com/"},
        {"url": "https://"},
        {"url": "shop.example.com"},
        {"url": "https://shop.example.com/ x"},
        {"url": "https://shop.example.com:99999/"},
        {"url": "https://[/"},
        {"url": "https://shop.example.com/", "types": ["points.earnt"]},
        {"url": "https://shop.example.com/", "name": "a\nb"},
    ],
)
def test_what_cannot_be_called_is_no_webhook(place: Place, given: dict[str, Any]) -> None:
    with place.client("club/staff") as staff:
        assert problem(staff.post("/v1/webhooks", json=given)) == (422, "bad-webhook")
        assert staff.get("/v1/webhooks").json() == {"webhooks": []}


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b'{"url": 7}', b'{"url": "https://a.example/", "more": 1}', b"\xff"]
)
def test_what_is_no_request_is_the_callers_fault(place: Place, body: bytes) -> None:
    headers = {"content-type": "application/json"}
    with place.client("club/staff") as staff:
        answer = staff.post("/v1/webhooks", content=body, headers=headers)
        assert problem(answer) == (400, "malformed")
        assert problem(staff.post("/v1/webhooks", content=b"{}")) == (415, "media-type")


def test_a_program_has_fifty_at_most(place: Place) -> None:
    with place.client("other/staff") as staff:
        made = [staff.post("/v1/webhooks", json={"url": "https://a.invalid/"}) for _ in range(51)]
        assert [each.status_code for each in made] == [201] * 50 + [422]
        for each in made[:50]:
            staff.delete(f"/v1/webhooks/{each.json()['id']}")
