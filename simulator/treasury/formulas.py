"""The treasurer's arithmetic: interest, the credit line, headroom and shortfall. Money in study currency."""

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
    """Simple interest for one period on the cash there was when the period began; an overdraft earns nothing.

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
