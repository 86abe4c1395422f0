"""Plain-Python twins of simulator.policy, written from the wordings: lists, sorting by (date of loss, rank), sums."""

import math

NEVER = 2147483647


# --- terms ---


def protracted_loss_day(due_day, waiting_days, paid_day):
    expiry = int(due_day) + int(waiting_days)
    if int(paid_day) <= expiry:
        return NEVER
    return expiry


def date_of_loss(insolvency_day, protracted_day):
    return min(int(insolvency_day), int(protracted_day))


def is_claimed(issue_day, paid_day, loss_day):
    return int(issue_day) <= int(loss_day) < int(paid_day)


def is_lost_unclaimed(issue_day, paid_day, lost_on, loss_day):
    lost = int(lost_on) < NEVER
    return lost and not int(issue_day) <= int(loss_day) < int(paid_day)


def claim_key(loss_day, buyer_rank):
    return int(loss_day) * 2**32 + int(buyer_rank)


def is_known_loss(due_day, waiting_days):
    waiting_ends = int(due_day) + int(waiting_days)
    return waiting_ends < 1


def is_eligible(disputed, open_item, covers_open_items):
    excluded_as_old = open_item and not covers_open_items
    return not (disputed or excluded_as_old)


def covered_debt(eligible_debt, credit_limit):
    return min(eligible_debt, credit_limit)


def qualifies(covered, non_qualifying_loss):
    return not covered < non_qualifying_loss


def after_percentage(loss, insured_percentage):
    return insured_percentage * loss


def after_each_and_every(loss, each_and_every_first_loss):
    return max(loss - each_and_every_first_loss, 0.0)


def absorbed_by_aggregate_first_loss(loss, remaining):
    return min(loss, remaining)


def capped_by_maximum_liability(loss, remaining):
    return min(loss, remaining)


def percent_first(covered, non_qualifying_loss, insured_percentage, each_and_every, first_loss_left, liability_left):
    if covered < non_qualifying_loss:
        return covered, 0.0, 0.0, 0.0, 0.0, 0.0
    step_percentage = covered * insured_percentage
    step_excess = max(step_percentage - each_and_every, 0.0)
    eroded = min(step_excess, first_loss_left)
    step_first_loss = step_excess - eroded
    indemnity = min(step_first_loss, liability_left)
    return (
        0.0,
        covered - step_percentage,
        step_percentage - step_excess,
        eroded,
        step_first_loss - indemnity,
        indemnity,
    )


def deductible_first(covered, non_qualifying_loss, insured_percentage, each_and_every, first_loss_left, liability_left):
    if covered < non_qualifying_loss:
        return covered, 0.0, 0.0, 0.0, 0.0, 0.0
    step_excess = max(covered - each_and_every, 0.0)
    eroded = min(step_excess, first_loss_left)
    step_first_loss = step_excess - eroded
    step_percentage = step_first_loss * insured_percentage
    indemnity = min(step_percentage, liability_left)
    return (
        0.0,
        step_first_loss - step_percentage,
        covered - step_excess,
        eroded,
        step_percentage - indemnity,
        indemnity,
    )


def apply_wording(
    order, covered, non_qualifying_loss, insured_percentage, each_and_every, first_loss_left, liability_left
):
    wording = {0: percent_first, 1: deductible_first}[int(order)]
    return wording(covered, non_qualifying_loss, insured_percentage, each_and_every, first_loss_left, liability_left)


def receipt_day(paid_day, loss_day, recovery_lag):
    if int(paid_day) < NEVER:
        return int(paid_day)
    return int(loss_day) + int(recovery_lag) if int(loss_day) < NEVER else NEVER


def receipt_amount(amount, paid_day, recovery):
    return amount if int(paid_day) < NEVER else amount * recovery


def insurer_share(money, indemnity, debt):
    return money * indemnity / debt


def share_of_policy_year(horizon_days):
    return min(1.0, int(horizon_days) / 364.0)


def premium_on_turnover(turnover, rate, minimum):
    return max(rate * turnover, minimum)


def premium_due(turnover, rate, minimum, fees, tax):
    return (max(rate * turnover, minimum) + fees) * (1.0 + tax)


def premium_adjustment(turnover, rate, minimum, tax):
    return (max(rate * turnover, minimum) - minimum) * (1.0 + tax)


# --- one scenario ---


