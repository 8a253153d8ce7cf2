"""How fast bufferzone is, beside something else in the same run: `python -m benchmarks`.

A second on one machine is not a second on another, so what is reported first are ratios; the seconds beside
them are those of the machine that is named with them.
"""

from __future__ import annotations

BENCHMARKS = {
    "queue": "the line clock on a bare spatial queue of 32 and 128 teams, beside SimPy and plain C",
    "full": "the whole model at 20, 100 and 800 incidents a day over five years, beside SimPy and plain C",
    "command": "the whole `bufferzone run` of the flagship on two jobs, split into parts, and its memory",
}
"""Every benchmark, with the line that the list prints."""
