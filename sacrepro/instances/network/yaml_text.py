"""YAML as JSON has it: text keys, plain scalars of JSON, and limits that hold before anything is built.

A label such as no, 010 or 1:30 stays text, and 1e-3 is a number. The text is read event by event, so that nesting,
aliases and merge keys cost what they are long in the file, not what they stand for.
"""

from __future__ import annotations

import math
import re
from typing import Any, NoReturn

import yaml

from sacrepro.model.checks import shortened

#: Values in one file; values that aliases and merge keys stand for; lists and mappings inside each other.
MOST_VALUES, MOST_REPEATED, DEEPEST = 20_000_000, 1_000_000, 100
#: Digits of an integer.
MOST_DIGITS = 308

INTEGER = re.compile(r"0|-?[1-9][0-9]*").fullmatch
REAL = re.compile(
    r"[-+]?(?:(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+)|[-+](?:0|[1-9][0-9]*)"
).fullmatch
WORDS: dict[str, float | None] = {"true": True, "false": False, "null": None, "~": None, "": None}
WORDS |= {".inf": math.inf, "+.inf": math.inf, "-.inf": -math.inf, ".nan": math.nan}
TAG = "tag:yaml.org,2002:"
#: What a tag may ask for.
KINDS: dict[str, type | tuple[type, ...]] = {"int": int, "float": (int, float), "bool": bool, "null": type(None)}


class _Absent:
    """No key, or the key ``<<``."""


NO_KEY, MERGE = _Absent(), _Absent()


class _Open:
    """A list or mapping whose end has not been read; `size` and `height` with all aliases expanded."""

    __slots__ = ("anchor", "height", "key", "merged", "size", "value")

    def __init__(self, value: Any, anchor: str | None) -> None:
        self.value, self.anchor = value, anchor
        self.key: Any = NO_KEY
        self.merged: list[dict[str, Any]] = []
        self.size, self.height = 1, 1


