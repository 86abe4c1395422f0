"""A buyer in all scenarios of a tile at once: its own draws, its payment days, and what it pays in good time.

Each step is a plain loop over the scenarios, of formulas without branches on what is drawn, so that it is compiled to
vector instructions; only looking a value up in a table, and entering it into a period, goes one by one.
"""

import numpy as np

from simulator.delays.formulas import delay_score, invoice_score, next_run, payment_day, unpaid_score
from simulator.factors.formulas import latent
from simulator.fx.formulas import rate_on, transfer_release
from simulator.jit import NEVER, row
from simulator.losses.balance_tile_kernels import let_go, no_longer_counts, note_age, prepare_counting
from simulator.losses.formulas import cost_of_lateness, limit_score, standard_state
from simulator.streams import draw_words, normal, normal_tail, place


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
    tiles.collections[t] = 0.0
    tiles.settled[t] = 0.0
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
        shared[p] = delay_score(state[p], residual[p], normal(word[p]), 0.0, systemic, credit, buyer, own)


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
def invoice_scores(n, word, shared, own, score):
    """Delay scores of an invoice."""
    for p in range(n):
        score[p] = invoice_score(word[p], shared[p], own)


@row
def unpaid_scores(n, unpaid, score):
    """Delay scores of an open item."""
    for p in range(n):
        score[p] = unpaid_score(score[p], unpaid)


@row
def look_up(n, table, knot, score):
    """Delays of scores: like :func:`simulator.streams.tabulated`, the look-up in a loop of its own."""
    for p in range(n):
        position = place(score[p])
        knot[p] = np.int32(position)
        score[p] = position - np.float64(np.int32(position))
    for p in range(n):
        i = np.uint32(knot[p])
        score[p] = table[i] + score[p] * (table[i + np.uint32(1)] - table[i])


@row
def days_of(n, location, scale, due_day, issue_day, first_day, delay, day):
    """Payment days of an invoice from its tabulated delays."""
    for p in range(n):
        day[p] = payment_day(due_day, issue_day, location + scale * delay[p], first_day)


@row
def wait_for_runs(n, run_day, rule, run_offset, day):
    """Put payments off to the next run."""
    for p in range(n):
        day[p] = next_run(run_day, rule, run_offset, day[p])


@row
def release(n, blocked_from, duration, day, paid):
    """Payments after transfer blocks."""
    for p in range(n):
        paid[p] = transfer_release(day[p], blocked_from[p], duration)


@row
def note_lateness(n, due_day, paid, late):
    """Most days late so far."""
    for p in range(n):
        late[p] = max(late[p], paid[p] - due_day)


@row
def draw_payment_days(t, n, quad, b, keys, delay, transfer, book, tiles):
    """Payment days of all invoices of a buyer in a tile; returns whether some are held up by a transfer block.

    Where none is, ``tiles.paid`` is not filled: it would equal ``tiles.drawn``.
    """
    begin = book.start[b]
    country = transfer.buyer_country[b]
    held = country >= 0 and tiles.is_blocked[t, country]
    shared, score, late, word = tiles.shared[t], tiles.score[t], tiles.late[t], tiles.word[t]
    for p in range(n):
        late[p] = -NEVER
    for i in range(begin, book.start[b + 1]):
        day = tiles.drawn[t, i - begin]
        due, issue = book.due_day[i], book.issue_day[i]
        draw_words(quad, n >> 2, keys.invoice_delay, delay.draw_entity[i], delay.draw_index[i], tiles.pair[t])
        invoice_scores(n, word, shared, delay.own[b], score)
        if delay.lower_score[i] > -np.inf:
            unpaid_scores(n, normal_tail(delay.lower_score[i]), score)
        look_up(n, delay.quantile[0], tiles.knot[t], score)
        days_of(n, delay.location[b], delay.scale[b], due, issue, 1 if book.open_item[i] else issue, score, day)
        if delay.run_rule[b] > 0:
            wait_for_runs(n, delay.run_day, delay.run_rule[b], delay.run_offset, day)
        if held:
            release(n, tiles.blocked_from[t, country], transfer.duration, day, tiles.paid[t, i - begin])
            day = tiles.paid[t, i - begin]
        note_lateness(n, due, day, late)
    return held


@row
def mark_paid(troubled, in_trouble, paid, final, part):
    """Mark by 1 the troubled scenarios in which an invoice is paid on its day, by 0 where it is withheld or lost."""
    for j in range(troubled):
        part[in_trouble[j]] = 1.0 if final[j] == paid[j] else 0.0


