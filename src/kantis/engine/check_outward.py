"""Check outward: what a file may not say of partners, payouts and what leads to them."""

from __future__ import annotations

from typing import Any

from kantis.core.knobs import Reader, suggest
from kantis.features import partners as partners_room

Read = dict[str, dict[str, Any]]


def check_outward(read: Read, reader: Reader) -> None:
    """Write down everything about partners and payouts that may not be said together."""
    _names(read, reader)
    _partners(read, reader)
    _rules(read, reader)
    _payouts(read, reader)
    _ways(read, reader)
    _vouchers(read, reader)
    for name, choice in read["choices"].items():
        if not choice.options and choice.amount is None:
            message = "Say what can be chosen: 'options', or a number in steps of an 'amount'."
            reader.fault_at("nothing-to-choose", message, "choices", name)


def _names(read: Read, reader: Reader) -> None:
    """An account of the books has one owner: a balance, a partner or a charity."""
    for name in read["partners"]:
        if name in read["balances"]:
            message = f"A balance is called {name!r} too; the books need a name for each."
            reader.fault_at("name-twice", message, "partners", name)
    taken = {*read["balances"], *read["partners"]}
    for name, payout in read["payouts"].items():
        fixed, choice = payout.charity or ("", "")
        options = read["choices"][choice].options if choice in read["choices"] else ()
        for charity in (fixed, *options):
            if charity in taken:
                message = f"{charity!r} is a balance or a partner too; give the charity its own."
                reader.fault_at("name-twice", message, "payouts", name, "charity")


def _partners(read: Read, reader: Reader) -> None:
    for name, partner in read["partners"].items():
        for key in ("sends", "takes", "bonus"):
            lots = getattr(partner, key)
            if lots is not None and lots.unit not in read["balances"]:
                message = (
                    f"What is exchanged is of a balance. {suggest(lots.unit, read['balances'])}"
                )
                reader.fault_at("unknown-balance", message, "partners", name, key)
        if partner.bonus is not None and (
            partner.takes is None or partner.bonus.there != partner.takes.there
        ):
            message = "A bonus comes on top of what it 'takes', in the same units."
            reader.fault_at("no-effect", message, "partners", name, "bonus")
        if partner.give is not None and partner.give.by_partner:
            message = "Here stands the rate itself, for example 1 point per 1.00 EUR."
            reader.fault_at("rate-expected", message, "partners", name, "give")


def _rules(read: Read, reader: Reader) -> None:
    for section in ("earning", "offers"):
        for name, rule in read[section].items():
            if section == "offers" and rule.give is not None and rule.give.by_partner:
                message = "An offer says its rate itself."
                reader.fault_at("rate-expected", message, section, name, "give")
            if rule.funded_by:
                unit = rule.give.unit if rule.give is not None else ""
                code, message = partners_room.faults(read["partners"], rule.funded_by, unit)
                if code:
                    reader.fault_at(code, message, section, name, "funded by")
    tree = reader.tree
    entries = tree.value.get("earning") if tree is not None else None
    for name, child in (entries.value if entries is not None else {}).items():
        give = child.value.get("give") if isinstance(child.value, dict) else None
        if give is None or give.value != partners_room.PARTNERS_RATE:
            continue
        if not any(each.startswith(f"{name} ") for each in read["earning"]):
            message = "No partner has a rate: say what each is to 'give' under 'partners'."
            reader.fault_at("no-rate", message, "earning", name, "give")


