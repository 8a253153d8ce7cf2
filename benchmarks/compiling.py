"""C programs beside the line clock, compiled by the system's compiler when a benchmark runs."""

from __future__ import annotations

import ctypes
import os
import pathlib
import shutil
import subprocess
import tempfile

HERE = pathlib.Path(__file__).parent


def compiled(source: str, *defined: str) -> ctypes.CDLL | None:
    """The library made of a C file of this folder, or None where there is no compiler that works.

    *defined* are names that the preprocessor knows: variants of one program.
    """
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if compiler is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        library = pathlib.Path(folder) / "library.so"
        names = [f"-D{name}" for name in defined]
        command = [compiler, "-O3", *names, "-shared", "-fPIC", "-o", str(library), str(HERE / source), "-lm"]
        for flags in ([*command, "-march=native"], command):
            if subprocess.run(flags, capture_output=True, check=False).returncode == 0:
                return ctypes.CDLL(str(library))
    return None
