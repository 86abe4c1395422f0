"""What has no effect in a script is noted, and limits it may not take back are refused."""

import pytest

from simulator.engine.check import check_study
from simulator.errors import InputError
from tests.scripts import small

IN_A_SCRIPT = "one scripted scenario: nothing is drawn, and simulation.scenarios is not used"
CHANGES = {"limit_changes": {"annual_probability": "2 %"}}
LIMITS = {"limits": [{"buyer": "A", "on": "4 weeks", "limit": 0, "programmes": ["Policy"]}]}


@pytest.mark.parametrize(
    ("policy", "script", "sections", "expected"),
    [
        ({}, {}, {}, []),
        ({}, {}, {"payment": {"delay": {"model": "none"}, "location": 5}, "credit": {"recovery": {"mean": 0.5}},
                  "simulation": {"tail": "importance"}},
         ["without effect in a script: credit.recovery.mean, payment.delay, payment.location, fx.model, "
          "simulation.tail"]),
        (CHANGES, {}, {}, ["Policy: limit_changes has no effect in a script: script.limits tells what changes"]),
        (CHANGES, LIMITS, {},
         ["Policy: of limit_changes only seller has an effect in a script: script.limits tells what changes"]),
        ({"limit_changes": {"seller": "continues"}}, LIMITS, {},
         ["Policy: limit_changes has no effect in a script: script.limits tells what changes"]),
        ({"early_payment_discount": {}, "prepayment": {}}, {}, {},
         ["Policy: prepayment.accepted is a chance: in a script everybody agrees",
          "Policy: early_payment_discount.take_up is a chance: in a script nobody takes the discount"]),
        ({"early_payment_discount": {"take_up": 0.5}, "letter_of_credit": {"accepted": 0.4}}, {}, {},
         ["Policy: letter_of_credit.accepted is a chance: in a script nobody agrees, so nobody is supplied",
          "Policy: early_payment_discount.take_up is a chance: in a script everybody takes the discount"]),
        ({"early_payment_discount": {"take_up": 1}, "prepayment": {"accepted": 0}}, {}, {}, []),
        ({"insurer": {"rating": "A"}, "notification": {"missed": 0.1}}, {}, {},
         ["Policy: insurer has no effect: in a script no insurer fails",
          "Policy: notification.missed has no effect: in a script no notification is missed"]),
    ],
)  # fmt: skip
def test_what_has_no_effect_in_a_script_is_noted(policy, script, sections, expected, tmp_path):
    programmes = [{"name": "None", "type": "none"}, {"name": "Policy", "type": "whole_turnover"} | policy]
    fx = {"fx": {"model": "gbm" if not sections else "none", "rates": {"USD": 0.9}}}
    study = small(tmp_path, script, **({"programmes": programmes} | fx | sections))
    notes = check_study(study).profile["notes"]
    assert notes[notes.index(IN_A_SCRIPT) + 1 :] == expected


def test_an_excess_of_loss_whose_limits_a_script_changes_is_noted(tmp_path):
    noted = "Policy: insurers can seldom take back limits of an excess of loss; script.limits changes them all the same"
    programmes = [{"name": "None", "type": "none"}, {"name": "Policy", "type": "excess_of_loss"}]
    for limits, expected in ((LIMITS, True), ({}, False)):
        assert (noted in check_study(small(tmp_path, limits, programmes=programmes)).profile["notes"]) == expected


@pytest.mark.parametrize(
    ("change", "refused"),
    [
        ({"limit": 0}, True),
        ({"limit": 49_999}, True),
        ({"limit": 50_000}, False),
        ({"limit": 60_000}, False),
        ({"limit": 0, "buyer": "B"}, False),  # may be cancelled
        ({"limit": 0, "programmes": ["By column"]}, False),
        ({"limit": 0, "programmes": ["By column", "Policy"]}, True),
        ({"limit": 0, "on": "2027-02-01"}, False),  # the later limit, 10,000, may be cancelled
    ],
)
def test_a_script_takes_back_no_limit_that_is_not_cancellable(change, refused, tmp_path):
    limits = tmp_path / "limits.csv"
    lines = ["buyer_id,limit,from,cancellable", "A,50000,,no", "A,10000,2027-01-31,yes", "B,50000,,yes"]
    limits.write_text("\n".join(lines) + "\n", encoding="utf-8")
    programmes = [
        {"name": "Policy", "type": "whole_turnover", "limits": str(limits)},
        {"name": "By column", "type": "whole_turnover"},
    ]
    told = [{"buyer": "C", "on": "4 weeks", "limit": 0}, {"buyer": "A", "on": "4 weeks"} | change]
    study = small(tmp_path, {"limits": told}, programmes=programmes)
    if not refused:
        check_study(study)
        return
    with pytest.raises(InputError, match="limit of Policy, which its file says is not cancellable") as caught:
        check_study(study)
    assert [problem.path for problem in caught.value.problems] == ["script.limits[1].limit"]


def test_without_a_script_nothing_of_it_is_noted(tmp_path):
    assert not [note for note in check_study(small(tmp_path)).profile["notes"] if "script" in note]
