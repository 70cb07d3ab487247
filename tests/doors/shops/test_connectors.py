"""Each connector on the payloads that its shop documents, through the real desk."""

import json
from collections.abc import Iterator
from copy import deepcopy
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from kantis.desk import shops
from kantis.desk.orders import Known, Report, lowered, waits
from kantis.desk.verify import verify
from kantis.doors.shops import shopify, square, stripe, woocommerce
from kantis.doors.shops.reading import Mapping, Unreadable
from tests.doors.shops.stage import SETTINGS, Stage, payload, shopify_life


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with Stage(str(tmp_path / "books.db")) as stage:
        yield stage
        assert verify(stage.desk.books).ok


def told(kind: str, said: Any, topic: str = "", **settings: str) -> Any:
    module = {"shopify": shopify, "woocommerce": woocommerce, "square": square, "stripe": stripe}
    mapping = Mapping(kind, {"currency": "EUR"} | SETTINGS[kind] | settings)
    headers = {"x-shopify-topic": topic, "x-wc-webhook-topic": topic}
    return module[kind].read(mapping, headers, json.dumps(said).encode())


# ── Shopify ──────────────────────────────────────────────────────────────────


def test_shopify_prices_with_tax_and_discounts() -> None:
    (report,) = told("shopify", payload("shopify-order"), "orders/paid")
    coffee, mug = report.order.lines
    assert (coffee.product, coffee.quantity, coffee.brand) == ("COFFEE-250", 2, "Paulig")
    assert (coffee.amount, coffee.tax, coffee.discount) == (2500 - 250 - 434, 434, 250)
    assert (mug.amount, mug.tax, mug.discount) == (2700 - 270 - 468, 468, 270)
    assert report.order.tender == "shopify_payments"  # a gift card paid a part only
    assert report.order.total == 2250 + 2430
    assert report.order.receipt == "#1001"


def test_shopify_prices_without_tax() -> None:
    said = payload("shopify-order") | {"taxes_included": False}
    (report,) = told("shopify", said, "orders/paid")
    assert (report.order.lines[0].amount, report.order.lines[0].tax) == (2250, 434)


def test_shopify_in_the_money_of_the_customer() -> None:
    said = payload("shopify-order")
    (report,) = told("shopify", said, "orders/paid", currency="SEK")
    assert report.order.lines[0].amount == 28640 - 2864 - 4972
    with pytest.raises(Unreadable, match="EUR and SEK, not USD"):
        told("shopify", said, "orders/paid", currency="USD")


def test_shopify_shipping_and_gift_cards() -> None:
    said = payload("shopify-order") | {"payment_gateway_names": ["gift_card"]}
    said["line_items"][1]["gift_card"] = True
    (report,) = told("shopify", said, "orders/paid", shipping="yes")
    assert [line.category for line in report.order.lines] == ["", "gift-card", "shipping"]
    assert report.order.lines[2].amount == 490
    assert report.order.tender == "gift_card"


def test_shopify_whose_order_it_is() -> None:
    said = payload("shopify-order")
    (report,) = told("shopify", said, "orders/paid")
    assert report.order.subject == "card:shopify-207119551"
    said["note_attributes"] = [{"name": "club card", "value": " 6407 "}]
    (report,) = told("shopify", said, "orders/paid", card="field:club card")
    assert report.order.subject == "card:6407"
    said["customer"] = None
    assert told("shopify", said, "orders/paid")[0].order.subject == ""


def test_shopify_what_is_no_order_says_nothing() -> None:
    assert told("shopify", {"shop_id": 1}, "customers/redact") == []
    assert told("shopify", payload("shopify-order") | {"test": True}, "orders/paid") == []
    unpaid = payload("shopify-order") | {"financial_status": "pending"}
    assert not told("shopify", unpaid, "orders/create")[0].order.paid


def test_shopify_money_without_goods_lowers_the_price(stage: Stage) -> None:
    stage.member("shopify-9")
    stage.shopify(*shopify_life(9, 9)["paid"])
    refund = payload("shopify-refund") | {"order_id": 9, "refund_line_items": []}
    refund["transactions"][0]["amount"] = "10.00"
    stage.shopify("refunds/create", refund)
    # 37.78 before tax of 46.80; 10.00 of it came back: 37.78 x 36.80 / 46.80
    assert stage.stands("shopify-9")["counters"] == {"spend": "29.71", "orders": "1"}
    refund |= {"id": 1}
    refund["transactions"][0]["amount"] = "36.80"
    stage.shopify("refunds/create", refund)
    assert stage.stands("shopify-9")["counters"] == {"spend": "0.00", "orders": "0"}
    assert stage.flags() == []


def test_a_refund_waits_for_its_order(stage: Stage) -> None:
    stage.member("shopify-5")
    life = shopify_life(5, 5)
    assert stage.shopify(*life["part"]) == []

    assert [each.waiting for each in shops.shown(stage.desk.books) if each.told] == [1]
    outcomes = [each.key for each in stage.shopify(*life["paid"])]
    assert outcomes == ["shopify/order:5", "shopify/refund:51"]
    assert [each.waiting for each in shops.shown(stage.desk.books) if each.told] == [0]


