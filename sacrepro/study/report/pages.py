"""The Markdown of this project's pages as typst markup: headings, paragraphs, lists, tables, code, and formulas.

Formulas need no mark: a word is what consists of letters, a formula what does not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from sacrepro.study.report.mathematics import OPERATORS, formula, quoted

WORD = re.compile(
    r"""[“"'(\[]*(?:[A-Za-zÀ-ÿ][a-zà-ÿ]+|[A-Z]{2,}|[aA]|e\.g\.|i\.e\.|\([a-e]\))(?:['’/–-][A-Za-zÀ-ÿ]+)*[)\]”"'’.,;:?!]*"""
)
#: Signs that appear in formulas only.
SIGNS = re.compile(r"[_^≤≥<>=+−±∓∈∉⊂∪∩∞√∇Σ∏Π∂‖|·×÷→↦∀∃⪯⪰≈≠∼∝\u0300-\u036f\u0370-\u03ff⁰-⁹²³¹ᵀ𝒯∎]")
#: A function of something, a product with a number, letters with an operator's name before them.
APPLIED = re.compile(
    r"[(\[{]*(?:[A-Za-z]['’*]*|" + "|".join(sorted(OPERATORS)) + r")[(\[|].*|[A-Za-z]\d+[.,;:]*|\d+[A-Za-z][.,;:]*"
    r"|1\{.*|[A-Za-z]/\d+[.,;:]*|[(\[]*\d+/\(?\d*[A-Za-z]\)*[.,;:]*|[A-Z]['’]+[-–][A-Za-z][a-z]+[”.,;:)]*"
)
IDENTIFIER = re.compile(r"([(\[]*)([a-z][a-z0-9]+(?:_[a-z0-9]+)+)((?:['’]s)?[.,;:)\]]*)")
#: What is followed by its letter or number.
NUMBERED = frozenset(["Appendix", "Figure", "Section", "Table"])
NUMBER = re.compile(r"[(\[]*[-−]?[\d.,]*\d%?[)\].,;:]*")
SPAN = re.compile(r"(``.+?``|`[^`]+`|\*\*.+?\*\*|(?<![\w*\\])\*[^\s*][^*]*\*(?![\w*])|\[[^\]]+\]\([^)]+\))", re.DOTALL)
QUOTE = re.compile(r'(?P<code>``.+?``|`[^`]+`)|(?P<open>(?<![^\s(\[])")|"', re.DOTALL)
STAR = "\ue000"
BAR = "\ue001"


def escaped(text: str) -> str:
    """Plain text as typst markup, with the apostrophe that typst would take for a prime after a number."""
    text = re.sub(r"(?<=\w)'", "’", text)
    return re.sub(r"([\\*_#$@<>\[\]`~=+\-/.{}|^&%])", r"\\\1", text)


def inline(text: str) -> str:
    """One paragraph with its code, emphasis and formulas."""
    parts = []
    curled = QUOTE.sub(lambda found: found["code"] or ("“" if found["open"] else "”"), text)
    for part in SPAN.split(curled.replace("\\*", STAR).replace("\\|", BAR)):
        if part.startswith("`"):
            parts.append(f"#raw({quoted(restored(part.strip('`')))});")  # or what follows might be an argument
        elif part.startswith("**"):
            parts.append(f"#strong[{inline(part[2:-2])}];")
        elif len(part) > 2 and part.startswith("*") and part.endswith("*"):
            parts.append(f"#emph[{inline(part[1:-1])}];")
        elif part.startswith("[") and part.endswith(")") and "](" in part:
            parts.append(inline(part[1 : part.index("](")]))
        else:
            parts.append(prose(restored(part)))
    return "".join(parts)


def restored(text: str) -> str:
    """The stars and bars that were escaped."""
    return text.replace(STAR, "*").replace(BAR, "|")


