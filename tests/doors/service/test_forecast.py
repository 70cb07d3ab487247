"""Quotes of a purchase say what each rule would do, and no more than what then happens."""

import statistics
import time
from typing import Any

import httpx
import pytest

from tests.doors.service.conftest import Place
from tests.doors.service.market import begin_member, bought, named, post


def quote(client: httpx.Client, card: str, *lines: dict[str, Any], **headers: str) -> Any:
    event = bought("", card)
    event["data"]["lines"] = [
        {"id": str(n), "product": "thing", **line} for n, line in enumerate(lines, 1)
    ]
    answer = client.post("/v1/quotes", json=event, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_each_rule_gives_or_says_why_not(shop: httpx.Client) -> None:
    begin_member(shop, "cast", 250)
    lines = {"category": "coffee", "quantity": 2, "amount": 900}, {"category": "tea", "amount": 300}
    found = quote(shop, "cast", *lines)["forecast"]
    gives = named(found["gives"], "rule")
    assert {rule: each["amount"] for rule, each in gives.items()} == {"all": 12, "coffee": 10}
    assert gives["coffee"]["base"] == 2
    silent = named(found["silent"], "rule")
    assert {rule: each["code"] for rule, each in silent.items()} == {
        "gold-extra": "tier", "slow": "no line that counts", "member": "no line that counts",
    }  # fmt: skip
    assert all(each["why"].endswith(".") for each in silent.values())
    assert found["offers"] == [
        {"offer": "tea-week", "title": "Tea week", "balance": "points", "amount": 50}
    ]
    (level,) = found["tiers"]
    assert level == {
        "group": "status", "level": "basic", "next": "gold",
        "way": [[{"counter": "spent", "missing": 23_800}]],
    }  # fmt: skip


def test_points_pay_what_the_reward_allows_of_the_lines(shop: httpx.Client) -> None:
    begin_member(shop, "pays", 1_000)
    line = {"amount": 1_000, "tags": ["member-price"]}
    found = quote(shop, "pays", line)
    assert found["entry"]["effects"] == [{"line": "1", "rule": "member", "off": 100}]
    assert found["forecast"]["pays"] == [
        {"reward": "money-off", "title": "", "balance": "points", "points": 400, "worth": 400}
    ]
    begin_member(shop, "pays-not", 20)
    (poor,) = quote(shop, "pays-not", line)["forecast"]["pays"]
    assert poor["code"] in ("not-enough", "below-minimum")
    assert "points" not in poor


def test_the_forecast_is_what_happens(shop: httpx.Client) -> None:
    begin_member(shop, "prophet", 470)
    line = {"category": "tea", "amount": 3_500}
    offers = "/v1/accounts/card:prophet/offers"
    before = quote(shop, "prophet", line)
    (would,) = before["forecast"]["offers"]
    post(shop, f"{offers}/tea-week/load")
    after = quote(shop, "prophet", line)
    assert after["forecast"]["offers"] == []
    gives = named(after["forecast"]["gives"], "rule")
    assert gives["tea-week"]["amount"] == would["amount"]
    assert after["forecast"]["tiers"][0]["level"] == "gold"
    event = bought("prophet-1", "prophet", 35, category="tea")
    did = shop.post("/v1/events", json=event).json()["entry"]
    assert did["rules"] == after["entry"]["rules"]
    assert after["forecast"]["gives"] == did["rules"]


def test_a_loaded_offer_that_does_nothing_says_why(shop: httpx.Client) -> None:
    begin_member(shop, "idle", 10)
    post(shop, "/v1/accounts/card:idle/offers/tea-week/load")
    found = quote(shop, "idle", {"category": "bread", "amount": 300})["forecast"]
    assert named(found["silent"], "rule")["tea-week"]["code"] == "no line that counts"
    assert found["offers"] == []


def test_who_has_no_card_hears_what_they_would_get(shop: httpx.Client) -> None:
    found = quote(shop, "", {"category": "coffee", "amount": 450})
    assert found["outcome"] == "alone"
    gives = named(found["forecast"]["gives"], "rule")
    assert {rule: each["amount"] for rule, each in gives.items()} == {"all": 4, "coffee": 5}
    assert "forecast" not in shop.post("/v1/quotes", json=bought("", "unknown-card")).json()


def test_titles_come_in_the_language_that_is_asked_for(shop: httpx.Client) -> None:
    begin_member(shop, "quote-fi", 1)
    line = {"category": "tea", "amount": 100}
    (offer,) = quote(shop, "quote-fi", line, **{"accept-language": "fi"})["forecast"]["offers"]
    assert offer["title"] == "Teeviikko"


def test_a_quote_writes_nothing_and_is_no_slower_than_a_purchase(market: Place) -> None:
    with market.client("market/shop") as shop:
        begin_member(shop, "pace", 300)
        before = shop.get("/v1/accounts/card:pace").json()
        took: dict[str, list[float]] = {"quotes": [], "events": []}
        for n in range(60):
            for what, times in took.items():
                event = bought(f"pace-{what}-{n}", "pace", 10, category="coffee")
                started = time.perf_counter()
                assert shop.post(f"/v1/{what}", json=event).status_code == 200
                times.append(time.perf_counter() - started)
            if not n:
                account = shop.get("/v1/accounts/card:pace").json()
                assert account["counters"]["spent"] == "310.00"
        assert before["counters"]["spent"] == "300.00"
        medians = {what: statistics.median(times) for what, times in took.items()}
        assert medians["quotes"] < 1.5 * medians["events"], medians


@pytest.mark.parametrize("kind", ["redeem", "enrol"])
def test_only_purchases_are_forecast(shop: httpx.Client, kind: str) -> None:
    begin_member(shop, f"other-{kind}", 200)
    data = {"reward": "mug"} if kind == "redeem" else {}
    event = {"type": kind, "subject": f"card:other-{kind}", "data": data}
    assert "forecast" not in shop.post("/v1/quotes", json=event).json()
    purchases = [bought("x-1", f"other-{kind}"), bought("x-2", f"other-{kind}")]
    assert all("forecast" not in each for each in shop.post("/v1/quotes", json=purchases).json())
