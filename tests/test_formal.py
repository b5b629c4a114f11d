"""The Coq library: nothing is assumed, its numbers are those of Python's rational arithmetic, and the check is one."""

import re
import shutil
import subprocess
from fractions import Fraction
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from sacrepro.archive.files import read_rows
from sacrepro.cli import main
from sacrepro.instances.extremal import NEXT_IS_ONE, coin_lover, td_witness
from sacrepro.instances.relay import relay
from sacrepro.study import coq
from sacrepro.study.claims import CLAIMS, all_claims
from sacrepro.study.claims.td_fixed_point import is_of_form_5
from sacrepro.study.coq import (
    CLOSED,
    COMMENT,
    UNCHECKED,
    Theorem,
    digests,
    formal,
    proofs,
    theorems,
)
from sacrepro.study.measures.fixed_points import solve, td_hull

FOLDER = Path(__file__).parent.parent / "paper" / "formal"
FILES = [line for line in (FOLDER / "_CoqProject").read_text().splitlines() if line.endswith(".v")]
TEXTS = {file: (FOLDER / file).read_text() for file in FILES}
WITH_COQ = shutil.which("coqc") is not None
BITS = list(product((0, 1), repeat=2))


def test_nothing_is_assumed_and_every_theorem_belongs_to_a_claim():
    rows = theorems(TEXTS, CLAIMS)
    assert all(row.assumptions == UNCHECKED for row in rows)
    for row in rows:
        assert re.search(rf"\b(Theorem|Lemma|Corollary|Definition) {row.theorem}\b", TEXTS[row.file])
    assert set(FILES) - {row.file for row in rows} == {"law.v", "theorems.v"}
    own = {(row.claim, row.file.removesuffix(".v")) for row in rows if row.file.removesuffix(".v") in CLAIMS}
    assert all(claim == file for claim, file in own)


def test_every_file_is_in_the_project_with_what_it_imports():
    assert {path.name for path in FOLDER.glob("*.v")} == set(FILES)
    assert set(digests(TEXTS, "8.16")) == set(FILES)
    with pytest.raises(ValueError, match=r"lemma3\.v imports law, which is not in _CoqProject"):
        digests({"lemma3.v": TEXTS["lemma3.v"]}, "8.16")


LISTED = """(* @lemma3.c is in a comment. *)
From sacrepro Require law lemma3.
Definition theorems :=
  let _ := (@law.b) in
  (* claim: lemma4 *)
  let _ := (@lemma3.a,
    @lemma3.d) in
  tt.
Print Assumptions theorems.
"""


def test_what_assumes_is_refused():
    texts = {"lemma3.v": "Theorem a : b. Proof. Qed. (* no Axiom *)", "theorems.v": LISTED}
    named = [Theorem("", "b", "law.v", UNCHECKED), *(Theorem("lemma4", x, "lemma3.v", UNCHECKED) for x in "ad")]
    assert theorems(texts, CLAIMS) == named
    for end in ("Admitted.", "Qed. Axiom c : d.", "Qed. Parameter c : d."):
        with pytest.raises(ValueError, match=r"lemma3\.v: \w+ assumes what should be proved"):
            theorems({"lemma3.v": f"Theorem a : b. Proof. {end}", "theorems.v": LISTED}, CLAIMS)
    with pytest.raises(ValueError, match="no claim is called 'lemma9'"):
        theorems({"theorems.v": LISTED.replace("lemma4", "lemma9")}, CLAIMS)
    with pytest.raises(
        ValueError, match=r"expected \(\* claim: NAME \*\) or \(\* no claim \*\), got \(\*claim: lemma4\*\)"
    ):
        theorems({"theorems.v": LISTED.replace("(* claim: lemma4 *)", "(*claim: lemma4*)")}, CLAIMS)


def test_a_library_that_does_not_say_what_its_theorems_are_is_refused(tmp_path):
    (tmp_path / "_CoqProject").write_text("-R . sacrepro\nlemma4.v\n")
    (tmp_path / "lemma4.v").write_text("Theorem lemma4 : True. Proof. exact I. Qed.\n")
    with pytest.raises(ValueError, match=r"_CoqProject: theorems\.v is not in it"):
        list(formal(str(tmp_path), required=True, output=str(tmp_path / "formal.csv")))


