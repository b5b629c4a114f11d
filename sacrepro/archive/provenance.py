"""Digests of the code a job runs, so that a changed computation reruns and a changed comment does not.

The digest of a job is over its own function, with what that calls in its module, and over every module of the package
that this imports: at the top of a module, inside a function, as the package that a module is in, or by name. Of a
package's `__init__` and of the job's own module what is asked for counts, others count whole.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import hashlib
import json
import os
import sys
from collections.abc import Collection, Iterator
from importlib.resources import files
from importlib.util import cache_from_source
from pathlib import Path
from typing import NamedTuple

#: Tables of all jobs, which are no part of what one of them computes: a job's own entry is its function and options.
TABLES = frozenset({"JOBS", "OF_EXPERIMENTS", "WORDS"})

#: Names of a module that are asked for; None stands for all.
Names = frozenset[str] | None


def code_digest(*modules: str) -> str:
    """Twelve hexadecimal digits over the given modules and every module of the package that they import.

    A package counts with all its modules. ValueError for an unknown one.
    """
    return closure_digest(closure([(part, None) for module in modules for part in parts(module)]))


def package_digest() -> str:
    """The digest of every module of the package."""
    root = Path(str(files("sacrepro")))
    rooms = [path for path in root.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()]
    return code_digest(*(f"sacrepro.{path.stem}" for path in rooms if path.stem != "__init__"))


def source_digest(*modules: str) -> str:
    """Twelve hexadecimal digits over the source text of modules or packages, docstrings and comments included."""
    digest = hashlib.sha256()
    for module in sorted({part for name in modules for part in parts(name)}):
        digest.update(module.encode() + b"\0" + source(module).read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def closure_digest(found: dict[str, Names]) -> str:
    """Twelve hexadecimal digits over modules and the names of each that count; docstrings and comments do not."""
    digest = hashlib.sha256()
    for module in sorted(found):
        digest.update(module.encode() + b"\0" + meaning(source(module), found[module]) + b"\0")
    for folder in sorted({source(module).parent for module in found}):
        digest.update(data_beside(folder))
    return digest.hexdigest()[:12]


def closure(wanted: Collection[tuple[str, Names]], **named: Collection[str]) -> dict[str, Names]:
    """The wanted modules and all that they load, each with the names of it that count.

    named : of a package whose modules are imported by name, such as ``claims``, the names; all by default.
    """
    sliced = {module for module, names in wanted if names is not None}
    found: dict[str, Names] = {}
    pending = list(wanted)
    while pending:
        module, names = pending.pop()
        if module.endswith(".*"):
            package = module.removesuffix(".*")
            chosen = named.get(package.rpartition(".")[2])
            pending += [(part, None) for part in parts(package)[1:] if chosen is None]
            pending += [(f"{package}.{own}", None) for own in chosen or ()]
            continue
        if names is not None and module not in sliced and not is_front(module):
            names = None
        if module in found:
            known = found[module]
            if known is None or (names is not None and names <= known):
                continue
            names = None if names is None else names | known
        elif "." in module:
            pending.append((module.rpartition(".")[0], frozenset()))
        found[module], loaded = reached(module, names)
        pending += loaded
    return found


@functools.cache
def reached(module: str, names: Names) -> tuple[Names, tuple[tuple[str, Names], ...]]:
    """All names of a module that count where these do, and what is loaded then; ``package.*`` is any module of one."""
    code = _read(source(module))
    if names is not None:
        used, more = frozenset[str](), names
        while used != more:
            used = more
            for piece in code.pieces:
                if piece.counts(used):
                    more |= piece.uses
        names = used & frozenset().union(*(piece.binds for piece in code.pieces), code.lazy)
    loaded: dict[tuple[str, Names], None] = {}
    for piece in code.pieces:
        if piece.counts(names):
            for other, name in piece.imports:
                loaded |= dict.fromkeys(imported_modules(other, name))
    for name in names or ():
        if name in code.lazy:
            loaded[code.lazy[name], None] = None
    return names, tuple(loaded)


@functools.cache
def imported_modules(module: str, name: str) -> tuple[tuple[str, Names], ...]:
    """What ``from module import name`` loads; the name is empty for ``import module``, and * for any module in it."""
    if not exists(module):
        return ()
    if name == "*":
        return ((f"{module}.*", None),)
    if name and exists(f"{module}.{name}"):
        inner = f"{module}.{name}"
        return (module, frozenset()), (inner, frozenset() if is_front(inner) else None)
    return ((module, frozenset({name}) if name else None),)


def is_front(module: str) -> bool:
    """Whether a module is a package's `__init__`, of which only those names count that are asked for."""
    return source(module).name == "__init__.py"


