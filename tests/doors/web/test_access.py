"""Who may see what: each role on each page. A page without its row here fails."""

import re

import httpx
import pytest

from kantis.desk.staff import ROLES
from kantis.doors.web.app import Page
from kantis.doors.web.doors import PAGES
from tests.doors.web.conftest import Site

#: The roles that each page is for. Nothing is worked out here.
ROWS: dict[str, str] = {
    "GET /": "anybody",
    "GET /p/{program}": "anybody",
    "GET /p/{program}/join": "anybody",
    "POST /p/{program}/join": "anybody",
    "GET /theme/{theme}": "anybody",
    "GET /first/{token}": "anybody",
    "POST /first/{token}": "anybody",
    "GET /sign-in": "anybody",
    "POST /sign-in": "anybody",
    "GET /sign-in/second": "anybody",
    "POST /sign-in/second": "anybody",
    "POST /sign-out": "anybody",
    "POST /me/sign-out": "anybody",
    "GET /account": "owner manager support partner auditor cashier",
    "POST /account/password": "owner manager support partner auditor cashier",
    "POST /account/sign-out-elsewhere": "owner manager support partner auditor cashier",
    "GET /account/prove": "owner manager support partner auditor cashier",
    "POST /account/prove": "owner manager support partner auditor cashier",
    "GET /account/second": "owner manager support partner auditor cashier",
    "POST /account/app": "owner manager support partner auditor cashier",
    "GET /account/app": "owner manager support partner auditor cashier",
    "POST /account/app/confirm": "owner manager support partner auditor cashier",
    "POST /account/app/end": "owner manager support partner auditor cashier",
    "POST /account/codes": "owner manager support partner auditor cashier",
    "POST /account/prove/passkey": "owner manager support partner auditor cashier",
    "POST /account/passkeys/ask": "owner manager support partner auditor cashier",
    "POST /account/passkeys": "owner manager support partner auditor cashier",
    "POST /account/passkeys/{number}/name": "owner manager support partner auditor cashier",
    "POST /account/passkeys/{number}/end": "owner manager support partner auditor cashier",
    "POST /sign-in/passkey/ask": "anybody",
    "POST /sign-in/passkey": "anybody",
    "POST /me/sign-in/passkey/ask": "anybody",
    "POST /me/sign-in/passkey": "anybody",
    "POST /me/prove/passkey": "member",
    "POST /me/passkeys/ask": "member",
    "POST /me/passkeys": "member",
    "POST /me/passkeys/{number}/name": "member",
    "POST /me/passkeys/{number}/end": "member",
    "GET /invitation/{token}": "anybody",
    "POST /invitation/{token}": "anybody",
    "GET /programs/new": "owner manager",
    "POST /programs/new": "owner manager",
    "POST /programs/draft": "owner manager",
    "GET /c/{program}/program": "owner manager",
    "POST /c/{program}/program": "owner manager",
    "GET /c": "owner manager support auditor partner",
    "GET /c/{program}": "owner manager support auditor",
    "GET /c/{program}/find": "owner manager support auditor",
    "POST /c/{program}/find": "owner manager support auditor",
    "GET /c/{program}/drafts": "owner manager support auditor",
    "POST /c/{program}/drafts": "owner",
    "GET /c/{program}/drafts/{number}": "owner manager support auditor",
    "POST /c/{program}/drafts/{number}": "owner manager support auditor",
    "GET /c/{program}/versions": "owner manager support auditor",
    "GET /c/{program}/versions/{number}": "owner manager support auditor",
    "POST /c/{program}/versions/{number}/cancel": "owner manager",
    "GET /c/{program}/difference": "owner manager support auditor",
    "GET /c/{program}/members": "owner manager support auditor",
    "POST /c/{program}/members": "owner manager support auditor",
    "POST /c/{program}/members.csv": "owner manager support auditor",
    "POST /c/{program}/members/{account}/entries.csv": "owner manager support auditor",
    "GET /c/{program}/members/{account}": "owner manager support auditor",
    "POST /c/{program}/members/{account}/link": "owner manager support",
    "GET /c/{program}/members/{account}/merge": "owner manager support",
    "POST /c/{program}/members/{account}/merge": "owner manager support",
    "GET /c/{program}/imports": "owner manager",
    "POST /c/{program}/imports": "owner manager",
    "GET /c/{program}/imports/{number}": "owner manager",
    "POST /c/{program}/imports/{number}": "owner manager",
    "GET /c/{program}/imports/{number}/bad-rows.csv": "owner manager",
    "GET /c/{program}/answers": "owner manager support auditor",
    "POST /c/{program}/answers/{number}": "owner manager support",
    "GET /c/{program}/survey": "owner manager support auditor",
    "POST /c/{program}/survey": "owner manager",
    "GET /me/questions/{number}": "member",
    "POST /me/questions/{number}": "member",
    "POST /me/questions": "member",
    "GET /ask/{code}": "anybody",
    "POST /ask/{code}": "anybody",
    "GET /c/{program}/flags": "owner manager support auditor",
    "POST /c/{program}/flags": "owner manager support",
    "GET /c/{program}/adjustments": "owner manager support auditor",
    "POST /c/{program}/adjustments": "owner manager support",
    "POST /c/{program}/adjustments/limit": "owner",
    "POST /c/{program}/adjustments/{number}": "owner manager",
    "GET /c/{program}/mails": "owner",
    "POST /c/{program}/mails/{number}": "owner",
    "GET /c/{program}/tills": "owner manager",
    "POST /c/{program}/tills": "owner manager",
    "POST /c/{program}/tills/{key}/end": "owner manager",
    "GET /c/{program}/design": "owner manager",
    "POST /c/{program}/design": "owner manager",
    "GET /card/{program}/{file}": "anybody",
    "GET /c/{program}/cards": "owner manager",
    "POST /c/{program}/cards": "owner manager",
    "GET /c/{program}/cards/{number}": "owner manager",
    "GET /c/{program}/cards/{number}/numbers.csv": "owner manager",
    "POST /c/{program}/cards/{number}/block": "owner manager",
    "POST /c/{program}/goodwill": "owner manager",
    "POST /c/{program}/offline": "owner manager",
    "POST /c/{program}/pins/{number}": "owner manager",
    "GET /c/{program}/keys": "owner manager",
    "POST /c/{program}/keys": "owner manager",
    "POST /c/{program}/keys/{key}/end": "owner manager",
    "GET /c/{program}/safety": "owner manager support auditor",
    "POST /c/{program}/safety": "owner",
    "POST /c/{program}/safety/limit": "owner",
    "POST /c/{program}/members/{account}/lock": "owner manager support",
    "POST /c/{program}/members/{account}/free": "owner manager support",
    "GET /lock/{token}": "anybody",
    "POST /lock/{token}": "anybody",
    "POST /me/rewards": "member",
    "GET /c/{program}/audit": "owner auditor",
    "GET /c/{program}/audit.csv": "owner auditor",
    "GET /c/{program}/rewards.csv": "owner manager support auditor",
    "GET /c/{program}/adjustments.csv": "owner manager support auditor",
    "GET /till/pair": "anybody",
    "POST /till/pair": "anybody",
    "GET /till/sign-in": "till",
    "POST /till/sign-in": "till",
    "POST /till/lock": "till",
    "GET /till": "counter",
    "POST /till/sale": "counter",
    "POST /till/hold": "counter",
    "POST /till/release": "counter",
    "POST /till/use": "counter",
    "POST /till/load": "counter",
    "POST /till/cards": "counter",
    "POST /till/goodwill": "counter",
    "GET /till/receipts": "counter",
    "GET /till/receipts/{receipt}": "counter",
    "POST /till/receipts/{receipt}/refund": "counter",
    "POST /till/receipts/{receipt}/claim": "counter",
    "GET /till/offline": "till",
    "POST /till/queue": "till",
    "GET /till/worker.js": "anybody",
    "GET /till/manifest.webmanifest": "anybody",
    "GET /c/{program}/rewards": "owner manager support auditor",
    "GET /c/{program}/budgets": "owner manager support auditor",
    "POST /c/{program}/budgets": "owner manager",
    "POST /c/{program}/budgets/{number}/end": "owner manager",
    "GET /c/{program}/segments": "owner manager support auditor",
    "POST /c/{program}/segments": "owner manager",
    "GET /c/{program}/segments/{segment}": "owner manager support auditor",
    "POST /c/{program}/segments/{segment}/refresh": "owner manager",
    "POST /c/{program}/segments/{segment}/end": "owner manager",
    "GET /c/{program}/measures": "owner manager support auditor",
    "GET /c/{program}/measures/{panel}": "owner manager support auditor",
    "GET /c/{program}/partners": "owner manager auditor partner",
    "GET /c/{program}/partners.csv": "owner manager auditor partner",
    "GET /c/{program}/partners/{partner}": "owner manager auditor partner",
    "GET /c/{program}/partners/{partner}/statement.csv": "owner manager auditor partner",
    "GET /open/{token}": "anybody",
    "POST /open/{token}": "anybody",
    "GET /me/sign-in": "anybody",
    "POST /me/sign-in": "anybody",
    "GET /me": "member",
    "GET /me/rewards": "member",
    "GET /me/history": "member",
    "POST /me/offers": "member",
    "POST /me/choices": "member",
    "GET /me/you": "member",
    "POST /me/consents": "member",
    "POST /me/sign-out-elsewhere": "member",
    "POST /me/prove": "member",
    "GET /me/export": "member",
    "GET /me/leave": "member",
    "POST /me/leave": "member",
    "GET /me/friends": "member",
    "GET /me/email": "member",
    "POST /me/email": "member",
    "POST /me/reminders": "member",
    "GET /stop/{code}": "anybody",
    "POST /stop/{code}": "anybody",
    "GET /me/household": "member",
    "POST /me/household/invite": "member",
    "GET /me/household/join": "member",
    "POST /me/household/join": "member",
    "GET /me/household/leave": "member",
    "POST /me/household/leave": "member",
    "POST /me/household/permit": "member",
    "GET /me/ends.ics": "member",
    "GET /me/app.webmanifest": "anybody",
    "GET /me/worker.js": "anybody",
    "GET /people": "owner",
    "POST /people": "owner",
    "POST /people/demand": "owner",
    "POST /people/{number}/reset": "owner",
    "POST /people/{number}/leave": "owner",
}
#: What is there for a member whose person is known, or in a program that has it.
NOT_FOR_A_BARE_CARD = (
    "POST /me/consents", "POST /me/prove", "GET /me/export", "GET /me/friends",
    "POST /me/reminders", "GET /me/email", "POST /me/email",
    *(row for row in ROWS if "/me/household" in row),
)  # fmt: skip
#: What is there for somebody who has a second factor.
NOT_WITHOUT_A_FACTOR = ("POST /account/app/end", "POST /account/codes")
#: What would end the sessions of the member that the other rows need; test_takeover has it.
LOCKING = (
    "POST /c/{program}/members/{account}/lock", "POST /c/{program}/members/{account}/free",
)  # fmt: skip
#: Of a till, whoever is signed in: it has a key of its own.
TILLS = [row for row, whose in ROWS.items() if whose in ("till", "counter")]
GUARDED = [row for row, whose in ROWS.items() if whose != "anybody" and row not in TILLS]


