"""The three shipped books: what each synthetic ledger looks like (see :mod:`simulator.ledger.synthetic`)."""

from __future__ import annotations

import datetime as dt

from simulator.ledger.synthetic import BookSpec, Place

AS_OF = dt.date(2026, 10, 30)

_SHORT = ((30, 5.0), (14, 1.0), (45, 2.0), (60, 2.0))
_USUAL = ((30, 3.0), (45, 2.5), (60, 3.5), (90, 1.0))
_LONG = ((60, 4.0), (90, 4.0), (120, 1.5), (45, 1.0))
_EUR = (("EUR", 1.0),)
_USD = (("USD", 4.0), ("EUR", 1.0))

EXPORTER = BookSpec(
    seed=20261030,
    as_of=AS_OF,
    currency="EUR",
    turnover=180e6,
    n_buyers=600,
    top_10_share=0.40,
    places=(
        Place("DE", 22, _EUR, _SHORT, 0.9),
        Place("FR", 9, _EUR, _USUAL, 1.65),
        Place("IT", 8, _EUR, _LONG, 2.4),
        Place("ES", 5, _EUR, _LONG, 1.95),
        Place("NL", 5, _EUR, _SHORT, 0.9),
        Place("BE", 3, _EUR, _USUAL, 1.35),
        Place("AT", 5, _EUR, _SHORT, 1.05),
        Place("CH", 5, (("CHF", 4.0), ("EUR", 1.0)), _SHORT, 1.05),
        Place("PL", 5, _EUR, _USUAL, 1.35),
        Place("CZ", 4, _EUR, _USUAL, 1.35),
        Place("HU", 2, _EUR, _USUAL, 1.65),
        Place("RO", 2, _EUR, _USUAL, 2.25),
        Place("SE", 2, _EUR, _SHORT, 1.05),
        Place("DK", 2, _EUR, _SHORT, 1.05),
        Place("GB", 7, (("GBP", 5.0), ("EUR", 1.0)), _USUAL, 1.5),
        Place("US", 8, _USD, _USUAL, 1.5),
        Place("CA", 1.5, _USD, _USUAL, 1.5),
        Place("MX", 2.5, (("MXN", 2.0), ("USD", 2.0)), _LONG, 2.25),
        Place("BR", 1.5, (("USD", 1.0),), _LONG, 2.55),
        Place("CN", 5, (("CNY", 3.0), ("EUR", 1.0)), _LONG, 2.7),
        Place("JP", 1.5, _EUR, _LONG, 0.9),
        Place("IN", 1.5, _USD, _LONG, 2.7),
        Place("TR", 2, _EUR, _LONG, 2.4),
        Place("ZA", 1.0, _EUR, _USUAL, 1.95),
        Place("NA", 0.6, _EUR, _USUAL, 1.95),
    ),
    sectors=(
        ("Maschinenbau", 26.0),
        ("Automobilzulieferer", 18.0),
        ("Metallverarbeitung", 14.0),
        ("Elektrotechnik", 12.0),
        ("Großhandel", 12.0),
        ("Bau", 8.0),
        ("Chemie", 6.0),
        ("Lebensmittel", 4.0),
    ),
    ratings=(
        ("A", 3.0), ("A-", 4.0), ("BBB+", 7.0), ("BBB", 10.0), ("BBB-", 13.0), ("BB+", 16.0), ("BB", 16.0),
        ("BB-", 13.0), ("B+", 9.0), ("B", 5.5), ("B-", 2.5), ("CCC/C", 1.0),
    ),
    rates={"EUR": 1.0, "USD": 0.855, "GBP": 1.145, "CHF": 1.07, "CNY": 0.120, "MXN": 0.0465},
    invoices_per_year=(4, 40),
)  # fmt: skip

_CN_TERMS = ((30, 0.5), (60, 2.5), (90, 4.5), (120, 3.0))
_CNY = (("CNY", 1.0),)

