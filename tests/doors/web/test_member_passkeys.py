"""What a member's passkey is good for, on each store: chromium plays the device, the clock is ours.

Each guard has its twin, which shows what happens without it.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from kantis.core.calendar import DAY_MS
from kantis.core.events import Enrol, Event, Merge
from kantis.desk import ceremony, freezing, mailing, sessions
from kantis.desk.audit import By
from kantis.desk.ceremony import Site
from kantis.desk.freezing import ADDRESS, LOCK
from kantis.desk.programs import Engine
from kantis.desk.vault import membership, merging, passkeys, portable
from kantis.desk.vault.person import Person
from kantis.desk.vault.vault import Member, Refusal
from kantis.store import mailing as mails
from kantis.store import passkeys as rows
from kantis.store.hands import audit
from kantis.store.passkeys import PasskeyRow
from tests.desk.conftest import url
from tests.desk.shop import Shop
from tests.desk.vault import Desk as People
from tests.doors.web.test_passkeys import answered, played

__all__ = ["url"]

pytestmark = pytest.mark.browser

ORIGIN = "http://localhost"
SITE = Site("localhost", ORIGIN)
BY = By("anna", "Anna")
MINUTE_MS = 60_000
TERMS = {
    "program": "p", "money": "EUR", "timezone": "Europe/Helsinki",
    "balances": {"points": {"expires": "never"}},
    "earning": {"base": {"give": "1 point per 1.00 EUR"}},
}  # fmt: skip


class House(People):
    """Members with a vault, and a device at a page of the service."""

    def __init__(self, shop: Shop, folder: Path, page: Page) -> None:
        super().__init__(shop, folder)
        self.page, self.desk = page, shop.desk
        self.anna = self.enrol("1", Person(given_name="Anna", email="anna@example.org"))
        self.olli = self.enrol("2", Person(given_name="Olli", email="olli@example.org"))

    def ask(self, id: str, site: Site = SITE) -> str:
        return passkeys.ask_to_make(self.desk, self.vault, site, self.member(id), "The Club")

    def make(self, id: str, name: str = "phone") -> str:
        """Make a passkey on the device, which forgets the others of that member."""
        asked = self.ask(id)
        if not asked:
            return passkeys.obstacle(self.desk, self.member(id))
        options = json.loads(asked) | {"excludeCredentials": []}
        return self.keep(id, answered(self.page, "create", json.dumps(options)), name)

    def keep(self, id: str, answer: str, name: str = "phone", site: Site = SITE) -> str:
        return passkeys.make(self.desk, self.vault, site, self.member(id), name, answer, "en")

    def answer(self) -> str:
        """What the device answers to whoever wants to be signed in."""
        asked = passkeys.ask_to_show(self.vault, SITE, "here")
        return answered(self.page, "get", asked)

    def show(self, answer: str = "", site: Site = SITE) -> passkeys.Shown | None:
        return passkeys.show(self.desk, self.vault, site, answer or self.answer())

    def own(self, id: str) -> list[passkeys.Passkey]:
        return passkeys.of(self.desk, self.vault, self.member(id))

    def account(self, id: str) -> int:
        return self.member(id).row.account

    def letters(self, program: int = 1) -> list[tuple[str, str] | None]:
        """What for and to whom the letters are that wait, the oldest first."""
        found = []
        for number in range(1, 100):
            row = mails.mail(self.books, number)
            if row is not None:
                to = mailing.addressee(self.books, self.vault, row)
                found.append((to[0], to[2]) if to else None)
        return found


@pytest.fixture
def shop(url: str) -> Iterator[Shop]:
    """A shop on each store, with the engine that members meet."""
    with Shop(url, Engine(), TERMS) as shop:
        yield shop
        shop.prove()


@pytest.fixture
def house(browser: Browser, shop: Shop, tmp_path: Path) -> Iterator[House]:
    with played(browser, ORIGIN) as (page, _, _, _):
        page.route(f"{ORIGIN}/**", lambda route: route.fulfill(body="<title>Here</title>"))
        page.goto(f"{ORIGIN}/")
        yield House(shop, tmp_path / "vault", page)


def test_an_answer_is_good_once_in_its_time_and_at_its_address(house: House) -> None:
    answer = answered(house.page, "create", house.ask(house.anna))
    assert house.keep(house.olli, answer) == passkeys.FAILED, "the challenge is of one person"
    assert house.keep(house.anna, answer) == passkeys.FAILED, "and used up"
    assert house.make(house.anna) == ""
    shown = house.answer()
    assert house.show(shown) == passkeys.Shown(house.account(house.anna), False)
    assert house.show(shown) is None, "a replay"
    late = house.answer()
    house.shop.now += ceremony.CHALLENGE_MS
    assert house.show(late) is None
    for site in (Site("localhost", "https://evil.example"), Site("evil.example", ORIGIN)):
        assert house.show(house.answer(), site) is None
    said = json.loads(house.answer())
    other = ceremony.base64url_to_bytes(said["response"]["userHandle"])
    assert other == house.anna.encode(), "an id made by chance, and no number of a card"
    said["response"]["userHandle"] = "AAAA"
    assert house.show(json.dumps(said)) is None, "it is of somebody else"
    for nonsense in ("", "[]", "{}", "x" * 99, '{"response": {"clientDataJSON": "e30"}}'):
        assert house.show(nonsense or "{}") is None
    assert house.show() is not None


def test_without_using_the_challenge_up_a_replay_signs_in(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin. (The device does not count what it signs, as many do not.)"""
    house.make(house.anna)
    answer = house.answer()
    monkeypatch.setattr(ceremony.rows, "take_ticket", lambda books, hashed: True)
    real: Any = ceremony.webauthn.verify_authentication_response
    uncounted = lambda **given: real(**given | {"credential_current_sign_count": 0})  # noqa: E731
    monkeypatch.setattr(ceremony.webauthn, "verify_authentication_response", uncounted)
    assert house.show(answer) is not None
    assert house.show(answer) is not None


