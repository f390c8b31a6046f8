"""The table of stages, and all that is derived from it: rules, digests, profile, documentation, `s2v doctor`."""

from __future__ import annotations

import ast
import importlib
import re
import tokenize
from itertools import pairwise
from pathlib import Path
from typing import get_args

import pytest
import yaml
from workflow_runs import REPOSITORY

from s2v.config import Config
from s2v.config.evaluation import SeededStage
from s2v.configfile import load
from s2v.doctor import report
from s2v.stage_texts import FILES, renewed
from s2v.stages import MEMORY_MB, MINUTES, STAGES

RULES = sorted((REPOSITORY / "rules").glob("*.smk"))
SCRIPTS = sorted(path for path in (REPOSITORY / "workflow_scripts").glob("*.py") if path.stem != "adapter")


def rules(path: Path) -> dict[str, str]:
    """The text of each rule of a file, by name."""
    blocks = re.split(r"^ *(?:use )?rule (?=\w+(?: as \w+ with)?:)", path.read_text(), flags=re.M)[1:]
    return {re.match(r"(?:\w+ as )?(\w+)", block)[1]: block for block in blocks}  # type: ignore[index]


ALL_RULES = {name: text for path in RULES for name, text in rules(path).items()}


TAKEN_OVER = {"pack_frames": "pack", "generate_one": "generate", "evaluate_one": "evaluate"}
"""Rules that say only what they have otherwise than another one."""


def test_each_rule_is_a_stage_and_each_stage_has_a_rule() -> None:
    assert set(ALL_RULES) == {stage.rule for stage in STAGES.values()}


@pytest.mark.parametrize("name", sorted(ALL_RULES))
def test_a_rule_asks_for_what_its_stage_says(name: str) -> None:
    text, stage = ALL_RULES[name], STAGES[name]
    if name.endswith("_one"):
        taken = STAGES[TAKEN_OVER[name]]
        assert "params" not in text and (stage.modules, stage.gpus, stage.section) == (
            taken.modules,
            taken.gpus,
            taken.name,
        )
        return
    # Of its own name, or of the variant that the job's wildcards name.
    of = rf'\(("{name}"|(lambda wildcards: )?wildcards\.{name}|embedded)\)'
    # Of pictures, what the job's method renders with.
    own = {"generate": "method", "align": "alignment"}.get(name)
    assert (own and f"code=PLAN.code_of_{own}," in text) or re.search(
        rf"code=(lambda wildcards: )?PLAN\.code{of}", text
    )
    if name in TAKEN_OVER:
        assert "mem_mb=" not in text and stage.sizes == TAKEN_OVER[name], "it takes over what that rule says"
        return
    assert re.search(rf"threads: PLAN\.threads{of}", text)
    assert re.search(rf"runtime=PLAN\.minutes(_of_method)?{of}", text)
    by_sheet = name in ("control", "control_figure") and "mem_mb=PLAN.memory(steered_size)" in text
    assert by_sheet or re.search(rf"mem_mb=PLAN\.memory(_of_method)?{of}", text)
    assert ("gpu=" in text) == (stage.gpus != "none") == (f'PLAN.gpus("{name}")' in text)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_runs_the_modules_that_its_stage_digests(script: Path) -> None:
    """Those from which it takes `run`; what a rule does not digest would change without a rerun."""
    (name,) = [name for name, text in ALL_RULES.items() if f"workflow_scripts/{script.name}" in text]
    used = {
        node.module
        for node in ast.walk(ast.parse(script.read_text()))
        if isinstance(node, ast.ImportFrom) and any(alias.name == "run" for alias in node.names)
    }
    stage = STAGES[name]
    assert used and used <= {*stage.modules, stage.instead, stage.with_backbone}
    assert all(callable(importlib.import_module(str(module)).run) for module in used)