def rowless(pages: tuple[Page, ...]) -> set[str]:
    """The pages that have no row."""
    return {f"{each.method} {each.path}" for each in pages} ^ set(ROWS)


def path_of(row: str, program: str = "", partner: str = "bakery") -> str:
    program = program or ("coalition" if "/partners" in row else "corner-cafe")
    account = "999" if row in LOCKING else "1"
    path = row.split()[1].replace("{program}", program).replace("{account}", account)
    path = path.replace("{partner}", partner)
    path = path.replace("{segment}", "{number}")  # nobody has it
    path = path.replace("{receipt}", "2222-2222-2222").replace("{key}", "99999999")
    return path.replace("{number}", "999").replace("{panel}", "enrolment.csv")


def test_each_page_has_its_row() -> None:
    assert rowless(PAGES) == set()
    extra = Page("GET", "/secrets", frozenset(), PAGES[0].handler)
    assert rowless((*PAGES, extra)) == {"GET /secrets"}


@pytest.mark.parametrize("row", GUARDED)
@pytest.mark.parametrize("role", [*ROLES, "member"])
def test_each_role_on_each_page(site: Site, role: str, row: str) -> None:
    with site.client(role) as client:
        answer = client.request(row.split()[0], path_of(row))
    allowed = role in ROWS[row].split()
    # the card of nobody and staff without a factor; test_own and test_account have the others
    if allowed and row in (*NOT_FOR_A_BARE_CARD, *NOT_WITHOUT_A_FACTOR):
        assert answer.status_code == 404
        return
    # nobody has this number: for those who may, it is not there
    if "{number}" in row or "{key}" in row or "{segment}" in row or row in LOCKING:
        assert answer.status_code == 404
    else:
        assert (answer.status_code in (200, 303, 403, 422)) == allowed, answer.text
        assert allowed or answer.status_code == 404


