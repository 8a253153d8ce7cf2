"""`bufferzone run`: many replications of one scenario into a run folder."""

from __future__ import annotations

import json
import pathlib
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from sim.cli.main import TargetMissed, UserError
from sim.cli.options import json_option, loaded, scenario_argument, set_option
from sim.results.names import COLLAPSE, FROM_THE_START, SHARES
from sim.results.target import Target, read_target

if TYPE_CHECKING:
    from sim.results.store import FolderExists
    from sim.study.replicate import Progress

HEADLINES = (
    ("coverage.line_watched_share", "line watched"),
    ("coverage.sighted_share", "incidents sighted"),
    ("coverage.attended_in_time_share", "needing a team: there in time"),
    ("response.time_h.p90", "nine in ten attended within"),
    ("force.short_share", "wanted laydown not manned"),
)
"""The five numbers of the one-screen answer."""


@click.command("run")
@scenario_argument
@set_option
@click.option(
    "--replications",
    "-n",
    type=click.IntRange(1, 1_000_000),
    help="Histories to simulate. [default: what the scenario says, or 100]",
)
@click.option("--replication", type=click.IntRange(0, 2**31 - 1), help="Only this one, numbered from 0.")
@click.option(
    "--seed",
    type=click.IntRange(0, 2**64 - 1),
    help="Root of all chance. [default: what the scenario says, or 1]",
)
@click.option(
    "--jobs",
    "-j",
    type=click.IntRange(1, 1024),
    help="Worker processes; the results do not depend on it. [default: one per processor]",
)
@click.option(
    "--out",
    type=click.Path(path_type=pathlib.Path),
    help="Run folder to write. [default: a new one under runs/]",
)
@click.option("--force", is_flag=True, help="Overwrite the run folder.")
@click.option("--journal", is_flag=True, help="Also keep a row for every incident and every trip of a team.")
@click.option(
    "--report/--no-report", "with_report", default=True, help="Build figures and report.html. [default: yes]"
)
@click.option(
    "--require",
    "requirements",
    multiple=True,
    metavar="'METRIC >= X'",
    help="Exit with 4 unless the mean meets this. Repeatable.",
)
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
@json_option
def command(
    scenario: pathlib.Path,
    settings: tuple[str, ...],
    replications: int | None,
    replication: int | None,
    seed: int | None,
    jobs: int | None,
    out: pathlib.Path | None,
    force: bool,
    journal: bool,
    with_report: bool,
    requirements: tuple[str, ...],
    quiet: bool,
    as_json: bool,
) -> None:
    """Simulate SCENARIO and write a run folder with data, figures and report.html.

    Same scenario and seed, same results bit for bit, for any number of jobs.
    """
    if replication is not None and replications is not None:
        raise click.UsageError("--replication runs one history and --replications many: give one of them")
    file = loaded(scenario, settings)
    escalation = file.scenario.escalation
    levels = () if escalation is None else tuple(escalation.levels)
    targets = [read_target(text, levels) for text in requirements]
    from sim.campaign.theatre import stage
    from sim.results.store import FolderExists, free_name, refuse_what_is_there
    from sim.study.lint import unlikely
    from sim.study.replicate import Asked, ReportFailed, default_jobs, run_into
    from sim.study.workers import WorkerLost

    folder = out or free_name(pathlib.Path("runs"), scenario.stem)
    try:
        refuse_what_is_there(folder, force=force)
    except FolderExists as there:
        raise _refused(there) from None
    numbers = [replication] if replication is not None else range(replications or file.scenario.replications)
    asked = Asked(
        replications=numbers,
        seed=file.scenario.seed if seed is None else seed,
        jobs=jobs or default_jobs(),
        keeps_journal=journal,
        command=shlex.join(["bufferzone", *sys.argv[1:]]),
    )
    if not quiet:
        for warning in unlikely(stage(file.scenario, file.document), file):
            print(f"warning: {warning}", file=sys.stderr)
    with _progress(len(numbers), quiet) as (tell, say):
        _warn_of_compiling(say)
        try:
            run_into(
                file,
                folder,
                asked,
                force=force,
                progress=tell,
                finishing=_reporter(say) if with_report else None,
            )
        except FolderExists as there:
            raise _refused(there) from None
        except ReportFailed as failed:
            print(f"{failed}\n    hint: bufferzone report {folder}", file=sys.stderr)
            raise failed.__cause__ or failed from None
        except KeyboardInterrupt:
            _say_what_is_kept(folder)
            raise
        except WorkerLost as lost:
            _say_what_is_kept(folder)
            raise UserError(str(lost)) from None
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    if as_json:
        print(json.dumps({"folder": str(folder), **summary}, indent=2, ensure_ascii=False))
    else:
        _answer(summary, folder, with_report)
    _judge(targets, summary["metrics"])


