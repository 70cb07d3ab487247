"""The script that draws every page knows an address of each."""

from kantis.doors.web.doors import PAGES
from scripts.demo import is_shown, who_of
from scripts.screens import name_of

#: What an address is filled in with; a page with another place would be left out. The demo
#: prints cards (a number); it has no partner, no segment and no reminder (a code), and takes
#: no file, so those pages are left out.
PLACES = {"program", "account", "receipt", "token", "number", "partner", "segment", "code"}


def test_every_page_is_drawn_and_has_a_file_of_its_own() -> None:
    shown = [page for page in PAGES if is_shown(page)]
    places = {part[1:-1] for page in shown for part in page.path.split("/") if "{" in part}
    assert places <= PLACES, "fill it in: scripts/demo.py"
    names = [name_of(page.path) for page in shown]
    assert len(set(names)) == len(names)
    assert {who_of(page) for page in shown} >= {"anybody", "owner", "member", "till"}
