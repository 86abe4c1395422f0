"""Codes and names in a study: currencies, countries, common drivers."""

from __future__ import annotations

import re

from simulator.errors import closest
from simulator.study.breaches import Breaches
from simulator.study.codes import countries, currencies, likely_country, likely_currency
from simulator.study.paths import KeyPath

CURRENCY = re.compile(r"[A-Z]{3}")
COUNTRY = re.compile(r"[A-Z]{2}")


def check_currency(found: Breaches, path: KeyPath, code: str, own: str, at_key: bool = True) -> None:
    """A key (or a value, if not ``at_key``) that must be the code of a foreign currency."""
    if not CURRENCY.fullmatch(code):
        near = code.strip().upper() if CURRENCY.fullmatch(code.strip().upper()) else ""
        found.add(path, "must be a currency code of three capital letters (ISO 4217), such as USD", near, at_key=at_key)
    elif code not in currencies():
        found.add(path, "not an ISO 4217 currency code", likely_currency(code), at_key=at_key)
    elif code == own and path[:2] != ("fx", "rates"):
        message = f"{code} is the study's own currency; only other currencies move against it"
        found.add(path, message, at_key=at_key, reads=[("study", "currency")])


def check_country(found: Breaches, path: KeyPath, code: str, at_key: bool = True) -> None:
    """A key (or a value, if not ``at_key``) that must be the code of a country."""
    if not COUNTRY.fullmatch(code):
        near = code.strip().upper() if code.strip().upper() in countries() else ""
        message = "must be a country code of two capital letters (ISO 3166), such as BR"
        found.add(path, message, near, at_key=at_key)
    elif code not in countries():
        found.add(path, "not an ISO 3166 country code", likely_country(code), at_key=at_key)


def check_driver(found: Breaches, path: KeyPath, driver: str) -> None:
    """A key that must name a common driver: ``global``, ``country:XX``, ``sector:name``, or an own loading column."""
    known = "global, country:XX, sector:name, and the names behind loading_ in the buyer file"
    kind, colon, name = driver.partition(":")
    suggestion = ""
    if colon:
        near = closest(kind, ["country", "sector"])
        if kind == "country" and COUNTRY.fullmatch(name):
            return
        if kind == "sector" and name.strip():
            return
        if near == "country" and COUNTRY.fullmatch(name.strip().upper()):
            suggestion = f"country:{name.strip().upper()}"
        elif near == "sector" and name.strip():
            suggestion = f"sector:{name.strip()}"
    else:
        near = closest(driver, ["global"])
        if driver == "global" or (re.fullmatch(r"\w+", driver) and not near and not COUNTRY.fullmatch(driver)):
            return
        suggestion = near or (f"country:{driver}" if COUNTRY.fullmatch(driver) else "")
    found.add(path, f"is not a common driver; these are {known}", suggestion, at_key=True)
