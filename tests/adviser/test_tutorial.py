"""The tutorial is what happens: its commands are run, and print what it shows."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from sacrepro.adviser.advice import Advice, AgentRow, KappaRow
from sacrepro.adviser.evaluation import AgentValue, Compared, Evaluation, Return
from sacrepro.adviser.measured import MeasuredDecay
from sacrepro.adviser.pilot import KappaReturn, Pilot, RunRow, Trained
from sacrepro.adviser.settings import Proposal

TUTORIAL = (Path(__file__).parents[2] / "paper/tutorial.md").read_text()
SHELL, GRADIENT, LEARNING = re.findall(r"```sh\n(.*?)```", TUTORIAL, flags=re.DOTALL)
PYTHON, LAW = re.findall(r"```python\n(.*?)```", TUTORIAL, flags=re.DOTALL)
ANSWER, OF_GRADIENT, RETURNS, STEPS, LEARNED = re.findall(r"```text\n(.*?)```", TUTORIAL, flags=re.DOTALL)


#: Records that become files, by the verb that writes them.
FILES = {
    "advise": (KappaRow, Advice, AgentRow, MeasuredDecay, Pilot),
    "train": (RunRow, Trained, Proposal, Return, KappaReturn),
    "evaluate": (Evaluation, AgentValue, Compared),
}


def test_an_equation_is_told_from_a_value_that_says_nothing():
    """(5) in a row is a bound of 5 that is no better than knowing nothing."""
    header = next(line for line in ANSWER.splitlines() if line.startswith("κ "))
    assert "eq. (5), uniform" in header
    assert not re.search(r"(?<!eq. )\(5\)", header)


@pytest.mark.parametrize("verb", FILES)
def test_every_column_and_key_is_explained(verb):
    """By name, in the tables of the verb that writes it; and what is explained is there."""
    tables = TUTORIAL.split("## What the files hold")[1].split("\n## ")[0].split("\n\n")
    own = "\n".join(table for table in tables if f"of `{verb}`" in table.split("\n")[0])
    told = set(re.findall(r"`(\w+)`", own)) - {"text", verb, "rows", "runs", "train"}
    assert told == {name for kind in FILES[verb] for name in kind._fields} - {"text", "rows", "runs"}


def test_from_an_edge_list_to_an_answer_in_ten_lines(tmp_path):
    assert len(SHELL.splitlines()) == 10
    # The console script may not be on the path of the tests.
    script = f'sacrepro() {{ "{sys.executable}" -m sacrepro "$@"; }}\n'
    done = subprocess.run(["bash", "-euc", script + SHELL], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ANSWER
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "friends.csv",
        "friends.svg",
        "friends.txt",
        "friends.yaml",
    ]
    done = subprocess.run(["bash", "-euc", script + GRADIENT], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, OF_GRADIENT), done.stderr
    done = subprocess.run([sys.executable, "-c", PYTHON + LAW], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    first, steps = done.stdout.split("\n", 1)
    assert steps == STEPS
    before, after = map(float, re.findall(r"\d+\.\d+", first))
    told = [float(number) for number in re.findall(r"\d+\.\d+", RETURNS)]
    assert (before, after) == pytest.approx(told, abs=0.05)
    assert after > before + 0.2
    done = subprocess.run(["bash", "-euc", script + LEARNING], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    # Another machine may round otherwise, which a run of two thousand iterations magnifies.
    number = r"[-+]?\d+\.\d+|\d+(?=%)|(?<=seed )\d+|\d+e-\d+"
    assert re.sub(rf" *(?:{number})", " N", done.stdout) == re.sub(rf" *(?:{number})", " N", LEARNED)
    found, told = ([float(x) for x in re.findall(r"\d+\.\d\d+", text)] for text in (done.stdout, LEARNED))
    assert found == pytest.approx(told, abs=0.5)
