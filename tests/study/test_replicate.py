"""Many replications: the same bits however they are computed, and a folder that is whole or not there."""

from __future__ import annotations

import concurrent.futures
import hashlib
import json
import multiprocessing
import pathlib
from collections.abc import Iterator

import pyarrow.parquet as pq
import pytest
import yaml
from conftest import small

from sim.results.store import FolderExists, RunWriter, free_name
from sim.scenario.resolve import ScenarioFile, load
from sim.study.replicate import Asked, ReportFailed, batches_of, run_into
from sim.study.workers import WorkerLost

TABLES = (
    "replications", "series", "types", "sectors", "levels", "journal", "trips",
    "cells", "strip", "periods", "responses", "survival",
)  # fmt: skip
TENSE = small(
    violations={"shelling": {"retaliation": {"mean": 0.4}}},
    response={"preempt": True},
    escalation={
        "half_life": "2 days",
        "levels": {
            "calm": {},
            "tense": {
                "enter_at": 60,
                "leave_below": 40,
                "hazards": {"war": {"kind": "exponential", "mean": "30 days"}},
            },
            "war": {},
        },
    },
)
"""Every table has rows."""


@pytest.fixture
def play(tmp_path: pathlib.Path, warm_kernel: None) -> ScenarioFile:
    path = tmp_path / "play.yaml"
    path.write_text(yaml.safe_dump(TENSE, sort_keys=False), encoding="utf-8")
    return load(path)


def digest(folder: pathlib.Path) -> dict[str, str]:
    """What is in a run folder, but for the manifest, which knows the time."""
    return {
        p.name: hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.iterdir())
        if p.name != "manifest.json"
    }


def asked(n: int, **more: object) -> Asked:
    return Asked(replications=range(n), seed=5, keeps_journal=True, **more)  # type: ignore[arg-type]


def test_one_worker_two_workers_and_a_borrowed_pool_write_the_same_bytes(
    play: ScenarioFile, tmp_path: pathlib.Path
) -> None:
    one = digest(run_into(play, tmp_path / "one", asked(23)))
    two = digest(run_into(play, tmp_path / "two", asked(23, jobs=2)))
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        three = digest(run_into(play, tmp_path / "three", asked(23), executor=pool))
    assert one == two == three
    assert {f"{t}.parquet" for t in TABLES} < set(one)


def test_the_comparison_of_bytes_can_fail(play: ScenarioFile, tmp_path: pathlib.Path) -> None:
    one = digest(run_into(play, tmp_path / "one", asked(3)))
    other = digest(
        run_into(play, tmp_path / "other", Asked(replications=range(3), seed=6, keeps_journal=True))
    )
    same = [name for name in one if one[name] == other[name]]
    assert same == ["scenario.resolved.yaml"]


def test_a_replication_alone_is_its_row_among_many(play: ScenarioFile, tmp_path: pathlib.Path) -> None:
    many = run_into(play, tmp_path / "many", asked(9))
    alone = run_into(play, tmp_path / "alone", Asked(replications=[7], seed=5, keeps_journal=True))
    for table in ("replications", "series", "types", "sectors", "levels", "journal", "trips"):
        rows = pq.read_table(many / f"{table}.parquet").to_pylist()
        assert pq.read_table(alone / f"{table}.parquet").to_pylist() == [
            r for r in rows if r["replication"] == 7
        ]


def test_tables_of_what_a_scenario_has_not_are_not_there(tmp_path: pathlib.Path, warm_kernel: None) -> None:
    (tmp_path / "plain.yaml").write_text(yaml.safe_dump(small(), sort_keys=False), encoding="utf-8")
    folder = run_into(load(tmp_path / "plain.yaml"), tmp_path / "run", Asked(replications=range(2), seed=5))
    there = {p.stem for p in folder.glob("*.parquet")}
    assert set(TABLES) - there == {"levels", "survival", "journal", "trips"}


