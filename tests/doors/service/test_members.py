"""Members over HTTP: joining, looking up, cards, consents, rights; who sees how much."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from kantis.desk.vault import cards
from tests.doors.service.conftest import Place
from tests.doors.service.server import CLUB, begin, buy, mug, served
from tests.doors.service.test_events import problem

ANNA = {
    "given_name": "Anna-Liisa", "family_name": "Mäkinen", "email": "anna.makinen@example.org",
    "phone": "+358 40 123 4567", "birthday": "05-17", "language": "fi",
    "address": {"street": "Kanavakatu 3", "postal_code": "00160", "city": "Helsinki"},
    "notes": "likes oat milk",
}  # fmt: skip
BACK = {"id": "uns-c", "type": "refund", "data": {"of": "uns-a"}}
NUMBER = iter(range(10_000))


@pytest.fixture
def staff(place: Place) -> Iterator[httpx.Client]:
    with place.client("club/staff") as client:
        yield client


def join(client: httpx.Client, id: str = "", **said: Any) -> httpx.Response:
    key = id or f"join-{next(NUMBER)}"
    return client.post("/v1/members", json=said, headers={"idempotency-key": key})


def find(client: httpx.Client, **by: str) -> list[Any]:
    answer = client.post("/v1/members/search", json=by)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["members"])


def change(client: httpx.Client, id: str, match: str, **said: Any) -> httpx.Response:
    return client.patch(f"/v1/members/{id}", json=said, headers={"if-match": match})


# ── joining ──────────────────────────────────────────────────────────────────


def test_who_joins_has_a_card_that_works(staff: httpx.Client, till: httpx.Client) -> None:
    answer = join(staff, "first", **ANNA)
    assert answer.status_code == 201, answer.text
    member = answer.json()
    (card,) = member["cards"]
    assert card["state"] == "in use"
    assert cards.valid(card["card"])
    assert len(card["card"]) == 16
    assert answer.headers["etag"] == '"1"'
    assert till.post("/v1/events", json=buy("first", card["card"])).status_code == 200
    again = join(staff, "first", **ANNA)
    assert (again.status_code, again.json()) == (200, member | {"again": True})
    assert problem(join(staff, "first", **ANNA | {"notes": "x"})) == (422, "other-body")
    looked = staff.get(f"/v1/members/{member['id']}").json()
    assert {**looked["person"], "short_name": None, "consents": None} == {
        **ANNA, "phone": "+358401234567", "short_name": None, "consents": None, "unconfirmed": "",
        "former_email": "", "address": {**ANNA["address"], "region": "", "country": ""},  # type: ignore[dict-item]
    }  # fmt: skip


def test_a_taken_email_says_the_way_out(staff: httpx.Client, till: httpx.Client) -> None:
    email = "same@example.org"
    first = join(staff, email=email).json()
    for client in (staff, till):
        answer = join(client, email="SAME@example.org", card="same-2")
        assert problem(answer) == (409, "email-taken")
        assert "search" in answer.json()["detail"]
    assert find(staff, card="same-2") == []
    assert [each["id"] for each in find(staff, email=email)] == [first["id"]]


def test_the_same_email_in_another_program_is_another_member(place: Place) -> None:
    with place.client("club/staff") as club, place.client("other/staff") as other:
        one = join(club, email="both@example.org").json()
        two = join(other, email="both@example.org").json()
        assert one["id"] != two["id"]
        assert problem(other.get(f"/v1/members/{one['id']}")) == (404, "unknown-member")
        assert [each["id"] for each in find(other, email="both@example.org")] == [two["id"]]


def test_a_card_that_was_handed_out_gets_its_member(
    staff: httpx.Client, till: httpx.Client
) -> None:
    event = {"id": "handed", "type": "enrol", "subject": "card:handed-out"}
    account = till.post("/v1/events", json=event).json()["account"]
    member = join(staff, given_name="Eve", card="handed-out").json()
    assert member["account"] == account
    assert problem(join(staff, card="handed-out")) == (409, "card-taken")


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"email": "nobody"}, "bad-value"),
        ({"phone": "040 123"}, "bad-value"),
        ({"card": " 12 "}, "bad-card"),
        ({"surname": "Gonerly"}, "malformed"),
        ({"given_name": "x" * 201}, "malformed"),
        ({"consents": [{"purpose": "news"}]}, "malformed"),
    ],
)
def test_what_cannot_be_is_refused_without_saying_it_again(
    staff: httpx.Client, said: dict[str, Any], code: str
) -> None:
    answer = join(staff, **said)
    assert problem(answer)[1] == code
    for value in said.values():
        if isinstance(value, str):
            assert value not in answer.text


def test_who_is_too_young_leaves_no_trace(tmp_path: Path) -> None:
    """And a birthday reaches the books only where the program asks for one."""
    store = tmp_path / "books.db"
    keys = begin(str(store), "club", terms="least age: 16\n" + CLUB)
    with served(store) as server, server.client(keys["club/till"]) as till:
        young = join(till, "young", given_name="Kid", birthday="2020-01-01")
        assert problem(young) == (409, "too-young")
        assert young.json()["recorded"] is False
        answer = join(till, "young", given_name="Kid", birthday="2000-01-01")
        assert answer.status_code == 201
        account = till.get(f"/v1/accounts/account:{answer.json()['account']}").json()
        assert account["facts"] == {"birthday": "2000-01-01"}
        assert answer.json()["account"] == 1


def test_a_birthday_that_no_rule_asks_for_stays_in_the_vault(till: httpx.Client) -> None:
    member = join(till, given_name="B", birthday="1990-05-17").json()
    assert till.get(f"/v1/accounts/account:{member['account']}").json()["facts"] == {}


def test_joining_needs_an_id_and_json(staff: httpx.Client) -> None:
    assert problem(staff.post("/v1/members", json={})) == (400, "id-missing")
    answer = staff.post("/v1/members", content=b"x=1", headers={"content-type": "text/plain"})
    assert problem(answer) == (415, "media-type")
    huge = b'{"notes": "' + b"x" * (5 << 20) + b'"}'
    headers = {"content-type": "application/json", "idempotency-key": "huge"}
    answer = staff.post("/v1/members", content=huge, headers=headers)
    assert problem(answer) == (413, "body-too-large")


def test_no_log_and_no_file_but_the_keys_holds_a_name(tmp_path: Path) -> None:
    """Whatever is done with a member, refused requests included; the twin is in the vault's."""
    store = tmp_path / "books.db"
    keys = begin(str(store), "club")
    with served(store) as server, server.client(keys["club/staff"]) as staff:
        member = join(staff, **ANNA).json()
        url = f"/v1/members/{member['id']}"
        find(staff, name="mäkinen")
        find(staff, email=str(ANNA["email"]))
        change(staff, member["id"], '"1"', notes="oat milk, still")
        join(staff, **ANNA)
        join(staff, **ANNA | {"phone": "Kanavakatu"})
        staff.get("/v1/members/Anna-Liisa")
        staff.get(f"{url}/export")
        assert staff.delete(url).status_code == 200
        planted = ("anna", "mäkinen", "makinen", "0401234567", "401234567", "oat", "kanavakatu")
        while_up = files(tmp_path)
        _, log = server.end()
        everything = (while_up + files(tmp_path) + log.encode()).lower()
    assert b"/v1/members/search" in everything
    assert [each for each in planted if each.encode() in everything] == []


