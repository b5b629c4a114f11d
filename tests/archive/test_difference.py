"""What differs between two trees is named, and what is recorded is checked."""

import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest

from sacrepro import cli
from sacrepro.archive.files import write_arrays, write_json, write_text
from sacrepro.archive.manifest import circumstances, departures, manifest, recorded_files, seeds, tree_differences

CONFIG = {"policies": {"count": 1, "seed": 3}, "sac": {"relay": {"seeds": 4}}}


def tree(folder, value=1.0, text="same"):
    write_arrays(folder / "a.npz", {"V": np.array([[1.0, 2.0], [value, np.inf]]), "name": np.array("relay")})
    write_text(folder / "rows.csv", f"agent,left\n0,{value!r}\n1,nan\n")
    write_text(folder / "note.txt", text)
    write_json(folder / "config.json", {"gamma": value})
    return folder


def lines(one, other, tolerance=0.0):
    return [str(line) for line in tree_differences(one, other, tolerance)]


def test_equal_trees_do_not_differ(tmp_path):
    assert lines(tree(tmp_path / "one"), tree(tmp_path / "two")) == []


def test_every_difference_is_named_with_its_place_and_size(tmp_path):
    found = lines(tree(tmp_path / "one"), tree(tmp_path / "two", 1.25, "other"))
    assert found == [
        "a.npz, array V: 1 of 4 numbers differ, at most by 0.25: 1.0 and 1.25 at [1, 0]",
        "config.json, gamma: 1.0 and 1.25",
        "note.txt: bytes differ (4 and 5)",
        "rows.csv, column left: 1 of 2 numbers differ, at most by 0.25: 1.0 and 1.25 at [0]",
    ]


def test_a_file_is_not_compared_with_a_folder(tmp_path):
    one = tree(tmp_path / "one")
    for pair in ((one, one / "a.npz"), (one / "a.npz", one)):
        with pytest.raises(ValueError, match=r"one is a folder and .*a\.npz is a file; expected two of one kind"):
            lines(*pair)


def test_missing_files_arrays_columns_and_rows_are_named(tmp_path):
    one, two = tree(tmp_path / "one"), tree(tmp_path / "two")
    write_text(one / "extra.txt", "x")
    write_arrays(two / "a.npz", {"V": np.zeros(3), "W": np.zeros(1)})
    write_text(two / "rows.csv", "agent,right\n0,1\n1,2\n2,3\n")
    found = " ".join(lines(one, two))
    for part in ("only in", "array V: float64(2, 2) and float64(3,)", "array W", "column left", "2 and 3 rows"):
        assert part in found


def test_the_tolerance_is_relative_and_forgives_numbers_only(tmp_path, capsys):
    one, two = tree(tmp_path / "one"), tree(tmp_path / "two", 1.0 + 1e-9)
    for name in ("config.json",):
        (two / name).write_bytes((one / name).read_bytes())
    cli.main(["diff", str(one), str(two), "--tolerance", "1e-8"])
    assert "(within the tolerance)" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        cli.main(["diff", str(one), str(two), "--tolerance", "1e-10"])
    write_text(two / "note.txt", "x")
    with pytest.raises(SystemExit):
        cli.main(["diff", str(one), str(two), "--tolerance", "1"])


def test_infinities_and_not_a_number_count_unless_equal(tmp_path):
    for name, values in (("one", [np.inf, np.nan, 1.0]), ("two", [np.inf, np.nan, np.nan])):
        write_arrays(tmp_path / name / "a.npz", {"x": np.array(values)})
    (found,) = tree_differences(tmp_path / "one", tmp_path / "two", 1e9)
    assert found.matters
    assert "1 of 3" in found.what


def test_a_folder_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(ValueError, match="nowhere does not exist"):
        lines(tmp_path / "nowhere", tmp_path)


