"""What the targets `evidence` and `paper` make: files, and the stages whose measurements their claims take.

Both follow from the configuration alone. Rules read this, so it imports nothing heavy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from s2v.config import Config

Target = Literal["evidence", "paper"]

_EVIDENCE = (
    "table1.csv", "table2.csv", "fig03.png", "fig04.png", "fig05.png", "fig06.png", "fig07.png", "gap.png",
    "coverage.csv", "provenance.csv",
)  # fmt: skip
_CONTROL = ("fig08.png", "fig09.png", "fig10.png", "fig11.png", "fig13.png", "fig18.png", "fig19.png")
_MEASURED_CONTROL = ("control.csv", "control_ldm.csv")
_SCALING = ("fig16.png", "fig17.png")
_FACES = ("faces.csv", "fig20.png", "fig21.png")
_FIG15 = ("table_vegas5.csv", "fig15.png")
_FILES = {
    "evidence": _EVIDENCE,
    "paper": (
        *_EVIDENCE,
        "table1b.csv",
        "table3.csv",
        "fig12.png",
        "fig14.png",
        *_CONTROL,
        *_MEASURED_CONTROL,
        *_FIG15,
        *_SCALING,
        *_FACES,
    ),
}

CLAIMS_FILE: dict[Target, str] = {"evidence": "evidence.csv", "paper": "claims.csv"}
"""A verdict on each claim that a target measures; that of `paper` has all."""

MEASURED = {
    "table1": "table1.csv", "table2": "table2.csv", "gap": "gap.png", "fig03": "fig03.png", "fig05": "fig05.png",
    "table3": "table3.csv", "table_vegas5": "table_vegas5.csv", "fig16": "fig16.png", "control": "control.csv",
    "control_ldm": "control_ldm.csv",
    "fig12": "fig12.png", "table1b": "table1b.csv", "faces": "faces.csv", "fig21": "fig21.png",
}  # fmt: skip
"""Stages that measure claims, each with the file that a user asks it for."""


def impossible(config: Config, scaling: Config | None = None) -> dict[str, str]:
    """Files of the paper that cannot be made on a configuration, each with the reason.

    Args:
        config: the configuration.
        scaling: the one in which the number of classes grows, where that is another (`scaling.world`).
    """
    found: dict[str, str] = {}
    if config.study.answers is None:
        found["table1b.csv"] = "nobody was asked: study.answers is null (docs/study.md)"
    larger = scaling or config
    if not larger.scaling.sizes:
        found |= dict.fromkeys(_SCALING, "scaling.sizes names no numbers of classes")
    if config.align.backbone:
        found["fig05.png"] = "align.backbone hears no spectrogram that could be looked into"
    if config.fig15.classes == []:
        found |= dict.fromkeys(_FIG15, "fig15.classes names no classes")
    if config.evaluate.evaluator == "none":
        found |= dict.fromkeys(("fig12.png", "fig16.png"), "evaluate.evaluator is none")
    if config.evaluate.evaluator != "judge":
        why = f"it is measured with the judge, and evaluate.evaluator is {config.evaluate.evaluator}"
        found |= dict.fromkeys(_MEASURED_CONTROL, why)
    if config.data.source != "speakers":
        found |= dict.fromkeys(_FACES, "faces and voices are of the embedded speakers: configs/faces.yaml")
        if config.heads.command:
            del found["fig20.png"]
    elif config.data.speakers and not config.data.speakers.scenes:
        found["fig21.png"] = "data.speakers.scenes names no scenes"
    section = config.data.section()
    known = section.split_names() if section else []
    untold = sorted({config.joint.captioned, config.joint.tagged}.difference(known))
    if untold and config.lee.generator == "run":
        splits = " and ".join(f"`{split}`" for split in untold)
        found["fig12.png"] = f"Lee et al. learn from sentences and names, and the data have no split {splits}"
    folder = config.data.folder
    if config.data.source == "celebvhq" or (config.data.source == "folder" and folder and folder.labels == "none"):
        found |= dict.fromkeys((*_CONTROL, *_MEASURED_CONTROL, "fig12.png", *_SCALING), "the clips have no labels")
    return found


def files(target: Target, config: Config, scaling: Config | None = None) -> list[str]:
    """Everything that a target makes, but for what cannot be made on the configuration."""
    left_out = impossible(config, scaling)
    # One training says nothing of the generators: where they are repeated, that is for the claims on them.
    repeated = ["table3.csv"] if target == "evidence" and len(config.seeds.table3) > 1 else []
    return [file for file in (*_FILES[target], *repeated, CLAIMS_FILE[target]) if file not in left_out]


def sources(target: Target, config: Config, scaling: Config | None = None) -> list[str]:
    """Stages whose measurements a target's claims take."""
    return [stage for stage, file in MEASURED.items() if file in files(target, config, scaling)]


def unmeasured(config: Config, scaling: Config | None = None) -> dict[str, str]:
    """Stages that cannot measure on a configuration, each with the reason; others are out of a target's scope."""
    left_out = impossible(config, scaling)
    return {stage: left_out[file] for stage, file in MEASURED.items() if file in left_out}


__all__ = ["CLAIMS_FILE", "MEASURED", "Target", "files", "impossible", "sources", "unmeasured"]