def files(folder: Path) -> bytes:
    return b"".join(
        path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.parent.name.endswith(".vault")
    )


# ── who sees how much ────────────────────────────────────────────────────────


def test_each_scope_sees_its_part(place: Place, staff: httpx.Client) -> None:
    member = join(staff, **ANNA | {"email": "parts@example.org", "card": "parts"}).json()
    seen = {}
    for scope in ("till", "shop", "staff", "auditor"):
        with place.client(f"club/{scope}") as client:
            seen[scope] = client.get(f"/v1/members/{member['id']}").json()["person"]
    assert seen["auditor"] is None
    assert {name for name, value in seen["till"].items() if value is not None} == {"short_name"}
    assert seen["till"]["short_name"] == "Anna-Liisa M."
    assert seen["shop"] == seen["staff"]
    assert seen["staff"]["family_name"] == "Mäkinen"
    with place.client("club/till") as till:
        for by in ({"card": "parts"}, {"phone": "+358401234567"}):
            found = find(till, **by)
            assert member["id"] in [each["id"] for each in found]
            assert "Mäkinen" not in json.dumps(found, ensure_ascii=False)
        for by in ({"email": "parts@example.org"}, {"name": "mäkinen"}, {"receipt": "1"}):
            answer = till.post("/v1/members/search", json=by)
            assert problem(answer) == (403, "not-allowed")
    with place.client("club/shop") as shop:
        assert problem(shop.post("/v1/members/search", json={"name": "mäk"}))[0] == 403


