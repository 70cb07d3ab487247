"""What a member can have, and the use of it."""

import httpx

from tests.doors.service.conftest import Place
from tests.doors.service.market import begin_member, bought, bring_vouchers, named, post
from tests.doors.service.test_events import problem
from tests.doors.service.test_redemptions import purse


def rewards(client: httpx.Client, card: str, **more: int) -> dict[str, dict[str, object]]:
    found = client.get(f"/v1/accounts/card:{card}/rewards", params=more).json()["rewards"]
    return named(found, "reward")


def test_rewards_say_what_can_be_had_and_how_far_it_is(shop: httpx.Client) -> None:
    begin_member(shop, "reach", 150)
    found = rewards(shop, "reach")
    assert list(found)[:3] == ["mug", "tote", "money-off"]
    mug, lamp, crown = found["mug"], found["lamp"], found["crown"]
    assert (mug["can"], mug["points"], mug["gives"], mug["missing"]) == (True, "100", "a mug", "0")
    assert (lamp["can"], lamp["code"], lamp["missing"]) == (False, "not-enough", "4850")
    assert (crown["code"], crown["missing"]) == ("reward-tier", "0")
    assert str(crown["why"]).endswith(".")
    assert (found["tote"]["left"], mug["left"]) == (1, None)
    assert rewards(shop, "reach", basket=150)["money-off"]["code"] == "below-minimum"
    paid = rewards(shop, "reach", basket=1_000)["money-off"]
    assert (paid["can"], paid["points"], paid["worth"]) == (True, "100", "1.00")


def test_what_is_said_to_be_had_is_had(shop: httpx.Client) -> None:
    begin_member(shop, "true", 130)
    for name, each in rewards(shop, "true", basket=500).items():
        body = {"subject": "card:true", "reward": name, "basket": 500}
        quoted = shop.post(
            "/v1/quotes",
            json={
                "type": "redeem",
                "subject": "card:true",
                "ask": True,
                "data": {**body, "subject": None},
            },
        )
        assert quoted.status_code == 400  # the subject is no field of the data
        held = post(shop, "/v1/redemptions", body)
        assert (held.status_code == 201) is each["can"], name
        if held.status_code == 201:
            post(shop, f"/v1/redemptions/{held.json()['id']}/release")
        else:
            assert problem(held) == (409, each["code"])


def test_the_stock_is_counted_for_all(shop: httpx.Client) -> None:
    begin_member(shop, "stock", 100)
    before = rewards(shop, "stock")["mug"]["stock"]
    assert isinstance(before, int)
    post(shop, "/v1/redemptions", {"subject": "card:stock", "reward": "mug"})
    assert rewards(shop, "stock")["mug"]["stock"] == before - 1


def test_titles_come_in_the_language_that_is_asked_for(shop: httpx.Client) -> None:
    begin_member(shop, "words", 1)
    path = "/v1/accounts/card:words/rewards"

    def title(said: str) -> str:
        answer = shop.get(path, headers={"accept-language": said})
        return str(named(answer.json()["rewards"], "reward")["mug"]["title"])

    assert title("fi") == "Muki"
    assert title("et-EE, fi;q=0.9") == "Kruus"
    assert title("sv;q=1, fi;q=0.2, vi;q=0.8") == "Cốc"
    assert title("sv, x;q=y") == title("") == "A mug"


def test_a_voucher_is_used_once(market: Place, shop: httpx.Client) -> None:
    begin_member(shop, "bread")
    with market.client("market/staff") as staff:
        bring_vouchers(staff, "bread", "bread-1", "bread-2")
    path = "/v1/accounts/card:bread/vouchers"
    found = named(shop.get(path).json()["vouchers"], "code")
    assert set(found) == {"bread-1", "bread-2"}
    told = found["bread-1"]
    assert (told["worth"], told["state"], told["least_basket"]) == ("3.00", "open", "10.00")
    use = f"{path}/bread-1/use"
    assert problem(post(shop, use, {"basket": 100})) == (409, "basket-too-small")
    used = post(shop, use, {"basket": 1_000}, "use-1")
    assert used.json()["entry"]["effects"] == [{"line": "", "rule": "bread", "off": 300}]
    assert post(shop, use, {"basket": 1_000}, "use-1").json()["again"]
    assert problem(post(shop, use, {"basket": 1_000}, "use-2")) == (409, "voucher-gone")
    assert list(named(shop.get(path).json()["vouchers"], "code")) == ["bread-2"]
    found = named(shop.get(path, params={"closed": True}).json()["vouchers"], "code")
    assert [each["state"] for each in found.values()] == ["open", "used"]
    assert problem(post(shop, f"{path}/none/use", {})) == (409, "unknown-voucher")


def test_an_offer_is_listed_loaded_and_used_up(shop: httpx.Client) -> None:
    begin_member(shop, "offers")
    path = "/v1/accounts/card:offers/offers"
    (offer,) = shop.get(path, headers={"accept-language": "fi"}).json()["offers"]
    assert (offer["offer"], offer["title"], offer["state"]) == ("tea-week", "Teeviikko", "open")
    assert (offer["says"], offer["left"], offer["loaded"]) == ("50 pistettä", 2, "")
    for uses in (1, 2):
        assert post(shop, f"{path}/tea-week/load").status_code == 200
        (offer,) = shop.get(path).json()["offers"]
        assert offer["state"] == "loaded"
        assert offer["loaded"]
        shop.post("/v1/events", json=bought(f"tea-{uses}", "offers", 1, category="tea"))
    (offer,) = shop.get(path).json()["offers"]
    assert (offer["state"], offer["used"], offer["left"]) == ("used up", 2, 0)
    assert problem(post(shop, f"{path}/tea-week/load")) == (409, "offer-used-up")
    assert purse(shop, "offers")["available"] == "102"
    for name, code in (("old", "offer-over"), ("for-gold", "offer-not-for-you")):
        assert problem(post(shop, f"{path}/{name}/load")) == (409, code)
    begin_member(shop, "golden", 600)
    found = shop.get("/v1/accounts/card:golden/offers").json()["offers"]
    assert set(named(found, "offer")) == {"tea-week", "for-gold"}


def test_an_entitlement_is_had_as_often_as_it_may_be(shop: httpx.Client) -> None:
    begin_member(shop, "coffee")
    path = "/v1/accounts/card:coffee/entitlements"
    (found,) = shop.get(path).json()["entitlements"]
    assert (found["entitlement"], found["good_for"], found["left"]) == (
        "coffee", "a coffee a day", 1,
    )  # fmt: skip
    assert post(shop, f"{path}/coffee/enjoy").status_code == 200
    assert shop.get(path).json()["entitlements"] == []
    assert problem(post(shop, f"{path}/coffee/enjoy")) == (409, "had-already")
    assert problem(post(shop, f"{path}/lounge/enjoy")) == (409, "not-entitled-tier")


def test_what_nobody_has_is_nowhere(market: Place, shop: httpx.Client) -> None:
    begin_member(shop, "private", 200)
    with market.client("bazaar/shop") as other:
        for what in ("rewards", "vouchers", "offers", "entitlements"):
            for ref in ("card:private", "private", "account:1", "card:a%00b", "account:%F0%9F"):
                answer = other.get(f"/v1/accounts/{ref}/{what}")
                assert problem(answer) == (404, "unknown-account")
        load = "/v1/accounts/card:private/offers/tea-week/load"
        assert problem(post(other, load)) == (404, "unknown-card")
