"""The human study: who is asked what, what the page gives away, what answers count, and what the table says of them."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient
from study_people import answered, run_of
from typer.testing import CliRunner

from s2v.cli import app
from s2v.errors import UserError
from s2v.evaluate.corrected import holm
from s2v.study import naming
from s2v.study.design import CHECKS, CHOICES, REAL, Design, Part, Question, balanced, draw, draw_names
from s2v.study.files import Key, Record, read_key, read_records, record_of
from s2v.study.people import sort_out
from s2v.study.score import score, write
from s2v.study.serve import Answers, program
from s2v.study.site import PLUGINS, Asked, make, make_names
from s2v.study.statistics import (
    Observed,
    above_chance,
    alpha,
    fleiss,
    interval,
    mixed,
    one_rather_than_other,
    power,
)

LABELS = {f"clip{i:03d}": f"class {i % 12}" for i in range(240)}


def _design(sets: int = 3, questions: int = 20) -> Design:
    return draw(LABELS, "ours", "other", sets=sets, questions=questions, seed=0)


def test_sets_are_balanced_over_classes_and_share_no_clip() -> None:
    design = _design()
    parts = [part for sets in design.sets.values() for part in sets]
    clips = [item.clip for part in parts for item in part] + [item.clip for item in design.practice.values()]
    assert len(clips) == len(set(clips)) == 2 * 3 * 20 + 2
    for part in parts:
        often = Counter(LABELS[item.clip] for item in part)
        assert len(often) == 12 and set(often.values()) <= {1, 2}


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=12, max_size=60), st.integers(1, 3), st.integers(1, 4))
def test_a_set_has_a_class_twice_only_where_no_other_is_left(numbers: list[int], sets: int, size: int) -> None:
    import random

    classes = {f"c{i}": str(n) for i, n in enumerate(numbers)}
    parts = balanced(classes, sets, size, random.Random(0))
    left = Counter(classes.values())
    for part in parts:
        often = Counter(classes[clip] for clip in part)
        for name in left:
            assert often[name] >= min(left[name], max(often.values()) - 1)
        left -= often
    assert len({clip for part in parts for clip in part}) == sets * size


def test_the_others_of_a_question_are_of_other_classes() -> None:
    for experiment, sets in _design().sets.items():
        for item in [item for part in sets for item in part]:
            shown = item.pictures[2:] if experiment == "fit" else item.pictures[1:]
            classes = [LABELS[one.clip] for one in shown]
            assert LABELS[item.clip] not in classes and len(set(classes)) == len(classes)
            methods = [one.method for one in item.pictures]
            assert methods[:2] == ["ours", "other"] if experiment == "fit" else set(methods) == {"ours"}


def test_each_set_is_seen_as_often_in_both_orders_and_each_right_answer_at_each_place() -> None:
    design = _design()
    lists, used = design.lists, {one.clip for sets in design.sets.values() for own in sets for one in own}
    assert len(lists) == 2 * CHOICES * 3
    assert Counter((part.experiment, part.set) for one in lists for part in one) == {
        (experiment, n): 2 * CHOICES for experiment in ("fit", "match") for n in range(3)
    }
    assert Counter(one[0].experiment for one in lists) == {"fit": len(lists) / 2, "match": len(lists) / 2}
    places = Counter(
        (part.experiment, part.set, question.item, question.order.index(0))
        for one in lists for part in one for question in part.questions
        if question.wanted is None and question.real is None
    )  # fmt: skip
    assert set(places.values()) == {2} and len(places) == 2 * 3 * 20 * CHOICES
    for part in [part for one in lists for part in one]:
        asked = [question.wanted for question in part.questions]
        assert sum(place is not None for place in asked) == CHECKS and asked[0] is None
        real = [i for i, question in enumerate(part.questions) if question.real is not None]
        assert len(real) == 1 and 0 < real[0] < len(asked) - 1
        item = part.questions[real[0]].real
        assert item is not None and {one.method for one in item.pictures} == {REAL}
        assert len({LABELS[one.clip] for one in item.pictures}) == CHOICES and item.pictures[0].clip == item.clip
        assert item.clip not in used, "whose sound is heard in no other question"


def test_the_same_seed_draws_the_same_and_too_few_clips_are_said() -> None:
    assert _design() == _design() != draw(LABELS, "ours", "other", sets=3, questions=20, seed=1)
    with pytest.raises(UserError, match="take 404 clips, and there are 240; lower --sets"):
        _design(10)
    with pytest.raises(UserError, match="takes 4 classes, and there are 2"):
        draw({f"c{i}": str(i % 2) for i in range(99)}, "a", "b", sets=1, questions=4, seed=0)


def test_clips_without_labels_are_each_of_a_class_of_their_own() -> None:
    design = draw(dict.fromkeys(LABELS), "ours", "other", sets=2, questions=20, seed=0)
    assert all(len({one.clip for one in item.pictures}) == CHOICES for item in design.sets["match"][0])


def test_pictures_of_each_method_are_named_as_often() -> None:
    design = draw_names(LABELS, ["a", "b"], sets=2, questions=10, seed=0)
    assert [Counter(item.pictures[0].method for item in part) for part in design.sets["name"]] == [{"a": 5, "b": 5}] * 2


# ---- the page ----


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders such as those of jsPsych, of the pinned versions, whose programs do nothing."""
    import s2v

    pinned = json.loads((Path(s2v.__file__).parent / "shipped/study/package.json").read_text())["dependencies"]
    root = tmp_path_factory.mktemp("packages")
    assert set(pinned) == set(PLUGINS)
    for name, file in PLUGINS.items():
        (root / name / "dist").mkdir(parents=True)
        (root / name / "package.json").write_text(json.dumps({"version": pinned[name]}))
        (root / name / "dist" / file).write_text("")
    (root / "jspsych/css").mkdir()
    (root / "jspsych/css/jspsych.css").write_text("")
    return root


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run_of(tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def study(run: Path, packages: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study") / "study"
    asked = Asked(run, sets=1, questions=4, save="serve", code="C0DE")
    make(asked, folder, packages, "tiny", "sound2vision", "icgan")
    return folder


def test_nothing_that_is_hosted_tells_method_class_or_clip(study: Path) -> None:
    key = read_key(study)
    clips = {item.clip for sets in key.items.values() for part in sets for item in part}
    secrets = {"sound2vision", "icgan", *key.titles.values(), *clips, *(c.replace("_", " ") for c in clips)}
    secrets |= {str(item.label) for sets in key.items.values() for part in sets for item in part}
    files = [path for path in (study / "site").rglob("*") if path.is_file()]
    assert not list((study / "site").rglob("key.json")) and len(files) > 20
    for path in files:
        assert not any(secret in path.name for secret in secrets)
        if path.suffix in (".js", ".html", ".css", ".txt"):
            text = path.read_text()
            assert not [secret for secret in secrets if secret in text], path
    names = {path.stem for path in files if path.suffix == ".png"}
    assert all(re.fullmatch("[0-9a-f]{12}", name) for name in names)
    assert names >= {one.name for sets in key.items.values() for part in sets for item in part for one in item.pictures}
    sizes = {method: set() for method in key.titles}
    for item in key.items["fit"][0]:
        for one in item.pictures:
            from PIL import Image

            sizes[one.method].add(Image.open(study / "site/media" / f"{one.name}.png").size)
    assert len({frozenset(found) for found in sizes.values()}) == 1, "both at one size"


def test_the_same_study_has_the_same_bytes(study: Path, run: Path, packages: Path, tmp_path: Path) -> None:
    asked = Asked(run, sets=1, questions=4, save="serve", code="C0DE")
    make(asked, tmp_path / "again", packages, "tiny", "sound2vision", "icgan")
    for path in [path for path in study.rglob("*") if path.is_file()]:
        assert (tmp_path / "again" / path.relative_to(study)).read_bytes() == path.read_bytes(), path


def test_what_is_lacking_is_one_line(run: Path, packages: Path, tmp_path: Path, study: Path) -> None:
    for asked, folder, found, words in (
        (Asked(run), study, packages, "is there already"),
        (Asked(run), tmp_path / "a", tmp_path, "make study-deps"),
        (Asked(run, generation=9), tmp_path / "a", packages, "9.tar: no pictures of sound2vision"),
        (Asked(tmp_path), tmp_path / "a", packages, "not the output folder of a run"),
        (Asked(run), tmp_path / "a", packages, "lower --sets"),
    ):
        with pytest.raises(UserError, match=re.escape(words)):
            make(asked, folder, found, "tiny", "sound2vision", "icgan")
    assert not [path for path in tmp_path.iterdir() if path.name != "b"], "nothing half made stays"


# ---- answers ----


def _key(study: Path) -> Key:
    return read_key(study)


def test_known_answers_give_the_known_table(study: Path, tmp_path: Path) -> None:
    """Two people always choose ours alone; of four sounds each, the first finds all, the second none."""
    key = _key(study)
    first, second = answered(key, 2, right=1.0, ours=1.0, other=0.0, simulated=False)
    wrong = answered(key, 2, right=0.0, ours=1.0, other=0.0, simulated=False)[1]
    scored = score(key, [first, wrong], count=200)
    against, ours = scored.rows
    assert (against.recall.value, ours.recall.value) == (0, 1) and ours.precision is not None
    assert ours.precision.value == 0.5 and against.precision is None
    assert ours.precision.low == 0 and ours.precision.high == 1, "two people who differ tell nothing"
    assert scored.measured["precision_minus_chance"].value == 0.25  # type: ignore[union-attr]
    assert "Only Sound2Vision (ours) was chosen 8 times, only ICGAN 0 times" in scored.lines["Tests"][0]
    assert "4 of 8 right" in scored.lines["Tests"][1]
    csv_file, markdown = write(scored, key, tmp_path)
    assert (csv_file.name, markdown.name) == ("table1b.csv", "table1b.md")
    with open(csv_file) as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["method"], row["recall"], row["precision"]) for row in rows] == [
        ("ICGAN", "0.00", ""), ("Sound2Vision (ours)", "100.00", "50.00"),
    ]  # fmt: skip
    assert "## What was found of the claims" in markdown.read_text() and second.person == wrong.person


