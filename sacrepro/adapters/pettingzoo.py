"""PettingZoo, both ways: a model as a `ParallelEnv`, and a `ParallelEnv` as a simulator that Algorithm 1 learns from.

Agent i observes its s_i and is paid r_i, as the paper has it. `pip install -e '.[pettingzoo]'` brings the library.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import Any

import networkx as nx
import numpy as np

from sacrepro.model.checks import Array, discount
from sacrepro.model.graph import check_graph
from sacrepro.model.mdp import CountedMDP, CoupledMDP, NetworkedMDP
from sacrepro.model.notices import brought_by, described
from sacrepro.simulate.stepped import drawn_start, drawn_step

with brought_by("pettingzoo"):
    from gymnasium.spaces import Discrete, MultiDiscrete
    from pettingzoo import ParallelEnv

#: Seeds that environments accept are below this.
SEEDS = 1 << 31


def parallel_env(
    mdp: NetworkedMDP | CountedMDP | CoupledMDP,
    horizon: int | None = None,
    *,
    names: Sequence[str] | None = None,
    render_mode: str | None = None,
) -> NetworkEnv:
    """The networked MDP as a `pettingzoo.ParallelEnv`; eqs. (1)-(2) without the discount, which is the learner's.

    horizon : steps after which every agent is truncated; None: never.
    names   : one label an agent; ``agent_0``, ``agent_1``, … by default.
    render_mode : ``ansi`` (a line of text) or ``rgb_array`` (a picture of the graph, coloured by state).

    Raises TypeError or ValueError naming the argument.

    >>> from sacrepro.instances.relay import relay
    >>> env = parallel_env(relay(3, gamma=0.9), horizon=10)
    >>> observations, infos = env.reset(seed=0)
    >>> sorted(observations)
    ['agent_0', 'agent_1', 'agent_2']
    """
    if not isinstance(mdp, (NetworkedMDP, CountedMDP, CoupledMDP)):
        raise TypeError(f"expected a NetworkedMDP, CountedMDP or CoupledMDP, got {type(mdp).__name__}")
    if horizon is not None and (isinstance(horizon, bool) or not isinstance(horizon, Integral)):
        raise TypeError(f"horizon must be an integer or None, got {horizon!r}")
    if horizon is not None and horizon < 1:
        raise ValueError(f"horizon must be at least 1, got {horizon}")
    if render_mode not in (None, "ansi", "rgb_array"):
        raise ValueError(f"render_mode must be None, 'ansi' or 'rgb_array', got {render_mode!r}")
    labels = [f"agent_{i}" for i in range(mdp.n)] if names is None else [str(name) for name in names]
    if len(labels) != mdp.n or len(set(labels)) != mdp.n:
        raise ValueError(f"names must be {mdp.n} different labels, one an agent, got {labels}")
    return NetworkEnv(mdp, None if horizon is None else int(horizon), labels, render_mode)


class NetworkEnv(ParallelEnv):  # type: ignore[misc]
    """A networked MDP as a `ParallelEnv`; made by `parallel_env`.

    `state()` is the joint state, an integer array of shape (n,); `mdp` the model. The same seed gives the same
    trajectory for the same actions.
    """

    metadata = {"name": "sacrepro", "render_modes": ["ansi", "rgb_array"], "render_fps": 4}  # noqa: RUF012

    def __init__(self, mdp: Any, horizon: int | None, names: list[str], render_mode: str | None) -> None:
        self.mdp, self.horizon, self.render_mode = mdp, horizon, render_mode
        self.possible_agents = list(names)
        self.agents: list[str] = []
        self.observation_spaces = dict(zip(names, map(Discrete, mdp.state_sizes), strict=True))
        self.action_spaces = dict(zip(names, map(Discrete, mdp.action_sizes), strict=True))
        self.state_space = MultiDiscrete(mdp.state_sizes)
        self._rng = np.random.default_rng()
        self._s = np.zeros(mdp.n, dtype=np.int64)
        self._t = 0

    def __repr__(self) -> str:
        return f"NetworkEnv({self.mdp!r}, horizon={self.horizon})"

    def observation_space(self, agent: str) -> Discrete:
        """{0, …, S_i - 1}."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> Discrete:
        """{0, …, A_i - 1}."""
        return self.action_spaces[agent]

    def state(self) -> Array:
        """s, shape (n,)."""
        return self._s.copy()

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, np.int64], dict[str, dict[str, Any]]]:
        """s(0) ~ π_0, by agent. A seed starts the random numbers anew; without one they go on."""
        if seed is not None:
            self._rng = np.random.default_rng(seed)
        self._s = drawn_start(self.mdp, self._rng)
        self.agents, self._t = list(self.possible_agents), 0
        return self._observations(), {name: {} for name in self.agents}

    def step(self, actions: Mapping[str, int]) -> tuple[dict[str, Any], ...]:
        """(observations, rewards, terminations, truncations, infos), by agent; nobody ever terminates."""
        names = self.agents
        if not names:
            raise ValueError("no episode is under way: call reset() before step()")
        a = np.array([self._action(name, actions) for name in names])
        r, self._s = drawn_step(self.mdp, self._s, a, self._rng)
        self._t += 1
        over = self.horizon is not None and self._t >= self.horizon
        observations = self._observations()
        if over:
            self.agents = []
        return (
            observations,
            dict(zip(names, r.tolist(), strict=True)),
            dict.fromkeys(names, False),
            dict.fromkeys(names, over),
            {name: {} for name in names},
        )

    def render(self) -> str | Array | None:
        """The joint state as text or as a picture, shape (height, width, 3); None without a render_mode."""
        if self.render_mode == "ansi":
            return " ".join(f"{name}:{s_i}" for name, s_i in zip(self.possible_agents, self._s, strict=True))
        return _picture(self.mdp.graph, self._s, self.mdp.state_sizes) if self.render_mode else None

    def close(self) -> None:
        """Nothing to close."""

    def _observations(self) -> dict[str, np.int64]:
        return dict(zip(self.possible_agents, self._s, strict=True))

    def _action(self, name: str, actions: Mapping[str, int]) -> int:
        if name not in actions:
            raise ValueError(f"actions has no entry for {name!r}; each of {self.agents} needs one")
        if not self.action_spaces[name].contains(actions[name]):
            last = self.action_spaces[name].n - 1
            raise ValueError(f"the action of {name!r} must be an integer in 0..{last}, got {actions[name]!r}")
        return int(actions[name])


