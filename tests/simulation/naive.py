"""The naive model: members and their points, worked out the slow and obvious way.

It shares no rule with the engine. A member is plain lists: every batch of points with its
own dates, every amount that was counted with its day, every purchase with what it earned.
Nothing is compiled, bucketed or cached. ``leaflets`` say what the programs say.
"""

from collections import Counter, defaultdict
from types import SimpleNamespace

from kantis.core import calendar as cal

NEVER = 1 << 62


class Thing(SimpleNamespace):
    """Something with a name for each of its parts; itself and nothing else."""

    __eq__, __hash__ = object.__eq__, object.__hash__
    points, net, tender, lines = 0, (0,), (), ()  # of a purchase it says more


class No(Exception):
    """The rules say no."""


def cut(points, weights):
    """Parts in proportion by largest remainder; of equal remainders the first."""
    whole = sum(weights)
    if not whole:
        return [points] + [0] * (len(weights) - 1)
    parts = [points * w // whole for w in weights]
    order = sorted(range(len(parts)), key=lambda i: -(points * weights[i] % whole))
    for i in order[: points - sum(parts)]:
        parts[i] += 1
    return parts


class Naive:
    """A program for all its members; ``leaflets`` say its rules."""

    zone, within, grace, owes, monthly, oldest, idle = "UTC", 90, 30, True, (), (), {}
    groups, softly, after, signs, itself = (), False, 0, {}, None

    def __init__(self, edited=NEVER):
        self.members, self.alone, self.edited, self.stock = {}, {}, edited, Counter(mug=25)
        self.days = cal.Calendar(cal.zone(self.zone))

    def member(self, number):
        if number not in self.members:
            lists = {k: [] for k in ("vouchers", "holds", "there")}
            lists |= {k: {} for k in ("offers", "done", "touched", "ran")}
            lists |= {k: defaultdict(list) for k in ("batches", "levels", "facts", "counted")}
            lists |= {k: Counter() for k in ("owed", "paid", "had")}
            self.members[number] = Thing(joined=0, now=0, version=1, lots=0, out=0, **lists)
        return self.members[number]

    def bring(self, m, name, amount, day, end=-1, opens=0, group=""):
        """Points come in as a batch of their own; batches with the same dates are one lot."""
        end = self.fixed(m, name, day) if end < 0 else end
        key = (name, cal.window_start("month", day) if name in self.monthly else day, end, group)
        same = [b.lot for b in m.batches[name] if b.key == key]
        m.lots += not same
        b = Thing(name=name, key=key, end=end, group=group, lot=max(same, default=m.lots))
        b.opens, b.waits, b.amount = opens, bool(group) or opens > m.now, amount
        b.expired, b.lost, b.void = 0, None, False
        m.batches[name].append(b)
        m.there.append(b)
        if self.stops(m, name) <= self.days.day(m.now):
            m.touched[name] = max(self.day, m.touched.get(name, 0))  # the clock starts anew
        return b if b.waits else self.open(m, b)

    def open(self, m, b):
        """Points become available, and pay what is owed."""
        pays = min(b.amount, m.owed[b.name])
        b.waits, b.amount, m.owed[b.name] = False, b.amount - pays, m.owed[b.name] - pays
        return b

    def stops(self, m, name):
        """The day on which all of a balance dies if nothing happens."""
        return self.idle[name](m.touched.get(name, m.joined)) if name in self.idle else NEVER

    def end(self, m, b):
        return min(b.end or NEVER, self.stops(m, b.name))

    def available(self, m, name):
        return sum(b.amount for b in m.there if b.name == name and not b.waits)

    def take(self, m, name, amount):
        """(batch, part) of points that leave, in the order of burning; what is short is owed."""
        taken, free = [], [b for b in m.there if b.name == name and b.amount and not b.waits]
        first = (lambda b: 0) if name in self.oldest else (lambda b: b.end or NEVER)
        for b in sorted(free, key=lambda b: (first(b), b.key[1], b.lot)):
            part = min(b.amount, amount)
            b.amount, amount = b.amount - part, amount - part
            taken += [(b, part)] if part else []
        m.owed[name] += amount
        return taken + ([(Thing(name=name, lot=0, end=0), amount)] if amount else [])

    def give_back(self, m, taken, grace):
        """Points come back with their end, spent ones at least a grace from now."""
        today = self.days.day(m.now)
        for b, part in sorted(taken, key=lambda each: each[0].lot > 0):
            pays = 0 if b.lot else min(part, m.owed[b.name])
            m.owed[b.name] -= pays
            if grace and part > pays and self.stops(m, b.name) < today + grace:
                m.touched[b.name] = today
            if b.lot and not (grace and 0 < b.end < today + grace):
                b.amount += part
                m.there += [] if b in m.there else [b]
                self.open(m, b)
            elif part > pays:
                ends = today + grace if self.fixed(m, b.name, today) else 0
                self.bring(m, b.name, part - pays, today, ends)

    def claw(self, m, batch, amount):
        """Of the same lot waiting, available, expired; then other lots; then a debt or nothing."""
        amount = 0 if batch.void else amount
        same = [b for b in m.batches[batch.name] if b.lot == batch.lot]
        for b in sorted(same, key=lambda b: (not b.waits, b.opens != batch.opens, -b.opens)):
            part = min(b.amount, amount)
            b.amount, amount = b.amount - part, amount - part
        for b in same:
            part = min(b.expired, amount)
            b.expired, amount = b.expired - part, amount - part
        short = 0 if self.owes else max(0, amount - self.available(m, batch.name))
        self.take(m, batch.name, amount - short)

    def level(self, m, group, moment=NEVER):
        begun = [level for since, level, _ in m.levels[group] if since <= moment]
        return begun[-1] if begun else 0

    def rise(self, m, group, day):
        level, now, ends = self.earned(m, group, day), self.level(m, group), self.lasts(group, day)
        until = m.levels[group][-1][2] if m.levels[group] else 0
        if level and level >= now and not 0 < ends <= self.days.day(m.now):
            if level > now or (until and not 0 < ends <= until):
                m.levels[group].append((m.now, level, ends))

    def falls_to(self, m, group, until):
        """What a level that is over has still earned, and until when."""
        return self.earned(m, group, until - 1), self.lasts(group, until, True)

    def sign(self, m, p, name, kind):
        """A sign of life; a late one gives back what only its absence took."""
        if kind in self.signs.get(name, ()):
            m.touched[name] = max(p.day, m.touched.get(name, 0))
            for b in [b for b in m.batches[name] if b.lost and p.day < b.lost[0]]:
                if self.end(m, b) > self.days.day(m.now):
                    part = min(b.lost[1], b.expired)
                    b.expired, b.amount, b.lost = b.expired - part, b.amount + part, None
                    m.there += [] if b in m.there else [b]
                    b = b if b.waits else self.open(m, b)

    def there(self, m):
        """All batches that still hold something."""
        m.there = [b for b in m.there if b.amount]
        return m.there

    def pass_time(self, m, until):
        """Let everything happen that time brings, in order, up to an instant."""
        while m.joined:
            there = self.there(m)
            days = {self.stops(m, name) for name in {b.name for b in there}}
            days |= {b.end for b in there}
            days |= {v.end for v in m.vouchers if v.state == "open"}
            days |= {m.levels[g][-1][2] + self.after for g in self.groups if m.levels[g]}
            days |= {*self.dates(m, self.days.day(m.now))}
            moments = [self.days.start(d) for d in days if 0 < d <= self.days.day(until)]
            moments += [h.until for h in m.holds] + [b.opens for b in there if b.waits]
            ahead = min((t for t in [*moments, self.edited] if m.now < t <= until), default=0)
            if not ahead:
                break
            m.now = ahead
            self.happen(m)
        m.now = max(m.now, until)

    def happen(self, m):
        """Whatever is due now; again when a level fell, because that can let points die."""
        self.new, self.day, levels = m.now >= self.edited, self.days.day(m.now), -1
        while levels != (levels := sum(map(len, m.levels.values()))):
            if m.version == 1 and self.new:
                m.version = 2
                self.edit(m)
            for h in [h for h in m.holds if h.until <= m.now]:
                self.let_go(m, h)
            over = {name for name in self.idle if self.stops(m, name) <= self.day}
            for b in self.there(m):
                if b.waits and not b.group and b.opens <= m.now:
                    self.open(m, b)
                if (0 < b.end <= self.day or b.name in over) and not self.kept(m, b.name):
                    end, lost = self.end(m, b), b.lost or (0, 0)
                    b.lost = (end, b.amount + lost[1] * (lost[0] == end)) if end != b.end else None
                    b.expired, b.amount = b.expired + b.amount, 0
            for v in m.vouchers:
                v.state = "expired" if v.state == "open" and 0 < v.end <= self.day else v.state
            self.periodic(m, self.day)
            for group in [group for group in self.groups if m.levels[group]]:
                _, level, until = m.levels[group][-1]
                if level and until and until + self.after <= self.day:
                    reached, ends = self.falls_to(m, group, until)
                    if self.softly and reached < level - 1:
                        reached, ends = level - 1, self.lasts(group, until, True)
                    reached = min(level, reached)
                    m.levels[group].append((m.now, reached, ends if reached else 0))
            self.cycles(m, self.day)
            if self.itself:
                kind, name, cost = self.itself
                for _ in range(self.available(m, name) // cost):
                    self.voucher(m, kind, self.take(m, name, cost))

    def voucher(self, m, kind, taken, worth=0):
        """A voucher comes to be; its code is told later, by those who compare."""
        today = self.days.day(m.now)
        worth, end = self.kinds(kind, worth, today)
        v = Thing(kind=kind, worth=worth, taken=taken, issued=today, end=end, state="open", code="")
        m.vouchers.append(v)
        return v

    def begin(self, m, e):
        """What is known of an event when it begins."""
        p = Thing(e=e, body=e.body, day=self.days.day(e.time), facts=[], counts=[], back=Counter())
        self.new, self.day = e.time >= self.edited, p.day
        p.level, of = self.level(m, "status", e.time), getattr(e.body, "of", "")
        p.original = m.done.get(f"{e.source}/{of}")
        return p

    def event(self, number, e):
        """Decide an event: whether the rules said yes, and what goes to another account."""
        m = self.member(number)
        self.pass_time(m, e.received)
        p = self.begin(m, e)
        if not m.joined:
            m.joined, m.version = p.day, 1 + self.new
        try:
            out = getattr(self, e.type)(m, p, e.body)
            for name in sorted({batch.name for _, _, batch in p.facts}):
                self.sign(m, p, name, "earning")
            m.done[e.key] = p
            return True, out
        except No:
            return False, None
        finally:
            self.happen(m)

    def purchase(self, m, p, body):
        p.lines, points = body.lines, (body.points or {}).get("pay", 0)
        used = [v for v in m.vouchers if v.code in body.vouchers and v.state == "open"]
        p.net = [x.amount - n for x, n in zip(body.lines, self.prices(m, p), strict=True)]
        short = len(used) < len(body.vouchers) or (points and not self.may_pay(m, points, p.net))
        if any(x.amount < 0 or x.quantity < 0 for x in body.lines) or (p.e.ask and short):
            raise No
        p.points, p.tender = points, self.take(m, "points", points)
        worth = min(points * 5, sum(p.net))
        p.amounts = [n - part for n, part in zip(p.net, cut(worth, p.net), strict=True)]
        for v in used:
            v.state = "used"
        self.rules(m, p)

    def earn(self, m, p, name, points, weights=(), cap=None, **where):
        """A rule's points, and what of each line they stand for (None: nothing)."""
        if points:
            p.facts.append((points, weights, self.bring(m, name, points, p.day, **where)))
            p.counts += [(cap, points, weights)] if cap else []

    def part(self, p, points, weights, back):
        """Of points that stand for lines those of what came back; whole lines wholly."""
        if not any(weights):
            items = [max(1, x.quantity) for x in p.lines]
            weights = [w if w is None else n for w, n in zip(weights, items, strict=True)]
        lines = zip(p.lines, cut(points, [w or 0 for w in weights]), strict=True)
        return sum(n * back[x.id] // max(1, x.quantity) for x, n in lines)

    def refund(self, m, p, body):
        o = p.original
        if not o or not o.lines or p.day > o.day + self.within:
            raise No
        left = Counter({x.id: max(1, x.quantity) - o.back[x.id] for x in o.lines})
        now = Counter() if body.lines else +left
        for line, quantity in body.lines:
            now[line] += quantity
        if not +now or any(n <= 0 or n > left[line] for line, n in now.items()):
            raise No
        before, o.back = o.back, o.back + now

        def more(points, weights):
            return self.part(o, points, weights, o.back) - self.part(o, points, weights, before)

        for points, weights, batch in o.facts:
            self.claw(m, batch, more(points, weights))
        whole = all(o.back[x.id] >= max(1, x.quantity) for x in o.lines)
        for name, amount, weights in o.counts:
            m.counted[name] += [(o.day, -(more(amount, weights) if weights else amount * whole))]
        rest = more(o.points, o.net)
        while rest:
            b, n = o.tender.pop()
            o.tender += [(b, n - rest)] if n > rest else []
            self.give_back(m, [(b, min(n, rest))], self.grace)
            rest -= min(n, rest)
        self.refunded(m, o)
