"""Results as pandas tables: every number is where the array has it, under the names of the network file."""

import contextlib
import copy
import doctest
import math
import pickle

import networkx as nx
import numpy as np
import pytest

from adviser.network_files import SIS, load_dict
from sacrepro import (
    best_joint,
    best_localized,
    certified_decay,
    decay_profile,
    discounted_state_distribution,
    evaluate,
    evaluate_many,
    objective_and_gradient,
    optimality_gap,
    policy_gradient,
    sac,
    uniform_theta,
)
from sacrepro.archive.files import write_rows
from sacrepro.instances.random_kernels import random_mdp
from sacrepro.model.policy import Policy, gaussian_theta, policies
from sacrepro.study.record.comparison import Verdict

pd = pytest.importorskip("pandas", reason="pandas is an optional extra, pip install -e '.[pandas]'")
import sacrepro.adapters.frames as frames  # noqa: E402
from sacrepro.adapters.frames import to_frame  # noqa: E402

MDP = random_mdp(nx.path_graph(3), seed=0, gamma=0.8, state_sizes=(2, 3, 2), action_sizes=(2, 2, 3))
THETA = gaussian_theta(MDP, np.random.default_rng(0))
PAIR = random_mdp(nx.path_graph(2), seed=0, gamma=0.8, state_sizes=(2, 2), action_sizes=(2, 2))
NETWORK = load_dict(SIS | {"graph": {"edges": [["ann", "bob"], ["bob", "cas"]]}})


def uniform(model):
    return tuple(np.zeros(sizes) for sizes in zip(model.state_sizes, model.action_sizes, strict=True))


def test_values_by_joint_state():
    found = evaluate(MDP, THETA)
    table = to_frame(found, MDP)
    assert list(table.columns) == ["agent", "label", "s[0]", "s[1]", "s[2]", "value", "error"]
    assert len(table) == found.V.size
    for row in table.itertuples(index=False):
        assert row.value == found.V[row[0], row[2], row[3], row[4]]
    assert set(table.error) == {found.error}
    named = to_frame(evaluate(NETWORK.mdp(), uniform(NETWORK)), NETWORK)
    one = named[(named["label"] == "bob") & (named["s[ann]"] == "sick") & (named["s[bob]"] == "healthy")]
    V = evaluate(NETWORK.mdp(), uniform(NETWORK)).V
    assert one.set_index("s[cas]").value.to_dict() == {"healthy": V[1, 1, 0, 0], "sick": V[1, 1, 0, 1]}


def test_values_of_some_agents_are_theirs():
    found = evaluate(NETWORK.mdp(), uniform(NETWORK), agents=[2, 0])
    table = to_frame(found, NETWORK, agents=[2, 0])
    assert table.agent.tolist() == [2] * 8 + [0] * 8
    assert table.label.tolist() == ["cas"] * 8 + ["ann"] * 8
    assert table.value.tolist() == found.V.ravel().tolist()


def test_decay_by_agent_and_kappa():
    D = decay_profile(MDP, THETA)
    table = to_frame(D, MDP)
    assert list(table.columns) == ["agent", "label", "kappa", "value"]
    assert all(row.value == D[row.agent, row.kappa] for row in table.itertuples())
    assert len(table) == D.size
    bounds = certified_decay(MDP, THETA, [2, 0], [1])
    ends = to_frame(bounds, MDP, agents=[2, 0], kappas=[1])
    assert ends.agent.tolist() == [2, 0]
    assert ends.kappa.tolist() == [1, 1]
    assert ends.lower.tolist() == bounds.lower[:, 0].tolist()
    assert ((ends.value - ends.error - ends.lower).abs() < 1e-15).all()
    assert to_frame(decay_profile(NETWORK.mdp(), uniform(NETWORK)), NETWORK).label.unique().tolist() == list(
        NETWORK.names
    )