def test_without_a_look_at_the_address_a_false_page_signs_in(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin."""
    house.make(house.anna)
    real: Any = ceremony.webauthn.verify_authentication_response
    anywhere = lambda **given: real(**given | {"expected_origin": ORIGIN})  # noqa: E731
    monkeypatch.setattr(ceremony.webauthn, "verify_authentication_response", anywhere)
    assert house.show(house.answer(), Site("localhost", "https://evil.example")) is not None


def test_a_member_proves_themselves_by_their_own_passkey_only(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.make(house.anna)
    house.shop.now += 3 * DAY_MS
    anna, olli = house.account(house.anna), house.account(house.olli)

    def proves(account: int) -> bool:
        return passkeys.proves(house.desk, house.vault, SITE, house.answer(), account)

    assert proves(anna)
    assert not proves(olli)
    monkeypatch.setattr(passkeys, "_is_of", lambda found, account: True)
    assert proves(olli), "the twin"


def test_a_new_passkey_signs_in_and_proves_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.make(house.anna)
    house.shop.now += 3 * DAY_MS - 1
    account = house.account(house.anna)
    assert house.show() == passkeys.Shown(account, False)
    assert [each.proves for each in house.own(house.anna)] == [False]
    with monkeypatch.context() as without:
        without.setattr(passkeys, "NEW_MS", 0)
        assert house.show() == passkeys.Shown(account, True), "the twin"
    house.shop.now += 1
    assert house.show() == passkeys.Shown(account, True)
    assert [each.proves for each in house.own(house.anna)] == [True]


def test_one_is_made_on_a_confirmed_address_only(house: House) -> None:
    new = house.enrol("3", Person(given_name="Uusi", unconfirmed="uusi@example.org"))
    assert house.make(new) == passkeys.NO_ADDRESS
    answer = answered(house.page, "create", house.ask(house.anna))
    assert house.keep(house.anna, answer, "my\nphone") == passkeys.FAILED
    assert house.make(house.anna, "  Anna's phone ") == ""
    assert [each.name for each in house.own(house.anna)] == ["Anna's phone"]


def test_there_are_ten_at_most_and_each_is_named_and_removed(house: House) -> None:
    for number in range(passkeys.PASSKEYS_MAX):
        assert house.make(house.anna, f"phone {number}") == ""
        house.shop.now += 4 * MINUTE_MS
    assert house.make(house.anna) == passkeys.FULL
    first, second, *_ = house.own(house.anna)
    for whose, done in ((house.olli, False), (house.anna, True)):
        member = house.member(whose)
        about = house.desk, house.vault, member, second.number
        assert passkeys.rename(*about, "tablet") is done
        assert passkeys.end(house.vault, member, first.number, "en") is done
    names = [each.name for each in house.own(house.anna)]
    assert names == ["tablet", *(f"phone {number}" for number in range(2, 10))]
    assert house.make(house.anna) == ""
    said = [(row.who, row.deed, row.about) for row in audit(house.books, 1 << 60, 3)]
    account = str(house.account(house.anna))
    assert said[:2] == [("member", "passkey", account), ("member", "no passkey", account)]


def test_each_letter_goes_to_the_address_of_its_time(house: House) -> None:
    """A thief who makes a passkey and then changes the address does not get the letter."""
    house.make(house.anna)
    member = house.member(house.anna)
    assert member.person is not None
    changed = {"email": "thief@example.org"}
    membership.change(house.desk, house.vault, member, changed, member.row.version)
    assert house.letters() == [("passkey", "anna@example.org"), ("changed", "anna@example.org")]
    (own,) = house.own(house.anna)
    assert passkeys.end(house.vault, house.member(house.anna), own.number, "en")
    assert sorted(each or ("", "") for each in house.letters())[1:] == [
        ("passkey", "anna@example.org"), ("passkey-removed", "anna@example.org"),
        ("passkey-removed", "thief@example.org"),
    ]  # fmt: skip


def test_without_the_mark_the_thief_gets_the_letter(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin."""
    house.make(house.anna)
    member = house.member(house.anna)
    changed = {"email": "thief@example.org"}
    membership.change(house.desk, house.vault, member, changed, member.row.version)
    monkeypatch.setattr(mailing, "_MARKED", ())
    assert house.letters()[0] is not None
    assert house.letters()[0][1] == "thief@example.org"  # type: ignore[index]


def test_nobody_makes_one_of_which_no_letter_can_tell(house: House) -> None:
    made = [house.make(house.anna) for _ in range(mailing.TO_ONE_MAX + 1)]
    assert made == [""] * mailing.TO_ONE_MAX + [passkeys.OFTEN]
    assert len(house.own(house.anna)) == mailing.TO_ONE_MAX
    assert len(house.letters()) == mailing.TO_ONE_MAX


def frozen(house: House, reason: str) -> Callable[[], None]:
    """Freeze Anna's account; what ends it."""
    account = house.account(house.anna)
    assert freezing.freeze_account(house.desk, account, reason, BY)
    return lambda: assert_freed(house, account)


def assert_freed(house: House, account: int) -> None:
    assert freezing.free_account(house.desk, account, BY)


def test_after_another_address_none_is_made_and_none_proves(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.make(house.anna)
    house.shop.now += 3 * DAY_MS
    frozen(house, ADDRESS)
    account = house.account(house.anna)
    assert house.show() == passkeys.Shown(account, False), "whoever had it before looks at the card"
    assert house.make(house.anna) == passkeys.CHANGED
    with monkeypatch.context() as without:
        without.setattr(passkeys, "_is_held", lambda *_: False)
        assert house.show() == passkeys.Shown(account, True), "the twin"
        assert house.make(house.anna) == ""
    house.shop.now += freezing.ADDRESS_MS
    assert house.show() == passkeys.Shown(account, True), "they are over"
    assert house.make(house.anna) == ""


@pytest.mark.parametrize("reason", [ADDRESS, LOCK])
def test_what_was_asked_for_just_before_is_not_kept(house: House, reason: str) -> None:
    answer = answered(house.page, "create", house.ask(house.anna))
    frozen(house, reason)
    assert house.keep(house.anna, answer) == passkeys.CHANGED
    assert house.own(house.anna) == []


def test_a_lock_ends_all_of_them_for_good(house: House) -> None:
    house.make(house.anna)
    house.make(house.olli, "his")
    house.shop.now += 40 * DAY_MS
    membership.lock(house.desk, house.vault, house.account(house.anna))
    assert house.own(house.anna) == []
    assert_freed(house, house.account(house.anna))
    assert house.own(house.anna) == []
    assert len(house.own(house.olli)) == 1


@pytest.mark.parametrize("reads", ["keeps it", "looks no more"])
def test_what_a_lock_leaves_signs_in_again(
    house: House, monkeypatch: pytest.MonkeyPatch, reads: str
) -> None:
    """The twins: one that is not removed signs in once the account is free; and, where nobody
    looks whether it is locked, at once."""
    house.make(house.anna)
    monkeypatch.setattr(freezing.passkeys, "end_all", lambda books, account: 0)
    free = frozen(house, LOCK)
    if reads == "keeps it":
        assert house.show() is None, "locked"
        free()
    else:
        monkeypatch.setattr(freezing, "is_locked", lambda *_: False)
    assert house.show() is not None


def test_a_locked_account_has_no_session_and_no_passkey_left(house: House) -> None:
    account = house.account(house.anna)
    house.make(house.anna)
    token = sessions.begin(house.desk, "a phone", account=account)
    assert house.show() is not None
    frozen(house, LOCK)
    assert sessions.find(house.books, token, house.shop.now) is None
    assert house.show() is None


def test_who_is_erased_has_none_not_even_in_an_old_copy(house: House) -> None:
    house.make(house.anna)
    (before,) = rows.of_member(house.books, house.anna)
    home, member = house.desk.homes.find("p"), house.member(house.anna)
    assert home is not None
    membership.erase(house.desk, house.vault, home, member, "the member")
    assert rows.of_member(house.books, house.anna) == []
    assert house.show() is None
    with pytest.raises(Refusal):
        house.vault.seal(house.anna, "anything", "x")
    house.books.begin()
    rows.add(house.books, before)
    house.books.commit()
    assert house.show() is None, "the key that opens it was destroyed"
    assert passkeys.of(house.desk, house.vault, member) == []


def test_of_two_who_become_one_the_other_ones_are_dropped(house: House) -> None:
    house.make(house.olli, "his")
    other = house.answer()
    house.make(house.anna, "hers")
    home = house.desk.homes.find("p")
    assert home is not None
    anna, olli = house.account(house.anna), house.account(house.olli)
    house.shop(house.shop.ask("m", f"account:{olli}", Merge(f"account:{anna}")))
    house.desk.settle()
    about = house.desk, house.vault, home, anna, olli, "support"
    merging.finish(*about, house.member(house.anna), house.member(house.olli))
    assert house.show(other) is None
    assert [each.name for each in house.own(house.anna)] == ["hers"]
    assert rows.of_member(house.books, house.olli) == []


def test_they_are_named_in_what_is_handed_out_and_nowhere_else(house: House) -> None:
    house.make(house.anna, "Anna's own phone")
    home, member = house.desk.homes.find("p"), house.member(house.anna)
    assert home is not None
    told = portable.account_of(house.desk, house.vault, home, member)
    made = "2024-03-01T12:00:00.000Z"
    assert told["passkeys"] == [{"name": "Anna's own phone", "made": made, "used": None}]
    (row,) = rows.of_member(house.books, house.anna)
    said = json.loads(house.answer())
    id = ceremony.base64url_to_bytes(said["rawId"])
    for secret in (b"own phone", b"anna@", id, said["rawId"].encode()):
        assert secret not in row.sealed + row.hashed
    lines = audit(house.books, 1 << 60, 99)
    assert not any("own phone" in line.said for line in lines)


def test_each_program_has_its_own(house: House) -> None:
    """Two programs in one installation: a device lists both, and each opens its own card."""
    house.make(house.anna)
    options = json.loads(house.ask(house.anna))
    assert options["user"]["name"] == "anna@example.org"
    house.desk.publish("q", house.shop.now, "terms", TERMS | {"program": "q"})
    (result,) = house.desk.submit(
        [Event("other", "1", house.shop.now, "card:1", Enrol())], program="q"
    )
    about = Person(given_name="Anna", email="anna@example.org"), b"", house.shop.now
    other = house.vault.enrol(2, result.account, result.key, *about)
    member = house.vault.by_id(house.books, 2, other)
    assert member is not None
    asked = passkeys.ask_to_make(house.desk, house.vault, SITE, member, "Other Club")
    assert json.loads(asked)["user"]["name"] == "anna@example.org · Other Club"
    kept = house.vault, SITE, member, "phone", answered(house.page, "create", asked), "en"
    assert passkeys.make(house.desk, *kept) == ""
    opened = house.show()
    assert opened is not None
    assert opened.account in (result.account, house.account(house.anna))
    assert result.account != house.account(house.anna)


def test_one_place_asks_so_often_only(house: House) -> None:
    asked = [passkeys.ask_to_show(house.vault, SITE, "here") for _ in range(passkeys.ASKS_MAX + 1)]
    assert [bool(each) for each in asked] == [True] * passkeys.ASKS_MAX + [False]
    assert passkeys.ask_to_show(house.vault, SITE, "elsewhere")


def test_nothing_of_a_passkey_is_listed_before_somebody_signs_in(house: House) -> None:
    house.make(house.anna)
    options = json.loads(passkeys.ask_to_show(house.vault, SITE, "here"))
    assert options["allowCredentials"] == []
    assert options["userVerification"] == "required"
    assert isinstance(house.member(house.anna), Member)
    assert isinstance(rows.of_member(house.books, house.anna)[0], PasskeyRow)
