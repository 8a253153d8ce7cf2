"""The house keeps its order: who may import what, what loads when, and how large things may grow."""

from __future__ import annotations

import ast
import inspect
import pathlib
import subprocess
import sys

import pytest

import sim

ROOT = pathlib.Path(__file__).parents[1]
PACKAGE = ROOT / "sim"
MODULES = sorted(p for p in PACKAGE.rglob("*.py") if "data" not in p.relative_to(PACKAGE).parts)
ROOMS = ("scenario", "line", "force", "watch", "lineclock", "campaign", "results", "study", "report", "cli")
HEAVY = (
    "geopandas",
    "matplotlib",
    "numba",
    "pandas",
    "pyarrow",
    "pydantic",
    "pyproj",
    "rich",
    "scipy",
    "shapely",
    "simpy",
)


def loaded_by(statement: str) -> set[str]:
    """Top-level modules that a fresh interpreter has after a statement."""
    code = f"import sys\n{statement}\nprint(' '.join(sorted({{m.split('.')[0] for m in sys.modules}})))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(done.stdout.split())


def test_help_loads_nothing_heavy() -> None:
    statement = "from sim.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass"
    assert not loaded_by(statement).intersection({*HEAVY, "numpy", "yaml"})


def test_the_test_of_lazy_loading_can_fail() -> None:
    assert "numpy" in loaded_by("import numpy")


@pytest.mark.parametrize("name", ["check", "estimate", "explain", "schema"])
def test_commands_that_answer_at_once_leave_the_engine_alone(name: str) -> None:
    here = loaded_by(f"import sim.cli.{name}")
    assert not here.intersection({"numba", "simpy", "matplotlib", "geopandas", "pandas", "pyarrow", "rich"})


def test_checking_the_flagship_needs_neither_the_compiler_nor_tables() -> None:
    statement = "from sim.cli import main\nmain(['check', 'scenarios/eight_hundred_miles.yaml'])"
    here = loaded_by(statement)
    assert not here.intersection({"numba", "simpy", "matplotlib", "geopandas", "pandas", "pyarrow", "rich"})


def test_workers_load_no_pictures_and_no_tables_of_statistics() -> None:
    here = loaded_by("import sim.study.replicate")
    assert not here.intersection({"matplotlib", "geopandas", "pandas", "rich", "shapely"})


def test_the_front_door_is_small_and_says_what_it_is() -> None:
    assert sorted(sim.__all__) == list(sim.__all__)
    assert len(sim.__all__) <= 12
    assert dir(sim) == sorted(sim.__all__)
    for name in sim.__all__:
        public = getattr(sim, name)
        assert public.__doc__, f"sim.{name} has no docstring"
    with pytest.raises(AttributeError, match="module 'sim' has no attribute 'simulate'"):
        sim.simulate  # noqa: B018


@pytest.mark.parametrize("name", ["check", "estimate", "load", "open_run", "run"])
def test_front_door_docs_name_every_parameter(name: str) -> None:
    function = getattr(sim, name)
    told = inspect.getdoc(function) or ""
    for parameter in inspect.signature(function).parameters:
        if parameter not in ("scenario", "path", "folder"):
            assert parameter in told, f"the docstring of sim.{name} does not mention {parameter}"


def test_every_room_says_what_it_is_for() -> None:
    for room in ROOMS:
        text = ast.get_docstring(ast.parse((PACKAGE / room / "__init__.py").read_text(encoding="utf-8")))
        assert text, f"sim/{room} has no docstring"
        assert len(text) > 10, f"sim/{room}: {text!r}"


@pytest.mark.parametrize("module", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_modules_stay_small_or_say_why(module: pathlib.Path) -> None:
    text = module.read_text(encoding="utf-8")
    lines = text.count("\n")
    reasoned = "on purpose" in (ast.get_docstring(ast.parse(text)) or "")
    assert lines <= 400 or reasoned, f"{module} has {lines} lines and no reason in its docstring"


def test_no_module_is_called_utils() -> None:
    assert not [p for p in MODULES if p.stem in ("utils", "helpers", "common", "misc", "manager")]


def test_no_scenario_is_ever_evaluated() -> None:
    """No eval, exec, compile, pickle of input or import by name from data anywhere in the package."""
    for module in MODULES:
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in ("eval", "exec", "compile", "__import__"), (
                    f"{module}:{node.lineno}"
                )
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [a.name for a in node.names] + [getattr(node, "module", "") or ""]
                assert not {"pickle", "marshal", "shelve"}.intersection(names), f"{module}:{node.lineno}"


def test_randomness_is_keyed_and_nowhere_global() -> None:
    for module in MODULES:
        text = module.read_text(encoding="utf-8")
        assert "np.random" not in text, f"{module} draws from numpy's generator"
        assert "import random" not in text, f"{module} draws from the global generator"
