"""Loading a study: file or dictionary → overrides → ``extends`` → schema → cross-field rules → :class:`LoadedStudy`.

Everything wrong is reported at once (:class:`simulator.errors.InputError`), each problem at its place. Importing
this module loads neither arrays nor compilers, so that ``simulator check`` answers at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulator.errors import InputError, Problem, Problems
from simulator.study.check import validate
from simulator.study.document import Document
from simulator.study.extends import resolve_extends
from simulator.study.files import resolve_file
from simulator.study.overrides import Overrides, apply_overrides
from simulator.study.paths import KeyPath, locate, parse_path
from simulator.study.plain import plain
from simulator.study.rules import check_rules
from simulator.study.schema import Study
from simulator.study.yaml import read_document


@dataclass(frozen=True)
class LoadedStudy:
    """A valid study, and the way back to where each of its values was written.

    Attributes:
        study: the study, ``extends`` resolved.
        folder: base of relative file names: the study file's folder, the working folder for a dictionary.
        file: the study file, ``None`` for a dictionary.
        document: the content as written, with its places.
    """

    study: Study
    folder: Path
    file: Path | None
    document: Document

    def resolve(self, name: str) -> Path:
        """The file a study names: relative to the study's folder, ``~`` is the home folder."""
        return resolve_file(self.folder, name)

    def problem(
        self, path: str | KeyPath, message: str, value: object = None, suggestion: str = "", at_key: bool = False
    ) -> Problem:
        """A problem at a key path, with file, line, column, caret and the value as written.

        Args:
            path: ``programmes[1].premium.minimum``, or its steps as a tuple. Where the study does not say it, the
                nearest section that was written is shown.
            message: what is wrong and what is allowed.
            value: the offending value; what was written by default.
            suggestion: what was probably meant.
            at_key: point at the key rather than at its value.
        """
        steps = locate(self.document.data, parse_path(path)) if isinstance(path, str) else path
        shown = None if value is None else str(value)
        return self.document.problem(steps, message, value=shown, suggestion=suggestion, at_key=at_key)


def load_study(source: str | Path | Mapping[str, Any], overrides: Overrides = None) -> LoadedStudy:
    """Load and check a study.

    Args:
        source: the study file, or its content as a dictionary (file names then start from the working folder).
        overrides: ``{"simulation.scenarios": 50_000}`` or ``["simulation.scenarios=50 k"]``; elements of
            ``programmes`` are addressed by position or name.

    Raises:
        InputError: with every problem found.
    """
    if isinstance(source, Mapping):
        path, folder, document = None, Path.cwd(), _from_mapping(source)
    else:
        path = Path(source).expanduser()
        document = read_document(path)
        folder = path.resolve().parent
    problems = Problems(list(document.problems))
    broken = [_broken_by(p, document) for p in document.problems]
    _extend(problems, apply_overrides(document, overrides))
    found, unsaid = resolve_extends(document)
    _extend(problems, found)
    findings = validate(document, [*unsaid, *(b for b in broken if b)])
    _extend(problems, findings.problems)
    if findings.study is not None:
        _extend(problems, check_rules(findings, document, folder))
    problems.raise_if_any()
    if findings.study is None:
        raise InputError([Problem("this is not a study", document.file)])
    return LoadedStudy(findings.study, folder, path, document)


def _from_mapping(source: Mapping[str, Any]) -> Document:
    try:
        return Document(plain(source))
    except TypeError as error:
        raise InputError([Problem(str(error))]) from None


def _broken_by(problem: Problem, document: Document) -> KeyPath:
    return locate(document.data, parse_path(problem.path)) if problem.path else ()


def _extend(problems: Problems, found: Iterable[Problem]) -> None:
    told = {(p.file, p.line, p.column, p.message) for p in problems if p.line}
    for problem in found:
        place = (problem.file, problem.line, problem.column, problem.message)
        if place not in told:  # an inherited term is wrong once, not once for each programme that inherits it
            problems.add(problem)
        if problem.line:
            told.add(place)
