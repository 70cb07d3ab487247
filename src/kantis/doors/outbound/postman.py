"""Postman: the job that sends letters to members, one by one.

Guarantee: a letter is sent while its row is there, and the row goes once the server has taken
it. One that does not leave is tried again, and in the end kept for the mailbox of the owners,
like all letters where no server is named. A reminder is sent once at most, and is never kept.
"""

from __future__ import annotations

from email.message import EmailMessage
from email.utils import formatdate, make_msgid

from kantis.desk import mailing
from kantis.desk.jobs import TRIES_MAX, Job, Progress
from kantis.desk.mailing import Letter
from kantis.desk.programs import Home
from kantis.desk.reminding import REMINDER, End, told_now
from kantis.desk.submit import Desk
from kantis.desk.vault.opening import open_vault
from kantis.desk.vault.vault import Member, Reader, Vault
from kantis.desk.writer import RemoteDesk
from kantis.doors.outbound.smtp import MailFailed, MailServer
from kantis.doors.web.letters import titles, written
from kantis.doors.web.stopping import code_of
from kantis.doors.web.stopping import written as reminder
from kantis.store import mailing as rows
from kantis.store.books import Books
from kantis.store.mailing import MailRow

_READER = Reader("mail", "a letter")


class Postman:
    """Sends letters for one process. ``address`` is where members reach the service."""

    def __init__(self, folder: str, server: MailServer | None, address: str) -> None:
        self._folder, self._server, self._address = folder, server, address
        self._vault: Vault | None = None

    def run(self, desk: Desk | RemoteDesk, job: Job, progress: Progress) -> str:
        """Send the letter that a job is about; what became of it, in words."""
        with desk.books.reader() as reader:
            return self._send(desk, reader, job)

    def _send(self, desk: Desk | RemoteDesk, reader: Books, job: Job) -> str:
        row = rows.mail(reader, int(job.about))
        if row is None:
            return "sent before"
        if self._vault is None:
            self._vault = open_vault(desk, self._folder)
        if row.purpose == REMINDER:
            return self._remind(desk, reader, job, row)
        found = mailing.addressee(reader, self._vault, row)
        if found is None:
            desk.chore("drop_mail", row.number)
            return "done"
        if self._server is not None:
            made = mailing.letter(desk, reader, self._vault, row, _READER)
            assert made is not None
            try:
                self._server.send(self._message(made[0], titles(reader, row.program)))
            except MailFailed:
                if job.tries < TRIES_MAX:
                    raise
            else:
                desk.chore("drop_mail", row.number)
                return "done"
        # a letter to whoever has the address is opened by that member's account
        desk.chore("keep_mail", row.number, row.account or found[1].row.account)
        return "kept"

    def _remind(self, desk: Desk | RemoteDesk, reader: Books, job: Job, row: MailRow) -> str:
        """Send a reminder, at most once: that it leaves is written down before it does."""
        assert self._vault is not None
        found = mailing.addressee(reader, self._vault, row)
        told = told_now(desk, row.number, row.account) if found is not None else None
        note = "nothing to tell"
        if found is not None and told is not None and self._server is not None:
            message = self._reminder(found[1], found[2], row, *told)
            note = "may have left before"
            if desk.chore("begin_reminder", row.number, True):
                note = "done"
                try:
                    self._server.send(message)
                except MailFailed:
                    desk.chore("begin_reminder", row.number, False)
                    if job.tries < TRIES_MAX:
                        raise
                    note = "given up"
        desk.chore("drop_mail", row.number)
        return note

    def _reminder(
        self, member: Member, address: str, row: MailRow, home: Home, ends: list[End], now: int
    ) -> EmailMessage:
        assert self._vault is not None
        assert member.person is not None
        self._vault.note([member], _READER, ("given_name", "email", "language"))
        code, person = code_of(self._vault, row.account), member.person
        about = home, ends, now, person.language or row.language, person.given_name
        made = reminder(*about, self._address, code)
        message = self._envelope(address, made.subject)
        message["List-Unsubscribe"] = f"<{made.stop}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        message.set_content(made.text)
        return message

    def _message(self, letter: Letter, names: dict[str, str]) -> EmailMessage:
        subject, text = written(letter, names, self._address)
        message = self._envelope(letter.address, subject)
        message.set_content(text)
        return message

    def _envelope(self, address: str, subject: str) -> EmailMessage:
        assert self._server is not None
        message = EmailMessage()
        message["From"], message["To"] = self._server.sender, address
        message["Subject"], message["Date"] = subject, formatdate()
        message["Message-ID"] = make_msgid(domain=self._server.sender.rpartition("@")[2].strip(">"))
        message["Auto-Submitted"] = "auto-generated"
        return message
