"""Headers of model files that have been damaged at random, the same ones each time."""

from __future__ import annotations

import random
import struct

_NUMBERS = (0, 1, 2**31 - 1, 2**31, 2**32 - 1, 2**62, 2**63, 2**64 - 1)


def mutated(whole: bytes, number: int) -> bytes:
    """The header of this number in the corpus: the same bytes each time."""
    chance = random.Random(number)
    raw = bytearray(whole[:8192] if number % 3 else whole)
    for _ in range(chance.randint(1, 5)):
        at = chance.randrange(min(len(raw), 8000))
        match chance.randrange(6):
            case 0:
                raw[at] ^= 1 << chance.randrange(8)
            case 1:
                raw[at : at + 8] = struct.pack("<Q", chance.choice(_NUMBERS))
            case 2:
                raw[at : at + 4] = struct.pack("<I", chance.choice(_NUMBERS) % 2**32)
            case 3:
                raw[at:at] = chance.randbytes(chance.randint(1, 40))
            case 4:
                del raw[at : at + chance.randint(1, 40)]
            case _:
                raw[at : at + 16] = raw[: chance.randint(1, 64)]
    return bytes(raw)