def test_an_order_of_nobody_yet_waits_for_its_member(stage: Stage) -> None:
    life = shopify_life(6, 6)
    for name in ("paid", "part"):
        (result,) = stage.shopify(*life[name])
        assert result.outcome == "parked"
    stage.member("shopify-6")
    stage.desk.settle()
    assert stage.stands("shopify-6")["counters"] == {"spend": "28.70", "orders": "1"}


def test_an_order_that_gets_another_customer_goes_over(stage: Stage) -> None:
    for card in ("shopify-1", "shopify-2"):
        stage.member(card)
    paid = shopify_life(7, 1)["paid"][1]
    stage.shopify("orders/paid", paid)
    other = deepcopy(paid) | {"updated_at": "2026-03-01T12:15:00+02:00"}
    other["customer"]["id"] = 2
    stage.shopify("orders/updated", other)
    assert stage.stands("shopify-1")["counters"]["spend"] == "0.00"
    assert stage.stands("shopify-2")["counters"]["spend"] == "37.78"


# ── WooCommerce ──────────────────────────────────────────────────────────────


def test_woocommerce_reads_its_order() -> None:
    (report,) = told("woocommerce", payload("woocommerce-order"), "order.created")
    lines = [(n.id, n.product, n.quantity, n.amount, n.tax, n.discount) for n in report.order.lines]
    assert lines == [("315", "WOO-1", 2, 1800, 432, 200), ("316", "Bar3", 1, 1000, 240, 0)]
    assert (report.order.subject, report.order.paid) == ("card:woocommerce-26", True)
    guest = payload("woocommerce-order") | {"customer_id": 0}
    assert told("woocommerce", guest, "order.created")[0].order.subject == ""
    unpaid = payload("woocommerce-order") | {"date_paid_gmt": None, "status": "on-hold"}
    assert not told("woocommerce", unpaid, "order.created")[0].order.paid
    assert told("woocommerce", {"id": 1}, "product.updated") == []


def test_woocommerce_in_each_order_of_its_deliveries(stage: Stage) -> None:
    base = payload("woocommerce-order")
    later = base | {"status": "completed", "date_modified_gmt": "2026-03-01T10:20:00"}
    mapping = stage.kinds["woocommerce"].mapping
    found = []
    for number, order in enumerate(permutations(("base", "later", "lines", "base"))):
        stage.member(f"woocommerce-{number + 1}")
        about = {"id": number + 100, "customer_id": number + 1}
        told_of = {"refunds": [{"id": number, "reason": "", "total": "-11.16"}]}
        bodies = {"base": base | about, "later": later | about | told_of}
        fetched = woocommerce._refunds(mapping, [payload("woocommerce-refund") | {"id": number}])
        for name in order:
            if name == "lines":  # what asking the shop has told
                report = Report(f"order:{number + 100}", None, fetched)
                stage.desk.hear("woocommerce", shops.encode([report]))
            else:
                body = json.dumps(bodies[name]).encode()
                stage.hear("woocommerce", body, x_wc_webhook_topic="order.updated")
        stands = stage.stands(f"woocommerce-{number + 1}")
        if stands not in found:
            found.append(stands)
    (stands,) = found
    assert stands["counters"] == {"spend": "19.00", "orders": "1"}  # one of two came back


def test_woocommerce_refund_is_goods_or_money() -> None:
    mapping = Mapping("woocommerce", {"currency": "EUR"})
    (back,) = woocommerce._refunds(mapping, [payload("woocommerce-refund")])
    assert (back.lines, back.money) == ((("315", 1),), 0)
    more = payload("woocommerce-refund") | {"amount": "15.00"}
    (back,) = woocommerce._refunds(mapping, [more])
    assert (back.lines, back.money) == ((("315", 1),), 384)


# ── Square ───────────────────────────────────────────────────────────────────


def test_square_in_each_order_of_its_deliveries(stage: Stage) -> None:
    found = []
    for number, order in enumerate(permutations(("paid", "refund", "again", "rest"))):
        stage.member(f"square-c{number}")
        paid, refund = payload("square-payment"), payload("square-refund")
        inside = paid["data"]["object"]["payment"]
        inside |= {"id": f"P{number}", "customer_id": f"c{number}"}
        about = {"payment_id": f"P{number}", "id": f"R{number}"}
        refund["data"]["object"]["refund"] |= about
        rest = deepcopy(refund)
        rest["data"]["object"]["refund"] |= {
            "id": f"R2{number}", "amount_money": {"amount": 550, "currency": "EUR"}
        }  # fmt: skip
        bodies = {"paid": paid, "refund": refund, "again": paid, "rest": rest}
        for name in order:
            stage.hear("square", json.dumps(bodies[name]).encode())
        stands = stage.stands(f"square-c{number}")
        if stands not in found:
            found.append(stands)
    (stands,) = found
    assert stands["counters"] == {"spend": "25.50", "orders": "1"}


