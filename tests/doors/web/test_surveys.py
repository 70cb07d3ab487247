"""A member says how a purchase was, the merchant reads it and replies, the member sees it."""

import json
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page

from tests.doors.service.server import buy
from tests.doors.web.letters import link
from tests.doors.web.looking import LOOKS, THEMES, WIDTHS, Looked, tab
from tests.doors.web.test_joining import CLUB, Site, card_of, opened

ASKS = CLUB.replace(
    "earning: {all: {give: 1 point per 1 EUR}}",
    "earning:\n  all: {give: 1 point per 1 EUR}\n  said: {for: answer, give: 7 points}",
)
#: Asks at once, as often as somebody buys on another day.
FORM = {"live": "1", "hours": "0", "days": "1", "share": "100", "activity": "answer"}
COMPLAINT = "The coffee was cold, and I waited long."
SORRY = "We are sorry. The next cup is on us!"
WAIT_S = 20
#: Where pictures are kept for whoever wants to look at them.
PICTURES = os.environ.get("KANTIS_PICTURES", "")


@pytest.fixture(scope="module")
def cafe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("surveys"), ASKS) as site:
        with console(site) as client:
            assert client.post("/c/club/survey", data=FORM).status_code == 303
        yield site


def console(site: Site) -> httpx.Client:
    client = site.browser()
    client.cookies.set("session", site.manager)
    return client


def come(site: Site, client: httpx.Client, email: str, *, letters: bool = False) -> str:
    """Somebody joins, confirms the address, buys, and is asked; the number of the question."""
    site.join(client, email)
    client.post(link(site.letters.to(email)))
    if letters:
        client.post("/me/consents", data={"field": "question", "granted": "1"})
    card = card_of(client.get("/me").text)
    assert site.till.post("/v1/events", json=buy(f"buy-{email}", card, 40)).status_code == 200
    with console(site) as merchant:
        merchant.post("/c/club/survey", data=FORM)  # whoever saves has it looked at once
    return wait_for(client, "/me", r'href="/me/questions/(\d+)"')


def wait_for(client: httpx.Client, path: str, said: str) -> str:
    """What a page says, once it does."""
    end = time.monotonic() + WAIT_S
    while (found := re.search(said, client.get(path).text)) is None:
        assert time.monotonic() < end, client.get(path).text
        time.sleep(0.1)
    return found[1]


def picture(page: Page, name: str) -> None:
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"{name}.png", full_page=True)


def is_fine(looked: Looked, name: str) -> None:
    picture(looked.page, name)
    assert looked.barriers() == []
    assert not looked.overflows()


@pytest.mark.browser
@pytest.mark.parametrize(("language", "width"), LOOKS)
def test_a_complaint_is_answered(browser: Browser, cafe: Site, language: str, width: int) -> None:
    theme = THEMES[width != WIDTHS[0]]
    email, look = f"{language}-{width}-{theme}@example.org", f"{language}-{width}-{theme}"
    about = {"width": width, "theme": theme, "language": language}
    with cafe.browser() as client:
        number = come(cafe, client, email)
        session = client.cookies["member"]
    with tab(browser, cafe.address, session=session, **about) as member:
        page = member.page
        page.goto("/me")
        is_fine(member, f"{look}-card")
        page.goto("/me/history")
        is_fine(member, f"{look}-history")
        page.locator(".question button[name=score][value='2']").click()
        page.wait_for_url(f"**/me/questions/{number}")
        is_fine(member, f"{look}-words")
        page.locator("textarea").fill(COMPLAINT)
        page.locator("main form button").click()
        assert COMPLAINT in page.locator("blockquote").inner_text()
        with tab(browser, cafe.address, session=cafe.manager, **about) as merchant:
            desk = merchant.page
            desk.goto("/c/club/answers?score=poor&unreplied=1")
            is_fine(merchant, f"{look}-inbox")
            mine = desk.locator(f"#a{number}")
            assert COMPLAINT in mine.inner_text()
            assert "latte" in mine.inner_text()
            mine.locator("textarea").fill(SORRY)
            mine.locator("form button").click()
            desk.wait_for_url(f"**/answers?score=poor&unreplied=1&done={number}**")
            desk.get_by_role("status").wait_for()  # it is not among these any more
            is_fine(merchant, f"{look}-replied")
            assert desk.locator(f"#a{number}").count() == 0
            desk.goto("/c/club/answers?score=poor")
            assert SORRY in desk.locator(f"#a{number}").inner_text()
            desk.goto("/c/club/survey")
            is_fine(merchant, f"{look}-settings")
            assert merchant.complaints == []
        page.goto("/me")
        page.locator(f"a[href='/me/questions/{number}']").click()
        is_fine(member, f"{look}-reply")
        assert SORRY in page.locator("main").inner_text()
        page.goto("/me/history")
        assert SORRY in page.locator(".question").inner_text()
        assert member.complaints == []


