"""Runs commands as a user does, in this process."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from sim.cli import main


@dataclass(frozen=True)
class Said:
    """What a command left behind."""

    code: int
    out: str
    err: str


def say(capsys: pytest.CaptureFixture[str], *argv: str) -> Said:
    """Run one command -> its exit code and what it printed."""
    code = main(argv)
    captured = capsys.readouterr()
    return Said(code, captured.out, captured.err)