@pytest.mark.parametrize(
    ("off", "instead"),
    [
        ("Print Assumptions theorems", "Print Assumptions law.b"),
        ("tt.", "tt.\nCheck @lemma3.d."),
        ("(@law.b)", "law.b"),
        ("Require law", "Require Import law"),  # whose notations could say something else
        ("@law.b", "@sacrepro.law.b"),
        ("let _ := (@law.b) in", '(* " (* *) let _ := (@law.b) in (* " *)'),  # one comment, for Coq
        (LISTED[LISTED.index("  let") : LISTED.index("  tt.")], ""),
    ],
)
def test_what_is_named_is_what_is_printed(off, instead):
    with pytest.raises(ValueError, match=r"theorems\.v should be From sacrepro Require file \.\.\., without Import"):
        theorems({"theorems.v": LISTED.replace(off, instead)}, CLAIMS)


def test_each_claim_says_how_it_is_proved():
    rows = theorems(TEXTS, CLAIMS)
    page = (FOLDER.parent / "proofs.md").read_text()
    checked = [row._replace(assumptions=CLOSED) for row in rows]
    told = proofs(all_claims(), checked, page)
    assert told["lemma3"] == told["definition2"] == told["influence"] == "machine-checked"
    assert told["lemma4_vector"] == "machine-checked; by hand: natural weights"
    assert told["lemma1"] == "machine-checked; by hand: that ∂/∂θ is a derivation"
    assert [told[claim] for claim in ("anatomy", "complexity")] == ["by hand", "as in the paper"]
    without = proofs(all_claims(), rows, page)
    assert without["lemma4_vector"] == f"formal, {UNCHECKED}; by hand: natural weights"
    one_left = [row if row.theorem == "lemma4_vector_td" else row._replace(assumptions=CLOSED) for row in rows]
    half = proofs(all_claims(), one_left, page)
    assert half["lemma4_vector"] == without["lemma4_vector"]
    with pytest.raises(ValueError, match="lemma3: no theorem is called lemma3_D"):
        proofs(all_claims(), [row for row in checked if row.theorem != "lemma3_D"], page)
    with pytest.raises(ValueError, match="td_fixed_point: the page of proofs has no heading td_fixed_point"):
        proofs(all_claims(), checked, page.replace("## td_fixed_point\n", ""))


def test_every_heading_of_the_page_is_the_proof_of_a_claim():
    headings = re.findall(r"^## (\w+)$", (FOLDER.parent / "proofs.md").read_text(), re.MULTILINE)
    assert sorted(headings) == sorted(claim.proof for claim in all_claims() if claim.proof)


def test_no_two_theorems_have_one_name():
    names = [row.theorem for row in theorems(TEXTS, CLAIMS)]
    assert len(set(names)) == len(names)


# -- what the page says --


def sentences(text):
    """Coq's sentences without comments, white space normalised."""
    return [" ".join(found.split()) for found in re.findall(r"\S.*?\.(?=\s|$)", COMMENT.sub("", text), re.DOTALL)]


def named(sentence):
    found = re.match(r"(?:Theorem|Lemma|Corollary) (\w+)", sentence)
    return found and found[1]


def in_force(text):
    """By theorem, the hypotheses of the sections that it stands in."""
    sections, found = [[]], {}
    for sentence in sentences(text):
        if sentence.startswith("Section "):
            sections.append([])
        elif sentence.startswith("End "):
            sections.pop()
        elif re.match("Hypothes[ie]s ", sentence):
            sections[-1].append(sentence)
        elif named(sentence):
            found[named(sentence)] = [hypothesis for section in sections for hypothesis in section]
    return found


def quoted(page):
    return [sentences(block) for block in re.findall(r"```coq\n(.*?)```", page, re.DOTALL)]


def misquoted(page):
    """Blocks of the page that are no sentences of one file, and theorems without a hypothesis of their section."""
    wrong = []
    for block in quoted(page):
        files = [text for text in TEXTS.values() if set(block) <= set(sentences(text))]
        if not files:
            wrong.append(block)
            continue
        for k, sentence in enumerate(block):
            if named(sentence) and not set(in_force(files[0])[named(sentence)]) <= set(block[:k]):
                wrong.append(sentence)
    return wrong


