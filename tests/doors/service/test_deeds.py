"""Every call that makes an event: whatever nonsense it is sent, nobody gets a fault."""

import itertools
import json
import re
from typing import Any

import httpx
import msgspec
import pytest

import kantis.desk
from kantis.desk import keys
from kantis.doors.api.deeds import Deed
from kantis.doors.api.resources import DEEDS
from tests.doors.service.conftest import Place
from tests.doors.service.market import begin_member, post
from tests.doors.service.test_events import problem

WRONG: list[Any] = [None, 1.5, [], {}, True, 1 << 60, -(1 << 60), "\0", "\ud800"]
ODD: list[Any] = ["", "card:", "account:", "account:1", "a" * 400, "\u202e", -1, 0, (1 << 53) - 1]
NAMES = ["1", "card:1", "account:1", "account:0", "%00", "%2F", "a" * 300, "%E2%80%AE", "place:1"]


def told(client: httpx.Client, path: str, body: bytes, key: str) -> httpx.Response:
    headers = {"idempotency-key": key, "content-type": "application/json"}
    return client.post(path, content=body, headers=headers)


def bodies(deed: Deed) -> list[dict[str, Any]]:
    """A plain request, and for each of its fields one with each odd or wrong value there."""
    fields = msgspec.structs.fields(deed.said)
    plain = {each.name: 1 if "int" in str(each.type) else "1" for each in fields if each.required}
    found = [plain, {**plain, "unknown": 1}, {}]
    for each, value in itertools.product(fields, WRONG + ODD):
        found.append({**plain, each.name: value})
    return found


@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: deed.name)
def test_nonsense_is_refused_and_never_a_fault(market: Place, deed: Deed) -> None:
    with market.client("market/staff") as staff:
        begin_member(staff, f"odd-{deed.name}", 50)
        path = re.sub(r"\{\w+\}", "1", deed.path)
        for n, body in enumerate(bodies(deed)):
            said = json_of(body)
            answer = told(staff, path, said, f"odd-{deed.name}-{n}")
            assert answer.status_code < 500, (path, said, answer.text)
        for n, name in enumerate(NAMES if "{" in deed.path else ()):
            answer = told(staff, re.sub(r"\{\w+\}", name, deed.path), b"{}", f"at-{deed.name}-{n}")
            assert answer.status_code < 500, (name, answer.text)
        for body in (b"", b"[]", b"{", b"null", b"\xff", b'"' * 9):
            answer = told(staff, path, body, f"raw-{deed.name}")
            assert answer.status_code < 500, (path, body, answer.text)


def json_of(body: dict[str, Any]) -> bytes:
    """JSON, also of what is no text."""
    return json.dumps(body).encode()


def test_a_key_of_one_location_speaks_for_no_other(market: Place) -> None:
    with kantis.desk.open(market.server.store) as desk:
        about = "harbour", "market", "till", "market-harbour", "harbour"
        secret, _ = keys.make(desk, *about)
    with market.client("market/shop") as shop:
        begin_member(shop, "harbour", 500)
    with market.server.client(secret) as till:
        body = {"subject": "card:harbour", "reward": "mug"}
        answer = post(till, "/v1/redemptions", {**body, "location": "station"})
        assert problem(answer) == (403, "other-location")
        assert post(till, "/v1/redemptions", body).status_code == 201
