"""What if my largest buyer fails in week 10? Asked of a study whose scenarios are drawn, on the command line."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

import simulator
from simulator.measures.scripted import is_certain
from tests.test_cli import call

STUDY = Path(__file__).resolve().parent.parent / "configs" / "sme_domestic" / "study.yaml"
LARGEST = "001053"
WHAT_IF = f'script={{failures: {{"{LARGEST}": 10 weeks}}}}'


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("what-if") / "run"
    assert call("run", STUDY, "--set", WHAT_IF, "--out", place, "--quiet") == 0
    return place


def printed(capsys, *arguments):
    assert call(*arguments) == 0
    return re.sub(r" +", " ", capsys.readouterr().out)


def test_the_story_is_told(folder, capsys, monkeypatch):
    """compare tells what run told: in words, by event, by claim and by week."""
    monkeypatch.setenv("COLUMNS", "120")
    told = printed(capsys, "compare", folder)
    assert "One scripted scenario: nothing is drawn" in told
    assert "What happens\nweek date buyer invoice CNY\n10 2027-01-08" in told
    assert re.search(r"lost: insolvency 26330\d{3} \d", told)
    assert "Claims, Whole turnover 90 (CNY)" in told
    assert re.search(r"^co-insurance −[\d,.]+ −[\d,.]+$", told, flags=re.MULTILINE)
    assert "Cash at the end of each week (CNY)" in told
    assert re.search(r"^52 2027-10-29( −?[\d,.]+){3}$", told, flags=re.MULTILINE)
    assert "±" not in told


def test_what_is_lost_is_what_was_not_yet_due(folder):
    """Everybody pays when due; the buyer's invoices due after day 70 that were shipped before it are lost."""
    result = simulator.open_result(folder)
    events = result.story["events"]
    assert set(events["buyer_id"]) == {LARGEST}
    lost = events[events["what"] == "lost: insolvency"]
    assert float(lost["value"].sum()) == pytest.approx(float(result.scenarios["gross_loss"].item()))
    withheld = events[events["what"].str.startswith("not shipped: ")]
    assert (len(withheld), withheld["day"].item()) == (1, 70), "one line for all of them, from the first on"
    claims = result.story["claims"]
    for programme in ("Whole turnover 80", "Whole turnover 90"):
        own = claims[claims["programme"] == programme]
        gross = float(result.scenarios["indemnity_gross"].sel(programme=programme).item())
        assert float(own["indemnity"].sum()) == pytest.approx(gross)
        assert own["debt"].tolist() == pytest.approx([float(lost["value"].sum())])


def test_one_scenario_and_no_stress_is_run(folder, capsys):
    result = simulator.open_result(folder)
    assert result.scenarios.sizes["scenario"] == 1
    assert result.manifest["scenarios"] == 1
    assert result.stresses == {}
    notes = " ".join(result.profile["notes"])
    assert "one scripted scenario" in notes
    assert "stresses are not run beside a script: pessimistic, optimistic" in notes
    assert re.search(
        r"scenarios 1 of the study, 0 of stresses", printed(capsys, "run", STUDY, "--set", WHAT_IF, "--dry-run")
    )


def test_nothing_that_needs_many_scenarios_is_said(folder):
    summary = simulator.open_result(folder).summary()
    assert {m for m in summary["measure"] if not is_certain(m, float("nan"))} == set()
    assert (summary["standard_error"] == 0.0).all()
    page = (folder / "report.html").read_text(encoding="utf-8")
    for words in ("One scripted scenario", "What happens", "What each policy pays", "one, as scripted"):
        assert words in page
    for words in ("Value at risk 95", "Probability of a shortfall", "nine scenarios in ten", "±"):
        assert words not in page.split('id="words"')[0], words


def test_replay_needs_no_number(capsys):
    told = printed(capsys, "replay", STUDY, "--set", WHAT_IF)
    assert "Scenario 0 of" in told
    assert "as the script tells it" in told
    assert "insolvency 2027-01-08" in told
    assert call("replay", STUDY, "--set", WHAT_IF, "--scenario", 1) == 2
    assert call("replay", STUDY, "--set", WHAT_IF, "--stress", "pessimistic") == 2
    assert "no stress runs beside a script" in capsys.readouterr().err
    assert call("replay", STUDY) == 2
    assert "--scenario" in capsys.readouterr().err


def test_an_earlier_story_goes_with_its_run(folder, tmp_path):
    """A folder used again holds the story of the last run only, or none."""
    result = simulator.open_result(folder)
    result.save(tmp_path)
    assert (tmp_path / "story" / "claims.csv").is_file()
    replace(result, story={}).save(tmp_path)
    assert not (tmp_path / "story").exists()
    assert simulator.open_result(tmp_path).story == {}
