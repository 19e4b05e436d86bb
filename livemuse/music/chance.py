"""Chance that is counted, not consumed: every draw has a name, and the same name gives the same draw.

So taking notes back and making them again disturbs nothing else, and an evening can be had again.
"""

import struct
from hashlib import blake2b


def uniform(seed: int, *key: int) -> float:
    """A number in [0, 1) that depends on nothing but ``seed`` and ``key`` (each 0 to 2**64 - 1).

    53 bits of BLAKE2b (RFC 7693) over the key: the same on every machine and in every version of numpy.
    """
    digest = blake2b(struct.pack(f"<{len(key) + 1}Q", seed, *key), digest_size=8).digest()
    return (int.from_bytes(digest, "little") >> 11) * 2.0**-53
