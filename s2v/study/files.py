"""The two kinds of files of a study, as they are read back: the key that tells what was asked, and people's answers."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from s2v.errors import UserError
from s2v.files import read_json
from s2v.study.design import Experiment

KEY_FILE = "key.json"
RECORD_BYTES = 2**18
"""Most that one person's answers take."""
_LOG_BYTES = 2**28

Name = Annotated[str, StringConstraints(pattern=r"^[0-9a-z-]{1,40}$")]
Words = Annotated[str, StringConstraints(max_length=2000)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class PictureKey(_Strict):
    """A picture of the page: its file there without ending, the clip of its sound, and the method that made it."""

    name: Name
    clip: str
    method: str


class ItemKey(_Strict):
    """A question's content: `s2v.study.design.Item` with the names of the page."""

    name: Name
    clip: str
    label: str | None
    sound: Name | None
    pictures: list[PictureKey]


class QuestionKey(_Strict):
    """A question of a list: pictures by place. Of one that shows who attends: `wanted`, the picture that is right, and
    `sound` where that is to be heard, in place of words that ask for it."""

    name: Name
    pictures: list[Name]
    wanted: Name | None = None
    sound: Name | None = None


class PartKey(_Strict):
    """An experiment of a list."""

    experiment: Experiment
    set: int
    questions: list[QuestionKey]


class Rules(_Strict):
    """Who is left out, fixed before anybody answered.

    Attributes:
        failed_checks: as many wrong answers to questions that show who attends, and a person is left out.
        fastest_s: a median time below, and a person did not listen.
        unfinished: whether those are left out who have not answered all.
    """

    failed_checks: int = Field(2, ge=1)
    fastest_s: float = Field(1.5, ge=0)
    unfinished: bool = True


class Key(_Strict):
    """What was asked.

    Attributes:
        study: its name, which each answer carries.
        titles: {method: its name in tables}.
        ours: the method that is judged.
        other: that it is compared with; None where people name pictures.
        dataset: what the clips are, in words.
        items: {experiment: sets of items}.
        lists: what one person after the other is asked.
        rules: of leaving out.
        named: {evaluator: {picture: the class that it names}}.
        classes: names to choose from, where people name pictures.
    """

    study: Name
    titles: dict[str, str]
    ours: str
    other: str | None
    dataset: str
    items: dict[Experiment, list[list[ItemKey]]]
    lists: list[list[PartKey]] = Field(min_length=1)
    rules: Rules = Rules()
    named: dict[str, dict[Name, str]] = {}
    classes: list[str] = []


class Answer(_Strict):
    """What one person said to one question.

    Attributes:
        question: its name.
        chosen: pictures; where people name pictures, the class.
        rt_ms: from its appearance to the answer.
        replays: how often the sound was played again.
    """

    question: Name
    chosen: list[Words] = Field(max_length=8)
    rt_ms: int = Field(ge=0, le=10**9)
    replays: int = Field(0, ge=0, le=10**6)


class Record(_Strict):
    """One person.

    Attributes:
        study: the study's name.
        listed: which list they were given.
        person: who they are where they came from, such as Prolific's id.
        answers: in the order in which they were given.
        started: time, ISO 8601.
        finished: the same; None where they have not come to the end.
        sound_check: tries until the tones were counted right.
        comments: in their own words.
        agent: their browser.
        source: what the address brought along, such as Prolific's session.
        simulated: no person, but a program that tests s2v.
    """

    study: Name
    listed: int = Field(ge=0)
    person: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    answers: list[Answer] = Field(max_length=1000)
    started: Annotated[str, StringConstraints(max_length=40)]
    finished: Annotated[str, StringConstraints(max_length=40)] | None = None
    sound_check: int = Field(0, ge=0, le=1000)
    comments: Words = ""
    agent: Annotated[str, StringConstraints(max_length=500)] = ""
    source: dict[
        Annotated[str, StringConstraints(max_length=40)], Annotated[str, StringConstraints(max_length=200)]
    ] = Field({}, max_length=20)
    simulated: Literal[True] | None = None


def read_key(path: Path) -> Key:
    """Of a study's folder or its file.

    Raises:
        UserError: it is no key.
    """
    file = path / KEY_FILE if path.is_dir() else path
    if not file.is_file():
        raise UserError(f"{file}: no key of a study; `s2v study make` writes it beside the page")
    try:
        return Key.model_validate_json(json.dumps(read_json(file)))
    except ValidationError as error:
        raise UserError(f"{file}: not a key of `s2v study make` ({_first(error)})") from error


def record_of(text: str | bytes, where: str) -> Record:
    """One person's answers from JSON.

    Raises:
        UserError: it is not what the page sends.
    """
    if len(text) > RECORD_BYTES:
        raise UserError(f"{where}: longer than {RECORD_BYTES} bytes, so no person's answers")
    try:
        return Record.model_validate_json(text)
    except ValidationError as error:
        raise UserError(f"{where}: not answers of this study's page ({_first(error)})") from error


def read_records(paths: list[Path]) -> list[Record]:
    """People's answers.

    Of folders (all files below them) and files: JSON, a person each, as `s2v study serve` writes it; lines of JSON, as
    JATOS exports results; CSV with a column `record`, as hosts of jsPsych write it.

    Raises:
        UserError: there is none, or one is not what the page sends.
    """
    found: list[Record] = []
    for file in answer_files(paths):
        if file.stat().st_size > _LOG_BYTES:
            raise UserError(f"{file}: larger than {_LOG_BYTES} bytes; give a part of it")
        try:
            text = file.read_text("utf-8-sig")
        except UnicodeDecodeError as error:
            raise UserError(f"{file}: not UTF-8 text") from error
        found += [record_of(one, f"{file}{place}") for place, one in _READERS[file.suffix](text)]
    if not found:
        raise UserError(f"{', '.join(map(str, paths))}: no answers there")
    return found


def answer_files(paths: list[Path]) -> list[Path]:
    """Files of answers: those that are given, and all that there are in folders.

    Raises:
        UserError: one is not there, or is of no known kind.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(one for one in path.rglob("*") if one.suffix in _READERS and one.is_file())
        elif not path.is_file():
            raise UserError(f"{path}: is not there")
        elif path.suffix not in _READERS:
            raise UserError(f"{path}: answers are {', '.join(_READERS)}")
        else:
            found.append(path)
    return found


def _whole(text: str) -> Iterator[tuple[str, str]]:
    yield "", text


def _lines(text: str) -> Iterator[tuple[str, str]]:
    for n, line in enumerate(text.splitlines(), 1):
        if line.strip():
            yield f", line {n}", line


def _cells(text: str) -> Iterator[tuple[str, str]]:
    csv.field_size_limit(RECORD_BYTES)
    try:
        for n, row in enumerate(csv.DictReader(io.StringIO(text)), 1):
            if (cell := row.get("record") or "").strip():
                yield f", row {n}", cell
    except csv.Error as error:
        raise UserError(f"a CSV of answers cannot be read ({error})") from error


_READERS: dict[str, Callable[[str], Iterator[tuple[str, str]]]] = {
    ".json": _whole, ".jsonl": _lines, ".txt": _lines, ".csv": _cells,
}  # fmt: skip
"""{ending: (place in the file, one person's JSON)}"""


def _first(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(map(str, first['loc']))[:80]}: {first['msg']}"[:200]


__all__ = [
    "KEY_FILE", "RECORD_BYTES", "Answer", "ItemKey", "Key", "PartKey", "PictureKey", "QuestionKey", "Record", "Rules",
    "answer_files",
    "read_key", "read_records", "record_of",
]  # fmt: skip
