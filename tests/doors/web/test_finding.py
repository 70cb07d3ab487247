"""One line that finds pages, members and programs: by keys alone, and without a script."""

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

import kantis.desk
from kantis.core.events import Enrol, Event
from kantis.core.knobs import plain
from kantis.desk import text
from kantis.desk.vault.opening import open_vault
from kantis.desk.vault.person import Person
from kantis.store import people
from tests.doors.service.server import served
from tests.doors.web.conftest import PROGRAMS, Site, begin
from tests.doors.web.looking import THEMES, WIDTHS, tab
from tests.house.sources import REPO

PEOPLE = (
    Person("Aino", "Mäkinen", "aino@example.org", "+358401234567"),
    Person("Anna", "Mäkelä", "anna@example.org"),
    Person("Õie", "Tamm", "oie@example.org"),
)
#: The accounts of these people; other tests share the first ones with other programs.
ACCOUNTS: list[int] = []


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, Path]]:
    """A server whose members have names; their cards are 6408001 and on."""
    ACCOUNTS.clear()
    store = tmp_path_factory.mktemp("town") / "books.db"
    with kantis.desk.open(str(store)) as desk:
        for name in PROGRAMS:
            source = (REPO / "programs" / f"{name}.yaml").read_text(encoding="utf-8")
            tree = text.read(source)
            desk.publish(plain(tree)["program"], 0, source, plain(tree))
        tokens = begin(desk)
        vault, now = open_vault(desk), desk.clock()
        program = desk.books.programs()["corner-cafe"]
        for number, person in enumerate(PEOPLE, 1):
            event = Event("shop", f"join-{number}", now, f"card:640800{number}", Enrol())
            (result,) = desk.submit([event], program="corner-cafe")
            vault.enrol(program, result.account, event.key, person, b"", now)
            ACCOUNTS.append(result.account)
    with served(store) as server:
        yield Site(server, tokens), store
        status, log = server.end()
        assert status == 0, log
        assert '"fault"' not in log
        assert "kinen" not in log


def test_what_can_be_done_is_found_by_who_may_do_it(town: tuple[Site, Path]) -> None:
    site, _ = town
    for role, wanted, address in (
        ("manager", "key", "/c/corner-cafe/keys#make"), ("owner", "invite", "/people#invite"),
        ("support", "by hand", "/c/corner-cafe/adjustments#give"), ("support", "key", ""),
        ("auditor", "segment", ""),
    ):  # fmt: skip
        with site.client(role) as client:
            page = client.post("/c/corner-cafe/find", data={"q": wanted}).text
            found = [each for _, each in lines(page) if "#" in each]
            assert found == ([address] if address else []), (role, wanted)
            if address:  # and it leads to a place that is there
                path, _, place = address.partition("#")
                assert f'id="{place}"' in client.get(path).text


def lines(page: str) -> list[tuple[str, str]]:
    """The lines of an answer: what they say, and where they lead."""
    return [
        (re.sub(r"<[^>]+>", "", said).strip(), address)
        for address, said in re.findall(r'<li><a href="([^"]+)">(.*?)</a>', page, re.DOTALL)
    ]


def find(site: Site, role: str, wanted: str) -> list[tuple[str, str]]:
    with site.client(role) as client:
        answer = client.post("/c/corner-cafe/find", data={"q": wanted, "part": "1"})
    assert answer.status_code == 200, answer.text
    assert "<html" not in answer.text
    return lines(answer.text)


def readings(store: Path) -> list[tuple[str, str, str]]:
    with kantis.desk.open(str(store)) as desk:
        found = desk.books.rows("SELECT member, who, why FROM reading ORDER BY n")
        members = {each: people.by_id(desk.books, [each])[0].account for each, _, _ in found}
    return [(f"{members[member]}", who, why) for member, who, why in found]


