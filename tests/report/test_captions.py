"""Captions of the HTML report show names of files letter by letter, whatever they mean in reStructuredText or HTML."""

from pathlib import Path
from types import SimpleNamespace

import jinja2
import pytest
from docutils.core import publish_parts
from docutils.writers import get_writer_class

CAPTIONS = Path(__file__).parents[2] / "workflow/captions"


@pytest.mark.parametrize(
    "name", ["plain", "ends_in_", "_starts", "a*b*c", "|x|", "<b>&amp;</b>", "$x$", "שלום", "n" * 80, "two  blanks"]
)
def test_a_caption_names_its_rows(name):
    files = [f"results/claims/{name}.csv", f"results/exact_critic/{name}_.csv"]
    snakemake = SimpleNamespace(input=files)
    caption = jinja2.Template((CAPTIONS / "figure.rst").read_text()).render(snakemake=snakemake)
    body = publish_parts(caption, writer=get_writer_class("html")(), settings_overrides={"report_level": 1})["body"]
    assert "system-message" not in body
    assert "problematic" not in body
    seen = jinja2.filters.do_striptags(body)
    for file in files:
        assert "".join(file.split()) in "".join(seen.split())
