"""Marks of tests that need Dask, and waiting: for the tests of executors."""

import time

import pytest


def installed():
    """Whether Dask is: it is an extra."""
    try:
        import distributed
    except ImportError:
        return False
    return bool(distributed)


needs_dask = pytest.mark.skipif(not installed(), reason="Dask is not installed")
#: What Dask itself warns of is not ours.
quiet_dask = pytest.mark.filterwarnings("ignore")


def wait_until(what, seconds=120):
    for _ in range(int(seconds / 0.02)):
        if what():
            return
        time.sleep(0.02)
    raise AssertionError("it did not happen in time")
