"""The walls of the house: who may import whom, who opens files, who prints."""

import ast
import functools
from pathlib import Path

import networkx as nx

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


def may_import(module, imported):
    if imported in ("sacrepro", "sacrepro.study"):
        return True
    here, there = room(module), room(imported)
    if here == there == "study" and module != "sacrepro.study":
        inner, other = module.split(".")[2], imported.split(".")[2]
        return inner == other or floor(other, STUDY) < floor(inner, STUDY)
    return here == there or floor(there, FLOORS) < floor(here, FLOORS)


def test_rooms_import_from_lower_floors_only():
    pairs = [(module, imported) for module in MODULES for imported in imports(module)]
    assert len(pairs) > len(MODULES)
    assert not [f"{module} imports {imported}" for module, imported in pairs if not may_import(module, imported)]


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


def test_an_import_inside_a_function_has_a_reason():
    """Other packages may be heavy or extras; of this one whatever is needed stands above."""
    late = {}
    for module in MODULES:
        own = [node for node in nodes(module) if isinstance(node, ast.ImportFrom) and node.module]
        own = [node for node in own if node.module.split(".")[0] == "sacrepro" and node not in tree(module).body]
        for function in (node for node in nodes(module) if own and isinstance(node, ast.FunctionDef)):
            if inside := {ast.unparse(node) for node in own if node in ast.walk(function)}:
                late.setdefault(module, set()).update(inside)
    assert {module: inside for module, inside in late.items() if module not in LATE} == {}
    assert late.keys() == LATE.keys()


#: Fronts, whose names are for people: inside, a name is imported from where it is.
FRONTS = ("sacrepro", "sacrepro.exact", "sacrepro.learn", "sacrepro.simulate")


def imported_names(module):
    for node in nodes(module):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def imported_from(*rooms):
    """(module, what it imports by name) in these folders, of which there are some."""
    pairs = [(module, name) for module in MODULES if module.startswith(rooms) for name in imported_names(module)]
    assert {next(r for r in rooms if module.startswith(r)) for module, _ in pairs} == set(rooms)
    return pairs


def test_nobody_inside_comes_through_a_front():
    through = []
    for module in (name for name in MODULES if MODULES[name].name != "__init__.py"):
        for node in nodes(module):
            if isinstance(node, ast.ImportFrom) and node.module in FRONTS:
                through += [
                    (module, alias.name) for alias in node.names if f"{node.module}.{alias.name}" not in MODULES
                ]
    assert not through


def test_the_learner_never_sees_the_model():
    unseen = ("sacrepro.model.mdp", "sacrepro.model.kernels", "sacrepro.exact", "sacrepro.instances")
    pairs = imported_from("sacrepro.learn")
    assert not [f"{module}: {name}" for module, name in pairs if name.startswith(unseen)]
    reached = [
        f"{module} reaches for the kernels: {node.attr}"
        for module in dict(pairs)
        for node in nodes(module)
        if isinstance(node, ast.Attribute) and node.attr in ("P", "mdp")
    ]
    assert not reached


def test_the_learner_asks_a_simulator_for_methods_never_for_its_class():
    classes = {"Simulator", "BaseSimulator", "SteppedSimulator", "OwnSimulator", "WirelessSimulator"}
    asked = {(module, name.rpartition(".")[2]) for module, name in imported_from("sacrepro.learn")}
    # The published variant is the wireless benchmark's own.
    assert {pair for pair in asked if pair[1] in classes} <= {("sacrepro.learn.published", "WirelessSimulator")}


def test_bounds_never_see_an_exact_solution():
    exact = ("sacrepro.exact", "sacrepro.learn")
    assert not [f"{module}: {name}" for module, name in imported_from("sacrepro.bounds") if name.startswith(exact)]


def test_only_the_study_and_the_adviser_see_both_sides():
    """The adviser sets bounds beside measured decay, and nothing it says enters a verdict."""
    study = ("sacrepro.study.measures", "sacrepro.study.claims", "sacrepro.study.audit", "sacrepro.study.experiments")
    pairs = imported_from("sacrepro")
    sees_bounds = {module for module, name in pairs if name.startswith("sacrepro.bounds")}
    sees_exact = {module for module, name in pairs if name.startswith("sacrepro.exact")}
    both = sees_bounds & sees_exact
    assert not [module for module in both if not module.startswith((*study, "sacrepro.adviser"))]
    assert len(both) > 10


#: Fronts load a name on first use, options look a list up when they are read, the dispatcher loads one job, and claims
#: and experiments are folders.
BY_NAME = {"sacrepro.exact"} | {f"sacrepro.study.{room}" for room in ("__main__", "arguments", "claims", "experiments")}


def test_modules_are_imported_by_name_nowhere_else():
    assert {module for module, name in imported_from("sacrepro") if name == "importlib"} <= BY_NAME


def test_no_claim_imports_another():
    """What two claims need is in `measures`."""
    pairs = imported_from("sacrepro.study.claims.")
    assert not [f"{module}: {name}" for module, name in pairs if name.startswith("sacrepro.study.claims")]


#: Methods that open or write a file.
FILE_METHODS = {"open", "write_text", "write_bytes", "read_text", "read_bytes", "savez", "savetxt", "savefig", "tofile"}


def test_only_the_archive_opens_files_and_only_the_command_line_prints():
    calls = [(module, node.func) for module in MODULES for node in nodes(module) if isinstance(node, ast.Call)]
    functions = {(module, called.id) for module, called in calls if isinstance(called, ast.Name)}
    methods = {(module, called.attr) for module, called in calls if isinstance(called, ast.Attribute)}
    opens = {pair for pair in methods if pair[1] in FILE_METHODS} | {pair for pair in functions if pair[1] == "open"}
    assert not [pair for pair in opens if room(pair[0]) != "archive"]
    prints = {module for module in MODULES if room(module) == "cli"} | {"sacrepro.study.__main__"}
    assert not [pair for pair in functions if pair[1] in ("print", "input", "exit") and pair[0] not in prints]


def test_every_public_function_and_class_says_what_it_is():
    for module in MODULES:
        public = [
            node
            for node in tree(module).body
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_")
        ]
        silent = [getattr(node, "name", module) for node in (tree(module), *public) if not ast.get_docstring(node)]
        assert not silent, f"{module}: no docstring of {', '.join(silent)}"


def test_no_room_is_over_400_lines():
    lines = {module: len(path.read_text().splitlines()) for module, path in MODULES.items()}
    assert {module: count for module, count in lines.items() if count > 400} == {}


def test_no_two_public_classes_have_one_name():
    homes = {}
    for module in MODULES:
        for node in tree(module).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes.setdefault(node.name, []).append(module)
    assert len(homes) > 100
    assert {name: where for name, where in homes.items() if len(where) > 1} == {}