def prose(text: str) -> str:
    """Words as they are, runs of everything else as formulas."""
    forms: dict[str, Callable[[str], str]] = {
        "words": escaped,
        "code": lambda own: f"#raw({quoted(own)});",
        "formula": lambda own: f"${own}$",
    }
    return "".join(forms[kind](own) for kind, own in pieces(text))


def pieces(text: str) -> Iterator[tuple[str, str]]:
    """The parts of a text in order: ``words``, ``code`` for a name of the code, ``formula`` in typst's words."""
    tokens = re.split(r"(\s+)", text)[::2]
    run = ""
    kinds = classify(tokens)
    for place, (token, in_formula) in enumerate(zip(tokens, kinds, strict=True)):
        gap = " " if place else ""
        if in_formula:
            if run and token.startswith("(") and not closes(tokens[place:], kinds[place:]):
                # A remark in words begins with a formula.
                yield from parted(run)
                run = ""
            if not run:
                yield "words", gap
            run += (gap if run else "") + token
            if token.endswith((".", ":", ";")):
                yield from parted(run)
                run = ""
            continue
        yield from parted(run)
        run = ""
        if found := IDENTIFIER.fullmatch(token):
            yield from (("words", gap + found[1]), ("code", found[2]), ("words", found[3]))
        else:
            yield "words", gap + token
    yield from parted(run)


def closes(tokens: list[str], kinds: list[bool]) -> bool:
    """Whether the bracket that the first token opens is closed before the formula ends."""
    depth = 0
    for token, in_formula in zip(tokens, kinds, strict=True):
        if not in_formula:
            return False
        depth += token.count("(") - token.count(")")
        if depth <= 0:
            return True
        if token.endswith((".", ":", ";")):
            return False
    return False


def classify(tokens: list[str]) -> list[bool]:
    """Whether each token belongs to a formula; numbers and lone signs follow what is before and after."""
    kinds: list[bool | None] = []
    depth = 0
    for place, token in enumerate(tokens):
        balance = sum(map(token.count, "([{")) - sum(map(token.count, ")]}"))
        found = IDENTIFIER.fullmatch(token)
        named = place > 0 and tokens[place - 1] in NUMBERED
        word = WORD.fullmatch(token) and not (depth > 0 and re.fullmatch(r"a[)\]}.,;:]+", token))
        if named or word or not token or (found and found[2].split("_")[0] not in OPERATORS):
            kinds.append(False)
            depth = 0
            continue
        if (
            SIGNS.search(token)
            or APPLIED.fullmatch(token)
            or re.fullmatch(r"[(\[{]*[B-Zb-z]['’*]*[)\]}.,;:]*", token)
            or depth > 0
        ):
            kinds.append(True)
        else:
            kinds.append(None if NUMBER.fullmatch(token) or token in {"-", "/", "…", "..."} else False)
        depth = max(0, depth + balance) if kinds[-1] else 0
    for place, kind in enumerate(kinds):
        if kind is None:
            before = bool(place and kinds[place - 1]) and not tokens[place - 1].endswith((".", ":", ";"))
            sign = not any(c.isdigit() for c in tokens[place])
            kinds[place] = before and (not sign or kinds[place + 1 : place + 2] == [True])
    return [bool(kind) for kind in kinds]


def parted(text: str) -> Iterator[tuple[str, str]]:
    """An inline formula between what is the sentence's: its punctuation and unmatched brackets."""
    front = ""
    closing = {"(": ")", "[": "]", "“": ""}
    while text and text[0] in closing and (text[0] == "“" or text.count(text[0]) > text.count(closing[text[0]])):
        front, text = front + text[0], text[1:]
    back = ""
    if found := re.search(r"[-–][A-Za-z][a-z]+[”.,;:]*$", text):
        text, back = text[: found.start()], found.group()
    while text and (
        text[-1] in ".,;:”" or (text[-1] in ")]" and text.count(text[-1]) > text.count({")": "(", "]": "["}[text[-1]]))
    ):
        back, text = text[-1] + back, text[:-1]
    yield "words", front
    if body := formula(text):
        yield "formula", body
    yield "words", back


