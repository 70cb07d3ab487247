"""Hands: what people do beside events, read from the books and written into them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kantis.store.books import Books
from kantis.store.byhand import WAITS
from kantis.store.reading import Reading
from kantis.store.rows import AdjustmentRow, AuditRow, LinkRow

# ── the audit log ────────────────────────────────────────────────────────────


def add_audit(books: Books, row: AuditRow) -> None:
    """Write one line; its ``n`` is given by the books."""
    books.insert("audit", _unnumbered(row._asdict()))


def audit(
    books: Reading,
    below: int,
    count: int,
    *,
    program: int = 0,
    deed: str = "",
    who: str = "",
    since: int = 0,
    before: int = 0,
    beside: bool = False,
) -> list[AuditRow]:
    """Lines before ``below``, newest first; of one program, of one deed, of one key or person,
    from an instant on and before another one. ``beside`` takes those of no program along."""
    wanted: list[tuple[str, list[Any]]] = [("n < ?", [below])]
    wanted += [("program IN (?, ?)", [program, 0 if beside else program])] if program else []
    wanted += [("deed = ?", [deed])] if deed else []
    wanted += [("who = ?", [who])] if who else []
    wanted += [("at >= ?", [since])] if since else []
    wanted += [("at < ?", [before])] if before else []
    return [
        AuditRow._make(row)
        for row in books.rows(
            f"SELECT {', '.join(AuditRow._fields)} FROM audit "
            f"WHERE {' AND '.join(said for said, _ in wanted)} ORDER BY n DESC LIMIT ?",
            [*(value for _, values in wanted for value in values), count],
        )
    ]


def auditees(books: Reading, program: int, count: int, *, beside: bool) -> list[tuple[str, str]]:
    """Who has done something of a program, and the name that they had last."""
    found = books.rows(
        "SELECT a.who, a.name FROM audit a JOIN (SELECT max(n) AS n FROM audit "
        "WHERE program IN (?, ?) GROUP BY who) b ON a.n = b.n ORDER BY a.name, a.who LIMIT ?",
        (program, 0 if beside else program, count),
    )
    return [(str(who), str(name)) for who, name in found]


# ── adjustments ──────────────────────────────────────────────────────────────


def add_adjustment(books: Books, row: AdjustmentRow) -> None:
    """Write what was asked for; its ``n`` is given by the books."""
    books.insert("adjustment", _unnumbered(row._asdict()))


def adjustment(books: Reading, *, n: int = 0, key: str = "") -> AdjustmentRow | None:
    """One adjustment, by its number or by the key of its event."""
    found = _adjustments(books, "key = ?" if key else "n = ?", (key or n,), "")
    return found[0] if found else None


def adjustments(
    books: Reading, program: int, below: int, count: int, *, state: int = -1, source: str = "",
    answered: bool = False,
) -> list[AdjustmentRow]:  # fmt: skip
    """Adjustments of a program before ``below``, newest first; in one state, of one source, or
    those that nobody has to answer."""
    wanted: list[tuple[str, Any]] = [("program = ?", program), ("n < ?", below)]
    wanted += [("state = ?", state)] if state >= 0 else []
    wanted += [("source = ?", source)] if source else []
    wanted += [("state <> ?", WAITS)] if answered else []
    where = " AND ".join(said for said, _ in wanted)
    return _adjustments(
        books, where, [*(value for _, value in wanted), count], "ORDER BY n DESC LIMIT ?"
    )


def answerable(books: Reading, program: int, source: str) -> int:
    """How many adjustments of a program wait for somebody else than a source."""
    return int(
        books.one(
            "SELECT count(*) FROM adjustment WHERE program = ? AND state = ? AND source <> ?",
            (program, WAITS, source),
        )
    )


def unsent(books: Reading, count: int) -> list[AdjustmentRow]:
    """Adjustments that nobody has to answer any more, and whose event was not sent yet."""
    return _adjustments(
        books, f"sent = 0 AND state IN ({WAITS + 1}, {WAITS + 2})", (count,), "ORDER BY n LIMIT ?"
    )


def given_alone(books: Reading, source: str, balance: str, since: int, state: int) -> int:
    """How much a source has given of a balance in a state, since an instant."""
    return int(
        books.one(
            "SELECT CAST(coalesce(sum(amount), 0) AS bigint) FROM adjustment "
            "WHERE source = ? AND at >= ? AND balance = ? AND state = ? AND amount > 0",
            (source, since, balance, state),
        )
    )


def given_by(
    books: Reading, program: int, who: str, balance: str, since: int, state: int, but: str
) -> int:
    """How much somebody has given of a balance in a state, since an instant; apart from what
    came from the source ``but``."""
    return int(
        books.one(
            "SELECT CAST(coalesce(sum(amount), 0) AS bigint) FROM adjustment "
            "WHERE who = ? AND at >= ? AND program = ? AND balance = ? AND state = ? "
            "AND source <> ? AND amount > 0",
            (who, since, program, balance, state, but),
        )
    )


def answer(books: Books, n: int, state: int, decider: str, at: int, note: str) -> bool:
    """Record what another person said; ``False`` when somebody has answered before."""
    return bool(
        books.execute(
            "UPDATE adjustment SET state = ?, decider = ?, decided = ?, note = ? "
            f"WHERE n = ? AND state = {WAITS}",
            (state, decider, at, note, n),
        )
    )


def sent(books: Books, n: int) -> None:
    """The event of an adjustment was answered."""
    books.execute("UPDATE adjustment SET sent = 1 WHERE n = ?", (n,))


def _adjustments(
    books: Reading, where: str, values: Sequence[Any], then: str
) -> list[AdjustmentRow]:
    found = books.rows(
        f"SELECT {', '.join(AdjustmentRow._fields)} FROM adjustment WHERE {where} {then}", values
    )
    return list(map(AdjustmentRow._make, found))


# ── the first link ───────────────────────────────────────────────────────────


def add_link(books: Books, digest: bytes, made: int, expires: int) -> None:
    """Record a link for the first admin."""
    number = int(books.one("SELECT coalesce(max(number), 0) FROM first_link")) + 1
    books.insert("first_link", LinkRow(number, digest, made, expires, None)._asdict())


def link(books: Reading, digest: bytes) -> LinkRow | None:
    """The link whose token has that hash."""
    found = books.rows(
        f"SELECT {', '.join(LinkRow._fields)} FROM first_link WHERE hash = ?", (digest,)
    )
    return LinkRow._make(found[0]) if found else None


def use_links(books: Books, at: int) -> None:
    """No link that was made opens any more."""
    books.execute("UPDATE first_link SET used = ? WHERE used IS NULL", (at,))


def _unnumbered(values: dict[str, Any]) -> dict[str, Any]:
    """A row whose number is given by the books."""
    return {name: value for name, value in values.items() if name != "n"}
