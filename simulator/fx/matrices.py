"""Roots of correlation matrices, and what to say about a matrix that is none."""

from __future__ import annotations

import numpy as np

from simulator.ledger.portfolio import Floats

#: Eigenvalues above minus this are rounding.
TOLERANCE = 1e-9


def smallest_eigenvalue(matrix: Floats) -> float:
    """Smallest eigenvalue of a symmetric matrix."""
    return float(np.linalg.eigvalsh(matrix)[0])


def ordered_root(matrix: Floats, codes: list[str]) -> Floats:
    """A root R with R·Rᵀ = matrix: the Cholesky factor in alphabetical order of the codes, put back in place.

    Row c uses only the noises of currencies up to c in that order, so a currency added later in the alphabet
    leaves the paths of the earlier ones as they were. Semi-definite matrices are allowed: a pivot that is nothing
    but rounding gives a column of zeros.

    Args:
        matrix: positive semi-definite, float64[n, n].
        codes: the n currency codes.
    """
    order = sorted(range(len(codes)), key=lambda i: codes[i])
    a = matrix[np.ix_(order, order)]
    factor = np.zeros_like(a)
    for j in range(len(a)):
        pivot = a[j, j] - factor[j, :j] @ factor[j, :j]
        if pivot <= TOLERANCE:
            continue
        factor[j, j] = np.sqrt(pivot)
        factor[j + 1 :, j] = (a[j + 1 :, j] - factor[j + 1 :, :j] @ factor[j, :j]) / factor[j, j]
    root = np.zeros_like(a)
    root[np.ix_(order, order)] = factor
    return root


def largest_common_scale(matrix: Floats, weights: Floats) -> float:
    """Largest t for which matrix − t²·w·wᵀ stays positive semi-definite (0 for a matrix that is not definite)."""
    if smallest_eigenvalue(matrix) <= TOLERANCE:
        return 0.0
    return float(1.0 / np.sqrt(weights @ np.linalg.solve(matrix, weights)))
