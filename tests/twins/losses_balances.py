"""Plain-Python twins of the losses room: the balances that a bank counts."""

import math

from tests.twins.losses import covered_more, is_cross_aged, limit_change_day, limit_on, not_covered, within_liability

NEVER = 2147483647


def balances_of_buyer(v, b, score, fates, taken, plan, clock, book):
    """What counts of one buyer in a view at each period end, invoice by invoice on that very day; and what would count
    if it were not insured. ``taken`` tells what others have taken of its group's limit on that day."""
    ends = [day for day in range(1, clock.horizon + 1)
            if day == clock.horizon or clock.period_of_day[day + 1] != clock.period_of_day[day]]  # fmt: skip
    change = limit_change_day(score, float(plan.intensity[v]), clock.horizon)
    if change != NEVER:
        change += int(plan.notice[v])

    def limit_of(day):
        known = [k for k in range(plan.segments[v, b], plan.segments[v, b + 1]) if plan.from_day[k] <= day]
        if not known:
            return 0.0
        k = known[-1]
        return limit_on(float(plan.limit[k]), float(plan.change_to[v]), change if plan.changes[k] else NEVER, day)

    balances, bare = [], []
    for t, end in enumerate(ends):
        owed = [f for f in fates if f["shipped"] and book.issue_day[f["i"]] <= end < min(f["paid"], f["lost_on"])]
        aged = [f for f in owed if end - book.due_day[f["i"]] > plan.maximum_overdue]
        if plan.ages_across and is_cross_aged(
            sum(float(plan.debt[f["i"]]) for f in aged),
            sum(float(plan.debt[f["i"]]) for f in owed),
            plan.cross_ageing,
        ):
            balances.append(0.0)
            bare.append(0.0)
            continue
        total, plain = 0.0, 0.0
        for fate in owed:
            i = fate["i"]
            value = float(plan.value[v, i])
            if end - book.due_day[i] > plan.maximum_overdue:
                continue
            plain += float(plan.uninsured_value[v, i])
            if plan.insured[v, b]:
                value = covered_more(value, taken(t) + total, limit_of(int(book.issue_day[i])))
            total += value
        if plan.insured[v, b] and not plan.run_off:
            total = min(total, max(0.0, limit_of(end) - taken(t)))
        balances.append(total)
        bare.append(plain)
    return balances, bare


def note_fates(s, b, regime, score, fates, plan, clock, book, rows):
    """Add a buyer to every view of a regime (-1: of all)."""
    for v in range(0 if plan is None else len(plan.regime)):
        if not plan.counts[v, b] or regime not in (-1, plan.regime[v]):
            continue
        group, country = plan.group_pool[v, b], plan.country_pool[v, b]
        taken = rows.used[s, v, group].tolist().__getitem__ if group >= 0 else lambda t: 0.0
        counting, bare = balances_of_buyer(v, b, score, fates, taken, plan, clock, book)
        for t, balance in enumerate(counting):
            if plan.insured[v, b]:
                weight, used = float(plan.weight[v, b]), rows.used[s, v, :, t]
                if country >= 0:
                    balance = min(balance, max(0.0, plan.country_maximum[v, b] - used[country]))
                if math.isfinite(plan.liability[v]):
                    balance = within_liability(balance, weight, max(0.0, plan.liability[v] - used[0]))
                    used[0] += weight * balance
                for pool in (group, country):
                    if pool >= 0:
                        used[pool] += balance
                rows.insured[s, v, t] += weight * balance
                if not plan.rest[v, b]:
                    continue
                balance = not_covered(bare[t], weight * balance)
            rows.uninsured[s, v, t] += balance
            keep = rows.largest.shape[3]
            rows.largest[s, v, t] = sorted([*rows.largest[s, v, t].tolist(), balance], reverse=True)[:keep]