def test_a_rule_file_uses_no_name_of_another_one() -> None:
    """All of them are included into one namespace, where the order of includes would decide what a name means."""
    defined, used = {}, {}
    for path in RULES:
        with open(path, "rb") as stream:
            tokens = [t for t in tokenize.tokenize(stream.readline) if t.type in (tokenize.NAME, tokenize.OP)]
        defined[path] = {
            one.string for one, two in pairwise(tokens) if one.start[1] == 0 and two.string in ("=", "+=")
        } | {two.string for one, two in pairwise(tokens) if one.string == "def" and one.start[1] == 0}
        # Not attributes, and not the names of arguments.
        used[path] = {
            two.string
            for one, two, three in zip(tokens, tokens[1:], tokens[2:], strict=False)
            if two.type == tokenize.NAME and one.string != "." and three.string != "="
        }
    shared = REPOSITORY / "rules/common.smk"
    assert "PLAN" in defined[shared] and "PLAN" in used[REPOSITORY / "rules/align.smk"]
    for path in RULES:
        others = set().union(*(defined[other] for other in RULES if other not in (path, shared)))
        assert not used[path] & others - defined[path], path.name


def test_committed_texts_are_those_of_the_table() -> None:
    for name in FILES:
        text = (REPOSITORY / name).read_text()
        assert "from stages: " in text and renewed(text) == text, f"{name}: run python -m s2v.stage_texts"


def test_the_profile_names_the_rules_with_a_gpu_and_those_of_trainings() -> None:
    profile = yaml.safe_load((REPOSITORY / "profiles/slurm/config.yaml").read_text())
    asking = {name for name, text in ALL_RULES.items() if "gpu=" in text}
    assert set(profile["set-resources"]) == asking | {name for name, rule in TAKEN_OVER.items() if rule in asking}
    assert {"align", "diffusion", "embed"} < set(profile["set-threads"]) and "manifest" not in profile["set-threads"]
    assert profile["groups"]["fetch"] == profile["groups"]["extract"]
    assert set(profile["groups"].values()) == set(profile["group-components"])


def test_a_renewed_text_changes_between_its_comments_alone() -> None:
    assert renewed("a\n# from stages: groups\nold: 1\n# end of it\nb\n").split("\n")[:3] == [
        "a", "# from stages: groups", "groups:"]  # fmt: skip
    assert renewed("a\n# from stages: groups\nold: 1\n# end of it\nb\n").endswith("\n# end of it\nb\n")


def test_stages_are_sections_variants_and_sources_that_exist() -> None:
    for stage in STAGES.values():
        assert stage.rule in STAGES and STAGES[stage.rule].rule == stage.rule
        assert set(stage.made_from) <= STAGES.keys()
        assert stage.memory_mb or stage.sizes in MEMORY_MB, "what it asks for is said somewhere"
        assert stage.gpus != "process" or stage.section in Config.model_fields, "a training has settings"
    assert MEMORY_MB.keys() == MINUTES.keys()


def test_trainings_that_another_seed_may_repeat_are_stages_with_a_seed() -> None:
    trainings = {stage.name for stage in STAGES.values() if stage.gpus == "process"}
    # What a moment is, what judges, and what Lee et al. edit in, is the same for all trainings.
    assert set(get_args(SeededStage)) == trainings - {
        "localise",
        "judge",
        "av_judge",
        "joint",
        "face_reader",
        "inception",
    }


def test_doctor_lists_the_stages_that_a_configuration_has(tmp_path: Path) -> None:
    config = load([REPOSITORY / "config.yaml", REPOSITORY / "configs/tiny.yaml"])
    config = config.model_copy(update={"output": str(tmp_path)})
    (tmp_path / "encoder_vit").mkdir()
    (tmp_path / "encoder_vit/model.safetensors").touch()
    lines = [line.split() for line in report(config, [])]
    assert ["encoder_vit", "there"] in lines and ["encoder", "-"] in lines and ["judge", "-"] in lines
    assert not any(line[:1] == ["unpack"] for line in lines), "its videos are not in tars"
