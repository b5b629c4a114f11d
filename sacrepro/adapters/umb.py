"""UMB, the binary format of model checkers such as Storm: the joint model as an annotated transition system of `umbi`.

Model checkers add up rewards without a discount. So every step ends with probability 1-γ, in a state that pays nothing:
the expected sum of rewards is then J. `pip install -e '.[umb]'` brings the library.
"""

from __future__ import annotations

import itertools

import numpy as np

from sacrepro.exact.models import exact_model, joint_model
from sacrepro.model.mdp import CountedMDP, Model
from sacrepro.model.notices import brought_by
from sacrepro.model.policy import Theta

with brought_by("umb"):
    from umbi.ats import ExplicitAts


def to_umb(mdp: Model | CountedMDP, theta: Theta | None = None, agent: int | None = None) -> ExplicitAts:
    """The joint model as an `ExplicitAts`; ``umbi.ats.write(ats, path)`` writes the file, ending ``.umb``.

    State 0 is the start, from where the first step goes to s ~ π_0; then the joint states in row-major order, agent 0
    first; then the end, where ``end`` holds. The reward ``reward`` belongs to choices, so that J_sup is
    ``R{"reward"}max=? [ F "end" ]``.

    theta : a policy; the system then is a Markov chain, of which ``R{"reward"}=? [ F "end" ]`` is J(θ).
    agent : whose r_i is the reward; by default the mean (1/n) Σ_i r_i, as in J.

    Every s' that may follow (s, a) is an object of Python of about 200 bytes. Raises ValueError, naming the
    entries, where P(s'|s, a) is too large.

    >>> from sacrepro.instances.extremal import signal
    >>> to_umb(signal(0.5)).num_states
    6
    """
    model = exact_model(mdp)
    r, P = joint_model(model, theta, agent)
    S, A, _ = P.shape
    names = [" ".join(map(str, a)) for a in itertools.product(*map(range, model.action_sizes))]
    ats, rewards = ExplicitAts(), list[float]()
    ats.num_players = int(theta is None)
    for _ in range(S + 2):
        ats.add_state()
    ats.set_initial_states([0])
    ats.choice_action_to_name = [*(names if theta is None else ["follow the policy"]), "go on"]
    ats.num_choice_actions = len(ats.choice_action_to_name)

    def choose(state: int, action: int, law: dict[int, float], reward: float) -> None:
        choice = ats.add_state_choice(state)
        choice.action = action
        for target, probability in law.items():
            choice.add_branch(target, probability)
        rewards.append(reward)

    start = model.joint_pi0().ravel()
    choose(0, A, {1 + int(s): float(start[s]) for s in np.flatnonzero(start)}, 0.0)
    for s, a in np.ndindex(S, A):
        law = {1 + int(t): model.gamma * float(P[s, a, t]) for t in np.flatnonzero(P[s, a]) if model.gamma > 0.0}
        choose(1 + s, a, law | {S + 1: 1.0 - model.gamma}, float(r[s, a]))
    choose(S + 1, A, {S + 1: 1.0}, 0.0)
    ats.add_reward_annotation("reward").set_choice_values(rewards)
    ats.add_ap_annotation("end").set_state_values([state == S + 1 for state in ats.states])
    ats.validate()
    return ats
