"""Looking at a page as people do: in a browser, at two widths, in light and dark."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

WIDTHS = (390, 1280)
THEMES = ("light", "dark")
LANGUAGES = ("en", "fi", "et", "vi")
_ALL = [(language, width) for language in LANGUAGES for width in WIDTHS]
#: Each language at one width, each width in two; ``KANTIS_EVERY=1`` looks at all of them, and
#: ``KANTIS_FEW=1`` at one language for each width.
LOOKS = _ALL if os.environ.get("KANTIS_EVERY") else _ALL[::4] + _ALL[3::4]
#: Both themes at both widths; with ``KANTIS_FEW=1`` each theme at one.
PAINTED = [(theme, width) for theme in THEMES for width in WIDTHS]
if os.environ.get("KANTIS_FEW"):
    LOOKS, PAINTED = LOOKS[::3], PAINTED[::3]
AXE = Path(__file__).parent / "vendor" / "axe-4.14.1.min.js"
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_RUN = f"""
axe.run(document, {{runOnly: {_RULES}}}).then(found => JSON.stringify(found.violations.map(
    each => each.id + ": " + each.nodes.map(n => n.html + " " + n.failureSummary).join(" | "))))
"""


class Looked:
    """A page in a tab, and what the browser complained about or asked others for."""

    def __init__(self, page: Page, own: str) -> None:
        self.page, self.own = page, own
        self.complaints: list[str] = []
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._asks)

    def _console(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def _asks(self, request: Any) -> None:
        if not request.url.startswith((self.own, "data:")):
            self.complaints.append(f"asks {request.url}")

    def barriers(self) -> list[str]:
        """What axe finds against WCAG 2.2 AA."""
        # handed to the browser itself, so that the page's own policy stays as strict as it is
        cdp = self.page.context.new_cdp_session(self.page)
        cdp.send("Runtime.evaluate", {"expression": AXE.read_text(encoding="utf-8")})
        found = cdp.send(
            "Runtime.evaluate", {"expression": _RUN, "awaitPromise": True, "returnByValue": True}
        )
        said: list[str] = json.loads(found["result"]["value"])
        return said

    def overflows(self) -> bool:
        """Whether the page is wider than the window."""
        wide: bool = self.page.evaluate(
            "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        )
        return wide


@contextmanager
def tab(
    browser: Browser,
    own: str,
    width: int = 390,
    theme: str = "light",
    language: str = "en",
    session: str = "",
    till: str = "",
) -> Iterator[Looked]:
    """A fresh tab without history; signed in where there is a session, and
    that of a till where there is one."""
    context = browser.new_context(
        base_url=own, viewport={"width": width, "height": 900}, color_scheme=theme,
        locale=language,
    )  # fmt: skip
    if session:
        for name in ("session", "member"):  # of staff or of a member: each has its own pages
            context.add_cookies([{"name": name, "value": session, "url": own}])
    if till:
        context.add_cookies([{"name": "till", "value": till, "url": own}])
    try:
        yield Looked(context.new_page(), own)
    finally:
        context.close()
