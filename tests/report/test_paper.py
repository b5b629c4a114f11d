"""The paper has its numbers from a run, and says nothing that the run does not bear out."""

import ast
import json
import math
import re
from pathlib import Path

import pytest
import yaml

from sacrepro.archive.files import write_json, write_rows
from sacrepro.cli import main
from sacrepro.study.claims import CLAIMS
from sacrepro.study.experiments.exact_bias import GRADIENT, MEAN_STEP, STARTS, BiasRow, MeanRow, WarmRow
from sacrepro.study.experiments.locality import LocalityRow
from sacrepro.study.experiments.summary import SummaryRow
from sacrepro.study.experiments.wireless import WirelessRow
from sacrepro.study.record.comparison import Comparison, Verdict
from sacrepro.study.report import paper
from sacrepro.study.report.findings import Evidence, as_place
from sacrepro.study.report.paper import CONDITION, FIELD, borne_out, facts_of, medians

ROOT = Path(__file__).parents[2]
SOURCE = (ROOT / "paper/paper.typ").read_text()
CONDITIONS = CONDITION.findall(SOURCE)
FIELDS = [field for field in FIELD.findall(SOURCE) if not field.startswith("@")]


def row(place, verdict):
    """A row that has this verdict at this place."""
    claim, variant = place
    counterexample = claim == "!"
    statement = f"{variant} …" if counterexample else "x ≤ y"
    ratio, excess = (math.nan, 7654.0) if verdict == "vacuous" else (0.8125, math.nan)
    name = "lemma3" if counterexample else claim
    return Verdict(name, variant, statement, "", 1, 1, 1, 0, ratio, "", excess, 0.0, verdict, "")


def bearing(skipped=None):
    """Evidence for every block of the source, but for one of its conditions."""
    told = dict.fromkeys((field[1:] for field in FIELDS if field.startswith("~")), "12,345")
    rows = {as_place(field): row(as_place(field), "holds") for field in FIELDS if field[0] not in "~!"}
    for place, expected in CONDITIONS:
        refused = "no counterexample" if place.startswith("!") else "violated"
        verdict = refused if place == skipped else expected.split(", ")[0]
        if place.startswith("~"):
            told[place[1:]] = verdict
        else:
            rows[as_place(place)] = row(as_place(place), verdict)
    return Evidence(rows.values(), told)


def test_every_block_stands_where_the_run_bears_it_out_and_has_its_numbers():
    text, objections = borne_out(SOURCE, bearing())
    assert not objections
    assert not FIELD.search(text)
    assert "//:" not in text
    assert "up to a factor 0\\.812" in text
    assert len(CONDITIONS) > 20


@pytest.mark.parametrize("place", sorted({place for place, _ in CONDITIONS}))
def test_a_block_that_is_no_longer_true_goes(place):
    _, objections = borne_out(SOURCE, bearing(place))
    assert objections
    words = ", ".join(filter(None, as_place(place))).removeprefix("~, ")
    assert all(f"for {words}, got" in objection for objection in objections)


def test_conditions_and_fields_name_claims_that_there_are():
    for text in [*(place for place, _ in CONDITIONS), *FIELDS]:
        assert text[0] in "~!" or as_place(text)[0] in CLAIMS, text


def test_fields_name_facts_that_a_run_of_the_whole_study_tells():
    """As somewhere in the study a string, or one with holes, has them; what is told of runs is under their keys."""
    constants, forms = set(), set()
    for path in (Path(paper.__file__).parents[1]).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                constants.add(node.value)
            elif isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
                forms.add("".join(re.escape(x.value) if isinstance(x, ast.Constant) else ".+" for x in node.values))
    told = {field[1:] for field in [*(place for place, _ in CONDITIONS), *FIELDS] if field.startswith("~")}
    assert not [name for name in told - constants if not any(re.fullmatch(form, name) for form in forms)]
    keys = {"objective", *yaml.safe_load((ROOT / "workflow/config/paper.yaml").read_text())}
    assert {name.removeprefix("runs of ") for name in told if name.startswith("runs of ")} <= keys