def test_simulated_people_recover_what_they_were_made_with_and_make_no_table1b(study: Path, tmp_path: Path) -> None:
    labels = {f"c{i}": str(i % 10) for i in range(250)}
    design = draw(labels, "sound2vision", "icgan", sets=3, questions=20, seed=0)
    key = _big(design, labels)
    scored = score(key, answered(key, 200, right=0.6, ours=0.7, other=0.4), count=500)
    against, ours = scored.rows
    assert ours.precision is not None
    for found, truth in ((ours.precision, 0.6), (ours.recall, 0.7), (against.recall, 0.4)):
        assert abs(found.value - truth) < 0.03 and found.low < truth < found.high
    guess = score(key, answered(key, 200, right=0.25, ours=0.5, other=0.5), count=500)
    assert guess.rows[1].precision is not None and guess.rows[1].precision.low < 0.25 < guess.rows[1].precision.high
    files = write(scored, key, tmp_path)
    assert [path.name for path in files] == ["simulated.csv", "simulated.md"] and not list(tmp_path.glob("table1b*"))
    assert files[1].read_text().startswith("# Simulated: no person answered")
    with pytest.raises(UserError, match="some answers are of people and some are simulated"):
        score(
            key,
            answered(key, 2, right=1, ours=1, other=1) + answered(key, 1, right=1, ours=1, other=1, simulated=False),
        )


