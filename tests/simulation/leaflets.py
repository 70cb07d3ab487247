"""Leaflets: what the four programs of the simulation say, as their members would read it.

Each class is the program file of that name in plain Python; nothing is read from the file.
"""

from collections import Counter, defaultdict
from fractions import Fraction
from math import floor

from kantis.core import calendar as cal
from kantis.core.events import CarriedLot
from tests.simulation.naive import NEVER, Naive, No, Thing


def total(amounts):
    """The sum over the lines that count."""
    return sum(n or 0 for n in amounts)


def of(*kinds):
    """Lines of a category or department."""
    return lambda x: (x.category or x.department) in kinds


def but(*kinds):
    """Lines of any other."""
    return lambda x: (x.category or x.department) not in kinds


class Leaflet(Naive):
    """What is the same in all four."""

    offers_of, held_for, raised, leasts = {}, {}, {}, {}

    def __init__(self):
        super().__init__()
        self.budgets = {}

    def left_of(self, limit):
        """What is left for all members of something limited, or of a budget."""
        what, _, name = limit.partition(" ")
        if what == "stock":
            return self.stock[name]
        used = sum(n for m in self.members.values() for _, n in m.counted[limit])
        return self.budgets[name] - used

    def fits(self, m, p, name, amount, weights=None):
        """Whether all of an amount fits into a budget, which is then used; if not, none of it."""
        if amount > self.left_of(f"budget {name}"):
            return False
        p.counts += [(f"budget {name}", amount, weights)] if amount else []
        m.counted[f"budget {name}"].append((p.day, amount))
        return True

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
        return sum(n for day, n in m.counted[name] if first <= day < end)

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
        m.counted[cap].append((day, part))
        return part

    def count(self, m, p, name, amount, weights=None):
        m.counted[name].append((p.day, amount))
        p.counts.append((name, amount, weights))

    def lines(self, p, where, by=None):
        """The amounts of the lines that count; None for the others."""
        pairs = zip(p.body.lines, p.amounts if by is None else by, strict=True)
        return [n if where(x) else None for x, n in pairs]

    def at(self, m, what, moment):
        """What a dated list said at an instant."""
        said = [(since, value) for since, value in m.facts[what] if since <= moment]
        return sorted(said, key=lambda each: each[0])[-1][1] if said else ""

    # events

    def redeem(self, m, p, body):
        name, points, p.worth, kind = self.price(m, p, body)
        if points > self.available(m, name) and (p.e.ask or body.hold):
            raise No
        p.taken, p.kind, p.state, p.voucher = self.take(m, name, points), kind, "spent", None
        m.had[body.reward] += 1
        self.stock[body.reward] -= 1
        if body.hold:
            p.until, p.state = m.now + self.held_for.get(body.reward, 24) * 3_600_000, "held"
            m.holds.append(p)
        elif kind:
            p.voucher = self.voucher(m, kind, p.taken, p.worth)
        self.sign(m, p, name, "redeeming")

    def undo(self, m, o, grace):
        """Points that were set aside or spent come back, and what they were spent on goes."""
        o.state = "undone"
        self.give_back(m, o.taken, grace)
        m.had[o.body.reward] -= 1
        self.stock[o.body.reward] += 1

    def let_go(self, m, o):
        m.holds.remove(o)
        self.undo(m, o, 0)

    def claim(self, m, p, body):
        """A purchase without a member counts as if it had been this member's all along."""
        found = self.alone.get(body.receipt)
        if not found:
            raise No
        q = self.begin(m, found)
        self.purchase(m, q, found.body)
        for name in sorted({batch.name for _, _, batch in q.facts}):
            self.sign(m, q, name, "earning")
        m.done[found.key] = q
        del self.alone[body.receipt]

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

    def activity(self, m, p, body):
        """It can come back like a purchase of one line."""
        p.lines = [Thing(id=body.name, quantity=body.quantity)]

    def cancel(self, m, p, body):
        o = p.original
        if o and o.e.type == "activity":
            self.refund(m, p, Thing(lines=()))
            return
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
        least = self.leasts.get(body.offer, 1)
        if loaded is None and body.offer in self.budgets:
            if self.left_of(f"budget {body.offer}") < least:
                raise No
        m.offers[body.offer] = (p.e.time if loaded is None else loaded, uses)

    def loaded(self, m, p, offer):
        loaded, _ = m.offers.get(offer, (None, 0))
        return loaded is not None and loaded <= p.e.time

    def spend_offer(self, m, offer):
        m.offers[offer] = (None, m.offers[offer][1] + 1)

    def confirm(self, m, p, body, void=False):
        found = [b for b in self.there(m) if b.group == body.group and b.waits]
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
        for name in {lot.balance for lot in body.lots} & set(self.idle):
            m.touched.setdefault(name, p.day)  # the clock of what is brought starts
        for tier in body.tiers:
            level = self.levels_of[tier.group].index(tier.level)
            since = self.days.start(tier.since) if tier.since else p.e.time
            m.levels[tier.group].append((since, level, tier.until))
        for name, day, amount in body.counters:
            m.counted[name].append((day or p.day, amount))
        for v in body.vouchers:
            mine = self.voucher(m, v.kind, [])
            mine.worth, mine.end, mine.code, mine.issued = v.worth, v.expires, v.code, p.day