def test_no_result_is_typed_by_hand():
    """Numbers in sentences are names, such as Lemma 3; those in formulas are of the setting."""
    prose = re.sub(r"^(#|//|  |\)).*$", "", SOURCE, flags=re.MULTILINE)
    names = r"(Lemma|Theorem|Section|Algorithm|Assumption|Equations|line)\s[\d().–]+"
    for other in (r"⟦[^⟧]+⟧", r"\$[^$]*\$", r"@\w+", r"<[\w-]+>", r'"[^"]*"', names):
        prose = re.sub(other, " ", prose)
    assert not [word for word in re.findall(r"[\d.,]*\d", prose) if float(word.strip(",.").replace(",", "")) > 2]


def made(tmp_path, published, *verdicts):
    """The paper of a run that has these verdicts and nothing else."""
    config = {"published": published, "policies": {"count": 2}, "sac": {}}
    write_json(tmp_path / "manifest.json", {"config": config, "versions": {}, "code": "0" * 12})
    write_rows(tmp_path / "claims.csv", Verdict, verdicts)
    output = tmp_path / "paper.pdf"
    sources = ["--template", str(ROOT / "paper/paper.typ"), "--references", str(ROOT / "paper/references.bib")]
    main(["paper", str(tmp_path / "claims.csv"), str(tmp_path / "manifest.json"), *sources, "--output", str(output)])
    return output.read_bytes()


def test_what_a_run_does_not_bear_out_is_left_out_or_where_it_is_published_refused(tmp_path, capsys):
    rows = [row(("lemma3", ""), "tight"), row(("!", "D_i(κ) if r_i is upper bounded by r̄"), "false as written")]
    first = made(tmp_path, False, *rows)
    assert re.search(r"[1-9]\d* blocks left out", capsys.readouterr().out)
    assert made(tmp_path, False, *rows) == first
    with pytest.raises((SystemExit, ValueError)) as caught:
        made(tmp_path, True, *rows)
    assert "holds or tight for lemma4, own hypothesis, got no row" in str(caught.value) + capsys.readouterr().err


def test_facts_about_the_bias_are_about_every_instance():
    def rows(best):
        return [
            BiasRow(name, kappa, T, 1.0, 0.0, 0.1 / (1 + kappa), 2.0, int(kappa == best[name, T]), 0.5)
            for name, T in best
            for kappa in (0, 1)
        ]

    both = {("a", 10): 0, ("a", 99): 0, ("a", 1000): 1, ("b", 10): 0, ("b", 99): 1, ("b", 1000): 1}
    found = dict(paper.bias_facts(rows(both)))
    assert found["bias order"] == "yes"
    assert (found["bias short"], found["bias long"]) == ("10", "1,000")
    assert (found["bias gain"], found["bias share"], found["bias paths"]) == ("2", "5", "2")
    assert dict(paper.bias_facts(rows(both | {("b", 1000): 0})))["bias order"] == "no"
    assert dict(paper.bias_facts(rows(both | {("b", 10): None})))["bias order"] == "no"  # neither κ beyond the errors
    assert dict(paper.bias_facts(rows(both | {("b", 1000): None})))["bias order"] == "no"