def _picture(graph: nx.Graph, s: Array, sizes: Sequence[int]) -> Array:
    with brought_by("workflow"):
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

    figure = Figure(figsize=(4.0, 4.0), dpi=80)
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.axis("off")
    place = nx.circular_layout(graph)
    nx.draw_networkx(
        graph, place, ax=axes, node_color=s, vmin=0, vmax=max(1, *(S - 1 for S in sizes)), cmap="cividis_r",
        font_color="tab:red",
    )  # fmt: skip
    canvas.draw()  # type: ignore[no-untyped-call]
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()  # type: ignore[no-untyped-call]


class EnvironmentSimulator:
    """A `ParallelEnv` as Algorithm 1 may see it, for `sac` and every other learner: `sacrepro.simulate.OwnSimulator`.

    Agent i's state is its observation; the agents are `env.possible_agents` in order. `shift` is added to every reward:
    r_i + shift must not be negative, which shifts Q_i by shift/(1-γ) and moves neither D_i(κ) nor ∇J; it does move ĝ of
    a finite episode, as Q̂ starts at zero. An agent that terminates or is truncated stays in one more state, S_i, whose
    reward is `shift`: what comes after an episode is worth nothing, and an episode of the learner may be longer than
    one of the environment. θ_i has a row for it, (S_i + 1, A_i), unless `endless`: then nobody may leave.
    """

    def __init__(self, env: ParallelEnv, graph: nx.Graph, gamma: float, shift: float, endless: bool) -> None:
        self.env, self.graph, self.gamma, self.shift, self.endless = env, graph, gamma, shift, endless
        self.names = list(env.possible_agents)
        spaces = [(env.observation_space(name), env.action_space(name)) for name in self.names]
        self._starts = [(int(observed.start), int(acts.start)) for observed, acts in spaces]
        self.state_sizes = [int(observed.n) + (not endless) for observed, _ in spaces]
        self.action_sizes = [int(acts.n) for _, acts in spaces]

    def __repr__(self) -> str:
        return described(self)

    def reset(self, rng: np.random.Generator) -> Array:
        """s(0) of a new episode, seeded from rng."""
        observations, _ = self.env.reset(seed=int(rng.integers(SEEDS)))
        return self._states(observations)

    def step(self, a: Array, rng: np.random.Generator) -> tuple[Array, Array]:
        """(r, s_next) after the joint action a, agents that are gone left out."""
        present = set(self.env.agents)
        acting = zip(self.names, a, self._starts, strict=True)
        observations: Mapping[str, Any] = {}
        rewards: Mapping[str, float] = {}
        if present:
            actions = {name: int(a_i) + start for name, a_i, (_, start) in acting if name in present}
            observations, rewards, ended, cut, _ = self.env.step(actions)
            observations = {name: s for name, s in observations.items() if not (ended[name] or cut[name])}
        return np.array([float(rewards.get(name, 0.0)) + self.shift for name in self.names]), self._states(observations)

    def _states(self, observations: Mapping[str, Any]) -> Array:
        missing = [name for name in self.names if name not in observations]
        if self.endless and missing:
            raise ValueError(f"agent {missing[0]!r} left an environment that was said to be endless")
        gone = [size - 1 for size in self.state_sizes]
        return np.array(
            [
                int(observations[name]) - start if name in observations else last
                for name, (start, _), last in zip(self.names, self._starts, gone, strict=True)
            ]
        )


def simulator(
    env: ParallelEnv, graph: nx.Graph, *, gamma: float, shift: float = 0.0, endless: bool = False
) -> EnvironmentSimulator:
    """A `ParallelEnv` with discrete spaces and the graph of its agents as a simulator for `sac`.

    graph   : on the names in ``env.possible_agents``, or on 0..n-1, agent i being ``env.possible_agents[i]``.
    gamma   : γ ∈ [0, 1), which an environment does not have.
    shift   : added to every reward, so that costs become rewards of at least 0.
    endless : nobody ever leaves the environment, so that θ_i has no row for agents that are gone.

    Raises TypeError or ValueError naming the agent and what would be right.
    """
    if not isinstance(env, ParallelEnv):
        raise TypeError(f"expected a pettingzoo.ParallelEnv, got {type(env).__name__}")
    if isinstance(graph, nx.Graph) and set(graph.nodes) == set(env.possible_agents):
        graph = nx.relabel_nodes(graph, {name: i for i, name in enumerate(env.possible_agents)})
    check_graph(graph)
    gamma = discount(gamma)
    if len(graph) != len(env.possible_agents):
        raise ValueError(f"the graph has {len(graph)} agents, the environment {len(env.possible_agents)}")
    for name in env.possible_agents:
        for what, space in (("observation", env.observation_space(name)), ("action", env.action_space(name))):
            if not isinstance(space, Discrete):
                raise TypeError(f"the {what} space of {name!r} must be Discrete, got {space}: number its values first")
    return EnvironmentSimulator(env, graph, gamma, shift, endless)
