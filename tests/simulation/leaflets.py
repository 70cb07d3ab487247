"""Leaflets: what the four programs of the simulation say, as their members would read it.

Each class is the program file of that name in plain Python; nothing is read from the file.
"""

from math import floor

from kantis.core import calendar as cal
from kantis.core.events import CarriedLot
from tests.simulation.naive import NEVER, Naive, No


class Leaflet(Naive):
    """What is the same in all four."""

    def edit(self, m):
        """What a new version does to what is there."""

    def kept(self, m, name):
        return False

    def dates(self, m, today):
        """Days on which something happens by the calendar."""
        return []

    def periodic(self, m, today):
        """What is settled at the end of a period, and birthdays."""

    def cycles(self, m, today):
        """What is turned into vouchers or money."""

    def prices(self, m, p):
        """What comes off each line."""
        return [0] * len(p.body.lines)

    def refunded(self, m, o):
        """What else a refund does."""

    def price(self, m, p, body):
        """(balance, points, worth, kind of voucher) of a redemption."""
        raise No

    # counting

    def total(self, m, name, first, end):
        return sum(n for what, day, n in m.counted if what == name and first <= day < end)

    def window(self, m, name, kind, day):
        return self.total(m, name, cal.window_start(kind, day), cal.window_end(kind, day))

    def months(self, m, name, count, day):
        first = cal.window_start("month", cal.add_months(day, 1 - count))
        return self.total(m, name, first, cal.window_end("month", day))

    def left(self, m, cap, most, kind, day):
        return max(0, most - self.window(m, cap, kind, day))

    def capped(self, m, cap, amount, most, kind, day):
        """What a cap leaves of an amount; it is used up."""
        part = min(amount, self.left(m, cap, most, kind, day))
        m.counted.append((cap, day, part))
        return part

    def count(self, m, p, name, amount, weights=None):
        m.counted.append((name, p.day, amount))
        p.counts.append((name, amount, weights))

    def lines(self, p, *categories, but=(), by=None):
        """The amounts of the lines that count; None for the others."""
        amounts = p.amounts if by is None else by
        return [
            n if (x.category or x.department) in (categories or [x.category or x.department])
            and (x.category or x.department) not in but else None
            for x, n in zip(p.body.lines, amounts, strict=True)
        ]

    def at(self, m, what, moment):
        """What a dated list said at an instant."""
        said = [(since, value) for since, value in m.facts[what] if since <= moment]
        return sorted(said, key=lambda each: each[0])[-1][1] if said else ""

    # events

    def release(self, m, p, body):
        if p.original not in m.holds:
            raise No
        self.let_go(m, p.original)

    def capture(self, m, p, body):
        o = p.original
        if o not in m.holds:
            raise No
        m.holds.remove(o)
        o.state = "spent"
        o.voucher = self.voucher(m, o.kind, o.taken, o.worth) if o.kind else None

    def cancel(self, m, p, body):
        o = p.original
        if not o or o.e.type != "redeem" or o.state != "spent":
            raise No
        if o.voucher:
            if o.voucher.state != "open":
                raise No
            o.voucher.state = "reversed"
        self.undo(m, o, self.grace)

    def use(self, m, p, body):
        found = [v for v in m.vouchers if v.code == body.voucher and v.state == "open"]
        if not found:
            raise No
        found[0].state = "used"

    def tick(self, m, p, body):
        """Time passes."""

    def know(self, m, p, body):
        m.facts[body.fact].append((p.e.time, body.value))

    def enrol(self, m, p, body):
        for fact, value in body.facts:
            m.facts[fact].append((p.e.time, value))
        self.joining(m, p)

    def joining(self, m, p):
        """What joining brings."""

    def load(self, m, p, body):
        """``offers`` has (loaded, uses) of each."""
        most = self.offers_of.get(body.offer)
        loaded, uses = m.offers.get(body.offer, (None, 0))
        if most is None or (loaded is None and most and uses >= most):
            raise No
        m.offers[body.offer] = (p.e.time if loaded is None else loaded, uses)

    def loaded(self, m, p, offer):
        loaded, _ = m.offers.get(offer, (None, 0))
        return loaded is not None and loaded <= p.e.time

    def spend_offer(self, m, offer):
        m.offers[offer] = (None, m.offers[offer][1] + 1)

    def confirm(self, m, p, body, void=False):
        found = [b for b in m.batches if b.group == body.group and b.waits and b.amount]
        if not found:
            raise No
        for b in found:
            if void:
                b.amount, b.void = 0, True
            else:
                self.open(m, b)

    def void(self, m, p, body):
        self.confirm(m, p, body, void=True)

    def adjust(self, m, p, body):
        short = -body.amount > self.available(m, body.balance)
        if not body.amount or not body.reason or (p.e.ask and short):
            raise No
        if body.amount > 0:
            self.bring(m, body.balance, body.amount, p.day)
        else:
            self.take(m, body.balance, -body.amount)

    def transfer(self, m, p, body):
        if not 0 < body.amount <= self.available(m, body.balance):
            raise No
        taken = self.take(m, body.balance, body.amount)
        return [CarriedLot(b.name, n, b.key[1], b.end) for b, n in taken]

    def carry(self, m, p, body):
        for lot in body.lots:
            ends = lot.expires or -1
            where = {"opens": lot.opens, "group": lot.group}
            self.bring(m, lot.balance, lot.amount, lot.earned or p.day, ends, **where)
        for tier in body.tiers:
            level = self.levels_of[tier.group].index(tier.level)
            since = self.days.start(tier.since) if tier.since else p.e.time
            m.levels[tier.group].append((since, level, tier.until))
        m.counted += [(name, day or p.day, amount) for name, day, amount in body.counters]
        for v in body.vouchers:
            self.voucher(m, v.kind, [])
            m.vouchers[-1].worth, m.vouchers[-1].end, m.vouchers[-1].code = v.worth, v.expires, v.code