def test_what_a_run_did_not_compute_is_no_fact():
    """Without a trivial bound, without the start, at one κ alone, with steps of the runs at one T each."""

    def measured(name, quantity, x=0.0, kappa=0, value=1.0):
        return SummaryRow(name, str(kappa), x, quantity, value, value, value, 4)

    sharp = [Comparison("a", "", "as run", f"M={M} T=5", 0, 0, 1.0, right, 0.1, trivial) for M, right, trivial in (
        (10, 2.0, 8.0), (20, 4.0, math.inf))]  # fmt: skip
    found = dict(paper.sharp_facts(sharp))
    assert found["sharp"] == "not everywhere"
    assert "sharp gain" not in found
    assert found["sharp case"] == "M = 10, T = 5; M = 20, T = 5"
    assert dict(paper.sharp_facts([sharp[0]._replace(right=0.0)]))["sharp"] == "not everywhere"
    ends = [WirelessRow("Algorithm 1", "", kappa, 0, 9, 0.1, 0.0, 1.0) for kappa in (0, 1)]
    assert not {"wireless start", "wireless order"} & dict(paper.wireless_facts(ends)).keys()
    alone = dict(paper.bias_facts([BiasRow("a", 1, 10, 1.0, 0.0, 0.1, 0.0, 1, 0.5)]))
    assert not {"bias gain", "bias share"} & alone.keys()
    assert not dict(paper.critic_facts([measured("a", "to_other")]))
    lengths = dict(paper.critic_facts([measured("a", "to_Q", 10.0), measured("b", "to_Q", 20.0, kappa=1)]))
    assert (lengths["critic short"], lengths["critic long"]) == ("κ = 0", "κ = 1")
    assert "return disagrees" not in dict(paper.return_facts([measured("a", "J")]))
    assert not dict(paper.method_facts([measured("a", "gap")]))
    equal = [measured("a", "gap", kappa=kappa, value=0.5) for kappa in (0, 1)]
    assert dict(paper.exact_critic_facts(equal))["exact critic a"] == "does not fall"
    assert dict(paper.exact_critic_facts([equal[0], equal[1]._replace(iqm=0.4)]))["exact critic a"] == "falls"


def test_facts_about_a_warm_start_are_about_every_instance():
    def rows(ends):
        return [
            WarmRow(name, kappa, start, 100, m, 1.0 if m == 1 else end, 0.0, 2.0)
            for name, own in ends.items()
            for kappa in (0, 1)
            for start, end in zip(STARTS, (1.0, *(own if kappa else (9.0, 9.0))), strict=True)
            for m in ((1, 8) if start == "one loop" else (1, 8, 9))
        ]

    found = dict(paper.warm_facts(rows({"a": (0.25, 0.5), "b": (0.125, 0.75)})))
    assert (found["warm"], found["warm kappa"], found["warm loops"]) == ("helps more than length", "1", "8")
    assert (found["warm left"], found["warm one loop"]) == ("12% to 25%", "50% to 75%")
    for ends in ((0.5, 0.25), (1.5, 2.0)):
        assert dict(paper.warm_facts(rows({"a": (0.25, 0.5), "b": ends})))["warm"] == "mixed"


def test_the_mean_step_is_above_the_seeds_only_beyond_their_noise():
    def rows(top):
        curves = {MEAN_STEP: top, GRADIENT: 9.0, "0": 1.0, "1": 2.0, "2": 3.0}
        return [
            MeanRow("a", 0, 10, eta, run, m, J * m) for eta in (0.5, 5.0) for run, J in curves.items() for m in (0, 1)
        ]

    found = dict(paper.mean_facts(rows(4.0)))  # a standard error of 1/√3
    assert (found["mean step"], found["mean step off"], found["mean step eta"]) == ("above the seeds", "3.5", "5")
    assert dict(paper.mean_facts(rows(3.0)))["mean step"] == "not above the seeds"
    assert dict(paper.mean_facts(rows(0.0)))["mean step"] == "not above the seeds"


def locality(name, joint, localized, uniform, sac):
    """Rows with these J, gaps of their differences and a certificate of 1e-9."""

    def row(policy, J, kappa=0):
        ends = [best - J + sign * 1e-9 for best in (joint, localized) for sign in (-1, 1)]
        return LocalityRow(name, policy, kappa, 24, J, 1e-9, 0.25, *ends)

    yardsticks = [row("best joint", joint), row("best localized", localized), row("uniform", uniform)]
    return yardsticks + [row("SAC", J, kappa) for kappa, J in enumerate(sac)]