def test_a_decay_profile_is_known_by_its_type():
    D = decay_profile(MDP, THETA)
    assert repr(D) == repr(np.asarray(D))
    assert type(D[0]) is type(D[:, 1:]) is np.ndarray
    for made in (
        -D,
        2 * D,
        np.log(D + 1),
        D == 0,
        D @ D.T,
        D.T,
        np.transpose(D),
        D.mean(axis=0),
        D.round(3),
        D.cumsum(1),
        np.sort(D),
        np.roll(D, 1),
        np.zeros_like(D),
        np.expand_dims(D, 0),
        D.real,
        D.mT,
        D.view(),
    ):
        assert type(made) is np.ndarray  # and so no D_i(κ) to `to_frame`, whatever its shape
    arguments = {
        "argpartition": (1,),
        "astype": (np.float32,),
        "compress": ([True],),
        "diagonal": (),
        "partition": (1,),
    }
    arguments |= {"put": ([0], [0.0]), "repeat": (2,), "reshape": (-1,), "swapaxes": (0, 1), "take": ([0],)}
    for name in set(dir(np.ndarray)) - {"copy"}:
        method = getattr(D.copy(), name)
        if name[0] != "_" and callable(method):
            with contextlib.suppress(TypeError, ValueError):
                assert not isinstance(method(*arguments.get(name, ())), type(D)), name
    assert type(D.max()) is np.float64
    assert all(type(same) is type(D) for same in (D.copy(), copy.deepcopy(D), pickle.loads(pickle.dumps(D))))
    kept = np.asarray(D)[:, 1:]
    assert to_frame(kept, MDP, kappas=[1, 2]).value.tolist() == kept.ravel().tolist()


def test_any_table_is_an_xarray_by_its_names():
    pytest.importorskip("xarray", reason="xarray is not installed: pip install -e '.[xarray]'")
    D = decay_profile(MDP, THETA)
    labelled = to_frame(D, MDP).set_index(["label", "kappa"]).to_xarray()
    assert labelled.value.sel(label=2, kappa=1).item() == D[2, 1]
    V = to_frame(found := evaluate(NETWORK.mdp(), uniform(NETWORK)), NETWORK)
    states = [f"s[{name}]" for name in NETWORK.names]
    cube = V.set_index(["label", *states]).to_xarray().value
    assert (
        cube.sel(label="bob", **{"s[ann]": "sick", "s[bob]": "healthy", "s[cas]": "sick"}).item() == found.V[1, 1, 0, 1]
    )


def test_blocks_by_state_and_action():
    gradient = policy_gradient(MDP, THETA)
    table = to_frame(gradient, MDP)
    assert list(table.columns) == ["agent", "label", "state", "action", "value"]
    assert len(table) == sum(block.size for block in gradient)
    assert all(row.value == gradient[row.agent][row.state, row.action] for row in table.itertuples())
    both = objective_and_gradient(MDP, THETA)
    assert set(to_frame(both).error) == {both.gradient_error}
    zeta = to_frame(Policy(policies(MDP, THETA)), MDP)
    assert zeta.groupby(["agent", "state"]).value.sum().to_numpy() == pytest.approx(1.0)
    named = to_frame(uniform(NETWORK), NETWORK)
    assert set(named.state) == {"healthy", "sick"}
    assert set(named.action) == {"wait", "treat"}


def test_traces():
    trace = sac(MDP, THETA, kappa=1, M=7, T=5, h=1.0, t0=2.0, eta=0.1, seed=0, record_every=3)
    table = to_frame(trace)
    assert table.m.tolist() == list(range(7))
    assert table.J_estimate.tolist() == trace.J_estimate.tolist()
    assert table.first_visit_share.tolist() == trace.first_visit_share.tolist()
    logits = to_frame(trace.thetas, MDP)
    assert all(row.value == trace.thetas[row.agent][row.record, row.state, row.action] for row in logits.itertuples())
    assert logits.record.max() == len(trace.m) - 1 == 3