def test_a_till_that_enrols_is_not_shown_more(till: httpx.Client) -> None:
    member = join(till, **ANNA | {"email": "till@example.org"}).json()
    assert member["person"]["short_name"] == "Anna-Liisa M."
    assert member["person"]["email"] is None


def test_one_thing_is_looked_up(staff: httpx.Client) -> None:
    for by in ({}, {"card": "1", "name": "anna"}, {"city": "Helsinki"}):
        assert problem(staff.post("/v1/members/search", json=by)) == (400, "malformed")
    assert problem(staff.post("/v1/members/search", json={"name": "!"})) == (422, "bad-value")


def test_members_are_found(staff: httpx.Client, till: httpx.Client) -> None:
    member = join(staff, given_name="Đặng", family_name="Õunapuu", email="dang@x.org").json()
    card = member["cards"][0]["card"]
    till.post("/v1/events", json=buy("receipt-99", card))
    for by in (
        {"name": "dang"}, {"name": "ounap đặng"}, {"email": "DANG@X.ORG"}, {"card": card},
        {"receipt": "receipt-99"},
    ):  # fmt: skip
        assert [each["id"] for each in find(staff, **by)] == [member["id"]], by
    assert find(staff, name="dang ber") == []


def test_every_reading_is_in_the_export(place: Place, staff: httpx.Client) -> None:
    member = join(staff, given_name="Read", family_name="Often", card="often").json()
    with place.client("club/till") as till:
        find(till, card="often")
    find(staff, name="often")
    staff.get(f"/v1/members/{member['id']}/consents")
    readings = staff.get(f"/v1/members/{member['id']}/export").json()["readings"]
    assert [each["why"] for each in readings] == [
        "join", "search by card", "search by name", "consents", "export",
    ]  # fmt: skip
    assert readings[1]["fields"] == ["short_name"]
    assert "email" in readings[2]["fields"]
    assert len({each["who"] for each in readings}) == 2


# ── changes ──────────────────────────────────────────────────────────────────


def test_nobodys_change_is_lost(staff: httpx.Client) -> None:
    member = join(staff, given_name="Ann", notes="first").json()
    id = member["id"]
    assert problem(staff.patch(f"/v1/members/{id}", json={})) == (428, "if-match-missing")
    answer = change(staff, id, '"1"', given_name="Anne")
    assert answer.status_code == 200, answer.text
    assert (answer.headers["etag"], answer.json()["person"]["notes"]) == ('"2"', "first")
    assert problem(change(staff, id, '"1"', given_name="Anu")) == (412, "changed-meanwhile")
    assert problem(change(staff, id, "nonsense", given_name="Anu")) == (412, "changed-meanwhile")
    assert change(staff, id, '"2"', notes="").json()["person"]["notes"] == ""
    other = join(staff, email="other@x.org").json()
    assert problem(change(staff, other["id"], '"1"', email="bad")) == (422, "bad-value")
    assert problem(change(staff, id, '"3"', email="Other@x.org")) == (409, "email-taken")
    assert problem(change(staff, id, '"3"', version=9)) == (400, "malformed")


def test_consents_are_kept_with_what_was_shown(place: Place, staff: httpx.Client) -> None:
    given = {"purpose": "news", "granted": True, "version": "1", "wording": "Once a month."}
    member = join(staff, given_name="C", consents=[given]).json()
    url = f"/v1/members/{member['id']}/consents"
    with place.client("club/shop") as shop:
        assert len(shop.post(url, json=given).json()["consents"]) == 1
        taken = given | {"granted": False, "wording": ""}
        found = shop.post(url, json=taken).json()["consents"]
    assert [each["granted"] for each in found] == [True, False]
    assert [each["source"] for each in found] == ["club-staff", "club-shop"]
    assert found[0]["wording"] == "Once a month."
    assert staff.get(url).json()["consents"] == found


