"""The treasurer's arithmetic: interest, the credit line, headroom, shortfall and the reserve fund. Study currency."""

from simulator.jit import scalar


@scalar
def opening_balance(opening_cash, reserve):
    """Cash on day 0 of a programme: the firm's own, and the reserve its owners put beside it for that programme.

    Worked number: 150,000 of cash and a self-insurance reserve of 50,000 → 200,000.
    """
    return opening_cash + reserve


@scalar
def line_interest(drawn, annual_rate, years):
    """Simple interest for one period on what was drawn when the period began.

    Worked number: 520,000 drawn at 6 % for 7/365 of a year → 598.36.
    """
    return drawn * annual_rate * years


@scalar
def cash_interest(cash, annual_rate, years):
    """Simple interest for one period on the balance (cash or fund) it began with; an overdraft earns nothing.

    Worked number: 365,000 at 2 % for 7/365 of a year → 140; -365,000 → 0.
    """
    return cash * annual_rate * years if cash > 0.0 else 0.0


@scalar
def drawn_after(drawn, cash, minimum_cash, line_limit):
    """What is drawn at the end of a period: enough to lift cash to the minimum, at most the limit, at least nothing.

    Cash above the minimum repays the line first. If the limit was cut below what is drawn, cash repays the excess.
    Worked number: 10,000 drawn, cash 20,000 short of a minimum of 32,500 (12,500), limit 25,000 → 25,000.
    """
    needed = drawn + minimum_cash - cash
    needed = needed if needed > 0.0 else 0.0
    return needed if needed < line_limit else line_limit


@scalar
def headroom(cash, drawn, line_limit, minimum_cash):
    """Cash and undrawn line above the minimum cash; drawing or repaying the line does not change it.

    Worked number: cash 30,600, nothing drawn of a line of 10,000, minimum 32,500 → 8,100.
    """
    return cash + (line_limit - drawn) - minimum_cash


@scalar
def shortfall(lowest_headroom):
    """The deepest liquidity shortfall: how far headroom fell below zero.

    Worked number: lowest headroom -114,900 → 114,900; lowest headroom 100 → 0.
    """
    return -lowest_headroom if lowest_headroom < 0.0 else 0.0


@scalar
def utilisation(drawn, line_limit):
    """Share of the committed line that is drawn, by which a margin grid is read; 0 of no line at all.

    Worked number: 60,000 drawn of 100,000 → 0.6.
    """
    return drawn / line_limit if line_limit > 0.0 else 0.0


@scalar
def price_of_line(grid_rate, saving):
    """Annual rate on what is drawn: that of the grid, less what a policy with the bank as loss payee saves.

    Worked number: 7 % in the grid, insured 5 % where the line's rate is 6 % (saves 1 %) → 6 %.
    """
    return grid_rate - saving if grid_rate > saving else 0.0


@scalar
def assigned_claims(claim_cash, loss_payee):
    """Claims money of a period that goes to the bank first: all that is received under a loss payee clause [S60].

    A period in which more is paid over to the insurer than received assigns nothing.
    Worked number: 59,400 received with the bank as loss payee → 59,400; without → 0.
    """
    return claim_cash if loss_payee and claim_cash > 0.0 else 0.0


@scalar
def paid_by_fund(fund, loss):
    """What a reserve fund pays for the losses of a period: all of them while it lasts.

    Worked number: a fund of 50,000 and losses of 62,000 → 50,000; losses of 20,000 → 20,000.
    """
    if loss <= 0.0 or fund <= 0.0:
        return 0.0
    return loss if loss < fund else fund


@scalar
def into_fund(fund, target, money):
    """What of some money goes into a reserve fund: at most what it lacks, nothing of a negative amount.

    Worked number: 30,000 in the fund, target 50,000: of 8,600 all, of 60,000 → 20,000, of -5,000 nothing.
    """
    lacking = target - fund
    if money <= 0.0 or lacking <= 0.0:
        return 0.0
    return money if money < lacking else lacking


@scalar
def cost_of_fund(fund, cost_of_capital, years):
    """Opportunity cost of one period of the fund's balance when it began.

    Worked number: 365,000 at 9 % for 7/365 of a year → 630.
    """
    return fund * cost_of_capital * years


@scalar
def over_concentration(balance, eligible, share):
    """What is cut off one buyer's balance because it may count for at most a share of all eligible receivables.

    Source: debtor caps of 20 % and other shares [S56][S57].
    Worked number: 120,000 of 132,000 at most 50 % → 54,000 (66,000 remain).
    """
    most = share * eligible
    return balance - most if balance > most else 0.0


@scalar
def borrowing_base(uninsured, advance_rate, insured, first_loss, insured_advance_rate):
    """What a bank lends against receivables: a share of what is eligible, a larger one of what is insured [S55].

    ``first_loss`` is taken off insured receivables where they count at their indemnifiable value only.
    Worked number: 78,000 at 80 % and nothing insured → 62,400; 202,000 insured at 90 % → 181,800; indemnifiable
    180,600 less a first loss of 20,000 at 100 % → 160,600.
    """
    covered = insured - first_loss
    lent = advance_rate * uninsured
    return lent + insured_advance_rate * covered if covered > 0.0 else lent


@scalar
def line_available(line_limit, base):
    """Most that can be drawn: the committed line, or the borrowing base if that is less.

    Worked number: a line of 100,000 on a base of 62,400 → 62,400.
    """
    return base if base < line_limit else line_limit
