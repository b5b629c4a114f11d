"""Files appear whole or not at all; same content, same bytes; damaged files are named."""

import io
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from matplotlib.figure import Figure

from sacrepro.archive import files as store


class Row(NamedTuple):
    name: str
    agent: int
    value: float


ROWS = [Row("a, b", 0, 0.1), Row("κ", 3, float("inf")), Row("", -1, 1e-300)]


def test_rows_come_back_with_every_digit(tmp_path):
    store.write_rows(tmp_path / "new" / "rows.csv", Row, ROWS)
    assert store.read_rows(tmp_path / "new" / "rows.csv", Row) == ROWS


def test_arrays_come_back_and_same_content_has_same_bytes(tmp_path):
    arrays = {"V": np.random.default_rng(0).random((2, 3)), "name": np.array("kite")}
    for name in ("one", "two"):
        store.write_arrays(tmp_path / f"{name}.npz", arrays)
    back = store.read_arrays(tmp_path / "one.npz")
    assert np.array_equal(back["V"], arrays["V"])
    assert str(back["name"]) == "kite"
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()


def test_json_comes_back(tmp_path):
    store.write_json(tmp_path / "a.json", {"κ": [1, 2.5]})
    assert store.read_json(tmp_path / "a.json") == {"κ": [1, 2.5]}


def test_a_failing_writer_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "rows.csv"
    store.write_text(path, "old")

    def fails():
        with store.whole_file(path) as file:
            file.write(b"half")
            raise RuntimeError("disk on fire")

    with pytest.raises(RuntimeError):
        fails()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["rows.csv"]


def test_written_files_have_ordinary_permissions(tmp_path):
    store.write_text(tmp_path / "a.txt", "x")
    (tmp_path / "b.txt").write_text("x")
    assert (tmp_path / "a.txt").stat().st_mode == (tmp_path / "b.txt").stat().st_mode


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,agent\n", r"has columns \['name', 'agent'\], expected \['name', 'agent', 'value'\]"),
        ("", "begins without a line of columns"),
        ("name,agent,value\na,1_0,2\n", "line 2, column agent: '1_0' is not int"),
        ("name,agent,value\na,1,2\nb,1,2", "line 3: the line has no end"),
        ("name,agent,value\na,1\n", "line 2: 2 values, expected 3"),
        ("name,agent,value\na,1,2\nb,1.5,2\n", "line 3, column agent: '1.5' is not int"),
    ],
)
def test_damaged_rows_are_named(tmp_path, text, message):
    path = tmp_path / "rows.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=rf"rows\.csv.*{message}"):
        store.read_rows(path, Row)


def test_a_truncated_archive_is_named(tmp_path):
    path = tmp_path / "V.npz"
    store.write_arrays(path, {"V": np.zeros(1000)})
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(ValueError, match=r"V\.npz is not a readable npz file"):
        store.read_arrays(path)
    with pytest.raises(FileNotFoundError):
        store.read_arrays(tmp_path / "absent.npz")


def test_figures_have_no_dates_and_known_formats(tmp_path):
    for suffix in ("svg", "pdf", "png"):
        for name in ("one", "two"):
            figure = Figure()
            figure.subplots().plot([1, 2])
            from sacrepro.study.drawings.panels import house_style

            with house_style():
                store.write_figure(figure, tmp_path / f"{name}.{suffix}")
        assert (tmp_path / f"one.{suffix}").read_bytes() == (tmp_path / f"two.{suffix}").read_bytes()
    with pytest.raises(ValueError, match="a figure is written as"):
        store.write_figure(Figure(), tmp_path / "one.bmp")


def test_a_figure_keeps_thousandths_of_a_point_whole_scales_and_its_labels(tmp_path):
    """Size in git: digits that no screen shows go, those of a label or of the scale of its letters stay."""
    figure = Figure(figsize=(3.0, 2.0))
    axes = figure.subplots()
    axes.plot([0.0, 1.0, 3.0], [1.0, 2.0, 1.0 / 3.0])
    axes.set_title("0.123456")
    with io.BytesIO() as whole:
        figure.savefig(whole, format="svg")
        as_drawn = whole.getvalue().decode()
    store.write_figure(figure, tmp_path / "one.svg")
    written = (tmp_path / "one.svg").read_text()
    assert "<!-- 0.123456 -->" in written
    assert "scale(0.015625)" in written

    def numbers(svg, name):
        """Those of the curve and of the letters."""
        return [float(x) for line in re.findall(name, svg) for x in re.findall(r"-?\d+\.\d+|-?\d+", line)]

    for name in (r"^L (.*)$", r'transform="(.*?)"'):
        pattern = re.compile(name, re.MULTILINE)
        np.testing.assert_allclose(numbers(written, pattern), numbers(as_drawn, pattern), rtol=0.0, atol=1e-3)
    assert len(written) < len(as_drawn)


