"""What a configuration asks for, without Snakemake."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from sacrepro.study.claims import ATTACKED, CLAIMS
from sacrepro.study.experiments import ENTRIES
from sacrepro.study.plan import Plan

ROOT = Path(__file__).parents[2]
OF_THEIR_OWN = [own for own in ENTRIES if own.per in ("instance", "run")]


def config(name="smoke", **changed):
    """A configuration, with other values under some keys."""
    return yaml.safe_load((ROOT / f"workflow/config/{name}.yaml").read_text(encoding="utf-8")) | changed


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch):
    """Network files are named from the folder of the Snakefile."""
    monkeypatch.chdir(ROOT)


def test_runs_and_rows_are_those_of_the_configuration():
    plan = Plan(config())
    assert plan.runs == [("random_ring", 0), ("random_ring", 1), ("sis_grid", 0), ("sis_grid", 1)]
    assert plan.runs_behind["diagnostics"] == plan.runs[:2]
    assert plan.rows["diagnostics"] == [f"results/diagnostics/random_ring_kappa{kappa}.csv" for kappa in (0, 1)]
    assert plan.rows["simulated"] == plan.rows["methods"] == []
    assert plan.by_kappa == ["stationarity", "critic_error"]
    everything = Plan({key: value for key, value in config().items() if key != "figures"})
    assert "critic_floor" in everything.drawn
    assert not {"extensions", "table1"} & set(everything.drawn)


def test_small_instances_share_a_process_and_figures_have_one_by_kind():
    plan, smoke = Plan(config("paper")), Plan(config())
    assert {name for name, lot in plan.solved.items() if lot == [name]} == {"sis_florentine", "courtesy", "wireless"}
    assert [own for lot in plan.solved.values() for own in lot] == [
        *plan.solved["small-ones"], "sis_florentine", "courtesy", "wireless"
    ]  # fmt: skip
    assert {*plan.evaluated} == {own for lot in plan.solved.values() for own in lot}
    assert [run for runs in plan.runs_of.values() for run in runs] == plan.runs
    assert smoke.pictured == {
        "claims": ["lemma3", "lemma4"],
        "runs": ["learning", "stationarity", "critic_error", "diagnostics"],
        "surveys": ["environments", "overview", "decay_map"],
    }
    assert sorted(own for figures in plan.pictured.values() for own in figures) == sorted(plan.drawn)
    assert smoke.summarised == ["learning", "stationarity", "critic_error", "diagnostics"]


def test_experiments_with_files_of_their_own_share_a_process_unless_an_instance_takes_long():
    plan = Plan(config("paper"))
    assert sorted(path for own in plan.processes.values() for path in own.rows) == sorted(
        path for kind in OF_THEIR_OWN for path in plan.rows[kind.name]
    )
    alone = {f"{kind.name}/" for kind in OF_THEIR_OWN if kind.alone}
    assert {place[: place.find("/") + 1] or place for place in plan.processes} == alone | {
        kind.name for kind in OF_THEIR_OWN if not kind.alone
    }
    smoke = Plan(config(mean_step={"friends": {}, "relay": {}}, simulated={"instances": ["relay"]}))
    assert [*smoke.processes] == ["critic_error/random_ring", "diagnostics/random_ring", "mean_step"]
    assert smoke.processes["mean_step"][1:] == (
        ["friends", "relay"],
        ["results/mean_step/friends.csv", "results/mean_step/relay.csv"],
        ["workflow/networks/friends.yaml"],
    )
    runs = [f"random_ring_kappa{kappa}" for kappa in (0, 1)]
    assert smoke.processes["diagnostics/random_ring"][1:] == (
        runs, [f"results/diagnostics/{run}.csv" for run in runs], [f"results/sac/{run}.npz" for run in runs]
    )  # fmt: skip


def test_the_paper_is_told_rows_that_are_evidence_and_stands_beside_its_appendix():
    plan, paper = Plan(config()), Plan(config("paper"))
    assert {*plan.told} < {*plan.evidence()}
    assert "results/summaries/methods.csv" not in plan.told
    assert {"results/exact_bias/trio_50.csv", "results/wireless/kappa1.csv"} < {*paper.told} < {*paper.evidence()}
    assert (plan.paper, plan.report) == ("results/paper.pdf", "results/appendix.pdf")
    assert (paper.paper, paper.report) == ("paper/paper.pdf", "paper/appendix.pdf")


def test_what_is_not_configured_has_defaults_and_a_figure_only_where_there_are_rows():
    bare = {"published": False, "instances": {}, "sac": {}, "policies": {}}
    plan = Plan(bare)
    assert plan.settings["scale"]["agents"] == 2
    assert set(plan.drawn) - set(CLAIMS) == {
        "adversary", "overview", "decay_map", "learning", "objective", "stationarity"
    }  # fmt: skip
    assert bare == {"published": False, "instances": {}, "sac": {}, "policies": {}}


def test_some_claims_are_audited_alone_and_unknown_ones_refused():
    plan = Plan(config(claims=["theorem5", "lemma3"], figures=["lemma3"]))
    assert plan.claims == ["lemma3", "theorem5"]
    assert plan.attacked == [name for name in ATTACKED if name in ("lemma3", "theorem5")]
    evidence = plan.evidence()
    assert {path for path in evidence if path.startswith("results/claims/")} == {
        "results/claims/lemma3.csv",
        "results/claims/theorem5.csv",
    }
    assert {Path(path).stem for path in evidence if path.startswith("results/adversary/")} == set(plan.attacked)
    bare = {"published": False, "instances": {}, "sac": {}, "policies": {}}
    assert "lemma4" in Plan(bare).drawn
    assert "lemma4" not in Plan(bare | {"claims": ["lemma3"]}).drawn
    assert plan.rows_of("lemma4") == []
    assert "lemma4" not in plan.every_figure
    with pytest.raises(ValueError, match="claims: no claim is called 'lemma33'; there are lemma1, "):
        Plan(config(claims=["lemma33"]))


def test_instances_are_checked_as_far_as_they_are_solved():
    plan = Plan(config("paper"))
    tables = {name for name, entry in plan.instances.items() if entry["exact"] == "tables"}
    values = {name for name, entry in plan.instances.items() if entry["exact"] == "values"}
    assert set(plan.checked("lemma4")) == {f"results/exact/{name}.npz" for name in tables}
    assert set(plan.checked("lemma3")) == {f"results/exact/{name}.npz" for name in tables | values}
    assert set(plan.evaluated) == tables | values
    assert set(plan.certified) == {name for name in plan.settings["environments"] if name not in tables | values}
    assert list(plan.settings["certified"]) == plan.certified
    assert plan.recorded_runs("lemma3") == plan.evaluated_runs("lemma3") == []
    assert plan.evaluated_runs("theorem5") == plan.rows["stationarity"]
    assert len(plan.recorded_runs("theorem5")) == len(plan.exact_runs) < len(plan.runs)


def test_claims_of_one_process_need_the_same():
    plan = Plan(config("paper"))
    assert sorted(name for names in plan.measured.values() for name in names) == sorted(plan.claims)
    assert {"lemma4", "lemma4_sharp", "truncation"} <= {*plan.measured["tables"]}
    for names in plan.measured.values():
        for needed in (plan.checked, plan.compiled, plan.evaluated_runs, plan.recorded_runs):
            assert [needed(name) for name in names] == [needed(names[0])] * len(names)
    assert Plan(config(claims=["lemma3", "lemma4"])).measured == {"gaps": ["lemma3"], "tables": ["lemma4"]}


def test_only_claims_that_run_the_learner_wait_for_its_kernels():
    plan = Plan(config())
    assert plan.compiled("critic") == ["logs/compiled/learn.txt"]
    assert plan.compiled("lemma3") == []


@pytest.mark.parametrize("name", ["smoke", "paper"])
def test_the_evidence_is_every_file_once_with_what_it_is_made_from(name):
    plan = Plan(config(name))
    files = plan.evidence()
    assert len(files) == len(set(files))
    assert {f"results/claims/{claim}.csv" for claim in CLAIMS} <= set(files)
    assert {path for figure in plan.drawn for path in plan.rows_of(figure)} <= set(files)
    assert {f"{plan.figures}/{figure}.png" for figure in plan.drawn} <= set(files)
    assert plan.figures == ("figures" if name == "paper" else "results/figures")
    assert {f"results/sac/{run}_kappa{kappa}.npz" for run, kappa in plan.exact_runs} <= set(files)


def test_a_figure_that_is_not_drawn_asks_for_no_rows():
    files = Plan(config("paper", figures=["lemma3"])).evidence()
    assert "figures/lemma3.svg" in files
    assert not [path for path in files if "methods" in path or "table1" in path or "wireless/" in path]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"environments": ["nowhere"]}, r"environments: no instance is called 'nowhere'; there are relay, "),
        ({"critic_error": {"nowhere": {}}}, "critic_error: no instance is called 'nowhere'"),
        ({"figures": ["nope"]}, "figures: no figure is called 'nope'; there are lemma1, "),
        (
            {"claims": ["lemma3"], "figures": ["lemma3", "lemma4"]},
            "figures: 'lemma4' shows a claim that is not among `claims`; add it there, or leave it out",
        ),
        (
            {"figures": ["lemma3", "wireless_benchmark"]},
            "figures: 'wireless_benchmark' shows rows that are not made; add the key `wireless`, or leave it out",
        ),
        ({"advice": {"relay": {}}}, r"advice\.relay: no instance of this name is a network file"),
        (
            {"instances": {"mine": {"exact": "none", "spec": {"model": "file", "path": "README.md"}}}, "sac": {}},
            r"instances\.mine\.spec\.path: ",
        ),
    ],
)
def test_what_does_not_fit_is_named(changed, message):
    bare = {"environments": [], "critic_error": {}, "advice": {}}
    with pytest.raises(ValueError, match=message):
        Plan(config(**bare | changed))


def test_a_plan_with_network_files_does_not_wait_for_the_engine():
    program = (
        "import sys, yaml; from sacrepro.study.plan import Plan; Plan(yaml.safe_load(open(sys.argv[1])));"
        "print(sorted({'scipy', 'numba', 'matplotlib'} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "workflow/config/paper.yaml"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.stdout.strip() == "[]", done.stderr
