"""The lane: one event, answered as on the long way, whatever comes before, behind or instead."""

import json
import re
import socket
import time
from collections.abc import Iterator

import httpx
import pytest

from tests.doors.service.conftest import Place
from tests.doors.service.server import buy

LONG = {"Content-Type": "application/json; charset=utf-8"}
#: What no two answers have in common.
OWN = ("x-request-id", "date", "content-length")


def posted(place: Place, body: bytes, *more: str) -> bytes:
    """A request as it goes over the wire."""
    key = place.keys["club/till"]
    head = ["POST /v1/events HTTP/1.1", "Host: x", f"Authorization: Bearer {key}",
            "Content-Type: application/json", *more]  # fmt: skip
    if not any(each.startswith("Transfer-Encoding") for each in more):
        head.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*head, "", ""]).encode() + body


def bought(name: str, amount: int = 1) -> bytes:
    return json.dumps(buy(name, "1", amount)).encode()


@pytest.fixture
def wire(place: Place) -> Iterator[socket.socket]:
    """A connection to the server."""
    url = httpx.URL(place.server.address)
    with socket.create_connection((url.host, url.port or 80), timeout=30) as found:
        yield found


def answers(wire: socket.socket, count: int) -> list[tuple[int, dict[str, str], bytes]]:
    """Answers as they come: status, headers, body."""
    data, found = b"", []
    while len(found) < count:
        head, gap, rest = data.partition(b"\r\n\r\n")
        length = int(re.search(rb"content-length: (\d+)", head)[1]) if gap else 0  # type: ignore[index]
        if gap and len(rest) >= length:
            first, *lines = head.decode().split("\r\n")
            headers = dict(line.split(": ", 1) for line in lines)
            found.append((int(first.split()[1]), headers, rest[:length]))
            data = rest[length:]
            continue
        part = wire.recv(1 << 16)
        assert part, (found, data)
        data += part
    assert not data
    return found


def said(answer: httpx.Response) -> tuple[int, dict[str, str], object]:
    headers = {name: value for name, value in answer.headers.items() if name not in OWN}
    body = answer.json()
    body.pop("instance", None)
    return answer.status_code, headers, body


@pytest.mark.parametrize("lane_first", [True, False])
def test_both_ways_say_the_same(till: httpx.Client, lane_first: bool) -> None:
    """What came on one way comes again on the other, and what is wrong is wrong on both."""
    name = f"same-{lane_first}"
    ways: list[dict[str, str]] = [{}, LONG] if lane_first else [LONG, {}]
    sent = [bought(name), bought(name, 2), b"{}", b"{", bought("") , bought(f"{name}-b"),
            json.dumps({"id": "r", "type": "redeem", "subject": "card:1", "ask": True,
                        "data": {"reward": "mug"}}).encode()]  # fmt: skip
    kinds = {"Content-Type": "application/json"}
    for body in sent:
        first, second = (
            said(till.post("/v1/events", content=body, headers=kinds | way)) for way in ways
        )
        assert isinstance(first[2], dict)
        assert isinstance(second[2], dict)
        if first[0] == 200:
            assert second[2].pop("again") is True
            first[2].pop("again", None)
        assert first == second, body


def test_a_refusal_is_worded_as_the_caller_wants(till: httpx.Client) -> None:
    asked = {"type": "redeem", "subject": "card:1", "ask": True, "data": {"reward": "mug"}}
    told = {}
    for tongue in ("en", "fi"):
        answer = till.post(
            "/v1/events", json={"id": f"word-{tongue}", **asked},
            headers={"Accept-Language": tongue},
        )  # fmt: skip
        assert answer.status_code == 409
        assert answer.headers["content-type"] == "application/problem+json"
        told[tongue] = answer.json()["detail"]
    assert told["en"] != told["fi"]


def test_requests_of_one_connection_are_answered_in_their_order(
    place: Place, wire: socket.socket
) -> None:
    """Those of the lane and of the long way, sent before any of them is answered."""
    chunked = b"%x\r\n%b\r\n0\r\n\r\n"
    third = bought("order-3")
    wire.sendall(
        posted(place, bought("order-1"), "X-Request-Id: one")
        + posted(place, bought("order-2"), "X-Request-Id: two")
        + posted(place, chunked % (len(third), third), "Transfer-Encoding: chunked",
                 "X-Request-Id: three")
        + posted(place, bought("order-4"), "X-Request-Id: four")
    )  # fmt: skip
    found = answers(wire, 4)
    assert [headers["x-request-id"] for _, headers, _ in found] == ["one", "two", "three", "four"]
    events = [json.loads(body)["event"].rpartition("/")[2] for _, _, body in found]
    assert events == ["order-1", "order-2", "order-3", "order-4"]
    wire.sendall(posted(place, bought("order-5")))  # and the connection goes on
    assert answers(wire, 1)[0][0] == 200


def test_a_body_may_come_byte_by_byte_and_may_be_large(place: Place, wire: socket.socket) -> None:
    request = posted(place, bought("slow"))
    for at in range(0, len(request), 40):
        wire.sendall(request[at : at + 40])
        time.sleep(0.005)
    assert answers(wire, 1)[0][0] == 200
    wire.sendall(posted(place, b" " * 200_000 + bought("large")))
    status, _, body = answers(wire, 1)[0]
    assert (status, json.loads(body)["outcome"]) == (200, "decided")


def test_who_wants_to_close_is_answered_first(place: Place, wire: socket.socket) -> None:
    wire.sendall(posted(place, bought("close"), "Connection: close"))
    status, headers, _ = answers(wire, 1)[0]
    assert (status, headers["connection"]) == (200, "close")
    assert wire.recv(1) == b""


def test_headers_that_are_said_twice_are_no_way_around_a_key(
    place: Place, wire: socket.socket
) -> None:
    wire.sendall(posted(place, bought("two-keys"), "Authorization: Bearer kantis_00"))
    assert answers(wire, 1)[0][0] == 401


def test_what_was_taken_is_recorded_though_its_caller_has_hung_up(place: Place) -> None:
    url = httpx.URL(place.server.address)
    with socket.create_connection((url.host, url.port or 80)) as gone:
        gone.sendall(posted(place, bought("gone")))
    with place.client() as till:
        for _ in range(100):
            answer = till.post("/v1/events", content=bought("gone"),
                               headers={"Content-Type": "application/json"})  # fmt: skip
            if answer.json().get("again"):
                break
        assert answer.json()["again"] is True


def test_each_request_is_counted_and_in_the_log(place: Place) -> None:
    def counted() -> float:
        with place.client("club/staff") as staff:
            text = staff.get("/metrics").text
        wanted = 'kantis_requests_total{method="POST",route="/v1/events",status="200"} '
        return float(text.partition(wanted)[2].split("\n")[0])

    with place.client() as till:
        assert till.post("/v1/events", json=buy("counted-0", "1", 1)).status_code == 200
        before = counted()
        assert till.post("/v1/events", json=buy("counted-1", "1", 1)).status_code == 200
        assert counted() == before + 1
