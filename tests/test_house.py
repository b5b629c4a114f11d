"""The walls of the house: who may import whom, who opens files, who prints."""

import ast
from pathlib import Path

import pytest

import sacrepro
from sacrepro.provenance import imports

ROOT = Path(sacrepro.__file__).parent
MODULES = {
    ".".join(("sacrepro", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__"): path
    for path in sorted(ROOT.rglob("*.py"))
    if path != ROOT / "__init__.py"
}

#: Floors of the house; a room imports from its own room or from lower floors only.
FLOORS = {
    "graph": 0,
    "notices": 0,
    "model": 1,
    "coupled": 1.5,
    "counted": 1.5,
    "policy": 2,
    "instances": 2.5,
    "simulate": 2,
    "exact": 3,
    "bounds": 3,
    "learn": 3,
    "truncation": 4,
    "claims": 5,
    "advise": 5,
    "store": 5,
    "provenance": 5,
    "network": 6,
    "policies": 6.5,
    "manifest": 6,
    "difference": 6,
    "formal": 0,
    "plotting": 6,
    "bench": 5,
    "report": 7,
    "adapters": 7,
    "cli": 8,
    "__main__": 9,
}


def room(module):
    return module.split(".")[1]


@pytest.mark.parametrize("module", MODULES)
def test_rooms_import_from_lower_floors_only(module):
    for imported in imports(module):
        if imported == "sacrepro":
            continue
        assert (
            room(imported) == room(module)
            or FLOORS[room(imported)] < FLOORS[room(module)]
            or (room(module) == "simulate" and room(imported) == "policy")
        ), f"{module} imports {imported}"


def imported_names(module):
    tree = ast.parse(MODULES[module].read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


@pytest.mark.parametrize("module", [name for name in MODULES if room(name) == "learn"])
def test_the_learner_never_sees_the_model(module):
    for name in imported_names(module):
        if name != "sacrepro.model.Array":  # the alias of numpy's array type
            assert not name.startswith(("sacrepro.model", "sacrepro.exact", "sacrepro.instances")), f"{module}: {name}"
    attributes = {
        node.attr for node in ast.walk(ast.parse(MODULES[module].read_text())) if isinstance(node, ast.Attribute)
    }
    assert not attributes & {"P", "mdp"}, f"{module} reaches for the kernels"


@pytest.mark.parametrize("module", [name for name in MODULES if room(name) == "bounds"])
def test_bounds_never_see_an_exact_solution(module):
    for name in imported_names(module):
        assert not name.startswith(("sacrepro.exact", "sacrepro.truncation", "sacrepro.learn")), f"{module}: {name}"


@pytest.mark.parametrize("module", MODULES)
def test_only_claims_and_advice_see_both_sides(module):
    names = list(imported_names(module))
    sees_bounds = any(name.startswith("sacrepro.bounds") for name in names)
    sees_exact = any(name.startswith("sacrepro.exact") for name in names)
    # advise sets bounds beside measured decay, and nothing it says enters a verdict.
    assert not (sees_bounds and sees_exact) or room(module) in {"claims", "advise"}


#: Methods that open or write a file.
FILE_METHODS = {"open", "write_text", "write_bytes", "read_text", "read_bytes", "savez", "savetxt", "savefig", "tofile"}


@pytest.mark.parametrize("module", MODULES)
def test_only_the_store_opens_files_and_only_the_cli_prints(module):
    functions, methods = set(), set()
    for node in ast.walk(ast.parse(MODULES[module].read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            functions.add(node.func.id)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            methods.add(node.func.attr)
    # provenance reads source code, exact.memory reads how much memory the machine has left.
    if module not in {"sacrepro.provenance", "sacrepro.exact.memory"}:
        assert room(module) == "store" or not (methods & FILE_METHODS or "open" in functions)
    assert room(module) == "cli" or not functions & {"print", "input", "exit"}


@pytest.mark.parametrize("module", MODULES)
def test_every_public_function_and_class_says_what_it_is(module):
    tree = ast.parse(MODULES[module].read_text())
    assert ast.get_docstring(tree), f"{module} has no docstring"
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{module}.{node.name} has no docstring"


@pytest.mark.parametrize("module", MODULES)
def test_no_room_is_over_400_lines(module):
    assert len(MODULES[module].read_text().splitlines()) <= 400
