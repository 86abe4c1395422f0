"""A buyer in all scenarios of a tile at once: its own draws, its payment days, and what it pays in good time.

Each step is a plain loop over the scenarios, of formulas without branches on what is drawn, so that it is compiled to
vector instructions; only fetching a value from a table, and entering an invoice where it is paid, goes one by one, in
loops that do nothing else.
"""

import numpy as np

from simulator.constants import TABLE_EDGE, TABLE_PER_UNIT
from simulator.delays.formulas import delay_at, delay_score, invoice_score, payment_day, run_place, unpaid_score
from simulator.delays.near_formulas import near_place
from simulator.factors.formulas import latent
from simulator.fx.formulas import rate_on, transfer_release
from simulator.jit import NEVER, row
from simulator.losses.balance_tile_kernels import let_go, no_longer_counts, note_age, prepare_counting
from simulator.losses.formulas import cost_of_lateness, limit_score, standard_state
from simulator.streams import draw_words, normal, normal_tail

_MIDDLE = np.int32(TABLE_EDGE * TABLE_PER_UNIT)


@row
def prepare_tile(t, first, n, drivers, rates, blocked_from, tiles):
    """Common state and transfer events of a tile, scenarios last; and which currencies do not move in it."""
    for j in range(drivers.shape[1]):
        for p in range(n):
            tiles.driver[t, j, p] = drivers[first + p, j]
    for c in range(blocked_from.shape[1]):
        blocked = False
        for p in range(n):
            day = blocked_from[first + p, c]
            tiles.blocked_from[t, c, p] = day
            blocked |= day != NEVER
        tiles.is_blocked[t, c] = blocked
    for c in range(rates.shape[1]):
        rate = rates[first, c, 0]
        fixed = True
        for p in range(n):
            for step in range(rates.shape[2]):
                fixed &= rates[first + p, c, step] == rate
        tiles.fixed_rate[t, c] = rate if fixed else np.nan
    tiles.amounts[t] = 0.0
    tiles.insurable_gone[t] = 0.0


@row
def add_common(n, loading, driver, common):
    """Add a driver to the common parts."""
    for p in range(n):
        common[p] += loading * driver[p]


@row
def to_normals(n, word, residual):
    """A buyer's own normals."""
    for p in range(n):
        residual[p] = normal(word[p])


@row
def latent_states(n, share, common, residual, mixing, state, value):
    """Standard states and latent variables of a buyer."""
    for p in range(n):
        state[p] = standard_state(common[p], share)
        value[p] = latent(common[p], share, residual[p]) * mixing[p]


@row
def limit_scores(n, word, state, residual, systemic, credit, own, score):
    """Scores of the change of a buyer's limit."""
    for p in range(n):
        score[p] = limit_score(state[p], residual[p], normal(word[p]), systemic, credit, own)


@row
def delay_scores(n, word, state, residual, systemic, credit, buyer, own, shared):
    """What all invoices of a buyer share of their delay scores."""
    for p in range(n):
        score = delay_score(state[p], residual[p], normal(word[p]), 0.0, systemic, credit, buyer, own)
        shared[p] = np.float32(score)


@row
def draw_buyer(t, first, n, quad, b, keys, mixing, factor, delay, book, limits, scratch, tiles):
    """What a buyer draws in all scenarios of a tile: state, latent variable, limit score, shared delay score."""
    common, residual = tiles.common[t], tiles.residual[t]
    word, pair = tiles.word[t], tiles.pair[t]
    state, score = scratch.state[first : first + n], scratch.score[first : first + n]
    value = scratch.latent[first : first + n]
    for p in range(n):
        common[p] = 0.0
    for i in range(factor.loading_start[b], factor.loading_start[b + 1]):
        add_common(n, factor.loading[i], tiles.driver[t, factor.loading_driver[i]], common)
    draw_words(quad, n >> 2, keys.default, factor.residual_entity[b], 0, pair)
    to_normals(n, word, residual)
    latent_states(n, factor.systematic_share[b], common, residual, mixing[first : first + n], state, value)
    if limits.threshold > -np.inf:
        draw_words(quad, n >> 2, keys.limit, book.buyer_entity[b], 0, pair)
        limit_scores(n, word, state, residual, limits.systemic[b], limits.credit, limits.own[b], score)
    draw_words(quad, n >> 2, keys.buyer_delay, book.buyer_entity[b], 0, pair)
    delay_scores(
        n, word, state, residual, delay.systemic[b], delay.credit, delay.buyer, delay.own[b], tiles.shared[t]
    )  # fmt: skip


@row
def free_places(n, word, shared, own, knot, part):
    """Places of an invoice's delays in their table: the knot before, and the part of the step to the next one."""
    for p in range(n):
        place = near_place(invoice_score(word[p], shared[p], own))
        before = np.floor(place)
        knot[p] = np.int32(before) + _MIDDLE
        part[p] = place - before


