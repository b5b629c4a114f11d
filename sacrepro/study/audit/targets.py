"""Which inequalities the adversary attacks: apart from it, so that the workflow can read the list at no cost."""

from __future__ import annotations

from collections.abc import Collection, Mapping

#: The inequalities under attack, with their readings; their place seeds their random numbers. Not attacked: identities
#: (lemma1), counts (complexity), runs (theorem5_sharp), the single steps of anatomy, what is hardly ever below its
#: trivial bound (critic, (9), vacuity), the paper's sum over blocks (lemma4_vector, 2√n above the worst case), and the
#: action-coupled models of reward_radius, which a climb over plain models does not reach.
TARGETS: Mapping[str, tuple[str, ...]] = {
    "definition2": ("Lemma 3", "influence matrix"),
    "lemma3": ("",),
    "appendix_a": ("law to its limit", "laws of two starts", "measured distances"),
    "influence": ("clipped series", "own C^θ", "all agents at once", "closed form", "row sums"),
    "light_cone": ("upper end", "lower end"),
    "actions_one_hop_later": ("",),
    "truncation": ("",),
    "lemma4": ("worst case", "own hypothesis"),
    "lemma4_sharp": ("any weights", "natural weights"),
    "td_fixed_point": ("paper", "decay gap alone", "locality"),
    "critic_sharp": ("paper", "decay gap alone", "locality"),
    "assumption3": ("floor", "floor, mixed", "ceiling", "later"),
    "theorem5": ("L'", "‖∇J‖", "T of (8)"),
    "lemma4_vector": ("any weights", "worst case", "natural weights", "TD's limit"),
}


def check_readings(claim: str, found: Collection[str | None], where: str) -> None:
    """ValueError if none of the readings found in the rows of a file is known of this claim: they are another one's."""
    known = TARGETS.get(claim, ())
    if known and not set(known) & set(found):
        raise ValueError(f"{where}: no row has a reading of {claim}, which are {', '.join(map(repr, known))}")