def _say_what_is_kept(folder: pathlib.Path) -> None:
    manifest = folder / "manifest.json"
    if manifest.is_file() and (stored := json.loads(manifest.read_text(encoding="utf-8")))["interrupted"]:
        kept = f"{stored['replications']} of {stored['replications_asked']} replications are kept in {folder}"
        print(kept, file=sys.stderr)


def _refused(there: FolderExists) -> UserError:
    hint = "give another --out, or --force to overwrite it" if there.is_run else "give another --out"
    return UserError(str(there), hint)


def _reporter(say: Any) -> Any:
    def report(folder: pathlib.Path) -> None:
        say("drawing the report")
        from sim.report.page import build

        build(folder)

    return report


def _warn_of_compiling(say: Any) -> None:
    from sim.lineclock.compiled import is_compiled

    if not is_compiled():
        say("compiling the line clock once for this machine (about half a minute)")


@contextmanager
def _progress(wanted: int, quiet: bool) -> Iterator[tuple[Progress | None, Any]]:
    """A bar on standard error where that is a terminal, lines where it is not."""
    if quiet:
        yield None, lambda text: None
        return
    if not sys.stderr.isatty():
        told = [0]

        def line(done: int, of: int) -> None:
            if done == of or done - told[0] >= max(1, of // 10):
                told[0] = done
                print(f"{done} of {of} replications", file=sys.stderr)

        yield line, lambda text: print(text, file=sys.stderr)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("simulating", total=wanted)
        yield (
            lambda done, of: bar.update(task, completed=done, total=of),
            lambda text: console.print(text, style="dim"),
        )


def _answer(summary: dict[str, Any], folder: pathlib.Path, with_report: bool) -> None:
    metrics = summary["metrics"]
    n = summary["replications"]
    print(f"{summary['scenario']}: {n} replication{'s' if n > 1 else ''}, seed {summary['seed']}")
    on_station, pledged = metrics["force.on_station"], metrics["force.pledged"]
    print(f"  {'pledged, on station':<30}{pledged['mean']:>9,.0f}{on_station['mean']:>9,.0f} soldiers")
    for name, label in HEADLINES:
        if name in metrics:
            print(f"  {label:<30}{_with_interval(metrics[name])}")
    if metrics.get("response.waited_share", {}).get("mean") is not None:
        print(f"  {'calls that had to wait':<30}{metrics['response.waited_share']['mean']:>9.1%}")
    _say_whether_it_holds(metrics)
    print(f"  {'soldiers tied up in rotation':<30}{metrics['force.pool']['mean']:>9,.0f}")
    print(f"\n{folder / 'report.html' if with_report else folder}")


def _say_whether_it_holds(metrics: dict[str, Any]) -> None:
    """Where the scenario escalates: does the ceasefire stand at the end, and how tense are sectors?"""
    if COLLAPSE not in metrics:
        return
    from sim.results.statistics import opposite

    print(f"  {'ceasefire stands at the end':<30}{_with_interval(opposite(metrics[COLLAPSE]))}")
    days = {
        name.removeprefix(FROM_THE_START): metric["mean"]
        for name, metric in metrics.items()
        if name.startswith(FROM_THE_START)
    }
    told = ", ".join(f"{level} {mean:,.1f}" for level, mean in days.items())
    print(f"  {'days of a sector in each level':<33}{told}")


def _with_interval(metric: dict[str, Any]) -> str:
    if metric["mean"] is None:
        return f"{'never':>9}"
    text, ends = _shown(metric["mean"], metric["unit"]), ""
    if metric["ci_low"] is not None:
        low, high = (_shown(metric[end], metric["unit"]) for end in ("ci_low", "ci_high"))
        ends = f"   ({low} to {high} with 95 % confidence)"
    return f"{text:>9}{ends}"


def _shown(value: float, unit: str) -> str:
    return (
        f"{value:.1%}" if unit in SHARES else f"{value:.2f} {unit}" if unit == "h" else f"{value:,.1f} {unit}"
    )


def _judge(targets: list[Target], metrics: dict[str, Any]) -> None:
    missed = [text for target in targets if (text := target.missed_by(metrics))]
    if missed:
        raise TargetMissed("\n".join(missed))