@row
def unpaid_places(n, word, shared, own, unpaid, paid, knot, part):
    """Like :func:`free_places`, for an open item."""
    for p in range(n):
        place = near_place(unpaid_score(invoice_score(word[p], shared[p], own), unpaid, paid))
        before = np.floor(place)
        knot[p] = np.int32(before) + _MIDDLE
        part[p] = place - before


@row
def fetch_lines(n, lines, knot, line):
    """Lines of the table of delays."""
    for p in range(n):
        line[p] = lines[np.uint32(knot[p])]


@row
def days_of(n, ends, part, location, scale, due_day, issue_day, first_day, run_offset, last_run, day, knot):
    """Payment days of an invoice, and their places in the table of pay runs."""
    for p in range(n):
        delay = delay_at(ends[2 * p], ends[2 * p + 1], part[p], location, scale)
        day[p] = payment_day(due_day, issue_day, delay, first_day)
        knot[p] = run_place(run_offset, last_run, day[p])


@row
def wait_for_runs(n, run_day, knot, day):
    """Put payments off to the next run: :func:`simulator.delays.formulas.next_run`, fetching in a loop of its own."""
    for p in range(n):
        knot[p] = run_day[np.uint32(knot[p])]
    for p in range(n):
        day[p] = max(day[p], knot[p])


@row
def release(n, blocked_from, duration, day, paid):
    """Payments after transfer blocks."""
    for p in range(n):
        paid[p] = transfer_release(day[p], blocked_from[p], duration)


@row
def note_lateness(n, due_day, paid, late):
    """Most days late so far."""
    for p in range(n):
        late[p] = max(late[p], np.int32(paid[p] - due_day))


@row
def draw_payment_days(t, n, quad, b, keys, delay, transfer, book, tiles):
    """Payment days of all invoices of a buyer in a tile; returns whether some are held up by a transfer block.

    Where none is, ``tiles.paid`` is not filled: it would equal ``tiles.drawn``.
    """
    begin = book.start[b]
    country = transfer.buyer_country[b]
    held = country >= 0 and tiles.is_blocked[t, country]
    shared, late, word, knot, part = tiles.shared[t], tiles.late[t], tiles.word[t], tiles.knot[t], tiles.place[t]
    own, location, scale = np.float32(delay.own[b]), np.float32(delay.location[b]), np.float32(delay.scale[b])
    run_offset, last_run = np.int32(delay.run_offset), np.int32(delay.run_day.shape[1] - 1)
    for p in range(n):
        late[p] = -NEVER
    for i in range(begin, book.start[b + 1]):
        day = tiles.drawn[t, i - begin]
        due, issue = book.due_day[i], book.issue_day[i]
        draw_words(quad, n >> 2, keys.invoice_delay, delay.draw_entity[i], delay.draw_index[i], tiles.pair[t])
        lower = delay.lower_score[i]
        if lower > -np.inf:
            unpaid, paid = np.float32(normal_tail(lower)), np.float32(normal_tail(-lower))
            unpaid_places(n, word, shared, own, unpaid, paid, knot, part)
        else:
            free_places(n, word, shared, own, knot, part)
        fetch_lines(n, delay.lines, knot, tiles.line[t])
        first_day = np.int32(1) if book.open_item[i] else issue
        days_of(n, tiles.ends[t], part, location, scale, due, issue, first_day, run_offset, last_run, day, knot)
        if delay.run_rule[b] > 0:
            wait_for_runs(n, delay.run_day[delay.run_rule[b]], knot, day)
        if held:
            release(n, tiles.blocked_from[t, country], transfer.duration, day, tiles.paid[t, i - begin])
            day = tiles.paid[t, i - begin]
        note_lateness(n, due, day, late)
    return held


@row
def set_apart(n, horizon, part, apart):
    """The day after next to the horizon for scenarios in which a buyer is settled one by one: it goes nowhere."""
    for p in range(n):
        apart[p] = np.int32(0) if part[p] > 0.0 else np.int32(horizon + 2)


@row
def note_cost(n, value, due_day, horizon, cost_of_delay, day, apart, knot, delay_cost):
    """What it costs that an invoice is late; and the days on which it is entered, one day for all past the horizon."""
    for p in range(n):
        until = min(day[p], np.int32(horizon + 1))
        knot[p] = max(until, apart[p])
        delay_cost[p] += cost_of_lateness(value, due_day, min(until, np.int32(horizon)), cost_of_delay)


@row
def enter(n, amount, cell_of_day, knot, amounts):
    """Enter an invoice where it is paid."""
    for p in range(n):
        amounts[np.uint32(cell_of_day[np.uint32(knot[p])]) + np.uint32(p)] += amount


@row
def enter_insurable(n, i, insurable_value, month_of_day, day, part, gone):
    """Enter what premiums are charged on of an invoice, at the first month end on or after it is paid."""
    last = month_of_day.shape[0] - 1
    for k in range(insurable_value.shape[0]):
        value = insurable_value[k, i]
        if value != 0.0:
            for p in range(n):
                gone[k, np.uint32(month_of_day[min(day[p], last)]), p] += value * part[p]