#: Pages to write on, or that show what opens something: an auditor has the versions, the audit
#: log and the measures instead.
TO_WORK_ON = (
    "/programs/new", "/c/{program}/program", "/c/{program}/imports", "/c/{program}/mails",
    "/c/{program}/tills", "/c/{program}/cards", "/c/{program}/keys", "/people",
    "/c/{program}/members/{account}/merge",
    "/c/{program}/design",
)  # fmt: skip
#: All that an auditor sends: their own sign-in, what they look for, what they take out, and
#: their signature.
SENT_BY_AUDITORS = (
    "/c/{program}/drafts/{number}",
    "/account/",
    "/c/{program}/find",
    "/c/{program}/members",
    "/c/{program}/members.csv",
    "/c/{program}/members/{account}/entries.csv",
)


def test_an_auditor_reads_all_and_changes_nothing() -> None:
    for row, whose in ROWS.items():
        method, path = row.split()
        roles = set(whose.split())
        if method == "GET" and roles & {"owner", "manager", "support"}:
            assert ("auditor" in roles) != path.startswith(TO_WORK_ON), row
        elif method == "POST" and "auditor" in roles:
            assert path.startswith("/account/") or path in SENT_BY_AUDITORS, row


@pytest.mark.parametrize("row", GUARDED)
def test_nobody_sees_what_is_guarded(site: Site, row: str) -> None:
    method = row.split()[0]
    for cookies in ({}, {"session": "x" * 43, "member": "x" * 43}, {"session": "", "member": ""}):
        with site.client() as client:
            client.cookies.update(cookies)
            answer = client.request(method, path_of(row))
        if method == "GET":
            assert answer.status_code == 303
            door = "/me/sign-in" if ROWS[row] == "member" else "/sign-in"
            assert answer.headers["location"].startswith(f"{door}?next=%2F")
        else:
            assert answer.status_code == 404


