"""A resolved study reads back equal; the JSON schema knows every key."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from simulator.errors import InputError
from simulator.study.amounts import Duration, Multiple
from simulator.study.fields import keys
from simulator.study.resolve import json_schema, read_resolved, resolved_yaml
from simulator.study.schema import Study

SHARE = st.one_of(st.floats(0, 1), st.integers(0, 1000).map(lambda n: n / 1000))
MONEY = st.one_of(st.floats(0, 1e12), st.integers(0, 10**9).map(float))
NUMBER = st.floats(0.001, 1000)
LENGTH = st.builds(Duration, st.integers(0, 520), st.sampled_from(["day", "week"]))
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30)
CODE = st.sampled_from(["USD", "GBP", "JPY", "NOK", "CNY"])

POLICY = st.fixed_dictionaries(
    {"name": TEXT, "type": st.sampled_from(["whole_turnover", "excess_of_loss"])},
    optional={
        "insured_percentage": st.one_of(
            SHARE, st.fixed_dictionaries({"insolvency": SHARE, "protracted_default": SHARE})
        ),
        "maximum_liability": st.one_of(st.none(), MONEY, st.builds(Multiple, st.floats(0.1, 100))),
        "discretionary_limit": st.one_of(st.none(), MONEY),
        "waiting_period": LENGTH,
        "order": st.sampled_from([None, "percent_first", "deductible_first"]),
        "covers_open_items": st.booleans(),
        "premium": st.fixed_dictionaries({}, optional={"rate_on_turnover": SHARE, "instalments": st.integers(1, 52)}),
    },
)
SELF = st.fixed_dictionaries({"name": TEXT, "type": st.just("none")}, optional={"reserve": MONEY})
DELAY = st.one_of(
    st.just({"model": "none"}),
    st.fixed_dictionaries({"model": st.just("lognormal"), "median_days": NUMBER, "sigma": st.floats(0.01, 5)}),
    st.fixed_dictionaries({"model": st.just("empirical"), "values": st.lists(st.floats(-1e6, 1e6), max_size=50)}),
    st.fixed_dictionaries({"model": st.just("mixture")}, optional={"early_share": SHARE}),
)
STUDY = st.fixed_dictionaries(
    {
        "study": st.fixed_dictionaries(
            {"title": TEXT, "as_of": st.dates(dt.date(1970, 1, 1), dt.date(2100, 1, 1)), "currency": CODE},
            optional={"description": TEXT, "authors": st.lists(TEXT, max_size=3), "horizon": LENGTH},
        ),
        "portfolio": st.fixed_dictionaries(
            {},
            optional={
                "buyers": TEXT,
                "columns": st.dictionaries(TEXT, TEXT, max_size=3),
                "defaults": st.dictionaries(TEXT, st.one_of(TEXT, st.integers(), st.floats(-1e9, 1e9)), max_size=3),
            },
        ),
        "programmes": st.lists(st.one_of(SELF, POLICY), min_size=1, max_size=4),
    },
    optional={
        "payment": st.fixed_dictionaries({}, optional={"delay": DELAY, "location": st.integers(-400, 400)}),
        "fx": st.fixed_dictionaries(
            {},
            optional={
                "wrong_way": st.one_of(SHARE, st.dictionaries(CODE, SHARE)),
                "rates": st.dictionaries(CODE, NUMBER),
                "correlation": st.dictionaries(CODE, st.dictionaries(CODE, st.floats(-1, 1), min_size=1)),
            },
        ),
        "stresses": st.dictionaries(TEXT, st.fixed_dictionaries({}, optional={"delay_shift": st.integers(-9, 9)})),
        "simulation": st.fixed_dictionaries(
            {}, optional={"scenarios": st.integers(0, 10**7), "seed": st.integers(0, 2**62)}
        ),
        "report": st.fixed_dictionaries({}, optional={"levels": st.lists(SHARE, max_size=4)}),
    },
)


@settings(deadline=None, max_examples=60, phases=[Phase.reuse, Phase.generate], suppress_health_check=list(HealthCheck))
@given(STUDY)
def test_reads_back_equal(content):
    study = Study.model_validate(content)
    assert read_resolved(resolved_yaml(study)) == study


def test_resolved_text_is_human_and_whole():
    study = Study.model_validate(
        {
            "study": {"title": "No: 'really'?", "as_of": "2026-10-30", "currency": "EUR", "horizon": "6 months"},
            "portfolio": {"buyers": "NO"},
            "programmes": [{"name": "80", "type": "whole_turnover", "maximum_liability": "30 x premium",
                            "aggregate_first_loss": "150 k", "insured_percentage": "80 %"}],
            "simulation": {"scenarios": "100 k"},
        }
    )  # fmt: skip
    text = resolved_yaml(study)
    for line in ("horizon: 6 months", "aggregate_first_loss: 150 k", "insured_percentage: 80 %", "scenarios: 100 k",
                 "maximum_liability: 30 x premium", "as_of: 2026-10-30", "waiting_period: 180 days",
                 "buyers: NO"):  # fmt: skip
        assert line in text
    assert read_resolved(text) == study
    written = {line.strip(" -").partition(":")[0] for line in text.splitlines()}
    missing = {name.rpartition(".")[2] for name, _ in keys()} - written
    unused_alternatives = {name for name in missing if name not in ("extends",)}
    assert "programmes" not in missing
    assert unused_alternatives <= {
        "median_days", "sigma", "shift_days", "shape", "scale_days", "location_days", "values", "insolvency",
        "pd_multiplier", "delay_shift", "delay_multiplier", "recovery_multiplier", "sales_multiplier", "fx_shock",
        "state_shift",
    }  # fmt: skip


def test_a_resolved_file(tmp_path):
    study = Study.model_validate(
        {
            "study": {"title": "T", "as_of": "2026-10-30", "currency": "EUR"},
            "portfolio": {"buyers": "not/here.csv"},
            "programmes": [{"name": "A", "type": "none"}],
        }
    )
    path = tmp_path / "study.resolved.yaml"
    path.write_text(resolved_yaml(study), encoding="utf-8")
    assert read_resolved(path) == study  # the files it names need not be there
    path.write_text("study: {title: T}")
    with pytest.raises(InputError, match="`as_of` is missing"):
        read_resolved(path)


def test_json_schema_knows_every_key():
    schema = json_schema()
    text = json.dumps(schema)
    for name, slot in keys():
        assert f'"{name.rpartition(".")[2]}"' in text, name
        assert slot.info.description
    assert "type" not in schema["$defs"]["Policy"]["required"]
    assert schema["properties"]["programmes"]["items"]["anyOf"]
    assert schema["additionalProperties"] is False
