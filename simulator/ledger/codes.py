"""Codes as ledgers write them: currencies, countries, and the words ERP systems use for document types."""

from __future__ import annotations

import csv
import re
from functools import cache
from importlib import resources

from simulator.study.codes import countries, currencies, likely_country, likely_currency

__all__ = [
    "BY_SIGN",
    "CREDIT",
    "CURRENCY_WORDS",
    "INVOICE",
    "PAYMENT",
    "countries",
    "country_code",
    "currencies",
    "currency_code",
    "document_kind",
    "document_types",
    "likely_country",
    "likely_currency",
]

#: Other spellings of currencies; a bare $ or ¥ is left out, because it could be several.
CURRENCY_WORDS = {
    "€": "EUR", "EURO": "EUR", "£": "GBP", "STG": "GBP", "RMB": "CNY", "人民币": "CNY", "人民币元": "CNY",
    "US$": "USD", "美元": "USD", "欧元": "EUR", "英镑": "GBP", "日元": "JPY", "港币": "HKD", "港元": "HKD",
    "瑞士法郎": "CHF", "SFR": "CHF", "₹": "INR", "₩": "KRW",
}  # fmt: skip
_COUNTRY_WORDS = {"UK": "GB", "EL": "GR", "中国": "CN", "DEUTSCHLAND": "DE", "GERMANY": "DE", "CHINA": "CN"}

INVOICE, CREDIT, PAYMENT, BY_SIGN = "invoice", "credit note", "payment on account", "by sign"


def _table(name: str) -> list[list[str]]:
    text = (resources.files("simulator.ledger") / "tables" / name).read_text(encoding="utf-8")
    return list(csv.reader(text.splitlines()))[1:]


@cache
def _by_alpha_3() -> dict[str, str]:
    return {alpha_3: alpha_2 for alpha_2, alpha_3 in countries().items()}


@cache
def document_types() -> dict[str, str]:
    """Spelling without case, spaces and punctuation → kind of document."""
    return {row[1]: row[0] for row in _table("document_types.csv")}


def currency_code(text: str) -> str:
    """The ISO 4217 code of a currency as written, or an empty string: ``eur`` → EUR, ``RMB`` → CNY."""
    code = text.strip().upper()
    return code if code in currencies() else CURRENCY_WORDS.get(code, "")


def country_code(text: str) -> str:
    """The alpha-2 code of a country, or the text itself where it is not a country code: ``deu`` → DE."""
    code = text.strip().upper()
    if code in countries():
        return code
    return _by_alpha_3().get(code) or _COUNTRY_WORDS.get(code) or text.strip()


def document_kind(text: str) -> str:
    """Kind of a document type as ERPs write it, or an empty string: ``DG`` and ``Gutschrift`` are credit notes."""
    return document_types().get(re.sub(r"[\W_]+", "", text.casefold()), "")