def test_the_page_quotes_the_files_word_for_word():
    page = (FOLDER / "README.md").read_text()
    assert misquoted(page) == []
    for off in ("gamma M ^+ kappa.+1 / (1 - gamma M).", "Hypothesis loc : local M.\n", "norm2 (score sc i s a) <= L"):
        assert off in page
        assert misquoted(page.replace(off, off.replace("kappa.+1", "kappa.+2") if "kappa" in off else ""))


def test_the_page_names_every_theorem_and_quotes_those_that_the_table_of_verdicts_relies_on():
    page = (FOLDER / "README.md").read_text()
    rows = theorems(TEXTS, CLAIMS)
    assert [row.theorem for row in rows if f"`{row.theorem}`" not in page] == []
    proved = {
        name for text in TEXTS.values() for name in re.findall(r"^(?:Theorem|Corollary) (\w+)", text, re.MULTILINE)
    }
    assert proved & set(re.findall(r"`(\w+)`", page)) <= {row.theorem for row in rows}
    relied = {variant.theorem for claim in all_claims() for variant in claim.variants if variant.theorem}
    assert relied <= {named(sentence) for block in quoted(page) for sentence in block}


# -- numbers --


def fractions(text):
    return [Fraction(int(n), int(d)) for n, d in re.findall(r"(\d+)\s*#\s*(\d+)", text)]


def tables(file, name):
    """Kernel by (i, s_0, s_1, a_i), rewards by (i, s_i, a_i), γ and the policy's odds by (i, s_i), as Coq has them."""
    body = re.search(rf"Definition {name}\b.*?:= Tables\n(.*?)\.\n", TEXTS[file], re.DOTALL)[1]
    numbers = fractions(body)
    return numbers[:16], numbers[16:24], numbers[24], numbers[25:]


def model_tables(mdp):
    """The same of a model of two agents with two states and one or two actions."""

    def exact(x):
        return Fraction(float(x)).limit_denominator(10**6)

    kernel = [exact(mdp.P[i][s, t, min(a, mdp.P[i].shape[2] - 1), 1]) for i in (0, 1) for s, t in BITS for a in (0, 1)]
    reward = [exact(mdp.r[i][s, min(a, mdp.r[i].shape[1] - 1)]) for i in (0, 1) for s, a in BITS]
    return kernel, reward, exact(mdp.gamma)


def side(p, b):
    return p if b else 1 - p


class Exact:
    """Q_i, V_i, D_i(0) and q* of two agents by enumeration of all pairs, in fractions."""

    def __init__(self, kernel, reward, gamma, choose):
        self.pairs = list(product((0, 1), repeat=4))
        self.reward, self.gamma, self.choose = reward, gamma, choose
        self.P = {
            (z, s): side(kernel[4 * z[0] + 2 * z[1] + z[2]], s[0]) * side(kernel[8 + 4 * z[0] + 2 * z[1] + z[3]], s[1])
            for z in self.pairs
            for s in BITS
        }

    def act(self, s, a):
        return side(self.choose[s[0]], a[0]) * side(self.choose[2 + s[1]], a[1])

    def chain(self, z, w):
        return self.P[z, w[:2]] * self.act(w[:2], w[2:])

    def r(self, i, z):
        return self.reward[4 * i + 2 * z[i] + z[2 + i]]

    def Q(self, i):
        rows = [[Fraction(z == w) - self.gamma * self.chain(z, w) for w in self.pairs] for z in self.pairs]
        return dict(zip(self.pairs, solve(rows, [self.r(i, z) for z in self.pairs]), strict=True))

    def V(self, i):
        Q = self.Q(i)
        return [sum(self.act(s, a) * Q[*s, *a] for a in BITS) for s in BITS]

    def D(self, i):
        Q = self.Q(i)
        return max(abs(Q[z] - Q[w]) for z in Q for w in Q if (z[i], z[2 + i]) == (w[i], w[2 + i]))

    def q_star(self):
        step = {(s, x): sum(self.act(s, a) * self.P[(*s, *a), x] for a in BITS) for s in BITS for x in BITS}
        balance = [[step[s, x] - Fraction(s == x) for s in BITS] for x in BITS[:3]]
        mu = dict(zip(BITS, solve([*balance, [Fraction(1)] * 4], [Fraction(0)] * 3 + [Fraction(1)]), strict=True))
        rows = []
        for s, a in BITS:
            row = {cell: Fraction((s, a) == cell) for cell in BITS}
            for t, b in BITS:
                weight = mu[s, t] / (mu[s, 0] + mu[s, 1]) * side(self.choose[2 + t], b)
                for w in self.pairs:
                    row[w[0], w[2]] -= self.gamma * weight * self.chain((s, t, a, b), w)
            rows.append(list(row.values()))
        return solve(rows, [self.reward[2 * s + a] for s, a in BITS])