def test_facts_about_locality_are_certified_and_about_every_network():
    rows = (
        locality("a", 3.0, 2.5, 1.0, (1.5, 1.75)) + locality("b", 3.0, 3.0, 1.0, ()) + locality("c", 1.0, 1.0, 1.0, ())
    )
    found = dict(paper.locality_facts(rows))
    assert (found["locality of"], found["locality costs"], found["locality most"]) == ("2", "1", "25%")
    assert (found["locality SAC of"], found["locality SAC"], found["locality"]) == ("1", "38%", "SAC leaves more")
    close = dict(paper.locality_facts(locality("a", 3.0, 2.5, 1.0, (2.25,))))
    assert close["locality"] == "SAC does not leave more"
    table = paper.locality_table(rows)
    assert table == [['#raw("a")', "1", "1.75 ± 0.2 ($kappa=1$)", "0.75", "2.5", "0.5", "3"]]
    rows[1] = rows[1]._replace(joint_low=-0.25)
    assert [row[5] for row in paper.locality_table(rows)] == ["0 to 0.5"]


@pytest.mark.parametrize(("ends", "told"), [((-1e-12, 1e-12), "0"), ((0.5, 0.5), "0.5"), ((-1e-12, 0.05), "0 to 0.05")])
def test_a_gap_is_told_with_both_ends_where_they_differ(ends, told):
    assert paper.bracket(*ends) == told


def test_facts_about_the_return_name_the_instances_of_each_kappa():
    def at_the_end(name, values, quantity="J"):
        return [
            SummaryRow(name, str(kappa), m, quantity, value * (m > 0), 0.0, 0.0, 5)
            for kappa, value in enumerate(values)
            for m in (0, 10)
        ]

    rows = at_the_end("a", (3.0, 1.0)) + at_the_end("b", (1.0, 3.0))
    rows += at_the_end("a", (3.0, 1.0), "gradient_norm_squared") + at_the_end("b", (3.0, 1.0), "gradient_norm_squared")
    found = dict(paper.return_facts(rows))
    assert found["return"] == "κ = 0 on `a`; κ = 1 on `b`"
    assert found["best on b"] == "κ = 1"
    assert (found["return zero"], found["return of"], found["return disagrees"]) == ("1", "2", "1")


@pytest.mark.parametrize(("ends", "order"), [((0.01, 0.26), "yes"), ((0.03, 0.26), "no"), ((0.01, 0.2), "no")])
def test_the_benchmarks_sentence_needs_both_ends(ends, order):
    rows = [WirelessRow("start", "", 0, 0, 0, 0.02, 0.0, math.nan)]
    rows += [WirelessRow("Algorithm 1", "", kappa, 0, 9, end, 0.0, 1.0) for kappa, end in enumerate(ends)]
    assert dict(paper.wireless_facts(rows))["wireless order"] == order


def test_the_medians_are_of_what_the_steps_cost():
    rows = [Comparison("a", "", "one", "", 0, 0, 1.0, float(cost), 0.0) for cost in (1, 2, 3, 4, 123456)]
    rows.append(Comparison("a", "", "one", "", 0, 0, 0.0, 1.0, 0.5))  # 0 up to its certificate
    assert list(medians(rows)) == [("one", "3", "2", "4", "123,000")]


def test_facts_are_of_the_files_that_are_given(tmp_path):
    write_rows(tmp_path / "theorem5_sharp.csv", Comparison, [
        Comparison("a", "uniform", "as run", "M=10 T=5", 0, 0, 1.0, 4.0, 0.1, 40.0),
        Comparison("b", "uniform", "as run", "M=10 T=5", 0, 0, 1.0, 6.0, 0.1, 90.0),
    ])  # fmt: skip
    J = [SummaryRow("a", "0", 0.0, quantity, 1.0, 1.0, 1.0, 4) for quantity in ("J", "gradient_norm_squared")]
    write_rows(tmp_path / "stationarity.csv", SummaryRow, J)
    runs = {name: {"seeds": 4, "M": 1000, "T": 20} for name in ("a", "too_large_to_be_drawn")}
    files = [str(tmp_path / f"{name}.csv") for name in ("theorem5_sharp", "stationarity")]
    found = facts_of(files, [], {"policies": {"count": 3}, "sac": runs})
    assert (found["sharp"], found["sharp gain"], found["sharp slack"]) == ("informative", "10", "5")
    assert found["runs of objective"] == "`a` 4 seeds, M = 1,000, T = 20"
    assert found["length"].count("10^{") == 3
    assert "bias paths" not in found
    assert json.loads(json.dumps(found)) == found
