"""From study and ledger to drivers, loadings, correlation; mistakes; independence of draws from everything else."""

import subprocess
import sys

import numpy as np
import pytest

from simulator.errors import InputError
from simulator.factors.drivers import check_drivers, lower_factor
from simulator.factors.plan import build_factors, draw_states
from simulator.jit import set_threads, thread_info
from simulator.streams import entity_key
from tests.small_books import LIMIT, MANY, gaussian, latents, mean_within, portfolio, study

NAN = np.nan


def loadings_of(plan, names, buyer):
    some = slice(plan.loading_start[buyer], plan.loading_start[buyer + 1])
    pairs = zip(plan.loading_driver[some], plan.loading[some], strict=True)
    return {names[j]: a for j, a in pairs}


def problems_of(excinfo):
    return [(p.path, p.value, p.message, p.suggestion) for p in excinfo.value.problems]


def test_shares_become_loadings():
    book = portfolio(
        ["A", "B", "C", "D"],
        country=["FR", "", "DE", "DE"],
        sector=["steel", "steel", "", "retail"],
        group_id=["", "G", "G", ""],
    )
    dependence = gaussian(0.08, 0.05, 0.04)
    plan, names = build_factors(study({"dependence": dependence}), book, {})
    assert names == ["global", "country:DE", "country:FR", "sector:retail", "sector:steel"]
    root = {name: pytest.approx(np.sqrt(share)) for name, share in (("g", 0.08), ("c", 0.05), ("s", 0.04))}
    assert loadings_of(plan, names, 0) == {"global": root["g"], "country:FR": root["c"], "sector:steel": root["s"]}
    assert loadings_of(plan, names, 1) == {"global": root["g"], "sector:steel": root["s"]}
    assert loadings_of(plan, names, 2) == {"global": root["g"], "country:DE": root["c"]}
    assert plan.systematic_share == pytest.approx([0.17, 0.12, 0.13, 0.17])
    assert plan.residual_entity.tolist() == [
        entity_key("buyer:A"), entity_key("group:G"), entity_key("group:G"), entity_key("buyer:D"),
    ]  # fmt: skip
    assert np.array_equal(plan.cholesky, np.eye(5))
    assert plan.driver_entity[1] == entity_key("driver:country:DE")


def test_a_book_without_countries_and_sectors_still_has_the_global_driver():
    plan, names = build_factors(study({"dependence": gaussian(0.0)}), portfolio(["A"]), {})
    assert names == ["global"]
    assert plan.systematic_share.tolist() == [0.0]
    assert len(plan.loading) == 0
    states = draw_states(plan, 1, 0, 8)
    assert states.drivers.shape == (8, 1)
    assert np.all(states.mixing == 1.0)
    assert np.all(states.weight == 1.0)


def test_explicit_loadings_replace_shares_for_that_buyer_alone():
    book = portfolio(
        ["A", "B", "C"],
        country=["DE", "DE", "DE"],
        loadings={"oil": [0.6, NAN, 0.0], "country:DE": [-0.3, NAN, NAN], "global": [NAN, NAN, NAN]},
    )
    plan, names = build_factors(study({"dependence": gaussian(0.08, 0.05, 0.05)}), book, {})
    assert names == ["global", "country:DE", "oil"]
    assert loadings_of(plan, names, 0) == {"country:DE": -0.3, "oil": 0.6}
    assert set(loadings_of(plan, names, 1)) == {"global", "country:DE"}
    assert loadings_of(plan, names, 2) == {}
    assert plan.systematic_share == pytest.approx([0.45, 0.13, 0.0])


def test_correlation_enters_variance_and_draws():
    book = portfolio(["A"], loadings={"global": [0.5], "oil": [-0.4]})
    correlation = {"global": {"oil": 0.6}}
    plan, names = build_factors(study({"dependence": gaussian(correlation=correlation)}), book, {})
    assert names == ["global", "oil"]
    assert plan.systematic_share[0] == pytest.approx(0.25 + 0.16 - 2 * 0.5 * 0.4 * 0.6)
    value, states = latents(plan, 5, 0, MANY)
    x, y = states.drivers.T
    mean_within(x * y, 0.6)
    mean_within(y * y, 1.0)
    mean_within(value[:, 0] ** 2, 1.0)


def test_a_pair_may_be_named_twice_if_the_values_agree():
    book = portfolio(["A", "B"], country=["DE", "FR"])
    matrix = {"country:DE": {"country:DE": 1.0, "country:FR": 0.5}, "country:FR": {"country:DE": 0.5}}
    plan, _ = build_factors(study({"dependence": gaussian(correlation=matrix)}), book, {})
    assert (plan.cholesky @ plan.cholesky.T)[1, 2] == pytest.approx(0.5)


