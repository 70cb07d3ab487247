"""What a member is told: why points wait, what is to be done, what came of it, and for how much."""

import re
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser

from tests.doors.web.looking import LOOKS, THEMES, tab
from tests.doors.web.test_joining import Site, card_of, opened

PARK = """\
program: club
title: {en: The Park, fi: Puisto, et: Park, vi: Công viên}
money: EUR
timezone: Europe/Helsinki
least age: 15
order: [prices, earning, counters, tiers, rewards]
balances: {points: {expires: 12 months after earning}}
counters:
  ever: {counts: purchases, window: ever}
  sum: {counts: spend, window: ever}
  spend: {title: {en: Spent}, counts: spend, window: calendar year}
tiers:
  status:
    by: spend
    levels: {green: from the start, gold: 100.00 EUR}
    titles: {gold: {en: Gold}}
    lasts: 12 months
    kept by: as much again
earning:
  shopping: {title: {en: Shopping}, give: 1 point per 1.00 EUR, available: after 2 days}
  cup: {title: {en: For a cup}, where: {category: cup}, give: 5 points}
  later: {where: {category: order}, give: 40 points, available: when confirmed}
  welcome: {for: enrol, give: 150 points}
  early: {for: enrol, give: 151 points, when: 2020-01-01 to 2020-02-01}
offers:
  breakfast: {title: {en: Breakfast}, if: {basket: at least 10.00 EUR}, give: 30 points, uses: 1}
challenges:
  visits: {title: {en: Three visits}, goal: 3 purchases, window: calendar month, give: 60 points}
  once: {title: {en: A small thing}, goal: 1 purchase, give: 1 point}
  past: {title: {en: Long ago}, goal: 1 purchase, when: 2020-01-01 to 2020-02-01, give: 1 point}
rewards:
  first: {title: {en: A biscuit}, reached: {ever: 1}, issued: by itself, gives: {voucher: cup}}
  big: {title: {en: A basket}, reached: {sum: 900.00 EUR}, issued: by itself, gives: {voucher: cup}}
  cup: {title: {en: Coffee on us}, cost: 120 points, gives: {voucher: cup}}
vouchers: {cup: {title: {en: One free cup}, valid: 3 months}}
choices: {favourite: {title: {en: Your favourite}, options: [cup, cake]}}
referrals:
  friend:
    title: {en: Bring a friend}
    spends: at least 20.00 EUR
    within: 60 days
    give: {friend: 50 points, referrer: 100 points}
"""


@pytest.fixture(scope="module")
def park(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("patron"), PARK) as site:
        yield site


def come(site: Site, client: httpx.Client, name: str, **more: str) -> str:
    """Somebody joins; their card."""
    site.join(client, f"{name}@example.org", given_name=name, **more)
    return card_of(client.get("/me").text)


def purchase(site: Site, id: str, card: str, *lines: tuple[str, str]) -> None:
    said = [
        {
            "id": str(n),
            "product": category,
            "category": category,
            "amount": int(amount.replace(".", "")),
        }
        for n, (category, amount) in enumerate(lines, 1)
    ]
    event = {"id": id, "type": "purchase", "subject": f"card:{card}", "data": {"lines": said}}
    answer = site.till.post("/v1/events", json=event)
    assert answer.status_code == 200, answer.text


def plain(page: str) -> str:
    """The words of a page, in one line."""
    return " ".join(re.sub(r"<[^>]+>", " ", page.partition("<main")[2]).split())


def test_pending_points_say_from_when_and_what_they_wait_for(park: Site) -> None:
    with park.browser() as anna:
        card = come(park, anna, "Pia")
        purchase(park, "wait-1", card, ("soup", "12.00"))
        purchase(park, "wait-2", card, ("soup", "3.00"), ("order", "5.00"))
        said = plain(anna.get("/me").text)
        assert "60 pending" in said
        assert re.search(r"20 points can be spent from \d+ \w+ 20\d\d \(earned on \d+ \w+", said)
        assert re.search(r"40 points wait to be confirmed \(earned on", said), said


def test_challenges_that_can_be_won_say_how_far_they_are(park: Site) -> None:
    with park.browser() as anna:
        card = come(park, anna, "Challenger")
        said = plain(anna.get("/me").text)
        assert "A small thing" in said
        purchase(park, "goes-1", card, ("soup", "12.00"))
        said = plain(anna.get("/me").text)
        assert "Three visits 60 points 1 of 3 purchases" in said
        assert "A small thing" not in said, "it is won, and does not come again"
        assert "Long ago" not in said


def test_the_highest_level_says_what_would_keep_it(park: Site) -> None:
    with park.browser() as anna:
        card = come(park, anna, "Golda")
        purchase(park, "gold-1", card, ("soup", "120.00"))
        said = plain(anna.get("/me").text)
        assert "On the way to" not in said
        assert "To keep Gold €" in said
        assert re.search(r"You have Gold until \d+ \w+ 20\d\d in any case", said)


def test_entries_of_several_sections_may_have_one_name(park: Site) -> None:
    """A rule, a reward, a voucher and a choice, all called ``cup``: each by its own title."""
    with park.browser() as anna:
        card = come(park, anna, "Namely")
        purchase(park, "cup-1", card, ("cup", "4.00"))
        form = re.search(r'name="form" value="(\w+)"', anna.get("/me/rewards").text)
        assert form is not None
        for path, about in (
            ("/me/rewards", {"reward": "cup"}),
            ("/me/choices", {"choice": "favourite", "value": "cup"}),
        ):
            assert anna.post(path, data=about | {"form": form[1]}).status_code in (303, 403)
        said = plain(anna.get("/me/history").text)
        assert "5 points for For a cup" in said
        assert "The choice of Your favourite is cup." in said


