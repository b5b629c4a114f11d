"""The one room that opens files: arrays as npz, rows as csv, records as json, text.

Every file appears whole or not at all: it is written beside its place and moved there. Same content, same bytes.
What jobs of the workflow write is noted in one ledger with its checksum, so that a run can tell what was changed since.
"""

from __future__ import annotations

import contextlib
import csv
import glob
import hashlib
import io
import json
import math
import os
import re
import stat
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple, TypeVar, get_type_hints

import numpy as np

from sacrepro.model.checks import Array

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Row = TypeVar("Row", bound=NamedTuple)

#: Bytes in the name of a file that leave room for those of the file beside it that becomes it.
LONGEST_NAME = 240

#: The variable of the environment by which the workflow tells its jobs where to note what they write.
LEDGER = "SACREPRO_LEDGER"


def to_nowhere(stream: IO[str]) -> None:
    """Have a stream of the process write nowhere, as its pipe is closed or its disk full."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


@contextlib.contextmanager
def whole_file(path: str | Path) -> Iterator[IO[bytes]]:
    """A binary file that takes the place of `path` when the block ends, and vanishes when it fails."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = part_of(path)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
            umask = os.umask(0)
            os.umask(umask)
            os.chmod(name, 0o666 & ~umask)
            put(name, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)
        raise


def part_of(path: Path) -> tuple[int, str]:
    """A new file beside `path`, open and locked, and its name; parts that a killed writer of `path` left go."""
    for part in path.parent.glob(f".{glob.escape(path.name)}.*.part"):
        with contextlib.suppress(OSError), open(part, "rb") as left:
            if lock(left.fileno(), wait=False):
                part.unlink()
    while True:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
        lock(handle)
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.stat(name), os.fstat(handle)):  # not swept before it was locked
                return handle, name
        os.close(handle)


def lock(handle: int, *, wait: bool = True) -> bool:
    """Whether an open file or folder is locked until it is closed; not if another process has it, or nothing locks."""
    try:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except (ImportError, OSError):
        return False
    return True


def put(name: str, path: Path) -> None:
    """Move a whole file to its place; a result that a job of the workflow writes is noted in its ledger."""
    ledger = os.environ.get(LEDGER)
    if ledger and is_result(path):
        # First, so that a process killed in between leaves a note without its file, not a file without its note.
        Path(ledger).parent.mkdir(parents=True, exist_ok=True)
        with open(ledger, "ab", buffering=0) as notes:
            notes.write(f"\n{checksum(name)}  {os.path.relpath(path)}".encode())
    os.replace(name, path)


def is_result(path: str | Path) -> bool:
    """Whether a file lies below the folder of the run, is not hidden, and is no log."""
    parts = Path(os.path.relpath(path)).parts
    return parts[0] != "logs" and not any(part.startswith(".") for part in parts)  # which .. does, too


def changed_files(ledger: str | Path, paths: Iterable[str | Path]) -> tuple[list[Path], list[Path]]:
    """Those of some files that are not as a job last wrote them by a ledger, and those that it does not know, sorted.

    What is gone does not count.
    """
    there = sorted({Path(path) for path in paths if Path(path).is_file()})
    noted = _notes(ledger)
    found = [path for path in there if path in noted and checksum(path) != noted[path]]
    now = _notes(ledger) if found else {}
    # Not those written in the meantime.
    return [path for path in found if now.get(path) == noted[path]], [path for path in there if path not in noted]


def _notes(ledger: str | Path) -> dict[Path, str]:
    """The last checksum of every file in a ledger; a line that a full disk cut short names no file."""
    try:
        lines = Path(ledger).read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return {}
    return {Path(path): written for written, _, path in (line.partition("  ") for line in lines) if path}


def check_place(path: str | Path) -> None:
    """ValueError unless `whole_file` can put a file at `path`: what it needs is there, or can be made."""
    path = Path(path)
    if len(os.fsencode(path.name)) > LONGEST_NAME:
        raise ValueError(f"{path} cannot be written: its name has more than {LONGEST_NAME} bytes")
    if path.is_dir() or not path.name:
        raise ValueError(f"{path} is a folder, expected the name of a file")
    above = next(folder for folder in path.absolute().parents if os.path.lexists(folder))
    if not above.is_dir():
        raise ValueError(f"{path} cannot be written: {above} is not a folder")
    if not os.access(above, os.W_OK | os.X_OK):
        raise ValueError(f"{path} cannot be written: no permission in the folder {above}")


