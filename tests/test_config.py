"""Configuration: every key documented, overlays, and errors that name file, key and what is allowed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args, get_origin

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from s2v.cli import app
from s2v.config import Config, RuntimeConfig, inherited, json_schema
from s2v.config.runtime import TrainingName
from s2v.configchecks import split_names
from s2v.configfile import check, load, merge, read, typed, with_bases
from s2v.errors import UserError
from s2v.stages import STAGES

ROOT = Path(__file__).parent.parent
DEFAULT = ROOT / "config.yaml"
OVERLAYS = sorted((ROOT / "configs").glob("*.yaml"))


def overlay(tmp_path: Path, text: str) -> list[Path]:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    return [DEFAULT, path]


def test_every_training_may_have_its_own_pieces() -> None:
    assert set(get_args(TrainingName)) == {stage.name for stage in STAGES.values() if stage.gpus == "process"}
    runtime = RuntimeConfig(device_batch={"encoder": 8})
    assert [runtime.of(name).device_batch for name in ("encoder", "align")] == [8, None]
    assert RuntimeConfig(device_batch=4).of("align").device_batch == 4


def test_schema_file_is_that_of_the_classes() -> None:
    assert json.loads((ROOT / "config.schema.json").read_text()) == json.loads(json.dumps(json_schema()))


@pytest.mark.parametrize("path", OVERLAYS, ids=lambda p: p.stem)
def test_shipped_configurations_are_right_and_have_their_own_output(path: Path) -> None:
    outputs = [load([DEFAULT]).output] + [load([DEFAULT, other]).output for other in OVERLAYS]
    assert load([DEFAULT, path]).name == read(path)["name"]
    assert len(set(outputs)) == len(outputs)


def _keys(model: Any, prefix: str = "") -> list[str]:
    found = []
    for name, field in model.model_fields.items():
        parts = [field.annotation, *getattr(field.annotation, "__args__", ())]
        inner = next((part for part in parts if hasattr(part, "model_fields")), None)
        if get_origin(field.annotation) is dict:
            inner = None  # its keys are the user's
        found += _keys(inner, f"{prefix}{name}.") if inner else [f"{prefix}{name}"]
    return found


def test_every_key_is_in_a_shipped_file_with_a_comment() -> None:
    """config.yaml names all keys but those of other sources, which their own files in configs/ have."""
    files = {
        "folder": "folder",
        "vggsound": "vggsound50",
        "vegas": "vegas",
        "celebvhq": "celebvhq",
        "speakers": "faces",
    }
    sections = {source: read(ROOT / f"configs/{name}.yaml")["data"][source] for source, name in files.items()}
    shipped = merge([read(DEFAULT), {"data": sections}])
    shipped = inherited(shipped)
    for key in _keys(Config):
        value: Any = shipped
        for part in key.split("."):
            assert part in value, f"{key} is in no shipped file"
            value = value[part]
    plain = {
        "batch_size",
        "learning_rate",
        "weight_decay",
        "seed",
        "checkpoint_every",
        "steps",
        "temperature",
        "width",
        "projection_dim",
        "projection_hidden",
        "prototypes",
        "sinkhorn_iterations",
        "n_fft",
        "hop",
        "log_floor",
        "freeze_prototypes_steps",
        "attention",
        "hflip",
        "warmup_learning_rate",
        "d_learning_rate",
        "image_px",
        "dim",
        "evaluator",
        "epochs",
        "split",
        "architecture",
        "patch_px",
        "depth",
        "heads",
        "stem",
    }
    for line in DEFAULT.read_text().splitlines():
        key, _, rest = line.strip().partition(":")
        if line.startswith("  ") and rest.strip() and not key.startswith(("#", "-")) and key not in plain:
            assert "#" in rest or key in {"images", "judge"}, f"config.yaml: {key} has no comment"


def test_mappings_merge_and_all_else_replaces() -> None:
    low = {"a": {"x": 1, "y": [1, 2]}, "b": 1, "c": {"z": 1}}
    assert merge([low, {"a": {"y": [3]}, "b": {"q": 1}, "c": None}]) == {
        "a": {"x": 1, "y": [3]},
        "b": {"q": 1},
        "c": None,
    }
    assert low == {"a": {"x": 1, "y": [1, 2]}, "b": 1, "c": {"z": 1}}


leaves = st.integers() | st.lists(st.integers(), max_size=2)
values = st.recursive(leaves, lambda v: st.dictionaries(st.sampled_from("abc"), v))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from("abc"), values), min_size=1, max_size=3))
def test_merging_is_snakemakes_own(layers: list[dict[str, Any]]) -> None:
    from snakemake.utils import update_config

    theirs: dict[str, Any] = {}
    for layer in json.loads(json.dumps(layers)):
        update_config(theirs, layer)
    assert merge(layers) == theirs


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("align: {los: nce}", ["mine.yaml: align.los: unknown key; did you mean loss?", "batch_size"]),
        ("align_ldm: {speaker: tagger}", ["mine.yaml: align_ldm.speaker: unknown key; it is called backbone now"]),
        ("align: {loss: foo}", ['mine.yaml: align.loss: "foo" is not allowed', "'total_raw', 'nce' or 'l2'"]),
        ("align: {epochs: many}", ['mine.yaml: align.epochs: "many"', "a whole number"]),
        ("align: {epochs: 1.5}", ["align.epochs: 1.5 is not allowed; allowed: a whole number"]),
        ("align: {epochs: 0}", ["align.epochs: 0 is not allowed", "greater than 0"]),
        ("align: {learning_rate: 1e-3}", ['align.learning_rate: "1e-3"', "write 1.0e-3"]),
        ("align: {learning_rate: .inf}", ["align.learning_rate", "finite"]),
        ("align: 3", ["mine.yaml: align: 3 is not allowed; allowed: a mapping"]),
        ("generator: {attention: 1}", ["generator.attention: 1", "true or false"]),
        ("generate: {methods: [icgan, dalle]}", ['mine.yaml: generate.methods.1: "dalle"', "sound2vision"]),
        ("generate: {seeds: [0, 0]}", ["generate.seeds", "only once"]),
        ("judges: {edges: {sees: edgs}}", ["judges.edges.sees", "'colour' or 'edges'"]),
        ("judge: {broken: 0.5, others: others}", ["judge.others: 'others' is no split of the data"]),
        ("judge: {others: test}", ["judge.others: its answer is none of these", "broken is above 0"]),
        ("judges: {mine: {painted: {icgan: 90}}}", ["judges.mine.painted: icgan has one generator", "seeds.of"]),
        ("judge: {painted: {sound2vision: 90}}", ["judge.painted: 'sound2vision' paints no picture", "icgan, ldm"]),
        ("{judge: {painted: {icgan: 2}}, seeds: {of: [generator]}}", ["the tables judge training 2", "such as 90"]),
        ("data: {world: {others: [cow mooing]}}", ["data.world.others: 'cow mooing' is one of data.world.classes"]),
        ("data: {world: {distances: {test: [3, 2]}}}", ["data.world.distances", "smaller one first"]),
        ("generator: {reconstruction_neighbours: 11}", ["generator", "no more than these"]),
        ("generator: {reconstruction_code: 81}", ["generator", "no more than dim_z"]),
        (
            "generator: {reconstruction_code: 8, warmup_steps: 0, reconstruction_weight: 0}",
            ["generator", "is of reconstruction"],
        ),
        (
            "generate: {split: tets}",
            ["mine.yaml: generate.split: 'tets' is no split of the data", "images, train, val"],
        ),
        ("data: {world: {classes: [dog barking, unicorn]}}", ["data.world.classes: 'unicorn'", "owl hooting"]),
        ("data: {source: folder}", ["data.folder: missing"]),
        ("data: {world: {clips: {train: -1}}}", ["data.world.clips.train: -1"]),
        ("output: ''", ["mine.yaml: output: '' is no name for a folder"]),
        ("output: 'results/{x}'", ["output"]),
        ("name: ../x", ["mine.yaml: name"]),
        ("evaluate: {evaluator: 5}", ["evaluate.evaluator: 5", "'judge', 'clip_inception' or 'none'"]),
        ("encoder: {crops: [[2, 48]]}", ["encoder.crop_scales", "each of the 1"]),
        ("align: {loss: l2\n", ["mine.yaml: line", "not readable as YAML"]),
        ("align: {loss: l2}\nalign: {loss: nce}", ["mine.yaml: line 2", "'align' is there twice"]),
        (
            "runtime: {processes: 65}",
            ["mine.yaml: runtime.processes: 65 cannot share localise.batch_size, which is 32"],
        ),
        ("runtime: {device_batch: 0}", ["runtime.device_batch", "greater than 0"]),
        ("runtime: {device_batch: {encodr: 8}}", ["runtime.device_batch", "'encoder', 'generator'"]),
        ("- 1", ["mine.yaml: a configuration is a mapping"]),
        ("nothing: 2020-01-01", ["mine.yaml: nothing: unknown key"]),
    ],
)
def test_errors_are_one_line_with_file_key_and_what_is_allowed(tmp_path: Path, text: str, said: list[str]) -> None:
    with pytest.raises(UserError) as caught:
        load(overlay(tmp_path, text))
    message = str(caught.value)
    assert "\n" not in message
    for part in said:
        assert part in message, message


def test_the_file_at_fault_is_named_even_under_an_overlay(tmp_path: Path) -> None:
    low = tmp_path / "low.yaml"
    low.write_text(DEFAULT.read_text().replace("loss: total", "loss: foo"))
    high = tmp_path / "high.yaml"
    high.write_text("align: {epochs: 3}")
    with pytest.raises(UserError, match=r"low\.yaml: align\.loss"):
        load([low, high])


def test_a_file_may_lie_over_a_base_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "low").mkdir()
    (tmp_path / "low/base.yaml").write_text("name: low\nalign: {epochs: 7, width: 9}\n")
    (tmp_path / "mid.yaml").write_text("base: low/base.yaml\nname: mid\n")
    (tmp_path / "top.yaml").write_text("base: mid.yaml\nalign: {epochs: 5}\n")
    config = load([DEFAULT, tmp_path / "top.yaml"])
    assert (config.name, config.align.epochs, config.align.width) == ("mid", 5, 9)
    names = [Path(file).name for file in with_bases([DEFAULT, tmp_path / "mid.yaml", tmp_path / "top.yaml"])]
    assert names == ["config.yaml", "base.yaml", "mid.yaml", "top.yaml"], "none is laid twice"
    (tmp_path / "low/base.yaml").write_text("align: {loss: foo}\n")
    with pytest.raises(UserError, match=r"base\.yaml: align\.loss"):
        load([DEFAULT, tmp_path / "top.yaml"])
    (tmp_path / "low/base.yaml").write_text("base: ../top.yaml\n")
    with pytest.raises(UserError, match="lies over this file itself"):
        load([DEFAULT, tmp_path / "top.yaml"])
    (tmp_path / "low/base.yaml").unlink()
    with pytest.raises(UserError, match=r"mid\.yaml: base: .*low/base\.yaml is not there"):
        load([DEFAULT, tmp_path / "top.yaml"])


def test_values_that_no_file_has_are_those_of_the_command_line() -> None:
    values = merge([read(DEFAULT), {"align": {"loss": "foo"}}])
    with pytest.raises(UserError, match=r"^--config: align\.loss"):
        check(values, [DEFAULT])


def test_missing_file_and_binary_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        load([tmp_path / "none.yaml"])
    (tmp_path / "x.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="not readable as YAML"):
        load([tmp_path / "x.yaml"])


def test_a_folder_without_labels_needs_no_judge(tmp_path: Path) -> None:
    text = "data: {source: folder, folder: {path: v, labels: none}}\nencoder: {splits: [train]}\n"
    text += "generator: {splits: [train]}\n"
    with pytest.raises(UserError, match="judge needs labels"):
        load(overlay(tmp_path, text))
    config = load(overlay(tmp_path, text + "evaluate: {evaluator: none}"))
    assert split_names(config) == ["train", "val", "test", "judge"]


def test_a_share_of_zero_is_no_split(tmp_path: Path) -> None:
    text = (
        "data: {source: folder, folder: {path: v, splits: {train: 0.8, val: 0.1, test: 0.1, judge: 0.0}}}\n"
        "encoder: {splits: [train]}\ngenerator: {splits: [train]}\n"
    )
    with pytest.raises(UserError, match=r"judge\.split: 'judge' is no split"):
        load(overlay(tmp_path, text))


def test_config_is_yaml_that_round_trips() -> None:
    config = load([DEFAULT])
    assert Config.model_validate(yaml.safe_load(yaml.safe_dump(config.model_dump(mode="json")))) == config


def test_an_empty_mapping_that_clears_nothing_is_said(tmp_path: Path) -> None:
    overlay = tmp_path / "mine.yaml"
    overlay.write_text("data: {world: {out_of_range: {}}}\n")
    with pytest.raises(UserError, match=r"mine\.yaml: data\.world\.out_of_range: \{\} takes nothing away"):
        load(["config.yaml", overlay])
    overlay.write_text("runtime: {threads: {}}\n")  # over nothing, so that nothing looks cleared
    assert load(["config.yaml", overlay]).runtime.threads == {}


def test_overlays_follow_one_another_as_snakemake_has_them(tmp_path: Path) -> None:
    for name, text in (("a", "name: a\nalign: {epochs: 7}\n"), ("b", "align: {epochs: 5}\n")):
        (tmp_path / f"{name}.yaml").write_text(text)
    first, second = str(tmp_path / "a.yaml"), str(tmp_path / "b.yaml")
    for words in (["--configfile", first, second], ["--configfile", first, "--configfile", second]):
        shown = CliRunner().invoke(app, ["config", "show", *words])
        values = yaml.safe_load(shown.output)
        assert (values["name"], values["align"]["epochs"]) == ("a", 5), words
    wrong = CliRunner().invoke(app, ["config", "show", second])
    assert wrong.exit_code == 1 and "as `--configfile A B`" in wrong.output


def test_what_a_command_line_gives_is_what_a_file_would() -> None:
    said = {
        "align": {"epochs": "5", "learning_rate": "1.0e-3", "sync_batch_norm": "false", "loss": "l2", "weights": "null"}
    }
    said |= {"name": "mine", "seed": 3, "generate": {"seeds": ["0", "1"]}, "odd": "[", "text": "a: b"}
    assert typed(said) == {
        "align": {"epochs": 5, "learning_rate": 1e-3, "sync_batch_norm": False, "loss": "l2", "weights": None},
        "name": "mine", "seed": 3, "generate": {"seeds": [0, 1]}, "odd": "[", "text": "a: b",
    }  # fmt: skip
