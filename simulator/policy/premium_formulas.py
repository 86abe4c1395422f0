"""What cover costs. Money in policy currency; sources in square brackets are those of docs/MODEL.md."""

from simulator.jit import scalar


@scalar
def share_of_policy_year(days):
    """The part of a policy year (52 weeks) that some days are, at most 1: the minimum premium is due pro rata.

    A minimum is agreed "per specified period" (Coface glossary [S131]); here that is the policy year.

    Worked number: 91 days → 0.25; 364 days or 365 → 1.
    """
    return days / 364.0 if days < 364 else 1.0


@scalar
def premium_on_turnover(turnover, rate, minimum):
    """Premium before fees and tax: rate on insurable turnover, at least the minimum premium [S34][S35].

    Turnover and minimum are those of one period of time: of the horizon, or of the policy year. A premium on balances
    (Allianz Trade CH: monthly, on what is outstanding [S35]) is the same with the sum of month-end balances.

    Worked number: 0.5 % of 220,000 = 1,100, minimum 3,200 → 3,200.
    """
    premium = rate * turnover
    return premium if premium > minimum else minimum


@scalar
def after_bonus(premium, change):
    """Premium after the no-claims bonus or malus of its claims ratio [S41][S21].

    Worked number: 10,000 with a bonus of -10 % → 9,000.
    """
    return premium * (1.0 + change)


@scalar
def premium_due(premium, fees, untaxed_fees, tax):
    """What the policy costs in all: premium and fees, with insurance premium tax on the taxed ones [S35][S36].

    Worked number: premium 3,200, fees 120, tax 10 % → 3,652; with the fees untaxed 3,640.
    """
    return (premium + fees) * (1.0 + tax) + untaxed_fees


@scalar
def premium_adjustment(premium, deposits, tax):
    """Paid at the end of the period when the premium differs from the deposits, with tax; negative is paid back [S34].

    Worked number: premium 5,000 against 3,200 paid in advance, tax 10 % → 1,980.
    """
    return (premium - deposits) * (1.0 + tax)