def test_rows_of_claims(tmp_path):
    row = Verdict("lemma3", "", "a, b", "Lemma 3", 2, 9, 8, 0, 1 / 3, "κ=1", math.nan, 1e-300, "holds", "lemma3.svg")
    path = tmp_path / "claims.csv"
    write_rows(path, Verdict, [row, row._replace(ratio=math.nan, excess=math.inf)])
    table = to_frame(path)
    assert list(table.columns) == list(Verdict._fields)
    assert table.ratio[0] == 1 / 3
    assert math.isnan(table.ratio[1])
    assert table.excess[1] == math.inf
    assert table.hypothesis.tolist() == ["", ""]
    assert to_frame([row, row]).statement.tolist() == ["a, b"] * 2


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", "begins without a line of columns"),
        ("a,b\n1,2,9\n", "line 2: 3 values, expected 2"),
        ("a,b\n1,2\n3\n", "line 3: 1 values, expected 2"),
        ("a,b\n1,2\n3,4", "line 3: the line has no end"),
        ("a,b\n1,2", "line 2: the line has no end"),
        ('a,b\n1,"2\n', "line 2: unexpected end"),
        ("a,a\n1,2\n", "has two columns 'a'"),
    ],
)
def test_damaged_csv_files(tmp_path, text, match):
    path = tmp_path / "rows.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=match) as caught:
        to_frame(path)
    assert str(caught.value).startswith(str(path))