@pytest.mark.parametrize("row", TILLS)
def test_a_till_is_for_paired_devices_with_somebody_at_them(site: Site, row: str) -> None:
    method, counter = row.split()[0], ROWS[row] == "counter"
    for role in ("", "owner", "cashier", "member"):
        with site.client(role) as client:
            answer = client.request(method, path_of(row))
        if method == "GET":
            assert answer.headers["location"] == "/till/pair"
        else:
            assert answer.status_code == 404
    with site.client("locked till") as client:
        answer = client.request(method, path_of(row))
        locked = answer.headers.get("location") == "/till/sign-in"
        assert locked == (counter or row == "POST /till/lock"), answer.text
    with site.client("locked till") as client:
        client.cookies.set("session", site.sessions["cashier"])  # the staff sign-in will do too
        there = "/till" if counter else "/till/offline"
        assert client.get(there).status_code == 200
        client.cookies.set("session", site.sessions["auditor"])
        assert client.get("/till").status_code == 303


@pytest.mark.parametrize("row", [row for row in GUARDED if "{program}" in row])
def test_the_program_of_somebody_else_is_nowhere(site: Site, row: str) -> None:
    with site.client("other") as client:
        assert client.request(row.split()[0], path_of(row)).status_code == 404
        other = re.search(r"\{(account|number|partner|segment)\}", row)
        shown = row.startswith("GET") and other is None  # those are not in the other program
        if shown and "manager" in ROWS[row].split():
            own = path_of(row, "boots-advantage-card")
            assert client.request(row.split()[0], own).status_code == 200


