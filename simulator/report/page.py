"""From sections to one self-contained HTML page: no script, no external file, every value escaped."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from simulator.measures.scripted import is_scripted
from simulator.report.numbers import clean, long_date
from simulator.report.remarks import worth
from simulator.report.sections import Material, sections
from simulator.study.calendar import Calendar

#: What the errors on the page are, and are not; by whether a script is told.
_CAUTION = {
    False: "Standard errors measure the simulation, not the model",
    True: "One scenario as told says nothing of how likely it is",
}


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("simulator.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=lambda value: clean(value) if type(value) is str else value,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["tight"] = tight
    return environment


def tight(text: str) -> str:
    """The text without a line break between a number and its percent sign or its error."""
    return text.replace(" %", "\N{NO-BREAK SPACE}%").replace(" ±", "\N{NO-BREAK SPACE}±")


def render(material: Material) -> str:
    """The page as HTML."""
    environment = _environment()
    source, _, _ = environment.loader.get_source(environment, "report.css")  # type: ignore[union-attr]
    info = material.result.study.study
    version = str(material.result.manifest.get("versions", {}).get("simulator", ""))
    return environment.get_template("report.html").render(
        language=material.result.study.report.language,
        version=version,
        title=info.title,
        description=info.description,
        facts=_facts(material),
        sections=sections(material),
        css=Markup(source),
        closing=f"Made with trade-credit-simulator {version}. {_CAUTION[is_scripted(material.result)]}: "
        "the numbers are as good as the ledger and the assumptions above.",
    )


def _facts(material: Material) -> list[tuple[str, str]]:
    result = material.result
    info = result.study.study
    end = Calendar.of(result.study).horizon_days
    facts = [
        ("As of", long_date(info.as_of)),
        ("Horizon", f"{info.horizon}, to {long_date(Calendar.of(result.study).date(end))}"),
        ("Currency", info.currency),
        ("Scenarios", "one, as scripted" if is_scripted(result) else worth(result)),
    ]
    return facts + ([("Authors", ", ".join(info.authors))] if info.authors else [])
