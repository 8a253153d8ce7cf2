"""The names of streams of chance, and their codes; nothing here needs the compiler."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable


def stream_code(words: str) -> int:
    """The 32-bit code of a stream's name."""
    return int.from_bytes(hashlib.blake2b(words.encode(), digest_size=4).digest(), "little")


def check_streams(names: Iterable[str]) -> None:
    """Refuse two names with one code, which would share their chance. At 100 names the odds are one in a
    million.
    """
    seen: dict[int, str] = {}
    for name in names:
        other = seen.setdefault(stream_code(name), name)
        if other != name:
            raise ValueError(f'the names "{other}" and "{name}" have the same hash; rename one of them')
