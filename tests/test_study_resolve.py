"""A resolved study reads back equal; the JSON schema knows every key."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from simulator.errors import InputError
from simulator.study.amounts import PREMIUM_BASES, Duration, Multiple
from simulator.study.fields import keys
from simulator.study.resolve import json_schema, read_resolved, resolved_yaml
from simulator.study.schema import Study

SHARE = st.one_of(st.floats(0, 1), st.integers(0, 1000).map(lambda n: n / 1000))
MONEY = st.one_of(st.floats(0, 1e12), st.integers(0, 10**9).map(float))
NUMBER = st.floats(0.001, 1000)
LENGTH = st.builds(Duration, st.integers(0, 520), st.sampled_from(["day", "week"]))
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30)
CODE = st.sampled_from(["USD", "GBP", "JPY", "NOK", "CNY"])
MOMENT = st.one_of(LENGTH, st.dates(dt.date(1970, 1, 1), dt.date(2100, 1, 1)))
SELECTION = st.fixed_dictionaries(
    {}, optional={"ids": st.lists(TEXT, max_size=3), "top": st.integers(1, 99), "sectors": st.lists(TEXT, max_size=2)}
)

POLICY = st.fixed_dictionaries(
    {"name": TEXT, "type": st.sampled_from(["whole_turnover", "excess_of_loss"])},
    optional={
        "insured_percentage": st.one_of(
            SHARE, st.fixed_dictionaries({"insolvency": SHARE, "protracted_default": SHARE})
        ),
        "maximum_liability": st.one_of(
            st.none(), MONEY, st.builds(Multiple, st.floats(0.1, 100), st.sampled_from(PREMIUM_BASES))
        ),
        "buyers": SELECTION,
        "countries": st.dictionaries(CODE, st.fixed_dictionaries({}, optional={"covered": st.booleans()}), max_size=3),
        "limits": TEXT,
        "limit_changes": st.one_of(st.none(), st.fixed_dictionaries({}, optional={"to": SHARE, "notice": LENGTH})),
        "starts": st.one_of(st.none(), st.dates(dt.date(1970, 1, 1), dt.date(2100, 1, 1))),
        "factoring": st.fixed_dictionaries({}, optional={"buyers": SELECTION, "guarantee": LENGTH}),
        "discretionary_limit": st.one_of(st.none(), MONEY),
        "waiting_period": st.one_of(LENGTH, st.fixed_dictionaries({}, optional={"transfer": LENGTH})),
        "order": st.one_of(
            st.sampled_from([None, "percent_first", "deductible_first"]),
            st.lists(st.sampled_from(["insured_percentage", "aggregate_first_loss"]), max_size=3),
        ),
        "covers_open_items": st.booleans(),
        "premium": st.fixed_dictionaries({}, optional={"rate_on_turnover": SHARE, "instalments": st.integers(1, 52)}),
    },
)
SELF = st.fixed_dictionaries(
    {"name": TEXT, "type": st.just("none")},
    optional={"reserve": st.one_of(MONEY, st.builds(Multiple, st.floats(0.1, 100), st.just("operating costs")))},
)
SCRIPT = st.fixed_dictionaries(
    {},
    optional={
        "failures": st.dictionaries(TEXT, MOMENT, max_size=3),
        "payments": st.lists(st.fixed_dictionaries({"buyer": TEXT, "on": MOMENT, "amount": MONEY}), max_size=3),
        "recoveries": st.lists(st.fixed_dictionaries({"buyer": TEXT, "on": MOMENT, "share": SHARE}), max_size=3),
        "rates": st.lists(st.fixed_dictionaries({"currency": CODE, "on": MOMENT, "rate": NUMBER}), max_size=3),
    },
)
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
        "script": SCRIPT,
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


#: A study that uses every section there is.
FULL = {
    "study": {"title": "T", "as_of": "2026-10-30", "currency": "EUR"},
    "portfolio": {"buyers": "b.csv"},
    "liquidity": {
        "operating_costs": "10 k",
        "credit_line": {"borrowing_base": {"cross_ageing": "10 %"}, "margin_grid": [{"used_above": 0.5, "rate": 0.07}]},
    },
    "programmes": [
        {
            "name": "A",
            "type": "none",
            "reserve": "1.5 x operating costs",
            "reserve_fund": {"top_up": "5 k"},
            "factoring": {"buyers": {"top": 3}},
            "letter_of_credit": {"fee": "1.5 %"},
            "prepayment": {"buyers": {"ids": ["007", "8"]}},
            "early_payment_discount": {"within": "2 weeks"},
            "collection": {"earlier": "3 days", "stages": [{"after": "10 days", "factor": 0.8}]},
        },
        {
            "name": "P",
            "type": "whole_turnover",
            "insured_percentage": {"transfer": "95 %"},
            "waiting_period": {"transfer": "6 months"},
            "order": ["insured_percentage", "each_and_every_first_loss"],
            "limit_changes": {"annual_probability": "7 %"},
            "countries": {"BR": {"maximum": "2 M", "waiting_period": "9 months"}},
            "maximum_liability": "40 x minimum premium",
            "notification": {"missed": "2 %"},
            "premium": {"bonus": [{"claims_ratio": 0.25, "change": "-10 %"}]},
            "insurer": {"rating": "A"},
            "top_up": {"maximum": "3 M"},
        },
    ],
    "script": {
        "failures": {"A": "10 weeks"},
        "payments": [{"buyer": "A", "on": "2026-11-20", "amount": "1.5 k"}],
        "recoveries": [{"buyer": "A", "on": "1 year", "share": "30 %"}],
        "rates": [{"currency": "USD", "on": "70 days", "rate": 0.8}],
        "limits": [{"buyer": "B", "on": "2027-01-08", "limit": 0, "programmes": ["P"]}],
    },
    "stresses": {"S": {"delay_shift": "9 days"}},
    "simulation": {"precision": {"relative_error": "2 %", "max_scenarios": "50 k"}},
}


def test_every_key_is_written_in_human_units():
    study = Study.model_validate(FULL)
    text = resolved_yaml(study)
    for line in ("reserve: 1.5 x operating costs", "maximum_liability: 40 x minimum premium", "transfer: 95 %",
                 "transfer: 6 months", "insolvency: 0 days", "waiting_period: 9 months", "on: 70 days",
                 "on: 2027-01-08", "on: 2026-11-20", "amount: 1.5 k", "share: 30 %", "{A: 10 weeks}", "within: 2 weeks",
                 "top_up: 5 k", "change: -10 %", 'ids: ["007", "8"]', "earlier: 3", "used_above: 50 %",
                 "order: [insured_percentage, each_and_every_first_loss]", "maximum: 2 M", "relative_error: 2 %",
                 "max_scenarios: 50 k"):  # fmt: skip
        assert line in text, line
    assert read_resolved(text) == study
    written = {line.strip(" -").partition(":")[0] for line in text.splitlines()}
    missing = {name.rpartition(".")[2] for name, _ in keys()} - written
    laws_of_delay = {"median_days", "sigma", "shift_days", "shape", "scale_days", "location_days", "values"}
    assert missing <= {"extends", *laws_of_delay}


def test_a_blank_takes_a_term_away_where_its_default_is_another():
    """Blank counts as left out, but for the one term that is there by default and may be given up."""
    line = {"borrowing_base": {"foreign": True, "maximum_overdue": None, "advance_rate": None}, "limit": None}
    study = Study.model_validate({**FULL, "liquidity": {"operating_costs": 1, "credit_line": line}})
    base = study.liquidity.credit_line.borrowing_base
    assert (base.maximum_overdue, base.advance_rate, study.liquidity.credit_line.limit) == (None, 0.8, 0.0)
    assert read_resolved(resolved_yaml(study)) == study


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
