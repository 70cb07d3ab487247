"""An account in full, and statements that add up."""

from typing import Any

import httpx
import pytest

from tests.doors.service.conftest import Place
from tests.doors.service.market import begin_member, bought, post
from tests.doors.service.test_events import problem

Purses = dict[str, dict[str, str]]


def pages(client: httpx.Client, card: str, **more: Any) -> tuple[Purses, list[Any], Purses]:
    """Opening, all movements and closing, over all pages."""
    path, cursor, seen = f"/v1/accounts/card:{card}/statements", "", []
    while True:
        page = client.get(path, params={**more, "cursor": cursor})
        assert page.status_code == 200, page.text
        found = page.json()
        seen += found["movements"]
        if found["next"] is None:
            return found["opening"], seen, found["closing"]
        cursor = found["next"]


def added(purses: Purses, *changes: Purses) -> dict[tuple[str, str], int]:
    """What purses hold after changes, without what is empty."""
    found: dict[tuple[str, str], int] = {}
    for each in (purses, *changes):
        for balance, purse in each.items():
            for place, amount in purse.items():
                found[balance, place] = found.get((balance, place), 0) + int(amount)
    return {key: amount for key, amount in found.items() if amount}


@pytest.fixture
def busy(shop: httpx.Client) -> str:
    """The card of a member with purchases, a refund, a hold, a redemption and a debt."""
    card = f"busy-{len(_BUSY)}"
    _BUSY.append(card)
    begin_member(shop, card, 300)
    body = {"subject": f"card:{card}", "reward": "mug"}
    post(shop, "/v1/redemptions", body, f"{card}-a")
    post(shop, f"/v1/redemptions/{card}-a/capture")
    post(shop, "/v1/redemptions", body, f"{card}-b")
    lamp = {"reward": "money-off", "points": 100}
    spent = {"id": f"{card}-c", "type": "redeem", "subject": f"card:{card}", "data": lamp}
    back = {"id": f"{card}-d", "type": "refund", "data": {"of": f"first-{card}"}}
    slow = bought(f"{card}-e", card, 1, category="slow")
    for event in (spent, back, slow):
        assert shop.post("/v1/events", json=event).status_code == 200
    return card


_BUSY: list[str] = []


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_a_statement_adds_up_however_it_is_paged(shop: httpx.Client, busy: str, limit: int) -> None:
    opening, movements, closing = pages(shop, busy, limit=limit)
    assert opening == {}
    seqs = [each["seq"] for each in movements]
    assert seqs == sorted(set(seqs))
    assert len(seqs) == 7
    at = opening
    for each in movements:
        before = {name: purse for name, purse in at.items() if name in each["after"]}
        assert added(before, each["changes"]) == added(each["after"])
        assert each["sentences"]
        at = {**at, **each["after"]}
    assert added(opening, *(each["changes"] for each in movements)) == added(closing)
    account = shop.get(f"/v1/accounts/card:{busy}").json()
    assert closing == account["balances"]


def test_a_statement_that_leaves_a_movement_out_is_caught(shop: httpx.Client, busy: str) -> None:
    """The twin."""
    opening, movements, closing = pages(shop, busy)
    changes = [each["changes"] for each in movements[:-1]]
    assert added(opening, *changes) != added(closing)


def test_the_closing_of_one_day_is_the_opening_of_the_next(market: Place) -> None:
    with market.client("market/staff") as staff:
        begin_member(staff, "days")
        today = staff.get("/v1/accounts/card:days/statements").json()["last"]
        staff.post("/v1/events", json=bought("days-1", "days", 40))
        before = pages(staff, "days", to="2020-01-31")
        assert before == ({}, [], {})
        _, movements, closing = pages(staff, "days", **{"from": today, "to": today})
        assert [each["event"] for each in movements] == ["market-staff/days-1"]
        later = pages(staff, "days", **{"from": "9999-12-31"})
        assert later == (closing, [], closing)
        earliest = pages(staff, "days", **{"from": "0001-01-01", "to": "9999-12-31"})
        assert earliest[2] == closing


def test_what_is_no_stretch_of_days_is_refused(shop: httpx.Client) -> None:
    begin_member(shop, "wrong")
    path = "/v1/accounts/card:wrong/statements"
    for query in ({"from": "2025-02-01", "to": "2025-01-01"}, {"from": "x"}, {"limit": 0}):
        assert problem(shop.get(path, params=query)) == (400, "malformed")
    assert problem(shop.get(path, params={"cursor": "x"})) == (400, "bad-cursor")


def test_an_account_says_all_that_a_member_asks(shop: httpx.Client) -> None:
    begin_member(shop, "all", 120)
    shop.post("/v1/events", json=bought("all-1", "all", 1, category="slow"))
    post(shop, "/v1/redemptions", {"subject": "card:all", "reward": "mug"}, "all-hold")
    found = shop.get("/v1/accounts/card:all").json()
    assert found["balances"]["points"] == {
        "available": "21", "pending": "10", "held": "100", "owed": "0", "voucher": "0",
        "payout": "0",
    }  # fmt: skip
    (waiting,) = found["waiting"]
    assert (waiting["amount"], waiting["group"]) == ("10", "")
    assert waiting["opens"].endswith("Z")
    status = found["tiers"]["status"]
    assert (status["level"], status["next"], status["keep"]) == ("basic", "gold", [])
    assert status["way"] == [
        [{"counter": "spent", "has": "121.00", "takes": "500.00", "missing": "379.00"}]
    ]
    (hold,) = found["holds"]
    assert (hold["key"], hold["points"]) == ("market-shop/all-hold", "100")
    assert found["lots"][0]["until"] != "never"


def test_an_account_that_is_unchanged_is_not_sent_again(shop: httpx.Client) -> None:
    begin_member(shop, "still", 10)
    for what in ("", "/statements", "/rewards", "/vouchers", "/offers", "/entitlements"):
        path = f"/v1/accounts/card:still{what}"
        tag = shop.get(path).headers["etag"]
        same = shop.get(path, headers={"if-none-match": tag})
        assert (same.status_code, same.content) == (304, b"")
    tag = shop.get("/v1/accounts/card:still").headers["etag"]
    shop.post("/v1/events", json=bought("still-1", "still"))
    answer = shop.get("/v1/accounts/card:still", headers={"if-none-match": tag})
    assert answer.status_code == 200
