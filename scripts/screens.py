"""Draw every page, to be looked at:

    python -m scripts.screens --folder screens --languages en vi

It opens a small demo, draws each page at two widths in light and dark, and writes an
index.html with all of them. ``--only measures`` draws those whose path has that word.
"""

import argparse
import html
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from kantis.doors.web.languages import LANGUAGES
from scripts.demo import Opened, Shown, opened

WIDTHS = (390, 1280)
THEMES = ("light", "dark")
_STYLE = (
    "body{font:1rem system-ui;margin:1rem;background:#888}section{display:flex;gap:1rem;"
    "overflow-x:auto;align-items:flex-start}img{height:40rem;width:auto;border:1px solid #444}"
    "figure{margin:0}"
)


def name_of(path: str) -> str:
    """A file name for a path.

    >>> name_of("/c/{program}/members"), name_of("/")
    ('c-program-members', 'start')
    """
    return re.sub(r"\W+", "-", path).strip("-") or "start"


def draw(
    browser: Browser, demo: Opened, pages: list[Shown], folder: Path, language: str, width: int,
    theme: str,
) -> None:  # fmt: skip
    """Draw pages as somebody with that device sees them."""
    for who in dict.fromkeys(page.who for page in pages):
        context = browser.new_context(
            base_url=demo.address, viewport={"width": width, "height": 900}, color_scheme=theme,
            locale=language,
        )  # fmt: skip
        for name, value in demo.cookies[who].items():
            if name in ("session", "member", "till"):
                context.add_cookies([{"name": name, "value": value, "url": demo.address}])
        page = context.new_page()
        for each in pages:
            if each.who == who:
                page.goto(each.address)
                file = folder / f"{name_of(each.path)}.{language}.{width}.{theme}.png"
                page.screenshot(path=file, full_page=True)
        context.close()


def index(folder: Path, pages: list[Shown]) -> Iterator[str]:
    """A page that shows what was drawn, by path."""
    yield f"<!doctype html><meta charset='utf-8'><title>Pages</title><style>{_STYLE}</style>"
    for page in pages:
        yield f"<h2>{html.escape(page.path)} <small>{page.who}</small></h2><section>"
        for file in sorted(folder.glob(f"{name_of(page.path)}.*.png")):
            said = html.escape(file.name)
            yield f"<figure><a href='{said}'><img loading='lazy' src='{said}' alt='{said}'></a>"
            yield f"<figcaption>{said}</figcaption></figure>"
        yield "</section>"


def main() -> None:
    """Draw what the arguments name."""
    asked = argparse.ArgumentParser(description="Draw every page, to be looked at.")
    asked.add_argument("--folder", type=Path, default=Path("screens"))
    asked.add_argument("--languages", nargs="+", default=["en"], choices=list(LANGUAGES))
    asked.add_argument("--widths", nargs="+", type=int, default=list(WIDTHS))
    asked.add_argument("--themes", nargs="+", default=list(THEMES), choices=THEMES)
    asked.add_argument("--households", type=int, default=60)
    asked.add_argument("--only", default="")
    about = asked.parse_args()
    chromium = next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
    )
    if not chromium:
        asked.error("There is no chromium here. Install it (Debian: apt-get install chromium).")
    about.folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as books,
        opened(Path(books) / "demo.db", about.households) as demo,
        sync_playwright() as playwright,
    ):
        pages = [page for page in demo.pages() if about.only in page.path]
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for language in about.languages:
            for width in about.widths:
                for theme in about.themes:
                    draw(browser, demo, pages, about.folder, language, width, theme)
                    print(f"{len(pages)} pages in {language}, {width} pixels, {theme}")
        browser.close()
        (about.folder / "index.html").write_text("\n".join(index(about.folder, pages)))
    print(f"Look at {about.folder / 'index.html'}")


if __name__ == "__main__":
    main()
