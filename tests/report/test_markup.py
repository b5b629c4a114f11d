"""Text becomes typst markup that compiles whatever it says, and formulas become mathematics."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sacrepro.study.report.document import pdf
from sacrepro.study.report.mathematics import formula
from sacrepro.study.report.pages import inline, markup

#: What proofs and statements are made of, and what typst gives a meaning to.
SIGNS = "aiQθκγ_^{}()[]|‖√²⁻¹'*`#$@<>\\/\"~-+=.,:;&% \n1∎̂̄≤Σ∈"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("κ", "κ"),
        ("N_i^κ", "N_(i)^(κ)"),
        ("r̄", "macron(r)"),
        ("Q̂_i", "hat(Q)_(i)"),
        ("s_i'", "s'_(i)"),
        ("γ^{κ+1}", 'γ^(κ + "1")'),
        ("C_ij", "C_(i j)"),
        ("(1-γ)²", '\\( "1" - γ \\)^("2")'),
        ("2Γ√Var", '"2" Γ sqrt(op("Var"))'),
        ("√(1+γ)", 'sqrt("1" + γ)'),
        ("E‖mean_j ε_j score‖", 'E class("normal", ‖) op("mean")_(j) thin ε_(j) thin op("score") class("closing", ‖)'),
        ("κ=0 ‖θ'‖", 'κ = "0" thin class("opening", ‖) θ\' class("closing", ‖)'),
        ("q*_i", "q^(*)_(i)"),
        ("max_j D_j", 'op("max")_(j) thin D_(j)'),
        ("‖·‖₁", 'class("opening", ‖) · class("closing", ‖)_("1")'),
        ("‖score_i‖/2", 'class("opening", ‖) op("score")_(i) class("closing", ‖) \\/ "2"'),
        ("E[Q | s]", 'E \\[ Q class("relation", |) s \\]'),
        ("m(z|x)", 'm \\( z class("normal", |) x \\)'),
        ("10⁻¹¹·⁷", '"10"^("-11.7")'),
        ("‖ν‖₁₀", 'class("opening", ‖) ν class("closing", ‖)_("10")'),
    ],
)
def test_formulas(text, expected):
    assert formula(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("the bound of Lemma 3", "the bound of Lemma 3"),
        ("where γ < 1 holds.", 'where $γ < "1"$ holds\\.'),
        ("an (r̄, γ)-exponential decay", "an $\\( macron(r) \\, γ \\)$\\-exponential decay"),
        ("the claim td_fixed_point", 'the claim #raw("td_fixed_point");'),
        ("by (light_cone, line 1)", 'by (#raw("light_cone");, line 1)'),
        ("`P[i]` and **bold κ** and *slanted*", '#raw("P[i]"); and #strong[bold $κ$]; and #emph[slanted];'),
        ("a limit q\\*", "a limit $q^(*)$"),
        ("so q\\*(x) settles", "so $q^(*) \\( x \\)$ settles"),
        ("a sum 1{x(z') = x'} of", "a sum $\"1\" \\{ x \\( z' \\) = x' \\}$ of"),
        ("J by differentiation‖ is", '$J$ by $"differentiation" class("closing", ‖)$ is'),
        ('"∇J is L\'-Lipschitz", we read', "“$∇ J$ is $L'$\\-Lipschitz”, we read"),
        ('say `"x"` and "(y)"', 'say #raw("\\"x\\""); and “(y)”'),
        ("for pairs (s, a).", "for pairs $\\( s \\, a \\)$\\."),
        ("of Lemma 4's side", "of Lemma 4’s side"),
        ("at ε_j score_i", 'at $ε_(j) thin op("score")_(i)$'),
        ("`paper`, appendix_a", '#raw("paper");, #raw("appendix_a");'),
        ("min(Lemma 3's", '$op("min") \\( "Lemma " thin "3" "’s"$'),
        ("in Appendix C, line 4", "in Appendix C, line 4"),
        ("see [proofs](proofs.md)", "see proofs"),
        ("within G/2, not G,", 'within $G \\/ "2"$, not $G$,'),
        ("is L_i (L_i for the norm);", "is $L_(i)$ ($L_(i)$ for the norm);"),
        ("is r̄ (ε < 1. Else)", 'is $macron(r)$ ($ε < "1"$\\. Else)'),
        ("is 2ε (1 + γ) then", 'is $"2" ε \\( "1" + γ \\)$ then'),
        ("γ < (1/(2n)) (1 + γ)", '$γ < \\( "1" \\/ \\( "2" n \\) \\) \\( "1" + γ \\)$'),
        ("8. span ≤ r̄ (r̄ for the span).", "8\\. span $≤ macron(r)$ ($macron(r)$ for the span)\\."),
        ("E|ε_j| ≤ max|ε_j| (sup over cells)", None),
        ("the 1-norm ‖·‖₁ (in states)", None),
        ("2/(1-γ)² (not needed)", None),
        ("", ""),
    ],
)
def test_words_and_formulas_are_told_apart(text, expected):
    made = inline(text)
    if expected is None:  # a remark in words keeps its blank after a formula
        words = text[text.index(" (") :]
        assert made.endswith(f"${words}")
    else:
        assert made == expected


def test_blocks():
    page = (
        "# Title\n\nText\nmore.\n1. one\n2. two\n   goes on\n\n"
        "| one | two |\n|---|---|\n| x \\| y | κ |\n\n```\ncode\n```\n"
    )
    made = markup(page, level=1)
    assert "#heading(level: 2)[Title]" in made
    assert "#enum([one], [two goes on])" in made
    assert "table.header([one], [two]), " in made
    assert '#raw("code", block: true)' in made


@given(st.lists(st.text(st.sampled_from(SIGNS), max_size=25), max_size=6))
def test_every_text_compiles(pieces):
    text = "\n".join(pieces)
    assert pdf({"main.typ": f"$ {formula(text)} $\n\n{markup(text)}\n\n#[{inline(text)}]".encode()}).startswith(b"%PDF")


def test_a_short_column_beside_a_long_one_holds_its_longest_word():
    """Seen: the kinds of the errata ran into the next column."""
    made = markup(f"| kind | what |\n|---|---|\n| constant loose | {'word ' * 2000}|")
    first, second = (float(width) for width in re.findall(r"([\d.]+)fr", made))
    assert first / (first + second) > 0.08
