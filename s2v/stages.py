"""Every stage of the workflow, once: where it is, what it takes and gives, what its jobs ask for.

A stage has one word. What else speaks of stages is derived from this table: the least amounts in
`s2v.planning.resources`, which trainings another seed repeats (`s2v.config.repeats`), `s2v doctor`, the rules' amounts,
digests and wildcard patterns (`s2v.workflow`, `s2v.planning`), the SLURM profile and the table of docs/architecture.md
(`s2v.stage_texts`). It imports nothing, since every job reads it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Stage:
    """One kind of job.

    Args:
        name: its word: that of its script, its part of the configuration, its folder of results, and mostly its rule.
        modules: the code that it runs; the first has its `run`.
        takes: what it reads, in words.
        gives: a file under the output that is there when a job is done; nothing of a variant that only has other sizes.
        what: what that file is, and what lies beside it.
        section: its part of the configuration, where that is not called as the stage is.
        rule: the rule that makes it, where that is not called as the stage is: then it is a variant of that stage.
        instead: the module that does its work where the configuration names something published.
        with_backbone: the module that does its work where the configuration names a frozen audio backbone.
        made_from: stages whose other training seeds make this one anew.
        memory_mb: of the host, at least; 0 where `sizes` says it.
        minutes: at least; 0 where `sizes` says it.
        sizes: the stage whose nets and data it holds, where these are not its own.
        resumes: it goes on where it was stopped, so that a second try needs no more time.
        gpus: for each job, or for each process of a training.
        threads: of a CPU.
        group: jobs that share a submission to a cluster.
    """

    name: str
    modules: tuple[str, ...]
    takes: str
    gives: str
    what: str
    section: str = ""
    rule: str = ""
    instead: str = ""
    with_backbone: str = ""
    made_from: tuple[str, ...] = ()
    memory_mb: int = 0
    minutes: int = 0
    sizes: str = ""
    resumes: bool = False
    gpus: Literal["none", "job", "process"] = "none"
    threads: Literal["one", "training"] = "one"
    group: str = ""

    def __post_init__(self) -> None:
        for field in ("section", "rule", "sizes"):
            object.__setattr__(self, field, getattr(self, field) or self.name)

    @property
    def is_variant(self) -> bool:
        """Whether another stage's rule makes it."""
        return self.rule != self.name


def _stage(name: str, modules: str, takes: str, gives: str, what: str, **more: Any) -> Stage:
    return Stage(name, tuple(f"s2v.{module}" for module in modules.split()), takes, gives, what, **more)


def _report(name: str, modules: str, takes: str, gives: str, what: str = "", **more: Any) -> Stage:
    """What people read."""
    return _stage(name, modules, takes, gives, what, **{"memory_mb": 1500, "minutes": 30} | more)


def _cached(name: str, module: str, takes: str, what: str, **more: Any) -> Stage:
    """Features of a split, computed once for all that need them."""
    amounts = {"memory_mb": 3000, "minutes": 240, "gpus": "job", "threads": "training"}
    return _stage(name, module, takes, f"{name}/{{split}}.safetensors", what, **amounts | more)


def _training(name: str, module: str, takes: str, what: str, **more: Any) -> Stage:
    """A folder with a trained thing."""
    amounts = {"memory_mb": 4000, "minutes": 720, "resumes": True, "gpus": "process", "threads": "training"}
    return _stage(name, module, takes, f"{name}/model.safetensors", what, **amounts | more)