@functools.cache
def definition(function: str) -> ast.FunctionDef:
    """The syntax tree of a function of this package, `module:name`; ValueError if there is none."""
    module, _, name = function.partition(":")
    for node in ast.parse(source(f"sacrepro.{module}").read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return node
    raise ValueError(f"{function!r} is not a function of sacrepro")


def written(path: Path, *names: str) -> Iterator[ast.Call]:
    """The calls of these names in the constants of a file: records that are read, and not run."""
    for statement in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(statement, (ast.Assign, ast.AnnAssign)):
            for node in ast.walk(statement):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
                    yield node


@functools.cache
def parts(module: str) -> tuple[str, ...]:
    """The module itself, or a package with all its modules, sorted."""
    path = source(module)
    if path.name != "__init__.py":
        return (module,)
    rooms = [own.relative_to(path.parent).with_suffix("").parts for own in path.parent.rglob("*.py")]
    names = {".".join((module, *(part for part in own if part != "__init__"))) for own in rooms}
    return (module, *sorted(names - {module}))


def imports(module: str) -> tuple[str, ...]:
    """The modules of the package that `module` imports, also for type checking alone."""
    tree = ast.parse(source(module).read_text(encoding="utf-8"))
    pairs = [pair for node in ast.walk(tree) for pair in imported(node)]
    return tuple(name for pair in pairs for name in (pair[0], ".".join(filter(None, pair))) if exists(name))


class Piece(NamedTuple):
    """A statement at the top of a module.

    binds : names of a function, class or constant; none for what always counts, such as an import.
    imports : module and name of each import anywhere in it. uses : names in it. digest : of its syntax tree.
    """

    binds: frozenset[str]
    imports: tuple[tuple[str, str], ...]
    uses: frozenset[str]
    digest: bytes

    def counts(self, names: Names) -> bool:
        """Whether the piece belongs to these names of its module."""
        return names is None or not self.binds or not self.binds.isdisjoint(names)


class Code(NamedTuple):
    """A module by its pieces, and the modules of names that it loads on first use."""

    pieces: tuple[Piece, ...]
    lazy: dict[str, str]


@functools.cache
def _read(path: Path) -> Code:
    """The pieces of a file, which are kept beside its bytecode for as long as its text, this module and Python last."""
    text = path.read_bytes()
    key = hashlib.sha256(b"\0".join((sys.version.encode(), _reader(), text))).hexdigest()
    place = Path(cache_from_source(str(path))).with_suffix(".pieces")
    with contextlib.suppress(OSError, ValueError):
        head, body = place.read_text(encoding="utf-8").split("\n")
        if head == f"{key} {_sum(body)}":
            kept, lazy = json.loads(body)
            pieces = (Piece(frozenset(b), tuple(map(tuple, i)), frozenset(u), bytes.fromhex(d)) for b, i, u, d in kept)
            return Code(tuple(pieces), lazy)
    code = _parsed(text)
    rows = [[sorted(own.binds), own.imports, sorted(own.uses), own.digest.hex()] for own in code.pieces]
    body = json.dumps([rows, code.lazy])
    with contextlib.suppress(OSError):  # where nothing can be kept, it is read off the text again
        if not sys.dont_write_bytecode:
            place.parent.mkdir(exist_ok=True)
            part = place.with_suffix(f".pieces.{os.getpid()}")
            part.write_text(f"{key} {_sum(body)}\n{body}", encoding="utf-8")
            part.replace(place)
    return code


@functools.cache
def _reader() -> bytes:
    """The text of this module, on which depends what is read off another's."""
    return Path(__file__).read_bytes()


def _sum(text: str) -> str:
    """SHA-256 of a text, in hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def _parsed(text: bytes) -> Code:
    """The pieces of a text; no tree is kept, for the garbage collector would go through all of them again and again."""
    pieces: list[Piece] = []
    lazy: dict[str, str] = {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            lazy |= {name: module for own in ast.walk(node) for module, name in imported(own)}
        elif not is_docstring(node) and TABLES.isdisjoint((piece := piece_of(node)).binds):
            pieces.append(piece)
    return Code(tuple(pieces), lazy)


def piece_of(node: ast.stmt) -> Piece:
    """A statement; it loses its docstrings."""
    binds, uses, found = set[str](), set[str](), list[tuple[str, str]]()
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        binds = {node.name}
    elif isinstance(node, (ast.Assign, ast.AnnAssign)):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        binds = {own.id for target in targets for own in ast.walk(target) if isinstance(own, ast.Name)}
    for own in ast.walk(node):
        if isinstance(own, ast.Name):
            uses.add(own.id)
        elif isinstance(own, (ast.Import, ast.ImportFrom, ast.Call)):
            found += imported(own)
        body = getattr(own, "body", None)
        if isinstance(body, list) and body and is_docstring(body[0]):
            own.body = body[1:]  # type: ignore[attr-defined]
    digest = hashlib.sha256(ast.dump(node).encode()).digest()
    return Piece(frozenset(binds), tuple(found), frozenset(uses - binds), digest)


def is_docstring(node: ast.AST) -> bool:
    """Whether a statement is a constant that nobody uses."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def imported(node: ast.AST) -> Iterator[tuple[str, str]]:
    """The module and the name of each import of a statement, or of ``importlib.import_module(f"package.{…}")``."""
    if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
        for alias in node.names:
            yield node.module, alias.name
    elif isinstance(node, ast.Import):
        for alias in node.names:
            yield alias.name, ""
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "import_module":
        (what,) = node.args
        start = what.values[0] if isinstance(what, ast.JoinedStr) else what
        text = start.value if isinstance(start, ast.Constant) else None
        # The type of an option may look a list up in any room, and a front loads the rooms that it names.
        if isinstance(text, str) and text.removesuffix(".") != "sacrepro":
            yield (text[:-1], "*") if text.endswith(".") else (text, "")


@functools.cache
def data_beside(folder: Path) -> bytes:
    """The files of a folder of the package that are no modules, such as a schema or a style sheet, by name."""
    files = [path for path in sorted(folder.iterdir()) if path.suffix in {".yaml", ".mplstyle"}]
    return b"".join(path.name.encode() + b"\0" + path.read_bytes() + b"\0" for path in files)


@functools.cache
def exists(name: str) -> bool:
    """Whether `name` is a module of this package."""
    try:
        source(name)
    except ValueError:
        return False
    return True


@functools.cache
def source(module: str) -> Path:
    """The file of a module of this package; ValueError if there is none."""
    root, *rest = module.split(".")
    if root == "sacrepro":
        path = Path(str(files("sacrepro"))).joinpath(*rest)
        for candidate in (path.with_suffix(".py"), path / "__init__.py"):
            if candidate.is_file():
                return candidate
    raise ValueError(f"{module!r} is not a module of sacrepro")


@functools.cache
def meaning(path: Path, names: Names = None) -> bytes:
    """Digest of a file's syntax trees without docstrings and positions, of those statements that these names reach."""
    digest = hashlib.sha256()
    for piece in _read(path).pieces:
        if piece.counts(names):
            digest.update(piece.digest)
    return digest.digest()