def test_only_numerals_are_numbers(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("a,b,c,d\n1_0,1, 3,٣\n7,2.5e-3,4,5\n", encoding="utf-8")
    assert to_frame(path).to_dict("list") == {"a": ["1_0", "7"], "b": [1, 2.5e-3], "c": [" 3", "4"], "d": ["٣", "5"]}


def test_many_policies_and_yardsticks():
    thetas = [THETA, uniform_theta(MDP)]
    table = to_frame(found := evaluate_many(MDP, thetas), MDP)
    assert list(table.columns) == ["policy", "agent", "label", "s[0]", "s[1]", "s[2]", "value", "error"]
    assert len(table) == found.V.size
    assert all(row.value == found.V[row[0], row[1], row[3], row[4], row[5]] for row in table.itertuples(index=False))
    assert table.groupby("policy").error.first().tolist() == found.error.tolist()
    for best in (best_joint(PAIR), best_localized(PAIR)):
        assert to_frame(best).to_dict("list") == {
            "J": [best.J], "J_error": [best.J_error], "J_high": [best.J_high], "parts": [best.parts]
        }  # fmt: skip
    gap = optimality_gap(PAIR, uniform_theta(PAIR))
    table = to_frame(gap).set_index("to")
    assert (table.low["joint"], table.high["joint"]) == gap.to_joint
    assert (table.low["localized"], table.high["localized"]) == gap.to_localized
    assert table.J["localized"] == gap.localized.J


@pytest.mark.parametrize(
    ("error", "match", "call"),
    [
        (TypeError, "no table is made of dict; expected what evaluate", lambda: to_frame({})),
        (TypeError, "no table is made of tuple", lambda: to_frame(())),
        (TypeError, "expected a model or what sacrepro.load returns, got int", lambda: to_frame(THETA, 3)),
        (ValueError, "sizes .*but the model has", lambda: to_frame(THETA, NETWORK)),
        (ValueError, "sizes .*but the model has", lambda: to_frame(evaluate(MDP, THETA), NETWORK)),
        (ValueError, "rows for agents 2, but the model has 3", lambda: to_frame(np.zeros((2, 3)), MDP)),
        (ValueError, "V is that of 1 agents, not of 3: give", lambda: to_frame(evaluate(MDP, THETA, agents=[2]), MDP)),
        (ValueError, "agent 3 is not", lambda: to_frame(evaluate(MDP, THETA, agents=[2]), MDP, agents=[3])),
        (ValueError, "but 2 agents and 1 kappas", lambda: to_frame(np.zeros((2, 3)), MDP, agents=[0, 1], kappas=[0])),
        (ValueError, "agent 7 is not in the model", lambda: to_frame(np.zeros((2, 2)), MDP, agents=[7, -1])),
        (ValueError, "agent -1 is not", lambda: to_frame(np.zeros((2, 2)), agents=[0, -1])),
        (ValueError, "kappa must be at least 0", lambda: to_frame(np.zeros((3, 1)), MDP, kappas=[-1])),
        (ValueError, "this one is not", lambda: to_frame(discounted_state_distribution(PAIR, uniform(PAIR)), PAIR)),
        (ValueError, "this one is not", lambda: to_frame(gaussian_theta(PAIR, np.random.default_rng(0))[0], PAIR)),
        (ValueError, "this one is not", lambda: to_frame(Policy([np.full((2, 2), 0.5)] * 2).zeta[0], PAIR)),
        (ValueError, "this one is not", lambda: to_frame(np.zeros((2, 2)), PAIR)),
        (ValueError, "this one is not", lambda: to_frame(Policy([np.array([[1.0, 0.0]] * 2)] * 2).zeta[0], PAIR)),
        (ValueError, "this one is not", lambda: to_frame(decay_profile(PAIR, uniform(PAIR))[:, :1], PAIR)),
        (ValueError, "this one is not", lambda: to_frame(np.full((2, 2), -1.0), PAIR, kappas=[0, 1])),
        (ValueError, r"each once, got \[0, 0, 1\]", lambda: to_frame(decay_profile(MDP, THETA), agents=[0, 0, 1])),
        (ValueError, r"each once, got \[0, 0, 1\]", lambda: to_frame(evaluate(MDP, THETA), agents=[0, 0, 1])),
        (ValueError, r"each once, got \[1, 1\]", lambda: to_frame(np.zeros((3, 2)), MDP, kappas=[1, 1])),
        (ValueError, "in their order: leave", lambda: to_frame(decay_profile(MDP, THETA), agents=[2, 1, 0])),
        (ValueError, "in their order: leave", lambda: to_frame(decay_profile(MDP, THETA), kappas=[0, 2, 1])),
        (ValueError, "10,000,001 rows", lambda: to_frame([np.broadcast_to(0.0, (1, 10_000_001))])),
    ],
)
def test_refusals(error, match, call):
    with pytest.raises(error, match=match):
        call()


def test_the_example_runs():
    assert doctest.testmod(frames).failed == 0


def test_decay_and_values_of_another_model_are_refused_where_it_shows():
    """A path and a star have other eccentricities, longer paths more kappas, other discounts larger values."""
    path, star, ring = (
        random_mdp(g, seed=0, gamma=0.5) for g in (nx.path_graph(4), nx.star_graph(3), nx.cycle_graph(4))
    )
    of_path, of_star = (decay_profile(mdp, uniform_theta(mdp)) for mdp in (path, star))
    assert to_frame(of_path, path).shape[0] == 16
    with pytest.raises(ValueError, match="columns for 4 kappas, but the model 3, up to its diameter"):
        to_frame(of_path, star)
    with pytest.raises(ValueError, match="columns for 3 kappas, but the model 4, up"):
        to_frame(certified_decay(star, uniform_theta(star)), path)
    with pytest.raises(ValueError, match=r"for agent 0 at κ = 1, beyond which it reaches nobody: .* another model"):
        to_frame(decay_profile(ring, uniform_theta(ring)), star)
    with pytest.raises(ValueError, match="for agent 0 at κ = 3, beyond which it reaches nobody"):
        to_frame(of_path[:, 2:], path, kappas=[3, 2])
    assert to_frame(of_star, ring).shape[0] == 12  # nothing shows
    patient = random_mdp(nx.path_graph(4), seed=0, gamma=0.9)
    with pytest.raises(ValueError, match=r"V reaches .*, but r̄/\(1-γ\) is .*: the array is that of another model"):
        to_frame(evaluate(patient, uniform_theta(patient)), path)
