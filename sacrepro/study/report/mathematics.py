"""Formulas as this project writes them in plain text, such as ‖ĥ_i - ∇_{θ_i}J‖ ≤ cL_iρ^{κ+1}/(1-γ), set by typst.

Whatever the text, the result compiles: every character is either placed by the grammar below or escaped.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any
from xml.etree import ElementTree

from sacrepro.model.notices import brought_by

#: Combining marks after a letter, and the typst function that sets them.
ACCENTS = {"\u0302": "hat", "\u0303": "tilde", "\u0304": "macron", "\u0307": "dot"}
#: Names of functions and laws, set upright.
OPERATORS = frozenset(
    ["min", "max", "sup", "inf", "log", "exp", "lim", "det", "osc", "diag", "mean", "score", "Var", "TV"]
)
SUPERSCRIPTS = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺ᵀᵗᵈ", "0123456789-+Ttd", strict=True)) | {"·": "."}
SUBSCRIPTS = dict(zip("₀₁₂₃₄₅₆₇₈₉", "0123456789", strict=True))
#: Fewer small letters are a product unless they stand alone.
SHORTEST_WORD = 4
#: ASCII punctuation that typst's mathematics takes as it is.
PLAIN = frozenset("+-=<>!.")

#: What stands before a bar that opens, and after a bar that closes.
BLANK = frozenset(["", " ", "\n"])
OPENING = frozenset("([{≤≥<>=+-−/")
CLOSING = frozenset(")]},.;:^_/≤≥<>=+-−·'’*") | SUPERSCRIPTS.keys() | SUBSCRIPTS.keys()

TOKEN = re.compile(
    r"(?P<number>\d+(?:\.\d+)?|\.\d+)|(?P<raised>[⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺ᵀᵗᵈ]+(?:·[⁰¹²³⁴⁵⁶⁷⁸⁹]+)?)"
    r"|(?P<lowered>[₀-₉]+)"
    r"|(?P<name>[A-Za-z]{2,}(?![\u0300-\u036f]))|(?P<letter>[^\W_][\u0300-\u036f]*)|(?P<script>[_^])|(?P<root>√)"
    r"|(?P<space>\s+)|(?P<other>.)",
    re.DOTALL,
)


def formula(text: str) -> str:
    """`text` as the inside of a typst formula."""
    spelled = "".join(unicodedata.normalize("NFD", c) if c.isalpha() else c for c in unicodedata.normalize("NFC", text))
    return TypstFormula(spelled).all()


def quoted(text: str) -> str:
    """`text` as a typst string."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