def _big(design: Design, labels: dict[str, str]) -> Key:
    """A key without a run behind it."""

    def shown(part: Part, question: Question) -> list[str]:
        item = design.sets[part.experiment][part.set][question.item]
        return [name[item.pictures[i].method, item.pictures[i].clip] for i in question.order]

    name = {one: f"{i:05d}" for i, one in enumerate(
        sorted({(p.method, p.clip) for s in design.sets.values() for part in s for item in part for p in item.pictures})
    )}  # fmt: skip
    return Key.model_validate({
        "study": "big", "titles": {"sound2vision": "Ours", "icgan": "ICGAN"}, "ours": "sound2vision", "other": "icgan",
        "dataset": "made up",
        "items": {
            experiment: [
                [
                    {
                        "name": f"{experiment}-{s}-{i}", "clip": item.clip, "label": labels[item.clip], "sound": None,
                        "pictures": [
                            {"name": name[one.method, one.clip], "clip": one.clip, "method": one.method}
                            for one in item.pictures
                        ],
                    }
                    for i, item in enumerate(part)
                ]
                for s, part in enumerate(sets)
            ]
            for experiment, sets in design.sets.items()
        },
        "lists": [
            [
                {
                    "experiment": part.experiment, "set": part.set,
                    "questions": [
                        {"name": f"{part.experiment}-{part.set}-{one.item}", "pictures": shown(part, one)}
                        for one in part.questions if one.wanted is None and one.real is None
                    ],
                }
                for part in one
            ]
            for one in design.lists
        ],
    })  # fmt: skip


