"""The register of dependence models: a new copula is one file with two functions, and a line here."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from simulator.factors import gaussian, student_t
from simulator.ledger.portfolio import Floats
from simulator.study.schema import Dependence


class Copula(NamedTuple):
    """What a dependence model has to say.

    Attributes:
        quantile: (probabilities, dependence) → latent thresholds of the same shape.
        mixing_table: dependence → log of the mixing scale by normal score, float64[TABLE_SIZE].
    """

    quantile: Callable[[Floats, Dependence], Floats]
    mixing_table: Callable[[Dependence], Floats]


#: Copulas by the name used in ``credit.dependence.copula``.
COPULAS = {
    "gaussian": Copula(gaussian.quantile, gaussian.mixing_table),
    "student_t": Copula(student_t.quantile, student_t.mixing_table),
}