def checksum(path: str | Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def files_below(folder: str | Path) -> dict[str, Path]:
    """The files below `folder` by their path in it, sorted, without hidden ones."""
    folder = Path(folder)
    names = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {name: names[name] for name in sorted(names) if not any(part.startswith(".") for part in name.split("/"))}


class NoFile(FileNotFoundError, ValueError):
    """There is no such file: FileNotFoundError, and ValueError as whatever else is wrong with an input."""

    def __str__(self) -> str:
        return f"{self.filename}: cannot be read: {self.strerror}"


def unread(path: str | Path, error: OSError) -> ValueError:
    """What to raise where an input cannot be opened."""
    absent = isinstance(error, FileNotFoundError)
    told = f"{path}: cannot be read: {error.strerror}"
    return NoFile(error.errno, error.strerror, str(path)) if absent else ValueError(told)


def read_input(path: str | Path, most: int) -> str:
    """The UTF-8 text of a file that somebody wrote.

    ValueError names what is no regular file (a pipe or device never ends), what has more than `most` bytes, and what
    is no UTF-8 text.
    """
    # A pipe without a writer is opened at once, so that it can be refused.
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | getattr(os, "O_NONBLOCK", 0))) as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise ValueError(f"{path} is not a regular file")
        content = file.read(most + 1) if status.st_size <= most else b""
    if max(status.st_size, len(content)) > most:
        raise ValueError(f"{path} has more than {most:,} bytes")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        wrong = f"byte 0x{content[error.start]:02x} at position {error.start:,}"
        raise ValueError(f"{path} is not UTF-8 text ({wrong}); save it as UTF-8") from None


def read_bytes(path: str | Path) -> bytes:
    """The content of a file."""
    return Path(path).read_bytes()


def write_bytes(path: str | Path, content: bytes) -> None:
    """Write `content` as it is."""
    with whole_file(path) as file:
        file.write(content)


def write_text(path: str | Path, text: str) -> None:
    """Write `text` as UTF-8."""
    with whole_file(path) as file:
        file.write(text.encode())


def read_text(path: str | Path) -> str:
    """The UTF-8 text of a file; ValueError names a file that is none."""
    try:
        return read_bytes(path).decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8 text: {error}") from None


def write_arrays(path: str | Path, arrays: Mapping[str, Array]) -> None:
    """Write named arrays as an uncompressed npz file."""
    with whole_file(path) as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]


def read_arrays(path: str | Path) -> dict[str, Array]:
    """The named arrays of an npz file; ValueError names a file that is not one."""
    content = Path(path).read_bytes()
    try:
        if not content.startswith(b"PK"):
            one = content.startswith(b"\x93NUMPY")
            raise ValueError("it holds one array without a name" if one else "it is no zip file of arrays")
        return dict(np.load(io.BytesIO(content), allow_pickle=False))
    except Exception as error:  # damaged bytes of a zip or of a header make its readers raise nearly anything
        told = " ".join(str(error).split())
        if "allow_pickle" in told:  # which a person at the command line has no use for
            told = "it holds Python objects, expected numbers and text"
        raise ValueError(f"{path} is not a readable npz file: {told}") from None


