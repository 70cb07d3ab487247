"""A program with something of everything around an account, and short ways to call for it."""

import itertools
from collections.abc import Iterable
from typing import Any

import httpx

MARKET = """\
program: {name}
money: EUR
timezone: Europe/Helsinki
claims: within 30 days

balances:
  points: {{expires: 12 months after earning}}

counters:
  spent: {{counts: spend, window: calendar year}}

tiers:
  status:
    by: spent
    levels: {{basic: from the start, gold: 500.00 EUR}}
    lasts: to the end of the next calendar year

prices:
  member: {{where: {{tag: member-price}}, off: 10 %}}

earning:
  all: {{give: 1 point per 1 EUR}}
  coffee: {{where: {{category: coffee}}, give: 5 points per item}}
  gold-extra: {{who: {{status: gold or higher}}, give: 1 point per 1 EUR}}
  slow: {{where: {{category: slow}}, give: 10 points per item, available: after 30 days}}

offers:
  tea-week:
    title: {{en: Tea week, fi: Teeviikko}}
    where: {{category: tea}}
    give: 50 points
    uses: 2
  old: {{give: 5 points, when: 2020-01-01 to 2020-12-31}}
  for-gold: {{who: {{status: gold or higher}}, give: 7 points}}

rewards:
  mug:
    title: {{en: A mug, fi: Muki, et: Kruus, vi: Cốc}}
    cost: 100 points
    gives: {{voucher: mug}}
    stock: 1000
  lamp: {{cost: 5000 points, gives: a lamp}}
  tote: {{cost: 10 points, gives: a bag, per member: 1}}
  crown: {{cost: 1 point, gives: a crown, who: {{status: gold or higher}}}}
  money-off: {{rate: 1.00 EUR per 100 points, pays at most: 50 %, step: 100 points}}

vouchers:
  mug: {{good for: a mug, valid: 6 months}}
  bread: {{title: {{en: Bread, fi: Leipä}}, worth: 3.00 EUR, least basket: 10.00 EUR}}

entitlements:
  coffee:
    title: {{en: Free coffee, fi: Kahvi}}
    good for: a coffee a day
    cap: 1 time per calendar day
  lounge: {{who: {{status: gold or higher}}, good for: the lounge}}

households:
  family: {{members: at most 3, may burn: whom the lead permits}}

referrals:
  friend: {{spends: at least 50.00 EUR, give: 20 points}}
"""

_numbers = itertools.count(1)


def post(client: httpx.Client, path: str, body: Any = None, key: str = "") -> httpx.Response:
    """Call for a deed, with an id of its own unless one is named."""
    headers = {"idempotency-key": key or f"deed-{next(_numbers)}"}
    return client.post(path, json=body, headers=headers)


def begin_member(client: httpx.Client, card: str, euros: int = 0, **line: Any) -> int:
    """A new member who has bought for so much; their account."""
    events: list[dict[str, Any]] = [
        {"id": f"enrol-{card}", "type": "enrol", "subject": f"card:{card}"}
    ]
    if euros:
        events.append(bought(f"first-{card}", card, euros, **line))
    answers = client.post("/v1/events", json=events).json()
    assert {each["outcome"] for each in answers} == {"decided"}, answers
    return int(answers[0]["account"])


def bought(id: str, card: str, euros: int = 10, **more: Any) -> dict[str, Any]:
    """A purchase of one line."""
    receipt = more.pop("receipt", "")
    line = {"id": "1", "product": "thing", "amount": euros * 100, **more}
    subject = f"card:{card}" if card else ""
    data = {"lines": [line], "receipt": receipt}
    return {"id": id, "type": "purchase", "subject": subject, "data": data}


def bring_vouchers(staff: httpx.Client, card: str, *codes: str) -> None:
    """A member brings vouchers for bread, each good for 3.00."""
    vouchers = [{"code": code, "kind": "bread", "worth": 300} for code in codes]
    event = {
        "id": f"bring-{codes[0]}", "type": "carry", "subject": f"card:{card}",
        "data": {"origin": "opening", "vouchers": vouchers},
    }  # fmt: skip
    assert staff.post("/v1/events", json=event).status_code == 200


def named(found: Iterable[dict[str, Any]], key: str) -> dict[str, dict[str, Any]]:
    """Items of a list by what they are called."""
    return {each[key]: each for each in found}
