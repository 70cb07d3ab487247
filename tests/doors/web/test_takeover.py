"""A thief with a member's session: nothing leaves but over the counter, and one press ends it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser

from kantis.core.calendar import DAY_MS
from kantis.core.events import Enrol, Event, Line, Purchase
from kantis.desk import keys, sessions, staff
from kantis.desk.audit import By
from kantis.desk.submit import Desk
from tests.doors.service.server import buy
from tests.doors.service.test_events import problem
from tests.doors.web.letters import link, lock
from tests.doors.web.looking import LOOKS, WIDTHS, tab
from tests.doors.web.test_email import addresses, come
from tests.doors.web.test_joining import CLUB, Site, _hidden, card_of, opened

SOURCE = (
    CLUB.replace("rewards: {off: {cost: 100 points, gives: 5.00 EUR off}}\n", "")
    + """\
rewards:
  off: {rate: 1.00 EUR per 20 points}
  mug: {cost: 100 points, gives: {voucher: mug}}
  lamp: {cost: 500 points, gives: {voucher: lamp}}
vouchers: {mug: {good for: a mug}, lamp: {good for: a lamp}}
households: {family: {members: at most 3, may burn: any member}}
"""
)


class House:
    """A service, and what is known of it: keys and sessions by name."""

    def __init__(self, site: Site, known: dict[str, str]) -> None:
        self.site, self.known = site, known

    def caller(self, name: str) -> httpx.Client:
        return httpx.Client(
            base_url=self.site.address, headers={"authorization": f"Bearer {self.known[name]}"}
        )

    def signed_in(self, name: str) -> httpx.Client:
        client = self.site.browser()
        for cookie in ("session", "member"):
            client.cookies.set(cookie, self.known[name])
        return client

    def points(self, card: str) -> str:
        found = self.site.till.get(f"/v1/accounts/card:{card}").json()
        return str(found["balances"]["points"]["available"])


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    known: dict[str, str] = {}
    folder: Path = tmp_path_factory.mktemp("takeover")

    def prepare(desk: Desk) -> None:
        for scope in ("shop", "staff"):
            known[scope], _ = keys.make(desk, scope, "club", scope, f"{scope}-1")
        now = desk.clock()
        for card in ("2", "3"):
            enrol = Event("till", card, now, f"card:{card}", Enrol())
            body = Purchase((Line("1", "tea", 1, 200_000),))
            desk.submit([enrol, Event("till", f"b{card}", now, f"card:{card}", body)])
        long_ago = now - 10 * DAY_MS
        known["known phone"] = sessions.begin(desk, "phone", account=2, since=long_ago)
        known["new phone"] = sessions.begin(desk, "phone", account=3)
        number, _ = staff.invite(desk, "boss", "The boss", "owner", "", By("test"))
        known["stale boss"] = sessions.begin(desk, "desk", staff=number)
        desk.clock = lambda: now + 15 * 60_000
        known["boss"] = sessions.begin(desk, "desk", staff=number)

    with opened(folder, SOURCE, prepare) as site:
        yield House(site, known)


def robbed(house: House, card: str, thief: httpx.Client, prefix: str) -> dict[str, Any]:
    """All ways by which points leave, tried one after the other; what came of each."""
    subject, found = f"card:{card}", {}
    page = thief.get("/me/rewards").text
    form = _hidden(page, "form") if 'name="form"' in page else "x"
    for name in ("mug", "lamp"):
        answer = thief.post("/me/rewards", data={"reward": name, "form": form + name})
        found[f"portal {name}"] = answer.headers.get("location", answer.status_code)
    calls = {
        "hold": ("/v1/redemptions", {"subject": subject, "reward": "mug"}),
        "transfer": ("/v1/transfers", {"subject": subject, "balance": "points", "amount": 100,
                                       "to": "card:2"}),
        "use": (f"/v1/accounts/{subject}/vouchers/none/use", {}),
    }  # fmt: skip
    with house.caller("shop") as shop:
        for name, (path, body) in calls.items():
            answer = shop.post(path, json=body, headers={"idempotency-key": f"{prefix}-{name}"})
            found[name] = answer.json().get("code", answer.status_code)
        event = buy(f"{prefix}-pay", card, 9)
        event["ask"], event["data"]["points"] = True, {"off": 100}
        found["pay"] = shop.post("/v1/events", json=event).json().get("code", "paid")
    return found


def into_household(site: Site, host: httpx.Client, email: str) -> httpx.Response:
    """Somebody else joins the household of a member, whose points they could spend then."""
    page = host.post("/me/household/invite").text
    code = page.split("join?code=")[1].split('"')[0].split("<")[0]
    with site.browser() as helper:
        site.join(helper, email)
        return helper.post("/me/household/join", data={"code": code})


def test_nobody_invites_on_an_old_sign_in(house: House) -> None:
    with house.signed_in("known phone") as member:
        assert member.post("/me/household/invite").status_code == 403
    with house.site.browser() as host:
        house.site.join(host, "hosts@example.org")
        answer = into_household(house.site, host, "guest@example.org")
        assert answer.headers["location"] == "/me/household?joined=1", "the twin"


def test_nothing_leaves_and_one_press_ends_it(house: House) -> None:
    site = house.site
    with site.browser() as thief, site.browser() as owner:
        come(site, thief, "victim@example.org")  # whoever has the session is signed in
        card = card_of(thief.get("/me").text)
        site.till.post("/v1/events", json=buy("victim-buys", card, 1_000))
        thief.post("/me/email", data={"email": "thief@example.org"})
        thief.post(link(site.letters.to("thief@example.org")))
        assert addresses(thief)[0] == "thief@example.org"
        warned = lock(site.letters.to("victim@example.org", 2))

        found = robbed(house, card, thief, "first")
        assert found.pop("portal mug") == found.pop("portal lamp") == "/me/rewards?no=1#main"
        assert set(found.values()) == {"address-changed"}, found
        assert house.points(card) == "1000"
        assert "for three days points are spent in the shop only" in thief.get("/me").text
        answer = thief.post("/me/email", data={"email": "another@example.org"})
        assert answer.status_code == 422, "it changes back only"
        assert thief.post("/me/leave", data={"sure": "1"}).status_code == 422
        assert into_household(site, thief, "helper@example.org").status_code == 422

        mug = {"subject": f"card:{card}", "reward": "mug"}
        head = {"idempotency-key": "at-the-counter"}
        taken = site.till.post("/v1/redemptions", json=mug, headers=head)
        assert taken.status_code == 201, "somebody stands there"
        site.till.post("/v1/redemptions/at-the-counter/capture", headers={"idempotency-key": "c"})
        assert house.points(card) == "900"

        assert "It was not me" in owner.get(warned).text
        assert "Your card is locked" in owner.post(warned, data={"do": "lock"}).text
        assert thief.get("/me").status_code == 303
        thief.post("/me/sign-in", data={"email": "thief@example.org"})
        late = site.letters.to("thief@example.org", 2)
        assert thief.post(link(late)).status_code == 404, "no other link signs in to it"
        answer = site.till.post("/v1/redemptions", json=mug, headers={"idempotency-key": "again"})
        assert problem(answer) == (422, "account-locked")
        answer = site.till.post("/v1/events", json=buy("victim-goes-on", card, 50))
        assert answer.json()["outcome"] == "decided"

        owner.post(warned, data={"do": "unlock"})
        assert owner.post(link(site.letters.to("victim@example.org", 3))).status_code == 303
        assert addresses(owner) == ("victim@example.org", "")
        cancel = {"id": "undo", "type": "cancel", "subject": f"card:{card}",
                  "data": {"of": "at-the-counter"}}  # fmt: skip
        answer = site.till.post("/v1/events", json=cancel)
        assert answer.json()["outcome"] == "decided", answer.text
        assert house.points(card) == "1050", "a reversal brings it back"
        entries = site.till.get(f"/v1/accounts/card:{card}/entries").text
        assert '"adjusted"' not in entries
        answer = site.till.post("/v1/redemptions", json=mug, headers={"idempotency-key": "again"})
        assert answer.status_code == 201, "the id was not used up"


@pytest.mark.browser
@pytest.mark.parametrize(("language", "width"), LOOKS)
def test_the_lock_in_each_language(
    browser: Browser, house: House, language: str, width: int
) -> None:
    """One press in a browser; and what whoever looks after it sees in the console."""
    site, email = house.site, f"{language}{width}-lock@example.org"
    theme = "dark" if width == WIDTHS[0] else "light"
    with site.browser() as client:
        come(site, client, email)
        client.post("/me/email", data={"email": f"new-{email}"})
        warned = lock(site.letters.to(email, 2))
    with tab(browser, site.address, width, theme, language) as looked:
        looked.page.goto(warned)
        assert looked.barriers() == []
        looked.page.locator("main button").click()
        looked.page.locator("button[value=unlock]").wait_for()
        assert looked.barriers() == []
        assert not looked.overflows()
        assert looked.complaints == []
    boss = house.known["boss"]
    with tab(browser, site.address, width, theme, language, session=boss) as looked:
        looked.page.goto("/c/club/safety")
        looked.page.locator("section[aria-labelledby=accounts] a").last.click()
        assert looked.page.locator("form[action$='/free']").count() == 1
        # a link to the card would not open, so none is made
        assert looked.page.locator("form[action$='/link']").count() == 0
        path = looked.page.evaluate("location.pathname")
        with house.signed_in("boss") as client:
            answer = client.post(f"{path}/link")
            assert (answer.status_code, answer.headers["location"]) == (303, path)
        assert looked.barriers() == []
        assert not looked.overflows()


def test_without_another_address_all_of_it_leaves(house: House) -> None:
    """The twin: the same calls on an account whose address has not changed."""
    site = house.site
    with site.browser() as member:
        come(site, member, "calm@example.org")
        card = card_of(member.get("/me").text)
        site.till.post("/v1/events", json=buy("calm-buys", card, 1_000))
        found = robbed(house, card, member, "calm")
        assert found["portal mug"] == found["portal lamp"] == "/me/rewards?taken=1#main"
        assert (found["hold"], found["transfer"], found["pay"]) == (201, 200, "paid"), found
        assert house.points(card) == "104"  # 4 for what was paid in money
        assert "a mug" in member.get("/me").text


def test_a_key_that_changes_the_address_is_told_and_holds_too(house: House) -> None:
    site = house.site
    with house.caller("shop") as shop:
        said = {"given_name": "Ida", "email": "ida@example.org", "phone": "+358401112223"}
        made = shop.post("/v1/members", json=said, headers={"idempotency-key": "ida"}).json()
        card, path = made["cards"][0]["card"], f"/v1/members/{made['id']}"
        site.till.post("/v1/events", json=buy("ida-buys", card, 500))
        etag = shop.get(path).headers["etag"]
        answer = shop.patch(path, json={"email": "stolen@example.org"}, headers={"if-match": etag})
        assert answer.status_code == 200, answer.text
        assert lock(site.letters.to("ida@example.org"))
        body = {"subject": f"card:{card}", "reward": "mug"}
        answer = shop.post("/v1/redemptions", json=body, headers={"idempotency-key": "ida-1"})
        assert problem(answer) == (422, "address-changed")
        etag = shop.get(path).headers["etag"]
        answer = shop.patch(path, json={"email": "more@example.org"}, headers={"if-match": etag})
        assert problem(answer) == (409, "changed-of-late")
        with house.signed_in("boss") as boss:
            number = made["account"]
            assert "for three days" in boss.get(f"/c/club/members/{number}").text
            assert boss.post(f"/c/club/members/{number}/free").status_code == 303
        answer = shop.post("/v1/redemptions", json=body, headers={"idempotency-key": "ida-1"})
        assert answer.status_code == 201
        etag = shop.get(path).headers["etag"]
        shop.patch(path, json={"phone": "+358409998887"}, headers={"if-match": etag})
        told = site.letters.to("stolen@example.org")
        assert "Another phone number" in told.get_content()


@pytest.mark.parametrize(("phone", "reward", "proves"), [
    ("known phone", "mug", False), ("known phone", "lamp", True),
    ("new phone", "mug", True), ("new phone", "lamp", True),
])  # fmt: skip
def test_large_and_new_take_a_fresh_proof(
    house: House, phone: str, reward: str, proves: bool
) -> None:
    """5.00 and 25.00 at a limit of 20.00, signed in for longer than a quarter of an hour."""
    with house.signed_in(phone) as member:
        before = house.points("2" if phone == "known phone" else "3")
        answer = member.post("/me/rewards", data={"reward": reward, "form": phone + reward})
        after = house.points("2" if phone == "known phone" else "3")
        if proves:
            assert (answer.status_code, after) == (403, before)
            assert "No e-mail address is known for this card" in answer.text
            assert "/me/prove" not in answer.text, "which would send nothing"
        else:
            assert answer.headers["location"] == "/me/rewards?taken=1#main"


def test_whoever_has_an_address_is_sent_a_letter(house: House) -> None:
    """The twin: card 3 had none before."""
    with house.caller("shop") as shop, house.signed_in("new phone") as member:
        said = {"given_name": "Nea", "email": "nea@example.org", "card": "3"}
        made = shop.post("/v1/members", json=said, headers={"idempotency-key": "nea"})
        assert made.status_code == 201, made.text
        answer = member.post("/me/rewards", data={"reward": "mug", "form": "by-letter"})
        assert answer.status_code == 403
        assert "open a link that we send you" in answer.text
        assert "A link is on its way" in member.post("/me/prove").text
        assert link(house.site.letters.to("nea@example.org"))


def test_the_owner_moves_the_limit(house: House) -> None:
    with house.signed_in("boss") as boss, house.signed_in("known phone") as member:
        wanted = {"reward": "lamp", "form": "moved"}
        assert boss.post("/c/club/safety/limit", data={"limit": "x"}).status_code == 422
        boss.post("/c/club/safety/limit", data={"limit": "25.01"})
        page = boss.get("/c/club/safety").text
        assert "€25.01" in page
        assert member.post("/me/rewards", data=wanted).status_code == 303
        with house.caller("shop") as shop:
            body = {"subject": "card:2", "reward": "lamp"}
            head = {"idempotency-key": "below"}
            assert shop.post("/v1/redemptions", json=body, headers=head).status_code == 201
            boss.post("/c/club/safety/limit", data={"limit": "20"})
            head = {"idempotency-key": "above"}
            answer = shop.post("/v1/redemptions", json=body, headers=head)
            assert problem(answer) == (403, "proof-needed")
            boss.post("/c/club/safety/limit", data={"limit": ""})
            assert shop.post("/v1/redemptions", json=body, headers=head).status_code == 201


def test_a_shop_proves_its_customer_with_a_code(house: House) -> None:
    site = house.site
    with house.signed_in("boss") as boss, house.caller("shop") as shop:
        boss.post("/c/club/safety/limit", data={"limit": "20"})
        said = {"given_name": "Eva", "email": "eva@example.org"}
        made = shop.post("/v1/members", json=said, headers={"idempotency-key": "eva"}).json()
        card = made["cards"][0]["card"]
        site.till.post("/v1/events", json=buy("eva-buys", card, 2_000))
        body, head = {"subject": f"card:{card}", "reward": "lamp"}, {"idempotency-key": "eva-1"}
        call = "/v1/redemptions"
        assert problem(shop.post(call, json=body, headers=head)) == (403, "proof-needed")
        assert shop.post(f"/v1/accounts/card:{card}/proofs").status_code == 202
        text = site.letters.to("eva@example.org").get_content()
        code = next(x for x in text.split() if len(x) == 9 and x[4] == "-")
        confirm = f"/v1/accounts/card:{card}/proofs/confirm"
        assert problem(shop.post(confirm, json={"code": "2222-2222"})) == (403, "wrong-code")
        other = shop.post("/v1/accounts/card:2/proofs/confirm", json={"code": code})
        assert problem(other) == (403, "wrong-code"), "it is for one account"
        assert shop.post(confirm, json={"code": code.lower()}).status_code == 200
        assert problem(shop.post(confirm, json={"code": code})) == (403, "wrong-code"), "once"
        assert shop.post(call, json=body, headers=head).status_code == 201
        for _ in range(3):
            last = shop.post(confirm, json={"code": "2222-2222"})
        assert problem(last) == (429, "too-many-tries")
        boss.post("/c/club/safety/limit", data={"limit": ""})


def test_the_switch_freezes_every_door(house: House) -> None:
    site = house.site
    with house.signed_in("stale boss") as stale:
        answer = stale.post("/c/club/safety", data={"frozen": "1"})
        assert answer.headers["location"].startswith("/account/prove")
    with house.signed_in("boss") as boss, house.signed_in("known phone") as member:
        assert boss.post("/c/club/safety", data={"frozen": "1"}).status_code == 303
        before = house.points("2")
        sentence = "Nothing can be spent for now."
        for page in ("/c/club", "/c/club/safety", "/c/club/members"):
            assert sentence in boss.get(page).text
        assert sentence in member.get("/me").text
        assert "Take it as a voucher" not in member.get("/me/rewards").text
        found = robbed(house, "2", member, "frozen")
        assert set(found.values()) == {"spending-frozen", "/me/rewards?no=1#main"}, found
        mug = {"subject": "card:2", "reward": "mug"}
        answer = site.till.post("/v1/redemptions", json=mug, headers={"idempotency-key": "fr"})
        assert problem(answer) == (422, "spending-frozen")
        event = buy("offline-sale", "2", 9)
        event["data"]["points"] = {"off": 100}
        assert site.till.post("/v1/events", json=event).json()["outcome"] == "parked"
        assert house.points("2") == before
        answer = site.till.post("/v1/events", json=buy("earns", "2", 10))
        assert answer.json()["outcome"] == "decided"
        assert int(house.points("2")) == int(before) + 10
        assert "1 event waits" in boss.get("/c/club/safety").text
        boss.post("/c/club/safety", data={"frozen": "0"})
        assert sentence not in boss.get("/c/club").text
        assert int(house.points("2")) < int(before) + 10, "what waited is decided"
        answer = site.till.post("/v1/redemptions", json=mug, headers={"idempotency-key": "fr"})
        assert answer.status_code == 201
        log = json.dumps(boss.get("/c/club/audit").text)
        assert log.count("spending was frozen") >= 1
