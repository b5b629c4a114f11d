"""The page of short recipes: each runs as it stands, in an empty folder, and prints what it says, in 15 lines."""

import importlib
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "paper/how_do_i.md").read_text()
PARTS = [part.partition("\n") for part in PAGE.split("\n## ")[1:]]
RECIPES = {heading: "".join(re.findall(r"```python\n(.*?)```", body, flags=re.DOTALL)) for heading, _, body in PARTS}
#: Libraries that not everybody has and the extras that bring them, by what a recipe imports.
DOORS = {
    "frames": ("pandas", "pandas"),
    "adapters.pettingzoo": ("pettingzoo", "pettingzoo"),
    "adapters.quantecon": ("quantecon", "quantecon"),
    "umbi": ("umbi", "umb"),
    "rddl": ("pyRDDLGym", "rddl"),
}


@pytest.mark.parametrize("heading", RECIPES)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_recipe_runs_and_prints_what_it_says(heading, tmp_path, monkeypatch, capsys):
    code = RECIPES[heading]
    for door, (library, extra) in DOORS.items():
        if door in code:
            pytest.importorskip(library, reason=f"{library} is not installed: pip install -e '.[{extra}]'")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "agg")
    exec(compile(code, heading, "exec"), {"__name__": "recipe"})
    promised = re.findall(r"# → (.*)$", code, flags=re.MULTILINE)
    assert capsys.readouterr().out.splitlines() == promised
    assert promised or (tmp_path / "learning.svg").exists()


@pytest.mark.parametrize("heading", RECIPES)
def test_a_recipe_is_short(heading):
    """15 lines, empty ones and promises left out."""
    assert 0 < sum(bool(line) and not line.startswith("# →") for line in RECIPES[heading].splitlines()) <= 15


def test_the_table_leads_to_every_recipe():
    links = re.findall(r"\]\(#([^)]+)\)", PAGE)
    assert sorted(links) == sorted(re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in RECIPES)
    assert len(RECIPES) > 15


def test_nothing_of_the_doors_is_imported_by_the_core():
    """Every public name, and none of the libraries behind the doors."""
    libraries = {
        "pandas",
        "xarray",
        "pettingzoo",
        "gymnasium",
        "quantecon",
        "umbi",
        "tqdm",
        "pyRDDLGym",
        "rddlrepository",
    }
    code = (
        "import sys, sacrepro\n"
        "for name in sacrepro.__all__: getattr(sacrepro, name)\n"
        f"print(sorted({libraries} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("module", "library", "extra"),
    [
        ("adapters.frames", "pandas", "pandas"),
        ("adapters.pettingzoo", "pettingzoo", "pettingzoo"),
        ("adapters.quantecon", "quantecon", "quantecon"),
        ("adapters.umb", "umbi", "umb"),
        ("adapters.rddl", "pyRDDLGym", "rddl"),
        ("study.drawings", "matplotlib", "workflow"),
    ],
)
def test_a_door_to_a_library_that_is_not_there_names_the_extra(monkeypatch, module, library, extra):
    for loaded in [name for name in sys.modules if f"{name}.".startswith((f"sacrepro.{module}.", f"{library}."))]:
        monkeypatch.delitem(sys.modules, loaded)
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(
        ModuleNotFoundError, match=rf"; in the folder of the repository, pip install -e '\.\[{extra}\]'"
    ):
        importlib.import_module(f"sacrepro.{module}")


def test_extras_are_those_of_this_folder_which_no_index_has():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    files = [
        ROOT / "README.md",
        *(path for room in ("paper", "sacrepro") for path in (ROOT / room).rglob("*.[mp][dy]")),
    ]
    told = [(path, line) for path in files for line in path.read_text().splitlines() if "pip install" in line]
    assert not [f"{path}: {line}" for path, line in told if re.search(r"pip install .*sacrepro\b", line)]
    named = [name for _, line in told for name in re.findall(r"'\.\[(\w+)\]'", line)]
    assert len(named) > 5
    assert set(named) <= {*extras}
