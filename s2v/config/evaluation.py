"""Pictures for the test clips, and what is measured on them."""

from __future__ import annotations

import shlex
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from s2v.config.base import Positive, Seconds, Slice
from s2v.config.diffusion import SamplerConfig, TextSamplerConfig
from s2v.config.foreign import MethodName, OwnSettings
from s2v.config.training import AlignConfig, LossName, SoundAugmentConfig
from s2v.config.unclip import UnclipConfig

SeededStage = Literal[
    "encoder", "generator", "align", "encoder_vit", "vae", "diffusion", "align_ldm", "align_unclip", "text_diffusion",
    "tagger", "audiotoken", "s2i_autoencoder", "s2i_generator", "pedersoli_vqvae", "pedersoli_audio",
]  # fmt: skip
TrainingSeeds = Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)]


class RetrievalConfig(Slice):
    """Row C: nearest training image."""

    database: Literal["generator_memory", "train"] = "generator_memory"


class Table3Config(Slice):
    """Methods of the rows of table3.csv."""

    A: MethodName = Field("sound2vision", description="GAN")
    B: MethodName = Field("sound2vision_ldm", description="LDM; sound2vision_unclip: as the paper's authors run it")
    C: MethodName | None = Field(None, description="audiotoken; null leaves it out")
    further: list[MethodName] = Field(
        [], description="rows below them, which the paper has not: text_pivot, oracle_name"
    )
    controls: list[MethodName] = Field([], description="shown beside them in table3.md")


class SnapConfig(Slice):
    """How methods that do so bring sounds' features to those of training frames; the paper has neither."""

    neighbours: Positive = Field(3, description="nearest training frames whose features are averaged")
    strength: float = Field(1.0, ge=0, le=1, description="share of the way to them; 0 is the feature as it is")


class GenerateConfig(Slice):
    """Pictures for the test clips."""

    methods: list[MethodName] = Field(
        ["icgan", "sound2vision", "retrieval", "upper_bound"],
        description="rows of the table, and the controls that table1.md shows beside them",
    )
    seeds: list[int] = Field([0, 1, 2], min_length=1)
    split: str = "test"
    window_s: Seconds = 10.0
    icgan_frame: Literal["top1", "mid"] = Field("mid", description="frame of a test clip that row A sees")
    upper_bound_frame: Literal["top1", "mid"] = "top1"
    truncation: float = Field(0.0, ge=0, description="truncated noise; 0 is off, as in the paper")
    retrieval: RetrievalConfig = RetrievalConfig()
    snap: SnapConfig = SnapConfig()
    ldm: SamplerConfig = SamplerConfig()
    text_ldm: TextSamplerConfig = TextSamplerConfig()
    unclip: UnclipConfig = UnclipConfig()
    settings: OwnSettings = Field({}, description="of methods that are somebody else's: name -> its own settings")
    table3: Table3Config = Table3Config()


class AblationRow(Slice):
    """What a row of Table 2 changes of alignment; what is not named is as in `align`."""

    loss: LossName | None = None
    temperature: float | None = Field(None, gt=0)
    frame: Literal["top1", "mid"] | None = Field(None, description="frame of a clip that sounds are aligned to")
    window: float = Field(1.0, gt=0, le=1, description="share of align.audio.window_s and generate.window_s")
    window_at: Literal["start", "moment"] = Field(
        "start", description="the part of a clip that is heard, in training and test: its start, or around its frame"
    )
    backbone: Literal["resemblyzer", "wespeaker", "aisfx"] | None = Field(
        None,
        description="a frozen network that hears in place of the one trained, see align.backbone; not in the paper",
    )
    head: Literal["linear", "fc2"] | None = Field(None, description="as align.head")
    closed: bool = Field(
        False, description="sounds are moved by the mean gap of training pairs before they are drawn; not in the paper"
    )

    @model_validator(mode="after")
    def _closed_from_the_start(self) -> AblationRow:
        if self.closed and self.window_at != "start":
            raise ValueError("a gap is closed over sounds from their start; take window_at: start")
        return self

    @property
    def changes(self) -> bool:
        """Whether the row is anything but alignment as it is configured."""
        return self.model_copy(update={"closed": False}) != AblationRow()

    @property
    def method(self) -> str:
        """What draws its pictures."""
        return "sound2vision_closed" if self.closed else "sound2vision"

    def of(self, align: AlignConfig) -> AlignConfig:
        """Alignment as this row has it."""
        keys = ("loss", "temperature", "backbone", "head")
        named: dict[str, object] = {key: value for key in keys if (value := getattr(self, key)) is not None}
        if self.backbone:  # it hears each sound once
            named |= {"augment": SoundAugmentConfig(), "final_relu": False}
        audio = align.audio.model_copy(update={"window_s": align.audio.window_s * self.window})
        return align.model_copy(update={**named, "audio": audio})

    def heard_by(self, generate: GenerateConfig) -> GenerateConfig:
        """Drawing as this row has it: it hears as much of a test sound as its training did."""
        return generate.model_copy(update={"window_s": generate.window_s * self.window})