def test_the_journal_and_its_trips_say_what_the_types_say(play: ScenarioFile, tmp_path: pathlib.Path) -> None:
    folder = run_into(play, tmp_path / "run", asked(3))
    journal, trips, types, levels = (
        pq.read_table(folder / f"{name}.parquet").to_pandas()
        for name in ("journal", "trips", "types", "levels")
    )
    real = journal[journal["cause"] != "false_report"]
    counted = types.set_index(["replication", "type"])
    for column, prefix in (("outcome", "ended"), ("finding", "found"), ("cause", "cause")):
        for word, rows in (journal if column == "cause" else real).groupby(column, observed=True):
            by_type = rows.groupby(["replication", "type"], observed=True).size()
            assert (counted.loc[by_type.index, f"{prefix}_{word}"] == by_type).all(), (column, word)
    assert (journal.groupby("replication")["number"].diff().dropna() == 1).all(), "in the order of beginning"
    assert set(journal["level"]) == {"calm", "tense"}
    children = journal.dropna(subset="parent")
    assert set(children["cause"]) == {"retaliation"}
    assert journal["provoked"].sum() >= len(children) > 0
    sent = journal.set_index(["replication", "number"])["teams_sent"]
    assert (trips.groupby(["replication", "number"]).size() == sent[sent > 0]).all()
    done = trips[trips["end"] == "done"]
    assert (done[["ordered_h", "departed_h", "arrived_h", "ended_h"]].diff(axis=1).iloc[:, 1:] >= 0).all(
        axis=None
    )
    assert trips.loc[trips["end"] == "recalled", "arrived_h"].isna().all()
    assert (trips["base"] != "").all()
    assert list(levels.columns) == ["replication", "sector", "at_h", "from", "to", "cause"]


@pytest.mark.parametrize("count", [1, 2, 19, 20, 21, 100, 333, 5000])
def test_batches_hold_every_replication_once_and_in_order(count: int) -> None:
    batches = batches_of(range(count))
    assert [i for batch in batches for i in batch] == list(range(count))
    assert max(len(b) for b in batches) <= 16


def test_interrupted_a_run_keeps_what_is_done_and_says_so(play: ScenarioFile, tmp_path: pathlib.Path) -> None:
    def impatient(done: int, _: int) -> None:
        if done >= 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_into(play, tmp_path / "run", asked(20), progress=impatient)
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text(encoding="utf-8"))
    assert (manifest["interrupted"], manifest["replications"], manifest["replications_asked"]) == (
        True,
        4,
        20,
    )
    assert pq.read_table(tmp_path / "run" / "replications.parquet").num_rows == 4
    whole = run_into(play, tmp_path / "four", asked(4))
    for table in ("replications", "series", "types"):
        kept = pq.read_table(tmp_path / "run" / f"{table}.parquet")
        assert kept.to_pylist() == pq.read_table(whole / f"{table}.parquet").to_pylist()


