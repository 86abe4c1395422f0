"""Reading YAML 1.2 so that every key and value knows its line and column.

A study's text becomes a :class:`Document`: plain dictionaries, lists, texts and numbers, and beside them the
place of each. Plain words stay words (``country: NO`` is Norway, ``2026-10-30`` is a text until a date is asked
for); duplicate keys, tags and self-references are refused with their position.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from simulator.errors import InputError, Problem, closest, display_path
from simulator.study.document import Document, Place, Span
from simulator.study.paths import KeyPath, show_path

MAX_BYTES = 4 << 20
MAX_NODES = 100_000

_TAG = "tag:yaml.org,2002:"
_PLAIN_TAGS = {_TAG + t for t in ("str", "int", "float", "bool", "null", "timestamp", "merge", "value")}
_INT = re.compile(r"[-+]?[0-9][0-9_]*|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_GLUED = re.compile(r"\s*(- )?[\w.-]+:[^\s/:]")
_NULL = {"", "~", "null", "Null", "NULL"}


def read_document(path: Path) -> Document:
    """Read a study file.

    Raises:
        InputError: when it is missing, a folder, not text, or not YAML.
    """
    shown = display_path(path)
    try:
        size = path.stat().st_size if path.is_file() else 0
        raw = path.read_bytes() if size <= MAX_BYTES else b""
    except FileNotFoundError:
        raise InputError([_missing(path, shown)]) from None
    except IsADirectoryError:
        inside = path / "study.yaml"
        suggestion = display_path(inside) if inside.is_file() else ""
        raise InputError([Problem("this is a folder, not a study file", shown, suggestion=suggestion)]) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError([Problem(f"the study file cannot be read: {reason.lower()}", shown)]) from None
    if size > MAX_BYTES:
        raise InputError([Problem(f"{size / 1e6:.0f} MB is not a study file: a study is a page of YAML", shown)])
    return parse_document(_decode(raw, shown), shown)


def _missing(path: Path, shown: str) -> Problem:
    try:
        near = [p.name for p in path.parent.iterdir() if p.suffix in (".yaml", ".yml")]
    except OSError:
        return Problem(f"no such file: the folder {display_path(path.parent)} does not exist", shown)
    found = closest(path.name, near) or (near[0] if len(near) == 1 else "")
    return Problem("no such file", shown, suggestion=display_path(path.with_name(found)) if found else "")


def _decode(raw: bytes, shown: str) -> str:
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    elif b"\0" in raw:
        raise InputError([Problem("this is not a text file; a study is a page of YAML text", shown)])
    else:
        encoding = "utf-8-sig"
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        message = f"byte 0x{raw[error.start]:02x} is not UTF-8: save the study as UTF-8 text"
        raise InputError([Problem(message, shown, line=line)]) from None


def parse_document(text: str, file: str = "") -> Document:
    """Turn YAML text into a document.

    Raises:
        InputError: when it is not YAML, or not one mapping.
    """
    document = Document({}, file=file)
    lines = text.splitlines() or [""]
    node = _compose(text, lines, file)
    if node is None:
        raise InputError([Problem("the study is empty; `simulator init FOLDER` writes one to start from", file)])
    if not isinstance(node, MappingNode):
        what = "a list" if isinstance(node, SequenceNode) else "plain text"
        message = f"a study is a mapping of sections (study:, portfolio:, programmes:, …), but this is {what}"
        span = _span(node, lines)
        raise InputError([Problem(message, file, span.line, span.column, source=span.source, width=span.width)])
    document.data = _Reader(document, lines).value(node, ())
    return document


def parse_value(text: str, file: str) -> Any:
    """The plain value of one YAML text, as given on the command line.

    Raises:
        InputError: when it is not YAML.
    """
    lines = text.splitlines() or [""]
    node = _compose(text, lines, file)
    if node is None:
        return None
    document = Document(None, file=file)
    value = _Reader(document, lines).value(node, ())
    if document.problems:
        raise InputError(document.problems)
    return value


def _compose(text: str, lines: list[str], file: str) -> Node | None:
    yaml = YAML(typ="rt", pure=True)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an anchor used twice is legal YAML
            node: Node | None = yaml.compose(text)
            return node
    except MarkedYAMLError as error:
        raise InputError([_explain(error, lines, file)]) from None
    except RecursionError:
        raise InputError([Problem("not a study: brackets are nested too deeply", file)]) from None
    except (YAMLError, ValueError) as error:
        raise InputError([_unreadable(error, text, lines, file)]) from None


def _unreadable(error: Exception, text: str, lines: list[str], file: str) -> Problem:
    position = getattr(error, "position", None)
    if not isinstance(position, int):
        return Problem(f"not YAML: {str(error).splitlines()[0]}", file)
    line = text.count("\n", 0, position) + 1
    message = f"the character U+{ord(text[position]):04X} may not stand in a text file"
    column = position - (text.rfind("\n", 0, position) + 1) + 1
    return Problem(message, file, line, column, source=lines[line - 1] if line <= len(lines) else "")


def _explain(error: MarkedYAMLError, lines: list[str], file: str) -> Problem:
    """A syntax error in plain words, at the place where the eye should go."""
    said, context = error.problem or "", error.context or ""
    mark, opened = error.problem_mark or error.context_mark, error.context_mark
    if "could not find expected ':'" in said:
        message, mark = "expected `key: value`: the colon, or the blank after it, is missing", opened or mark
    elif (
        "mapping values are not allowed" in said
        and mark
        and _GLUED.match(lines[max(0, min(mark.line, len(lines)) - 1)])
    ):
        row = min(mark.line, len(lines)) - 1
        column = lines[row].index(":") + 1
        return Problem("a blank is missing after this colon", file, row + 1, column, source=lines[row])
    elif "mapping values are not allowed" in said:
        message = (
            "a second `: ` here: check the indent and that the line above is complete; "
            "a text that contains a colon goes in quotes"
        )
    elif "'\\t'" in said or "tab" in said:
        message = "a tab stands here: indent with blanks"
    elif "cannot start any token" in said:
        character = said.split("'")[1] if "'" in said else "this character"
        message = f"a text that starts with {character} goes in quotes"
    elif "end of stream" in said and "quoted" in context:
        message, mark = "a quote is opened here and never closed", opened or mark
    elif "flow" in context:
        bracket = "{ }" if "mapping" in context else "[ ]"
        where = f" opened on line {opened.line + 1}" if opened else ""
        message = f"in the {bracket}{where}: a comma or the closing bracket is missing before this"
    elif "block end" in said:
        message = "the indent does not fit the lines above: keys of one section start in one column"
    elif "undefined alias" in said:
        message = f"{said.split()[-1]} is used with * but never named with &; a text that starts with * goes in quotes"
    elif "another document" in said:
        message = "a second document starts here; a study is one"
    else:
        message = f"not YAML: {said or context}"
    if mark is None:
        return Problem(message, file)
    row = min(mark.line, len(lines) - 1)
    column = mark.column + 1 if row == mark.line else len(lines[row]) + 1
    return Problem(message, file, row + 1, column, source=lines[row])


def _span(node: Node, lines: list[str]) -> Span:
    start, end = node.start_mark, node.end_mark
    source = lines[start.line] if start.line < len(lines) else ""
    until = end.column if end.line == start.line else len(source.rstrip())
    if not isinstance(node, ScalarNode):
        until = start.column + 1
    return Span(start.line + 1, start.column + 1, max(1, until - start.column), source)


class _Reader:
    """Walks composed nodes into plain values, noting places and problems."""

    def __init__(self, document: Document, lines: list[str]) -> None:
        self.document = document
        self.lines = lines
        self.count = 0
        self.open: set[int] = set()

    def value(self, node: Node, path: KeyPath, key: Node | None = None) -> Any:
        """The plain value of a node, whose place is remembered under ``path``."""
        self.count += 1
        empty = isinstance(node, ScalarNode) and node.style is None and node.value == ""
        span = None if empty else _span(node, self.lines)
        text = node.value if isinstance(node, ScalarNode) and not empty else None
        key_span = _span(key, self.lines) if key is not None else None
        self.document.places.setdefault(path, Place(self.document.file, key_span, span, text))
        if self.count > MAX_NODES or id(node) in self.open:
            what = "contains itself" if id(node) in self.open else f"has more than {MAX_NODES:,} elements"
            raise InputError([self.document.problem(path, f"not a study: this {what}")])
        if isinstance(node, ScalarNode):
            return self.scalar(node, path)
        self.open.add(id(node))
        try:
            if isinstance(node, SequenceNode):
                self.refuse_tag(node, path, "seq")
                return [self.value(item, (*path, i)) for i, item in enumerate(node.value)]
            self.refuse_tag(node, path, "map")
            return self.mapping(node, path)
        finally:
            self.open.discard(id(node))

    def refuse_tag(self, node: Node, path: KeyPath, plain: str) -> None:
        """Remember a problem when a node carries a tag such as ``!!python/object``."""
        if node.tag not in (None, _TAG + plain, "!"):
            self.add(path, f"the tag {str(node.tag).replace(_TAG, '!!')} has no meaning in a study", False)

    def add(self, path: KeyPath, message: str, at_key: bool) -> None:
        """Remember a problem."""
        self.document.problems.append(self.document.problem(path, message, at_key=at_key))

    def mapping(self, node: Node, path: KeyPath) -> dict[str, Any]:
        """A mapping; own keys win over merged ones (``<<``), a key written twice is refused."""
        result: dict[str, Any] = {}
        first: dict[str, int] = {}
        merged: list[tuple[Node, Node]] = []
        for key, item in node.value:
            if not isinstance(key, ScalarNode):
                self.add(path, "a key must be a plain word", False)
            elif key.tag == _TAG + "merge":
                merged += self.merge(item, path)
            elif key.value in first:
                span = _span(key, self.lines)
                self.document.problems.append(
                    Problem(
                        f"this key was given before, on line {first[key.value]}; only one can count",
                        self.document.file, span.line, span.column, show_path((*path, key.value)),
                        source=span.source, width=span.width,
                    )
                )  # fmt: skip
            else:
                first[key.value] = key.start_mark.line + 1
                result[key.value] = self.value(item, (*path, key.value), key)
        for key, item in merged:
            if isinstance(key, ScalarNode) and key.value not in result:
                result[key.value] = self.value(item, (*path, key.value), key)
        return result

    def merge(self, item: Node, path: KeyPath) -> Iterator[tuple[Node, Node]]:
        """The pairs that ``<<: *name`` brings in."""
        for source in item.value if isinstance(item, SequenceNode) else [item]:
            if isinstance(source, MappingNode) and id(source) not in self.open:
                yield from source.value
            else:
                self.add(path, "<< merges a section named with &, as in <<: *common", False)

    def scalar(self, node: ScalarNode, path: KeyPath) -> Any:
        """Text, number, boolean or nothing, by the core schema of YAML 1.2."""
        text = str(node.value)
        if node.style == ">":  # the scanner marks where it folded lines
            text = text.replace("\a", "")
        if node.tag not in _PLAIN_TAGS:
            self.refuse_tag(node, path, "str")
            return text
        return plain_scalar(text) if node.style is None else text


def plain_scalar(text: str) -> Any:
    """What an unquoted scalar means: nothing, true or false, a number, or the text itself."""
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    if _INT.fullmatch(text):
        return _whole(text)
    if _FLOAT.fullmatch(text):
        return float(re.sub(r"\.(?=[iInN])", "", text.replace("_", "")))
    return text


def _whole(text: str) -> int | float:
    digits = text.replace("_", "")
    if len(digits) > 300:  # beyond any quantity; as a float it is refused as infinite
        return float(digits)
    return int(digits, 8) if digits[:2] == "0o" else int(digits, 16) if digits[:2] == "0x" else int(digits)
