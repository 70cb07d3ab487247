"""Claims, transfers, households and referrals: between accounts, once, and nothing lost."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

import kantis.desk
from kantis.desk.verify import verify
from tests.doors.service.conftest import Place
from tests.doors.service.market import MARKET, begin_member, bought, post
from tests.doors.service.server import begin, served
from tests.doors.service.test_events import problem
from tests.doors.service.test_redemptions import books, purse

__all__ = ["books"]


def soon(client: httpx.Client, card: str, available: int) -> None:
    """A follow-up is decided with the next batch, or by itself within a moment."""
    for _ in range(100):
        found = client.get(f"/v1/accounts/card:{card}").json()["balances"]
        if found and found["points"]["available"] == str(available):
            return
        time.sleep(0.05)
    raise AssertionError((card, found))


# ── claims ────────────────────────────────────────────────────────────────────


def test_a_purchase_is_claimed_once_with_its_receipt(shop: httpx.Client) -> None:
    for card in ("claim-a", "claim-b"):
        begin_member(shop, card)
    alone = shop.post("/v1/events", json=bought("lone", "", 42, receipt="R-1")).json()
    assert alone["outcome"] == "alone"
    body = {"subject": "card:claim-a", "receipt": "R-1"}
    claimed = post(shop, "/v1/claims", body, "claim-1").json()
    assert claimed["entry"]["postings"][0]["amount"] == 42
    assert post(shop, "/v1/claims", body, "claim-1").json() == {**claimed, "again": True}
    other = post(shop, "/v1/claims", {**body, "subject": "card:claim-b"})
    assert problem(other) == (409, "unknown-receipt")
    assert purse(shop, "claim-a")["available"] == "42"


def test_a_receipt_is_claimed_in_time_and_in_its_program(market: Place, shop: httpx.Client) -> None:
    begin_member(shop, "late")
    old = bought("old-lone", "", 42, receipt="R-old")
    old["time"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 10 * 86_400))
    assert shop.post("/v1/events", json=old).json()["outcome"] == "alone"
    body = {"subject": "card:late", "receipt": "R-old"}
    assert problem(post(shop, "/v1/claims", body)) == (409, "claim-too-late")
    shop.post("/v1/events", json=bought("new-lone", "", 42, receipt="R-new"))
    with market.client("bazaar/shop") as other:
        begin_member(other, "late")
        answer = post(other, "/v1/claims", {"subject": "card:late", "receipt": "R-new"})
        assert problem(answer) == (409, "unknown-receipt")


def test_of_many_who_claim_at_once_exactly_one_gets_it(books: str) -> None:
    key = begin(books, "market", terms=MARKET)["market/shop"]
    with served(books) as one:
        clients = [one.client(key) for _ in range(16)]
        for n in range(16):
            begin_member(clients[0], f"race-{n}")
        clients[0].post("/v1/events", json=bought("lone", "", 42, receipt="R-race"))

        def claim(n: int) -> int:
            body = {"subject": f"card:race-{n}", "receipt": "R-race"}
            return post(clients[n], "/v1/claims", body, f"race-{n}").status_code

        with ThreadPoolExecutor(16) as pool:
            assert sorted(pool.map(claim, range(16))) == [200] + [409] * 15
        had = [clients[0].get(f"/v1/accounts/card:race-{n}").json() for n in range(16)]
        assert sum(int(x["balances"]["points"]["available"]) for x in had if x["balances"]) == 42
        for client in clients:
            client.close()
    with kantis.desk.open(books) as desk:
        assert verify(desk.books).ok


# ── transfers ─────────────────────────────────────────────────────────────────


def test_points_go_to_another_account(market: Place, shop: httpx.Client) -> None:
    begin_member(shop, "giver", 100)
    number = begin_member(shop, "taker")
    body: dict[str, Any] = {
        "subject": "card:giver", "to": "card:taker", "balance": "points", "amount": 30
    }  # fmt: skip
    sent = post(shop, "/v1/transfers", body, "gift-1").json()
    assert sent["entry"]["postings"][0]["to"] == "in transit"
    assert post(shop, "/v1/transfers", {**body, "to": "taker"}, "gift-1").json()["again"]
    soon(shop, "taker", 30)
    assert purse(shop, "giver")["available"] == "70"
    for to in ("card:nobody", "account:999999", "account:x"):
        answer = post(shop, "/v1/transfers", {**body, "to": to})
        assert problem(answer) == (404, "unknown-account")
    assert problem(post(shop, "/v1/transfers", {**body, "amount": 71})) == (409, "not-enough")
    with market.client("bazaar/shop") as other:
        begin_member(other, "giver", 100)
        answer = post(other, "/v1/transfers", {**body, "to": f"account:{number}"})
        assert problem(answer) == (404, "unknown-account")
    with market.client("market/till") as till:
        assert problem(post(till, "/v1/transfers", body)) == (403, "not-allowed")


# ── households ────────────────────────────────────────────────────────────────


def test_a_household_is_founded_joined_and_left(shop: httpx.Client) -> None:
    begin_member(shop, "mother", 100)
    begin_member(shop, "father", 50)
    home = begin_member(shop, "bystander")
    post(shop, "/v1/households", {"subject": "card:mother", "member": "mother"})
    members = "/v1/households/card:mother/members"
    assert post(shop, members, {"member": "child"}).status_code == 200
    joined = post(shop, "/v1/accounts/card:father/join", {"into": "mother", "member": "father"})
    assert joined.status_code == 200
    soon(shop, "mother", 150)
    found = shop.get("/v1/accounts/card:mother").json()
    assert {name: each["role"] for name, each in found["members"].items()} == {
        "mother": "lead", "child": "member", "father": "member",
    }  # fmt: skip
    assert shop.get("/v1/accounts/card:father").json()["shares"] == f"account:{found['account']}"
    mug = {"subject": "card:mother", "reward": "mug", "member": "child"}
    assert post(shop, f"{members}/child/permit", {"burns": False}).status_code == 200
    assert problem(post(shop, "/v1/redemptions", mug)) == (409, "may-not-burn")
    assert post(shop, f"{members}/child/permit", {"burns": True}).status_code == 200
    assert post(shop, "/v1/redemptions", mug).status_code == 201
    assert problem(post(shop, f"{members}/child/leave")) == (409, "nowhere-to-go")
    left = post(shop, f"{members}/child/leave", {"to": f"account:{home}"})
    assert left.status_code == 200
    found = shop.get("/v1/accounts/card:mother").json()
    assert set(found["members"]) == {"mother", "father"}
    assert problem(post(shop, f"{members}/uncle/leave")) == (409, "unknown-member")
    answer = post(shop, "/v1/accounts/card:father/join", {"into": "card:none", "member": "x"})
    assert problem(answer) == (404, "unknown-account")


def test_a_household_is_full(shop: httpx.Client) -> None:
    begin_member(shop, "full")
    path = "/v1/households/card:full/members"
    for name in ("a", "b", "c", "d", "e"):
        assert post(shop, path, {"member": name}).status_code == 200
    assert problem(post(shop, path, {"member": "f"})) == (409, "household-full")


# ── referrals ─────────────────────────────────────────────────────────────────


def test_a_friend_comes_and_both_get_something(shop: httpx.Client) -> None:
    by = begin_member(shop, "inviter")
    friend = begin_member(shop, "friend")
    body = {"subject": "card:friend", "referral": "friend", "by": "card:inviter"}
    assert post(shop, "/v1/referrals", body).status_code == 200
    assert problem(post(shop, "/v1/referrals", body)) == (409, "referred-already")
    seen = shop.get("/v1/accounts/card:friend/referrals").json()
    assert seen["came"] == [
        {"referral": "friend", "by": f"account:{by}", "done": False, "spent": "0.00"}
    ]
    assert seen["referrals"][0]["spends"] == "50.00"
    shop.post("/v1/events", json=bought("friend-1", "friend", 60))
    soon(shop, "inviter", 20)
    assert shop.get("/v1/accounts/card:friend/referrals").json()["came"][0]["done"]
    (brought,) = shop.get("/v1/accounts/card:inviter/referrals").json()["friends"]
    assert (brought["friend"], brought["points"]) == (f"account:{friend}", "20")


def test_nobody_invites_themselves_by_another_name(shop: httpx.Client) -> None:
    number = begin_member(shop, "alone")
    for by in ("alone", "card:alone", f"account:{number}"):
        body = {"subject": f"account:{number}", "referral": "friend", "by": by}
        assert problem(post(shop, "/v1/referrals", body)) == (409, "own-referral")