# ── cards ────────────────────────────────────────────────────────────────────


def test_a_lost_card_is_replaced_and_the_points_stay(
    staff: httpx.Client, till: httpx.Client
) -> None:
    member = join(staff, given_name="Lost").json()
    lost, url = member["cards"][0]["card"], f"/v1/members/{member['id']}/cards"
    till.post("/v1/events", json=buy("lost-1", lost, euros=150))
    headers = {"idempotency-key": "new-card"}
    answer = staff.post(url, json={"replaces": lost}, headers=headers)
    assert answer.status_code == 200, answer.text
    assert staff.post(url, json={"replaces": lost}, headers=headers).json() == answer.json()
    states = {each["card"]: each["state"] for each in answer.json()["cards"]}
    (new,) = states.keys() - {lost}
    assert states == {lost: "replaced", new: "in use"}
    refused = till.post("/v1/events", json=mug("lost-2", lost))
    assert problem(refused) == (422, "card-replaced")
    assert "Use that one" in refused.json()["detail"]
    assert till.post("/v1/quotes", json=mug("lost-3", lost)).json()["code"] == "card-replaced"
    assert till.post("/v1/events", json=mug("lost-4", new)).status_code == 200
    assert problem(join(staff, card=lost)) == (409, "card-stopped")


def test_a_till_blocks_a_card_and_does_not_give_one(
    staff: httpx.Client, till: httpx.Client
) -> None:
    member = join(staff, given_name="Block").json()
    card, url = member["cards"][0]["card"], f"/v1/members/{member['id']}/cards"
    assert problem(till.post(url, json={"card": "mine"})) == (403, "not-allowed")
    assert problem(till.post(f"{url}/block", json={"card": "9"})) == (404, "no-such-card")
    answer = till.post(f"{url}/block", json={"card": card})
    assert answer.json()["cards"] == [{"card": card, "state": "blocked"}]
    assert problem(till.post("/v1/events", json=mug("blocked", card))) == (422, "card-blocked")
    assert problem(staff.post(url, json={"card": card})) == (409, "card-stopped")
    assert problem(staff.post(url, json={})) == (400, "id-missing")
    assert problem(staff.post(url, json={"card": "1"})) == (409, "card-taken")


# ── merging ──────────────────────────────────────────────────────────────────


def test_two_members_who_are_one_person_become_one(staff: httpx.Client, till: httpx.Client) -> None:
    one = join(staff, given_name="Mer", email="mer@example.org", card="mer-1").json()
    two = join(staff, family_name="Ged", email="ged@example.org", card="mer-2").json()
    till.post("/v1/events", json=buy("mer-a", "mer-1", euros=80))
    till.post("/v1/events", json=buy("mer-b", "mer-2", euros=70))
    url = f"/v1/members/{one['id']}/merge"
    answer = staff.post(url, json={"other": two["id"]})
    assert answer.status_code == 200, answer.text
    merged = answer.json()
    assert [each["card"] for each in merged["cards"]] == ["mer-1", "mer-2"]
    assert (merged["person"]["family_name"], merged["person"]["email"]) == ("Ged", one_email(one))
    for card in ("mer-1", "mer-2"):
        account = till.get(f"/v1/accounts/card:{card}").json()
        assert account["account"] == one["account"]
        assert account["balances"]["points"]["available"] == "150"
    assert till.post("/v1/events", json=mug("mer-c", "mer-2")).status_code == 200
    assert staff.post(url, json={"other": two["id"]}).json()["version"] == merged["version"]
    assert staff.get(f"/v1/members/{two['id']}").json()["erased"]
    assert find(staff, email="ged@example.org") == []
    assert [each["id"] for each in find(staff, name="ged")] == [one["id"]]
    assert problem(staff.post(url, json={"other": one["id"]})) == (409, "merge-with-itself")
    assert problem(staff.post(url, json={"other": "0"})) == (404, "unknown-member")


