"""The reference of the public names: an example that runs, every argument told, and what is raised."""

import doctest
import inspect
import re
from pathlib import Path

import pytest

import sacrepro

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "paper/site/reference.md").read_text()
#: Words that the page of the reference explains once for all.
COMMON = {
    word for row in re.findall(r"^\| (`.*?) \|", PAGE, flags=re.MULTILINE) for word in re.findall(r"`(\w+)`", row)
}
FUNCTIONS = [name for name in sacrepro.__all__ if inspect.isfunction(getattr(sacrepro, name))]


def doc(name):
    return inspect.getdoc(getattr(sacrepro, name)) or ""


@pytest.mark.parametrize("name", sacrepro.__all__)
def test_the_example_runs(name, monkeypatch):
    """The page of a name begins with its import, and nothing else is there that the example does not import."""
    monkeypatch.chdir(ROOT)
    example = doctest.DocTestParser().get_doctest(doc(name), {name: getattr(sacrepro, name)}, name, None, None)
    assert example.examples, f"{name} has no example"
    said = []
    runner = doctest.DocTestRunner()
    runner.run(example, out=said.append)
    assert runner.summarize(verbose=False).failed == 0, "".join(said)


def told(name):
    """The words of a docstring, with those of the docstrings whose arguments it refers to."""
    text = doc(name)
    others = re.findall(r"(?:rguments|rrors)[^.]*? as of `(\w+)`|as of `(\w+)`|(?:s|,) as there", text)
    if "as there" in text:
        others += [(other, "") for other in re.findall(r"`(\w+)`", text)]
    referred = {other for pair in others for other in pair if other in sacrepro.__all__ and other != name}
    return " ".join([text.split(">>>")[0], *(told(other) for other in referred)])


@pytest.mark.parametrize("name", sacrepro.__all__)
def test_every_argument_is_told(name):
    try:
        parameters = set(inspect.signature(getattr(sacrepro, name)).parameters)
    except ValueError:  # a warning has no signature
        parameters = set()
    unsaid = {own for own in parameters - COMMON if not re.search(rf"\b{own}\b", told(name))}
    assert not unsaid


@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_is_raised_is_told(name):
    assert re.search(r"Error\b", told(name)) or {"mdp", "theta"} >= set(
        inspect.signature(getattr(sacrepro, name)).parameters
    )


def test_words_of_the_page_are_arguments():
    known = {own for name in FUNCTIONS for own in inspect.signature(getattr(sacrepro, name)).parameters}
    assert known >= COMMON