def test_who_is_left_out_and_why_is_said(study: Path) -> None:
    key = _key(study)
    whole = answered(key, 7, right=1, ours=1, other=0, simulated=False)

    def changed(record: Record, **values: object) -> Record:
        return Record.model_validate(record.model_dump() | values)

    questions = {one.name: one for part in key.lists[2] for one in part.questions}
    missed = [answer.model_dump() for answer in whole[2].answers]
    for answer in missed:
        if questions[answer["question"]].wanted:
            answer["chosen"] = [one for one in questions[answer["question"]].pictures if one not in answer["chosen"]][
                :1
            ]
    found = sort_out(key, [
        whole[0],
        changed(whole[1], answers=[one.model_dump() for one in whole[1].answers[:-1]]),
        changed(whole[2], answers=missed),
        changed(whole[3], answers=[one.model_dump() | {"rt_ms": 300} for one in whole[3].answers]),
        changed(whole[4], answers=[one.model_dump() | {"chosen": ["../etc"]} for one in whole[4].answers]),
        changed(whole[5], listed=6 if len(key.lists) > 6 else 0),
        changed(whole[6], person="p000", finished="2026-01-02T00:00:00Z", started="2026-01-02T00:00:00Z"),
    ])  # fmt: skip
    assert [record.person for record in found.kept][0] == "p000"
    why = dict(found.left_out)
    n = sum(len(part.questions) for part in key.lists[0])
    assert why["p001"] == f"{n - 1} of {n} questions answered"
    assert why["p002"] == f"{2 * (CHECKS + 1)} questions that show who attends answered wrong (rule: 2)"
    assert why["p003"] == "median time 0.3 s (rule: 1.5 s)"
    assert why["p004"] == "choices that were not there"
    assert why["p000"] == "a second time; the first that is whole counts"


def test_an_id_of_somebody_else_stays_on_its_line(study: Path) -> None:
    key = _key(study)
    (record,) = answered(key, 1, right=1, ours=1, other=0, simulated=False)
    record = Record.model_validate(record.model_dump() | {"person": "x\n| <b>`", "answers": [], "finished": None})
    assert sort_out(key, [record]).left_out[0][0] == "x?? ?b??"


def _jsons(inner: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.lists(inner) | st.dictionaries(st.sampled_from([*Record.model_fields, "x"]), inner)


@settings(max_examples=100, deadline=None)
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=9), _jsons))
def test_no_json_but_a_record_is_a_record(value: object) -> None:
    try:
        record_of(json.dumps(value), "a file")
    except UserError as error:
        assert "\n" not in str(error) and len(str(error)) < 400


def test_answers_come_as_json_as_lines_and_as_csv(study: Path, tmp_path: Path) -> None:
    records = answered(_key(study), 3, right=1, ours=1, other=0, simulated=False)
    (tmp_path / "a").mkdir()
    for record in records:
        (tmp_path / "a" / f"{record.person}.json").write_text(record.model_dump_json())
    (tmp_path / "jatos.txt").write_text("".join(f"{record.model_dump_json()}\n\n" for record in records))
    with open(tmp_path / "data.csv", "w", newline="") as stream:
        table = csv.DictWriter(stream, ["trial_type", "record"])
        table.writeheader()
        for record in records:
            table.writerow({"trial_type": "survey-html-form", "record": ""})
            table.writerow({"trial_type": "survey-html-form", "record": record.model_dump_json()})
    for path in (tmp_path / "a", tmp_path / "jatos.txt", tmp_path / "data.csv"):
        assert read_records([path]) == records
    (tmp_path / "jatos.txt").write_text('{"study": 1}\n')
    with pytest.raises(UserError, match=r"jatos.txt, line 1: not answers of this study's page"):
        read_records([tmp_path / "jatos.txt"])
    with pytest.raises(UserError, match="no answers there"):
        (tmp_path / "none").mkdir()
        read_records([tmp_path / "none"])