@row
def convert(first, n, currency, amount, fixed, rates, horizon, day, part, worth):
    """What an invoice is worth on the day it is paid, or at the horizon; nothing where it is not ``part``."""
    if fixed == fixed:
        for p in range(n):
            worth[p] = amount * fixed * part[p]
        return
    for p in range(n):
        worth[p] = amount * rate_on(rates, first + p, currency, min(day[p], horizon)) * part[p]


@row
def add_up(n, value, due_day, horizon, cost_of_delay, day, part, worth, sums):
    """Add an invoice to the buyer's sums."""
    collected, outstanding, fx_result, delay_cost, billed = sums[0], sums[1], sums[2], sums[3], sums[4]
    for p in range(n):
        inside = day[p] <= horizon
        shipped = value * part[p]
        collected[p] += worth[p] if inside else 0.0
        outstanding[p] += 0.0 if inside else worth[p]
        fx_result[p] += worth[p] - shipped
        delay_cost[p] += cost_of_lateness(shipped, due_day, min(day[p], horizon), cost_of_delay)
        billed[p] += shipped


@row
def enter(n, value, horizon, period_of_day, day, part, worth, knot, collections, settled):
    """Enter an invoice into the periods in which it is paid; past the horizon into the row after the last period."""
    beyond = collections.shape[0] - 1
    for p in range(n):
        period = period_of_day[min(day[p], horizon)]
        knot[p] = period if day[p] <= horizon else beyond
    for p in range(n):
        period = np.uint32(knot[p])
        collections[period, p] += worth[p]
        settled[period, p] += value * part[p]


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
def collect_quiet(
    t, first, first_row, n, b, held, troubled, rates, rules, clock, book, rows, tiles, counting, balances
):
    """Book what a buyer pays in the scenarios with ``tiles.part`` 1: all, or what is paid of its invoices.

    In the ``troubled`` first scenarios of ``tiles.in_trouble`` that is what ``tiles.final`` tells.
    ``first_row`` is the row of results of the tile's first scenario ``first``. The same sums in the same order as
    :func:`simulator.losses.booking.collect_all`; those by period go to the tile's own, see :func:`hand_over`.
    With a borrowing base the periods in which invoices come and go are entered, in all scenarios: those withheld or
    lost by the days on which that happens.
    """
    begin = book.start[b]
    sums, worth, part, knot = tiles.sums[t], tiles.score[t], tiles.part[t], tiles.knot[t]
    settled = tiles.settled[t]
    sums[:, :n] = 0.0
    if counting is not None:
        prepare_counting(t, n, b, counting, balances)
    for i in range(begin, book.start[b + 1]):
        day = tiles.drawn[t, i - begin]
        if held:
            day = tiles.paid[t, i - begin]
        value, currency = book.book_value[i], book.currency[i]
        mark_paid(troubled, tiles.in_trouble[t], tiles.its_paid[t, i - begin], tiles.final[t, i - begin], part)
        convert(
            first, n, currency, book.amount[i], tiles.fixed_rate[t, currency], rates, clock.horizon, day, part, worth
        )  # fmt: skip
        add_up(n, value, book.due_day[i], clock.horizon, rules.cost_of_delay, day, part, worth, sums)
        enter(n, value, clock.horizon, clock.period_of_day, day, part, worth, knot, tiles.collections[t], settled)
        enter_insurable(n, i, book.insurable_value, clock.month_of_day, day, part, tiles.insurable_gone[t])
        if counting is not None and counting.n_series[b] > 0:
            if counting.ages_across:
                note_age(n, counting.old[i], knot, balances.aged[t])
            no_longer_counts(n, counting.first[i], counting.old[i], knot)
            for k in range(counting.n_series[b]):
                balances.arrived[t, k, counting.first[i]] += counting.series_value[k, i]
                let_go(n, counting.series_value[k, i], knot, balances.balance[t, k])
    for j in range(troubled):
        part[tiles.in_trouble[t, j]] = 1.0
    for p in range(n):
        if part[p] > 0.0:
            rows.collected[first_row + p] += sums[0, p]
            rows.outstanding[first_row + p] += sums[1, p]
            rows.fx_result[first_row + p] += sums[2, p]
            rows.delay_cost[first_row + p] += sums[3, p]
            rows.billed[first_row + p] += sums[4, p]


@row
def hand_over(t, first_row, n, rows, tiles):
    """Add a tile's sums by period and by month end to the rows of results."""
    for period in range(rows.collections.shape[1]):
        for p in range(n):
            rows.collections[first_row + p, period] += tiles.collections[t, period, p]
            rows.settled[first_row + p, period] += tiles.settled[t, period, p]
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


@row
def list_marked(n, every, part, marked):
    """List the scenarios marked by 0, or every one; returns how many.

    No branch hangs on which these are: none could be foreseen.
    """
    count = 0
    for p in range(n):
        marked[count] = p
        count += (part[p] == 0.0) | every
    return count
