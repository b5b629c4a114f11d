"""`python tests/mutation.py MODULE COUNT SEED TESTS …`: what the tests make of a module in which one thing is changed.

All mutants of a module, or COUNT drawn with SEED: in each one thing of its syntax tree is changed (`changes`). A mutant
is judged by those of the TESTS that come to its lines, quickest first, in a fork of its own in which `sacrepro` is
imported anew. Writes a row a mutant: line, what was changed, what became of it. `paper/mutation.md` has the results.
"""

import ast
import csv
import importlib
import importlib.abc
import importlib.util
import json
import os
import random
import resource
import sys
import tempfile
import time
from pathlib import Path

#: Tests that take longer than this, in seconds of processor time, do not judge; and a mutant's share of what its take.
LONGEST, PATIENCE = 1.0, 2.0

SWAPS = {
    one: other
    for pair in ("Lt LtE", "Gt GtE", "Eq NotEq", "Is IsNot", "In NotIn", "Add Sub", "Mult Div", "LShift RShift",
                 "BitAnd BitOr", "And Or", "Break Continue", "min max", "minimum maximum", "all any", "argmin argmax")
    for one, other in (pair.split(), pair.split()[::-1])
} | {"FloorDiv": "Mult", "Mod": "FloorDiv", "Pow": "Mult", "USub": "UAdd"}  # fmt: skip


def nodes(node, above=None):
    """The tree without annotations, decorators, the record of a claim, and `strict=`, in the order of the text."""
    for field, value in ast.iter_fields(node):
        for part in value if isinstance(value, list) else [value]:
            left_out = field in ("annotation", "returns", "decorator_list") or not isinstance(part, ast.AST)
            record = isinstance(part, ast.Assign) and getattr(part.targets[0], "id", "") == "CLAIM"
            if not left_out and not record and getattr(part, "arg", "") != "strict":
                statement = part if isinstance(part, ast.stmt) else above
                yield statement, part
                yield from nodes(part, statement)


def changes(node):
    """Every way to change one thing of a node, as functions that do it."""

    def swapped(holder, name):
        other = SWAPS[type(getattr(holder, name)).__name__]
        return lambda: setattr(holder, name, getattr(ast, other)())

    kind = type(node).__name__
    if kind == "Compare":
        for k, op in enumerate(node.ops):
            yield lambda k=k, op=op: node.ops.__setitem__(k, getattr(ast, SWAPS[type(op).__name__])())
    elif kind in ("BinOp", "AugAssign", "BoolOp", "UnaryOp") and type(node.op).__name__ in SWAPS:
        yield swapped(node, "op")
    elif kind == "Constant" and isinstance(node.value, int | float):
        other = not node.value if isinstance(node.value, bool) else node.value + 1
        yield lambda: setattr(node, "value", other)
    elif kind in ("Break", "Continue"):
        yield lambda: setattr(node, "__class__", getattr(ast, SWAPS[kind]))
    elif kind in ("Name", "Attribute"):
        field = "id" if kind == "Name" else "attr"
        if getattr(node, field) in SWAPS:
            yield lambda: setattr(node, field, SWAPS[getattr(node, field)])
    if kind in ("If", "IfExp", "While"):
        yield lambda: setattr(node, "test", ast.UnaryOp(ast.Not(), node.test))
    for k, condition in enumerate(node.ifs if kind == "comprehension" else ()):
        yield lambda k=k, of=condition: node.ifs.__setitem__(k, ast.UnaryOp(ast.Not(), of))
    if kind == "Call":
        for k, given in enumerate(node.keywords):
            if given.arg not in (None, "strict"):
                yield lambda k=k: node.keywords.pop(k)
        if ast.unparse(node.func) == "range" and not isinstance(node.args[-1], ast.Constant):
            at = min(1, len(node.args) - 1)
            yield lambda: node.args.__setitem__(at, ast.BinOp(node.args[at], ast.Add(), ast.Constant(1)))


def held(tree):
    """(statement, change) of each mutant of a tree."""
    return [(statement, change) for statement, node in nodes(tree) for change in changes(node)]