class TypstFormula:
    """A reader over one formula."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.place = 0

    def all(self) -> str:
        """Everything that is left, as typst mathematics."""
        atoms: list[tuple[str, str]] = []
        while self.place < len(self.text):
            self.take(atoms)
        return " ".join(base + scripts for base, scripts in atoms)

    def take(self, atoms: list[tuple[str, str]]) -> None:
        """Read one token: a new atom, or a script on the last one; a prime belongs to the letter."""
        found = TOKEN.match(self.text, self.place)
        assert found is not None  # `other` takes any character
        start, self.place = self.place, found.end()
        kind, token = found.lastgroup, found.group()
        if token in "'’" and self.text[start - 1 : start].isdigit() and self.text[start + 1 : start + 2] == "s":
            self.place += 1  # the genitive of a number, not a prime
            atoms.append((quoted("’s"), ""))
            return
        starred = token == "*" and bool(re.fullmatch(r"\w", self.text[start - 1 : start]))
        if kind in {"script", "raised", "lowered"} or token in "'’" or starred:
            base, scripts = atoms.pop() if atoms else ('""', "")
            if kind == "raised":
                scripts += f"^({quoted(''.join(SUPERSCRIPTS[c] for c in token))})"
            elif kind == "lowered":
                scripts += f"_({quoted(''.join(SUBSCRIPTS[c] for c in token))})"
            elif starred:
                scripts += "^(*)"
            elif kind == "script":
                scripts += f"{token}({self.argument()})"
            else:
                base += "'"
            atoms.append((base, scripts))
        elif kind == "root":
            atoms.append((f"sqrt({self.argument()})", ""))
        elif kind == "name":
            atoms += [(part, "") for part in self.name(token, start)]
        elif kind == "space":
            after = self.text[self.place :]
            product = after[:1].isalnum() or re.match(r"[‖|√∇ΣΠ](?! )", after)
            if start and self.text[start - 1] not in "+-−=<>≤≥(,·|" and product:
                atoms.append(("thin", ""))
        elif atom := self.character(token, kind, start):
            atoms.append((atom, ""))

    def character(self, token: str, kind: str | None, start: int) -> str:
        """A number, a letter with its accents, or a sign."""
        if kind == "number":
            return quoted(token)
        if kind == "letter":
            letter = token[0]
            for mark in token[1:]:
                letter = f"{ACCENTS[mark]}({letter})" if mark in ACCENTS else letter
            return letter
        if token in "|‖":
            return f'class("{self.side(start)}", {token})'
        if token.isascii() and token not in PLAIN:
            return f"\\{token}" if token.isprintable() else ""
        return "" if unicodedata.combining(token) or not token.isprintable() else token

    def side(self, start: int) -> str:
        """Whether a bar opens, closes or divides, by what stands around it: typst would set it with blanks."""
        before, after = self.text[start - 1 : start], self.text[start + 1 : start + 2]
        if before in BLANK and after in BLANK:
            return "relation"
        if before in BLANK | OPENING:
            return "opening"
        return "closing" if after in BLANK | CLOSING else "normal"

    def name(self, token: str, start: int) -> list[str]:
        """An operator, a word between spaces, or a product of letters."""
        if token in OPERATORS:
            return [f"op({quoted(token)})"]
        before, after = self.text[start - 1 : start], self.text[self.place : self.place + 1]
        if len(token) >= SHORTEST_WORD and token[1:].islower():
            return [quoted(" " * (before == " ") + token + " " * (after == " "))]
        if token[0].islower() and before.strip("( ") == "" and after.strip("(),.:; ") == "":
            left, right = (" " if before == " " else ""), (" " if after == " " else "")
            return [quoted(f"{left}{token}{right}")]
        return list(token)

    def argument(self) -> str:
        """What a script or a root applies to: a group in braces or parentheses, or one letter, number or sign."""
        opening = self.text[self.place : self.place + 1]
        closing = {"{": "}", "(": ")"}.get(opening)
        end = self.matching(opening, closing) if closing else None
        if end is not None:
            inside = TypstFormula(self.text[self.place + 1 : end]).all()
            self.place = end + 1
            return inside or '""'
        found = TOKEN.match(self.text, self.place)
        if found is None or found.lastgroup in {"script", "root", "space", "raised", "lowered"}:
            return '""'
        if found.group() in OPERATORS:
            self.place = found.end()
            return f"op({quoted(found.group())})"
        if found.lastgroup == "name":
            letters = found.group() if found.group().islower() else found.group()[0]
            self.place += len(letters)
            return " ".join(letters) if len(letters) < 3 else quoted(letters)
        start, self.place = self.place, found.end()
        return self.character(found.group(), found.lastgroup, start) or '""'

    def matching(self, opening: str, closing: str) -> int | None:
        """The place of the bracket that closes the one at this place."""
        depth = 0
        for place in range(self.place, len(self.text)):
            depth += (self.text[place] == opening) - (self.text[place] == closing)
            if depth == 0:
                return place
        return None


#: Where a formula may end a line, outside of brackets.
BREAKS = re.compile(r"[≤≥<>=≠∈⊂→≈+−,]")

#: Signs of a formula that fit on a line of a telephone.
LONG = 14

#: Accents that stand by themselves, for combining ones, which browsers put beside the letter.
STANDING = {"\u0302": "^", "\u0303": "~", "\u0304": "\u00af", "\u0305": "\u00af"}


def mathml(formulas: Sequence[str]) -> dict[str, str]:
    """Each formula, given in typst's words, as one <math> or several between which a line may end."""
    with brought_by("workflow"):
        import typst  # which everything else here does without

    compiled: Any = typst.compile
    text = "\n\n".join(f"${formula}$" for formula in formulas).encode()
    page = compiled({"main.typ": text}, format="html", ignore_system_fonts=True).decode() if formulas else ""
    found = re.findall(r"<math\b.*?</math>", page, re.DOTALL)
    if len(found) != len(formulas):
        raise ValueError(f"{len(formulas)} formulas became {len(found)}")
    return {formula: broken(own) for formula, own in zip(formulas, found, strict=True)}


def broken(math: str) -> str:
    """A formula that may end a line before a relation or a sum; what is long may do so inside of brackets."""
    whole, parts, depth = ElementTree.fromstring(math), [""], 0
    for own in whole.iter("mo"):
        own.text = STANDING.get(own.text or "", own.text)
    for child in opened(whole):
        sign = (child.text or "") if child.tag == "mo" else ""
        depth += (sign in {"(", "[", "{"}) - (sign in {")", "]", "}"})
        full = len("".join(ElementTree.fromstring(f"<p>{parts[-1]}</p>").itertext()))
        if BREAKS.fullmatch(sign) and full and (depth <= 0 or full > LONG):
            child.set("form", "infix")
            parts.append("")
        parts[-1] += ElementTree.tostring(child, encoding="unicode")
    return "<wbr>".join(f"<math>{part}</math>" for part in parts)


def opened(whole: ElementTree.Element) -> Iterator[ElementTree.Element]:
    """The parts of a formula, long groups as their own parts."""
    for child in whole:
        yield from opened(child) if child.tag == "mrow" and len("".join(child.itertext())) > LONG else [child]