def test_edited_and_unreadable_files_are_compared_too(tmp_path):
    one, two = tree(tmp_path / "one"), tree(tmp_path / "two")
    (two / "rows.csv").write_text("agent,left\n0,2.0\n1,nan\n")
    (two / "note.txt").write_text("edited")
    (two / "a.npz").write_bytes(b"PK")
    (two / "config.json").write_text("{")
    found = " ".join(lines(one, two))
    for part in (
        "rows.csv, column left: 1 of 2 numbers differ, at most by 1:", "note.txt: bytes differ (4 and 6)",
        "a.npz: ", "a.npz is not a readable npz file", "config.json is not JSON",
    ):  # fmt: skip
        assert part in found
    (two / "rows.csv").write_text("")
    assert "rows.csv is empty" in " ".join(lines(one, two))


def test_a_manifest_records_config_seeds_code_versions_and_files_and_notices_changes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = tree(tmp_path / "results")
    paths = ["results/a.npz", "results/rows.csv", "results/config.json"]
    made = manifest(CONFIG, recorded_files(paths))
    assert made["seeds"] == {"policies.seed": 3, "sac.relay.seeds": 4} == dict(seeds(CONFIG))
    assert set(made["files"]) == set(paths) == set(recorded_files(["results"])) - {"results/note.txt"}
    assert {"python", "numpy", "numba"} <= set(made["versions"])
    assert departures(made, folder) == departures(made, Path("results")) == []
    (folder / "a.npz").write_bytes(b"PK")
    write_text(folder / "rows.csv", "agent\n")
    (folder / "config.json").unlink()
    assert departures(made, folder) == [
        "results/a.npz: not as recorded in the manifest",
        "results/config.json: missing",
        "results/rows.csv: not as recorded in the manifest",
    ]
    with pytest.raises(ValueError, match="absent does not exist, expected a file or a folder"):
        recorded_files(["results", "absent"])


def test_the_verbs_record_and_check_a_tree_under_any_name(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    tree(tmp_path / "results")
    write_text("figures/lemma4.svg", "<svg/>")
    cli.main(["config", '{"policies": {"seed": 0}}', "--output", "results/config.json"])
    (tmp_path / "logs/benchmarks").mkdir(parents=True)
    (tmp_path / "logs/benchmarks/exact.tsv").write_text("s\th:m:s\n1.5\t0:00:01\n")
    record = ["manifest", "results", "figures/lemma4.svg", "--config", "results/config.json", "--log", "logs/run.json"]
    cli.main([*record, "--output", "results/manifest.json"])
    first = (tmp_path / "results/manifest.json").read_bytes()
    cli.main([*record, "--output", "results/manifest.json"])
    assert (tmp_path / "results/manifest.json").read_bytes() == first
    assert circumstances(tmp_path / "logs")["durations"] == {"exact": 1.5}
    shutil.copytree("results", tmp_path / "elsewhere" / "copy")
    capsys.readouterr()
    for asked in ("results/manifest.json", "results", "results/"):
        cli.main(["check", asked])
        assert "results/manifest.json: 5 files are as recorded" in capsys.readouterr().out
    for name in ("one.zip", "two.zip"):
        cli.main(["release", "results", "--output", name])
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    with zipfile.ZipFile("one.zip") as packed:
        packed.extractall("unpacked")
    cli.main(["check", "unpacked/results"])
    assert "unpacked/results/manifest.json: 5 files are as recorded" in capsys.readouterr().out
    cli.main(["check", "elsewhere/copy"])
    said = capsys.readouterr().out
    assert "1 files of figures: not checked" in said
    assert "copy/manifest.json: 4 files are as recorded" in said
    monkeypatch.chdir(tmp_path / "elsewhere/copy")
    cli.main(["check", "manifest.json"])
    monkeypatch.chdir(tmp_path)
    (tmp_path / "figures/lemma4.svg").unlink()
    (tmp_path / "elsewhere/copy/rows.csv").unlink()
    (tmp_path / "results/note.txt").write_text("else")
    for asked, told in (
        ("results", "figures/lemma4.svg: missing\nresults/note.txt: not as recorded"),
        ("elsewhere/copy", "results/rows.csv: missing"),
    ):
        with pytest.raises(SystemExit):
            cli.main(["check", asked])
        assert told in capsys.readouterr().out
        with pytest.raises(SystemExit):
            cli.main(["release", asked, "--output", "three.zip"])
        assert told in capsys.readouterr().out
        assert not (tmp_path / "three.zip").exists()
