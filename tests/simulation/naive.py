"""The naive model: what four programs mean, worked out the slow and obvious way.

It shares no rule with the engine. A member is plain lists: every batch of points with its
own dates, every amount that was counted with its day, every purchase with what it earned.
Whatever is asked is added up from them again; nothing is compiled, bucketed or cached.
"""

from collections import Counter, defaultdict
from types import SimpleNamespace as Thing

from kantis.core import calendar as cal

NEVER = 1 << 62


class No(Exception):
    """The rules say no."""


def cut(points, weights):
    """Parts in proportion by largest remainder; of equal remainders the first."""
    weights = weights if any(weights) else [1] * len(weights)
    parts = [points * w // sum(weights) for w in weights]
    order = sorted(range(len(parts)), key=lambda i: -(points * weights[i] % sum(weights)))
    for i in order[: points - sum(parts)]:
        parts[i] += 1
    return parts


class Naive:
    """A program for all its members; subclasses say its rules."""

    zone, within, grace, owes, softly, after, lowers = "UTC", 90, 30, True, False, 0, False
    monthly, oldest, groups, itself, idle, signs = (), (), (), None, {}, {}

    def __init__(self, edited=NEVER):
        self.members, self.edited, self.stock = {}, edited, 25
        self.days = cal.Calendar(cal.zone(self.zone))

    def member(self, number):
        lists = {k: [] for k in ("batches", "counted", "vouchers")}
        lists |= {k: {} for k in ("holds", "offers", "done", "touched", "ran")}
        lists |= {k: defaultdict(list) for k in ("levels", "facts")} | {"owed": Counter()}
        blank = Thing(joined=0, now=0, version=1, lots=0, paid=Counter(), **lists)
        return self.members.setdefault(number, blank)

    # ── points ──────────────────────────────────────────────────────────────

    def bring(self, m, name, amount, day, end=-1, opens=0, group=""):
        """Points come in as a batch of their own; batches with the same dates are one lot."""
        today = self.days.day(m.now)
        end = self.fixed(m, name, day) if end < 0 else end
        key = (name, cal.window_start("month", day) if name in self.monthly else day, end, group)
        same = [b.lot for b in m.batches if b.key == key]
        m.lots += not same
        b = Thing(name=name, key=key, end=end, group=group, lot=max(same, default=m.lots))
        b.opens, b.waits, b.amount = opens, bool(group) or opens > m.now, amount
        b.expired, b.lost, b.void = 0, None, False
        m.batches.append(b)
        if self.end(m, b) <= today < (end or NEVER):
            m.touched[name] = today  # what comes in starts a clock that ran out anew
        self.repay(m, b)
        return b

    def repay(self, m, b):
        pays = 0 if b.waits else min(b.amount, m.owed[b.name])
        b.amount, m.owed[b.name] = b.amount - pays, m.owed[b.name] - pays

    def stops(self, m, name):
        """The day on which all of a balance dies if nothing happens."""
        return self.idle[name](m.touched.get(name, m.joined)) if name in self.idle else NEVER

    def end(self, m, b):
        return min(b.end or NEVER, self.stops(m, b.name))

    def free(self, m, name):
        found = [b for b in m.batches if b.name == name and b.amount and not b.waits]
        first = (lambda b: 0) if name in self.oldest else (lambda b: b.end or NEVER)
        return sorted(found, key=lambda b: (first(b), b.key[1], b.lot))

    def available(self, m, name):
        return sum(b.amount for b in self.free(m, name))

    def take(self, m, name, amount):
        """(batch, part) of points that leave, in the order of burning; what is short is owed."""
        taken = []
        for b in self.free(m, name):
            part = min(b.amount, amount)
            b.amount, amount = b.amount - part, amount - part
            taken += [(b, part)] if part else []
        m.owed[name] += amount
        return taken + ([(Thing(name=name, lot=0), amount)] if amount else [])

    def give_back(self, m, taken):
        """Spent points come back with their end, at least a grace from now; a debt goes first."""
        today = self.days.day(m.now)
        for b, part in taken:
            least = today + self.grace
            if self.stops(m, b.name) < least:
                m.touched[b.name] = today
            if b.lot and not 0 < b.end < least:
                b.amount += part
                self.repay(m, b)
                continue
            pays = 0 if b.lot else min(part, m.owed[b.name])
            m.owed[b.name] -= pays
            if part > pays:
                ends = self.fixed(m, b.name, today) and least
                self.bring(m, b.name, part - pays, today, ends)

    def claw(self, m, batch, amount):
        """Of the same lot waiting, available, expired; then other lots; then a debt or nothing."""
        same = [b for b in m.batches if b.lot == batch.lot]
        amount = 0 if batch.void else amount
        for b in sorted(same, key=lambda b: (not b.waits, b.opens != batch.opens, -b.opens)):
            part = min(b.amount, amount)
            b.amount, amount = b.amount - part, amount - part
        for b in same:
            part = min(b.expired, amount)
            b.expired, amount = b.expired - part, amount - part
        short = 0 if self.owes else max(0, amount - self.available(m, batch.name))
        self.take(m, batch.name, amount - short)

    # ── counting and levels ─────────────────────────────────────────────────

    def total(self, m, name, first, end):
        return sum(n for what, day, n in m.counted if what == name and first <= day < end)

    def window(self, m, name, kind, day):
        return self.total(m, name, cal.window_start(kind, day), cal.window_end(kind, day))

    def months(self, m, name, count, day):
        first = cal.window_start("month", cal.add_months(day, 1 - count))
        return self.total(m, name, first, cal.window_end("month", day))

    def capped(self, m, cap, amount, most, kind, day):
        """What a cap leaves of an amount; it is used up."""
        part = max(0, min(amount, most - self.window(m, cap, kind, day)))
        m.counted.append((cap, day, part))
        return part

    def at(self, m, what, moment):
        """What a dated list said at an instant."""
        said = [(since, value) for since, value in m.facts[what] if since <= moment]
        return max(said, key=lambda each: each[0])[1] if said else ""

    def level(self, m, group, moment=NEVER):
        begun = [level for since, level, _ in m.levels[group] if since <= moment]
        return begun[-1] if begun else 0

    def stand(self, m, group, level, until, since=0):
        m.levels[group].append((since or m.now, level, until))

    def rise(self, m, group, day):
        level, now, ends = self.earned(m, group, day), self.level(m, group), self.lasts(group, day)
        until = m.levels[group][-1][2] if m.levels[group] else 0
        if level and level >= now and not 0 < ends <= self.days.day(m.now):
            if level > now or (until and not 0 < ends <= until):
                self.stand(m, group, level, ends)

    # ── time ────────────────────────────────────────────────────────────────

    def pass_time(self, m, until):
        """Let everything happen that time brings, in order, up to an instant."""
        while m.joined:
            ahead = min((t for t in self.moments(m) if t > m.now), default=NEVER)
            if ahead > until:
                break
            m.now = ahead
            self.happen(m)
        m.now = max(m.now, until)

    def moments(self, m):
        days = [self.end(m, b) for b in m.batches if b.amount]
        days += [v.end for v in m.vouchers if v.state == "open" and v.end]
        days += [m.levels[group][-1][2] + self.after for group in self.groups if m.levels[group]]
        days += self.dates(m, self.days.day(m.now))
        instants = [h.until for h in m.holds.values()] + [b.opens for b in m.batches if b.waits]
        return [self.edited, *instants, *(self.days.start(day) for day in days if day < NEVER)]

    def happen(self, m):
        """Whatever is due now; twice, because a level that falls can let points die."""
        for today in [self.days.day(m.now)] * 2:
            if m.version == 1 and m.now >= self.edited:
                m.version = 2
                self.edit(m)
            for key in [k for k, h in m.holds.items() if h.until <= m.now]:
                self.let_go(m, key)
            for b in [b for b in m.batches if b.waits and not b.group and b.opens <= m.now]:
                b.waits = False
                self.repay(m, b)
            for b in [b for b in m.batches if b.amount and self.end(m, b) <= today]:
                if not self.kept(m, b.name):
                    b.lost = self.end(m, b) != b.end and (self.end(m, b), b.amount)
                    b.expired, b.amount = b.expired + b.amount, 0
            for v in [v for v in m.vouchers if v.state == "open" and 0 < v.end <= today]:
                v.state = "expired"
            self.periodic(m, today)
            for group in [group for group in self.groups if m.levels[group]]:
                _, level, until = m.levels[group][-1]
                if level and until and until + self.after <= today:
                    reached = min(level, self.earned(m, group, until - 1))
                    reached = max(reached, level - 1) if self.softly else reached
                    self.stand(m, group, reached, reached and self.lasts(group, until, True))
            self.cycles(m, today)
            if self.itself:
                kind, name, cost = self.itself
                for _ in range(self.available(m, name) // cost):
                    self.voucher(m, kind, self.take(m, name, cost))

    def sign(self, m, name, day, late):
        """A sign of life; a late one gives back what only its absence took."""
        m.touched[name] = max(day, m.touched.get(name, 0))
        for b in [b for b in m.batches if b.name == name and b.lost and day < b.lost[0]]:
            if self.end(m, b) > self.days.day(m.now):
                part = min(b.lost[1], b.expired)
                b.expired, b.amount, b.lost = b.expired - part, b.amount + part, None
                self.repay(m, b)

    def voucher(self, m, kind, taken, worth=0):
        today = self.days.day(m.now)
        worth, end = self.kinds(kind, worth, today)
        v = Thing(kind=kind, worth=worth, taken=taken, issued=today, end=end, state="open", code="")
        m.vouchers.append(v)
        return v

    # ── events ──────────────────────────────────────────────────────────────

    def event(self, number, e):
        """Decide an event: whether the rules said yes, and what goes to another account."""
        m = self.member(number)
        self.pass_time(m, e.received)
        if not m.joined:
            m.joined, m.version = self.days.day(e.time), 1 + (e.time >= self.edited)
        try:
            return True, getattr(self, e.type)(m, e, e.body, self.days.day(e.time))
        except No:
            return False, None
        finally:
            self.happen(m)

    def purchase(self, m, e, body, day):
        points = (body.points or {}).get("pay", 0)
        used = [v for v in m.vouchers if v.code in body.vouchers and v.state == "open"]
        if any(x.amount < 0 or x.quantity < 0 for x in body.lines) or e.ask and (
            len(used) < len(body.vouchers) or points > self.available(m, "points")
        ):
            raise No
        p = Thing(e=e, m=m, day=day, lines=body.lines, facts=[], counts=[], back=Counter())
        p.level = self.level(m, "status", e.time)
        less = self.prices(p)
        p.net = [x.amount - n for x, n in zip(body.lines, less, strict=True)]
        p.tender, worth = self.take(m, "points", points), min(points * 5, sum(p.net))
        p.amounts = [n - part for n, part in zip(p.net, cut(worth, p.net), strict=True)]
        for v in used:
            v.state = "used"
        self.rules(p)
        m.done[e.key] = p

    def part(self, p, points, weights, back):
        """Of points that stand for lines those of what came back, whole lines wholly."""
        weights = weights if any(weights) else [x.quantity * bool(w) for x, w in zip(p.lines, weights)]
        return sum(
            n * back[x.id] // max(1, x.quantity)
            for x, n in zip(p.lines, cut(points, weights), strict=True)
        )

    def refund(self, m, e, body, day):
        p = m.done.get(f"{e.source}/{body.of}")
        left = {x.id: max(1, x.quantity) - p.back[x.id] for x in p.lines} if p else {}
        now = Counter(left)
        if body.lines:
            now = Counter()
            for line, quantity in body.lines:
                now[line] += quantity
                if quantity <= 0:
                    raise No
        if not any(left.values()) or day > p.day + self.within:
            raise No
        if any(n > left.get(line, 0) for line, n in now.items()):
            raise No
        before, p.back = p.back, p.back + now
        for points, weights, batch in p.facts:
            self.claw(m, batch, self.part(p, points, weights, p.back) - self.part(p, points, weights, before))
        whole = all(p.back[x.id] >= max(1, x.quantity) for x in p.lines)
        for name, amount, weights in p.counts:
            n = self.part(p, amount, weights, p.back) - self.part(p, amount, weights, before) if weights else amount * whole
            m.counted.append((name, p.day, -n))
        paid = self.part(p, sum(n for _, n in p.tender), p.net, p.back)
        back, skip = [], p.returned
        ...