def test_what_was_changed_since_a_job_wrote_it_is_found(tmp_path, monkeypatch):
    """By hand, by git, by a failing disk; not what is gone or written again; what no job noted is told apart."""
    monkeypatch.chdir(tmp_path)
    ledger, figure, rows, mine = map(Path, ("new/.written", "figures/a.svg", "rows.csv", "mine.csv"))
    asked = [rows, figure, mine]
    assert store.changed_files(ledger, asked) == ([], [])
    store.write_text(mine, "a person's")
    monkeypatch.setenv(store.LEDGER, str(ledger))
    store.write_rows(rows, Row, ROWS)
    for text in ("first", "second"):
        store.write_text(figure.absolute(), text)
    assert store.changed_files(ledger, asked) == ([], [mine])
    rows.write_text(rows.read_text().rsplit("\n", 2)[0] + "\n")  # a table that lost its last row is still a table
    figure.write_text("first")  # what git holds is what an earlier run drew
    assert store.changed_files(ledger, asked) == ([figure, rows], [mine])
    assert store.changed_files(ledger, [rows]) == ([rows], [])
    rows.unlink()
    assert store.changed_files(ledger, asked) == ([figure], [mine])
    store.write_text(figure, "third")
    assert store.changed_files(ledger, asked) == ([], [mine])
    with open(ledger, "ab") as notes:
        notes.write(b"\nabc")  # a full disk
    store.write_text(rows, "whole")
    rows.write_text("half")
    assert store.changed_files(ledger, asked) == ([rows], [mine])


def test_a_ledger_notes_results_alone(tmp_path, monkeypatch):
    """Not what is beside the folder of the run, hidden in it, or a log."""
    folder = tmp_path / "run"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv(store.LEDGER, ".written")
    for path in (tmp_path / "try.v", "../law.v", "paper/.checked/law.v", "logs/run.json", "results/a.csv"):
        store.write_text(path, "whole")
    store.write_text(folder / "figures/a.svg", "whole")
    lines = Path(".written").read_text().split("\n")[1:]
    assert [line.partition("  ")[2] for line in lines] == ["results/a.csv", "figures/a.svg"]


def test_what_a_killed_writer_left_is_swept_by_the_next(tmp_path):
    (tmp_path / ".rows.csv.abc12345.part").write_text("half")
    (tmp_path / ".other.csv.abc12345.part").write_text("half")
    store.write_text(tmp_path / "rows.csv", "whole")
    assert sorted(os.listdir(tmp_path)) == [".other.csv.abc12345.part", "rows.csv"]
    assert list(store.files_below(tmp_path)) == ["rows.csv"]


def test_a_live_writer_keeps_its_file_and_the_last_one_wins(tmp_path):
    path = tmp_path / "rows.csv"
    with store.whole_file(path) as slow:
        slow.write(b"slow")
        store.write_text(path, "quick")
        assert path.read_text() == "quick"
    assert path.read_text() == "slow"
    assert os.listdir(tmp_path) == ["rows.csv"]


def test_processes_that_write_one_file_at_once_all_succeed(tmp_path):
    """The last writer's file is whole, and every line of the ledger is."""
    path = tmp_path / "rows.csv"
    program = (
        "import sys\nfrom sacrepro.archive.files import write_text\n"
        "for _ in range(40): write_text(sys.argv[1], sys.argv[2] * 9999)"
    )
    environment = os.environ | {store.LEDGER: ".written", "PYTHONPATH": str(Path(store.__file__).parents[2])}
    command = [sys.executable, "-c", program, path.name]
    writers = [
        subprocess.Popen([*command, letter], env=environment, cwd=tmp_path, stderr=subprocess.PIPE) for letter in "abc"
    ]
    assert [writer.communicate()[1] for writer in writers] == [b""] * 3
    assert store.read_text(path) in {letter * 9999 for letter in "abc"}
    assert [own for own in os.listdir(tmp_path) if own.endswith(".part")] == []
    assert {len(line) for line in (tmp_path / ".written").read_text().split("\n")[1:]} == {64 + 2 + len(path.name)}


def test_a_place_is_refused_where_no_file_can_be(tmp_path, monkeypatch):
    """Whatever is allowed can be written, folders above it included; whatever is refused leaves no folder."""
    longest = tmp_path / "new" / ("x" * store.LONGEST_NAME)
    store.check_place(longest)
    assert not longest.parent.exists()
    store.write_text(longest, "")
    for place, message in (
        (tmp_path / "other" / f"{longest.name}x", "its name has more than 240 bytes"),
        (tmp_path, "is a folder, expected the name of a file"),
        (longest / "other" / "a.csv", "is not a folder"),
    ):
        with pytest.raises(ValueError, match=message):
            store.check_place(place)
    monkeypatch.setattr("os.access", lambda *_: False)  # as for anybody but root in a folder of root's
    with pytest.raises(ValueError, match=r"a\.csv cannot be written: no permission in the folder"):
        store.check_place(tmp_path / "other" / "a.csv")


def test_an_npz_file_holds_named_arrays(tmp_path):
    np.save(tmp_path / "one.npy", np.ones(2))
    with pytest.raises(ValueError, match=r"one\.npy is not a readable npz file: it holds one array without a name"):
        store.read_arrays(tmp_path / "one.npy")
