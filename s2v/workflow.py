"""What rules ask of a configuration: which files, values and code a job has.

rules/common.smk makes one `Plan`, and each rule file reads that one and no name of another rule file. Paths are
written as rules write them: `<results>` is the output folder, what stands in braces a wildcard. Nothing here imports
Snakemake, so that all of it is tested without; and nothing heavy, since every job reads it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from s2v.config import AblationRow, AlignConfig, Config, JudgeConfig, Slice
from s2v.config.methods import METHODS, OWN_SETTINGS
from s2v.config.repeats import ablation_runs, drawn_again, folder_of, made_anew
from s2v.config.table3 import table3_methods
from s2v.configchecks import split_names
from s2v.data.fetch import unused
from s2v.data.manifest import MODULES
from s2v.errors import without_passwords
from s2v.identity import code_digest, tree_digest
from s2v.planning import needs
from s2v.planning.asks import Asks
from s2v.planning.scaling import Scaling, packed, shards
from s2v.planning.wildcards import (
    FIG15,
    Files,
    InputFunction,
    StageOf,
    Values,
    Wildcards,
    embedded,
    stage_name,
    steered_by,
    target_of,
    training_of,
)
from s2v.report import targets
from s2v.report.ablation import Ablation
from s2v.stages import STAGES
from s2v.study.files import answer_files

_Input = TypeVar("_Input", str, list[str], InputFunction)

TRAINED = ["model.safetensors", "config.json", "train.jsonl", "README.md"]
"""What a training leaves."""

MODULE = "more_classes_"
"""Prefix of the rules of the configuration in which the number of classes grows, where that is another one."""

SCENES = "scenes/"
"""Folder of the audio encoder that hears what stands beside speech in Figure 21."""

PAINTED = "painted/"
"""Folder of what generators that no table judges paint of the judge's own pictures."""


def trained(folder: str) -> list[str]:
    """What is read of a trained thing."""
    return [f"<results>/{folder}/model.safetensors", f"<results>/{folder}/config.json"]


def plain(section: Slice, *without: str, training: int = 0) -> Values:
    """A part of the configuration as plain values; the seed of the training is counted up by its number.

    Args:
        section: the part.
        without: keys to leave out, since they are wildcards of the rule.
        training: number of the training seed.
    """
    # Snakemake prints and keeps the values of its rules; a tar's address is read where it is used.
    values = without_passwords(section.model_dump(mode="json"))
    found = {key: value for key, value in values.items() if key not in without}
    return found | {"seed": found["seed"] + training} if training else found


def heard(config: Config) -> Values:
    """Window and spectrogram of the sounds that figures show."""
    return config.align.audio.model_dump(mode="json") | {"window_s": config.generate.window_s}


