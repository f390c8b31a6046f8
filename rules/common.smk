# What all rules share: the checked configuration, names of shards and splits, and the lock of the output folder.
import os
import sys
from dataclasses import asdict
from pathlib import Path

# The package beside this Snakefile is the one that runs, in this process and in every job's.
HERE = str(Path(workflow.basedir))
sys.path.insert(0, HERE)
os.environ.update(PYTHONPATH=os.pathsep.join(filter(None, [HERE, os.environ.get("PYTHONPATH")])))

from snakemake.utils import validate

from s2v import resources
from s2v.config import AblationRow
from s2v.config.methods import NEEDS, OWN_SETTINGS
from s2v.config.repeats import ablation_runs, drawn_again, made_anew
from s2v.configfile import DEFAULT_FILE, check, split_names, with_more_classes
from s2v.data.fetch import unused
from s2v.data.manifest import MODULES
from s2v.data.subset import known_order
from s2v.errors import UserError
from s2v.files import hold_lock
from s2v.identity import code_digest, seedless_digest, tree_digest
from s2v.provenance import revision
from s2v.report.claim_list import BUILT
from s2v.report.deviations import deviations
from s2v.report.ablation import Ablation, shown_losses

OVERLAYS = [os.path.relpath(file) for file in workflow.configfiles if Path(file).name != DEFAULT_FILE]
try:
    # First our own check: it says in one line what is wrong, of which file, and knows more than a schema can say.
    CONFIG = check(config, [DEFAULT_FILE, *OVERLAYS])
    # The configuration in which the number of classes grows, for fig16 and fig17: this one, or one of a larger world.
    LARGER = CONFIG.scaling.world is not None and CONFIG.data.source == "world"
    MORE_CLASSES = with_more_classes(config, CONFIG) if LARGER else config
    SCALING = check(MORE_CLASSES, [DEFAULT_FILE, *OVERLAYS, CONFIG.scaling.world]) if LARGER else CONFIG
except UserError as error:
    # One line, where an exception would bring Snakemake's traceback with it.
    sys.exit(f"s2v: {error}")
validate(config, "../config.schema.json", set_default=False)