SME = BookSpec(
    seed=20261031,
    as_of=AS_OF,
    currency="CNY",
    turnover=40e6,
    n_buyers=60,
    top_10_share=0.52,
    places=(
        Place("CN", 18, _CNY, _CN_TERMS, 2.4, "浙江"),
        Place("CN", 14, _CNY, _CN_TERMS, 2.4, "江苏"),
        Place("CN", 12, _CNY, _CN_TERMS, 2.7, "广东"),
        Place("CN", 9, _CNY, _CN_TERMS, 2.25, "上海"),
        Place("CN", 6, _CNY, _CN_TERMS, 3.3, "山东"),
        Place("CN", 5, _CNY, _CN_TERMS, 3.0, "安徽"),
        Place("CN", 4, _CNY, _CN_TERMS, 3.6, "河南"),
        Place("CN", 4, _CNY, _CN_TERMS, 3.0, "湖北"),
        Place("CN", 3, _CNY, _CN_TERMS, 3.3, "四川"),
    ),
    sectors=(
        ("五金批发", 16.0), ("建材", 12.0), ("机电设备", 12.0), ("电子元件", 10.0), ("零售", 6.0), ("装饰工程", 4.0),
    ),
    ratings=(
        ("BBB", 5.0), ("BBB-", 7.0), ("BB+", 12.0), ("BB", 18.0), ("BB-", 18.0), ("B+", 14.0), ("B", 9.0), ("B-", 4.0),
    ),
    rates={"CNY": 1.0},
    invoices_per_year=(12, 40),
    blank_limits=0.20,
    refused_limits=0.05,
    disputed=0.02,
    on_account=0.05,
    grouped=0.08,
    early=0.25,
    on_the_day=0.25,
)  # fmt: skip

MULTINATIONAL = BookSpec(
    seed=20261101,
    as_of=AS_OF,
    currency="USD",
    turnover=2.4e9,
    n_buyers=5000,
    top_10_share=0.18,
    places=(
        Place("US", 30, (("USD", 1.0),), _USUAL, 1.5),
        Place("CA", 5, (("CAD", 3.0), ("USD", 1.0)), _USUAL, 1.5),
        Place("MX", 5, (("MXN", 2.0), ("USD", 2.0)), _LONG, 2.25),
        Place("BR", 5, (("BRL", 3.0), ("USD", 1.0)), _LONG, 2.55),
        Place("CL", 1, (("USD", 1.0),), _LONG, 2.1),
        Place("CO", 1, (("USD", 1.0),), _LONG, 2.4),
        Place("DE", 8, (("EUR", 1.0),), _SHORT, 0.9),
        Place("FR", 6, (("EUR", 1.0),), _USUAL, 1.65),
        Place("IT", 5, (("EUR", 1.0),), _LONG, 2.4),
        Place("ES", 4, (("EUR", 1.0),), _LONG, 1.95),
        Place("NL", 3, (("EUR", 1.0),), _SHORT, 0.9),
        Place("PL", 2, (("EUR", 1.0),), _USUAL, 1.35),
        Place("GB", 7, (("GBP", 1.0),), _USUAL, 1.5),
        Place("TR", 1, (("EUR", 1.0), ("USD", 1.0)), _LONG, 2.55),
        Place("CN", 6, (("CNY", 3.0), ("USD", 1.0)), _LONG, 2.7),
        Place("JP", 3, (("JPY", 1.0),), _LONG, 0.9),
        Place("KR", 2, (("KRW", 1.0),), _USUAL, 1.5),
        Place("IN", 3, (("INR", 2.0), ("USD", 1.0)), _LONG, 2.7),
        Place("AU", 2, (("AUD", 1.0),), _USUAL, 1.5),
        Place("SG", 1, (("USD", 1.0),), _USUAL, 1.5),
        Place("VN", 0.7, (("USD", 1.0),), _LONG, 2.4),
        Place("ZA", 1, (("ZAR", 1.0),), _USUAL, 1.95),
        Place("NG", 0.4, (("USD", 1.0),), _LONG, 3.3),
        Place("EG", 0.4, (("USD", 1.0),), _LONG, 3.0),
        Place("NA", 0.2, (("ZAR", 1.0),), _USUAL, 1.95),
    ),
    sectors=(
        ("Industrial distribution", 18.0),
        ("Machinery", 14.0),
        ("Electronics", 12.0),
        ("Construction", 10.0),
        ("Automotive", 10.0),
        ("Food and beverage", 9.0),
        ("Retail", 9.0),
        ("Chemicals", 8.0),
        ("Textiles", 5.0),
        ("Transport", 5.0),
    ),
    ratings=(
        ("A+", 2.0), ("A", 3.0), ("A-", 5.0), ("BBB+", 8.0), ("BBB", 11.0), ("BBB-", 13.0), ("BB+", 14.0),
        ("BB", 14.0), ("BB-", 12.0), ("B+", 9.0), ("B", 5.5), ("B-", 2.5), ("CCC/C", 1.0),
    ),
    rates={
        "USD": 1.0, "EUR": 1.17, "GBP": 1.34, "JPY": 0.0065, "CNY": 0.1405, "CAD": 0.72, "AUD": 0.66, "MXN": 0.0545,
        "BRL": 0.186, "INR": 0.0113, "KRW": 0.00069, "ZAR": 0.058,
    },
    invoices_per_year=(3, 28),
    grouped=0.08,
)  # fmt: skip
