"""What of a scripted study is not used, because nothing is drawn: one line for each kind of it."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel

from simulator.study.schema import Policy, Programme, Script, Study
from simulator.study.schema_script import LIKELY

#: Sections and keys that say what is drawn, and nothing else. The shares of ``credit.recovery`` that recovering costs
#: and the rates of ``fx`` are used in a script too.
_DRAWN = (
    "credit.pd",
    "credit.dependence",
    "credit.recovery.mean",
    "credit.recovery.sd",
    "credit.recovery.lag",
    "credit.recovery.systematic",
    "payment.delay",
    "payment.location",
    "payment.scale",
    "payment.shares",
    "payment.protracted_default.cure_probability",
    "payment.disputes.probability",
    "fx.model",
    "fx.volatility",
    "fx.correlation",
    "fx.degrees_of_freedom",
    "fx.wrong_way",
    "transfer",
    "simulation.tail",
)


def script_notes(study: Study) -> list[str]:
    """What a scripted study says that its one scenario does not use."""
    script = study.script
    if script is None:
        return []
    notes = ["one scripted scenario: nothing is drawn, and simulation.scenarios is not used"]
    if study.stresses:
        notes.append(f"stresses are not run beside a script: {', '.join(study.stresses)}")
    if idle := [key for key in _DRAWN if _said(study, key)]:
        notes.append(f"without effect in a script: {', '.join(idle)}")
    who: dict[str, list[str]] = {}
    for programme in study.programmes:
        for note in _of_programme(programme, script):
            who.setdefault(note, []).append(programme.name)
    return notes + [f"{', '.join(names)}: {note}" for note, names in who.items()]


def _said(study: Study, key: str) -> bool:
    """Whether a key is not as it is by default."""
    found: BaseModel = study
    *sections, last = key.split(".")
    for section in sections:
        found = getattr(found, section)
    return bool(getattr(found, last) != type(found).model_fields[last].default)


def _of_programme(programme: Programme, script: Script) -> Iterator[str]:
    for name in ("letter_of_credit", "prepayment"):
        terms = getattr(programme, name)
        if terms is not None and 0.0 < terms.accepted < 1.0:
            answer = "everybody agrees" if terms.accepted >= LIKELY else "nobody agrees, so nobody is supplied"
            yield f"{name}.accepted is a chance: in a script {answer}"
    discount = programme.early_payment_discount
    if discount is not None and 0.0 < discount.take_up < 1.0:
        whoever = "everybody" if discount.take_up >= LIKELY else "nobody"
        yield f"early_payment_discount.take_up is a chance: in a script {whoever} takes the discount"
    if not isinstance(programme, Policy):
        return
    if (changes := programme.limit_changes) is not None:
        if _tells_limits(programme, script) and changes.seller == "stops":
            yield "of limit_changes only seller has an effect in a script: script.limits tells what changes"
        else:
            yield "limit_changes has no effect in a script: script.limits tells what changes"
    if programme.type == "excess_of_loss" and _tells_limits(programme, script):
        yield "insurers can seldom take back limits of an excess of loss; script.limits changes them all the same"
    if programme.insurer is not None:
        yield "insurer has no effect: in a script no insurer fails"
    if programme.notification is not None and programme.notification.missed > 0.0:
        yield "notification.missed has no effect: in a script no notification is missed"


def _tells_limits(policy: Policy, script: Script) -> bool:
    """Whether a script changes limits of a policy."""
    return any(change.programmes is None or policy.name in change.programmes for change in script.limits)
