"""Events over HTTP: decided once, refused with a code, and never by a server's fault."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx
import pytest

from tests.doors.service.conftest import Place
from tests.doors.service.server import buy, enrol, mug

PROBLEM = {"type", "title", "status", "code", "detail", "instance"}


def problem(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of a problem, which is whole."""
    assert answer.headers["content-type"] == "application/problem+json"
    found = answer.json()
    assert set(found) >= PROBLEM
    assert found["status"] == answer.status_code
    assert found["instance"].endswith(answer.headers["x-request-id"])
    assert found["detail"].endswith(".")
    return answer.status_code, found["code"]


def points(till: httpx.Client, card: str) -> str:
    purse: dict[str, str] = till.get(f"/v1/accounts/card:{card}").json()["balances"]["points"]
    return purse["available"]


def test_a_purchase_is_decided_once(till: httpx.Client) -> None:
    till.post("/v1/events", json=enrol("once"))
    first = till.post("/v1/events", json=buy("once-1", "once", 12))
    again = till.post("/v1/events", json=buy("once-1", "once", 12))
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json()["event"] == "club-till/once-1"
    assert first.json()["entry"]["postings"][0]["amount"] == 12
    assert again.json() == {**first.json(), "again": True}
    assert points(till, "once") == "12"


def test_the_same_id_with_another_body_is_refused(till: httpx.Client) -> None:
    till.post("/v1/events", json=enrol("reused"))
    till.post("/v1/events", json=buy("reused-1", "reused", 10))
    answer = till.post("/v1/events", json=buy("reused-1", "reused", 11))
    assert problem(answer) == (422, "id-reused")
    assert answer.json()["recorded"] is False
    assert points(till, "reused") == "10"


@pytest.mark.parametrize("spelling", ["header-1", '"header-1"'])
def test_the_idempotency_key_is_another_spelling_of_the_id(
    till: httpx.Client, spelling: str
) -> None:
    event = {**buy("", "1"), "id": ""}
    answer = till.post("/v1/events", json=event, headers={"idempotency-key": spelling})
    assert answer.json()["event"] == "club-till/header-1"


def test_two_ids_or_none_are_refused(till: httpx.Client) -> None:
    header = {"idempotency-key": "b"}
    assert problem(till.post("/v1/events", json=buy("a", "1"), headers=header)) == (
        400,
        "ids-differ",
    )
    assert problem(till.post("/v1/events", json=[buy("a", "1")], headers=header))[1] == "ids-differ"
    assert problem(till.post("/v1/events", json=buy("", "1"))) == (400, "id-missing")


def test_the_source_comes_from_the_key_alone(till: httpx.Client) -> None:
    answer = till.post("/v1/events", json={**buy("source-1", "1"), "source": "club-staff"})
    assert problem(answer) == (400, "malformed")


def test_a_refusal_of_the_program_is_recorded_and_final(till: httpx.Client) -> None:
    till.post("/v1/events", json=enrol("poor"))
    first = till.post("/v1/events", json=mug("poor-1", "poor"))
    assert problem(first) == (409, "not-enough")
    assert first.json()["recorded"] is True
    till.post("/v1/events", json=buy("poor-2", "poor", 500))
    assert problem(till.post("/v1/events", json=mug("poor-1", "poor"))) == (409, "not-enough")
    assert till.post("/v1/events", json=mug("poor-3", "poor")).status_code == 200


def test_an_unknown_card_is_asked_in_vain_and_told_for_later(till: httpx.Client) -> None:
    assert problem(till.post("/v1/events", json=mug("later-1", "later"))) == (404, "unknown-card")
    told = till.post("/v1/events", json=buy("later-2", "later", 7))
    assert (told.status_code, told.json()["outcome"]) == (202, "parked")
    till.post("/v1/events", json=enrol("later"))
    assert till.post("/v1/events", json=buy("later-2", "later", 7)).json()["outcome"] == "decided"
    assert points(till, "later") == "7"


def test_a_list_has_a_result_for_each_event(till: httpx.Client) -> None:
    adjust = {"id": "no", "type": "adjust", "subject": "card:1",
              "data": {"balance": "points", "amount": 5, "reason": "gift"}}  # fmt: skip
    sent = [enrol("list"), buy("list-1", "list"), mug("list-2", "list"), adjust, 3, {"type": "x"}]
    answer = till.post("/v1/events", json=sent)
    assert answer.status_code == 200
    said = [each.get("refusal", {}).get("code", each["outcome"]) for each in answer.json()]
    assert said[:3] == ["decided", "decided", "not-enough"]
    assert said[3:] == ["not-allowed", "malformed", "malformed"]
    assert [each.get("recorded") for each in answer.json()] == [None, None, True] + [False] * 3
    assert till.post("/v1/events", json=[]).json() == []


def test_a_thousand_events_at_once_and_no_more(till: httpx.Client) -> None:
    till.post("/v1/events", json=enrol("bulk"))
    answer = till.post("/v1/events", json=[buy(f"bulk-{n}", "bulk", 1) for n in range(1_000)])
    assert {each["outcome"] for each in answer.json()} == {"decided"}
    assert points(till, "bulk") == "1000"
    answer = till.post("/v1/events", json=[buy(f"over-{n}", "bulk", 1) for n in range(1_001)])
    assert problem(answer) == (422, "too-many-events")
    assert points(till, "bulk") == "1000"


