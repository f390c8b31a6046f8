"""What stage `evaluate` finds out about the pictures of one method and seed, as JSON between stages."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config

from s2v.errors import UserError
from s2v.files import read_json, write_json

_SPELLED = {
    "r1": "R@1", "r5": "R@5", "fid": "FID", "inception": "IS", "inception_std": "IS_std", "kid": "KID",
}  # fmt: skip
"""Keys of the file that are no names of Python."""


@dataclass(frozen=True)
class Drawn:
    """What the records of all pictures of a tar say alike (`s2v.evaluate.generate`).

    Attributes:
        method: that drew them.
        seed: of generation.
        training: number of the training seed of its models.
        letter: row of the paper's table; empty where it has none.
        title: of the row.
        encoder: `V`, `A`, or `-`: what sees or hears.
        generator: `G`, `R`, or `-`: what the pictures come from.
        seeded: whether the seed matters.
        note: of a control, what it is.
        main: whether it is a row of the table, and no control beside it.
        input: `sound`, the frame that it sees, or `name`: that of the class, which it is told.
        uses_text: whether text had a part in it.
        database: of retrieval, the number of its pictures.
    """

    method: str
    seed: int
    training: int = 0
    letter: str = ""
    title: str = ""
    encoder: str = ""
    generator: str = ""
    seeded: bool = True
    note: str = ""
    main: bool = False
    input: str = ""
    uses_text: bool = False
    database: int | None = None

    @classmethod
    def of(cls, record: dict[str, Any]) -> Drawn:
        """Of a picture's record, which says more."""
        return cls(**{one.name: record[one.name] for one in fields(cls) if one.name in record})


@with_config(ConfigDict(extra="forbid", allow_inf_nan=False))
@dataclass(frozen=True, kw_only=True)
class Result(Drawn):
    """The metrics of one tar of pictures; those that could not be had are None, and `missing` says why.

    Attributes:
        n: number of pictures.
        n_labelled: those with a label.
        n_reference: number of real pictures.
        evaluator: that measured them.
        further: evaluators beside it.
        r1_by_evaluator: R@1 of each of them, the first one's first.
        fid_by_evaluator: FID of each of them, likewise.
        is_by_evaluator: IS of each of them, likewise.
        accepted: share of pictures that are of any class at all, where an evaluator answers that.
        tie_rule: of R@k.
        classes: number of names that R@k ranks.
        inception_splits: parts of IS.
        missing: metric -> reason.
        r1: R@1, 0 to 1, the mean over evaluators.
        r5: R@5.
        fid: FID.
        inception: IS.
        inception_std: its standard deviation over the parts.
        kid: KID.
    """

    n: int
    n_labelled: int = 0
    n_reference: int = 0
    evaluator: str = "none"
    further: list[str] = field(default_factory=list)
    r1_by_evaluator: list[float] = field(default_factory=list)
    fid_by_evaluator: list[float] = field(default_factory=list)
    is_by_evaluator: list[float] = field(default_factory=list)
    accepted: float | None = None
    tie_rule: str = ""
    classes: int = 0
    inception_splits: int = 0
    missing: dict[str, str] = field(default_factory=dict)
    r1: float | None = None
    r5: float | None = None
    fid: float | None = None
    inception: float | None = None
    inception_std: float | None = None
    kid: float | None = None


def result_fields(result: Result) -> dict[str, Any]:
    """A result as its file has it, metrics under their usual names."""
    return {_SPELLED.get(name, name): value for name, value in asdict(result).items()}


def write_result(path: Path, result: Result) -> None:
    """Write it as JSON."""
    write_json(path, result_fields(result))


def read_result(path: Path) -> Result:
    """What `write_result` wrote.

    Raises:
        UserError: the file is no such file, or a metric of it is not finite.
    """
    return read_result_fields(path, read_json(path))


def read_result_fields(path: Path, found: Any) -> Result:
    """The result that `result_fields` wrote to a file of any kind.

    Raises:
        UserError: it is none.
    """
    names = {spelled: name for name, spelled in _SPELLED.items()}
    try:
        if isinstance(found, dict):
            found = {names.get(key, key): value for key, value in found.items()}
        return TypeAdapter(Result).validate_python(found)
    except ValidationError as error:
        first = error.errors()[0]
        line = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
        raise UserError(f"{path}: no result of stage evaluate ({line}); remove it and run again") from error


__all__ = ["Drawn", "Result", "read_result", "read_result_fields", "result_fields", "write_result"]
