"""A baseline of the multi-agent world at equal samples: independent Q-learners of another library, by PettingZoo.

    pip install -e '.[pettingzoo]'; pip install --no-deps bettermdptools; pip install tqdm
    python paper/independent_learners.py

writes `independent_learners.csv` and the page `independent_learners.md` beside this file. Each agent is the tabular
Q-learning of `bettermdptools` with its own defaults, sees its s_i and is paid its r_i. All agents move together: the
threads of the learners take turns, agent after agent, so that a seed gives one result.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from gymnasium import Env

from sacrepro import Policy, evaluate, load, sac, uniform_theta
from sacrepro.adapters.pettingzoo import parallel_env
from sacrepro.adviser.settings import proposal
from sacrepro.archive.files import write_rows, write_text

HERE = Path(__file__).parent
NETWORK = "workflow/networks/friends.yaml"
#: Episodes, their steps, and seeds of every learner: so many samples of all agents.
M, T, SEEDS = 250, 200, range(3)
Q_LEARNING = "independent Q-learning"

PAGE = """# Independent learners at equal samples

On [five friends](../{network}), {samples:,} steps of all agents for every learner: `bettermdptools` {version} learns a
Q-table an agent through the [PettingZoo adapter](how_do_i.md#a-model-as-a-pettingzoo-environment), with its own
defaults; Algorithm 1 with the settings that `sacrepro train` proposes. J is exact.
[The script](independent_learners.py) wrote this page and [its numbers](independent_learners.csv), the learned policies
among them; a test evaluates these again.

| learner | seeds | mean J | least | largest | certified within |
| --- | --- | --- | --- | --- | --- |
{table}

A learner of Q ends in a deterministic policy, Algorithm 1 in a stochastic one that is still on its way. One network,
few seeds, settings that nobody tuned: this shows that the adapter serves, and ranks nothing beyond it.
"""


class LearnedRow(NamedTuple):
    """J of what one learner ended with, within `error`. policy : ζ_i(1|s) for each agent and state, in order."""

    learner: str
    seed: int
    M: int
    T: int
    J: float
    error: float
    policy: str


class Turns:
    """One `ParallelEnv` for learners that each want an environment: they go in turn, and the last one steps it."""

    def __init__(self, env: Any) -> None:
        self.env, self.names = env, list(env.possible_agents)
        self.turn, self.changed = 0, threading.Condition()
        self.actions: dict[str, int] = {}
        self.seen: Any = None
        self.seed: int | None = None
        self.fault: BaseException | None = None

    def act(self, k: int, action: int | None) -> Any:
        """What agent k sees after all have acted, or after a reset where its action is None."""
        with self.changed:
            if action is not None:
                self.actions[self.names[k]] = int(action)
            if k == len(self.names) - 1:
                reset = action is None
                self.seen = self.env.reset(seed=self.seed) if reset else self.env.step(self.actions)
                self.seed = None
            self.pass_on(k)
            self.changed.wait_for(lambda: self.turn == k or self.fault is not None)
            if self.fault is not None:
                raise RuntimeError("another learner failed") from self.fault
            return self.seen

    def pass_on(self, k: int) -> None:
        """The turn of the next agent."""
        self.turn = (k + 1) % len(self.names)
        self.changed.notify_all()


class Own(Env):  # type: ignore[misc]
    """The environment that agent k believes to be alone in."""

    def __init__(self, turns: Turns, k: int) -> None:
        self.turns, self.k, self.name = turns, k, turns.names[k]
        self.observation_space = turns.env.observation_space(self.name)
        self.action_space = turns.env.action_space(self.name)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[int, dict[str, Any]]:
        """Its own state."""
        return int(self.turns.act(self.k, None)[0][self.name]), {}

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        """Its own state and reward."""
        found = self.turns.act(self.k, action)
        observation, reward, ended, cut = (part[self.name] for part in found[:4])
        return int(observation), float(reward), bool(ended), bool(cut), {}


def independent_q(mdp: Any, seed: int, episodes: int = M, steps: int = T) -> Policy:
    """The greedy policy of independent Q-learners after `episodes` of `steps` steps each."""
    os.environ.setdefault("TQDM_DISABLE", "1")
    from bettermdptools.algorithms.rl import RL

    turns = Turns(parallel_env(mdp, horizon=steps))
    turns.seed = seed
    learned: dict[int, Sequence[int]] = {}
    np.random.seed(seed)  # noqa: NPY002 - the library draws from there

    def learn(k: int) -> None:
        with turns.changed:
            turns.changed.wait_for(lambda: turns.turn == k or turns.fault is not None)
        try:
            Q = RL(Own(turns, k)).q_learning(gamma=mdp.gamma, n_episodes=episodes)[0]
            learned[k] = np.argmax(Q, axis=1).tolist()
        except BaseException as fault:
            turns.fault = turns.fault or fault
        with turns.changed:
            turns.pass_on(k)

    threads = [threading.Thread(target=learn, args=(k,), daemon=True) for k in range(mdp.n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if turns.fault is not None:
        raise turns.fault
    return Policy.of(mdp, lambda i, s: learned[i][s])


def row(learner: str, seed: int, mdp: Any, policy: Any) -> LearnedRow:
    """The exact return of a policy."""
    found, zeta = evaluate(mdp, policy), policy.zeta
    return LearnedRow(
        learner, seed, M, T, found.J, found.J_error, " ".join(repr(float(x)) for b in zeta for x in b[:, 1])
    )


def rows() -> list[LearnedRow]:
    """All learners, seed by seed."""
    network = load(HERE.parent / NETWORK)
    mdp, simulator = network.mdp(), network.simulator()
    settings = proposal(network, simulator, (0, 1), seeds=len(SEEDS), M=M, T=T)
    steps = {"M": M, "T": T, "h": settings.h, "t0": settings.t0, "eta": settings.eta}
    found = [row(Q_LEARNING, seed, mdp, independent_q(mdp, seed)) for seed in SEEDS]
    for kappa in (0, 1):
        for seed in SEEDS:
            trace = sac(simulator, uniform_theta(mdp), kappa=kappa, seed=seed, **steps)
            found.append(row(f"SAC, κ = {kappa}", seed, mdp, Policy.from_logits(trace.theta)))
    return found


def table(found: Sequence[LearnedRow]) -> str:
    """One line a learner."""
    lines = []
    for name in dict.fromkeys(one.learner for one in found):
        J = [one.J for one in found if one.learner == name]
        error = max(one.error for one in found if one.learner == name)
        lines.append(f"| {name} | {len(J)} | {np.mean(J):.3f} | {min(J):.3f} | {max(J):.3f} | {error:.0e} |")
    return "\n".join(lines)


if __name__ == "__main__":
    from importlib.metadata import version

    made = rows()
    write_rows(HERE / "independent_learners.csv", LearnedRow, made)
    told = {"network": NETWORK, "samples": M * T, "version": version("bettermdptools"), "table": table(made)}
    write_text(HERE / "independent_learners.md", PAGE.format(**told))
    print(table(made))