# ---- the server ----


def test_the_server_hands_out_the_lists_in_turn_and_keeps_every_answer(study: Path, tmp_path: Path) -> None:
    key = _key(study)
    answers = Answers(tmp_path / "answers", key)
    client = TestClient(program(study / "site", answers), base_url="http://127.0.0.1:7870")
    assert client.get("/").status_code == 200 and "jspsych" in client.get("/").text
    people = [client.get("/list", params={"person": f"p{n}"}).json()["list"] for n in range(len(key.lists) + 1)]
    assert people == [*range(len(key.lists)), 0]
    (record,) = answered(key, 1, right=1, ours=1, other=0, simulated=False)
    part = Record.model_validate(record.model_dump() | {"answers": record.answers[:3], "finished": None})
    send = {"Content-Type": "application/json", "Origin": "http://127.0.0.1:7870"}
    assert client.post("/answers", content=part.model_dump_json(), headers=send).status_code == 200
    again = Answers(tmp_path / "answers", key)
    number, kept = again.list_of("p000")
    assert number == 0 and kept is not None and len(kept["answers"]) == 3, "a new program goes on with what is there"
    assert client.post("/answers", content=record.model_dump_json(), headers=send).status_code == 200
    assert client.post("/answers", content=part.model_dump_json(), headers=send).status_code == 200
    (file,) = (tmp_path / "answers").glob("*.json")
    assert record_of(file.read_bytes(), "") == record, "what comes late takes nothing away"


def test_the_server_takes_nothing_else(study: Path, tmp_path: Path) -> None:
    key = _key(study)
    client = TestClient(program(study / "site", Answers(tmp_path / "answers", key)), base_url="http://127.0.0.1:7870")
    (record,) = answered(key, 1, right=1, ours=1, other=0, simulated=False)
    send = {"Content-Type": "application/json"}
    text = record.model_dump_json()
    for content, headers, status in (
        (text, {**send, "Origin": "http://elsewhere.example"}, 403),
        (text, {"Content-Type": "text/plain"}, 415),
        (text, {**send, "Host": "elsewhere.example"}, 400),
        ("x" * 2**19, send, 413),
        ("[]", send, 400),
        (text.replace(key.study, "0" * 12), send, 400),
        (text.replace("fit-0-", "fit-9-"), send, 400),
    ):
        assert client.post("/answers", content=content, headers=headers).status_code == status
    assert not list((tmp_path / "answers").iterdir())
    for path in ("/../key.json", "/..%2fkey.json", "/media/../../key.json"):
        assert client.get(path).status_code == 404
    assert (
        client.get("/list").status_code == 400 and client.get("/list", params={"person": "x" * 101}).status_code == 400
    )


# ---- evaluators ----


def test_evaluators_are_judged_by_people(run: Path, packages: Path, tmp_path: Path) -> None:
    """One that always names the sound's class, as these people do, agrees with them; one that never does, never."""
    labels: dict[int, str] = {}

    def always(pictures: torch.Tensor, classes: list[str]) -> torch.Tensor:
        return torch.zeros(len(pictures), len(classes))

    folder = tmp_path / "names"
    asked = Asked(run, sets=1, questions=4)
    make_names(asked, folder, packages, "tiny", ["sound2vision", "icgan"], {"first": always})
    key = read_key(folder)
    assert key.other is None and len(key.classes) >= 2 and not labels
    assert set(key.named["first"].values()) == {key.classes[0]}
    rows, lines = naming.agreements(key, answered(key, 4, right=1.0, ours=0, other=0), count=50)
    for row in rows:
        assert row.right.value == 1 and row.agree.value == pytest.approx(row.told)
    files = naming.write(rows, lines, key, tmp_path, simulated=True)
    assert [path.name for path in files] == ["simulated.csv", "simulated.md"]
    with pytest.raises(UserError, match="gives no Table 1"):
        score(key, answered(key, 1, right=1, ours=0, other=0))


# ---- statistics ----


