"""The walls of the house: who may import whom, who opens files, who prints."""

import ast
import functools
from pathlib import Path

import networkx as nx
import pytest

import sacrepro
from sacrepro.archive.provenance import imports

ROOT = Path(sacrepro.__file__).parent
MODULES = {
    ".".join(("sacrepro", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__"): path
    for path in sorted(ROOT.rglob("*.py"))
    if path != ROOT / "__init__.py"
}

#: Floors of the house, from the ground up: a room imports from itself and from lower floors only.
FLOORS = (
    ("model",),
    ("simulate", "exact", "bounds", "archive"),
    ("instances", "learn"),
    ("adviser", "adapters"),
    ("study",),
    ("cli",),
    ("__main__",),
)

#: Floors inside the study.
STUDY = (
    ("arguments", "spent"),
    ("record",),
    ("measures",),
    ("claims", "experiments", "bench"),
    ("audit", "coq", "jobs"),
    ("drawings",),
    ("report",),
    ("plan", "your_network", "check", "judge", "__main__"),
)


@functools.cache
def tree(module):
    """The syntax tree."""
    return ast.parse(MODULES[module].read_text())


@functools.cache
def nodes(module):
    """All nodes of the syntax tree."""
    return tuple(ast.walk(tree(module)))


def room(module):
    return module.split(".")[1]


def floor(name, floors):
    (level,) = (level for level, names in enumerate(floors) if name in names)
    return level


@pytest.mark.parametrize("module", MODULES)
def test_rooms_import_from_lower_floors_only(module):
    for imported in imports(module):
        if imported == "sacrepro":
            continue
        here, there = room(module), room(imported)
        if imported == "sacrepro.study":
            continue
        if here == there == "study" and module != "sacrepro.study":
            inner, other = module.split(".")[2], imported.split(".")[2]
            assert inner == other or floor(other, STUDY) < floor(inner, STUDY), f"{module} imports {imported}"
        else:
            assert here == there or floor(there, FLOORS) < floor(here, FLOORS), f"{module} imports {imported}"


def test_no_import_hides_a_circle():
    """Imports inside functions and for type checking count."""
    graph = nx.DiGraph((module, other) for module in MODULES for other in imports(module) if other != module)
    # What is asked of a front is one of its modules, which counts itself.
    graph.remove_nodes_from([node for node in graph if node in MODULES and MODULES[node].name == "__init__.py"])
    assert not [circle for circle in nx.strongly_connected_components(graph) if len(circle) > 1]


#: Modules that import others of the package inside a function, and what does not wait for them.
LATE = {
    "sacrepro.instances.network.files": "a plan, which asks what files an instance reads, for scipy",
    "sacrepro.instances.network.labelled": "a network, which is read and described, for the compiler",
    "sacrepro.study.__main__": "everything that is printed, for what opens files",
    "sacrepro.cli": "--help and a typing error, for any verb",
    "sacrepro.exact.product.steps": "small models, for the compiler",
    "sacrepro.study.your_network": "the same; and advice without a picture, for matplotlib",
    "sacrepro.study.arguments": "a command line without a network file, for what reads one",
    "sacrepro.study.drawings": "a figure of a claim, for the learners of the figures of runs",
    "sacrepro.study.experiments.exact_bias": "a job without sampling, for the learner",
    "sacrepro.study.spent": "a command line, for the arrays of the archive",
    "sacrepro.study.experiments.sac": "a job that compiles one room, for the others",
    "sacrepro.study.report.findings": "verdicts, for the exact law behind the rows of κ against T",
}


@pytest.mark.parametrize("module", MODULES)
def test_an_import_inside_a_function_has_a_reason(module):
    """Other packages may be heavy or extras; of this one whatever is needed stands above."""
    functions = [node for node in nodes(module) if isinstance(node, ast.FunctionDef)]
    inside = {
        ast.unparse(node)
        for function in functions
        for node in ast.walk(function)
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "sacrepro"
    }
    assert bool(inside) == (module in LATE), inside


#: Fronts, whose names are for people: inside, a name is imported from where it is.
FRONTS = ("sacrepro", "sacrepro.exact", "sacrepro.learn", "sacrepro.simulate")


def imported_names(module):
    for node in nodes(module):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


@pytest.mark.parametrize("module", MODULES)
def test_nobody_inside_comes_through_a_front(module):
    for node in nodes(module):
        if isinstance(node, ast.ImportFrom) and node.module in FRONTS and MODULES[module].name != "__init__.py":
            assert all(f"{node.module}.{alias.name}" in MODULES for alias in node.names), ast.unparse(node)


@pytest.mark.parametrize("module", [name for name in MODULES if room(name) == "learn"])
def test_the_learner_never_sees_the_model(module):
    for name in imported_names(module):
        unseen = ("sacrepro.model.mdp", "sacrepro.model.kernels", "sacrepro.exact", "sacrepro.instances")
        assert not name.startswith(unseen), f"{module}: {name}"
    attributes = {node.attr for node in nodes(module) if isinstance(node, ast.Attribute)}
    assert not attributes & {"P", "mdp"}, f"{module} reaches for the kernels"


@pytest.mark.parametrize("module", [name for name in MODULES if room(name) == "learn"])
def test_the_learner_asks_a_simulator_for_methods_never_for_its_class(module):
    classes = {"Simulator", "BaseSimulator", "SteppedSimulator", "OwnSimulator"}
    # The published variant is the wireless benchmark's own.
    classes |= {"WirelessSimulator"} if module != "sacrepro.learn.published" else set()
    assert not {name.rpartition(".")[2] for name in imported_names(module)} & classes


@pytest.mark.parametrize("module", [name for name in MODULES if room(name) == "bounds"])
def test_bounds_never_see_an_exact_solution(module):
    for name in imported_names(module):
        assert not name.startswith(("sacrepro.exact", "sacrepro.learn")), f"{module}: {name}"


@pytest.mark.parametrize("module", MODULES)
def test_only_the_study_and_the_adviser_see_both_sides(module):
    names = list(imported_names(module))
    sees_bounds = any(name.startswith("sacrepro.bounds") for name in names)
    sees_exact = any(name.startswith("sacrepro.exact") for name in names)
    # The adviser sets bounds beside measured decay, and nothing it says enters a verdict.
    both = ("sacrepro.study.measures", "sacrepro.study.claims", "sacrepro.study.audit", "sacrepro.study.experiments")
    assert not (sees_bounds and sees_exact) or module.startswith((*both, "sacrepro.adviser"))


#: Fronts load a name on first use, options look a list up when they are read, the dispatcher loads one job, and claims
#: and experiments are folders.
BY_NAME = {"sacrepro.exact"} | {f"sacrepro.study.{room}" for room in ("__main__", "arguments", "claims", "experiments")}


@pytest.mark.parametrize("module", MODULES)
def test_modules_are_imported_by_name_nowhere_else(module):
    assert module in BY_NAME or "importlib" not in imported_names(module)


@pytest.mark.parametrize("module", [name for name in MODULES if name.startswith("sacrepro.study.claims.")])
def test_no_claim_imports_another(module):
    """What two claims need is in `measures`."""
    assert not any(name.startswith("sacrepro.study.claims") for name in imported_names(module))


#: Methods that open or write a file.
FILE_METHODS = {"open", "write_text", "write_bytes", "read_text", "read_bytes", "savez", "savetxt", "savefig", "tofile"}


@pytest.mark.parametrize("module", MODULES)
def test_only_the_archive_opens_files_and_only_the_command_line_prints(module):
    functions, methods = set(), set()
    for node in nodes(module):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            functions.add(node.func.id)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            methods.add(node.func.attr)
    assert room(module) == "archive" or not (methods & FILE_METHODS or "open" in functions)
    prints = room(module) == "cli" or module == "sacrepro.study.__main__"
    assert prints or not functions & {"print", "input", "exit"}


@pytest.mark.parametrize("module", MODULES)
def test_every_public_function_and_class_says_what_it_is(module):
    assert ast.get_docstring(tree(module)), f"{module} has no docstring"
    for node in tree(module).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{module}.{node.name} has no docstring"


@pytest.mark.parametrize("module", MODULES)
def test_no_room_is_over_400_lines(module):
    assert len(MODULES[module].read_text().splitlines()) <= 400


def test_no_two_public_classes_have_one_name():
    homes = {}
    for module in MODULES:
        for node in tree(module).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes.setdefault(node.name, []).append(module)
    assert len(homes) > 100
    assert {name: where for name, where in homes.items() if len(where) > 1} == {}
