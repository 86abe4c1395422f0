"""Plain-Python twins of simulator.defaults, written from the formulas."""

NEVER = 2**31 - 1


def default_day(threshold, row, value):
    for day, limit in enumerate(threshold[row], start=1):
        if value <= limit:
            return day
    return NEVER
