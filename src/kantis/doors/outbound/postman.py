"""Postman: the job that sends letters to members, one by one.

Guarantee: a letter is sent while its row is there, and the row goes once the server has taken
it. One that does not leave is tried again, and in the end kept for the mailbox of the owners,
like all letters where no server is named. A reminder, a question and word of a reply are sent
once at most, and are never kept. Whoever is asked to sign a draft is written to until the server
has taken it.
"""

from __future__ import annotations

from email.message import EmailMessage
from email.utils import formatdate, make_msgid

from kantis.desk import awaiting, mailing, signoffs, surveys
from kantis.desk.awaiting import Asked
from kantis.desk.beside import beside
from kantis.desk.jobs import TRIES_MAX, Job, Progress
from kantis.desk.mailing import Letter
from kantis.desk.reminding import REMINDER, told_now
from kantis.desk.submit import Desk
from kantis.desk.vault.opening import open_vault
from kantis.desk.vault.vault import Member, Reader, Vault
from kantis.desk.writer import RemoteDesk
from kantis.doors.outbound.smtp import MailFailed, MailServer
from kantis.doors.web.enquiring import enquiry
from kantis.doors.web.letters import asking, titles, written
from kantis.doors.web.stopping import Reminder, code_of
from kantis.doors.web.stopping import written as reminder
from kantis.store import mailing as rows
from kantis.store.books import Books
from kantis.store.mailing import MailRow
from kantis.store.reminding import wished
from kantis.store.surveys import QuestionRow, of_mail

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
        if (wanted := awaiting.asked(row)) is not None:
            return self._ask_signature(desk, reader, job, row, wanted)
        if row.purpose in (surveys.ASKING, surveys.REPLYING):
            return self._enquire(desk, reader, job, row)
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
        """Send what ends soon, to whoever wishes to know."""
        assert self._vault is not None
        found = mailing.addressee(reader, self._vault, row)
        told = told_now(desk, row.number, row.account) if found is not None else None
        message = None
        if found is not None and told is not None:
            _, member, address = found
            assert member.person is not None
            spoken, name = member.person.language or row.language, member.person.given_name
            code = code_of(self._vault, row.account)
            made = reminder(*told, spoken, name, self._address, code)
            message = self._to(member, address, made)
        note = self._once(desk, job, row, "begin_reminder", message)
        desk.chore("drop_mail", row.number)
        return note

    def _enquire(self, desk: Desk | RemoteDesk, reader: Books, job: Job, row: MailRow) -> str:
        """Send a question about a purchase, or word of a reply, to whoever wishes such letters."""
        assert self._vault is not None
        found, about = mailing.addressee(reader, self._vault, row), of_mail(reader, row.number)
        message = None
        if found is not None and about is not None and self._is_wished(desk, reader, row, about):
            _, member, address = found
            assert member.person is not None
            spoken, name = member.person.language or row.language, member.person.given_name
            with beside(desk) as looking:
                home = looking.homes.numbered(row.program)
                texts = home, about, row.purpose, spoken, name, self._address
                made = enquiry(self._vault, looking.books, *texts)
            message = self._to(member, address, made)
        note = self._once(desk, job, row, "begin_question_mail", message)
        desk.chore("end_question_mail", row.number)
        return note

    def _ask_signature(
        self, desk: Desk | RemoteDesk, reader: Books, job: Job, row: MailRow, wanted: Asked
    ) -> str:
        """Ask somebody who works here to sign a draft, where they still can; without a server
        they read it on their first page, and nothing is kept."""
        found = signoffs.awaited(reader, row.program, wanted.draft, wanted.staff)
        if self._server is not None and found is not None:
            who = next(each for each in found.can if each.number == wanted.staff)
            name = next(n for n, number in reader.programs().items() if number == row.program)
            about = f"{self._address.rstrip('/')}/c/{name}/drafts/{wanted.draft}"
            spoken, names = row.language, titles(reader, row.program)
            subject, text = asking(found.row.name, who.name, spoken, names, about)
            message = self._envelope(who.login, subject)
            message.set_content(text)
            try:
                self._server.send(message)
            except MailFailed:
                if job.tries < TRIES_MAX:
                    raise
        desk.chore("drop_mail", row.number)
        return "done"

    def _is_wished(
        self, desk: Desk | RemoteDesk, reader: Books, row: MailRow, about: QuestionRow
    ) -> bool:
        """Whether a letter still makes sense: its question is open, and the member wishes it."""
        if row.purpose == surveys.ASKING and not surveys.is_open(about, desk.clock()):
            return False
        known = surveys.member_of(reader, row.account)
        return known == about.member and surveys.WISH in wished(reader, row.account)

    def _once(
        self, desk: Desk | RemoteDesk, job: Job, row: MailRow, begin: str,
        message: EmailMessage | None,
    ) -> str:  # fmt: skip
        """Send a letter, at most once: that it leaves is written down before it does."""
        if message is None or self._server is None:
            return "nothing to tell"
        if not desk.chore(begin, row.number, True):
            return "may have left before"
        try:
            self._server.send(message)
        except MailFailed:
            desk.chore(begin, row.number, False)
            if job.tries < TRIES_MAX:
                raise
            return "given up"
        return "done"

    def _to(self, member: Member, address: str, made: Reminder) -> EmailMessage:
        """A letter that can be stopped with one press; the reading for it is noted."""
        assert self._vault is not None
        self._vault.note([member], _READER, ("given_name", "email", "language"))
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
