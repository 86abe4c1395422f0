"""Random but reproducible studies on disk, for tests of the whole road."""

import csv
import datetime as dt
from pathlib import Path

import numpy as np

AS_OF = dt.date(2026, 10, 30)
COUNTRIES = ["DE", "FR", "US", "CN", "TR", "BR"]
SECTORS = ["machinery", "food", "retail"]
CURRENCIES = ["EUR", "EUR", "USD", "CNY"]
RATES = {"USD": 0.9, "CNY": 0.125}


def write_csv(path, rows):
    with Path(path).open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def random_ledger(folder, seed, n_buyers=12):
    """Write buyers.csv and open_items.csv; returns the rows of both."""
    rng = np.random.default_rng(seed)
    buyers, items = [], []
    for b in range(n_buyers):
        currency = CURRENCIES[rng.integers(len(CURRENCIES))] if b else "USD"  # hedged currencies must be in the ledger
        terms = int(rng.choice([30, 45, 60, 90]))
        limit = ["", "0", "unlimited", str(int(rng.integers(20, 400)) * 1000)][rng.integers(4)]
        buyers.append(
            {
                "buyer_id": f"B{b:03d}",
                "name": f"Buyer {b}",
                "country": COUNTRIES[rng.integers(len(COUNTRIES))],
                "sector": SECTORS[rng.integers(len(SECTORS))],
                "currency": currency,
                "pd_annual": f"{rng.uniform(0.005, 0.25):.4f}",
                "credit_limit": limit,
                "lgd": "" if rng.random() < 0.5 else f"{rng.uniform(0.2, 1):.2f}",
                "annual_sales": f"{rng.uniform(1e5, 2e6):.2f}",
                "payment_terms_days": str(terms),
                "group_id": "G1" if rng.random() < 0.2 else "",
            }
        )
        for k in range(int(rng.integers(1, 7))):
            issued = AS_OF - dt.timedelta(days=int(rng.integers(1, 160)))
            items.append(
                {
                    "buyer_id": f"B{b:03d}",
                    "invoice_id": f"I{b:03d}-{k}",
                    "document_type": "invoice",
                    "issue_date": issued.isoformat(),
                    "due_date": (issued + dt.timedelta(days=terms)).isoformat(),
                    "currency": currency,
                    "amount_open": f"{rng.uniform(1e3, 2e5):.2f}",
                    "disputed": "yes" if rng.random() < 0.05 else "no",
                }
            )
    write_csv(Path(folder) / "buyers.csv", buyers)
    write_csv(Path(folder) / "open_items.csv", items)
    return buyers, items


def random_policy(rng, name, number):
    """A programme with random terms."""
    terms = {
        "name": name,
        "type": str(rng.choice(["whole_turnover", "excess_of_loss"])),
        "insured_percentage": float(rng.choice([0.6, 0.8, 0.9, 1.0])),
        "non_qualifying_loss": float(rng.choice([0, 2_000, 10_000])),
        "each_and_every_first_loss": float(rng.choice([0, 1_000, 5_000])),
        "aggregate_first_loss": float(rng.choice([0, 20_000, 100_000])),
        "waiting_period": f"{int(rng.choice([120, 180, 240]))} days",
        "settlement": f"{int(rng.choice([0, 30, 60]))} days",
        "covers_open_items": bool(rng.random() < 0.7),
        "premium": {"rate_on_turnover": 0.002, "minimum": 20_000, "tax": 0.19, "fees": 500},
    }
    if rng.random() < 0.5:
        terms["maximum_liability"] = ["500 k", "30 x premium"][number % 2]
    if rng.random() < 0.5:
        terms |= {"discretionary_limit": "30 k", "discretionary_percentage": 0.7}
    return terms


