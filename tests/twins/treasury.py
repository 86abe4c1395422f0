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


def utilisation(drawn, line_limit):
    return 0.0 if line_limit <= 0 else drawn / line_limit


def price_of_line(grid_rate, saving):
    return max(0.0, grid_rate - saving)


def assigned_claims(claim_cash, loss_payee):
    return max(claim_cash, 0.0) if loss_payee else 0.0


def paid_by_fund(fund, loss):
    return max(0.0, min(fund, loss))


def into_fund(fund, target, money):
    return max(0.0, min(money, target - fund))


def cost_of_fund(fund, cost_of_capital, years):
    return fund * cost_of_capital * years


def over_concentration(balance, eligible, share):
    return max(0.0, balance - share * eligible)


def borrowing_base(uninsured, advance_rate, insured, first_loss, insured_advance_rate):
    return advance_rate * uninsured + insured_advance_rate * max(0.0, insured - first_loss)


def line_available(line_limit, base):
    return min(line_limit, base)


def annual_rate(plan, p, drawn):
    """The last step of the margin grid that the utilisation has reached, less the loss payee's saving."""
    used = utilisation(drawn, plan.line_limit)
    reached = [rate for start, rate in zip(plan.step_from, plan.step_rate, strict=True) if start <= used]
    return price_of_line([plan.line_rate, *reached][-1], plan.saving[p])


def lent_against(base, balances, s, p):
    """What is lent at each period end on the receivables that count."""
    v, lent = base.of_programme[p], []
    for t in range(balances.uninsured.shape[2]):
        open_account, insured = balances.uninsured[s, v, t], balances.insured[s, v, t]
        whole = open_account + insured
        for debtor in balances.largest[s, v, t]:
            open_account -= over_concentration(debtor, whole, base.concentration)
        terms = base.advance_rate, insured, base.first_loss[v], base.insured_advance_rate
        lent.append(borrowing_base(open_account, *terms))
    return lent


def path_of(plan, p, flows, lines):
    """One programme's weeks, told as a treasurer would: a list of dicts. ``lines`` is what can be drawn in each."""
    own_pot = bool(plan.funded[p])
    target = plan.reserve[p]
    cash = float(plan.opening_cash + (0.0 if own_pot else target))
    pot, line = (target if own_pot else 0.0), 0.0
    weeks = []
    for t, years in enumerate(plan.period_years):
        week = {"interest": [line * annual_rate(plan, p, line) * years], "cost_of_fund": 0.0, "least": 0.0}
        earned = cash * plan.cash_rate * years if cash > 0 else 0.0
        week["interest"][0] -= earned
        claim = flows["claim_cash"][t]
        money_in = flows["collections"][t] + flows["recoveries"][t] + flows["hedge"][t] + claim + earned
        purchases = plan.purchases[t] - flows["purchases_saved"][t]
        due = line * annual_rate(plan, p, line) * years
        money_out = flows["premium_cash"][t] + plan.outflow[t] + purchases + due + flows["trade_cost"][t]
        cash = cash + money_in - money_out
        for_bank = assigned_claims(claim, plan.loss_payee[p])
        if own_pot:
            opening = pot
            week["cost_of_fund"] = pot * plan.cost_of_capital[p] * years
            grown = max(pot, 0.0) * plan.fund_interest[p] * years
            week["interest"].append(-grown)
            pot -= paid_by_fund(pot, flows["losses"][t])
            week["least"] = pot
            from_claims = into_fund(pot, target, claim - min(line, for_bank))
            pot += from_claims
            for_bank = max(0.0, for_bank - from_claims)
            pot += into_fund(pot, target, grown)
            spare = cash + grown + (opening - pot) - for_bank - plan.minimum_cash - line
            pot += into_fund(pot, target, min(plan.top_up[p, t], spare))
            cash += grown + (opening - pot)
        week["room"] = cash + (lines[t] - line) - plan.minimum_cash
        wanted = line + plan.minimum_cash - (cash - for_bank)
        then = min(max(wanted, 0.0), lines[t])
        then -= min(then, for_bank)
        cash, line = cash + (then - line), then
        weeks.append(week | {"cash": cash, "line": line, "fund": pot})
    return weeks


def run_cash(plan, base, ledger, balances, hedge, claim_cash, premium_cash, rows):
    n = len(claim_cash)
    for s in range(n):
        for p in range(len(plan.reserve)):
            r = plan.regime[p] * n + s
            flows = {
                name: getattr(ledger, name)[r]
                for name in ("collections", "recoveries", "purchases_saved", "losses", "trade_cost")
            } | {"hedge": hedge[s], "claim_cash": claim_cash[s, p], "premium_cash": premium_cash[s, p]}
            lines = [plan.line_limit] * len(plan.outflow)
            if len(base.of_programme):
                lent = rows.borrowing_base[s, p] = lent_against(base, balances, s, p)
                lines = [line_available(plan.line_limit, most) for most in lent]
            weeks = path_of(plan, p, flows, lines)
            cash, room = [w["cash"] for w in weeks], [w["room"] for w in weeks]
            rows.cash[s, p] = cash
            rows.line[s, p] = [w["line"] for w in weeks]
            rows.headroom[s, p] = room
            rows.minimum_cash[s, p] = min(cash)
            rows.minimum_headroom[s, p] = min(room)
            rows.shortfall_amount[s, p] = max(-min(room), 0.0)
            rows.first_shortfall_period[s, p] = next((t for t, h in enumerate(room) if h < 0), -1)
            rows.ending_cash[s, p] = cash[-1]
            rows.financing_cost[s, p] = sum((paid for w in weeks for paid in w["interest"]), 0.0)
            if plan.funded[p]:
                pots = [w["fund"] for w in weeks]
                rows.fund[s, p] = pots
                rows.reserve_cost[s, p] = sum((w["cost_of_fund"] for w in weeks), 0.0)
                rows.minimum_fund[s, p] = min(w["least"] for w in weeks)
                rows.periods_below_reserve[s, p] = sum(pot < plan.reserve[p] for pot in pots)
            else:
                rows.reserve_cost[s, p] = plan.standing_reserve_cost[p]
                rows.minimum_fund[s, p] = 0.0
                rows.periods_below_reserve[s, p] = 0
                if rows.fund.size:
                    rows.fund[s, p] = 0.0
