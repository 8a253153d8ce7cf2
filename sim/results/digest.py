"""Digests of files."""

from __future__ import annotations

import hashlib
import pathlib


def sha256_of(path: pathlib.Path) -> str:
    """Digest of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
