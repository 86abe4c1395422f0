"""The reports that are shipped hold the numbers that the code gives today (`make reports` renders them again)."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import simulator

ROOT = Path(__file__).resolve().parent.parent
KEYS = ["stress", "measure", "programme", "level"]


@pytest.mark.parametrize(
    "name",
    [
        "sme_domestic",
        pytest.param("exporter", marks=pytest.mark.slow),
        pytest.param("multinational", marks=pytest.mark.slow),
    ],
)
def test_numbers_are_todays(name):
    shipped = pd.DataFrame(json.loads((ROOT / "reports" / name / "summary.json").read_text(encoding="utf-8")))
    result = simulator.run(simulator.load_study(ROOT / "configs" / name / "study.yaml"))
    today = result.summary()
    then, now = (_rows(frame) for frame in (shipped, today))
    assert then.keys() <= now.keys()
    for column in (0, 1):
        left, right = (np.array([rows[key][column] for key in then], dtype=np.float64) for rows in (then, now))
        np.testing.assert_allclose(left, right, rtol=1e-6, atol=1e-9, err_msg=("value", "standard_error")[column])
    assert then.keys() == now.keys(), "rows are missing from the shipped summary: make reports"


def _rows(summary):
    """Value and standard error of each row."""
    keys = zip(*(summary[k].astype(object).where(summary[k].notna(), "").astype(str) for k in KEYS), strict=True)
    return dict(zip(keys, zip(summary["value"], summary["standard_error"], strict=True), strict=True))


@pytest.mark.parametrize("name", ["sme_domestic", "exporter", "multinational"])
def test_page_is_whole_and_stands_alone(name):
    page = (ROOT / "reports" / name / "report.html").read_text(encoding="utf-8")
    assert page.rstrip().endswith("</html>")
    assert "src=" not in page.replace('src="data:', "")
    study = simulator.load_study(ROOT / "configs" / name / "study.yaml").study
    for programme in study.programmes:
        assert programme.name in page