def test_interrupted_before_anything_is_done_nothing_is_left(
    play: ScenarioFile, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> Iterator[object]:
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr("sim.study.replicate._batches", stop)
    with pytest.raises(KeyboardInterrupt):
        run_into(play, tmp_path / "run", asked(20))
    assert [p.name for p in tmp_path.iterdir()] == ["play.yaml"]


@pytest.mark.parametrize("fault", [RuntimeError, KeyboardInterrupt])
def test_a_report_that_fails_does_not_cost_the_data(
    play: ScenarioFile, tmp_path: pathlib.Path, fault: type[BaseException]
) -> None:
    def broken(working: pathlib.Path) -> None:
        (working / "report.html").write_text("half a page", encoding="utf-8")
        (working / "figures").mkdir()
        raise fault

    with pytest.raises(ReportFailed, match="the report was not drawn; the data are in") as failed:
        run_into(play, tmp_path / "run", asked(2), finishing=broken)
    assert isinstance(failed.value.__cause__, fault)
    assert digest(tmp_path / "run") == digest(run_into(play, tmp_path / "plain", asked(2)))


def test_a_fault_while_writing_leaves_nothing_behind(
    play: ScenarioFile, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("the pen is dry")

    monkeypatch.setattr("sim.results.store.cell_columns", broken)
    with pytest.raises(RuntimeError, match="the pen is dry"):
        run_into(play, tmp_path / "run", asked(2))
    assert [p.name for p in tmp_path.iterdir()] == ["play.yaml"]


@pytest.mark.slow
def test_a_worker_that_is_killed_costs_only_what_it_had_in_hand(
    play: ScenarioFile, tmp_path: pathlib.Path
) -> None:
    def shoot(done: int, _: int) -> None:
        if done >= 6:
            for process in multiprocessing.active_children():
                process.kill()

    with pytest.raises(WorkerLost, match="a worker process was killed"):
        run_into(play, tmp_path / "run", asked(2000, jobs=2), progress=shoot)
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["interrupted"]
    assert 6 <= manifest["replications"] < 2000
    assert not multiprocessing.active_children()


def test_what_a_killed_run_left_behind_is_swept(play: ScenarioFile, tmp_path: pathlib.Path) -> None:
    dead = tmp_path / ".run.99999999.part"
    dead.mkdir()
    (dead / "series.parquet").write_text("half", encoding="utf-8")
    other = tmp_path / ".running.99999999.part"
    other.mkdir()
    run_into(play, tmp_path / "run", asked(1))
    assert not dead.exists()
    assert other.exists()


def test_an_existing_folder_is_kept_unless_forced(play: ScenarioFile, tmp_path: pathlib.Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "diary.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(FolderExists, match="run is there and is not a run folder"):
        run_into(play, folder, asked(1))
    assert (folder / "diary.txt").read_text(encoding="utf-8") == "mine"
    with pytest.raises(FolderExists, match="run is there and is not a run folder"):
        run_into(play, folder, asked(1), force=True)
    assert (folder / "diary.txt").read_text(encoding="utf-8") == "mine"
    (folder / "diary.txt").unlink()
    run_into(play, folder, asked(1), force=True)
    with pytest.raises(FolderExists, match="run is already there"):
        run_into(play, folder, asked(1))
    first = digest(folder)
    run_into(play, folder, asked(2), force=True)
    assert digest(folder) != first
    assert sorted(p.name for p in tmp_path.iterdir()) == ["play.yaml", "run"]


def test_a_folder_that_appears_meanwhile_is_not_overwritten(tmp_path: pathlib.Path) -> None:
    writer = RunWriter(tmp_path / "run")
    writer.write_text("summary.json", "{}")
    (tmp_path / "run").mkdir()
    with pytest.raises(FolderExists):
        writer.finish()
    assert [p.name for p in tmp_path.iterdir()] == ["run"]


def test_free_names_count_up(tmp_path: pathlib.Path) -> None:
    for expected in ("a", "a-2", "a-3"):
        folder = free_name(tmp_path, "a")
        assert folder.name == expected
        folder.mkdir()


def test_the_manifest_is_enough_to_run_it_again(play: ScenarioFile, tmp_path: pathlib.Path) -> None:
    first = run_into(play, tmp_path / "first", asked(3))
    manifest = json.loads((first / "manifest.json").read_text(encoding="utf-8"))
    again = load(first / "scenario.resolved.yaml")
    numbers = range(manifest["first_replication"], manifest["first_replication"] + manifest["replications"])
    second = run_into(
        again,
        tmp_path / "second",
        Asked(replications=numbers, seed=manifest["seed"], keeps_journal=manifest["journal"]),
    )
    assert digest(first) == digest(second)
    stored = {name: hashlib.sha256((first / name).read_bytes()).hexdigest() for name in manifest["results"]}
    assert manifest["results"] == stored


def test_memory_of_what_waits_is_bounded(play: ScenarioFile, tmp_path: pathlib.Path) -> None:
    """However many replications are asked for, only a few batches are handed out ahead."""
    ahead: list[int] = []
    written = [0]

    class Pool(concurrent.futures.ThreadPoolExecutor):
        handed = 0

        def submit(self, fn, /, *args, **kwargs):  # type: ignore[no-untyped-def]
            Pool.handed += len(args[2])
            ahead.append(Pool.handed - written[0])
            return super().submit(fn, *args, **kwargs)

    def count(done: int, _: int) -> None:
        written[0] = done

    with Pool(2) as pool:
        run_into(play, tmp_path / "run", asked(60), executor=pool, progress=count)
    assert max(ahead) <= 7 * len(batches_of(range(60))[0])
