"""Plain-Python twins of simulator.treasury, written from the treasurer's rules: one period after the other."""


def opening_balance(opening_cash, reserve):
    return opening_cash + reserve


def line_interest(drawn, annual_rate, years):
    return drawn * annual_rate * years


def cash_interest(cash, annual_rate, years):
    return max(cash, 0.0) * annual_rate * years


def drawn_after(drawn, cash, minimum_cash, line_limit):
    return min(max(drawn + minimum_cash - cash, 0.0), line_limit)


def headroom(cash, drawn, line_limit, minimum_cash):
    return cash + (line_limit - drawn) - minimum_cash


def shortfall(lowest_headroom):
    return max(-lowest_headroom, 0.0)


def run_programme(
    plan,
    collections,
    recoveries,
    hedge,
    claim_cash,
    premium_cash,
    purchases_saved,
    reserve,
    cash_row,
    line_row,
    headroom_row,
):
    cash, line, interest = float(plan.opening_cash + reserve), 0.0, 0.0
    closing, headrooms = [], []
    for t, years in enumerate(plan.period_years):
        due = line * plan.line_rate * years
        earned = cash * plan.cash_rate * years if cash > 0 else 0.0
        interest += due - earned
        money_in = collections[t] + recoveries[t] + hedge[t] + claim_cash[t] + earned
        money_out = premium_cash[t] + plan.outflow[t] + (plan.purchases[t] - purchases_saved[t]) + due
        cash = cash + money_in - money_out
        headrooms.append(cash + (plan.line_limit - line) - plan.minimum_cash)
        wanted = line + plan.minimum_cash - cash
        then = min(max(wanted, 0.0), plan.line_limit)
        cash, line = cash + (then - line), then
        closing.append(cash)
        line_row[t] = line
    cash_row[:] = closing
    headroom_row[:] = headrooms
    first = next((t for t, room in enumerate(headrooms) if room < 0), -1)
    return min(closing), min(headrooms), first, closing[-1], interest


def run_scenario(plan, collections, recoveries, hedge, claim_cash, premium_cash, purchases_saved, rows, s):
    for p, reserve in enumerate(plan.reserve):
        lowest, room, first, ending, interest = run_programme(
            plan,
            collections[s],
            recoveries[s],
            hedge[s],
            claim_cash[s, p],
            premium_cash[s, p],
            purchases_saved[s],
            reserve,
            rows.cash[s, p],
            rows.line[s, p],
            rows.headroom[s, p],
        )
        rows.minimum_cash[s, p] = lowest
        rows.minimum_headroom[s, p] = room
        rows.shortfall_amount[s, p] = max(-room, 0.0)
        rows.first_shortfall_period[s, p] = first
        rows.ending_cash[s, p] = ending
        rows.financing_cost[s, p] = interest


def run_cash(plan, collections, recoveries, hedge, claim_cash, premium_cash, purchases_saved, rows):
    for s in range(len(collections)):
        run_scenario(plan, collections, recoveries, hedge, claim_cash, premium_cash, purchases_saved, rows, s)
