"""The human study, of which only the answers enter the workflow."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from s2v.config.base import Slice


class StudyConfig(Slice):
    """Answers of people (Table 1 b); without them table1b.csv is not made, and its claims are not measured."""

    key: str | None = Field(None, description="key.json of `s2v study make`")
    answers: str | None = Field(None, description="folder or file of answers, see `s2v study score --help`")

    @model_validator(mode="after")
    def _both_or_neither(self) -> Self:
        if (self.key is None) != (self.answers is None):
            raise ValueError("key and answers belong together; give both, or none")
        return self
