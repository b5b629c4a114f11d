"""Small networks are solved by a matrix, larger ones by products: tests that ask for it see both on small ones."""

import pytest

from sacrepro.exact import chain


@pytest.fixture(scope="module", params=["matrix", "products"])
def either_solver(request):
    """The solver by its name; of module scope, since hypothesis draws many examples in one test."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "products":
            patch.setattr(chain, "MATRIX_ENTRIES", 0)
        yield request.param


@pytest.fixture
def by_products(monkeypatch):
    """No network is small."""
    monkeypatch.setattr(chain, "MATRIX_ENTRIES", 0)