# Measured at the default's sizes on a CPU. Largest resident set, MB: alignment 2360, other trainings 860 to 1170,
# generate 1160, embed, latents and evaluate 970, pack 740, select 720, table 640, fetch 350, extract 270, manifest 150.
# Time on one thread: no training above 9 minutes, the rest below one. Downloads go on where they were stopped, and
# their time is the site's: about 300 videos an hour. FID of 2,048 features takes 1.1 to 2 s of a core, and is computed
# at most 21 times for each method, seed and training: 308 times for table2, 441 for table1, 588 for fig16 (four sizes).
_TABLE = (
    _stage(
        "manifest", "data.manifest", "a source: the world, a folder", "manifest/{shard}.parquet",
        "one schema for all sources; `world/truth.parquet`, or `speakers/`, which evaluation alone may read",
        section="data", memory_mb=1000, minutes=30,
    ),
    _stage(
        "unpack", "data.unpack", "manifest, tars of videos", "unpack/{tar}.parquet",
        "which wanted videos a tar has; only with `data.videos.source: tar_urls`",
        section="data", memory_mb=2000, minutes=720, resumes=True,
    ),
    _stage(
        "fetch", "data.fetch", "manifest", "fetch/{shard}.parquet",
        "what became of each video; `videos/{shard}/*.mp4` (those of the world and of the speakers are rendered here)",
        section="data", memory_mb=1000, minutes=720, resumes=True, group="videos",
    ),
    _stage(
        "extract", "data.extract", "videos", "extract/{shard}.tar",
        "16 kHz waveform and frames of each clip, from one decode pass",
        memory_mb=1500, minutes=240, resumes=True, group="videos",
    ),
    _stage(
        "duplicates", "data.duplicates", "extract", "duplicates/{shard}.parquet",
        "clips that show what a test clip shows; only where `duplicates.max_distance` is set",
        memory_mb=2000, minutes=60,
    ),
    _training("localise", "train.localise", "extract, train split", "the audio-visual localisation model"),
    _stage(
        "select", "data.select", "extract, localise", "select/{shard}.parquet", "score of every frame, top k, middle",
        instead="s2v.data.published", memory_mb=2000, minutes=120, gpus="job",
    ),
    _stage(
        "pack", "data.pack", "extract, select, duplicates", "pack/{split}/{shard}.tar",
        "WebDataset; `.json`: its index", memory_mb=1500, minutes=60, group="packs",
    ),
    _stage(
        "pack_frames", "data.pack", "extract, duplicates", "pack/{split}/{shard}.tar",
        "the same of splits of which every frame is kept", section="pack", sizes="pack", group="packs",
    ),
    _training("encoder", "train.encoder", "packed pictures", "f_V, SwAV", instead="s2v.weights.convert"),
    _training("encoder_vit", "train.encoder", "", "that of the latent diffusion model, a ViT", rule="encoder"),
    _cached("embed", "train.embed", "packed pictures, f_V", "z^V", made_from=("encoder",)),
    _cached("embed_vit", "train.embed", "", "of the ViT", rule="embed", made_from=("encoder_vit",)),
    _cached(
        "embed_unclip", "train.embed_unclip", "packed pictures, Stable unCLIP",
        "z^V where Stable unCLIP is the second generator: f_V is its CLIP image encoder", memory_mb=8000,
    ),
    _training(
        "generator", "train.generator", "packed pictures, z^V", "G, IC-GAN's BigGAN",
        instead="s2v.weights.convert", made_from=("embed",),
    ),
    _training("vae", "train.vae", "packed pictures, f_V", "the autoencoder of diffusion", made_from=("encoder",)),
    _cached("latents", "train.latents", "packed pictures, the autoencoder", "their latents", made_from=("vae",)),
    _training(
        "diffusion", "train.diffusion", "latents, z^V of the ViT", "the latent diffusion model (paper 6.1)",
        made_from=("latents", "embed_vit"),
    ),
    _training(
        "align", "train.align", "packed pairs, z^V; for speech the tagger", "f_A", instead="s2v.weights.convert",
        with_backbone="s2v.train.align_frozen", made_from=("embed",),
    ),
    _training("align_ldm", "train.align", "", "to z^V of the ViT", rule="align", made_from=("embed_vit",),
              with_backbone="s2v.train.align_frozen"),
    _training(
        "align_unclip", "train.align", "", "to that of Stable unCLIP", rule="align", made_from=("embed_unclip",),
        with_backbone="s2v.train.align_frozen", sizes="align", memory_mb=0, minutes=0,
    ),
    _training(
        "text_diffusion", "train.text_diffusion", "packed pictures with a sentence each, the autoencoder",
        "the latent diffusion model that sees a sentence, with its text tower", made_from=("vae",),
    ),
    _training("tagger", "train.tagger", "packed sounds with names", "the audio tagger"),
    _training(
        "audiotoken", "train.audiotoken", "packed pairs, tagger, text_diffusion, the autoencoder",
        "AudioToken's embedder, of a sound one word", made_from=("text_diffusion", "tagger"),
    ),
    _training(
        "s2i_autoencoder", "train.s2i_autoencoder", "packed sounds", "S2I: spectrograms to embeddings",
        instead="s2v.weights.convert",
    ),
    _training(
        "s2i_generator", "train.s2i_generator", "packed pairs, the autoencoder", "S2I: embeddings to pictures",
        instead="s2v.weights.convert", made_from=("s2i_autoencoder",),
    ),
    _training("pedersoli_vqvae", "train.pedersoli_vqvae", "packed pictures", "Pedersoli et al.: pictures to codes"),
    _training(
        "pedersoli_audio", "train.pedersoli_audio", "packed pairs, the VQ-VAE", "Pedersoli et al.: sounds to codes",
        made_from=("pedersoli_vqvae",),
    ),
    _training("judge", "train.judge", "packed pictures of the judge split", "the stand-in for CLIP and Inception",
              memory_mb=3000),
    _training("inception", "train.inception", "packed labelled frames", "Inception-V3 of the data's own classes, for "
              "FID and IS; only where `evaluate.inception` is `own`", instead="s2v.weights.convert", memory_mb=12000),
    _training(
        "av_judge", "train.localise", "", "the stand-in for Wav2CLIP: sound and picture, for AIS (`s2v evaluate`)",
        rule="localise", sizes="localise", memory_mb=0, minutes=0,
    ),
    _training("joint", "train.joint", "packed pictures with sentences, packed sounds with names",
              "the space of pictures, texts and sounds in which Lee et al. edit"),
    _training("face_reader", "train.face_reader", "packed portraits of the judge split, the truth",
              "the evaluator of faces; only where `data.source` is `speakers`", memory_mb=3000),
    _stage(
        "generate", "evaluate.generate", "test pairs, models", "generate/{method}/{seed}.tar", "pictures",
        memory_mb=3000, minutes=120, gpus="job", group="pictures",
    ),
    _stage(
        "generate_one", "evaluate.generate", "test pairs, models", "ablation/{row}/generate/{method}/{seed}.tar",
        "the same of one seed, where each training draws with one; `scenes/` and `painted/` too",
        section="generate", sizes="generate", gpus="job", group="pictures",
    ),
    _stage(
        "generate_ldm", "evaluate.generate", "", "", "of the latent diffusion model",
        section="generate", rule="generate", memory_mb=3000, minutes=120,
    ),
    _stage(
        "evaluate", "evaluate.evaluate", "pictures, evaluator", "evaluate/{method}/{seed}.json",
        "metrics; beside it `.parquet`, ranks, and `.safetensors`, features",
        memory_mb=3000, minutes=120, gpus="job", group="pictures",
    ),
    _stage(
        "evaluate_one", "evaluate.evaluate", "pictures, evaluator", "ablation/{row}/evaluate/{method}/{seed}.json",
        "the same of one seed", section="evaluate", sizes="evaluate", gpus="job", group="pictures",
    ),
    _stage(
        "evaluate_ldm", "evaluate.evaluate", "", "", "of the latent diffusion model",
        section="evaluate", rule="evaluate", memory_mb=3000, minutes=120,
    ),
    _stage(
        "known_sounds", "evaluate.known_sounds", "f_A, train and val sounds", "known_sounds/{align}.safetensors",
        "features of what f_A learned from, by which a model says that a sound is unlike all of it",
        section="align", memory_mb=3000, minutes=120, gpus="job", threads="training",
    ),
    _report("table1", "report.table1", "evaluations, `coverage_by_class.csv`", "table1.csv", "`table1.md`"),
    _report(
        "table2", "report.table2", "evaluations of `ablation/{row}/` and `seeds/{n}/` (below)", "table2.csv",
        "`table2.md`",
    ),
    _report(
        "table3", "report.table3", "evaluations of its methods (`generate.table3`)",
        "table3.csv", "`table3.md`",
    ),
    _report(
        "table_vegas5", "report.table_vegas5", "evaluations of the systems of Figure 15 on `fig15.classes`",
        "table_vegas5.csv", "`table_vegas5.md`",
    ),
    _report("fig15_classes", "data.chosen", "manifest", "fig15/classes.json",
            "the classes of Figure 15; `generate` and `evaluate` of them lie beside it"),
    _report("fig15", "report.fig15", "pictures of the systems of Figure 15, test clips", "fig15.png"),
    _report(
        "classes", "data.subset", "manifest", "classes/{size}/classes.json",
        "nested sets of classes; `align`, `generate` and `evaluate` of a set lie beside it",
    ),
    _report("fig03", "report.fig03", "select, packed train split, the truth", "fig03.png", "`fig03.csv`",
            memory_mb=2000),
    _report("fig04", "report.fig04", "pictures, test sounds", "fig04.png"),
    _report("fig05", "report.fig05", "test sounds, f_A, G, the truth", "fig05.png", section="attention",
            sizes="generate", memory_mb=0, minutes=60, gpus="job"),
    _report(
        "gap", "report.gap", "f_A of every training of Table 2, z^V of the test split", "gap.csv", "",
        sizes="generate", memory_mb=0, minutes=120, gpus="job", threads="training",
    ),
    _report("fig06", "report.fig06_07", "gap", "fig06.png", "`fig07.png`, `gap.png`", memory_mb=2000),
    _report("fig12", "report.fig12", "test pairs, models, the joint space, evaluator", "fig12.png",
            "`fig12.csv`, `fig12.md`", section="lee", sizes="generate", memory_mb=0, minutes=120, gpus="job",
            threads="training"),
    _report("fig14", "report.fig14", "pictures of both generators, test sounds", "fig14.png"),
    _report("fig16", "report.fig16", "evaluations of both generators for each set of classes", "fig16.png",
            "`fig16.csv`, `fig16.md`", minutes=60),
    _report("fig17", "report.fig04", "pictures of the most classes, test sounds", "fig17.png"),
    _report("control", "report.control", "test pairs, models, judge", "control.csv",
            "`control_ldm.csv`", sizes="generate", memory_mb=0, minutes=120, gpus="job"),
    _report(
        "control_figure", "report.fig08_19", "test pairs, models", "fig08.png",
        "`fig09.png` to `fig11.png`, `fig13.png`, `fig18.png`, `fig19.png`",
        sizes="generate", memory_mb=0, minutes=60, gpus="job",
    ),
    _report("claims", "report.claims", "`claims/{stage}.json`, which the stages above write", "claims.csv",
            "`claims.md`; `evidence.csv`, `evidence.md`", memory_mb=1000, minutes=10),
    _report("provenance", "report.provenance", "the configuration", "provenance.csv", memory_mb=1000, minutes=10),
    _report(
        "faces", "report.faces", "pictures, test clips, models, face_reader, the truth", "faces.csv",
        "`faces.md`, `fig20.png`; only where `data.source` is `speakers`",
        section="generate", sizes="generate_ldm", memory_mb=0, minutes=60, gpus="job", threads="training",
    ),
    _report("heads", "report.heads", "pictures, test clips", "heads.csv",
            "`heads.md`, `fig20.png`; of real people, with `heads.command`", section="heads"),
    _report(
        "fig21", "report.fig21", "clips of people and of scenes, models, face_reader, the truth", "fig21.png",
        "`fig21.csv`, `fig21.md`; only where `data.speakers.scenes` names some",
        section="generate", sizes="generate_ldm", memory_mb=0, minutes=60, gpus="job", threads="training",
    ),
    _report("table1b", "study.score", "answers of people, and the key of their study", "table1b.csv", "`table1b.md`",
            section="study"),
    _report(
        "coverage", "data.coverage report.coverage", "status rows", "coverage.csv",
        "`coverage_by_class.csv`, `coverage.md`, `coverage.png`",
    ),
)  # fmt: skip

STAGES = {stage.name: stage for stage in _TABLE}

MEMORY_MB = {stage.sizes: stage.memory_mb for stage in _TABLE if stage.memory_mb}
"""Least memory of what `s2v.planning.resources` knows the sizes of, in MB."""

MINUTES = {stage.sizes: stage.minutes for stage in _TABLE if stage.memory_mb}
"""Least time of the same."""

__all__ = ["MEMORY_MB", "MINUTES", "STAGES", "Stage"]
