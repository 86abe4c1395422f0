"""How a rule says what is wrong."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from simulator.errors import Problem
from simulator.study.check import Findings
from simulator.study.document import Document
from simulator.study.paths import KeyPath


@dataclass
class Breaches:
    """Collects breaches of rules; silent about values already reported as malformed."""

    document: Document
    findings: Findings
    problems: list[Problem] = field(default_factory=list)

    def add(
        self,
        path: KeyPath,
        message: str,
        suggestion: str = "",
        *,
        at_key: bool = False,
        reads: Iterable[KeyPath] = (),
    ) -> None:
        """Remember a breach at ``path``, unless it or what the rule ``reads`` was set aside."""
        if not any(self.findings.touches_broken(p) for p in (path, *reads)):
            self.problems.append(self.document.problem(path, message, suggestion=suggestion, at_key=at_key))

    def written(self, path: KeyPath) -> bool:
        """Whether the study itself gives this value (a default holds otherwise)."""
        data = self.document.data
        for step in path:
            try:
                data = data[step]
            except (KeyError, IndexError, TypeError):
                return False
        return data is not None