def test_perfectly_correlated_drivers_are_allowed():
    book = portfolio(["A", "B"], country=["DE", "FR"])
    matrix = {"country:DE": {"country:FR": 1.0}}
    plan, _ = build_factors(study({"dependence": gaussian(correlation=matrix)}), book, {})
    states = draw_states(plan, 3, 0, 64)
    assert np.array_equal(states.drivers[:, 1], states.drivers[:, 2])


def test_lower_factor_of_semi_definite_matrices():
    rng = np.random.default_rng(6)
    for rank in (1, 2, 5):
        a = rng.normal(size=(5, rank))
        covariance = a @ a.T
        scale = np.sqrt(np.diag(covariance))
        correlation = covariance / np.outer(scale, scale)
        factor = lower_factor(correlation)
        assert np.allclose(factor @ factor.T, correlation, atol=1e-6)
        assert np.array_equal(factor, np.tril(factor))
    assert np.array_equal(lower_factor(np.eye(4)), np.eye(4))


def test_every_mistake_in_the_correlation_is_reported_at_once():
    book = portfolio(["A", "B"], country=["DE", "FR"])
    matrix = {
        "county:DE": {"country:FR": 0.5},
        "country:DE": {"country:FRA": 0.2, "country:FR": 1.5, "country:DE": 0.9, "global": 0.1},
        "global": {"country:DE": 0.3},
    }
    with pytest.raises(InputError) as excinfo:
        build_factors(study({"dependence": gaussian(correlation=matrix)}), book, {"sector:steel": 1.0})
    found = problems_of(excinfo)
    head = "credit.dependence.correlation."
    assert [path for path, *_ in found] == [
        head + "county:DE", head + "country:DE.country:FRA", head + "country:DE.country:FR",
        head + "country:DE.country:DE", head + "global.country:DE", "state_shift.sector:steel",
    ]  # fmt: skip
    assert found[0][3] == "country:DE"
    assert found[1][3] == "country:FR"
    assert "between -1 and 1" in found[2][2]
    assert "given twice, the other time as 0.1" in found[4][2]
    assert "known: global, country:DE, country:FR" in found[5][2]


def test_an_impossible_correlation_is_refused():
    book = portfolio(["A", "B", "C"], country=["DE", "FR", "IT"])
    matrix = {"country:DE": {"country:FR": 0.9, "country:IT": 0.9}, "country:FR": {"country:IT": -0.9}}
    with pytest.raises(InputError, match="not positive semi-definite"):
        build_factors(study({"dependence": gaussian(correlation=matrix)}), book, {})


def test_more_than_all_of_a_buyer_cannot_be_common():
    book = portfolio(["A", "B", "C"], loadings={"x": [0.9, 0.8, NAN], "y": [0.5, 0.6, NAN]})
    with pytest.raises(InputError) as excinfo:
        build_factors(study({"dependence": gaussian()}), book, {})
    assert len(excinfo.value.problems) == 1
    assert excinfo.value.problems[0].message.endswith("it is 1.06 at most, and above 1 for buyer 'A'")
    plan, _ = build_factors(
        study({"dependence": gaussian(0.5, 0.3, 0.2)}), portfolio(["A"], country=["DE"], sector=["x"]), {}
    )
    assert plan.systematic_share[0] <= 1.0
    with pytest.raises(InputError, match="above 1 for buyer 'A', 'B', 'C' and 2 more"):
        build_factors(study({"dependence": gaussian(0.7, 0.5)}), portfolio([*"ABCDE"], country=["DE"] * 5), {})


def test_checking_reports_study_and_stresses_together():
    stresses = {"bad": {"state_shift": {"globe": -1.5}}, "worse": {"state_shift": {"global": -3.0, "sector:x": 1.0}}}
    asked = study({"dependence": gaussian(0.9, 0.2)}, stresses=stresses)
    with pytest.raises(InputError) as excinfo:
        check_drivers(asked, portfolio(["A"], country=["DE"]))
    assert [path for path, *_ in problems_of(excinfo)] == [
        "credit.dependence.shares", "stresses.bad.state_shift.globe", "stresses.worse.state_shift.sector:x",
    ]  # fmt: skip
    check_drivers(study(stresses={"bad": {"state_shift": {"global": -1.5}}}), portfolio(["A"]))