def write_zip(path: str | Path, members: Mapping[str, Path]) -> None:
    """Pack files under the given names, in their order; same files, same bytes, whatever the clock says."""
    with whole_file(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, own in members.items():
            member = zipfile.ZipInfo(name)  # dated 1980
            member.compress_type, member.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            packed.writestr(member, own.read_bytes())


def write_rows(path: str | Path, kind: type[Row], rows: Iterable[Row]) -> None:
    """Write rows of one NamedTuple type as csv; floats keep every digit."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(kind._fields)
    for row in rows:
        writer.writerow([repr(float(value)) if isinstance(value, float) else value for value in row])
    write_text(path, text.getvalue())


def read_lines(path: str | Path) -> tuple[list[str], list[tuple[str, list[str]]]]:
    """(columns, lines) of a csv file, each line with its place for messages; ValueError names what is damaged."""
    text = read_text(path)
    reader = csv.reader(io.StringIO(text), strict=True)
    lines = []
    try:
        columns = next(reader, None)
        if not columns:
            raise ValueError(f"{path} begins without a line of columns, expected a csv file")
        for line in reader:
            where = f"{path}, line {reader.line_num}"
            if len(line) != len(columns):
                raise ValueError(f"{where}: {len(line)} values, expected {len(columns)}")
            lines.append((where, line))
    except csv.Error as error:
        raise ValueError(f"{path}, line {reader.line_num}: {error}") from None
    if not text.endswith("\n"):
        raise ValueError(f"{path}, line {reader.line_num}: the line has no end, so the file is cut short")
    return columns, lines


#: What a number in a file may consist of: Python also reads 1_0, spaces and the digits of every script.
NUMERAL = re.compile(r"[-+.0-9A-Za-z]+").fullmatch


def numeral(kind: Callable[[str], Any], text: str) -> Any:
    """A number from its digits; ValueError where it is none."""
    if not NUMERAL(text):
        raise ValueError(text)
    return kind(text)


def read_rows(path: str | Path, kind: type[Row]) -> list[Row]:
    """The rows of a csv file as NamedTuples; ValueError names the file, the line and the column that do not fit."""
    types = get_type_hints(kind)
    convert: list[Callable[[str], Any]] = [types[column] for column in kind._fields]
    header, lines = read_lines(path)
    if header != list(kind._fields):
        raise ValueError(f"{path} has columns {header}, expected {list(kind._fields)}")
    rows = []
    for where, line in lines:
        values: list[Any] = []
        for column, function, value in zip(kind._fields, convert, line, strict=True):
            try:
                values.append(value if function is str else numeral(function, value))
            except ValueError:
                raise ValueError(f"{where}, column {column}: {value!r} is not {function.__name__}") from None
            if column.endswith("error") and function is float and values[-1] < 0:
                raise ValueError(f"{where}, column {column}: {value} is below 0, which no bound on an error is")
        rows.append(kind(*values))
    return rows


def plain(value: Any) -> Any:
    """A value as JSON holds it: NaN and infinity as null, records as objects."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if hasattr(value, "_asdict"):
        return {key: plain(entry) for key, entry in value._asdict().items()}
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    return value


def write_json(path: str | Path, record: Any) -> None:
    """Write a record as indented JSON with sorted keys."""
    write_text(path, json.dumps(record, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


def read_json(path: str | Path) -> Any:
    """The record in a JSON file; ValueError names a file that is none."""
    try:
        return json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise ValueError(f"{path} is not JSON: {error}") from None


#: Lines of an SVG but its comments, which hold the labels, and digits beyond a thousandth of a point, but of a scale.
LINE, FINER = re.compile(rb"^(?! *<!--).*$", re.MULTILINE), re.compile(rb"(?<!scale\()(\b\d+\.\d{3})\d+")


def write_figure(figure: Figure, *paths: str | Path) -> None:
    """Write a figure in the formats of the suffixes, drawn once each, without dates: same rows give same bytes."""
    metadata = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}, ".png": {"Software": None}}
    written: dict[str, bytes] = {}
    for path in paths:
        suffix = Path(path).suffix
        if suffix not in metadata:
            raise ValueError(f"{path}: a figure is written as .svg, .pdf or .png")
        if suffix not in written:
            drawn = io.BytesIO()
            figure.savefig(drawn, format=suffix[1:], metadata=metadata[suffix])
            text = drawn.getvalue()
            written[suffix] = LINE.sub(lambda line: FINER.sub(rb"\1", line[0]), text) if suffix == ".svg" else text
        with whole_file(path) as file:
            file.write(written[suffix])


# What a job reads of another one, refused by name where it is of another kind.

#: Arrays in a file of each job, by which its files are known.
ARRAYS = {
    "exact": ("spec", "instance", "policy", "V", "J", "error", "pi_theta", "pi_error", "D", "D_error", "nabla_error"),
    "sac": ("spec", "instance", "kappa", "T", "h", "t0", "m", "J_estimate", "first_visit_share"),
}


def arrays_of(job: str, path: str) -> dict[str, Array]:
    """The arrays of a file that `job` wrote; ValueError names what is none."""
    found = read_arrays(path)
    missing = next((name for name in ARRAYS[job] if name not in found), None)
    if missing:
        raise ValueError(f"{path} has no array {missing!r}; expected a file written by `{job}`")
    return found


def some_rows(paths: Iterable[str | Path], kind: type[Row]) -> list[Row]:
    """The rows of csv files; ValueError unless there is one in all."""
    paths = list(paths)
    rows = [row for path in paths for row in read_rows(path, kind)]
    if not rows:
        raise ValueError(f"{', '.join(map(str, paths))}: no rows below the header, expected at least one")
    return rows


def record_of(job: str, path: str, *keys: str) -> dict[str, Any]:
    """The JSON object that `job` wrote, with these keys; ValueError names what is none."""
    found = read_json(path)
    if not isinstance(found, dict):
        raise ValueError(f"{path} holds no JSON object; expected a file written by `{job}`")
    missing = next((key for key in keys if key not in found), None)
    if missing:
        raise ValueError(f"{path} has no key {missing!r}; expected a file written by `{job}`")
    return found