@pytest.mark.parametrize(
    ("name", "mdp"),
    [("td_witness", td_witness()), ("relay_2", relay(2, gamma=0.9)), ("coin_lover", coin_lover())],
)
def test_the_models_of_the_counterexamples_are_those_of_the_instances(name, mdp):
    assert tables("counterexamples.v", name)[:3] == model_tables(mdp)


def stated(theorem):
    return fractions(re.search(rf"(Lemma|Theorem) {theorem} :(.*?)Proof\.", TEXTS["counterexamples.v"], re.DOTALL)[2])


def test_td_lies_outside_the_hull_by_the_same_fractions():
    hull, q = td_hull(NEXT_IS_ONE, 0.9)
    assert stated("td_numbers") == [q, *hull]
    assert q + 1 < min(hull)
    (row,) = is_of_form_5()
    assert (row.left, row.right) == (float(min(hull)), float(q))


def test_the_relay_and_the_coin_have_the_same_fractions():
    relay_2 = Exact(*tables("counterexamples.v", "relay_2"))
    assert stated("kappa_plus_2_numbers")[0] == relay_2.D(1) == 9
    assert stated("kappa_plus_2_numbers")[-1] == Fraction(9, 10) ** 2 * 10
    Q = relay_2.Q(1)
    share, off, _, bound = stated("weights_numbers")
    assert (abs(share * Q[1, 1, 0, 0] - Q[0, 1, 0, 0]), relay_2.D(1)) == (off, bound)
    kernel, reward, gamma, _ = tables("counterexamples.v", "coin_lover")
    coin = fractions(re.search(r"Definition coin :=(.*?)\.\n", TEXTS["counterexamples.v"])[1])
    D_coin, _, pure, *_ = stated("coin_numbers")
    assert Exact(kernel, reward, gamma, coin).D(1) == D_coin
    assert pure == max(
        Exact(kernel, reward, gamma, list(map(Fraction, choose))).D(1) for choose in product((0, 1), repeat=4)
    )


def test_what_this_version_has_accepted_needs_no_mathcomp_again(tmp_path, monkeypatch):
    monkeypatch.setattr(coq, "coq_version", lambda: "1")
    monkeypatch.setattr(coq, "has_mathcomp", lambda: False)

    def answers():
        main(["formal", str(FOLDER), "--cache", str(tmp_path), "--output", str(tmp_path / "formal.csv")])
        return {row.assumptions for row in read_rows(tmp_path / "formal.csv", Theorem)}

    keys = digests(TEXTS, "1")
    for file, key in keys.items():
        assert answers() == {UNCHECKED}
        (tmp_path / key).mkdir()
        (tmp_path / key / "printed.txt").write_text(f"{CLOSED}\n" if file == "theorems.v" else "")
    assert answers() == {CLOSED}


# -- the proof checker itself --

needs_coq = pytest.mark.skipif(not WITH_COQ, reason="no coqc on this machine")