def test_a_quote_is_the_answer_without_the_event(till: httpx.Client) -> None:
    till.post("/v1/events", json=enrol("quote"))
    quoted = till.post("/v1/quotes", json={**buy("quote-1", "quote", 120)}).json()
    assert quoted["entry"]["postings"][0]["amount"] == 120
    assert points_of_nothing(till, "quote")
    assert problem(till.post("/v1/quotes", json=mug("", "quote"))) == (409, "not-enough")
    done = till.post("/v1/events", json=buy("quote-1", "quote", 120)).json()
    assert done["entry"]["postings"] == quoted["entry"]["postings"]


def test_what_a_member_has_to_pay_is_in_the_answer(place: Place) -> None:
    plan = {"id": "fee-1", "type": "subscribe", "subject": "card:fee", "data": {"plan": "plus"}}
    with place.client("club/shop") as shop:
        shop.post("/v1/events", json=enrol("fee"))
        quoted = shop.post("/v1/quotes", json=plan).json()
        done = shop.post("/v1/events", json=plan).json()
        assert "fees" not in shop.post("/v1/events", json=buy("fee-2", "fee")).json()["entry"]
    assert done["entry"]["fees"] == [{"of": "plus", "why": "first term", "amount": 1200}]
    assert quoted["entry"]["fees"] == done["entry"]["fees"]


def points_of_nothing(till: httpx.Client, card: str) -> bool:
    return till.get(f"/v1/accounts/{card}").json()["balances"] == {}


def test_many_redeem_at_once_and_ten_of_them_get_it(place: Place) -> None:
    with place.client() as till:
        till.post("/v1/events", json=enrol("rush"))
        till.post("/v1/events", json=buy("rush", "rush", 1_000))

    def redeem(n: int) -> int:
        with place.client() as till:
            return till.post("/v1/events", json=mug(f"rush-{n}", "rush")).status_code

    with ThreadPoolExecutor(64) as pool:
        statuses = list(pool.map(redeem, range(64)))
    assert sorted(statuses) == [200] * 10 + [409] * 54
    with place.client() as till:
        assert points(till, "rush") == "0"


DEEP = b"[" * 50_000 + b"]" * 50_000
LINES = b'{"id": "n", "type": "purchase", "subject": "card:1", "data": {"lines": [%s]}}'


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"7",
        b"\xff\xfe",
        DEEP,
        b'{"id": "n", "type": "purchase", "data": ' + DEEP + b"}",
        LINES % b'{"id": "1", "product": "\\ud800"}',
        LINES % b'{"id": "1", "product": "\\u0000"}',
        LINES % b'{"id": "1", "product": "a", "amount": 1.5}',
        LINES % b'{"id": "1", "product": "a", "amount": 9007199254740993}',
        LINES % b'{"id": "1", "product": "a", "amount": 99999999999999999999}',
        LINES % (b'{"id": "1", "product": "%s"}' % (b"a" * 501)),
        b'{"id": "' + b"n" * 201 + b'", "type": "enrol", "subject": "card:1"}',
        b'{"id": "n", "type": "tick", "subject": "card:1"}',
        b'{"id": "n", "type": "enrol", "subject": "card:1", "time": "2025-03-01T09:00:00"}',
    ],
    ids=range(16),
)
def test_what_is_no_event_is_the_callers_fault(till: httpx.Client, body: bytes) -> None:
    headers = {"content-type": "application/json"}
    for path in ("/v1/events", "/v1/quotes"):
        answer = till.post(path, content=body, headers=headers)
        if answer.status_code == 200:  # a list, whose items are refused one by one
            assert all(each["recorded"] is False for each in answer.json())
        else:
            assert problem(answer) == (400, "malformed")


def test_a_body_is_json_and_not_too_large(till: httpx.Client) -> None:
    assert problem(till.post("/v1/events", content=b"{}")) == (415, "media-type")
    large = b"[" + b" " * (4 << 20) + b"]"
    headers = {"content-type": "application/json; charset=utf-8"}
    assert problem(till.post("/v1/events", content=large, headers=headers))[0] == 413
    chunks = (b" " * (1 << 20) for _ in range(6))
    assert problem(till.post("/v1/events", content=chunks, headers=headers))[0] == 413


def test_a_subject_that_is_none_leaves_its_id_unused(till: httpx.Client) -> None:
    answer = till.post("/v1/events", json={**buy("subject", "1"), "subject": "1"})
    assert problem(answer) == (422, "malformed-subject")
    assert till.post("/v1/events", json=buy("subject", "1")).status_code == 200


def test_an_answer_is_not_held_back_until_the_caller_has_confirmed_its_head(
    till: httpx.Client,
) -> None:
    """Of 21 answers one after the other, the middle one takes far less than the 40 ms of a delayed
    acknowledgement."""
    till.post("/v1/events", json=enrol("quick"))
    seconds = []
    for n in range(21):
        began = time.perf_counter()
        till.post("/v1/quotes", json=buy(f"quick-{n}", "quick"))
        seconds.append(time.perf_counter() - began)
    assert sorted(seconds)[10] < 0.035


def test_a_caller_who_hangs_up_in_the_middle_of_a_body_is_no_fault_of_ours(place: Place) -> None:
    where = urlsplit(place.server.address)
    head = f"POST /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {place.keys['club/till']}"
    with socket.create_connection((where.hostname, where.port)) as caller:
        caller.sendall(
            f"{head}\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{{".encode()
        )
        time.sleep(0.2)
    with place.client() as till:  # that the log names no fault is checked when the place closes
        assert till.get("/v1/programs").status_code == 200
