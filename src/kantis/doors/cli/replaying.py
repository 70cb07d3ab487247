"""The command ``replay``: decide again what was decided, and tell what would differ now.

Nothing is written: the books stay what was decided, whatever would be decided today.
"""

from __future__ import annotations

from rich.text import Text

from kantis.desk.programs import Engine
from kantis.desk.replay import Replayed, replayed
from kantis.doors.cli.opening import opened
from kantis.doors.cli.output import NOT_FINE, Json, Store, count, json_out, leave, out
from kantis.doors.cli.progress import Bars


def replay(store: Store = "kantis.db", json: Json = False) -> None:
    """Decide again what was decided, and tell what would be decided differently now."""
    with opened(store) as desk, Bars(quiet=json) as bars:
        found = replayed(desk.books, Engine(), bars.tell)
    if json:
        json_out(found)
    else:
        _tell(found)
    if found.different:
        leave(NOT_FINE)


def _tell(found: Replayed) -> None:
    for each in found.differences:
        what = each.event or "time"
        out.print(Text(f"account {each.account}, entry {each.seq}, {what}", style="bold"))
        for sentence in each.recorded:
            out.print(Text(f"    recorded  {sentence}"))
        for sentence in each.now:
            out.print(Text(f"    now       {sentence}"))
        for sentence in each.because:
            out.print(Text(f"    because   {sentence}"))
    skipped = f", {found.skipped:,} cannot be decided again" if found.skipped else ""
    said = f"{count(found.accounts, 'account')}, {found.entries:,} entries{skipped}"
    if found.different:
        out.print(f"{said}: {found.different:,} would be decided differently now.")
    else:
        out.print(f"{said}: all would be decided the same way now.")
