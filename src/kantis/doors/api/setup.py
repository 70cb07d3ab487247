"""Setup: how a service is set up by whoever starts it."""

from __future__ import annotations

from msgspec import Struct

from kantis.doors.api.line import BULK_MAX, TILLS_MAX
from kantis.doors.outbound.smtp import MailServer


class Setup(Struct, frozen=True, kw_only=True):
    """What can be said when a service starts.

    ``vault`` is the folder of the members' keys; empty, it is beside the books. ``origins`` are
    the shops' pages that may ask from a browser. Without ``jobs`` it only answers, and a worker
    does the rest. With ``lan`` webhooks may be called at any address, and without TLS.
    ``mail`` sends letters to members, with links to ``address``; without it an owner finds them
    in the mailbox of the console. ``tills_max`` and ``bulk_max`` are how many events may wait
    in each queue.
    """

    vault: str = ""
    origins: frozenset[str] = frozenset()
    jobs: bool = True
    lan: bool = False
    mail: MailServer | None = None
    address: str = ""
    tills_max: int = TILLS_MAX
    bulk_max: int = BULK_MAX


#: What holds where nothing is said.
USUAL = Setup()
