"""Variants of the fake result for the report's tests: hostile names, one programme, nothing lost."""

from dataclasses import replace
from html.parser import HTMLParser

from simulator.results.result import Result
from tests.fake_result import fake_result

HOSTILE = (
    "<script>alert(1)</script>",
    "=1+1",
    "+cmd|' /C calc'!A0",
    "@SUM(A1)",
    '"><img src=x onerror=alert(1)>',
    "$\\frac{x}{$ & ]]> --> {{ 7*7 }} {% raw %}",
    "公司" * 40,
    "x" * 500,
    "-2+3",
    "tab\tand\nbreak",
    "bell\x07 nul\x00 escape\x1b \u202edrow",
)
VOID = {"meta", "br", "hr", "img", "link", "input"}


def renamed(result: Result, programmes: list[str]) -> Result:
    """The result with its first programmes called something else."""
    names = [*programmes, *result.programmes[len(programmes) :]][: len(result.programmes)]
    terms = tuple(p.model_copy(update={"name": n}) for p, n in zip(result.study.programmes, names, strict=True))
    study = result.study.model_copy(update={"programmes": terms})
    paths = result.paths.assign_coords(programme=names) if "programme" in result.paths.dims else result.paths
    stresses = {key: renamed(part, programmes) for key, part in result.stresses.items()}
    scenarios = result.scenarios.assign_coords(programme=names)
    return replace(result, study=study, scenarios=scenarios, paths=paths, stresses=stresses, summary_rows=None)


def hostile_result() -> Result:
    """Hostile text wherever a user or a ledger may put text."""
    base = fake_result(400, stresses=("bad",))
    result = renamed(base, list(HOSTILE[:5]))
    info = result.study.study.model_copy(
        update={"title": HOSTILE[0], "description": HOSTILE[4], "authors": HOSTILE[:6]}
    )
    stress = result.stresses["bad"]
    study = result.study.model_copy(update={"study": info, "stresses": {HOSTILE[4]: result.study.stresses["bad"]}})
    tables = {key: table.copy() for key, table in result.contributions.items()}
    tables["buyers"] = tables["buyers"].assign(name=[*HOSTILE, *tables["buyers"]["name"][len(HOSTILE) :]])
    tables["countries"] = tables["countries"].assign(name=list(HOSTILE[: len(tables["countries"])]))
    profile = {"notes": list(HOSTILE), HOSTILE[0]: HOSTILE[1], "table": [{HOSTILE[4]: text} for text in HOSTILE]}
    manifest = {"seed": 1, "inputs": [{"file": HOSTILE[0]}], HOSTILE[4]: HOSTILE[1]}
    return replace(
        result, study=study, contributions=tables, profile=profile, manifest=manifest, stresses={HOSTILE[4]: stress}
    )


def single_result(position: int = 0) -> Result:
    """Only one programme: no baseline to differ from."""
    base = fake_result(400)
    study = base.study.model_copy(update={"programmes": (base.study.programmes[position],)})
    scenarios, paths = base.scenarios.isel(programme=[position]), base.paths.isel(programme=[position])
    return replace(base, study=study, scenarios=scenarios, paths=paths)


def lossless_result() -> Result:
    """Nobody fails, cash never runs short."""
    base = fake_result(400)
    scenarios = base.scenarios.copy(deep=True)
    for name in scenarios.data_vars:
        if name not in {"weight", "premium", "ending_cash", "minimum_cash", "minimum_headroom"}:
            scenarios[name] = scenarios[name] * 0
    scenarios["first_shortfall_period"] = scenarios["first_shortfall_period"] - 1
    paths = base.paths.copy(deep=True)
    paths["shortfall_probability"] = paths["shortfall_probability"] * 0
    tables = {key: table.assign(mean_loss=0.0, tail_loss=0.0) for key, table in base.contributions.items()}
    return replace(base, scenarios=scenarios, paths=paths, contributions=tables)


class Page(HTMLParser):
    """A page read strictly: every element closed in its turn, all ids unique, texts and tags collected."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.faults: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.headings: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()
        if self.open:
            self.faults.append(f"never closed: {self.open}")

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, key, value or "") for key, value in attrs]
        self.ids += [value for key, value in attrs if key == "id" and value]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, key, value or "") for key, value in attrs]
        self.ids += [value for key, value in attrs if key == "id" and value]

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> closes nothing at {self.getpos()}")

    def handle_data(self, data):
        self.texts.append(data)
        if self.open and self.open[-1] == "h2":
            self.headings.append(data)