def test_checking_drivers_compiles_nothing():
    code = "import sys, simulator.factors.drivers; sys.exit('numba' in sys.modules or 'scipy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_infinite_loadings_are_refused():
    with pytest.raises(InputError, match="infinite for buyer 'B'"):
        build_factors(study(), portfolio(["A", "B"], loadings={"x": [0.1, np.inf], "y": [0.2, 0.3]}), {})


def test_stress_shifts_drivers_without_changing_draws():
    book = portfolio(["A"], country=["DE"])
    base, _ = build_factors(study(), book, {})
    stressed, _ = build_factors(study(), book, {"global": -1.5, "country:DE": 0.5})
    plain, shifted = (draw_states(plan, 1, 0, 400) for plan in (base, stressed))
    assert np.allclose(shifted.drivers - plain.drivers, [-1.5, 0.5], atol=1e-12)
    assert np.array_equal(shifted.weight, plain.weight)


def test_the_first_scenarios_do_not_depend_on_how_many_are_drawn_nor_on_blocks():
    book = portfolio(["A", "B"], country=["DE", "FR"])
    plan, _ = build_factors(study({"dependence": {"copula": "student_t"}}), book, {})
    whole, states = latents(plan, 11, 0, 10_000)
    short, short_states = latents(plan, 11, 0, 1000)
    assert whole[:1000].tobytes() == short.tobytes()
    assert states.drivers[:1000].tobytes() == short_states.drivers.tobytes()
    parts = [latents(plan, 11, first, 400)[0] for first in range(0, 10_000, 400)]
    assert np.concatenate(parts).tobytes() == whole.tobytes()
    with pytest.raises(ValueError, match="multiples of 4"):
        draw_states(plan, 11, 2, 8)


def test_the_number_of_threads_does_not_matter():
    book = portfolio([*"ABC"], country=["DE", "FR", "IT"])
    dependence = gaussian(0.1, 0.1, correlation={"country:IT": {"country:DE": 0.4}})
    plan, _ = build_factors(study({"dependence": {**dependence, "copula": "student_t"}}), book, {})
    before = thread_info()["threads"]
    try:
        drawn = []
        for threads in (1, 2):
            set_threads(threads)
            value, states = latents(plan, 1, 0, 8192)
            drawn.append(b"".join(array.tobytes() for array in (value, *states)))
    finally:
        set_threads(before)
    assert drawn[0] == drawn[1]


@pytest.mark.parametrize("correlation", [None, {"country:FR": {"global": 0.4}}])
def test_another_buyer_and_country_leave_all_other_draws_alone(correlation):
    dependence = gaussian(0.1, 0.1, correlation=correlation)
    small = portfolio(["B", "C"], country=["FR", "IT"])
    large = portfolio(["A", "B", "C"], country=["DE", "FR", "IT"])
    (plan, names), (more, more_names) = (
        build_factors(study({"dependence": dependence}), b, {}) for b in (small, large)
    )
    value, states = latents(plan, 2, 0, 400)
    more_value, more_states = latents(more, 2, 0, 400)
    kept = [more_names.index(name) for name in names]
    assert states.drivers.tobytes() == more_states.drivers[:, kept].tobytes()
    assert value.tobytes() == more_value[:, 1:].tobytes()


def test_reordered_buyers_keep_their_draws():
    ids, countries, sectors = [*"ABCD"], ["DE", "FR", "DE", ""], ["x", "", "y", "x"]
    order = [2, 0, 3, 1]
    book = portfolio(ids, country=countries, sector=sectors)
    other = portfolio(
        [ids[i] for i in order], country=[countries[i] for i in order], sector=[sectors[i] for i in order]
    )
    one, two = (latents(build_factors(study(), b, {})[0], 2, 0, 400)[0] for b in (book, other))
    assert one[:, order].tobytes() == two.tobytes()


def test_latents_are_standard_normal_with_the_given_correlation():
    book = portfolio([*"ABC"], country=["DE", "DE", "FR"], sector=["x", "y", "x"])
    value, _ = latents(build_factors(study({"dependence": gaussian(0.08, 0.05, 0.04)}), book, {})[0], 3, 0, MANY)
    for i, j, exact in ((0, 0, 1.0), (2, 2, 1.0), (0, 1, 0.13), (0, 2, 0.12), (1, 2, 0.08)):
        mean_within(value[:, i] * value[:, j], exact)
    assert np.all(np.abs(value.mean(axis=0)) < LIMIT / np.sqrt(MANY))
