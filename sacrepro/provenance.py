"""Digests of the code a job runs, so that a changed computation reruns and a changed comment does not."""

from __future__ import annotations

import ast
import functools
import hashlib
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path


def code_digest(*modules: str) -> str:
    """Twelve hexadecimal digits over the given modules and every module of the package that they import.

    Docstrings, comments and layout do not count. A package counts with all its modules. ValueError for an unknown one.
    """
    digest = hashlib.sha256()
    for module in sorted(import_closure(modules)):
        digest.update(module.encode() + b"\0" + meaning(source(module)) + b"\0")
    return digest.hexdigest()[:12]


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


@functools.cache
def import_closure(modules: tuple[str, ...]) -> frozenset[str]:
    """The given modules of the package and all that they import, directly or not."""
    found: set[str] = set()
    pending = [part for module in modules for part in parts(module)]
    while pending:
        module = pending.pop()
        if module not in found:
            found.add(module)
            pending += imports(module)
    return frozenset(found)


@functools.cache
def parts(module: str) -> tuple[str, ...]:
    """The module itself, or a package with all its modules."""
    path = source(module)
    if path.name != "__init__.py":
        return (module,)
    return (module, *(f"{module}.{child.stem}" for child in path.parent.glob("*.py") if child.stem != "__init__"))


def imports(module: str) -> tuple[str, ...]:
    """The modules of the package that `module` imports by ``from … import`` or ``import``."""
    return tuple(name for name in _read(source(module))[0] if exists(name))


@functools.cache
def _read(path: Path) -> tuple[tuple[str, ...], bytes]:
    """The dotted names that a file imports, and the digest of its syntax tree without docstrings and positions.

    Neither keeps the tree: the garbage collector would go through all of them again and again.
    """
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names: list[str] = []
    for node in ast.walk(tree):
        names += imported(node)
        body = getattr(node, "body", None)
        if (
            isinstance(body, list)
            and body
            and isinstance(body[0], ast.Expr)
            and isinstance(body[0].value, ast.Constant)
        ):
            node.body = body[1:]  # type: ignore[attr-defined]
    return tuple(names), hashlib.sha256(ast.dump(tree).encode()).digest()


def imported(node: ast.AST) -> Iterator[str]:
    """Dotted names that one import statement may refer to."""
    if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
        yield node.module
        for alias in node.names:
            yield f"{node.module}.{alias.name}"
    elif isinstance(node, ast.Import):
        for alias in node.names:
            yield alias.name


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
            if rest and candidate.is_file():
                return candidate
    raise ValueError(f"{module!r} is not a module of sacrepro")


def meaning(path: Path) -> bytes:
    """Digest of a file's syntax tree without docstrings and positions."""
    return _read(path)[1]