class Plan(Asks):
    """A configuration as rules take it.

    Args:
        config: the configuration.
        cores: that all jobs share on this machine; None on a cluster, whose profile says the threads.
        scaling: of the configuration in which the number of classes grows, where that is another one.
    """

    def __init__(self, config: Config, cores: int | None = None, scaling: Scaling | None = None) -> None:
        super().__init__(config, cores)
        self.scaling, self.shards = scaling or Scaling(config), shards(config)
        splits = split_names(config)
        # Splits that do not wait for the selection, and those of pairs of a chosen frame and a sound.
        keep = config.pack.keep
        self.whole = {split: keep[split] for split in splits if keep.get(split, "selected") != "selected"}
        self.pairs = {split: "selected" for split in splits if split not in self.whole}
        self.pair_shards = shards(config, *self.pairs)

    # Data.

    def packs(self, *splits: str) -> list[str]:
        """The packed shards of some splits."""
        return packed("<results>", splits, self.config)

    def of_pictures(self, wildcards: Wildcards) -> bool:
        """Whether a shard has no pairs: the longest trainings wait for these alone."""
        return wildcards.shard not in self.pair_shards

    @property
    def truth(self) -> list[str]:
        """What is known of clips that are rendered here, and measurements alone may read."""
        data = self.config.data
        return [f"<results>/{data.source}/truth.parquet"] if data.rendered() is not None else []

    @property
    def selected(self) -> list[str]:
        """The chosen moments of all clips, where there is a truth to hold them against."""
        return [f"<results>/select/{shard}.parquet" for shard in self.pair_shards] if self.truth else []

    @property
    def answers(self) -> list[str]:
        """Files of what people answered in the human study."""
        named = self.config.study.answers
        if named is None or not Path(named).is_dir():
            return [named] if named else []
        return [str(file) for file in answer_files([Path(named)])]

    @property
    def duplicates(self) -> list[str]:
        """Clips of a shard that show what a test clip shows, where they are left out."""
        wanted = self.config.duplicates.max_distance is not None
        return ["<results>/duplicates/{shard}.parquet"] if wanted else []

    @property
    def unselected(self) -> list[str]:
        """Clips of a shard that have no published moment."""
        return ["<results>/select/{shard}.status.parquet"] if self.is_published("select") else []

    @property
    def is_by_id(self) -> bool:
        """Whether videos are known by their ids, and come from `data.videos.source`."""
        return self.config.data.source in ("vggsound", "celebvhq")

    @property
    def tars(self) -> list[str]:
        """Tars that videos are taken from."""
        videos = self.config.data.videos
        return videos.tars if self.is_by_id and videos.source == "tar_urls" else []

    @property
    def downloads(self) -> bool:
        """Whether videos are downloaded one by one."""
        return self.is_by_id and self.config.data.videos.source == "youtube"

    @property
    def moments(self) -> list[str]:
        """The file of published moments. Where it is not there, that is said with all else that is lacking."""
        named = self.config.select.moments if self.is_published("select") else None
        return [named] if named and Path(named).is_file() else []

    def listing(self) -> str:
        """Digest of what lies in a user's folder, which changes without the configuration."""
        section = self.config.data.section()
        assert section is not None, "checked with the configuration"
        folder, files = section.watched()
        return tree_digest(folder, *files)

    # Values and code.

    def values(self, stage: str, *without: str) -> Values:
        """A stage's part of the configuration, without the keys that are wildcards of its rule."""
        return plain(self._section(stage), *without)

    def trained_with(self, stage: StageOf) -> Callable[[Wildcards], Values]:
        """The same under the training seed of a job."""
        return lambda wildcards: self._under_seed(
            stage_name(stage, wildcards), self._section(stage_name(stage, wildcards)), wildcards
        )

    def backbone(self, wildcards: Wildcards) -> list[str]:
        """The tagger, where an alignment hears with it."""
        hears = self._alignment(wildcards).backbone
        return trained(self.folder("tagger", wildcards)) if hears == "tagger" else []

    def aligned_with(self, wildcards: Wildcards) -> Values:
        """Values of an alignment."""
        return self._under_seed(wildcards.align, self._alignment(wildcards), wildcards)

    def code_of_alignment(self, wildcards: Wildcards) -> str:
        """Digest of what its code computes."""
        stage, hears = STAGES[wildcards.align], self._alignment(wildcards).backbone
        if hears == self._section(wildcards.align).backbone:
            return self.code(wildcards.align)
        return code_digest(stage.with_backbone) if hears else code_digest(*stage.modules)

    def _alignment(self, wildcards: Wildcards) -> AlignConfig:
        """As the row of Table 2 that a job is of has it. Scenes are heard by no frozen backbone."""
        section: AlignConfig = self.ablated(wildcards).of(self._section(wildcards.align))
        if wildcards.variant != SCENES:
            return section
        assert self.config.data.speakers is not None
        return section.model_copy(update={"backbone": None, "classes": self.config.data.speakers.scenes})

    def drawn_with(self, wildcards: Wildcards) -> Values:
        """Values of drawing; another way of sampling with one generator is no matter of the others'."""
        others = OWN_SETTINGS.difference(METHODS[wildcards.method].settings)
        section = self.ablated(wildcards).heard_by(self.config.generate)
        if wildcards.variant == PAINTED:
            section = section.model_copy(update={"split": self.config.judge.split})
        return plain(section, "methods", "seeds", "table3", "settings", *others)

    def embedded_with(self, wildcards: Wildcards) -> Values | None:
        """How Stable unCLIP's image encoder sees, where the method of a job draws with it."""
        return self.values("embed_unclip") if "unclip" in METHODS[wildcards.method].settings else None

    def _section(self, stage: str) -> Any:
        return getattr(self.config, STAGES[stage].section)

    def _under_seed(self, stage: str, section: Slice, wildcards: Wildcards) -> Values:
        return plain(section, training=training_of(wildcards) if stage in self.config.seeds.of else 0)

    def is_published(self, stage: str) -> bool:
        """Whether something published takes the place of what a stage makes."""
        section = self._section(stage) if STAGES[stage].instead else None
        return bool(getattr(section, "weights", None)) or getattr(section, "mode", None) == "published"

    def unless_published(self, stage: str, files: _Input) -> _Input | list[str]:
        """Inputs of a stage: none where something published takes its place."""
        return [] if self.is_published(stage) else files

    def code(self, stage: str) -> str:
        """Digest of what the code of a stage computes, without what this configuration never enters."""
        without: Sequence[str] = unused(self.config.data) if stage == "fetch" else ()
        modules = self.modules(stage)
        if STAGES[stage].with_backbone in modules and self._section(stage).backbone == "tagger":
            without = ("s2v.weights.convert",)
        return code_digest(*modules, without=without)

    def code_of_method(self, wildcards: Wildcards) -> str:
        """The same of stage `generate`, without what other methods render with."""
        entry = METHODS[wildcards.method]
        own = [entry.own.partition(":")[0]] if entry.own else []
        return code_digest(*self.modules("generate"), *own, without=entry.unused())

    def modules(self, stage: str) -> tuple[str, ...]:
        """Where the code of a stage begins; a source of clips is imported by name, and so named here."""
        found = (STAGES[stage].instead,) if self.is_published(stage) else STAGES[stage].modules
        if STAGES[stage].with_backbone and self._section(stage).backbone:
            found = (STAGES[stage].with_backbone,)
        entered = stage == "manifest" or (stage == "fetch" and self.config.data.rendered() is not None)
        return (*found, MODULES[self.config.data.source]) if entered else found

    # Trainings with other seeds, and variants of alignment.

    def folder(self, stage: str, wildcards: Wildcards) -> str:
        """Folder of what a stage made, as a job of a training seed takes it: its own, or that of all seeds."""
        return f"{wildcards.again if made_anew(self.config, stage) else ''}{stage}"

    def model(self, stage: str) -> InputFunction:
        """The trained thing of a stage."""
        return lambda wildcards: trained(self.folder(stage, wildcards))

    def cached(self, stage: str, splits: Iterable[str]) -> InputFunction:
        """Features, or latents, of some splits."""
        return lambda wildcards: [f"<results>/{self.folder(stage, wildcards)}/{split}.safetensors" for split in splits]

    def features_of(self, split: str) -> InputFunction:
        """f_V's features of a split, of the encoder, and of the frames, that an alignment learns from."""

        def files(wildcards: Wildcards) -> Files:
            (source,), frame = STAGES[wildcards.align].made_from, self.ablated(wildcards).frame
            folder = self.folder(source, wildcards) + (f"_{frame}" if frame else "")
            return self.unless_published(wildcards.align, f"<results>/{folder}/{split}.safetensors")

        return files

    def image_encoder(self, wildcards: Wildcards) -> list[str]:
        """The trained image encoder of a job of rule embed."""
        (encoder,) = STAGES[embedded(wildcards)].made_from
        return trained(self.folder(encoder, wildcards))

    def parts(self, wildcards: Wildcards) -> dict[str, list[str]]:
        """The trained things of the method of a job, {part: files}."""
        return {name: self._part(name, stage, wildcards) for name, stage in METHODS[wildcards.method].parts.items()}

    def _part(self, name: str, stage: str, wildcards: Wildcards) -> list[str]:
        # Encoders and generators are the same for all variants; f_A is what differs, but where only clips are chosen.
        variant = wildcards.variant if name == "align" and wildcards.variant != FIG15 else ""
        return trained((wildcards.again if made_anew(self.config, stage) else "") + variant + stage)

    def steering(self, wildcards: Wildcards) -> list[str]:
        """What makes the pictures that sounds steer."""
        return [file for part in METHODS[steered_by(wildcards)].parts.values() for file in trained(part)]

    def ablated(self, wildcards: Wildcards) -> AblationRow:
        """The row of Table 2 that a job is of; one that changes nothing elsewhere."""
        kind, name = (*Path(wildcards.variant).parts, "", "")[:2]
        return self.config.ablation.wanted()[name] if kind == "ablation" else AblationRow()

    def heard_at(self, wildcards: Wildcards) -> str:
        """The part of a clip's sound that its row of Table 2 hears."""
        return self.ablated(wildcards).window_at

    @property
    def ablations(self) -> dict[str, Values]:
        """The rows of Table 2, in words."""
        rows, align, mode = self.config.ablation.wanted(), self.config.align, self.config.select.mode
        return {name: asdict(Ablation.of(row, align, mode)) for name, row in rows.items()}

    # Pictures and their marks.

    @property
    def table3(self) -> dict[str, str]:
        """Row -> method of Table 3; those that the data cannot teach are left out."""
        return table3_methods(self.config)

    @property
    def evaluators(self) -> list[str]:
        """Trained nets that pictures are evaluated with: the judges, or the Inception of the data's own classes."""
        return trained("inception") if self.config.evaluate.own_inception else self.judge

    @property
    def judge(self) -> list[str]:
        """The trained evaluators, where they are this workflow's."""
        if self.config.evaluate.evaluator != "judge":
            return []
        return [
            file for name in ("judge", *(f"judges/{name}" for name in self.config.judges)) for file in trained(name)
        ]

    def judged_packs(self, wildcards: Wildcards) -> list[str]:
        """Shards that an evaluator learns from."""
        return self.packs(self._judge(wildcards).split)

    def others(self, wildcards: Wildcards) -> list[str]:
        """Shards of pictures that are of none of an evaluator's classes."""
        judge = self._judge(wildcards)
        return self.packs(judge.others) if judge.others and judge.broken else []

    def painted(self, wildcards: Wildcards) -> list[str]:
        """What generators that nothing judges paint of the judge's pictures, for an evaluator to learn from too."""
        found = []
        for method, training in self._judge(wildcards).painted.items():
            found.append(f"<results>/{folder_of(training)}{PAINTED}generate/{method}/0.tar")
        return found

    def packs_to_draw(self, wildcards: Wildcards) -> list[str]:
        """Shards of the clips that a job of rule generate makes pictures for."""
        painted = wildcards.variant == PAINTED
        return self.packs(self.config.judge.split if painted else self.config.generate.split)

    def frame_to_draw(self, wildcards: Wildcards) -> str | None:
        """The frame that a job of rule generate sees, where it is not the configuration's: each that there is."""
        return "all" if wildcards.variant == PAINTED else None

    def _judge(self, wildcards: Wildcards) -> JudgeConfig:
        name = wildcards.evaluator.removeprefix("judge").removeprefix("s/")
        return self.config.judges[name] if name else self.config.judge

    def judged_with(self, wildcards: Wildcards) -> Values:
        """Values of an evaluator."""
        return plain(self._judge(wildcards))

    def of_seeds(self, stage: str, suffix: str) -> list[str]:
        """What a job of a method makes, with its wildcards, for all generation seeds."""
        folder = f"<results>/{{again}}{{variant}}{stage}/{{method}}"
        return [f"{folder}/{seed}.{suffix}" for seed in self.config.generate.seeds]

    def drawn(self, method: str) -> list[str]:
        """Pictures of a method, for all generation seeds."""
        return [f"<results>/generate/{method}/{seed}.tar" for seed in self.config.generate.seeds]

    def evaluated(self, suffix: str, methods: Iterable[str], trainings: Sequence[int]) -> list[str]:
        """What stage `evaluate` writes for some methods, trainings, and all generation seeds."""
        return [
            f"<results>/{seeds}evaluate/{method}/{seed}.{suffix}"
            for seeds, method in drawn_again(self.config, methods, trainings)
            for seed in self.config.generate.seeds
        ]

    @property
    def fig15(self) -> dict[str, str]:
        """Methods of Figure 15's rows; of ours, those of Table 3."""
        table3 = self.config.generate.table3
        return {"A": "pedersoli", "B": "s2i", "C": table3.A, "D": table3.B}

    def fig15_drawn(self, method: str) -> str:
        """Pictures of a method for the clips of Figure 15, of the first generation seed."""
        return f"<results>/{self._fig15}generate/{method}/{self.config.generate.seeds[0]}.tar"

    def fig15_evaluated(self, suffix: str) -> list[str]:
        """What stage `evaluate` writes of Figure 15's rows, and of the baselines' controls."""
        methods = [*self.fig15.values(), "pedersoli_shuffled", "s2i_shuffled"]
        return [
            f"<results>/{seeds}{self._fig15}evaluate/{method}/{seed}.{suffix}"
            for seeds, method in drawn_again(self.config, methods, self.config.seeds.fig15)
            for seed in self.config.generate.seeds
        ]

    @property
    def _fig15(self) -> str:
        return FIG15 if self.config.fig15.classes else ""

    def ablation_results(self, suffix: str) -> dict[str, list[str]]:
        """What stage `evaluate` writes for Table 2, {row and suffix: files}."""
        found: dict[str, list[str]] = {}
        for name, _, folder, seed in ablation_runs(self.config):
            file = f"<results>/{folder}evaluate/{self.config.ablation.wanted()[name].method}/{seed}.{suffix}"
            found.setdefault(f"{name}_{suffix}", []).append(file)
        return found

    def claimed(self, wildcards: Wildcards) -> dict[str, str]:
        """What the stages measured whose claims a target has, {stage: file}."""
        stages = targets.sources(target_of(wildcards), self.config, self.scaling.config)
        return {stage: f"<results>/claims/{stage}.json" for stage in stages}

    def lacking(self, jobs: Iterable[tuple[str, Mapping[str, str]]]) -> list[needs.Found]:
        """What some jobs, each a rule with its wildcards, lack before they begin."""
        own: list[tuple[str, Mapping[str, str]]] = []
        others: list[tuple[str, Mapping[str, str]]] = []
        for rule, wildcards in jobs:
            (others if rule.startswith(MODULE) else own).append((rule.removeprefix(MODULE), wildcards))
        both = ((self.config, own), (self.scaling.config, others))
        return [needs.check(config, needs.of_jobs(some)) for config, some in both if some]


__all__ = ["SCENES", "TRAINED", "Plan", "heard", "plain", "trained"]
