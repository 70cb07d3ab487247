"""Merging: two accounts of one person become one.

Guarantee: no point is lost or doubled, and nothing that was promised ends with it. What leaves
the account stands in transit until the other one takes it, and comes back where nobody does.
Nothing happens on the merged account any more: what is sent to it reaches the other one, and
what undoes something of its past is decided there, on the lots that came from it, at the rates
of then.

``bringing`` says what becomes of each thing. Of what a program allows only once, two plans of
a ladder that both run, a person has to end one first; ``obstacles`` names them beforehand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import structs

from kantis.core.account import Account, Change, decode_account, encode_account
from kantis.core.decision import DESK, Context, Decision, follow_up_id
from kantis.core.events import Body, Cancel, Capture, Merge, Merged, Refund, Release, Tick
from kantis.core.lots import voided
from kantis.core.places import AVAILABLE, HELD, OWED, PENDING, TRANSIT
from kantis.core.records import Past
from kantis.core.sentences import Day, Name, Sentence, Template
from kantis.core.turn import Refused, Turn
from kantis.engine import bringing
from kantis.engine.bringing import REASON
from kantis.engine.forget import windows_of
from kantis.engine.plan import Plan


def merged(account: Account) -> bool:
    """Whether the account has become a part of another one."""
    return bool(account.away[0]) and not account.away[1]


# ── leaving and coming ───────────────────────────────────────────────────────────────


def _merge(plan: Plan, turn: Turn, body: Merge) -> None:
    account = turn.account
    if not body.into.startswith("account:") or body.into == f"account:{account.id}":
        raise Refused("own-merge", f"{body.into!r} is not the number of another account.")
    if merged(account):
        raise Refused("merged-already", f"It was merged into {account.away[0]}.")
    if account.members or account.away[0]:
        raise Refused("merge-household", "A household is not merged; its members leave it.")
    state = decode_account(encode_account(account))
    for lot in state.lots.values():
        for place, amount in ((AVAILABLE, lot.available), (PENDING, lot.pending), (HELD, lot.held)):
            if amount:
                turn.post(lot.balance, place, TRANSIT, amount, lot.id, REASON)
    for name, place, amount in bringing.loose(state):
        if place == OWED:
            turn.post(name, TRANSIT, OWED, -amount, 0, REASON)
        else:
            turn.post(name, place, TRANSIT, amount, 0, REASON)
    turn.change("hollow")
    turn.change("away", body.into, "")
    turn.follow(body.into, Merged(state, body.card))


def obstacles(account: Account, into: Account) -> list[str]:
    """The plans of an account that cannot come along, because the other one has one of the same
    ladder that runs: one of the two has to be ended first."""
    return [
        each.plan
        for ladder, each in account.plans.items()
        if each.state != "ended" and bringing.runs(into, ladder)
    ]


def stays(theirs: Account, mine: Account) -> list[Sentence]:
    """What both have, of which only what is here goes on."""
    said: list[Sentence] = []
    for name, history in mine.choices.items():
        if name in theirs.choices and theirs.choices[name][-1][1] != history[-1][1]:
            chosen = Template("The choice of {choice} stays {option}.")
            option = Name(history[-1][1], of="partners")
            said.append(chosen(choice=Name(name, of="choices"), option=option))
    for name, told in mine.facts.items():
        if name in theirs.facts and theirs.facts[name][-1][1] != told[-1][1] and " " not in name:
            known = Template("It stays known that {fact} is {value}.")
            said.append(known(fact=Name(name), value=Name(told[-1][1])))
    for ladder, each in theirs.plans.items():
        if each.state != "ended" and bringing.runs(mine, ladder):
            both = Template("{plan} cannot come while {other} runs: end one of them first.")
            said.append(both(plan=Name(each.plan), other=Name(mine.plans[ladder].plan)))
    if mine.joined and theirs.joined and theirs.joined < mine.joined:
        since = Template("The day of joining stays {day}.")
        said.append(since(day=Day(mine.joined)))
    return said


def _merged(plan: Plan, turn: Turn, body: Merged) -> None:
    """An account comes in. Where this one has been merged itself meanwhile, it goes on; what
    nobody takes comes back to its own account, which then stands as before."""
    account = turn.account
    if merged(account) and body.state.id != account.id:
        turn.follow(account.away[0], body)
        return
    if merged(account):
        turn.change("away", "", "")
    bringing.bring(plan, turn, body)


def forward(turn: Turn, body: Body) -> bool:
    """What is sent to a merged account goes on to the other one; an ask asks there."""
    if isinstance(body, Merge | Merged | Tick):
        return False
    into, event = turn.account.away[0], turn.event
    if event.ask:
        raise Refused("merged-account", f"This account was merged into {into}.")
    if isinstance(body, Refund | Cancel | Capture | Release):
        source = getattr(body, "of_source", "") or event.source
        if source != DESK:
            body = structs.replace(body, of=f"{source}/{body.of}")
    turn.follow(into, body)
    return True


# ── the past of the other account ────────────────────────────────────────────────────


def here(plan: Plan, account: Account, context: Context) -> Context:
    """What a decision sees, in the numbers of this account: lots, codes and buckets of an
    account that became a part of it are called otherwise here."""
    if not account.merged or not context.originals:
        return context
    found = {}
    for key, original in context.originals.items():
        places = original.elsewhere or (0,) * len(original.undone)
        undone = zip(original.undone, places, strict=True)
        entry = structs.replace(
            original.entry,
            decision=_here(plan, account, original.entry.decision, original.account),
        )
        found[key] = structs.replace(
            original,
            entry=entry,
            undone=tuple(_here(plan, account, each, place) for each, place in undone),
        )
    return Context(found, context.receipts, context.limits)


def _here(plan: Plan, account: Account, decision: Decision, place: int) -> Decision:
    past = account.merged.get(place or account.id)
    if past is None:
        return decision
    lots: Mapping[int, int] = past.lots
    stays = not place  # it had been merged, and came back

    def lot(number: int) -> int:
        return lots.get(number, number if stays or not number else -1)

    postings = [(*p[:4], lot(p[4]), p[5]) for p in decision.postings]
    fired = [(*f[:4], lot(f[4]), *f[5:]) for f in decision.fired]
    changes = [_change(plan, account, past, each, lot) for each in decision.changes]
    return structs.replace(decision, postings=postings, fired=fired, changes=changes)


def _change(plan: Plan, account: Account, past: Past, change: Change, lot: Any) -> Change:
    code = change[0]
    if code == "wait":
        return (code, change[1], lot(change[2]), change[3])
    if code in ("voucher", "voucher state"):
        return (code, past.vouchers.get(change[1], change[1]), *change[2:])
    if code == "count":
        _, name, bucket, amount = change
        void = voided(0)[:-1]
        if name.startswith(void):
            name = voided(lot(int(name.removeprefix(void))))
        window = windows_of(plan).get(name)
        return (code, name, bringing.bucket_here(window, bucket, account), amount)
    return change


def sent_on(turn: Turn, body: Body) -> bool:
    """Whether what is to be undone had been sent on from the other account while the two were
    merged: then what it became here is undone, by a follow-up to this account."""
    if not isinstance(body, Refund | Cancel):
        return False
    for key, original in turn.context.originals.items():
        kind = type(original.event.body)
        follow_ups = original.entry.decision.follow_ups
        which = [n for n, each in enumerate(follow_ups) if type(each.body) is kind]
        if original.account and which:
            of = follow_up_id(original.account, original.entry.seq, which[0])
            turn.decision.cause = key
            again: Body = Cancel(of, body.reason)
            if isinstance(body, Refund):
                again = Refund(of, body.lines, DESK, body.reason)
            turn.follow(f"account:{turn.account.id}", again)
            return True
    return False


HANDLERS: dict[type, Any] = {Merge: _merge, Merged: _merged}