def plain(text: str) -> Any:
    """The one document in a YAML text; ValueError says line, column and what is wrong, or which limit is exceeded."""
    reader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text.removeprefix("\ufeff"))
    try:
        return _document(reader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise ValueError(f"{where}{error.problem or error.context}") from None
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from None
    finally:
        reader.dispose()


def _document(reader: Any) -> Any:
    found: Any = None
    documents = count = repeated = 0
    #: Values by anchor with size and height; None while the value is being read.
    known: dict[str, tuple[Any, int, int] | None] = {}
    stack: list[_Open] = []
    while (event := reader.get_event()) is not None:
        kind = type(event)
        if kind is yaml.ScalarEvent:
            value, size, height, anchor = _scalar(event), 1, 0, event.anchor
            count += 1
        elif kind is yaml.SequenceStartEvent or kind is yaml.MappingStartEvent:
            _check_tag(event, "seq" if kind is yaml.SequenceStartEvent else "map")
            stack.append(_Open([] if kind is yaml.SequenceStartEvent else {}, event.anchor))
            count += 1
            if len(stack) > DEEPEST:
                _refuse(event, f"lists and mappings are nested more than {DEEPEST} deep")
            if event.anchor is not None:
                known[event.anchor] = None
            continue
        elif kind is yaml.SequenceEndEvent or kind is yaml.MappingEndEvent:
            top = stack.pop()
            if top.merged:  # the first mapping that has a key wins, the mapping's own keys win over all
                top.value = {key: x for mapping in (*reversed(top.merged), top.value) for key, x in mapping.items()}
            value, size, height, anchor = top.value, top.size, top.height, top.anchor
        elif kind is yaml.AliasEvent:
            value, size, height = _named(event, known)
            anchor = None
            repeated += size
            if repeated > MOST_REPEATED:
                _refuse(event, f"aliases and merge keys stand for more than {MOST_REPEATED:,} values")
            merges = bool(stack) and stack[-1].key is MERGE  # what is merged lies no deeper than where it goes
            if len(stack) + height - merges > DEEPEST:
                _refuse(event, f"with its aliases, lists and mappings are nested more than {DEEPEST} deep")
        elif kind is yaml.DocumentStartEvent:
            documents += 1
            if documents > 1:
                _refuse(event, "a second document begins here; a network file holds one")
            continue
        else:
            continue
        if count > MOST_VALUES:
            _refuse(event, f"more than {MOST_VALUES:,} values")
        if anchor is not None:
            known[anchor] = (value, size, height)
        if stack:
            _put(stack[-1], value, size, height, event)
        else:
            found = value
    return found


def _put(top: _Open, value: Any, size: int, height: int, event: Any) -> None:
    """Add the value that `event` ends to the list or mapping around it."""
    if type(top.value) is list:
        top.value.append(value)
    elif top.key is NO_KEY:
        top.key = _key(value, event)
        if top.key is not MERGE and top.key in top.value:
            _refuse(event, f"the key {shortened(top.key)} occurs twice")
        return
    elif top.key is MERGE:
        if top.merged:
            _refuse(event, "the key '<<' occurs twice; merge a list of mappings, <<: [*a, *b]")
        top.merged = _mappings(value, event)
        height -= 2 if isinstance(value, list) else 1
        top.key = NO_KEY
    else:
        top.value[top.key] = value
        top.key = NO_KEY
    top.size += size
    top.height = max(top.height, height + 1)


def _key(value: Any, event: Any) -> Any:
    if isinstance(event, yaml.ScalarEvent) and value == "<<" and event.implicit[0]:
        return MERGE
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        what = "a list or mapping" if isinstance(value, (list, dict)) else shortened(value)
        _refuse(event, f"a key is text or an integer, got {what}; put it in quotes")
    return str(value)


def _mappings(value: Any, event: Any) -> list[dict[str, Any]]:
    mappings = value if isinstance(value, list) else [value]
    if not all(isinstance(mapping, dict) for mapping in mappings):
        _refuse(event, f"<< merges mappings, got {shortened(value)}")
    return mappings


def _named(event: Any, known: dict[str, tuple[Any, int, int] | None]) -> tuple[Any, int, int]:
    """The value of an alias."""
    if event.anchor not in known:
        _refuse(event, f"the alias *{event.anchor} stands for nothing: there is no &{event.anchor} before it")
    value = known[event.anchor]
    if value is None:
        _refuse(event, f"the alias *{event.anchor} stands inside the value that it names")
    return value


def _scalar(event: Any) -> Any:
    text, tag = event.value, event.tag
    if tag is None:
        return _resolved(text, event) if event.implicit[0] else text
    name = str(tag).removeprefix(TAG)
    if name in ("str", "!"):
        return text
    value = _resolved(text, event)
    if name not in KINDS:
        _check_tag(event, "str")
    if not isinstance(value, KINDS[name]) or (isinstance(value, bool) and name != "bool"):
        _refuse(event, f"{shortened(text)} is not of the kind !!{name}")
    return value


def _check_tag(event: Any, expected: str) -> None:
    if event.tag not in (None, "!", TAG + expected):
        _refuse(event, f"the tag {shortened(str(event.tag).replace(TAG, '!!'))} is not read; remove it")


def _resolved(text: str, event: Any) -> Any:
    """A plain scalar: one of JSON's words or numbers, or text."""
    if text[:1].isalpha() and text[0] not in "tfn":
        return text
    if text in WORDS:
        return WORDS[text]
    if INTEGER(text):
        if len(text) > MOST_DIGITS:
            _refuse(event, f"an integer of {len(text)} digits; at most {MOST_DIGITS}, or put it in quotes as text")
        return int(text)
    if not REAL(text):
        return text
    value = float(text)
    if math.isinf(value) or (value == 0.0 and re.search("[1-9]", re.split("[eE]", text)[0])):
        fault = "large for a number, at most 1.8e308" if value else "small for a number, it would be read as 0"
        _refuse(event, f"{shortened(text)[1:-1]} is too {fault}")
    return value


def _refuse(event: Any, fault: str) -> NoReturn:
    raise ValueError(f"line {event.start_mark.line + 1}, column {event.start_mark.column + 1}: {fault}")
