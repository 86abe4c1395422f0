"""Plain-Python twin of the losses room with constant exposures."""

from tests.twins.defaults import default_day
from tests.twins.factors import common_part, latent
from tests.twins.losses import fine_uniform, recovery_rate, standard_state
from tests.twins.losses_booking import remember_largest
from tests.twins.streams import inverse_normal, normal, words

NEVER = 2147483647


def lose_exposures(
    first_quad, keys, drivers, mixing, factor, default, rules, sieve, book, rows, events, scratch, failures, bench
):  # fmt: skip
    """Everyone in every scenario; no sieve, so no working rows, and one list of failures."""
    failed = []
    for s in range(len(rows.gross_loss)):
        scenario, lane = 4 * first_quad + s, s % 4
        for b in range(len(book.group)):
            entity, owner = int(factor.residual_entity[b]), int(book.buyer_entity[b])
            sixteen = b"".join(w.to_bytes(4, "little") for w in words(keys.default, scenario // 16, entity, 0))
            epsilon = inverse_normal(
                fine_uniform(sixteen[scenario % 16], words(keys.default, scenario // 4, entity, 1)[lane])
            )
            common = common_part(factor.loading_start, factor.loading_driver, factor.loading, drivers, s, b)
            share = float(factor.systematic_share[b])
            value = latent(common, share, epsilon) * float(mixing[s])
            day = default_day(default.threshold, int(default.curve[b]), value)
            if day == NEVER:
                continue
            noise = normal(words(keys.recovery, scenario // 4, owner, 0)[lane])
            recovery = recovery_rate(
                rules.recovery, int(rules.recovery_class[b]), standard_state(common, share), noise,
                float(rules.recovery_systematic),
            )  # fmt: skip
            exposure = float(book.amount[b])
            loss = exposure * (1.0 - recovery)
            rows.n_defaults[s] += 1
            rows.gross_loss[s] += loss
            rows.recovered[s] += exposure * recovery
            remember_largest(s, b, loss, book, rows, scratch)
            failed.append((s, b, loss))
            if events is None:
                continue
            j = int(events.n_events[s])
            events.n_events[s] += 1
            if j < events.buyer.shape[1]:
                events.buyer[s, j], events.invoice[s, j], events.default_day[s, j] = b, b, day
                events.paid_day[s, j], events.loss_day[s, j], events.protracted[s, j] = NEVER, day, False
                events.recovery[s, j], events.loss[s, j] = recovery, loss
                events.drawn_day[s, j], events.receipt_day[s, j] = NEVER, day + rules.recovery_lag
                events.overdue_at_issue[s, j], events.limit_score[s, j] = -NEVER, 9.0
                events.frustrated[s, j], events.share[s, j] = False, 1.0
    failures.listed[0] = len(failed)
    for k, entry in enumerate(failed):
        failures.scenario[0, k], failures.buyer[0, k], failures.loss[0, k] = entry
