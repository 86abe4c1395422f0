"""Text cells → numbers, dates and flags, a column at a time and without guessing.

Decimal sign and order of day and month are decided by what the cells themselves prove: ``1.234,56`` can only have a
decimal comma, ``26/04/2011`` can only have the day first. Where nothing proves it (``1.234``, ``03/04/2011``) and
the study does not say, that is a problem which names the setting.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from simulator.ledger.codes import currency_code
from simulator.ledger.text_table import Collector, Number, Table

Style = str  # "point" or "comma"

_USUAL = {  # what nearly every cell looks like: sign in front or behind, groups of three, two decimals or so
    "point": re.compile(r"(-?)(\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d+))?(-?)", re.ASCII),
    "comma": re.compile(r"(-?)(\d{1,3}(?:\.\d{3})+|\d+)(?:,(\d+))?(-?)", re.ASCII),
}
_GROUPED = {
    "point": re.compile(r"(?:\d{1,3}(?:,\d{3})+|\d{1,2}(?:,\d{2})+,\d{3}|\d+)(?:\.\d*)?|\.\d+"),
    "comma": re.compile(r"(?:\d{1,3}(?:\.\d{3})+|\d+)(?:,\d*)?|,\d+"),
}
#: As programs and spreadsheets write small and large numbers; a decimal sign in it marks no thousands.
_SCIENTIFIC = re.compile(r"(?=[.,]?\d)\d*([.,]?)\d*[eE][+-]?\d{1,3}", re.ASCII)
_SPACED = re.compile(r"\d{1,3}(?:[ '’]\d{3})+(?=[.,]|$)")
_SIGNS = re.compile(r"^[€$£¥₹₩]|[€$£¥₹₩]$")
_WORDS = re.compile(r"^([A-Za-z]{2,3}\$?)(?=[\s\d(+-])|(?<=[\s\d)-])([A-Za-z]{2,3})$")
#: Larger amounts are slips, and could no longer be held to the cent.
MOST_DIGITS = 15
_NOT_NUMBERS = re.compile(r"[+-]?(nan|inf|infinity|∞|#\S+)", re.IGNORECASE)
_UNLIMITED = frozenset(
    {"unlimited", "unbegrenzt", "unbeschränkt", "illimité", "illimite", "infinite", "∞", "无限", "无限额", "不限"}
)
_TRUE = frozenset({
    "yes", "y", "true", "t", "1", "x", "ja", "j", "wahr", "si", "sì", "oui", "disputed", "strittig", "bestritten",
    "是", "有", "√", "✓", "争议",
})  # fmt: skip
_FALSE = frozenset({"no", "n", "false", "f", "0", "nein", "falsch", "non", "undisputed", "否", "无", "-", "none"})


def clean(text: str) -> str:
    """Compatibility form (full-width digits, thin and no-break spaces, ¥), a plain minus, no outer blanks."""
    if text.isascii():
        return text.strip()
    return unicodedata.normalize("NFKC", text).replace("−", "-").replace("–", "-").strip()


@dataclass(frozen=True)
class _Stripped:
    body: str
    negative: bool
    currency: str


def _strip_number(text: str) -> _Stripped | None:
    """Take off sign, brackets and currency; ``None`` where what is left cannot be a number."""
    if not text.isascii() and any(unicodedata.category(char) == "No" for char in text):
        return None  # 5² is not 52
    text, currency, negative = clean(text), "", False
    for _ in range(4):  # currency, bracket and sign come in any order
        before = text
        if (word := _WORDS.search(text)) is not None:
            letters = (word[1] or word[2]).upper()
            if letters in ("CR", "DR"):  # American credit and debit marks
                negative ^= letters == "CR"
            elif not (code := currency_code(letters)):
                return None
            else:
                currency = code
            text = (text[: word.start()] + text[word.end() :]).strip()
        if (sign := _SIGNS.search(text)) is not None:
            currency = currency or currency_code(sign[0])
            text = _SIGNS.sub("", text, count=1).strip()
        if text.startswith("(") and text.endswith(")"):
            text, negative = text[1:-1].strip(), not negative
        elif text.endswith("-"):
            text, negative = text[:-1].strip(), not negative
        elif text.startswith(("-", "+")):
            negative ^= text[0] == "-"
            text = text[1:].strip()
        if text == before:
            break
    if _SPACED.match(text):
        text = re.sub(r"[ '’]", "", text)
    return _Stripped(text, negative, currency) if text else None


def proves(text: str) -> Style | None:
    """Which decimal sign a number proves, or ``None``: ``12,5`` → comma, ``1,234`` → nothing."""
    if type(text) is Number or ("." not in text and "," not in text):
        return None
    stripped = _strip_number(text.rstrip("%‰ "))
    if stripped is None:
        return None
    body = stripped.body
    if (scientific := _SCIENTIFIC.fullmatch(body)) is not None:
        return {".": "point", ",": "comma"}.get(scientific[1])
    point, comma = body.rfind("."), body.rfind(",")
    if point >= 0 and comma >= 0:
        last = "point" if point > comma else "comma"
        return last if _GROUPED[last].fullmatch(body) else None
    mark, here, other = (".", "point", "comma") if point >= 0 else (",", "comma", "point")
    if body.count(mark) > 1:
        return other if _GROUPED[other].fullmatch(body) else None
    before, _, after = body.partition(mark)
    if len(after) == 3 and 1 <= len(before) <= 3 and before.strip("0"):
        return None
    return here if (before + after).isdigit() else None


def decimal_style(
    table: Table, columns: Sequence[int], given: Style | None, ambiguous_is_problem: bool, found: Collector
) -> Style:
    """The decimal sign of a file, from all its number columns together.

    Args:
        table: the file.
        columns: its number columns.
        given: ``portfolio.format.decimal``.
        ambiguous_is_problem: whether cells like ``1.234`` without proof are a problem (they are where they matter).
        found: where problems go.
    """
    if given:
        return given
    votes = {"point": 0, "comma": 0}
    open_question: tuple[int, int] | None = None
    for column in columns:
        for at, row in enumerate(table.rows):
            text = row[column]
            if "." not in text and "," not in text:
                continue
            vote = proves(text)
            if vote:
                votes[vote] += 1
                if sum(votes.values()) >= 1000:
                    break
            elif open_question is None and type(text) is not Number and _strip_number(text) is not None:
                open_question = (at, column)
    if any(votes.values()):
        return "comma" if votes["comma"] > votes["point"] else "point"
    if open_question and ambiguous_is_problem:
        message = "the file does not tell whether this is a decimal sign or a thousands separator; "
        message += "set portfolio.format.decimal: point or comma"
        found.add("decimal sign", table.problem(*open_question, message))
    return "point"


def parse_number(text: str, style: Style) -> tuple[Decimal | None, str]:
    """A number and the currency written beside it; ``None`` when it does not fit the style.

    ``parse_number("(1.234,50 €)", "comma")`` → (Decimal("-1234.50"), "EUR"); ``1.5E+03`` → 1500.
    """
    if type(text) is Number:
        return Decimal(text), ""
    usual = _USUAL[style].fullmatch(text)
    if usual is not None:
        front, whole, decimals, behind = usual.groups()
        sign = "-" if (front == "-") != (behind == "-") else ""
        digits = whole.replace("," if style == "point" else ".", "")
        if len(digits) > MOST_DIGITS:
            return None, ""
        return Decimal(f"{sign}{digits}.{decimals}" if decimals else sign + digits), ""
    value, currency = _of_any_size(text, style)
    return (None, "") if value is None or abs(value) >= 10**MOST_DIGITS else (value, currency)


def _of_any_size(text: str, style: Style) -> tuple[Decimal | None, str]:
    stripped = _strip_number(text)
    if stripped is None or not stripped.body.isascii():
        return None, ""
    body, mark = stripped.body, "." if style == "point" else ","
    if (scientific := _SCIENTIFIC.fullmatch(body)) is not None and scientific[1] in ("", mark):
        value = Decimal(f"{Decimal(body.replace(',', '.')):f}")  # told without its exponent
    elif _GROUPED[style].fullmatch(body):
        value = Decimal(body.replace(",", "") if style == "point" else body.replace(".", "").replace(",", "."))
    else:
        return None, ""
    return (-value if stripped.negative else value), stripped.currency


def number_message(text: str, style: Style) -> str:
    """Why a cell is not a number, in words."""
    if _NOT_NUMBERS.fullmatch(text.strip()):
        return "not a number: NaN, infinity and Excel errors are not amounts; leave the cell blank if there is none"
    if _of_any_size(text, style)[0] is not None:
        return f"too large: at most {MOST_DIGITS} digits before the decimal {style}"
    if proves(text) not in (None, style):
        other = "comma" if style == "point" else "point"
        return f"has a decimal {other}, the rest of the file a decimal {style}"
    return f"not a number with a decimal {style}"


def parse_share_text(text: str, style: Style) -> Decimal | None:
    """A fraction, or a percentage with its sign: ``2.5 %`` → 0.025."""
    plain = clean(text)
    if not plain.endswith(("%", "‰")):
        return parse_number(text, style)[0]
    value, _ = parse_number(plain[:-1].strip(), style)
    return None if value is None else value / (100 if plain.endswith("%") else 1000)


def parse_terms(text: str, style: Style) -> Decimal | None:
    """Payment terms: ``30``, ``30 days``, ``Net 30``, ``30 Tage netto``, ``60天``."""
    match = re.fullmatch(
        r"(?:net(?:to)?|n)?\.?\s*(\d{1,3})\s*(?:days?|d|tage?|天|日)?\s*(?:net(?:to)?)?", text.casefold()
    )
    return Decimal(match[1]) if match else parse_number(text, style)[0]


def parse_limit(text: str, style: Style) -> Decimal | None:
    """A credit limit; ``unlimited`` is infinite."""
    return Decimal("Infinity") if text.strip().casefold() in _UNLIMITED else parse_number(text, style)[0]


def parse_flag(text: str) -> bool | None:
    """Yes or no; blank is no; ``None`` when it is neither."""
    plain = text.strip().casefold()
    return True if plain in _TRUE else False if not plain or plain in _FALSE else None


NumberParser = Callable[[str, Style], Decimal | None]
