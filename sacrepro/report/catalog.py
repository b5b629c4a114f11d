"""What there is: every claim with its files and its command, every figure with its caption, from the code itself."""

from __future__ import annotations

import inspect
import sys
from typing import Any

from sacrepro.claims import CLAIMS, claim
from sacrepro.plotting import FIGURES, drawing


def catalog() -> dict[str, list[dict[str, Any]]]:
    """The claims in the paper's order, and the figures; only strings inside."""
    return {"claims": [claim_entry(name) for name in CLAIMS], "figures": [figure_entry(name) for name in FIGURES]}


def claim_entry(name: str) -> dict[str, Any]:
    """One claim: what it states, how it is checked in the words of its module, and where its parts are."""
    chosen = claim(name)
    first, _, rest = inspect.cleandoc(sys.modules[chosen.check.__module__].__doc__ or "").partition("\n\n")
    return {
        "name": name,
        "title": " ".join(first.split()),
        "statement": chosen.statement,
        "reference": chosen.reference,
        "about": rest,
        "measures": inspect.cleandoc(chosen.check.__doc__ or ""),
        "module": f"sacrepro/claims/{name}.py",
        "test": f"tests/claims/test_{name}.py",
        "rows": f"results/claims/{name}.csv",
        "command": f"snakemake --cores 2 results/claims/{name}.csv",
    }


def figure_entry(name: str) -> dict[str, Any]:
    """One figure: its caption, which is the docstring of its drawing, and whether it shows a claim's comparisons."""
    draw = drawing(name).draw
    caption = inspect.cleandoc(getattr(draw, "func", draw).__doc__ or "")
    return {"name": name, "caption": caption, "of_claim": name in CLAIMS}


def claims_page(entries: dict[str, list[dict[str, Any]]]) -> str:
    """paper/claims.md: claim → rule → file → command."""
    lines = [
        "# From a claim to its numbers",
        "",
        "Written by `python -m sacrepro catalog`. Rule `claim` measures, rule `verdicts` judges, rule `figure` draws.",
        "Each command computes what it needs and nothing else.",
        "",
        "| claim | statement | check, tests | rows | command |",
        "|---|---|---|---|---|",
    ]
    for entry in entries["claims"]:
        module, test = f"../{entry['module']}", f"../{entry['test']}"
        statement = entry["statement"].replace("|", "\\|")
        lines.append(
            f"| `{entry['name']}` ({entry['reference']}) | {statement} | [check]({module}), [tests]({test})"
            f" | `{entry['rows']}` | `{entry['command']}` |"
        )
    return "\n".join(lines) + "\n"
