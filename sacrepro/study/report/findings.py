"""The findings: sentences whose numbers and verdicts are those of a run; one that it does not bear out is refused.

Below them a line a claim; on a page of its own every verdict, a section a claim.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sacrepro.archive.files import read_text, some_rows, write_text
from sacrepro.bounds.theorem5 import LOOSE
from sacrepro.study.claims import all_claims, claim
from sacrepro.study.claims.theorem5 import M
from sacrepro.study.coq import proofs_of
from sacrepro.study.record.comparison import JUDGEMENTS, Verdict, by, excess_text, factor_text, ratio_text, table
from sacrepro.study.report.table import between_markers, brief_table, totals

if TYPE_CHECKING:
    from sacrepro.study.experiments.exact_bias import BiasRow


class Finding(NamedTuple):
    """A sentence, and the verdicts that it is true of, by (claim, variant), or by ("!", words) of a counterexample.

    text : ``{claim/variant}`` stands for the largest left/right of that row or, where the row is vacuous, for how many
    times its right side is above the trivial bound; ``{^claim/variant}`` for the T at which it is largest; ``{!words}``
    for the left/right of the counterexample whose sentence has these words; ``{@γ}`` for the least κ with
    4γ^{2κ+2} < 1-γ; ``{~name}`` for a fact.
    """

    text: str
    rests_on: Mapping[tuple[str, str], Sequence[str]]


TIGHT, TRUE, VACUOUS, FALSE = ("tight",), ("tight", "holds"), ("vacuous",), ("false as written",)

#: In the order of the paper.
FINDINGS = (
    Finding(
        """
        **Lemma 3 is tight**: on the relay agent i attains D_i(κ) = r̄γ^{κ+1}/(1−γ) at every κ < i. It needs rewards
        in [0, r̄]. With rewards that are bounded above only, as the lemma is printed, any factor is possible
        ({!r_i is upper bounded} in the run). [Figure](paper/figures.md#decay), [errata](paper/errata.md#section-31)
        """,
        {("lemma3", ""): TIGHT, ("!", "r_i is upper bounded"): FALSE},
    ),
    Finding(
        """
        **Lemma 4 is true**: attained up to a factor {lemma4/own hypothesis} with the decay gap max_i D_i(κ) and the
        largest ‖∇log ζ_i‖ of the policy at hand. With constants that serve every policy the factor is
        {lemma4/worst case}. **The whole gradient needs no n**: ‖ĥ − ∇J‖ ≤ (1/√2) · mean_j D_j(κ)/(1−γ), where the
        proof of Theorem 5 has √(2n) for 1/√2. That is best possible; here it is attained up to a factor
        {lemma4_vector/any weights}.
        [Proof](paper/proofs.md#lemma4_vector)
        """,
        {
            ("lemma4", "own hypothesis"): TRUE,
            ("lemma4", "worst case"): TRUE,
            ("lemma4_vector", "any weights"): TRUE,
            ("!", "‖ĥ - ∇J‖ ≤ (1/2)"): ("fails with ½",),
        },
    ),
    Finding(
        """
        **TD's limit need not be a truncated Q-function**, contrary to Section 3.2: it is the Q-function of an
        aggregated chain. It is close to Q_i all the same, within r̄γ^{κ+1}/(1−γ), which is smaller than the paper's
        bound by a factor of 2/(1−γ)². That is best possible; here it is attained up to a factor
        {td_fixed_point/locality}.
        [Proof](paper/proofs.md#td_fixed_point)
        """,
        {("td_fixed_point", "locality"): TRUE, ("!", "the TD update gives a truncated"): FALSE},
    ),
    Finding(
        """
        **Theorem 5 as printed is vacuous**: along runs the right side of (9) is at least {theorem5/(9) along runs}
        times a bound on ‖∇J‖² that holds at every θ. With M = {~M of (9)} and the T of (8), longer than any run here,
        it still is {theorem5/(9)} times that. **With the square of the bias it says something.** Along runs with
        η ≤ 1/L' it is attained up to a factor {theorem5_sharp/as run}, but the bias is known only by computing it. For
        every policy, and TD's limit, it says something where 4γ^{2κ+2} < 1−γ: from κ = {@0.5}, {@0.7}, {@0.8}, {@0.9}
        on at γ = .5, .7, .8, .9.
        [Proof](paper/proofs.md#theorem5_sharp)
        """,
        {
            ("theorem5", "(9)"): VACUOUS,
            ("theorem5", "(9) along runs"): VACUOUS,
            ("theorem5_sharp", "as run"): TRUE,
        },
    ),
    Finding(
        """
        **Assumption 3 fails for the softmax**: no σ > 0 serves all policies at once. Where σ is large (`well_explored`,
        two agents without actions at γ = .05), the finite-time bound on the critic holds as printed, but left/right is
        {critic/paper} at most, at T = {^critic/paper}. With its proof written out, the part that falls like 1/√T is
        less than 1/{~loose} of it. The exact mean and covariance of Q̂^T give a bound that says something on short
        episodes and is attained up to a factor {critic/exact law}. [Proof](paper/proofs.md#critic)
        """,
        {
            ("critic", "paper"): TRUE,
            ("critic", "written out"): TRUE,
            ("critic", "exact law"): TRUE,
            ("!", "one σ > 0 serves"): ("not satisfied by the softmax",),
        },
    ),
    Finding(
        """
        **How long an episode must be**: a cell that no step writes with a probability above p, whatever came before,
        takes log(1/δ)/log(1/(1−p)) steps at least to be known with probability 1−δ. (8) asks for far more: 1/σ is at
        most {theorem5/T of (8)} of its T on the instances of the study. In between `sacrepro advise` goes by ten visits
        an entry of a table, which nothing certifies. [Proof](paper/proofs.md#critic)
        """,
        {("theorem5", "T of (8)"): TRUE, ("!", "T = 2/p steps"): ("fails without T ≥ log(1/δ)/log(1/(1-p))",)},
    ),
    Finding(
        """
        **What κ buys** is a smaller limit of the critic's and the gradient's error, of order γ^{κ+1}; what it costs is
        T. A larger return it need not buy: at equal samples κ = 0 often [earns
        more](paper/figures.md#runs-of-algorithm-1). The mean step of Algorithm 1, computed exactly on paths of three
        agents, is closest to ∇J at κ = 0 for short T and at κ = 1 for long T (table below). ‖∇J‖ → 0 wherever policies
        become deterministic. With steps above 1/L', as usual in practice, no guarantee applies.
        """,
        {},
    ),
)


#: What stands below the findings, of rows of `locality`, and what it wants of them.
LOCALITY = """
What locality costs: on {~locality costs} of {~locality of} small networks the best joint policy, which sees every
state, earns certainly more than the best deterministic localized one. The difference is at most {~locality most} of
what the joint policy gains over the uniform one. SAC ran on {~locality SAC of} of the networks and on each fell short
by more, {~locality SAC} of that gain (Section 6 and Table 4 of [the paper](paper/paper.pdf)). `sacrepro evaluate
mine.yaml --policy learned.yaml --against optimum` tells it of a small network of your own.
"""
BORNE_OUT = "SAC leaves more"

#: Facts that need no run: by how much C_a may be divided; M of the rows of (9).
FACTS = {"loose": str(LOOSE), "M of (9)": f"{M:,}"}

Place = tuple[str, str]


class Evidence:
    """The verdicts and facts of a run, asked by place: (claim, variant); ("!", words) for the counterexample whose
    sentence has these words; ("~", name) for a fact.
    """

    def __init__(self, rows: Iterable[Verdict], facts: Mapping[str, str] | None = None) -> None:
        self.rows = list(rows)
        self.facts = FACTS | dict(facts or {})
        self.by_variant = {(row.claim, row.hypothesis): row for row in self.rows if row.verdict in JUDGEMENTS}

    def row(self, place: Place) -> Verdict | None:
        """The row of the verdict table at a place, if there is just one."""
        kind, words = place
        if kind != "!":
            return self.by_variant.get(place)
        found = [row for row in self.rows if row.verdict not in JUDGEMENTS and words in row.statement]
        return found[0] if len(found) == 1 else None

    def objection(self, place: Place, expected: Sequence[str]) -> str:
        """Why a sentence that wants one of these verdicts there may not stand; empty if it may."""
        row = None if place[0] == "~" else self.row(place)
        found = self.facts.get(place[1], "no row") if place[0] == "~" else row.verdict if row else "no row"
        if found in expected:
            return ""
        return f"{' or '.join(expected)} for {', '.join(filter(None, place)).removeprefix('~, ')}, got {found}"

    def number(self, field: str) -> str:
        """What a field stands for: largest left/right of ``claim/variant`` or, where it is vacuous, how many times its
        right side is above the trivial bound; ``^claim/variant``, the T of it; left/right of the counterexample
        ``!words``; the fact ``~name``; for ``@γ`` the least κ with 4γ^{2κ+2} < 1-γ. KeyError where the run has none,
        as an identity has no ratio.
        """
        if field.startswith("^"):
            row = self.row(as_place(field[1:]))
            at = re.search(r"\bT=(\d+)", row.where) if row else None
            if at is None:
                raise KeyError(field)
            return f"{int(at[1]):,}"
        if field.startswith("@"):
            gamma = float(field[1:])
            return str(next(kappa for kappa in range(100) if 4.0 * gamma ** (2 * kappa + 2) < 1.0 - gamma))
        if field.startswith("~"):
            return self.facts[field[1:]]
        row = self.row(("!", field[1:]) if field.startswith("!") else as_place(field))
        found = math.nan if row is None else row.excess if row.verdict == "vacuous" else row.ratio
        if row is None or math.isnan(found):
            raise KeyError(field)
        return factor_text(found) if row.verdict == "vacuous" else ratio_text(found)


def as_place(text: str) -> Place:
    """The place that a text names: ``claim/variant``, ``!words``, ``~name``."""
    if text[0] in "!~":
        return text[0], text[1:]
    claim, _, variant = text.partition("/")
    return claim, variant


def findings(rows: Iterable[Verdict]) -> str:
    """The findings as a Markdown list, and ValueError for one that the verdicts do not bear out."""
    evidence = Evidence(rows)
    lines = []
    for finding in FINDINGS:
        for place, expected in finding.rests_on.items():
            if objection := evidence.objection(place, expected):
                raise ValueError(f"a finding of the README wants {objection}")
        lines.append(f"* {filled(finding.text, evidence)}\n")
    return "".join(lines)


def filled(text: str, evidence: Evidence) -> str:
    """A text on one line, its fields filled in; ValueError for a number that the run does not have."""
    # A formula's own braces, such as those of γ^{κ+1}, begin with no Latin letter.
    try:
        found = re.sub(r"\{([!@^~a-z][^{}]*)\}", lambda field: evidence.number(field[1]), text)
    except KeyError as error:
        raise ValueError(f"a finding of the README wants a number for {error.args[0]}, got none") from None
    return " ".join(found.split())


def locality_words(facts: Mapping[str, str]) -> str:
    """What locality costs, in a sentence; ValueError where SAC leaves no more than that."""
    evidence = Evidence([], facts)
    if objection := evidence.objection(("~", "locality"), (BORNE_OUT,)):
        raise ValueError(f"what locality costs wants {objection}")
    return filled(LOCALITY, evidence) + "\n"


def front_page(rows: Sequence[Verdict], proofs: Mapping[str, str], *more: str) -> str:
    """What the README shows between its markers: the findings, more that is known, and a short line a claim.

    The name of a claim leads to its section of paper/verdicts.md.
    """
    short = brief_table(rows, {own.name: own.words for own in all_claims()}, proofs)
    linked = re.sub(r"^\| `(\w+)` \|", r"| [`\1`](paper/verdicts.md#\1) |", short, flags=re.MULTILINE)
    return "\n".join(filter(None, (findings(rows), *more, linked)))


def contents(names: Iterable[str]) -> str:
    """Links to the sections of a page that has one a claim."""
    return " · ".join(f"[{name}](#{name})" for name in names)


def opening(name: str) -> list[str]:
    """How the section of a claim begins: what it says in words, where in the paper, and in symbols."""
    own = claim(name)
    said = f"{own.words[:1].upper()}{own.words[1:]} ({own.reference}):"
    return ["", f"## {name}", "", said, "", f"> {own.statement}", ""]


def sections(rows: Sequence[Verdict], proofs: Mapping[str, str]) -> str:
    """What paper/verdicts.md shows between its markers: a section a claim, every verdict and counterexample in it."""
    groups = by(rows, "claim")
    lines = [contents(groups)]
    for name, own in groups.items():
        count = totals(own)
        lines += [
            *opening(name),
            f"{count['comparisons']:,} comparisons on {count['instances']} instances, {count['constraining']:,}"
            f" constraining; {count['violations']} violations.{f' Proof: {proofs[name]}.' if name in proofs else ''}"
            f" Figure: `figures/{name}.svg`. [Check, tests, command](claims.md#{name}).",
        ]
        if judged := [row for row in own if row.verdict in JUDGEMENTS]:
            lines += ["", *verdict_table(judged)]
        if false := [row for row in own if row.verdict not in JUDGEMENTS]:
            lines += ["", "Counterexamples:", ""]
        for row in false:
            number = f"left/right {ratio_text(row.ratio, 4)} at {row.where}; certificate {row.certificate:.1g}"
            lines.append(f"* {row.statement} ({row.reference}): **{row.verdict}**, {number}")
    return "\n".join(lines) + "\n"


def verdict_table(rows: Sequence[Verdict]) -> list[str]:
    """One line a variant of a claim, with its name unless there is only one, which has none."""
    first = 0 if any(row.hypothesis for row in rows) else 1
    header = ("variant", "verdict", "largest left/right", "where", "certificate")[first:]
    body = []
    for row in rows:
        number = excess_text(row) if math.isnan(row.ratio) else ratio_text(row.ratio, 4)
        cells = (row.hypothesis, f"**{row.verdict}**", number, row.where, f"{row.certificate:.1g}")
        body.append(cells[first:])
    return table(header, body)


#: What stands above the table of κ against T.
KAPPA = (
    "κ against T: how far the mean step of Algorithm 1 is from the gradient after an inner loop of T steps, "
    "‖E ĝ − ∇J‖ in per cent of ‖∇J‖, exact, at the uniform policy, each κ with steps α_t = h/(t+t0) of its own, "
    "h = 4 (SA)^{f(κ)}/(1−γ), t0 = 2h. Bold is the closest κ at that T. "
    "[Figure](paper/figures.md#κ-against-t)\n\n"
)


def kappa_table(rows: Sequence[BiasRow]) -> str:
    """‖E ĝ - ∇J‖ in per cent of ‖∇J‖, one line a κ and one column a T, of one instance; bold: the closest κ."""
    if len(instances := sorted({row.instance for row in rows})) > 1:
        raise ValueError(f"the table of κ against T is that of one instance, not of {', '.join(instances)}")
    lengths = sorted({row.T for row in rows})
    header = [f"κ on `{instances[0]}`", *(f"T = {T:,}" for T in lengths), "T → ∞"]
    body = []
    for kappa in sorted({row.kappa for row in rows}):
        own = {row.T: row for row in rows if row.kappa == kappa}
        shares = [(per_cent(own[T].bias / own[T].gradient), own[T].best) if T in own else ("", 0) for T in lengths]
        limit = next(row.limit / row.gradient for row in own.values())
        cells = (f"**{share}**" if best else share for share, best in shares)
        body.append([f"κ = {kappa}", *cells, per_cent(limit)])
    return KAPPA + "\n".join(table(header, body)) + "\n"


def per_cent(share: float) -> str:
    """Two digits of a share; 0 for what is rounding."""
    return f"{float(f'{100 * share:.2g}'):g} %" if share > 1e-12 else "0"


def readme(verdicts: str, page: str, *, formal: tuple[str, str] | None = None, rows: Sequence[str] = ()) -> None:
    """Put verdicts between the markers of a page: of a csv file findings and a short table, in verdicts.md all of them.

    Between findings and table stand κ against T, of rows that `exact-bias` wrote about one instance, and what locality
    costs, of locality.csv, or either as the page has it.
    """
    whole = Path(page).name == "verdicts.md"
    if rows and whole:
        raise ValueError(f"--rows: κ against T stands beside findings, and {page} has none")
    if not verdicts.endswith(".csv"):
        shown = read_text(verdicts)
    else:
        judged, proofs = some_rows([verdicts], Verdict), proofs_of(*formal or (None, None))
        if whole:
            shown = sections(judged, proofs)
        else:
            kept = (rf"^{re.escape(KAPPA)}(?:\|.*\n)+", rf"^{re.escape(LOCALITY.strip().split(':')[0])}: .*\n")
            found = [re.search(pattern, read_text(page), re.MULTILINE) for pattern in kept]
            kappa, locality = (own[0] if own else "" for own in found)
            # Verdicts do not wait for the learners that such rows load.
            if own := [path for path in rows if Path(path).stem != "locality"]:
                from sacrepro.study.experiments.exact_bias import BiasRow

                kappa = kappa_table(some_rows(own, BiasRow))
            if own := [path for path in rows if Path(path).stem == "locality"]:
                from sacrepro.study.experiments.locality import LocalityRow, locality_facts

                locality = locality_words(dict(locality_facts(some_rows(own, LocalityRow))))
            shown = front_page(judged, proofs, locality, kappa)
    write_text(page, between_markers(read_text(page), shown))