@pytest.mark.browser
@pytest.mark.parametrize(("language", "width"), LOOKS)
def test_the_link_of_a_letter(browser: Browser, cafe: Site, language: str, width: int) -> None:
    email, theme = f"{language}-{width}-link@example.org", THEMES[width == WIDTHS[0]]
    with cafe.browser() as client:
        client.headers["accept-language"] = language
        come(cafe, client, email, letters=True)
    path = re.search(r"/ask/\S+", cafe.letters.to(email, 2).get_content())
    assert path is not None
    with tab(browser, cafe.address, width=width, theme=theme, language=language) as looked:
        looked.page.goto(path[0])
        is_fine(looked, f"{language}-{width}-link")
        looked.page.locator("button[name=score][value='5']").click()
        looked.page.locator("textarea").fill("Oat milk, please")
        is_fine(looked, f"{language}-{width}-link-words")
        looked.page.locator("main form button").click()
        looked.page.get_by_role("status").wait_for()
        assert looked.barriers() == []
        assert "Oat milk" not in looked.page.locator("main").inner_text()
        assert looked.complaints == []


def test_by_letter_one_press_answers_and_brings_points_once(cafe: Site) -> None:
    with cafe.browser() as client, cafe.browser() as phone, cafe.browser() as nobody:
        number = come(cafe, client, "letters@example.org", letters=True)
        letter = cafe.letters.to("letters@example.org", 2)
        path = re.search(r"/ask/\S+", letter.get_content())
        assert path is not None
        assert "latte" not in letter.get_content()
        assert letter["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"
        assert 'name="score"' in phone.get(path[0]).text
        assert phone.get(path[0][:-1] + "x").status_code == 404
        assert phone.post(path[0], data={"score": "5"}).status_code == 200
        assert "Thank you" in phone.post(path[0], data={"score": "1"}).text
        assert phone.post(path[0], data={"text": "Lovely!"}).status_code == 200
        assert "Lovely!" not in phone.get(path[0]).text, "a link shows nothing that was written"
        wait_for(client, "/me", r'class="figure">(47)<')
        kept = json.loads(client.get("/me/export").text)["answers"]
        assert [(x["score"], x["text"], x["reply"]) for x in kept] == [(5, "Lovely!", "")]
        with console(cafe) as merchant:
            inbox = merchant.get("/c/club/answers").text
            seen = re.search(rf'answers/{number}">.*?name="seen" value="(\d+)"', inbox, re.S)
            assert seen is not None
            form = {"reply": "Thank you, An!", "seen": seen[1]}
            assert merchant.post(f"/c/club/answers/{number}", data=form).status_code == 303
            assert merchant.post(f"/c/club/answers/{number}", data=form).status_code == 409
            form = {"reply": " ", "seen": "0"}
            assert merchant.post(f"/c/club/answers/{number}", data=form).status_code == 409
        told = cafe.letters.to("letters@example.org", 3)
        assert f"/me/questions/{number}" in told.get_content()
        assert "Thank you, An!" not in told.get_content()
        client.post(re.sub("^<http://x.test|>$", "", told["list-unsubscribe"]))
        consents = json.loads(client.get("/me/export").text)["member"]["person"]["consents"]
        said = [x["granted"] for x in consents if x["purpose"] == "questions by e-mail"]
        assert said == [True, False]
        cafe.join(nobody, "nobody@example.org")
        assert nobody.get(f"/me/questions/{number}").status_code == 404
        assert nobody.post(f"/me/questions/{number}", data={"score": "1"}).status_code == 404


def test_without_consent_no_letter_comes(cafe: Site) -> None:
    with cafe.browser() as client:
        come(cafe, client, "quiet@example.org")
        time.sleep(1)
        assert [x for x in cafe.letters.came if x["to"] == "quiet@example.org"][1:] == []


def test_never_again_and_again(cafe: Site) -> None:
    with cafe.browser() as client:
        number = come(cafe, client, "never@example.org")
        answer = client.post(f"/me/questions/{number}", data={"do": "never"})
        assert answer.headers["location"] == "/me/you#consents", "where it is said, and taken back"
        assert "/me/questions/" not in client.get("/me").text
        assert "You are not asked" in client.get("/me/you").text
        client.post("/me/questions")
        assert "You are not asked" not in client.get("/me/you").text


def test_what_is_wrong_is_said_and_what_is_right_is_measured(cafe: Site) -> None:
    with cafe.browser() as client, console(cafe) as merchant:
        number = come(cafe, client, "measured@example.org")
        client.post(f"/me/questions/{number}", data={"score": "4"})
        answer = merchant.post("/c/club/survey", data=FORM | {"days": "0", "activity": "sleep"})
        assert answer.status_code == 422
        assert "The days are a whole number from 1 to 365." in answer.text
        words = {"words-fi": "Maistuiko?", "words-en": ""}
        merchant.post("/c/club/survey", data=FORM | words)
        assert 'value="Maistuiko?"' in merchant.get("/c/club/survey").text
        client.headers["accept-language"] = "fi"
        assert "Maistuiko?" in client.get(f"/me/questions/{number}").text
        client.headers["accept-language"] = "vi"
        assert "Bạn hài lòng với lần mua này" in client.get(f"/me/questions/{number}").text
        audit = merchant.get("/c/club/answers?score=4").text
        assert f'id="a{number}"' in audit
        assert f'id="a{number}"' not in merchant.get("/c/club/answers?score=poor").text
        table = wait_for(merchant, "/c/club/measures/answers.csv", r"Month,(Asked),Answered")
        assert table == "Asked"
