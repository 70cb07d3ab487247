"""Rescue: a way back in for somebody of the staff who has lost all they sign in with.

Guarantee: it is done on the machine of the books only, ends every session they had, and
stands in the audit log.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kantis.desk import factors, staff
from kantis.desk.audit import By, record
from kantis.desk.chores import chore_alone
from kantis.store import staff as people
from kantis.store.books import Books

if TYPE_CHECKING:
    from kantis.desk.submit import Desk
    from kantis.desk.writer import RemoteDesk


def rescue(desk: Desk | RemoteDesk, login: str, by: By) -> str:
    """Give somebody a new password, without a second factor and signed in nowhere; the
    password, or nothing where nobody signs in with that login."""
    password = staff.new_password()
    found = desk.chore("let_in_again", login, staff.hashed(password), [by.who, by.name])
    return password if found else ""


@chore_alone
def let_in_again(books: Books, now: int, login: str, password: str, by: list[str]) -> bool:
    """Write it down; ``False`` where nobody signs in with that login."""
    row = people.by_login(books, login.strip().lower())
    if row is None or row.ended is not None:
        return False
    people.set_password(books, row.number, password)
    factors.take_all(books, row.number)
    staff.forget_all_tries(books, row.login)
    factors.forget_tries(books, row.number)
    record(books, now, By(*by), row.program, "rescue", row.login)
    return True