def test_without_coq_every_theorem_is_called_unchecked(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    main(["formal", str(FOLDER), "--output", str(tmp_path / "formal.csv")])
    rows = read_rows(tmp_path / "formal.csv", Theorem)
    assert {row.assumptions for row in rows} == {UNCHECKED}
    with pytest.raises(ValueError, match="no coqc with MathComp on the path"):
        main(["formal", str(FOLDER), "--required", "--output", str(tmp_path / "formal.csv")])


@needs_coq
@pytest.mark.slow
def test_every_theorem_is_accepted_without_axioms(tmp_path):
    main(["formal", str(FOLDER), "--output", str(tmp_path / "formal.csv")])
    rows = read_rows(tmp_path / "formal.csv", Theorem)
    assert {row.assumptions for row in rows} == {CLOSED}
    assert {"lemma3", "truncation", "lemma4", "td_fixed_point"} <= {row.claim for row in rows}


@needs_coq
@pytest.mark.slow
def test_kappa_plus_2_is_not_accepted(tmp_path):
    for file in ("_CoqProject", *FILES):
        shutil.copy(FOLDER / file, tmp_path)
    text = TEXTS["lemma3.v"]
    assert "gamma M ^+ kappa.+1 /" in text
    (tmp_path / "lemma3.v").write_text(text.replace("gamma M ^+ kappa.+1 /", "gamma M ^+ kappa.+2 /"))
    with pytest.raises(ValueError, match=r"lemma3\.v is not accepted"):
        main(["formal", str(tmp_path), "--cache", str(FOLDER / ".checked"), "--output", str(tmp_path / "formal.csv")])
    assert not (tmp_path / "formal.csv").exists()


@needs_coq
@pytest.mark.slow
def test_an_axiom_that_a_theorem_rests_on_is_named(tmp_path):
    (tmp_path / "_CoqProject").write_text("law.v\nlemma3.v\ntheorems.v\n")
    (tmp_path / "law.v").write_text("From Coq Require Import FunctionalExtensionality.\nDefinition b := 0.\n")
    (tmp_path / "lemma3.v").write_text("From sacrepro Require Import law.\nDefinition a := b.\nDefinition d := b.\n")
    (tmp_path / "theorems.v").write_text(LISTED)
    words = ["formal", str(tmp_path), "--required", "--output", str(tmp_path / "formal.csv")]
    main(words)
    assert read_rows(tmp_path / "formal.csv", Theorem)[-1] == Theorem("lemma4", "d", "lemma3.v", CLOSED)
    (tmp_path / "lemma3.v").write_text(
        "From sacrepro Require Import law.\nDefinition a := b.\n"
        "Definition d := @FunctionalExtensionality.functional_extensionality.\n"
    )
    with pytest.raises(ValueError, match=r"theorems\.v: not Closed .*functional_extensionality_dep"):
        main(words)


@needs_coq
@pytest.mark.slow
def test_coqchk_reads_what_is_compiled_and_refuses_what_is_damaged(tmp_path):
    (tmp_path / "_CoqProject").write_text("law.v\n")
    shutil.copy(FOLDER / "law.v", tmp_path)
    words = ["formal", str(tmp_path), "--coqchk", "--output", str(tmp_path / "formal.csv")]
    main(words)
    (compiled,) = tmp_path.glob(".checked/*/law.vo")
    content = bytearray(compiled.read_bytes())
    content[len(content) // 2] ^= 1
    compiled.write_bytes(content)
    with pytest.raises(ValueError, match="coqchk does not accept"):
        main(words)


@needs_coq
@pytest.mark.slow
@pytest.mark.parametrize("name", ["drawn_1", "drawn_2"])
def test_definitions_evaluated_by_coq_are_enumeration_in_fractions(name, tmp_path):
    exact = Exact(*tables("faithful.v", name))
    wanted = {
        f"Q_list {name} false": list(exact.Q(0).values()),
        f"Q_list {name} true": list(exact.Q(1).values()),
        f"V_list {name} false": exact.V(0),
        f"V_list {name} true": exact.V(1),
        f"[:: gap {name} false; gap {name} true]": [exact.D(0), exact.D(1)],
        f"q_list {name}": exact.q_star(),
    }
    main(["formal", str(FOLDER), "--output", str(tmp_path / "formal.csv")])
    keys = digests(TEXTS, subprocess.check_output(["coqc", "--print-version"], text=True).strip())
    lines = ["From Coq Require Import QArith.", "From mathcomp Require Import all_ssreflect all_algebra."]
    lines += ["From sacrepro Require Import rational faithful."]
    lines += [f"Eval vm_compute in [seq (Qnum x, Qden x) | x <- {term}]." for term in wanted]
    (tmp_path / "values.v").write_text("\n".join(lines) + "\n")
    folders = [part for key in keys.values() for part in ("-R", str(FOLDER / ".checked" / key), "sacrepro")]
    printed = subprocess.check_output(["coqc", "-w", "none", *folders, "values.v"], cwd=tmp_path, text=True)
    answers = printed.split(": seq")[:-1]
    found = [[Fraction(int(n), int(d)) for n, d in re.findall(r"\(\s*(\d+)\D*?,\s*(\d+)", part)] for part in answers]
    assert found == [np.ravel(values).tolist() for values in wanted.values()]
