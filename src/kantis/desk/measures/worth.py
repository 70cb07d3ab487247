"""Worth: what open points are worth in money."""

from __future__ import annotations

from kantis.core.amounts import Ratio
from kantis.engine.plan import Plan
from kantis.features.rewards import RewardSection


def worth_of(plan: Plan, balance: str, points: int) -> int:
    """The most that points are worth, by cycles and rewards that turn them into money; in minor
    units, rounded down. 0 where the program turns them into none."""
    rates = [Ratio(0, 1)]
    for cycle in plan.cycles.values():
        if cycle.worth is not None and cycle.least.unit == balance:
            rates.append(Ratio(cycle.worth.money, cycle.worth.points))
    for reward in plan.rewards.values():
        if reward.rate is not None and reward.rate.unit == balance:
            rates.append(Ratio(reward.rate.money, reward.rate.points))
        elif reward.cost is not None and reward.cost.unit == balance and reward.gives.money:
            rates.append(Ratio(reward.gives.money, reward.cost.amount))
    return max(points * rate.num // rate.den for rate in rates)


def costs_by_name(reward: RewardSection) -> bool:
    """Whether a reward costs what the program says that one costs; one that gives a voucher or a
    payout costs what becomes of that."""
    gives = reward.gives
    return reward.costs_us is not None and not gives.voucher and not gives.payout