def test_an_email_that_only_the_other_had_is_taken_over(staff: httpx.Client) -> None:
    one = join(staff, given_name="Third").json()
    two = join(staff, email="third@example.org", card="third-2").json()
    merged = staff.post(f"/v1/members/{one['id']}/merge", json={"other": two["id"]}).json()
    person = merged["person"]
    assert (person["given_name"], person["email"]) == ("Third", "third@example.org")
    assert [each["id"] for each in find(staff, email="third@example.org")] == [one["id"]]
    assert [each["id"] for each in find(staff, card="third-2")] == [one["id"]]


def one_email(member: Any) -> str:
    return str(member["person"]["email"])


def test_a_preview_says_what_comes_and_a_voucher_comes_with_it(
    staff: httpx.Client, till: httpx.Client
) -> None:
    one = join(staff, given_name="A", card="settled").json()
    two = join(staff, given_name="B", card="unsettled").json()
    till.post("/v1/events", json=buy("uns-a", "unsettled", euros=100))
    till.post("/v1/events", json=mug("uns-b", "unsettled"))
    url = f"/v1/members/{one['id']}/merge"
    seen = staff.get(url, params={"other": two["id"]}).json()
    assert (
        "The card unsettled became a part of this account, with all that was on it."
        in (seen["comes"])
    )
    assert (seen["stays"], seen["first"], seen["cards"]) == ([], [], ["unsettled"])
    assert problem(staff.get(url, params={"other": one["id"]})) == (409, "merge-with-itself")
    before = till.get("/v1/accounts/card:unsettled").json()["vouchers"]
    assert staff.post(url, json={"other": two["id"]}).status_code == 200
    after = till.get("/v1/accounts/card:settled").json()
    assert after["vouchers"] == before
    assert after["vouchers"]
    back = till.post("/v1/events", json=BACK)
    assert (back.status_code, back.json()["account"]) == (200, one["account"])
    assert [each["id"] for each in find(staff, receipt="uns-a")] == [one["id"]]


# ── rights ───────────────────────────────────────────────────────────────────


def test_an_export_has_everything(staff: httpx.Client, till: httpx.Client) -> None:
    member = join(staff, **ANNA | {"email": "export@example.org"}).json()
    card = member["cards"][0]["card"]
    till.post("/v1/events", json=buy("export-1", card, euros=150))
    till.post("/v1/events", json=mug("export-2", card))
    found = staff.get(f"/v1/members/{member['id']}/export").json()
    assert found["member"]["person"]["email"] == "export@example.org"
    assert [each["type"] for each in found["events"]] == ["enrol", "purchase", "redeem"]
    assert found["events"][1]["data"]["lines"][0]["product"] == "latte"
    assert any("150" in each for entry in found["entries"] for each in entry["sentences"])
    assert found["account"]["balances"]["points"]["available"] == "50"


def test_who_is_erased_is_gone(staff: httpx.Client, till: httpx.Client) -> None:
    member = join(staff, **ANNA | {"email": "gone@example.org", "family_name": "Gonerly"}).json()
    card, url = member["cards"][0]["card"], f"/v1/members/{member['id']}"
    till.post("/v1/events", json=buy("gone-1", card, euros=250))
    hold = mug("gone-hold", card)
    hold["data"]["hold"] = True
    assert till.post("/v1/events", json=hold).status_code == 200
    answer = staff.delete(url)
    assert answer.status_code == 200, answer.text
    left = answer.json()
    assert left["person"] is None
    assert left["erased"]
    assert left["cards"] == [{"card": card, "state": "erased"}]
    assert staff.delete(url).json() == left
    assert staff.get(url).json() == left
    assert find(staff, email="gone@example.org") == find(staff, name="gonerly") == []
    assert find(staff, card=card) == []
    account = staff.get(f"/v1/accounts/account:{member['account']}").json()
    assert not account["holds"]
    assert set(account["balances"]["points"].values()) == {"0"}
    assert problem(till.post("/v1/events", json=mug("gone-2", card))) == (422, "card-erased")
    assert problem(change(staff, member["id"], '"2"', notes="x")) == (410, "member-erased")
    assert problem(staff.get(f"{url}/consents")) == (410, "member-erased")
    exported = staff.get(f"{url}/export").text
    assert "Gonerly" not in exported
    assert join(staff, email="gone@example.org").status_code == 201