class Cafe(Leaflet):
    """A stamp for each coffee, two in an own cup; ten stamps are a free drink."""

    zone, within, itself = "Europe/Helsinki", 365, ("free-drink", "stamps", 10)

    def fixed(self, m, name, day):
        return cal.add_months(day, 12)

    def kinds(self, kind, worth, today):
        return 0, cal.add_months(today, 6)

    def rules(self, m, p):
        coffee = [x.quantity if x.category == "coffee" else None for x in p.body.lines]
        own = [
            n if "own-cup" in x.tags else None for x, n in zip(p.body.lines, coffee, strict=True)
        ]
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
        return [
            (x.amount * 2 + 50) // 100 * (p.level > 0 and x.brand == "Private")
            for x in p.body.lines
        ]

    def rules(self, m, p):
        when, fresh = {"opens": self.days.start(p.day + 2)}, of("PRODUCE", "MEAT", "SEAFOOD")
        spent, net = total(self.lines(p, self.counts)), self.lines(p, self.counts, p.net)
        base, part = spent // 100, total(self.lines(p, fresh)) // 100
        rate = (100, 125, 150)[p.level]
        plain = base * rate // 100
        self.earn(m, p, "points", plain, net, **when)
        if base and part:
            more = (2 * base + part) * rate // 200 - plain
            self.earn(m, p, "points", more, self.lines(p, fresh, p.net), **when)
        if sum(p.amounts) >= 10_000:
            points = self.capped(m, "cap big-basket", 25, 50, "month", p.day)
            self.earn(m, p, "points", points, p.net, "cap big-basket", **when)
        coupons = self.lines(p, lambda x: "coupon" in x.tags, p.net)
        for offer, points in (("coupon-a", 100), ("coupon-b", 50), ("coupon-c", 75)):
            if self.loaded(m, p, offer) and any(n is not None for n in coupons):
                self.spend_offer(m, offer)
                self.earn(m, p, "points", points, coupons, **when)
        self.count(m, p, "spend", spent, net)
        if spent:
            self.rise(m, "status", p.day)

    def counts(self, x):
        """Neither fuel nor gift cards."""
        return x.department not in ("FUEL", "MISCELLANEOUS") and not {
            "fuel",
            "gift-card",
        } & set(x.tags)

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
        if points % 100 or points < 100 or (body.basket and points > body.basket):
            raise No
        return "points", points, points, ""


