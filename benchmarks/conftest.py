"""Kernels on one thread where a benchmark asks for it."""

from __future__ import annotations

import pytest

from simulator.jit import set_threads


@pytest.fixture
def one_thread():
    set_threads(1)
    yield
    set_threads(None)