class Cafe(Leaflet):
    """A stamp for each coffee, two in an own cup; ten stamps are a free drink."""

    zone, within, itself = "Europe/Helsinki", 365, ("free-drink", "stamps", 10)

    def fixed(self, m, name, day):
        return cal.add_months(day, 12)

    def kinds(self, kind, worth, today):
        return 0, cal.add_months(today, 6)

    def rules(self, m, p):
        coffee = [x.quantity if x.category == "coffee" else None for x in p.body.lines]
        own = [n if "own-cup" in x.tags else None for x, n in zip(p.body.lines, coffee, strict=True)]
        for weights in (coffee, own):
            self.earn(m, p, "stamps", sum(n or 0 for n in weights), weights)

    def price(self, m, p, body):
        if body.reward != "free-drink":
            raise No
        return "stamps", 10, 0, "free-drink"


class Grocer(Leaflet):
    """Points per full dollar by level, more on fresh food, a member price, vouchers."""

    zone, groups, softly, monthly = "America/New_York", ("status",), True, ("points",)
    offers_of = {"coupon-a": 0, "coupon-b": 0, "coupon-c": 0}
    out = ("FUEL", "KIOSK-GAS", "GIFT CARDS", "MISCELLANEOUS")

    def fixed(self, m, name, day):
        return cal.add_months(cal.window_end("month", day), 12)

    def kinds(self, kind, worth, today):
        return worth, cal.window_end("month", cal.add_months(today, 3))

    def earned(self, m, group, day):
        spend = self.window(m, "spend", "year", day)
        return 2 if spend >= 300_000 else 1 if spend >= 100_000 else 0

    def lasts(self, group, day, again=False):
        return cal.window_end("year", cal.window_end("year", day - again))

    def prices(self, m, p):
        return [(x.amount * 2 + 50) // 100 * (p.level > 0 and x.brand == "Private") for x in p.body.lines]

    def rules(self, m, p):
        counts, after = self.lines(p, but=self.out), self.days.start(p.day + 2)
        fresh = self.lines(p, "PRODUCE", "MEAT", "SEAFOOD")
        base, part = ([sum(n or 0 for n in w) // 100 for w in (counts, fresh)])
        rate = (100, 125, 150)[p.level]
        by = [self.lines(p, but=self.out, by=p.net), self.lines(p, "PRODUCE", "MEAT", "SEAFOOD", by=p.net)]
        self.earn(m, p, "points", base * rate // 100, by[0], opens=after)
        if base and part:
            more = (2 * base + part) * rate // 200 - base * rate // 100
            self.earn(m, p, "points", more, by[1], opens=after)
        if sum(p.amounts) >= 10_000:
            points = self.capped(m, "cap big-basket", 25, 50, "month", p.day)
            self.earn(m, p, "points", points, p.net, "cap big-basket", opens=after)
        for offer, points in (("coupon-a", 100), ("coupon-b", 50), ("coupon-c", 75)):
            weights = [n if "coupon" in x.tags else None for x, n in zip(p.body.lines, p.net, strict=True)]
            if self.loaded(m, p, offer) and any(w is not None for w in weights):
                self.spend_offer(m, offer)
                self.earn(m, p, "points", points, weights, opens=after)
        if sum(n or 0 for n in counts):
            self.count(m, p, "spend", sum(n or 0 for n in counts), by[0])
            self.rise(m, "status", p.day)

    def quarter(self, m):
        day = m.ran.get("statement", m.joined)
        return cal.window_end("quarter", day)

    def dates(self, m, today):
        return [self.quarter(m)]

    def cycles(self, m, today):
        if self.quarter(m) <= today:
            m.ran["statement"] = today
            points = self.available(m, "points") // 100 * 100
            if points >= 200:
                self.voucher(m, "quarter", self.take(m, "points", points), points)

    def price(self, m, p, body):
        if body.reward != "money-off":
            raise No
        there = self.available(m, "points")
        points = body.points or min(there, body.basket or NEVER) // 100 * 100
        if points % 100 or points < 100 or points > there or (body.basket and points > body.basket):
            raise No
        return "points", points, points, ""