def mutant(source, number):
    """(first line, last line, the statement that holds it before and after, tree) of a mutant."""
    tree = ast.parse(source)
    statement, change = held(tree)[number]
    head = getattr(statement, "test", None) or getattr(statement, "iter", None) or statement
    before, last = first_line(statement), head.end_lineno
    change()
    return statement.lineno, last, before, first_line(statement), ast.fix_missing_locations(tree)


def first_line(statement):
    return ast.unparse(statement).splitlines()[0]


class Changed(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports a module from another syntax tree."""

    def __init__(self, name, path, tree):
        self.name, self.path, self.code = name, path, compile(tree, str(path), "exec")

    def find_spec(self, name, path=None, target=None):
        return importlib.util.spec_from_file_location(name, self.path, loader=self) if name == self.name else None

    def exec_module(self, module):
        exec(self.code, module.__dict__)


class Noted:
    """Notes for each test the lines of the module that it comes to, and its processor time."""

    def __init__(self, path):
        self.path, self.found, self.lines = str(path), {}, set()

    def trace(self, frame, event, arg):
        if frame.f_code.co_filename != self.path:
            return None
        self.lines.add(frame.f_lineno)
        return self.trace

    def pytest_runtest_logreport(self, report):
        if report.when == "call":
            self.found[report.nodeid] = (time.process_time() - self.began, sorted(self.lines))

    def pytest_runtest_setup(self, item):
        self.lines = set()
        self.began = time.process_time()
        sys.settrace(self.trace)

    def pytest_runtest_teardown(self, item):
        sys.settrace(None)


OPTIONS = ("-q", "-x", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning")


class Short:
    """Hypothesis looks for a failure and does not make it smaller."""

    def pytest_collection(self, session):
        from hypothesis import Phase, settings

        settings.register_profile("short", settings.default, phases=[Phase.explicit, Phase.generate])
        settings.load_profile("short")


def forked(seconds, finder, args, *plugins, after=lambda: None):
    """Exit status of pytest in a fork that has `seconds` of processor time, its signal where that ended it."""
    import pytest

    if not (child := os.fork()):
        resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 1, int(seconds) + 2))
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.dup2(1, 2)
        sys.meta_path.insert(0, finder)
        status = 3
        try:
            status = pytest.main([*OPTIONS, *args], plugins=[Short(), *plugins])
            after()
        finally:
            os._exit(int(status))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def judged(module, chosen, tests):
    """(number, first line, what became of it, the statement before and after) of chosen mutants of a module."""
    path = Path(*module.split(".")).with_suffix(".py").resolve()
    source = path.read_text()
    if "njit" in source:
        os.environ["NUMBA_DISABLE_JIT"] = "1"
    for heavy in ("hypothesis.strategies", "networkx", "numba", "scipy.sparse.linalg", "scipy.stats"):
        importlib.import_module(heavy)
    noted = Noted(path)
    with tempfile.NamedTemporaryFile("w+") as file:
        write = lambda: Path(file.name).write_text(json.dumps(noted.found))  # noqa: E731
        status = forked(3600, Changed(module, path, ast.parse(source)), tests, noted, after=write)
        found = json.load(file) if status == 0 else sys.exit(f"the tests do not pass: pytest ends with {status}")
    judges = {name: (spent, set(lines)) for name, (spent, lines) in found.items() if spent <= LONGEST}
    for number in chosen(len(held(ast.parse(source)))):
        first, last, before, after, tree = mutant(source, number)
        here = set(range(first, last + 1))
        come = sorted((spent, name) for name, (spent, lines) in judges.items() if lines & here)
        # A constant is read once, when the module is imported: then all, for a test may read it, too.
        come = come or sorted((spent, name) for name, (spent, _) in judges.items())
        seconds = PATIENCE * sum(spent for spent, _ in come) + 5
        status = forked(seconds, Changed(module, path, tree), [name for _, name in come])
        yield number, first, "survived" if status == 0 else "timed_out" if status < 0 else "killed", before, after


def main(module, count, seed, *tests):
    def drawn(total):
        out.writerow((module, f"{total} mutants"))
        return sorted(random.Random(int(seed)).sample(range(total), min(int(count), total)))

    out = csv.writer(sys.stdout, lineterminator="\n")
    for row in judged(module, drawn, tests):
        out.writerow((module, *row))
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