def test_history_says_what_was_bought_and_what_came_of_it(park: Site) -> None:
    with park.browser() as anna:
        card = come(park, anna, "Historia")
        purchase(park, "history-1", card, ("soup", "9.50"))
        said = plain(anna.get("/me/history").text)
        assert re.search(r"Purchase €9.50 \+10 points", said), said  # and 1 for a small thing
        assert "Joined +150 points" in said


def test_an_offer_says_what_it_asks_for(park: Site) -> None:
    with park.browser() as anna:
        come(park, anna, "Offa")
        said = plain(anna.get("/me/rewards").text)
        assert "Breakfast ready to load 30 points If Whole purchase: at least €10.00" in said


def test_the_page_to_join_says_what_joining_brings_and_who_may(park: Site) -> None:
    with park.browser() as host, park.browser() as friend:
        come(park, host, "Hosta")
        link = re.search(r"\?by=([\w-]+)", host.get("/me/friends").text)
        assert link is not None
        said = plain(friend.get("/p/club/join").text)
        assert "For joining you get: 150 points" in said
        assert "For joining you get: A biscuit with your first purchase" in said
        assert "For joining you get: A basket once you have spent €900.00 Members are at" in said
        assert "50 points once" not in said
        assert "151" not in said, "what holds for some, or for a time, stands in the terms"
        said = plain(friend.get("/p/club/join", params={"by": link[1]}).text)
        assert "For joining you get: 50 points once you have spent €20.00" in said
        card = come(park, friend, "Freund", by=link[1])
        purchase(park, "friend-1", card, ("soup", "8.00"))
        said = plain(friend.get("/me/friends").text)
        assert "A friend has invited you €12.00 to go, and you both get yours. until" in said
        purchase(park, "friend-2", card, ("soup", "12.00"))
        assert "A friend has invited you" not in plain(friend.get("/me/friends").text)


def test_who_brings_a_card_that_collects_already_is_not_welcomed_again(park: Site) -> None:
    event = {"id": "given", "type": "enrol", "subject": "card:4711", "data": {}}
    assert park.till.post("/v1/events", json=event).status_code == 200
    about = {"given_name": "Otto", "card": "4711"}
    for again in (201, 200):
        answer = park.counter.post("/v1/members", json=about, headers={"idempotency-key": "otto"})
        assert answer.status_code == again, answer.text
    account = park.counter.get("/v1/accounts/card:4711").json()
    assert account["balances"]["points"]["available"] == "150"
    about = {"given_name": "Neu", "card": "4712"}
    answer = park.counter.post("/v1/members", json=about, headers={"idempotency-key": "neu"})
    assert answer.status_code == 201, answer.text
    account = park.counter.get("/v1/accounts/card:4712").json()
    assert account["balances"]["points"]["available"] == "150"


@pytest.mark.browser
@pytest.mark.parametrize(("language", "width"), LOOKS)
def test_the_card_of_somebody_with_all_of_it(
    browser: Browser, park: Site, language: str, width: int
) -> None:
    with park.browser() as anna:
        card = come(park, anna, f"Look{language}{width}")
        purchase(park, f"look-{language}-{width}", card, ("soup", "12.00"), ("order", "5.00"))
        token = anna.cookies["member"]
    for theme in THEMES:
        with tab(browser, park.address, width, theme, language, session=token) as looked:
            for path in ("/me", "/me/history", "/me/rewards", "/me/friends", "/p/club/join"):
                looked.page.goto(path)
                assert looked.barriers() == [], path
                assert not looked.overflows(), path
            assert looked.complaints == []


@pytest.mark.browser
def test_a_link_is_copied_where_a_device_shares_nothing(browser: Browser, park: Site) -> None:
    with park.browser() as anna:
        come(park, anna, "Sharon")
        token = anna.cookies["member"]
    with tab(browser, park.address, session=token) as looked:
        looked.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        looked.page.goto("/me/friends")
        looked.page.evaluate("navigator.share = undefined")
        looked.page.get_by_role("button", name="Share the link").click()
        looked.page.get_by_role("button", name="Copied").wait_for()
        copied = looked.page.evaluate("navigator.clipboard.readText()")
        assert copied == looked.page.locator("#share").get_attribute("data-link")


def test_a_device_is_called_as_people_call_it(park: Site) -> None:
    agent = "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36"
    with park.browser() as anna:
        anna.headers["user-agent"] = agent
        come(park, anna, "Devi")
        assert "Chrome · Android" in plain(anna.get("/me/you").text)


@pytest.mark.browser
def test_a_card_without_a_network_says_so_and_looks_again(browser: Browser, park: Site) -> None:
    with park.browser() as anna:
        card = come(park, anna, "Offline")
        token = anna.cookies["member"]
    with tab(browser, park.address, session=token) as looked:
        page = looked.page
        page.goto("/me")
        page.evaluate("navigator.serviceWorker.ready.then(() => true)")
        page.wait_for_function("caches.match('/me').then(Boolean)")
        assert page.locator("#gone").is_hidden()
        page.context.set_offline(True)
        page.goto("/me/history")
        assert card in page.locator(".digits").inner_text()
        said = page.get_by_text("There is no network. This is your card as this device saw it")
        said.wait_for()
        assert re.search(r"20\d\d at \d", page.locator("#gone span").inner_text())
        page.context.set_offline(False)
        page.wait_for_load_state()
        page.get_by_role("heading", name="What happened, and why").wait_for()