@pytest.mark.parametrize(
    ("wanted", "whose"),
    [
        ("mak", [0, 1]),
        ("Mäkinen Aino", [0]),
        ("oie", [2]),
        ("AINO@example.org", [0]),
        ("+358 40 123 4567", [0]),
        ("6408003", [2]),
        ("the account", [1]),
        ("ma", []),
        ("nobody", []),
        ("<b>", []),
    ],
)
def test_members_are_found_by_whatever_is_typed(
    town: tuple[Site, Path], wanted: str, whose: list[int]
) -> None:
    wanted = wanted.replace("the account", str(ACCOUNTS[1]))
    found = [a for _, a in find(town[0], "support", wanted) if "/members/" in a]
    assert found == [f"/c/corner-cafe/members/{ACCOUNTS[each]}" for each in whose]


def test_who_may_not_see_persons_finds_cards_alone(town: tuple[Site, Path]) -> None:
    site, store = town
    before = len(readings(store))
    for wanted in ("mak", "aino@example.org", "+358401234567"):
        assert [a for _, a in find(site, "auditor", wanted) if "/members/" in a] == []
    ((said, address),) = find(site, "auditor", "6408001")
    assert address == f"/c/corner-cafe/members/{ACCOUNTS[0]}"
    assert "kinen" not in said
    assert len(readings(store)) == before
    ((said, _),) = find(site, "support", "6408001")
    assert said.startswith("Aino Mäkinen")
    assert readings(store)[-1] == (f"{ACCOUNTS[0]}", "staff support-1", "find")


def test_the_page_of_a_member_says_whose_it_is_to_whoever_may_know(
    town: tuple[Site, Path],
) -> None:
    site, store = town
    address = f"/c/corner-cafe/members/{ACCOUNTS[0]}"
    with site.client("support") as client:
        assert "<h1>Aino Mäkinen</h1>" in client.get(address).text
    assert readings(store)[-1] == (f"{ACCOUNTS[0]}", "staff support-1", "the page of a member")
    before = len(readings(store))
    with site.client("auditor") as client:
        assert "kinen" not in client.get(address).text
    assert len(readings(store)) == before


def test_pages_and_programs_are_those_of_the_role(town: tuple[Site, Path]) -> None:
    site, _ = town
    assert find(site, "owner", "peop")[0][1] == "/people"
    assert find(site, "support", "peop") == []
    assert [a for _, a in find(site, "owner", "boots")] == ["/c/boots-advantage-card"]
    assert find(site, "branch", "boots") == []
    with site.client("other") as client:
        assert client.post("/c/corner-cafe/find", data={"q": "mak"}).status_code == 404


def test_without_a_script_it_is_a_page_and_names_stand_in_no_address(
    town: tuple[Site, Path],
) -> None:
    site, _ = town
    with site.client("owner") as client:
        page = client.get("/c/corner-cafe/find", params={"q": "measures"}).text
        assert lines(page)[0][1] == "/c/corner-cafe/measures"
        assert '<form class="search" role="search" method="post"' in page
        found = lines(client.get("/c/corner-cafe/find", params={"q": "mak"}).text)
        assert [each for _, each in found] == ["/c/corner-cafe/keys#make"]  # and no person
        answer = client.post("/c/corner-cafe/find", data={"q": "mak"})
        assert [said.split("\n")[0] for said, _ in lines(answer.text)] == [
            f"Aino Mäkinen Member {ACCOUNTS[0]}, found by name",
            f"Anna Mäkelä Member {ACCOUNTS[1]}, found by name",
            "Make a key Settings",
        ]


def test_the_list_of_members_is_searched_in_the_same_way(town: tuple[Site, Path]) -> None:
    site, _ = town
    with site.client("manager") as client:
        answer = client.post("/c/corner-cafe/members", data={"q": "aino@example.org"})
        assert answer.headers["location"] == f"/c/corner-cafe/members/{ACCOUNTS[0]}"
        page = client.post("/c/corner-cafe/members", data={"q": "mak"}).text
        assert "2 members found" in page
        assert "Anna Mäkelä" in page
        page = client.post("/c/corner-cafe/members", data={"q": "<b>nobody"}).text
        assert "Nobody has &lt;b&gt;nobody here." in page
        assert client.post("/c/corner-cafe/members", data={"q": " "}).status_code == 303
    with site.client("auditor") as client:
        page = client.post("/c/corner-cafe/members", data={"q": "mak"}).text
        assert "Nobody has mak here." in page


