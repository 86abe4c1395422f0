"""Indemnity and retained loss against exact enumeration: twelve unequal buyers, all 2¹² default sets.

The probability of each set is the Gaussian one-factor copula's, integrated over the factor (Gauss-Hermite); what a
set pays is worked out from the wording, claim by claim. Mean, standard deviation and quantiles of the simulation must
agree within 4.5 standard errors of its own, at a fixed seed.
"""

import numpy as np
import pytest
from scipy.special import ndtr, ndtri

import simulator
from simulator.engine.model import build_model
from simulator.engine.run import simulate
from tests.studies import write_csv
from tests.test_losses import constant_study

LIMIT = 4.5
N = 200_000
RHO = 0.25
#: exposure, default probability, credit limit (None: no named limit)
BUYERS = (
    (100.0, 0.02, 80.0), (60.0, 0.05, 60.0), (45.0, 0.03, 30.0), (45.0, 0.08, 50.0), (30.0, 0.10, None),
    (25.0, 0.04, 20.0), (20.0, 0.12, 25.0), (12.0, 0.06, 0.0), (8.0, 0.15, 8.0), (5.0, 0.20, None),
    (3.0, 0.10, 10.0), (2.0, 0.25, 2.0),
)  # fmt: skip
PERCENTAGE, DISCRETIONARY = 0.9, 10.0
TERMS = {
    "insured_percentage": PERCENTAGE,
    "discretionary_limit": DISCRETIONARY,
    "non_qualifying_loss": 5,
    "aggregate_first_loss": 12,
    "maximum_liability": 90,
}
PROGRAMMES = [
    {"name": "none", "type": "none"},
    {"name": "percent first", "type": "whole_turnover", "each_and_every_first_loss": 2, **TERMS},
    {"name": "deductible first", "type": "whole_turnover", "order": "deductible_first",
     "each_and_every_first_loss": 2, **TERMS},
    {"name": "minimum retention", "type": "whole_turnover", "order": "minimum_retention", "minimum_retention": 4,
     **TERMS},
    {"name": "excess of loss", "type": "excess_of_loss", **(TERMS | {"aggregate_first_loss": 60})},
    {"name": "limits only", "type": "whole_turnover", "insured_percentage": 1, "discretionary_limit": DISCRETIONARY},
]  # fmt: skip


def paid(programme, defaulted):
    """What a programme pays when these buyers fail; the total does not depend on the order of the claims."""
    if programme["type"] == "none":
        return 0.0
    name = programme["name"]
    total = 0.0
    for exposure, _, limit in np.array(BUYERS, dtype=object)[defaulted]:
        covered = min(exposure, DISCRETIONARY if limit is None else limit)
        if covered < programme.get("non_qualifying_loss", 0):
            continue
        share = programme["insured_percentage"]
        deductible = programme.get("each_and_every_first_loss", 0.0)
        if name == "percent first":
            total += max(share * covered - deductible, 0.0)
        elif name == "minimum retention":
            total += max(covered - max(4.0, (1 - share) * covered), 0.0)
        else:
            total += max(covered - deductible, 0.0)
    beyond = max(total - programme.get("aggregate_first_loss", 0.0), 0.0)
    if name in ("deductible first", "excess of loss"):
        beyond *= programme["insured_percentage"]
    return min(beyond, programme.get("maximum_liability", np.inf))


@pytest.fixture(scope="module")
def sets():
    """Every default set, bool[4096, 12], and its probability."""
    members = (np.arange(2 ** len(BUYERS))[:, None] >> np.arange(len(BUYERS)) & 1).astype(bool)
    node, weight = np.polynomial.hermite_e.hermegauss(160)
    threshold = ndtri(np.array([pd for _, pd, _ in BUYERS]))
    given = ndtr((threshold - np.sqrt(RHO) * node[:, None]) / np.sqrt(1 - RHO))
    probability = np.zeros(len(members))
    for p, w in zip(given, weight / weight.sum(), strict=True):
        probability += w * np.where(members, p, 1 - p).prod(axis=1)
    return members, probability


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    folder = tmp_path_factory.mktemp("enumeration")
    rows = [
        {"buyer_id": f"b{i:02d}", "exposure": str(e), "pd_annual": str(pd), "lgd": "1",
         "credit_limit": "" if limit is None else str(limit)}
        for i, (e, pd, limit) in enumerate(BUYERS)
    ]  # fmt: skip
    write_csv(folder / "buyers.csv", rows)
    study = constant_study(folder, 4) | {
        "portfolio": {"exposure": "constant", "buyers": str(folder / "buyers.csv")},
        "credit": {
            "pd": {"source": "column"},
            "dependence": {"shares": {"global": RHO, "country": 0, "sector": 0}},
            "recovery": {"mean": 0, "sd": 0},
        },
        "programmes": PROGRAMMES,
        "simulation": {"seed": 20261120},
    }
    study["study"] = study["study"] | {"horizon": "365 days"}
    return simulate(build_model(simulator.load_study(study)), N).rows


def test_probabilities_are_the_copulas(sets):
    members, probability = sets
    assert probability.sum() == pytest.approx(1.0, abs=1e-12)
    np.testing.assert_allclose(probability @ members, [pd for _, pd, _ in BUYERS], atol=1e-9)


@pytest.mark.parametrize("p", range(len(PROGRAMMES)), ids=[p["name"] for p in PROGRAMMES])
def test_moments_and_quantiles(sets, simulated, p):
    members, probability = sets
    exposure = np.array([e for e, _, _ in BUYERS])
    indemnity = np.array([paid(PROGRAMMES[p], row) for row in members])
    exact = {"indemnity": indemnity, "retained_loss": members @ exposure - indemnity}
    for name, value in exact.items():
        sample = simulated[name][:, p]
        if not value.any():
            assert not sample.any()
            continue
        mean = probability @ value
        variance = probability @ (value - mean) ** 2
        assert abs(sample.mean() - mean) <= LIMIT * np.sqrt(variance / N), f"mean of {name}"
        # s.e. of a variance from the exact fourth moment
        fourth = probability @ (value - mean) ** 4
        assert abs(sample.var() - variance) <= LIMIT * np.sqrt((fourth - variance**2) / N), f"variance of {name}"
        order = np.argsort(value, kind="stable")
        below = np.cumsum(probability[order])
        ordered = np.sort(sample)
        for level in (0.5, 0.9, 0.95, 0.99, 0.995, 0.999):
            at = value[order][np.searchsorted(below, level)] + 1e-9
            cdf = probability[value <= at].sum()
            found = np.searchsorted(ordered, at, side="right") / N
            assert abs(found - cdf) <= LIMIT * np.sqrt(cdf * (1 - cdf) / N) + 1e-12, f"P({name} ≤ {at:g})"
            # the quantile itself, between the exact ones of the level ± 4.5 standard errors
            margin = LIMIT * np.sqrt(level * (1 - level) / N)
            low, high = (
                value[order][min(np.searchsorted(below, level + d), len(value) - 1)] for d in (-margin, margin)
            )
            quantile = ordered[int(np.ceil(level * N)) - 1]
            assert low - 1e-9 <= quantile <= high + 1e-9, f"{level:.1%} quantile of {name}"
