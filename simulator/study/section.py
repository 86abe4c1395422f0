"""The base of every section of a study file."""

from __future__ import annotations

from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, model_validator


class Section(BaseModel):
    """A mapping in the study file: unknown keys are refused, values cannot change after loading."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        defer_build=True,
        use_attribute_docstrings=True,
        arbitrary_types_allowed=True,
        allow_inf_nan=False,
    )

    @model_validator(mode="before")
    @classmethod
    def _blank_is_left_out(cls, data: Any) -> Any:
        """A key with nothing behind it (``liquidity:``) counts as left out: its default holds.

        Where a field may be blank though its default is not, blank means that there is no such term.
        """
        if not isinstance(data, dict):
            return data
        names = {
            field.alias or name
            for name, field in cls.model_fields.items()
            if field.default is None or type(None) not in get_args(field.annotation)
        }
        return {key: value for key, value in data.items() if value is not None or key not in names}
