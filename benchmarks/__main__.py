"""`python -m benchmarks`: list the benchmarks, or run one."""

from __future__ import annotations

import argparse
import difflib
import importlib
import json
import sys
from collections.abc import Sequence

from benchmarks import BENCHMARKS
from benchmarks.measuring import Disagreement, machine

LEAST_ROUNDS = 5


def main(argv: Sequence[str] | None = None) -> int:
    """Run what is asked for -> exit code: 0 done, 1 the compared models disagree, 2 wrong usage."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", nargs="?", metavar="NAME", help="benchmark to run; left out, they are listed")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--quick", action="store_true", help="tiny sizes: it works, but measures nothing")
    parser.add_argument("--rounds", type=int, help=f"rounds to take the median of, at least {LEAST_ROUNDS}")
    parser.add_argument("--replications", type=int, help="of the command benchmark, in place of 100")
    asked = parser.parse_args(argv)
    if asked.name is None:
        for name, line in BENCHMARKS.items():
            print(f"{name:<10}{line}")
        return 0
    if asked.name not in BENCHMARKS:
        near = difflib.get_close_matches(asked.name, BENCHMARKS, 1)
        meant = f'; did you mean "{near[0]}"?' if near else f"; there are {', '.join(BENCHMARKS)}"
        parser.error(f'no benchmark is called "{asked.name}"{meant}')
    if asked.rounds is not None and asked.rounds < LEAST_ROUNDS:
        parser.error(f"--rounds {asked.rounds} is too few for a median; give {LEAST_ROUNDS} or more")
    if asked.replications is not None and (asked.name != "command" or asked.replications < 1):
        parser.error("--replications is for the command benchmark, and at least 1")
    more = {} if asked.replications is None else {"replications": asked.replications}
    before = machine()
    module = importlib.import_module(f"benchmarks.{asked.name}")
    try:
        found = module.run(quick=asked.quick, rounds=asked.rounds, **more)
    except Disagreement as bad:
        print(bad, file=sys.stderr)
        return 1
    if asked.json:
        print(json.dumps({"benchmark": asked.name, **found, "machine": before}, indent=2))
    else:
        print(module.table(found))
        print("\n" + ", ".join(f"{name} {value}" for name, value in before.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