def test_what_is_on_the_screen_leaves_as_a_file_and_that_is_recorded(
    town: tuple[Site, Path],
) -> None:
    site, store = town
    with site.client("support") as client:
        answer = client.post("/c/corner-cafe/members.csv", data={"q": "mak"})
        rows = list(csv.DictReader(io.StringIO(answer.text)))
        assert [(x["account"], x["name"], x["email"], x["phone"]) for x in rows] == [
            (f"{ACCOUNTS[0]}", "Aino Mäkinen", "aino@example.org", "'+358401234567"),
            (f"{ACCOUNTS[1]}", "Anna Mäkelä", "anna@example.org", ""),
        ]
        assert readings(store)[-1] == (f"{ACCOUNTS[1]}", "staff support-1", "export members")
        answer = client.post("/c/corner-cafe/members.csv", data={"below": ACCOUNTS[1]})
        rows = list(csv.DictReader(io.StringIO(answer.text)))
        assert [each["account"] for each in rows] == [f"{ACCOUNTS[0]}", "1"]
        assert rows[1]["stamps"] == "4"
        answer = client.post("/c/corner-cafe/members/1/entries.csv")
        rows = list(csv.DictReader(io.StringIO(answer.text)))
        assert [each["type"] for each in rows] == ["purchase", "enrol"]
        assert "2 stamps for own cup" in rows[0]["why"]
        assert client.post("/c/corner-cafe/members/99/entries.csv").status_code == 404
    before = len(readings(store))
    with site.client("auditor") as client:
        answer = client.post("/c/corner-cafe/members.csv")
        assert answer.text.startswith("account,cards,joined,")
        assert "kinen" not in answer.text
    assert len(readings(store)) == before
    with kantis.desk.open(str(store)) as desk:
        said = desk.books.rows(
            "SELECT who, about, said FROM audit WHERE deed = 'export' ORDER BY n"
        )
    assert said == [
        ("support-1", "members", '{"rows":2,"personal":true}'),
        ("support-1", "members", '{"rows":2,"personal":true}'),
        ("support-1", "entries of account 1", '{"rows":2}'),
        (
            "auditor-1",
            "members",
            f'{{"rows":{len(answer.text.splitlines()) - 1},"personal":false}}',
        ),
    ]


@pytest.mark.browser
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("theme", THEMES)
def test_the_palette_needs_keys_alone(
    browser: Browser, town: tuple[Site, Path], width: int, theme: str
) -> None:
    site, _ = town
    badge = site.sessions["manager"]
    with tab(browser, site.address, width, theme, session=badge) as looked:
        page = looked.page
        page.goto("/c/corner-cafe")
        page.keyboard.press("Control+k")
        dialog = page.get_by_role("dialog", name="Find")
        dialog.get_by_role("link", name="Measures").wait_for()
        assert looked.barriers() == []
        page.keyboard.type("mak")
        dialog.get_by_role("link", name="Anna Mäkelä").wait_for()
        assert (
            dialog.get_by_role("status").inner_text() == "3 places to go"
        )  # two members, and making a key
        assert looked.barriers() == []
        assert not looked.overflows()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/members/{ACCOUNTS[1]}")
        page.get_by_role("link", name="Find").click()
        page.keyboard.type("tills")
        page.keyboard.press("Enter")
        page.wait_for_url("**/c/corner-cafe/tills")
        page.keyboard.press("Control+k")
        assert dialog.is_visible()
        page.keyboard.press("Escape")
        assert not dialog.is_visible()
        assert looked.complaints == []