def rate(rates, s, currency, day):
    step = min(max(0, -(-int(day) // 7)), rates.shape[2] - 1)
    return float(rates[s, currency, step])


def listed(events, s):
    """Event numbers of a scenario that were kept, by buyer in the order they come."""
    buyers = {}
    for e in range(min(int(events.n_events[s]), events.buyer.shape[1])):
        buyers.setdefault(int(events.buyer[s, e]), []).append(e)
    return buyers


def claimed_events(book, events, s, begin, end, loss_day):
    return [
        e
        for e in range(begin, end)
        if is_claimed(book.issue_day[events.invoice[s, e]], events.paid_day[s, e], loss_day)
    ]


def sort_claims(key, first_event, count):
    order = sorted(range(count), key=lambda i: key[i])
    keys = [key[i] for i in order]
    first = [first_event[i] for i in order]
    key[:count] = keys
    first_event[:count] = first


def insures(plan, book, p, invoice):
    known = is_known_loss(book.due_day[invoice], plan.waiting_days[p])
    return not known and is_eligible(book.disputed[invoice], book.open_item[invoice], plan.covers_open_items[p])


def covered_day(plan, book, events, s, p, entries):
    """First day on which an insured peril happens to a buyer, or NEVER."""
    days = [int(events.default_day[s, entries[0]])]
    for e in entries:
        i = events.invoice[s, e]
        if events.protracted[s, e] and insures(plan, book, p, i):
            days.append(protracted_loss_day(book.due_day[i], plan.waiting_days[p], events.paid_day[s, e]))
    return min(days)


def find_claims(plan, book, events, s, p, key, first_event):
    claims = []
    for buyer, entries in listed(events, s).items():
        day = covered_day(plan, book, events, s, p, entries)
        if day < NEVER or min(int(events.loss_day[s, e]) for e in entries) < NEVER:
            claims.append((claim_key(day, plan.buyer_rank[buyer]), entries[0]))
    for i, (claim, begin) in enumerate(claims):
        key[i] = claim
        first_event[i] = begin
    return len(claims)


def money_after_loss(book, events, rates, recovery_lag, horizon, s, e):
    i = events.invoice[s, e]
    day = receipt_day(events.paid_day[s, e], events.loss_day[s, e], recovery_lag)
    if day == NEVER:
        return NEVER, 0.0
    part = 1.0 if int(events.paid_day[s, e]) < NEVER else float(events.recovery[s, e])
    return day, float(book.amount[i]) * part * rate(rates, s, book.currency[i], min(day, horizon))


def shares_before(book, events, rates, recovery_lag, horizon, s, begin, end, e, loss_day, paid, debt):
    mine = (money_after_loss(book, events, rates, recovery_lag, horizon, s, e)[0], e)
    total = 0.0
    for other in claimed_events(book, events, s, begin, end, loss_day):
        day, money = money_after_loss(book, events, rates, recovery_lag, horizon, s, other)
        if (day, other) < mine:
            total += money * paid / debt
    return total


def share_recoveries(plan, book, events, rates, recovery_lag, clock, rows, s, p, begin, end, loss_day, paid, debt):
    receipts = {
        e: money_after_loss(book, events, rates, recovery_lag, clock.horizon, s, e)
        for e in claimed_events(book, events, s, begin, end, loss_day)
    }
    shares = {e: money * paid / debt for e, (_, money) in receipts.items()}
    total = 0.0
    for share in shares.values():
        total += share
    if total > paid:
        shares = {
            e: min(
                share,
                max(
                    0.0,
                    paid
                    - shares_before(
                        book, events, rates, recovery_lag, clock.horizon, s, begin, end, e, loss_day, paid, debt
                    ),
                ),
            )
            for e, share in shares.items()
        }
    indemnity_day = loss_day + int(plan.settlement_days[p])
    bookings = [(indemnity_day, paid)]
    net = 0.0
    for e, share in shares.items():
        bookings.append((max(receipts[e][0], indemnity_day), -share))
        net += share
    for day, amount in bookings:
        if day <= clock.horizon:
            rows.claim_cash[s, p, clock.period_of_day[day]] += amount
            rows.indemnity_in_horizon[s, p] += amount
    return max(0.0, paid - net)


def book_unclaimed(book, events, rates, clock, rows, s, p, begin, loss_day):
    for e in listed(events, s)[int(events.buyer[s, begin])]:
        i, lost_on = events.invoice[s, e], int(events.loss_day[s, e])
        if is_lost_unclaimed(book.issue_day[i], events.paid_day[s, e], lost_on, loss_day):
            value = float(book.amount[i]) * rate(rates, s, book.currency[i], min(lost_on, clock.horizon))
            rows.gap[s, p, [0, 1]] += value


def settle_claim(
    plan, book, events, rates, recovery_lag, clock, rows, s, p, begin, loss_day, first_loss_left, liability_left
):
    buyer = int(events.buyer[s, begin])
    entries = listed(events, s)[buyer]
    end = begin + len(entries)
    debt = eligible = 0.0
    for e in claimed_events(book, events, s, begin, end, loss_day):
        i = events.invoice[s, e]
        value = float(book.amount[i]) * rate(rates, s, book.currency[i], min(loss_day, clock.horizon))
        debt += value
        if insures(plan, book, p, i):
            eligible += value
    limit = float(plan.limit[p, buyer])
    if limit <= 0.0:
        eligible = 0.0
    covered = min(eligible, limit)
    by_peril = {True: plan.percentage_insolvency, False: plan.percentage_protracted}
    percentage = float(by_peril[int(events.default_day[s, begin]) == loss_day][p])
    own = float(plan.percentage_discretionary[p])
    if plan.discretionary[p, buyer] and not math.isnan(own):
        percentage = own
    steps = apply_wording(
        plan.order[p],
        covered,
        float(plan.non_qualifying_loss[p]),
        percentage,
        float(plan.each_and_every_first_loss[p]),
        first_loss_left,
        liability_left,
    )
    rows.gap[s, p] += [debt, debt - eligible, eligible - covered, *steps]
    absorbed, paid = steps[3], steps[5]
    if paid > 0.0:
        rows.indemnity_gross[s, p] += paid
        net = share_recoveries(
            plan, book, events, rates, recovery_lag, clock, rows, s, p, begin, end, loss_day, paid, debt
        )
        rows.indemnity[s, p] += net
    return absorbed, paid


def pay_premium(plan, events, rows, s, p):
    turnover = float(plan.planned_turnover[p])
    for k in range(min(int(events.stopped_count[s]), events.stopped_buyer.shape[1])):
        if plan.insurable[p, events.stopped_buyer[s, k]]:
            turnover -= float(events.stopped_value[s, k])
    price, minimum = float(plan.premium_rate[p]), float(plan.premium_minimum[p])
    fees, tax = float(plan.premium_fees[p]), float(plan.premium_tax[p])
    rows.premium[s, p] = premium_due(turnover, price, minimum, fees, tax)
    cash = [float(deposit) * (1.0 + tax) for deposit in plan.instalment[p]]
    cash[0] += fees * (1.0 + tax)
    cash[-1] += premium_adjustment(turnover, price, minimum, tax)
    rows.premium_cash[s, p] = cash


def apply_programme(plan, book, events, rates, recovery_lag, clock, key, first_event, rows, s, p):
    for result in rows:
        result[s, p] = 0.0
    if not plan.insured[p]:
        return
    count = find_claims(plan, book, events, s, p, key, first_event)
    claims = sorted((int(key[i]), int(first_event[i])) for i in range(count))
    first_loss_left = float(plan.aggregate_first_loss[p])
    liability_left = float(plan.maximum_liability[p])
    for claim, begin in claims:
        loss_day = claim // 2**32
        if loss_day < NEVER:
            absorbed, paid = settle_claim(
                plan, book, events, rates, recovery_lag, clock, rows, s, p, begin, loss_day, first_loss_left,
                liability_left,
            )  # fmt: skip
            first_loss_left -= absorbed
            liability_left -= paid
        book_unclaimed(book, events, rates, clock, rows, s, p, begin, loss_day)
    pay_premium(plan, events, rows, s, p)


def apply_to_group(plan, book, events, rates, recovery_lag, clock, key, first_event, rows, group):
    n, groups = len(events.n_events), len(key)
    for s in range(n * group // groups, n * (group + 1) // groups):
        for p in range(len(plan.insured)):
            apply_programme(
                plan, book, events, rates, recovery_lag, clock, key[group], first_event[group], rows, s, p
            )  # fmt: skip


def apply_programmes(plan, book, events, rates, recovery_lag, clock, key, first_event, rows):
    for group in range(len(key)):
        apply_to_group(plan, book, events, rates, recovery_lag, clock, key, first_event, rows, group)