PAPER_TABLE2_ROWS = {
    "A": AblationRow(loss="l2"),
    "B": AblationRow(loss="nce"),
    "C": AblationRow(frame="mid"),
    "D": AblationRow(window=0.1),
    "E": AblationRow(window=0.5),
    "F": AblationRow(),
}
"""Rows of the paper's Table 2. Its row E carries no mark of selection, while its text says that only the duration
changes: a slip, so E selects."""


class AblationConfig(Slice):
    """Table 2: what alignment is without a part of it (paper 4.3)."""

    rows: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9_]+$")], AblationRow | None] = Field(
        {
            **PAPER_TABLE2_ROWS,
            "B_tuned": AblationRow(loss="nce", temperature=2.0),
            "F_closed": AblationRow(closed=True),
        },
        description="rows of table2.csv; those of the paper's names stand beside its numbers, null takes one out",
    )

    def wanted(self) -> dict[str, AblationRow]:
        """The rows that are run, by name."""
        return {name: row for name, row in sorted(self.rows.items()) if row is not None}


class AttentionConfig(Slice):
    """Grad-CAM of the audio encoder (paper 4.2, Fig. 5)."""

    score: Literal["sum", "energy", "change"] = Field(
        "change",
        description="number of a picture whose gradient is taken; the paper names none. sum: of its pixels; energy: "
        "half its squared norm; change: half its squared distance to the picture of the mean sound",
    )


class HeadsConfig(Slice):
    """Figure 20 of people whose truth nobody knows (docs/faces.md)."""

    command: str | None = Field(
        None, description="a program that finds heads: {pictures} is a folder of PNGs, {output} what it writes"
    )
    gives: Literal["points", "meshes"] = Field(
        "points",
        description="points: a JSON file of the 468 of MediaPipe's face mesh, to which heads are fitted; meshes: a "
        "folder with {picture}/mesh.obj of one topology, in mm, as MICA's demo.py writes it",
    )
    method: str = Field("sound2vision_ldm", description="whose pictures are compared")
    clips: Positive = Field(200, description="test clips that are compared")
    timeout_s: Seconds = Field(3600.0, description="of the command")

    @field_validator("command")
    @classmethod
    def _has_places(cls, command: str | None) -> str | None:
        if command is not None:
            shlex.split(command)  # a quote that is not closed is a ValueError
            if "{pictures}" not in command or "{output}" not in command:
                raise ValueError("give {pictures} and {output} in it")
        return command


class SeedsConfig(Slice):
    """Trainings that are repeated with other seeds. A number is added to the seeds of the stages `of`."""

    of: list[SeededStage] = Field(
        [
            "align",
            "align_ldm",
            "align_unclip",
            "audiotoken",
            "s2i_autoencoder",
            "s2i_generator",
            "pedersoli_vqvae",
            "pedersoli_audio",
        ],  # fmt: skip
        description="stages that are trained anew, with what is made from them",
    )
    table1: TrainingSeeds = [0]
    table2: TrainingSeeds = [0, 1, 2]
    table3: TrainingSeeds = [0]
    fig15: TrainingSeeds = Field([0], description="of table_vegas5.csv")
    scaling: TrainingSeeds = Field([0], description="of fig16 and fig17")


class ScalingConfig(Slice):
    """How pictures bear more classes (paper 6.1, Fig. 16 and 17). Nested sets: alignment learns from the clips of one
    and is measured on it. Encoders and generators see all classes of the data, as the paper's pretrained ones do."""

    sizes: list[Positive] = Field(
        [50, 100, 150, 200], description="numbers of classes, growing, two or more; none: fig16 and fig17 are not made"
    )
    world: str | None = Field(
        None,
        description="file of more of the world's classes, laid over this configuration; for data.source: world, whose "
        "default has too few; null is the data of this configuration",
    )
    families: dict[Literal["animals", "people"], list[str]] = Field(
        {},
        description="patterns of the names of classes, as `dog *`, whose GAN and LDM are compared apart at the largest "
        "number (Fig. 16 b)",
    )


class EvaluateConfig(Slice):
    """The protocol of R@k, FID and IS."""

    evaluator: Literal["judge", "clip_inception", "none"] = "judge"
    inception: Literal["imagenet", "own"] = Field(
        "imagenet",
        description="of clip_inception: ImageNet's (the paper: pre-trained), or own: one that stage `inception` trains "
        "on the data's own classes (the authors' repository)",
    )
    prompt: str = Field("{}", description="template around a class name")
    reference_split: str = "test"
    inception_splits: Positive = Field(10, description="parts of the Inception Score")
    bootstrap: Positive = 1000
    similar: list[tuple[str, str]] = Field(
        [], description="pairs of classes that are easily taken for each other, shown apart in table1.md"
    )

    @property
    def own_inception(self) -> bool:
        """Whether FID and IS are of an Inception that the run trains."""
        return self.evaluator == "clip_inception" and self.inception == "own"