def _payouts(read: Read, reader: Reader) -> None:
    for name, payout in read["payouts"].items():

        def wrong(code: str, message: str, key: str, name: str = name) -> None:
            reader.fault_at(code, message, "payouts", name, key)

        if payout.gives_away:
            if payout.gives_away not in read["balances"]:
                known = suggest(payout.gives_away, read["balances"])
                wrong("unknown-balance", f"What is given away is a balance. {known}", "gives away")
            if payout.charity is None or payout.share_capital_first or payout.voucher:
                message = "What is earned for a cause goes to a 'charity', and nowhere else."
                wrong("cannot-be-explained", message, "gives away")
            if payout.part is not None or payout.without_a_choice != "split equally":
                message = "All of it is given away; a part for the member is a balance of its own."
                wrong("cannot-be-explained", message, "gives away")
        if (payout.share_capital_first is None) != (not payout.paid_in):
            message = "A share is filled 'until' an amount, and a counter says what is 'paid in'."
            wrong("share-incomplete", message, "share capital first")
        elif payout.paid_in:
            counter = read["counters"].get(payout.paid_in)
            if counter is None or counter.window.kind != "ever":
                known = suggest(payout.paid_in, read["counters"])
                message = f"What is paid in is a counter over 'ever'. {known}"
                wrong("unknown-counter", message, "paid in")
        if payout.charity is None:
            for key in ("part", "matched by", "without a choice"):
                if key in _said(reader, "payouts", name):
                    wrong("no-effect", f"{key!r} goes with a 'charity'.", key)
        if payout.matched_by is not None and payout.matched_by[0] not in read["partners"]:
            known = suggest(payout.matched_by[0], read["partners"])
            wrong("unknown-partner", f"Who matches is a partner. {known}", "matched by")
        if payout.voucher and payout.voucher not in read["vouchers"]:
            known = suggest(payout.voucher, read["vouchers"])
            wrong("unknown-voucher", f"There is no voucher {payout.voucher!r}. {known}", "voucher")


def _said(reader: Reader, section: str, name: str) -> set[str]:
    assert reader.tree is not None
    return set(reader.tree.value[section].value[name].value)


def _ways(read: Read, reader: Reader) -> None:
    """Cycles and rewards that name a payout, or a partner to exchange with."""
    for name, cycle in read["cycles"].items():
        if cycle.pays_out and cycle.pays_out not in read["payouts"]:
            message = f"There is no payout {cycle.pays_out!r}. "
            message += suggest(cycle.pays_out, read["payouts"])
            reader.fault_at("unknown-payout", message, "cycles", name, "pays out")
        if cycle.exchanges:
            partner = read["partners"].get(cycle.exchanges)
            if partner is None or partner.takes is None:
                message = f"Nothing is exchanged with {cycle.exchanges!r}: say what it 'takes'."
                reader.fault_at("no-exchange", message, "cycles", name, "exchanges")
            elif partner.takes.unit != cycle.least.unit:
                message = f"It takes {partner.takes.unit}, not {cycle.least.unit}."
                reader.fault_at("no-exchange", message, "cycles", name, "exchanges")
    for name, reward in read["rewards"].items():
        payout = reward.gives.payout
        if not payout:
            continue
        if payout not in read["payouts"]:
            message = f"There is no payout {payout!r}. {suggest(payout, read['payouts'])}"
            reader.fault_at("unknown-payout", message, "rewards", name, "gives")
        if reward.rate is None or {"stock", "per member"} & _said(reader, "rewards", name):
            message = "What is paid out has a 'rate', and no 'stock' or limit per member."
            reader.fault_at("cannot-be-explained", message, "rewards", name, "gives")


def _vouchers(read: Read, reader: Reader) -> None:
    partners = read["partners"]
    for name, voucher in read["vouchers"].items():
        named = {*voucher.at}
        if isinstance(voucher.at_partners, tuple):
            named |= {partner for partner, _ in voucher.at_partners}
        for partner in sorted(named - set(partners)):
            message = f"There is no partner {partner!r}. {suggest(partner, partners)}"
            reader.fault_at("unknown-partner", message, "vouchers", name)
        if voucher.makes and voucher.makes not in read["vouchers"]:
            message = f"There is no voucher {voucher.makes!r}. "
            message += suggest(voucher.makes, read["vouchers"])
            reader.fault_at("unknown-voucher", message, "vouchers", name, "makes")