SHARDS = [f"{shard:03d}" for shard in range(CONFIG.data.shards)]
SPLITS = split_names(CONFIG)
GPU = 0 if CONFIG.runtime.device == "cpu" else 1
GPUS = GPU * CONFIG.runtime.processes
# Half of the cores: alignment and the generator, the two long trainings, then run side by side. Two small nets on a
# thread each were measured to finish sooner than one after the other on two. Nobody gives cores to a run on a cluster,
# where `workflow.cores` is an error; profiles/slurm says the threads there.
TRAINING_THREADS = max(1, min(8, (workflow.resource_settings.cores or 16) // 2))
TRAINED = ["model.safetensors", "config.json", "train.jsonl", "README.md"]


wildcard_constraints:
    shard=r"\d+",
    tar=r"\d+",
    split=r"[A-Za-z0-9_]+",
    method="|".join(NEEDS),
    seed=r"\d+",
    encoder=r"encoder(_vit)?",
    embed=r"embed(_vit)?(_mid|_top1)?",
    align=r"align(_ldm|_unclip)?",
    again=r"(seeds/[1-9]\d*/)?",
    variant=r"(classes/\d+/|ablation/[A-Za-z0-9_]+/)?",
    size=r"\d+",
    sheet=r"fig(08|09|10|11|13|18|19)",


def training_of(wildcards):
    """The number of the training seed of a job."""
    return int(wildcards.again.split("/")[1]) if wildcards.again else 0


def own(stage, wildcards):
    """Folder of what a stage made, as a job of a training seed takes it."""
    return f"{wildcards.again if made_anew(CONFIG, stage) else ''}{stage}"


def values(stage, *without, training=0):
    """The slice of a stage as plain values, for its rule's params, without the keys that are wildcards there."""
    return plain(getattr(CONFIG, stage), *without, training=training)


def plain(section, *without, training=0):
    """A slice as plain values; the seed of the training is counted up by its number."""
    found = {k: v for k, v in section.model_dump(mode="json").items() if k not in without}
    return found | {"seed": found["seed"] + training} if training else found


def trained_with(stage):
    """Input function of a rule's params: the slice of a stage under the training seed of the job."""
    return lambda wildcards: values(stage, training=training_of(wildcards) if stage in CONFIG.seeds.of else 0)


def unless_published(stage, files):
    """Inputs of a training: none where published weights take its place."""
    return [] if getattr(CONFIG, stage).weights else files


def published_digest(stage):
    """Digest of the code that converts published weights, where they take the place of a training."""
    return code_digest("s2v.weights.convert") if getattr(CONFIG, stage).weights else None


def variant_classes(wildcards):
    """Names of the classes of a variant that takes some; nothing where all are taken."""
    some = wildcards.variant.startswith("classes/")
    return f"<results>/{wildcards.variant}classes.json" if some else []


def ablated(wildcards):
    """The row of Table 2 that a job is of; one that changes nothing elsewhere."""
    kind, name = (*Path(wildcards.variant).parts, None, None)[:2]
    return CONFIG.ablation.wanted()[name] if kind == "ablation" else AblationRow()


ALIGNED_TO = {"align": "embed", "align_ldm": "embed_vit", "align_unclip": "embed_unclip"}


def features_of(split, wildcards):
    """f_V's features of a split, of the encoder that this one is aligned to."""
    stage, frame = ALIGNED_TO[wildcards.align], ablated(wildcards).frame
    home = own(stage, wildcards) + (f"_{frame}" if frame else "")
    return unless_published(wildcards.align, f"<results>/{home}/{split}.safetensors")


def memory(stage):
    """Memory (MB) of a job of a stage, as the configuration's sizes want it."""
    return resources.memory_mb(CONFIG, stage)


def minutes(stage):
    """Time (minutes) of a job of a stage, as the configuration's sizes want it."""
    return resources.minutes(CONFIG, stage)


def growing(amount):
    """Memory or time of a job, doubled when it is tried again: on a cluster, a job that overran it was killed.

    It may be a function of the wildcards. Stages that go on where they were stopped need no more time than a second try
    brings anyway.
    """

    def asked(wildcards, attempt):
        return (amount(wildcards) if callable(amount) else amount) * min(attempt, 2)

    return asked


def packs(*splits):
    """The packed shards of some splits."""
    return expand("<results>/pack/{split}/{shard}.tar", split=splits, shard=SHARDS)


def trained(model):
    """What is read of a trained thing."""
    return [f"<results>/{model}/model.safetensors", f"<results>/{model}/config.json"]


def part(name):
    """Input function: the trained thing that takes the part `name` in a method; nothing where it has no such part."""

    def files(wildcards):
        parts = NEEDS[wildcards.method].parts
        if name not in parts:
            return []
        # Encoders and generators are the same for all variants; f_A is what differs.
        seeds = wildcards.again if made_anew(CONFIG, parts[name]) else ""
        return trained(seeds + (wildcards.variant if name == "align" else "") + parts[name])

    return files


def drawn(method):
    """Pictures of a method, for all seeds."""
    return expand("<results>/generate/{method}/{seed}.tar", method=method, seed=CONFIG.generate.seeds)


def needed(stage, wildcards):
    """(memory, minutes) of a stage for the method of a job: what its sizes ask for, and no less than it is known for.

    A method's last word, as in `generate_ldm`, has sizes of its own.
    """
    needs, sized = NEEDS[wildcards.method], f"{stage}_{wildcards.method.rpartition('_')[2]}"
    return max(needs.memory_mb, memory(sized)), max(
        needs.minutes if stage == "generate" else 0, minutes(sized)
    )


def evaluated(suffix, methods, trainings):
    """What stage `evaluate` writes for some methods, trainings, and all generation seeds."""
    return [
        f"<results>/{seeds}evaluate/{method}/{seed}.{suffix}"
        for seeds, method in drawn_again(CONFIG, methods, trainings)
        for seed in CONFIG.generate.seeds
    ]


def ablation_results(suffix):
    """What stage `evaluate` writes for Table 2, {row: files}."""
    found = {}
    for name, _, folder, seed in ablation_runs(CONFIG):
        found.setdefault(f"{name}_{suffix}", []).append(
            f"<results>/{folder}evaluate/sound2vision/{seed}.{suffix}"
        )
    return found


# embed_mid and embed_top1 are those of a frame that Table 2 names, whichever one is chosen.
def seen_by(wildcards):
    """The image encoder of a job."""
    return own("encoder_vit" if wildcards.embed.startswith("embed_vit") else "encoder", wildcards)


def stage_of(wildcards):
    """The stage whose sizes a job has."""
    return wildcards.embed.removesuffix("_mid").removesuffix("_top1")


def frame_of(wildcards):
    """The frame that a job sees: a column of the packed shards."""
    name = wildcards.embed.rpartition("_")[2]
    return f"{name}.jpg" if name in ("mid", "top1") else "jpg"


# Stages whose measurements claims.csv makes; of others it takes what is there.
CLAIMED = ["table1", "table2", "gap", "fig03", "fig05"]


def claimed():
    """Measured quantities, {stage: file}."""
    present = [
        name for name in BUILT if name in CLAIMED or Path(CONFIG.output, "claims", f"{name}.json").is_file()
    ]
    return {name: f"<results>/claims/{name}.json" for name in present}


SCALED = SCALING.output if LARGER else "<results>"
SCALING_SHARDS = [f"{shard:03d}" for shard in range(SCALING.data.shards)]
MOST = SCALING.scaling.sizes[-1]


def scaled(stage, method, size, suffix):
    """Results of a method whose alignment saw `size` classes, for all seeds; real frames are the same for each."""
    once = method == "upper_bound"
    return [
        f"{SCALED}/{seeds}classes/{size}/{stage}/{method}/{seed}.{suffix}"
        for seeds, _ in drawn_again(SCALING, [method], [0] if once else SCALING.seeds.scaling)
        for seed in SCALING.generate.seeds[: 1 if once else None]
    ]


def scaling_results():
    """What fig16 measures: each generator, and the real frames, at each number of classes."""
    named = {"gan": SCALING.generate.table3.A, "ldm": SCALING.generate.table3.B, "real": "upper_bound"}
    files = {}
    for size in SCALING.scaling.sizes:
        for name, method in named.items():
            files[f"{name}_{size}"] = scaled("evaluate", method, size, "json")
            files[f"{name}_{size}_ranks"] = scaled("evaluate", method, size, "parquet")
            files[f"{name}_{size}_tensors"] = scaled("evaluate", method, size, "safetensors")
    return files


def heard(configuration):
    """Window and spectrogram of the sounds that figures show."""
    audio = configuration.align.audio.model_dump(mode="json")
    return {**audio, "window_s": configuration.generate.window_s}


# Snakemake's own lock survives a kill and must then be removed by hand, so the profile turns it off. This one is the
# operating system's: it is gone with the process, however that ends. Dry runs and jobs do not start the workflow.
onstart:
    try:
        workflow.globals["output_lock"] = hold_lock(Path(CONFIG.output) / ".lock")
    except UserError as error:
        sys.exit(f"s2v: {error}")
