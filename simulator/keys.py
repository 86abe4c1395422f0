"""Names of random streams and entities, and their keys: plain hashing, nothing compiled.

An *entity* is whatever draws: a buyer, an invoice, a driver, a currency, a country. Its key is a 64-bit hash of a
stable name such as ``buyer:0004711``, so that its luck depends on neither its row nor its neighbours.
"""

from __future__ import annotations

import hashlib

import numpy as np

#: The named streams. Adding one never changes the numbers of another.
STREAMS = (
    "driver", "mixing", "default", "recovery", "buyer_delay", "invoice_delay", "cure",
    "fx", "fx_mixing", "fx_bootstrap", "transfer", "limit", "frustration", "acceptance", "discount",
    "dispute", "notification", "insurer",
)  # fmt: skip


def stream_key(seed: int, stream: str) -> np.ndarray:
    """Philox key of a named stream.

    Args:
        seed: the study's seed, any non-negative integer below 2**63.
        stream: one of :data:`STREAMS`.

    Returns:
        uint32 array of shape (2,).

    Raises:
        KeyError: if the stream is unknown.
    """
    if stream not in STREAMS:
        raise KeyError(stream)
    digest = hashlib.blake2b(f"{seed}/{stream}".encode(), digest_size=8).digest()
    return np.frombuffer(digest, dtype="<u4").astype(np.uint32)


def entity_key(name: str) -> int:
    """Stable 64-bit hash of an entity's name (``buyer:…``, ``invoice:…``, ``driver:…``)."""
    return int.from_bytes(hashlib.blake2b(name.encode("utf-8"), digest_size=8).digest(), "little")