@row
def periods_of(n, period_of_day, day, period):
    """Periods in which an invoice is paid, one more past the horizon."""
    last = np.int32(period_of_day.shape[0] - 1)
    for p in range(n):
        period[p] = period_of_day[np.uint32(min(day[p], last))]


@row
def collect_quiet(t, first_row, n, b, held, rules, clock, book, rows, tiles, counting, balances):
    """Book all invoices of a buyer in the scenarios where it pays them in good time, those with ``tiles.part`` 1.

    ``first_row`` is the row of results of the tile's first scenario. What is paid when is entered into the tile's own
    sums: what it is worth is the same for all of one currency and day, and worked out in the end, see
    :func:`hand_over`. With a borrowing base the periods in which invoices come and go are entered, in all scenarios:
    also where ``part`` is 0, in the end by the days on which they are paid or lost.
    """
    begin = book.start[b]
    delay_cost, part, knot, apart = tiles.delay_cost[t], tiles.part[t], tiles.knot[t], tiles.apart[t]
    set_apart(n, clock.horizon, part, apart)
    for p in range(n):
        delay_cost[p] = 0.0
    if counting is not None:
        prepare_counting(t, n, b, counting, balances)
    for i in range(begin, book.start[b + 1]):
        day = tiles.drawn[t, i - begin]
        if held:
            day = tiles.paid[t, i - begin]
        note_cost(
            n, book.book_value[i], book.due_day[i], clock.horizon, rules.cost_of_delay, day, apart, knot, delay_cost
        )
        enter(n, book.amount[i], tiles.cell_of_day, knot, tiles.amounts[t, book.currency[i]])
        enter_insurable(n, i, book.insurable_value, clock.month_of_day, day, part, tiles.insurable_gone[t])
        if counting is not None and counting.n_series[b] > 0:
            periods_of(n, counting.period_of_day, day, knot)
            if counting.ages_across:
                note_age(n, counting.old[i], knot, balances.aged[t])
            no_longer_counts(n, counting.first[i], counting.old[i], knot)
            for k in range(counting.n_series[b]):
                balances.arrived[t, k, counting.first[i]] += counting.series_value[k, i]
                let_go(n, counting.series_value[k, i], knot, balances.balance[t, k])
    for p in range(n):
        rows.delay_cost[first_row + p] += delay_cost[p] if part[p] > 0.0 else 0.0


@row
def add_worth(first, n, currency, day, fixed, rates, amount, worth, value):
    """Add what is paid in a currency within a cell: at the rate of its day, and at that of day 0."""
    spot = rates[first, currency, 0]
    if fixed == fixed:
        for p in range(n):
            worth[p] += amount[p] * fixed
    else:
        for p in range(n):
            worth[p] += amount[p] * rate_on(rates, first + p, currency, day)
    for p in range(n):
        value[p] += amount[p] * spot


@row
def hand_over(t, first, first_row, n, rates, clock, rows, tiles):
    """Add a tile's sums to the rows of results; ``first_row`` is the row of the tile's first scenario ``first``."""
    width = tiles.word.shape[1]
    worth, value = tiles.common[t], tiles.residual[t]
    n_cells = tiles.day_of_cell.shape[0] - 1
    for cell in range(n_cells + 1):
        day = tiles.day_of_cell[cell]
        for p in range(n):
            worth[p] = 0.0
            value[p] = 0.0
        for c in range(rates.shape[1]):
            amount = tiles.amounts[t, c, cell * width : (cell + 1) * width]
            add_worth(first, n, c, day, tiles.fixed_rate[t, c], rates, amount, worth, value)
        for p in range(n):
            rows.billed[first_row + p] += value[p]
            rows.fx_result[first_row + p] += worth[p] - value[p]
        if cell == n_cells:
            for p in range(n):
                rows.outstanding[first_row + p] += worth[p]
            continue
        period = clock.period_of_day[day]
        for p in range(n):
            rows.collected[first_row + p] += worth[p]
            rows.collections[first_row + p, period] += worth[p]
            rows.settled[first_row + p, period] += value[p]
    for k in range(rows.insurable_gone.shape[1]):
        for month in range(rows.insurable_gone.shape[2]):
            for p in range(n):
                rows.insurable_gone[first_row + p, k, month] += tiles.insurable_gone[t, k, month, p]


@row
def mark_quiet(n, last, latest, weakest, value, late, score, part):
    """Mark by 1 the scenarios in which nothing can be wrong with a buyer, by 0 the others.

    Nothing is if it survives the ``last`` day (its latent variable is above), no invoice is later than ``latest`` days
    and its limit score is above the ``weakest``.
    """
    for p in range(n):
        wrong = (value[p] <= last) | (late[p] > latest) | (score[p] <= weakest)
        part[p] = 0.0 if wrong else 1.0