class Market(Leaflet):
    """Shared caps, promotions, levels by two counters, groups, offers, a clock and an end."""

    zone, within, grace, groups = "Europe/Helsinki", 60, 20, ("status",)
    softly, after, oldest = True, 10, ("stars",)
    signs = {"points": ("earning",), "stars": ("earning", "redeeming")}
    idle = {"points": lambda day: day + 45, "stars": lambda day: day + 50}
    held_for, itself = {"gift": 36}, ("bun", "tokens", 6)
    offers_of = {"coupon": 4, "double": 0, "discount": 0}
    raised, leasts = {"coupon": 150}, {"coupon": 12}
    levels_of = {"status": ("basic", "silver", "gold")}
    summer = cal.day("2021-09-01")

    def __init__(self):
        super().__init__()
        self.uses = defaultdict(list)
        self.budgets = {"survey": 12, "trip": 400, "coupon": 100, "double": 60, "discount": 2000}

    def fixed(self, m, name, day):
        if name == "points":
            return cal.add_months(day, 2 if self.new else 3)
        return day + 20 if name == "tokens" else 0

    def edit(self, m):
        there = {b.lot for b in self.there(m)} | {b.lot for h in m.holds for b, _ in h.taken}
        for b in [b for some in m.batches.values() for b in some if b.lot in there]:
            b.end = self.fixed(m, b.name, b.key[1])
            b.key = (*b.key[:2], b.end, b.group)

    def kinds(self, kind, worth, today):
        return (500, today + 40) if kind == "gift" else (200, cal.add_months(today, 2))

    def earned(self, m, group, day):
        spend, baked = self.window(m, "spend", "quarter", day), self.months(m, "baked", 3, day)
        visits = self.total(m, "visits", day - 59, day + 1)
        if spend >= 25_000 and visits >= 5:
            return 2
        if self.window(m, "won", "quarter", day) >= 150:
            return 1
        return int(spend >= (10_000 if self.new else 12_000) or visits >= 8 or baked >= 14)

    def earn(self, m, p, name, points, weights=(), cap=None, **where):
        super().earn(m, p, name, points, weights, cap, **where)
        if points and name == "points" and p.e.type in ("purchase", "claim"):
            self.count(m, p, "won", points, weights)

    def lasts(self, group, day, again=False):
        return cal.add_months(day, 3)

    def may_pay(self, m, points, due):
        """20 to 100 points in steps of five, 5 cents each, for half of what is due at most."""
        steps = points in range(20, min(100, self.available(m, "points")) + 1, 5)
        return steps and points * 5 * 2 <= sum(due)

    def prices(self, m, p):
        off = []
        for x in p.body.lines:
            own = (x.amount * 7 * 2 + 100) // 200 if p.level and x.brand == "own" else 0
            deal = self.loaded(m, p, "discount") and x.brand == "own"
            off.append((own, min(x.amount, 100 * x.quantity) if deal else 0))
        cuts = [deal if deal > own else 0 for own, deal in off]
        p.cuts, p.deal = cuts, 0 < sum(cuts) <= self.left_of("budget discount")
        return [max(each) if p.deal else each[0] for each in off]

    def rules(self, m, p):
        day, when = p.day, {"opens": self.days.start(p.day + 3)}
        if p.deal:
            self.spend_offer(m, "discount")
            self.fits(m, p, "discount", sum(p.cuts), p.cuts)
        meant = but("gift-card", "bakery") if self.new else but("gift-card")
        shop, by = self.lines(p, meant), self.lines(p, meant, p.net)
        fresh, bakery = self.lines(p, of("fresh")), self.lines(p, of("bakery"))
        base, rate = total(shop), (100, 120, 150)[p.level]
        if base:
            points = self.capped(m, "cap monthly", base * rate // 10_000, 90, "month", day)
            self.earn(m, p, "points", points, by, "cap monthly", **when)
            self.promotions(m, p, shop, by, base, rate, when)
        if total(fresh) >= 1000 and self.left(m, "cap fresh-bonus 2", 2, "week", day):
            points = self.capped(m, "cap monthly", 5, 90, "month", day)
            self.count(m, p, "cap fresh-bonus 2", int(points > 0))
            weights = self.lines(p, of("fresh"), p.net)
            self.earn(m, p, "points", points, weights, "cap monthly", **when)
        eaten = total(fresh) + total(bakery)
        stars = (eaten + max(0, eaten - 2000) + 50) // 100
        self.earn(m, p, "stars", stars, self.lines(p, of("fresh", "bakery"), p.net))
        items = self.lines(p, of("bakery"), [x.quantity for x in p.body.lines])
        self.earn(m, p, "tokens", total(items), items)
        group, weights = p.body.group or p.e.key, self.lines(p, of("home"), p.net)
        points = total(self.lines(p, of("home"))) * 2 // 100
        points = self.capped(m, "cap delivery 1", points, 200, "month", day)
        self.earn(m, p, "points", points, weights, "cap delivery 1", group=group)
        self.uses[m, group].append((p, ("cap delivery 1", points, weights)))
        if self.loaded(m, p, "coupon") and any(n is not None for n in bakery):
            weights = self.lines(p, of("bakery"), p.net)
            if self.fits(m, p, "coupon", 12, weights):
                self.spend_offer(m, "coupon")
                self.earn(m, p, "points", 12, weights, **when)
        counts = self.lines(p, but("gift-card"))
        self.count(m, p, "spend", total(counts), self.lines(p, but("gift-card"), p.net))
        self.count(m, p, "visits", 1)
        self.count(m, p, "baked", total(items), items)
        self.rise(m, "status", day)

    def promotions(self, m, p, shop, by, base, rate, when):
        """Each gives what the points become with it, less what they were before."""
        kinds = [x.category == "fresh" for x in p.body.lines]
        fresh = [n if kind else None for n, kind in zip(by, kinds, strict=True)]
        part = total(n for n, kind in zip(shop, kinds, strict=True) if kind)
        sunny = 4 if self.new else Fraction(5, 2) if p.day >= self.summer else 2
        promo = max(sunny if cal.weekday(p.day) >= 5 else 1, 3 if p.body.channel == "app" else 1)
        club = self.at(m, "segment club", p.e.time) == "yes"
        double = self.loaded(m, p, "double")
        value = so_far = Fraction(base * rate, 10_000)
        for name in ("promo", "fresh", "club", "double"):
            more = {
                "promo": value * (promo - 1),
                "fresh": value * part / base / 2,
                "club": so_far / 4 * club,
                "double": value * double,
            }[name]
            points, so_far = floor(so_far + more) - floor(so_far), so_far + more
            cap = "cap club 1" if name == "club" else None
            if cap:
                points = self.capped(m, cap, points, 30, "month", p.day)
            if name == "double" and points:
                if not self.fits(m, p, name, points, by):
                    continue
                self.spend_offer(m, name)
            self.earn(m, p, "points", points, fresh if name == "fresh" else by, cap, **when)

    def refunded(self, m, o):
        today = self.days.day(m.now)
        level = self.earned(m, "status", today)
        if level < self.level(m, "status"):
            m.levels["status"].append((m.now, level, self.lasts("status", today) if level else 0))

    def activity(self, m, p, body):
        super().activity(m, p, body)
        if body.name == "survey":
            done = min(1, self.left(m, "cap survey 1", 2, "quarter", p.day))
            done = done if self.fits(m, p, "survey", done) else 0
            self.capped(m, "cap survey 1", done, 2, "quarter", p.day)
            self.earn(m, p, "points", 20 * done, [1])
            p.counts.append(("cap survey 1", done, None))
        if body.name == "trip":
            group = body.group or p.e.key
            items = min(body.quantity, self.left(m, "cap trip 1", 7, "month", p.day))
            items = items if self.fits(m, p, "trip", 9 * items, [1]) else 0
            self.capped(m, "cap trip 1", items, 7, "month", p.day)
            self.earn(m, p, "points", 9 * items, [1], group=group)
            p.counts.append(("cap trip 1", items, [1]))
            self.uses[m, group] += [(p, each) for each in p.counts]

    def confirm(self, m, p, body, void=False):
        """What a void group used of caps is free again."""
        super().confirm(m, p, body, void)
        for q, use in self.uses.pop((m, body.group), ()):
            cap, amount, weights = use
            back = self.part(q, amount, weights, q.back)
            if void:
                m.counted[cap].append((q.day, back - amount))
                q.counts = [each for each in q.counts if each != use]

    def joining(self, m, p):
        if "welcome" not in m.ran:  # whoever joins again gets nothing
            m.ran["welcome"] = p.day
            self.earn(m, p, "points", 10)

    def birthday(self, m):
        if not m.facts["birthday"]:
            return NEVER
        since, text = sorted(m.facts["birthday"], key=lambda each: each[0])[-1]
        first = max(m.ran.get("birthday", 0) + 1, m.joined, self.days.day(since))
        return cal.next_yearly(first, int(text[-5:-3]), int(text[-2:]))

    def dates(self, m, today):
        return [self.birthday(m)]

    def periodic(self, m, today):
        if self.birthday(m) <= today:
            m.ran["birthday"] = today
            self.bring(m, "points", 25, today)

    def price(self, m, p, body):
        there, stars = self.available(m, "points"), self.available(m, "stars")
        most = min(100, body.points or there)
        if body.basket:
            most = min(most, body.basket // 2 // 5)
        if body.reward == "gift" and m.had["gift"] < 6:
            return "points", 60, 0, "gift"
        if body.reward == "mug" and self.stock["mug"] > 0:
            return "points", 40, 0, ""
        if body.reward == "pay" and most // 5 * 5 >= max(20, body.points):
            return "points", most // 5 * 5, most // 5 * 25, ""
        if body.reward == "treat":
            enough = body.points and not p.e.ask
            fits = [r for r in ((20, 100), (50, 300)) if r[0] <= stars or enough]
            fits = [r for r in fits if body.points in (0, r[0])]
            fits = [r for r in fits if not body.basket or r[1] <= body.basket]
            if fits:
                return "stars", *fits[-1], ""
        raise No


class Hotel(Leaflet):
    """Reviews, nights by membership year, a rule over the month, payouts, a choice."""

    zone, owes, groups = "America/New_York", False, ("status", "friend", "guest")
    idle = {"miles": lambda day: cal.add_months(day, 4)}
    signs = {"miles": ("earning", "redeeming", "purchase", "activity")}
    held_for, offers_of = {"suite": 72}, {}
    levels_of = {"status": ("member", "silver", "gold"), "friend": ("new", "friend")}
    kind = {"status": "quarter", "guest": "month", "friend": 0}

    def fixed(self, m, name, day):
        return cal.next_yearly(cal.add_months(day, 8), 3, 31) + 1 if name == "cash" else 0

    def kept(self, m, name):
        return name == "miles" and self.level(m, "status") == 2

    def edit(self, m):
        times = self.total(m, "ever", 0, NEVER)
        if times > 0:
            self.bring(m, "miles", 2 * times, self.days.day(m.now))

    def kinds(self, kind, worth, today):
        if kind == "suite":
            return 8_000, cal.add_months(today, 12)
        return worth, cal.window_end("month", cal.add_months(today, 6))

    def earned(self, m, group, day):
        if group == "friend":
            return int(self.total(m, "ever", 0, NEVER) >= 20)
        if group == "guest":
            return self.by_visits(self.window(m, "visits", "month", day) + self.rolled(m, day))
        years = 0
        while cal.add_months(m.joined, 12 * (years + 1)) <= day:
            years += 1
        first, end = (cal.add_months(m.joined, 12 * n) for n in (years, years + 1))
        nights, spend = self.total(m, "nights", first, end), self.months(m, "spend", 12, day)
        return 2 if nights >= 12 or spend >= 90_000 else int(nights >= 6)

    def by_visits(self, visits):
        return 2 if visits >= 8 else int(visits >= 4)

    def rolled(self, m, day):
        """Visits that the month before had too many for its level, three at most."""
        sums, more, follows = Counter(), 0, 0
        for each, n in m.counted["visits"]:
            sums[cal.window_start("month", each)] += n
        this = cal.window_start("month", day)
        for month in sorted(each for each in sums if each < this):
            visits = sums[month] + more * (month == follows)
            level, follows = self.by_visits(visits), cal.window_end("month", month)
            more = max(0, min(visits - 4 * level, sums[month], 3)) if level else 0
        return more * (this == follows)

    def refund(self, m, p, body):
        before = self.rolled(m, self.days.day(m.now))
        super().refund(m, p, body)
        self.rolls(m, before)

    def rolls(self, m, before):
        """More has rolled over than before: that can lift a level today."""
        today = self.days.day(m.now)
        if self.rolled(m, today) > before:
            self.rise(m, "guest", today)

    def lasts(self, group, day, again=False):
        kind = self.kind[group]
        return kind and cal.window_end(kind, cal.window_end(kind, day - again))

    def falls_to(self, m, group, until):
        """Also the window before can have earned a level that lasts longer."""
        ends = {until - 1, cal.window_start(self.kind[group], until - 1) - 1}
        found = [(self.earned(m, group, day), self.lasts(group, day + 1, True)) for day in ends]
        return max((each for each in found if each[1] > until), default=(0, 0))

    def rules(self, m, p):
        bar, dining, spa = (
            self.lines(p, but("tax")),
            self.lines(p, of("dining")),
            self.lines(p, of("spa")),
        )
        by, dined = self.lines(p, but("tax"), p.net), self.lines(p, of("dining"), p.net)
        base, part = total(bar) // 500 * 500, total(dining) // 500 * 500
        when = {"opens": self.days.start(cal.window_end("month", p.day) + 9)}
        value = Fraction(base * (2 if base >= 5_000 else 1), 100)
        more = value + value * (Fraction(part, base) if base else 0)
        favourite = self.at(m, "choice treat", p.e.time) == "spa"
        points = 0
        for now, weights in ((value, by), (more, dined), (more + more * favourite / 10, by)):
            before, points = points, max(1, floor(now + Fraction(1, 2))) if base else 0
            self.earn(m, p, "miles", points - before, weights, **when)
        used = min(total(spa), self.left(m, "cap spa 1", 15_000, "quarter", p.day))
        self.count(m, p, "cap spa 1", used, self.lines(p, of("spa"), p.net))
        points = (used * 3 + total(spa) - used) // 100
        self.earn(m, p, "miles", points, self.lines(p, of("spa"), p.net))
        self.count(m, p, "month", sum(p.amounts), p.net)
        self.count(m, p, "month dining", total(dining), dined)
        self.count(m, p, "spend", sum(p.amounts), p.net)
        before = self.rolled(m, self.days.day(m.now))
        self.count(m, p, "ever", 1)
        self.count(m, p, "visits", 1)
        self.refunded(m, p)
        self.rise(m, "friend", p.day)
        self.rise(m, "guest", p.day)
        self.rolls(m, before)
        self.sign(m, p, "miles", "purchase")

    def refunded(self, m, o):
        """A month that was settled is settled again."""
        month = cal.window_start("month", o.day)
        if month in m.paid:
            self.settle(m, month)

    def settle(self, m, month):
        """What a month's total earns by the rules of its last day, less what it gave before."""
        spent, dined = (self.window(m, each, "month", month) for each in ("month", "month dining"))
        new = self.days.start(cal.window_end("month", month)) > self.edited
        cents = Fraction(spent + max(0, spent - 20_000) * (2 if new else 1), 100)
        points = floor(cents) + floor(cents * dined / spent / 2 if spent else 0)
        more, m.paid[month] = points - m.paid[month], points
        if more > 0:
            self.bring(m, "cash", more, self.days.day(m.now))
        elif more < 0:
            self.claw(m, max(m.batches["cash"], key=lambda b: b.lot), -more)

    def open_months(self, m):
        counted = {cal.window_start("month", day) for day, _ in m.counted["month"]}
        return sorted(counted - set(m.paid))

    def next_of(self, m, cycle):
        day = m.ran.get(cycle, m.joined)
        if cycle != "payout":
            return cal.window_end("quarter" if cycle == "quarterly" else "month", day)
        first = cal.window_start("month", day)
        return first + 14 if first + 14 > day else cal.add_months(first, 1) + 14

    def dates(self, m, today):
        found = [self.next_of(m, each) for each in ("quarterly", "payout", "review")]
        return found + [cal.window_end("month", each) for each in self.open_months(m)]

    def periodic(self, m, today):
        for month in self.open_months(m):
            if cal.window_end("month", month) <= today:
                self.settle(m, month)
        if self.next_of(m, "review") <= today:
            m.ran["review"] = today
            level = self.earned(m, "status", today - 1)
            if level and level >= self.level(m, "status"):
                m.levels["status"].append((m.now, level, self.lasts("status", today)))
            self.rolls(m, 0)

    def cycles(self, m, today):
        if self.next_of(m, "quarterly") <= today:
            m.ran["quarterly"] = today
            miles = self.available(m, "miles") // 100 * 100
            if miles and self.available(m, "miles") >= (200 if self.new else 300):
                self.voucher(m, "night", self.take(m, "miles", miles), miles)
        if self.next_of(m, "payout") <= today:
            m.ran["payout"] = today
            if self.available(m, "cash") >= 100:
                m.out += sum(n for _, n in self.take(m, "cash", self.available(m, "cash")))

    def activity(self, m, p, body):
        super().activity(m, p, body)
        if body.name == "night":
            half, odd = divmod(body.amount * 3, 200)
            miles = half + (odd > 100 or (odd == 100 and half % 2))
            self.earn(m, p, "miles", miles, [1], group=body.group or p.e.key)
            self.count(m, p, "nights", body.quantity, [1])
        self.sign(m, p, "miles", "activity")

    def joining(self, m, p):
        self.sign(m, p, "miles", "activity")

    def choose(self, m, p, body):
        made = self.left(m, "treat chosen", 2, "quarter", p.day)
        if body.choice != "treat" or body.value not in ("spa", "bar") or not made:
            raise No
        m.counted["treat chosen"].append((p.day, 1))
        m.facts["choice treat"].append((p.e.time, body.value))

    def price(self, m, p, body):
        if body.reward == "suite":
            return "miles", 250, 0, "suite"
        points = body.basket or body.points or self.available(m, "miles")
        if body.reward != "credit" or points < 50 or body.points not in (0, points):
            raise No
        if not body.points and points > self.available(m, "miles"):
            raise No
        return "miles", points, points, ""