def random_study(folder, seed, **changes):
    """A study (as a mapping) with random settings over a random ledger in ``folder``."""
    rng = np.random.default_rng(seed + 10_000)
    folder = Path(folder)
    random_ledger(folder, seed)
    delays = [
        {"model": "mixture", "late_scale_days": 25.0, "late_degrees_of_freedom": 1.5},
        {"model": "lognormal", "median_days": 20.0, "sigma": 1.3, "shift_days": -8.0},
        {"model": "student_t", "scale_days": 15.0, "degrees_of_freedom": 1.5},
        {"model": "gamma", "shape": 0.7, "scale_days": 60.0},
        {"model": "none"},
    ]
    study = {
        "schema": 1,
        "study": {
            "title": f"Random {seed}",
            "as_of": AS_OF.isoformat(),
            "currency": "EUR",
            "horizon": str(rng.choice(["26 weeks", "52 weeks", "12 months"])),
            "period": str(rng.choice(["week", "month"])),
        },
        "portfolio": {
            "buyers": str(folder / "buyers.csv"),
            "open_items": str(folder / "open_items.csv"),
            "sales": {"mode": str(rng.choice(["run_off", "steady_state"]))},
        },
        "credit": {
            "pd": {"source": "column"},
            "dependence": {"copula": str(rng.choice(["gaussian", "student_t"])), "degrees_of_freedom": 5},
            "recovery": {
                "mean": 0.4,
                "sd": float(rng.choice([0.0, 0.25])),
                "lag": f"{int(rng.choice([0, 20, 60]))} weeks",
                "systematic": 0.2,
            },
        },
        "payment": {
            "delay": delays[rng.integers(len(delays))],
            "pay_runs": {
                "rule": str(rng.choice(["none", "weekly", "month_end"])),
                "draw": str(rng.choice(["invoice", "run"])),
            },
            "protracted_default": {"after": f"{int(rng.choice([60, 120]))} days", "cure_probability": 0.3},
        },
        "fx": {
            "model": str(rng.choice(["none", "gbm", "student_t"])),
            "rates": RATES,
            "wrong_way": 0.3,
            "hedge": {"USD": 0.6},
        },
        "transfer": {"annual_probability": {"TR": 0.2, "CN": 0.1}, "devaluation": 0.25, "duration": "20 weeks"},
        "liquidity": {
            "opening_cash": 300_000,
            "minimum_cash": 100_000,
            "credit_line": {"limit": 400_000, "rate": 0.07},
            "operating_costs": 60_000,
            "variable_cost_rate": 0.6,
            "supplier_terms_days": int(rng.choice([-10, 0, 45])),
            "interest_on_cash": 0.01,
        },
        "programmes": [
            {"name": "None", "type": "none", "reserve": 50_000},
            random_policy(rng, "First", 0),
            random_policy(rng, "Second", 1),
        ],
        "simulation": {"scenarios": 200, "seed": int(seed)},
    }
    if rng.random() < 0.5:
        study["payment"]["stop_shipment_after"] = f"{int(rng.choice([0, 30, 60]))} days"
    for key, value in changes.items():
        study[key] = study.get(key, {}) | value if isinstance(value, dict) else value
    return study


def written_study(folder, seed):
    """A random study whose programmes have the terms of real policies, or alternatives to them, and a lending bank."""
    rng = np.random.default_rng(seed + 20_000)
    study = random_study(folder, seed)
    _add_columns(
        Path(folder) / "buyers.csv",
        vat_rate=lambda: str(rng.choice(["", "0.19", "0.07"])),
        buyer_type=lambda: str(rng.choice(["company", "company", "company", "public", "private"])),
    )
    self_insured, *policies = study["programmes"]
    self_insured |= {
        "reserve_fund": {"top_up": 10_000.0, "interest": 0.02},
        "prepayment": {"buyers": {"except_top": 6}, "accepted": 0.6},
        "collection": {"earlier": 2, "stages": [{"after": "10 days", "factor": 0.7}], "cost": 12_000.0},
    }
    for number, policy in enumerate(policies):
        policy |= {
            "limit_changes": {
                "annual_probability": 0.3,
                "to": float(rng.choice([0.0, 0.5])),
                "notice": f"{int(rng.choice([0, 30]))} days",
                "seller": str(rng.choice(["stops", "continues"])),
            },
            "insurer": {"annual_pd": 0.2, "recovery": 0.4},
            "notification": {"after": "30 days", "missed": 0.2, "reduction": 0.5},
            "disputes": str(rng.choice(["excluded", "suspended"])),
            "conversion": str(rng.choice(["date_of_loss", "invoice_date", "lower_of"])),
            "loss_payee": bool(number),
        }
        if rng.random() < 0.5:
            policy |= {"order": "minimum_retention", "minimum_retention": 3_000.0}
    policies[0]["early_payment_discount"] = {"discount": 0.02, "within": "10 days", "take_up": 0.4}
    policies[1]["factoring"] = {
        "buyers": {"countries": ["DE", "FR", "US"]},
        "protection": 0.9,
        "guarantee": "60 days",
        "open_items": True,
    }
    if rng.random() < 0.5:
        policies[1]["letter_of_credit"] = {"buyers": {"countries": ["TR", "CN"]}, "accepted": 0.8}
    study["liquidity"]["credit_line"] |= {
        "borrowing_base": {"maximum_overdue": "60 days", "concentration": 0.3, "foreign": True},
    }
    return study


def _add_columns(path, **columns):
    """Add columns to a CSV file, each cell made by a function."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    write_csv(path, [row | {name: make() for name, make in columns.items()} for row in rows])