def markup(page: str, *, level: int = 0) -> str:
    """A whole page; its headings sink by `level`."""
    return "\n\n".join(set_block(block, level) for block in blocks(page))


def blocks(page: str) -> Iterator[list[str]]:
    """Runs of lines that belong together."""
    block: list[str] = []
    fenced = False
    for line in page.splitlines():
        if line.startswith("```"):
            fenced = not fenced
            block.append(line)
            continue
        starts = not fenced and (not line.strip() or line.startswith("#") or bool(block and begins_list(line, block)))
        if starts and block:
            yield block
            block = []
        if line.strip() or fenced:
            block.append(line)
        if line.startswith("#") and not fenced:
            yield block
            block = []
    if block:
        yield block


#: The line below the header of a table.
RULE = re.compile(r"\|[|\s:-]+")
ITEM = re.compile(r"(\d+\.|[-*]) +(.*)", re.DOTALL)


def begins_list(line: str, block: list[str]) -> bool:
    """Whether a list, or a table, follows a paragraph without an empty line between them."""
    kinds = (ITEM.match, lambda text: text.startswith("|"))
    return any(bool(kind(line)) and not kind(block[0]) for kind in kinds)


def set_block(block: list[str], level: int) -> str:
    """One block as typst markup."""
    first = block[0]
    if first.startswith("!["):  # pictures are for pages on a screen
        return ""
    if first.startswith("```"):
        return f"#raw({quoted(chr(10).join(block[1:-1]))}, block: true)"
    if first.startswith("#"):
        depth = len(first) - len(first.lstrip("#")) + level
        return f"#heading(level: {depth})[{inline(first.lstrip('#').strip())}]"
    if len(block) > 1 and cells(first) and RULE.fullmatch(block[1]):
        return set_table(block)
    if ITEM.match(first):
        return set_list(block)
    if all(line.startswith("    ") for line in block):
        return "#align(center)[" + " \\ ".join(inline(line.strip()) for line in block) + "]"
    return inline("\n".join(block))


def set_list(block: list[str]) -> str:
    """A numbered or plain list; a line that starts no item goes on with the one before, or ends the list."""
    items: list[str] = []
    rest: list[str] = []
    for line in block:
        if rest:
            rest.append(line)
        elif found := ITEM.match(line):
            items.append(found.group(2))
        elif line.startswith(" "):
            items[-1] += "\n" + line.strip()
        else:
            rest.append(line)
    kind = "enum" if block[0][0].isdigit() else "list"
    set_items = f"#{kind}(" + ", ".join(f"[{inline(item)}]" for item in items) + ")"
    return set_items + ("\n\n" + inline("\n".join(rest)) if rest else "")


def cells(line: str) -> list[str]:
    """The cells of one line of a table."""
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip())[1:-1]]


def set_table(block: list[str]) -> str:
    """A table with a header line; its columns share the width by what they hold."""
    header, *lines = [cells(line) for line in [block[0], *block[2:]]]
    lines = [(line + [""] * len(header))[: len(header)] for line in lines]
    columns_of = [[line[column] for line in lines] for column in range(len(header))]
    widths = [max(6.0, sum(map(len, column)) ** 0.7) for column in columns_of]
    # A line has some 110 letters, and a word of letters alone is not broken.
    longest = [max(map(len, re.findall(r"[A-Za-z]+", " ".join(column))), default=0) for column in columns_of]
    widths = [max(width, (word + 2) / 110 * sum(widths)) for width, word in zip(widths, longest, strict=True)]
    columns = ", ".join(f"{width:.1f}fr" for width in widths)
    head = ", ".join(f"[{inline(cell)}]" for cell in header)
    body = ", ".join(f"[{inline(cell)}]" for line in lines for cell in line)
    return f"#table(columns: ({columns},), table.header({head}), {body})"
