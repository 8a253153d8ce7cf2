"""The register of claims and figures: what is in it, how it is cited, and what it refuses."""

from __future__ import annotations

import pathlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

import sim.scenario.claims as claims_module
from sim.errors import ScenarioError
from sim.scenario.claims import Figure, data_root, load, register, source_for

CLAIM = """\
C01:
  says: A line is proposed.
  by: somebody
  outlet: a paper
  date: January 2025
  parametrises: [line.length]
  confidence: reported
  note: None so far.
"""
FIGURE = """\
F-1a-line:
  fact: Length of the line
  value: 800
  unit: mi
  flag: primary
  source: a paper
  date: January 2025
  section: "1a"
"""
DERIVED = """\
F-1b-per-mile:
  fact: Soldiers per mile
  value: 10
  unit: soldiers per mile
  flag: derived
  source: "derived from F-1a-line, C01: 8,000 / 800"
  section: "1b"
"""


def written(folder: pathlib.Path, claims: str = CLAIM, figures: str = FIGURE + DERIVED) -> pathlib.Path:
    (folder / "claims.yaml").write_text(claims, encoding="utf-8")
    (folder / "figures.yaml").write_text(figures, encoding="utf-8")
    return folder


def refusal(folder: pathlib.Path) -> str:
    """The whole message, file names without their folder."""
    with pytest.raises(ScenarioError) as refused:
        load(folder)
    return str(refused.value).replace(f"{folder}/", "")


# --- what is in it


def test_all_claims_are_there_in_order():
    assert list(register().claims) == [f"C{n:02d}" for n in range(1, 23)]


def test_the_register_is_read_once_and_cannot_be_changed():
    assert register() is register()
    with pytest.raises(TypeError):
        register().claims["C23"] = register().claims["C01"]


def test_ids_are_unique_and_figures_stand_in_their_sections():
    lines = (data_root() / "seeds" / "figures.yaml").read_text(encoding="utf-8").splitlines()
    ids = [line.rstrip(":") for line in lines if re.match(r"F-", line)]
    assert ids == list(register().figures)
    sections = list(dict.fromkeys(figure.section for figure in register().figures.values()))
    assert sections == list(claims_module.SECTIONS)


def test_every_figure_says_where_it_comes_from():
    for id, figure in register().figures.items():
        if figure.flag == "derived":
            assert figure.parents, id
        elif figure.flag != "unverified":
            named = [address for address in figure.source.split(" ; ") if not address.startswith("http")]
            assert all(re.fullmatch(r"(Newsweek|Express).* \d{4}", press) for press in named), id
        assert figure.date or figure.flag == "derived", id


def test_derived_figures_name_parents_that_exist():
    known = {*register().figures, *register().claims}
    for id, figure in register().figures.items():
        assert set(figure.parents) <= known - {id}, id


def test_what_is_unverified_shows_it_in_its_id():
    for id, figure in register().figures.items():
        assert (figure.flag == "unverified") == id.startswith("F-10-"), id


def answer(figure: Figure) -> float | None:
    """What the formula of a derived figure comes to, or None when it is words."""
    formula = figure.source.partition(": ")[2]
    if not re.fullmatch(r"[-+/x0-9., ()]+", formula):
        return None
    number = float(eval(formula.replace(",", "").replace("x", "*")))
    return 100 * number if figure.unit.startswith("per cent") else number


def rounds_to(number: float, value: float) -> bool:
    """Thousands are given to 1 per cent, lesser values to the digits that they show."""
    if value >= 1000:
        return value == pytest.approx(number, rel=0.01)
    return f"{value:g}" in {f"{number:.{digits}g}" for digits in range(1, 8)}


def test_the_arithmetic_of_derived_figures_holds():
    answers = {id: answer(figure) for id, figure in register().figures.items()}
    values = {id: figure.value for id, figure in register().figures.items()}
    checked = [id for id in answers if answers[id] is not None and isinstance(values[id], int | float)]
    assert len(checked) >= 30
    assert [id for id in checked if not rounds_to(answers[id], values[id])] == []


def test_the_check_of_the_arithmetic_can_fail():
    wrong = register().figures["F-1b-zelensky-per-km"].model_copy(update={"value": 165})
    assert not rounds_to(answer(wrong), wrong.value)