@pytest.mark.parametrize("row", [row for row in GUARDED if "{partner}" in row])
@pytest.mark.parametrize("foreign", ["pharmacy", "nobody", "BAKERY", "bakery%20", "%2e%2e"])
def test_a_partner_of_somebody_else_is_nowhere(site: Site, row: str, foreign: str) -> None:
    with site.client("partner") as client:
        assert client.get(path_of(row)).status_code == 200
        answer = client.get(path_of(row, partner=foreign))
        assert answer.status_code == 404
        assert "45.00" not in answer.text
        # its own name in another program is nobody's either
        assert client.get(path_of(row, "corner-cafe")).status_code == 404
    with site.client("auditor") as client:
        assert client.get(path_of(row, partner=foreign)).status_code == (
            200 if foreign == "pharmacy" else 404
        )


def test_an_account_of_another_program_is_nowhere(site: Site) -> None:
    with site.client("owner") as client:
        assert client.get("/c/corner-cafe/members/1").status_code == 200
        for number in ("2", "0", "-1", "1x", "9" * 30):
            assert client.get(f"/c/corner-cafe/members/{number}").status_code == 404
        assert client.get("/c/boots-advantage-card/members/1").status_code == 404


def test_only_pages_of_ours_come_after_signing_in(site: Site) -> None:
    with site.client() as client:
        for wanted in ("https://elsewhere.example", "//elsewhere.example", "/\\elsewhere", "c"):
            page = client.get("/sign-in", params={"next": wanted})
            assert 'name="next" value=""' in page.text
        assert 'value="/people"' in client.get("/sign-in?next=/people").text


PLAIN = {"x-forwarded-proto": "http"}


def test_cookies_are_kept_from_scripts(site: Site) -> None:
    with site.client() as client:
        client.headers["x-forwarded-proto"] = "https"
        answer = client.get("/theme/dark")
        assert "strict-transport-security" not in client.get("/", headers=PLAIN).headers
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    said = answer.headers["set-cookie"].lower()
    assert "httponly" in said
    assert "samesite=lax" in said
    assert "secure" in said


def test_signing_out_takes_the_session_from_the_books(site: Site) -> None:
    with site.client("partner") as client:
        token = client.cookies["session"]
        answer: httpx.Response = client.post("/sign-out")
        assert answer.status_code == 303
        client.cookies.set("session", token)
        assert client.get("/c").headers["location"].startswith("/sign-in")


def test_whoever_works_here_is_a_member_too_and_each_sign_in_stands_alone(site: Site) -> None:
    """An owner who joins as the first member is still the owner; and either signs out alone."""
    with site.client() as client:
        client.cookies.set("session", site.sessions["owner"])
        client.cookies.set("member", site.sessions["member"])
        assert client.get("/me").status_code == 200
        assert client.get("/c/corner-cafe").status_code == 200
        made = client.post("/c/corner-cafe/members/1/link")
        link = re.search(r"/open/[\w-]+", made.text)
        assert link is not None
        there = client.post(link[0]).headers["location"]  # another session of a member
        assert there.partition("?")[0] == "/me"
        assert client.get("/c/corner-cafe").status_code == 200, "the owner was signed out"
        assert client.post("/me/sign-out").status_code == 303
        assert client.get("/me").headers["location"].startswith("/me/sign-in")
        assert client.get("/c/corner-cafe").status_code == 200