def test_an_interval_is_as_wide_as_people_and_items_make_it() -> None:
    """Over simulated studies with spreads of both, about 95 % hold the truth; one over answers alone would not."""
    rng = np.random.default_rng(0)
    held, naive = 0, 0
    for n in range(120):
        people, items = 30, 40
        p = np.clip(0.5 + 0.15 * rng.standard_normal(people)[:, None] + 0.2 * rng.standard_normal(items), 0.02, 0.98)
        value = (rng.random((people, items)) < p).astype(float).ravel()
        seen = Observed(np.repeat(np.arange(people), items), np.tile(np.arange(items), people), value)
        found = interval(seen, 200, n)
        held += found.low <= 0.5 <= found.high
        half = 1.96 * value.std() / np.sqrt(len(value))
        naive += abs(value.mean() - 0.5) <= half
    assert held >= 108 and naive < 90


def test_published_numbers_of_the_tests() -> None:
    assert above_chance(3, 4, 0.25) == pytest.approx(4 * 0.25**3 * 0.75 + 0.25**4)
    assert one_rather_than_other(8, 0) == pytest.approx(2 * 0.5**8) and one_rather_than_other(0, 0) == 1
    assert holm([0.01, 0.04]) == pytest.approx([0.02, 0.04]) and holm([0.03, 0.04]) == pytest.approx([0.06, 0.06])
    # Krippendorff (2011), "Computing Krippendorff's alpha-reliability", four observers, nominal: 0.743.
    units = ["111", "2232", "3333", "3333", "2222", "1234", "4444", "1121", "2222", "555", "11", "3"]
    assert alpha([list(one) for one in units]) == pytest.approx(0.743, abs=0.0005)
    # Fleiss (1971) as in its usual worked example: 14 raters, 10 subjects, 5 categories, kappa 0.210.
    counts = [
        (0, 0, 0, 0, 14), (0, 2, 6, 4, 2), (0, 0, 3, 5, 6), (0, 3, 9, 2, 0), (2, 2, 8, 1, 1), (7, 7, 0, 0, 0),
        (3, 2, 6, 3, 0), (2, 5, 3, 2, 2), (6, 5, 2, 1, 0), (0, 2, 2, 3, 7),
    ]  # fmt: skip
    found = fleiss([[str(i) for i, n in enumerate(row) for _ in range(n)] for row in counts])
    assert found is not None and found[0] == pytest.approx(0.210, abs=0.001) and found[1] == 10
    assert alpha([["a"]]) is None and fleiss([["a"], ["b"]]) is None


def test_the_mixed_regression_finds_the_side_and_power_grows_with_people() -> None:
    rng = np.random.default_rng(0)
    person, item = np.repeat(np.arange(20), 20), np.tile(np.arange(20), 20)
    seen = Observed(person, item, (rng.random(400) < 0.6).astype(float))
    found = mixed(seen, 0.25)
    assert found is not None and found.effect - 1.96 * found.sd > 0
    assert mixed(Observed(person, item, np.ones(400)), 0.25) is None, "of answers that are all alike there is none"
    few, many = (power(n, 0.35, questions=10, sets=2, studies=20) for n in (3, 40))
    assert few.width > many.width and few.above <= many.above
    with_chance = power(40, 0.25, questions=10, sets=2, studies=40, item_sd=0.3)
    assert with_chance.above < 0.2


def test_the_commands_say_what_they_do(study: Path, tmp_path: Path) -> None:
    key = _key(study)
    (tmp_path / "a").mkdir()
    for record in answered(key, 5, right=1.0, ours=1.0, other=0.0, simulated=False):
        (tmp_path / "a" / f"{record.person}.json").write_text(record.model_dump_json())
    wanted = ["study", "score", str(study), str(tmp_path / "a"), "-o", str(tmp_path)]
    done = CliRunner().invoke(app, wanted)
    assert done.exit_code == 0, done.output
    assert "# Table 1 (b)" in done.output and (tmp_path / "table1b.csv").is_file()
    again = CliRunner().invoke(app, wanted)
    assert again.exit_code == 1 and "is there already" in again.output and "--force" in again.output
    for command in ("make", "serve", "score", "power"):
        assert CliRunner().invoke(app, ["study", command, "--help"]).exit_code == 0
