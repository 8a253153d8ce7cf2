"""Compiling the line clock once per machine, wherever the package may write.

numba keys its on-disk cache by the file of the outermost function only: an edit to a file that it inlines
would go unnoticed. The cache therefore lives in a folder named after the digest of every source file of this
room, in the first place that can be written; an installation on a read-only disk compiles into the user's
cache instead of failing.
"""

from __future__ import annotations

import hashlib
import os
import pathlib
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable
from typing import Any

import numba
from numba.core import compiler, types
from numba.core import config as numba_config
from numba.core.compiler_machinery import register_pass
from numba.core.typed_passes import NativeLowering
from numba.np import arrayobj

_HERE = pathlib.Path(__file__).parent


def _source_digest() -> str:
    digest = hashlib.sha256()
    for source in sorted(_HERE.glob("*.py")):
        digest.update(source.name.encode() + b"\0" + source.read_bytes())
    digest.update(f"{numba.__version__} {sys.version_info[:2]}".encode())
    return digest.hexdigest()[:16]


def _candidates(digest: str) -> list[pathlib.Path]:
    chosen = os.environ.get("BUFFERZONE_CACHE_DIR")
    if chosen:
        return [pathlib.Path(chosen) / digest]
    home = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    user = getattr(os, "getuid", lambda: 0)()
    return [
        home / "bufferzone" / "kernel" / digest,
        pathlib.Path(tempfile.gettempdir()) / f"bufferzone-{user}" / digest,
    ]


def cache_dir() -> pathlib.Path | None:
    """The folder of the compiled kernel, made if need be; None when nothing can be written (it then compiles
    in memory).
    """
    for folder in _candidates(_source_digest()):
        try:
            for one in (folder.parent, folder):
                one.mkdir(parents=True, exist_ok=True, mode=0o700)
            if os.access(folder, os.W_OK) and _is_ours(folder) and _is_ours(folder.parent):
                return folder
        except OSError:
            continue
    return None


def _is_ours(folder: pathlib.Path) -> bool:
    """Whether nobody else can put a file there: compiled code is run as it is found."""
    state = folder.lstat()
    if not hasattr(os, "getuid"):
        return stat.S_ISDIR(state.st_mode)
    return stat.S_ISDIR(state.st_mode) and state.st_uid == os.getuid() and not state.st_mode & 0o022


CACHE_DIR = cache_dir()
ENTRIES = (
    "draws._uniforms",
    "kernel._advance",
    "kernel._closes",
    "kernel._duty_changes",
    "kernel._serves_waiting",
    "kernel._starts",
)
"""The functions that Python calls, as their files in the cache are called."""


def is_compiled() -> bool:
    """Whether every kernel of these very sources is compiled on disk."""
    if CACHE_DIR is None:
        return False
    compiled = {path.name.split("-")[0] for path in CACHE_DIR.rglob("*.nbc")}
    return compiled.issuperset(ENTRIES)


def forget_compiled() -> None:
    """Remove the compiled kernels of these sources from the disk."""
    if CACHE_DIR is not None:
        shutil.rmtree(CACHE_DIR, ignore_errors=True)
        CACHE_DIR.mkdir(parents=True, exist_ok=True, mode=0o700)


@register_pass(mutates_CFG=True, analysis_only=False)
class _Lowering(NativeLowering):  # type: ignore[misc]  # numba has no types
    """Turns typed code into machine code, taking every index for what it is: none of ours counts from the
    end.

    numba lets a negative index count from the end and pays for it at every access: a compare, a select and a
    load of the length, an eighth of the kernel's time. It offers no option for that, so the one function that
    does it is replaced while our code is lowered, and only then; numba compiles under a global lock.
    """

    def run_pass(self, state: Any) -> bool:
        """As numba's own pass."""
        counts_from_end = arrayobj.fix_integer_index
        arrayobj.fix_integer_index = _plain_index
        try:
            return bool(super().run_pass(state))
        finally:
            arrayobj.fix_integer_index = counts_from_end


def _plain_index(context: Any, builder: Any, index_type: Any, index: Any, size: Any) -> Any:
    return context.cast(builder, index, index_type, types.intp)


class _Compiler(compiler.CompilerBase):  # type: ignore[misc]  # numba has no types
    """numba's usual pipeline with our last step."""

    def define_pipelines(self) -> list[Any]:
        """The steps in order."""
        usual = compiler.DefaultPassBuilder.define_nopython_pipeline(self.state)
        usual.passes = [
            (_Lowering, why) if step is NativeLowering else (step, why) for step, why in usual.passes
        ]
        usual.finalize()
        return [usual]


class Entry:
    """A compiled function that is called with arguments of one set of types only.

    numba looks at the type of every array of every call to find the code that fits: 16 of the 18 microseconds
    of an entry into the line clock. After the first call the code is known, and is called without a question;
    `tests/lineclock/test_room.py` holds that all scenarios make arrays of the same types.
    """

    def __init__(self, dispatcher: Any) -> None:
        self.dispatcher = dispatcher
        self._code: Callable[..., Any] | None = None

    def __call__(self, *arguments: object) -> Any:
        """Call the code; the first time, have it compiled or loaded."""
        if self._code is not None:
            return self._code(*arguments)
        answer = self.dispatcher(*arguments)
        (only,) = self.dispatcher.overloads.values()
        self._code = only.entry_point
        return answer


def entry(function: Callable[..., Any]) -> Entry:
    """Compile *function* for entry from Python: cached on disk, without the interpreter lock.

    `_nrt=False` says that kernels allocate nothing. Without it numba counts references to every array of the
    tuples that are passed around: measured at ten times the work of the simulation itself.
    """
    previous = numba_config.CACHE_DIR
    if CACHE_DIR is not None:
        numba_config.CACHE_DIR = str(CACHE_DIR)
    try:
        dispatcher = numba.njit(
            cache=CACHE_DIR is not None,
            nogil=True,
            error_model="numpy",
            _nrt=False,
            no_cfunc_wrapper=True,
            pipeline_class=_Compiler,
        )(function)
    finally:
        numba_config.CACHE_DIR = previous
    return Entry(dispatcher)


def inlined(function: Callable[..., Any]) -> Any:
    """Compile *function* for use inside a kernel, into its caller: handing over some hundred arrays by value
    at every inner call cost two thirds of the kernel's time.
    """
    return numba.njit(
        nogil=True,
        error_model="numpy",
        forceinline=True,
        _nrt=False,
        no_cpython_wrapper=True,
        no_cfunc_wrapper=True,
        pipeline_class=_Compiler,
    )(function)
