"""The tutorial is what happens: its commands are run, and print what it shows."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

TUTORIAL = (Path(__file__).parent.parent / "paper/tutorial.md").read_text()
SHELL = re.search(r"```sh\n(.*?)```", TUTORIAL, flags=re.DOTALL).group(1)
PYTHON = re.search(r"```python\n(.*?)```", TUTORIAL, flags=re.DOTALL).group(1)
ANSWER, RETURNS = re.findall(r"```text\n(.*?)```", TUTORIAL, flags=re.DOTALL)


def test_from_an_edge_list_to_an_answer_in_ten_lines(tmp_path):
    assert len(SHELL.splitlines()) == 10
    # The console script may not be on the path of the tests.
    script = f'sacrepro() {{ "{sys.executable}" -m sacrepro "$@"; }}\n{SHELL}'
    done = subprocess.run(["bash", "-euc", script], cwd=tmp_path, capture_output=True, text=True)
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
