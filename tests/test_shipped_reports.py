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
        pytest.param("exporter", marks=pytest.mark.statistical),
        pytest.param("multinational", marks=pytest.mark.statistical),
    ],
)
def test_numbers_are_todays(name):
    shipped = pd.DataFrame(json.loads((ROOT / "reports" / name / "summary.json").read_text(encoding="utf-8")))
    result = simulator.run(simulator.load_study(ROOT / "configs" / name / "study.yaml"))
    today = result.summary()
    assert len(shipped) == len(today)
    assert (shipped[KEYS[:3]].fillna("").to_numpy() == today[KEYS[:3]].fillna("").to_numpy()).all()
    for column in ("level", "value", "standard_error"):
        left, right = (np.asarray(frame[column], dtype=np.float64) for frame in (shipped, today))
        np.testing.assert_allclose(left, right, rtol=1e-6, atol=1e-9, err_msg=column)


@pytest.mark.parametrize("name", ["sme_domestic", "exporter", "multinational"])
def test_page_is_whole_and_stands_alone(name):
    page = (ROOT / "reports" / name / "report.html").read_text(encoding="utf-8")
    assert page.rstrip().endswith("</html>")
    assert "src=" not in page.replace('src="data:', "")
    study = simulator.load_study(ROOT / "configs" / name / "study.yaml").study
    for programme in study.programmes:
        assert programme.name in page
