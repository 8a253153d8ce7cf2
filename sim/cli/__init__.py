"""The command line: one file per command, one error boundary, exit codes.

0 done; 1 the user's input is wrong; 2 wrong usage; 3 our fault (log file named); 4 a stated target was not
met; 130 interrupted.
"""

from __future__ import annotations

from sim.cli.main import main

__all__ = ["main"]