@pytest.mark.parametrize(
    ("id", "amount", "flag"),
    [
        ("F-1a-newsweek", "800 mi", "primary"),
        ("F-1a-default-km", "1,287.475 km", "derived"),
        ("F-1b-radakin-pool", "256,000 soldiers", "secondary"),
        ("F-1b-zelensky", "200,000 soldiers", "secondary"),
        ("F-2a-unmee-density", "1.7 / 2.3 / 4.2 soldiers per km", "derived"),
        ("F-2b-unmee-per-soldier", "0.042 to 0.045 patrols per soldier-day", "derived"),
        ("F-2c-helicopter-ban", "40 per cent", "secondary"),
        ("F-3a-smm-2020", "134,767 violations per year", "secondary"),
        ("F-3b-hot-spots", "76 per cent", "secondary"),
        ("F-3d-truce-life", "2 weeks", "secondary"),
        ("F-4b-uk-interval", "24 months", "primary"),
        ("F-5-seat-garrison", "4.7 soldiers per seat", "derived"),
        ("F-6-bloomberg-year", "75,000 USD per soldier-year", "derived"),
        ("F-9-buffer-width", "4 / 12.5 / 40 km", "derived"),
        ("F-10-smm-2018", "312,554 violations per year", "unverified"),
    ],
)
def test_transcribed_numbers(id, amount, flag):
    figure = register().figures[id]
    assert (figure.amount, figure.flag) == (amount, flag)


# --- how it is cited


def test_a_claim_is_cited_with_its_speaker():
    cited = register().cite("C17")
    assert (cited.kind, cited.ids, cited.text) == ("claim", ("C17",), "C17")
    assert cited.says == (
        "Britain considers committing itself for five years. "
        "(sources without a name; press report, spring 2025; anonymous)"
    )


def test_several_ids_and_a_remark():
    cited = register().cite(" C14, F-1b-times-march: the lower bound, not the hope ")
    assert (cited.kind, cited.ids) == ("mixed", ("C14", "F-1b-times-march"))
    assert cited.text == "C14, F-1b-times-march: the lower bound, not the hope"


def test_a_figure_is_cited_with_its_amount_and_flag():
    cited = register().cite("F-3d-truce-life")
    assert cited.kind == "figure"
    assert cited.says == (
        "Time a truce in Donbas lasted on average before the old level returned: "
        "2 weeks (secondary, 9 August 2018)"
    )


def test_an_assumption_gives_its_reason():
    cited = register().cite("assumption: nobody publishes it: we asked")
    assert (cited.kind, cited.ids, cited.says) == ("assumption", (), "nobody publishes it: we asked")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("F-3b-hotspots", 'no claim or figure is called "F-3b-hotspots"; did you mean "F-3b-hot-spots"?'),
        ("C14, c17", 'no claim or figure is called "c17"; did you mean "C17"?'),
        ("C14,", 'no claim or figure is called ""; write an id such as C14, or "assumption: why"'),
        ("asumption: so", 'no claim or figure is called "asumption"; did you mean "assumption"?'),
        (
            "Thucydides",
            'no claim or figure is called "Thucydides"; write an id such as C14, or "assumption: why"',
        ),
        ("assumption:", 'an assumption must give its reason; write "assumption: why"'),
        ("  ", 'names no source; write an id such as C14, or "assumption: why"'),
    ],
)
def test_what_cannot_be_cited(text, message):
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - the whole message follows
        register().cite(text)
    assert str(refused.value) == message


# --- which source covers a path

UK = ("force", "contingents", "uk", "strength")


@pytest.mark.parametrize(
    ("sources", "path", "covering"),
    [
        ({}, UK, None),
        ({"force": "A"}, UK, "A"),
        ({"force.contingents.uk.strength": "A"}, UK[:3], None),
        ({"force": "A", "force.contingents": "B"}, UK, "B"),
        ({"force.contingents": "A", "force": "B"}, UK, "A"),
        ({"force.contingents.*.strength": "A", "force.contingents.uk": "B"}, UK, "A"),
        ({"force.contingents.*": "A", "force.contingents.uk": "B"}, UK, "B"),
        ({"force.*.uk": "A", "force.contingents.*": "B"}, UK, "B"),
        ({"*": "A"}, UK, "A"),
        ({"*": "A", "force": "B"}, UK, "B"),
        ({"": "A"}, UK, None),
        ({"force.cont": "A"}, UK, None),
        ({"line.stretches[1]": "A"}, ("line", "stretches", 1, "terrain"), "A"),
        ({"line.stretches.1": "A"}, ("line", "stretches", 1), "A"),
        ({"line.stretches[*].to": "A"}, ("line", "stretches", 7, "to"), "A"),
        ({"line.stretches[1]": "A"}, ("line", "stretches", 11), None),
        ({"line": "A"}, (), None),
    ],
)
def test_precedence(sources, path, covering):
    assert source_for(path, sources) == covering


steps = st.lists(st.sampled_from(["a", "b", "c", "*"]), min_size=1, max_size=4)
paths = st.lists(st.sampled_from(["a", "b", "c"]), max_size=5).map(tuple)


@given(st.lists(steps, max_size=6), paths, st.randoms())
def test_the_order_of_the_sources_does_not_matter(patterns, path, luck):
    sources = {".".join(pattern): ".".join(pattern) for pattern in patterns}
    shuffled = list(sources)
    luck.shuffle(shuffled)
    assert source_for(path, sources) == source_for(path, {key: key for key in shuffled})