def test_square_leaves_out_tips_and_what_is_not_done() -> None:
    said = payload("square-payment")
    (report,) = told("square", said)
    assert (report.order.total, report.order.subject) == (
        4100,
        "card:square-RDX9Z4XTIZR7MRZJUXNY9HUK6I",
    )
    said["data"]["object"]["payment"]["status"] = "APPROVED"
    assert not told("square", said)[0].order.paid
    pending = payload("square-refund")
    pending["data"]["object"]["refund"]["status"] = "PENDING"
    assert told("square", pending) == []
    with pytest.raises(Unreadable, match="another merchant"):
        told("square", said, merchant="SOMEBODY")


def test_square_has_the_lines_of_its_order() -> None:
    mapping = Mapping("square", {"currency": "EUR"})
    (report,) = told("square", payload("square-payment"))
    lined = square._lined(mapping, report, payload("square-order")["order"])
    lines = [(n.product[:4], n.quantity, n.amount, n.tax) for n in lined.order.lines]
    assert lines == [("W62U", 2, 600, 72), ("BEMY", 1, 3060, 368)]


# ── Stripe ───────────────────────────────────────────────────────────────────


def stripe_life(number: int) -> dict[str, Any]:
    """Begun on 1 March at noon; a month later its invoice fails and is paid; then it is ended."""
    begun = payload("stripe-subscription")
    inside = begun["data"]["object"]
    inside |= {"id": f"sub_{number}", "customer": f"c{number}"}
    paid = payload("stripe-invoice")
    about = paid["data"]["object"]
    about["parent"]["subscription_details"]["subscription"] = f"sub_{number}"
    about["id"] = f"in_{number}"
    failed = deepcopy(paid) | {"type": "invoice.payment_failed", "created": 1772359258}
    failed["data"]["object"] |= {"status": "open"}
    failed["data"]["object"]["status_transitions"]["paid_at"] = None
    ends = deepcopy(begun) | {"type": "customer.subscription.updated", "created": 1772359300}
    ends["data"]["object"]["cancel_at_period_end"] = True
    return {"begun": begun, "failed": failed, "paid": paid, "ends": ends}


def test_stripe_in_each_order_of_its_deliveries(stage: Stage) -> None:
    found = []
    for number, order in enumerate(permutations(("begun", "paid", "failed", "begun"))):
        stage.member(f"stripe-c{number}")
        life = stripe_life(number)
        for name in order:
            stage.hear("stripe", json.dumps(life[name]).encode())
        stands = stage.stands(f"stripe-c{number}")
        if stands not in found:
            found.append(stands)
    (stands,) = found
    assert stands["plans"]["plus"]["state"] == "paid"
    assert stage.flags() == []


def test_stripe_ends_and_goes_on(stage: Stage) -> None:
    stage.member("stripe-c1")
    life = stripe_life(1)
    for name in ("begun", "ends"):
        stage.hear("stripe", json.dumps(life[name]).encode())
    assert not stage.stands("stripe-c1")["plans"]["plus"]["renews"]
    again = life["begun"] | {"type": "customer.subscription.updated", "created": 1772359400}
    stage.hear("stripe", json.dumps(again).encode())
    assert stage.stands("stripe-c1")["plans"]["plus"]["renews"]
    assert stage.flags() == []


def test_stripe_reads_both_shapes_of_an_invoice() -> None:
    new = payload("stripe-invoice")
    old = deepcopy(new)
    del old["data"]["object"]["parent"]
    old["data"]["object"]["subscription"] = "sub_1MowQVLkdIwHu7ixeRlqHVzs"
    assert told("stripe", new) == told("stripe", old)
    first = deepcopy(new)
    first["data"]["object"]["billing_reason"] = "subscription_create"
    assert told("stripe", first) == []
    with pytest.raises(Unreadable, match="No plan is named"):
        told("stripe", payload("stripe-subscription"), plans="price_other=plus")


# ── all of them ──────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", sorted(SETTINGS))
def test_what_cannot_be_read_is_said(kind: str) -> None:
    topics = {"shopify": "orders/paid", "woocommerce": "order.updated"}
    wrong: list[Any] = [[], 1, None, "x", {}, {"type": "payment.updated"}, {"id": {}}]
    for said in wrong:
        with pytest.raises(Unreadable):
            told(kind, said, topics.get(kind, ""))


def test_lowered_prices_add_up() -> None:
    (report,) = told("shopify", payload("shopify-order"), "orders/paid")
    lines = report.order.lines
    for money in range(0, 4680, 7):
        after = lowered(lines, money, report.order.total)
        left = sum(line.amount + line.tax for line in after)
        assert abs(left - (report.order.total - money)) <= 1
        assert all(line.amount >= 0 and line.tax >= 0 for line in after)


def test_nothing_known_waits_for_nothing() -> None:

    assert not waits(Known())
