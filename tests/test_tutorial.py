"""The tutorial is what happens: its commands are run, and print what it shows."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

TUTORIAL = (Path(__file__).parent.parent / "paper/tutorial.md").read_text()
SHELL, LEARNING = re.findall(r"```sh\n(.*?)```", TUTORIAL, flags=re.DOTALL)
PYTHON = re.search(r"```python\n(.*?)```", TUTORIAL, flags=re.DOTALL).group(1)
ANSWER, RETURNS, LEARNED = re.findall(r"```text\n(.*?)```", TUTORIAL, flags=re.DOTALL)


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
    done = subprocess.run([sys.executable, "-c", PYTHON], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    before, after = map(float, re.findall(r"\d+\.\d+", done.stdout))
    told = [float(number) for number in re.findall(r"\d+\.\d+", RETURNS)]
    assert (before, after) == pytest.approx(told, abs=0.05)
    assert after > before + 0.2
    done = subprocess.run(["bash", "-euc", script + LEARNING], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    # Another machine may round otherwise, which a run of two thousand iterations magnifies.
    number = r"\d+\.\d+|\d+(?=%)|(?<=seed )\d+|\d+e-\d+"
    assert re.sub(rf" *(?:{number})", " N", done.stdout) == re.sub(rf" *(?:{number})", " N", LEARNED)
    found, told = ([float(x) for x in re.findall(r"\d+\.\d\d+", text)] for text in (done.stdout, LEARNED))
    assert found == pytest.approx(told, abs=0.5)
