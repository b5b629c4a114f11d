"""Code digests follow what a module computes and imports."""

import pytest

from sacrepro import provenance
from sacrepro.provenance import code_digest, import_closure, meaning


def test_closure_follows_imports():
    closure = import_closure(("sacrepro.claims.lemma4",))
    assert {
        "sacrepro.claims.lemma4",
        "sacrepro.bounds.definition2",
        "sacrepro.exact.dense",
        "sacrepro.model",
    } <= closure
    assert "sacrepro.plotting.style" not in closure
    assert "sacrepro.bounds.lemma4" not in import_closure(("sacrepro.claims.lemma3",))


def test_a_package_counts_with_all_its_modules():
    assert "sacrepro.plotting.style" in import_closure(("sacrepro.plotting",))


def test_comments_and_docstrings_do_not_count_but_numbers_do(tmp_path):
    texts = {
        "plain.py": "def f(x):\n    return x + 1\n",
        "commented.py": '"""Doc."""\n# why\ndef f(x):\n    """Returns."""\n\n    return (x + 1)\n',
        "changed.py": "def f(x):\n    return x + 2\n",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    plain, commented, changed = (meaning(tmp_path / name) for name in texts)
    assert plain == commented
    assert plain != changed


def test_digests_differ_between_modules_and_are_stable():
    assert code_digest("sacrepro.bounds.lemma3") == code_digest("sacrepro.bounds.lemma3")
    assert code_digest("sacrepro.bounds.lemma3") != code_digest("sacrepro.bounds.lemma4")


@pytest.mark.parametrize("name", ["sacrepro.lemma5", "numpy", "sacrepro"])
def test_unknown_modules_are_refused(name):
    with pytest.raises(ValueError, match="is not a module of sacrepro"):
        provenance.source(name)