@given(st.lists(steps, max_size=6), paths)
def test_the_winner_agrees_with_trying_every_rewriting_of_the_path(patterns, path):
    """The slow twin: every way to star a prefix of the path, best first."""
    sources = {".".join(pattern): ".".join(pattern) for pattern in patterns}
    rewritings = []
    for length in range(len(path), 0, -1):
        masks = [[bool(mask >> step & 1) for step in range(length)] for mask in range(2**length)]
        masks.sort(key=lambda stars: (sum(stars), stars))
        rewritings += [
            ".".join("*" if star else step for star, step in zip(stars, path, strict=False))
            for stars in masks
        ]
    assert source_for(path, sources) == next((text for text in rewritings if text in sources), None)


# --- what it refuses


def test_a_small_register_loads(tmp_path):
    small = load(written(tmp_path))
    assert list(small.claims) == ["C01"]
    assert small.figures["F-1b-per-mile"].parents == ("F-1a-line", "C01")


def test_a_missing_source_is_refused(tmp_path):
    folder = written(tmp_path, figures=FIGURE.replace("  source: a paper\n", ""))
    assert refusal(folder) == (
        'figures.yaml:1:1: F-1a-line: "source" is missing\n    hint: every figure states it'
    )


def test_every_fault_is_told_at_once_with_its_line(tmp_path):
    claims = CLAIM.replace("  by: somebody\n", "  buy: somebody\n")
    figures = FIGURE.replace("flag: primary", "flag: prime").replace("  date: January 2025\n", "")
    assert refusal(written(tmp_path, claims, figures)) == (
        'claims.yaml:1:1: C01: "by" is missing\n'
        "    hint: every claim states it\n"
        "claims.yaml:3:3: C01.buy: no such key here\n"
        '    hint: did you mean "by"?\n'
        "figures.yaml:5:3: F-1a-line.flag: input should be 'primary', 'secondary', 'state_media', 'wiki', "
        "'derived' or 'unverified', got 'prime'"
    )


def test_an_orphan_is_refused(tmp_path):
    folder = written(tmp_path, figures=FIGURE + DERIVED.replace("F-1a-line,", "F-1a-lime,"))
    assert refusal(folder) == (
        'figures.yaml:14:3: F-1b-per-mile.source: is derived from "F-1a-lime", which is not in the register\n'
        '    hint: did you mean "F-1a-line"?'
    )


def test_ids_must_agree_with_their_place(tmp_path):
    figures = DERIVED + FIGURE.replace('section: "1a"', 'section: "2a"') + FIGURE.replace("F-1a-", "F-1z-")
    assert refusal(written(tmp_path, CLAIM + CLAIM.replace("C01", "C00"), figures)) == (
        "claims.yaml:9:1: C00: stands after C01\n"
        "    hint: keep claims in the order of their ids\n"
        "figures.yaml:8:1: F-1a-line: stands after section 1b\n"
        "    hint: move it to its own section\n"
        "figures.yaml:15:3: F-1a-line.section: is 2a, but the id says 1a\n"
        "    hint: make them agree\n"
        "figures.yaml:16:1: F-1z-line: is not an id\n"
        "    hint: write F-, a section, and words, such as F-3b-hot-spots"
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            ("  value: 800\n", ""),
            "figures.yaml:1:1: F-1a-line: has neither a value nor a range\n"
            "    hint: write value, or low and high",
        ),
        (
            ("  value: 800\n", "  low: 9\n  high: 4\n"),
            "figures.yaml:3:3: F-1a-line.low: the range 9 / 4 does not rise\n"
            "    hint: write low, then mid, then high",
        ),
        (
            ("flag: primary", "flag: derived"),
            'figures.yaml:6:3: F-1a-line.source: the flag is derived but the source is "a paper"\n'
            '    hint: a derived figure, and no other, is "derived from F-..., F-..."',
        ),
        (
            ("  date: January 2025\n", ""),
            'figures.yaml:1:1: F-1a-line: "date" is missing\n'
            '    hint: write "undated" if the source has none',
        ),
    ],
)
def test_a_figure_that_makes_no_sense_is_refused(tmp_path, change, message):
    assert refusal(written(tmp_path, figures=FIGURE.replace(*change))) == message


def test_a_figure_prints_its_range():
    figure = Figure(
        fact="Force",
        low=25000,
        high=30000,
        unit="soldiers",
        flag="wiki",
        source="x",
        date="2025",
        section="1b",
    )
    assert str(figure) == "Force: 25,000 to 30,000 soldiers (wiki, 2025)"


# --- where it lies


def test_an_installed_package_carries_its_own_register(tmp_path, monkeypatch):
    monkeypatch.setattr(claims_module, "__file__", str(tmp_path / "sim" / "scenario" / "claims.py"))
    assert data_root() == tmp_path.resolve() / "sim" / "data"
    (tmp_path / "seeds").mkdir()
    (tmp_path / "seeds" / "claims.yaml").touch()
    assert data_root() == tmp_path.resolve()
