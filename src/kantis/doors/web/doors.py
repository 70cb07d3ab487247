"""Doors: every page that there is, and whose it is. What is not named here is not there."""

from __future__ import annotations

from typing import Final

from kantis.doors.web import public
from kantis.doors.web.app import ANYBODY, Page

PAGES: Final = (
    Page("GET", "/", ANYBODY, public.start),
    Page("GET", "/p/{program}", ANYBODY, public.program),
    Page("GET", "/theme/{theme}", ANYBODY, public.theme),
)
