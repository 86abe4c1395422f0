"""Synthetic ledgers written in the shapes ERP systems export: German SAP, a Chinese ledger, plain ISO."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from simulator.ledger.books import EXPORTER, MULTINATIONAL, SME
from simulator.ledger.synthetic import SyntheticBuyer, SyntheticItem, SyntheticLedger, synthetic_ledger

_STEMS = (
    "Albor", "Brenta", "Corvin", "Daltex", "Elmira", "Fenwal", "Gravis", "Helion", "Istara", "Jovik", "Kestra",
    "Lumora", "Mavero", "Norvik", "Orbena", "Palmix", "Quorva", "Rivano", "Solbek", "Tarvis", "Ulmar", "Vestro",
    "Wolmar", "Xantis", "Yorvan", "Zelkon", "Arvane", "Belcor", "Castro", "Dormex", "Estrin", "Falkon", "Gerlan",
    "Hadrex", "Iverna", "Kolbus", "Lanvik", "Mirano", "Nortek", "Ostara", "Pelion", "Rostek", "Sarvon", "Trivex",
    "Urbena", "Varlon", "Wexfor", "Zamora",
)  # fmt: skip
_TRADES = (
    "Technik", "Industries", "Components", "Systems", "Metal", "Trading", "Works", "Supply", "Engineering", "Group",
    "Motion", "Parts",
)  # fmt: skip
_FORMS = {
    "DE": "GmbH", "AT": "GmbH", "CH": "AG", "FR": "SAS", "BE": "NV", "NL": "B.V.", "IT": "S.p.A.", "ES": "S.L.",
    "PL": "Sp. z o.o.", "CZ": "s.r.o.", "HU": "Kft.", "RO": "S.R.L.", "SE": "AB", "DK": "A/S", "GB": "Ltd",
    "US": "Inc.", "CA": "Inc.", "MX": "S.A. de C.V.", "BR": "Ltda.", "CN": "Co., Ltd", "JP": "K.K.",
    "IN": "Pvt. Ltd", "TR": "A.Ş.", "ZA": "(Pty) Ltd", "NA": "(Pty) Ltd", "CL": "S.A.", "CO": "S.A.S.",
    "KR": "Co., Ltd", "AU": "Pty Ltd", "SG": "Pte Ltd", "VN": "JSC", "NG": "Plc", "EG": "S.A.E.",
}  # fmt: skip
_GERMAN_TRADES = (
    "Müller-Technik", "Präzision", "Metallbau", "Großhandel", "Anlagenbau", "Werkzeuge", "Getriebe", "Gießerei",
)  # fmt: skip
_CHINESE = "华瑞恒泰盛兴宏达隆源鑫诚金永嘉德信通安明"
_CHINESE_TRADES = {
    "五金批发": "五金", "建材": "建材", "机电设备": "机电设备", "电子元件": "电子", "零售": "商贸",
    "装饰工程": "装饰工程",
}  # fmt: skip

Rows = Iterable[Sequence[str]]


def write_shipped(folder: Path) -> list[Path]:
    """Write the ledgers of all shipped studies; returns the files.

    Args:
        folder: the folder that holds ``sme_domestic``, ``exporter`` and ``multinational``.
    """
    return [
        *_sme(synthetic_ledger(SME), folder / "sme_domestic"),
        *_exporter(synthetic_ledger(EXPORTER), folder / "exporter"),
        *_multinational(synthetic_ledger(MULTINATIONAL), folder / "multinational"),
    ]


def _write(path: Path, rows: Rows, delimiter: str, encoding: str, line_end: str) -> Path:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator=line_end).writerows(rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.getvalue().encode(encoding))
    return path


def _name(buyer: SyntheticBuyer) -> str:
    """A made-up company name, one per buyer number."""
    n = buyer.number
    stem = _STEMS[n * 7 % len(_STEMS)]
    trades = _GERMAN_TRADES if buyer.place.code in ("DE", "AT") else _TRADES
    trade = trades[n // len(_STEMS) % len(trades)]
    series = n // (len(_STEMS) * len(trades))
    number = f" {series + 1}" if series else ""
    return f"{stem} {trade}{number} {_FORMS[buyer.place.code]}"


# --- German SAP: semicolons, decimal comma, dots for thousands, trailing minus, ten-digit account numbers -----------


def _german(cents: int) -> str:
    """123456 → ``1.234,56``; negative with a trailing minus, as SAP writes it."""
    whole, rest = divmod(abs(cents), 100)
    return f"{whole:,}".replace(",", ".") + f",{rest:02d}" + ("-" if cents < 0 else "")


def _exporter(book: SyntheticLedger, folder: Path) -> list[Path]:
    account = {buyer.number: f"{100_000 + buyer.number * 37:010d}" for buyer in book.buyers}
    head = ("Debitor", "Name 1", "Land", "Branche", "Währung", "Bonität", "Konzern", "Zahlungsziel", "Kreditlimit",
            "Jahresumsatz", "Kreditkontrollbereich")  # fmt: skip
    buyers = [
        (
            account[b.number],
            _name(b).replace("A.Ş.", "A.S."),
            b.place.code,
            b.sector,
            b.currency,
            b.rating,
            f"K{b.group:04d}" if b.group else "",
            f"{b.terms} Tage",
            "" if b.credit_limit is None else _german(b.credit_limit * 100),
            _german(b.annual_sales * 100),
            "1000",
        )
        for b in book.buyers
    ]
    kinds = {"invoice": "RV", "credit note": "DG", "payment on account": "DZ"}
    first = {"RV": 90_000_000, "DG": 16_000_000, "DZ": 14_000_000}
    item_head = ("Debitor", "Belegnummer", "Belegart", "Belegdatum", "Nettofälligkeit", "Belegwährung",
                 "Betrag in Belegwährung", "Strittig")  # fmt: skip
    items = []
    for item in book.items:
        kind = kinds[item.kind]
        items.append(
            (
                account[item.buyer],
                f"{first[kind] + item.number:010d}",
                kind,
                item.issue.strftime("%d.%m.%Y"),
                item.due.strftime("%d.%m.%Y"),
                item.currency,
                _german(item.cents),
                "X" if item.disputed else "",
            )
        )
    return [
        _write(folder / "buyers.csv", [head, *buyers], ";", "cp1252", "\r\n"),
        _write(folder / "open_items.csv", [item_head, *items], ";", "utf-8-sig", "\r\n"),
    ]


# --- a Chinese ledger in gb18030 ------------------------------------------------------------------------------------


def _comma(cents: int) -> str:
    return f"{cents // 100:,}.{cents % 100:02d}" if cents >= 0 else f"-{_comma(-cents)}"


def _chinese_name(buyer: SyntheticBuyer) -> str:
    n, size = buyer.number, len(_CHINESE)
    brand = _CHINESE[n % size] + _CHINESE[(n * 7 + n // size * 3 + 5) % size]
    return f"{buyer.place.region}{brand}{_CHINESE_TRADES[buyer.sector]}有限公司"


def _sme(book: SyntheticLedger, folder: Path) -> list[Path]:
    code = {buyer.number: f"{1001 + buyer.number:06d}" for buyer in book.buyers}
    head = (
        "客户编号",
        "客户名称",
        "国家",
        "省份",
        "行业",
        "币种",
        "信用等级",
        "所属集团",
        "账期",
        "信用额度",
        "年销售额",
    )
    buyers = [
        (
            code[b.number],
            _chinese_name(b),
            "CN",
            b.place.region,
            b.sector,
            "人民币",
            b.rating,
            f"集团{b.group}" if b.group else "",
            f"{b.terms}天",
            "" if b.credit_limit is None else _comma(b.credit_limit * 100),
            _comma(b.annual_sales * 100),
        )
        for b in book.buyers
    ]
    kinds = {"invoice": "销售发票", "credit note": "红字发票", "payment on account": "预收款"}
    item_head = ("客户编号", "单据类型", "发票号码", "开票日期", "到期日", "币种", "未收金额", "是否争议")
    items = [_chinese_item(item, code[item.buyer], kinds[item.kind]) for item in book.items]
    return [
        _write(folder / "buyers.csv", [head, *buyers], ",", "gb18030", "\r\n"),
        _write(folder / "open_items.csv", [item_head, *items], ",", "gb18030", "\r\n"),
    ]


def _chinese_item(item: SyntheticItem, code: str, kind: str) -> Sequence[str]:
    issue, due = (f"{d.year}年{d.month}月{d.day}日" for d in (item.issue, item.due))
    return (
        code, kind, f"{26_330_000 + item.number:08d}", issue, due, "人民币", _comma(item.cents),
        "是" if item.disputed else "否",
    )  # fmt: skip


# --- plain ISO ------------------------------------------------------------------------------------------------------


def _plain(cents: int) -> str:
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def _multinational(book: SyntheticLedger, folder: Path) -> list[Path]:
    head = ("buyer_id", "name", "country", "sector", "currency", "rating", "lgd", "group_id", "payment_terms_days",
            "credit_limit", "annual_sales")  # fmt: skip
    buyers = [
        (
            f"C-{b.number + 1:06d}",
            _name(b),
            b.place.code,
            b.sector,
            b.currency,
            b.rating,
            "0.55" if b.annual_sales >= 1_000_000 else "0.75",  # large buyers' creditors recover more
            f"G-{b.group:04d}" if b.group else "",
            str(b.terms),
            "" if b.credit_limit is None else str(b.credit_limit),
            str(b.annual_sales),
        )
        for b in book.buyers
    ]
    item_head = (
        "buyer_id",
        "invoice_id",
        "document_type",
        "issue_date",
        "due_date",
        "currency",
        "amount_open",
        "disputed",
    )
    letters = {"invoice": "INV", "credit note": "CRN", "payment on account": "PAY"}
    items = [
        (
            f"C-{i.buyer + 1:06d}",
            f"{letters[i.kind]}-{i.number + 1:07d}",
            i.kind,
            i.issue.isoformat(),
            i.due.isoformat(),
            i.currency,
            _plain(i.cents),
            "yes" if i.disputed else "no",
        )
        for i in book.items
    ]
    return [
        _write(folder / "buyers.csv", [head, *buyers], ",", "utf-8", "\n"),
        _write(folder / "open_items.csv", [item_head, *items], ",", "utf-8", "\n"),
    ]
