"""Money between partners: exact to a millionth of the smallest coin, and cut to coins at the end.

>>> from kantis.core.amounts import money
>>> fine_unit(money("GBP")).show(500000)
'0.00500000 GBP'
>>> to_coins([1_400_000, 1_400_000, 200_000])
[2, 1, 0]
"""

from __future__ import annotations

from kantis.core.amounts import Unit, divide

#: decimals of the smallest coin that positions keep
FINE = 6


def fine_unit(money: Unit) -> Unit:
    """The unit in which positions are kept."""
    return Unit(money.name, money.scale + FINE, money=True)


def coins_of(fine: int) -> int:
    """An exact amount in whole coins, rounded half up."""
    one = 10**FINE
    return divide(fine, one, "half up") if fine >= 0 else -divide(-fine, one, "half up")


def to_coins(parts: list[int], before: int = 0) -> list[int]:
    """Exact parts as whole coins that add up to their rounded sum, by largest remainder.

    ``before`` is what there was before them: then the parts make what the rounded sum of all
    is more than the rounded sum of before, so that what follows each other adds up too. Of
    equal remainders the earlier part gets the coin.
    """
    one = 10**FINE
    coins = [part // one for part in parts]
    rests = sorted(range(len(parts)), key=lambda i: (-(parts[i] % one), i))
    whole = coins_of(before + sum(parts)) - coins_of(before)
    for i in rests[: whole - sum(coins)]:
        coins[i] += 1
    return coins
