# What all rules share: the checked configuration, what rules ask of it, and the lock of the output folder.
import functools
import os
import sys
from pathlib import Path

# The package beside this Snakefile is the one that runs, in this process and in every job's.
HERE = str(Path(workflow.basedir))
sys.path.insert(0, HERE)
os.environ.update(PYTHONPATH=os.pathsep.join(filter(None, [HERE, os.environ.get("PYTHONPATH")])))

from snakemake.utils import validate
from snakemake_interface_logger_plugins.common import LogEvent

from s2v.config.foreign import source_digest
from s2v.config.methods import METHODS
from s2v.config.repeats import ablation_runs
from s2v.configfile import DEFAULT_FILE, check, merge, read, typed, with_bases, with_more_classes
from s2v.data.subset import known_order
from s2v.errors import UserError, without_passwords
from s2v.files import hold_lock
from s2v.identity import seedless_digest
from s2v.planning.scaling import Scaling
from s2v.planning.wildcards import (
    either,
    embedded,
    embedded_frame,
    steered_by,
    steered_size,
    target_of,
    training_of,
    variant_classes,
)
from s2v.provenance import revision
from s2v.report import targets
from s2v.report.ablation import shown_losses
from s2v.report.deviations import deviations
from s2v.report.fig12_deviations import fig12_deviations
from s2v.report.fig15_deviations import fig15_deviations
from s2v.workflow import SCENES, TRAINED, Plan, heard, trained

OVERLAYS = [os.path.relpath(file) for file in workflow.configfiles if Path(file).name != DEFAULT_FILE]
try:
    FILES = with_bases([DEFAULT_FILE, *OVERLAYS])
    GIVEN = workflow.config_settings.config
    # A module's configuration is what its user gave it.
    IS_MODULE = getattr(workflow.modifier, "parent_modifier", None) is not None
    if not IS_MODULE and (GIVEN or len(FILES) > 1 + len(OVERLAYS)):
        # Snakemake knows nothing of bases, nor what is a number within --config: the layers are laid anew.
        laid = merge([*map(read, FILES), typed(GIVEN)])
        config.clear()
        config.update(laid)
    # First our own check: it says in one line what is wrong, of which file, and knows more than a schema can say.
    CONFIG = check(config, FILES)
    # The configuration in which the number of classes grows, for fig16 and fig17: this one, or one of a larger world.
    LARGER = CONFIG.scaling.world is not None and CONFIG.data.source == "world"
    MORE_CLASSES = with_more_classes(config, CONFIG) if LARGER else config
    SCALING = check(MORE_CLASSES, [*FILES, CONFIG.scaling.world]) if LARGER else CONFIG
except UserError as error:
    # One line, where an exception would bring Snakemake's traceback with it.
    sys.exit(f"s2v: {error}")
validate(config, "../config.schema.json", set_default=False)

# Priority of the jobs that the latent diffusion model waits for, the longest way through the workflow, and of other long
# trainings that little is left to do after: begun last, each would leave all cores but its own idle at the end.
LONGEST, LONG = 10, 5
# Of an evaluator, which nothing is trained with: begun before, it would hold up what trainings wait for.
LAST = -1

# What rules ask of the configuration (s2v/workflow.py). Nobody gives cores to a run on a cluster, where
# `workflow.cores` is an error; profiles/slurm says the threads there.
PLAN = Plan(
    CONFIG, workflow.resource_settings.cores, Scaling(SCALING, SCALING.output if LARGER else "<results>")
)


def pictures_first(wildcards):
    """Priority of a shard's jobs: the longest trainings wait for pictures alone."""
    return LONGEST if PLAN.of_pictures(wildcards) else 0


# Variants whose methods draw with all generation seeds in one job, and those of which each is asked for one.
OF_ALL_SEEDS, OF_ONE_SEED = r"(classes/\d+/|fig15/)?", r"(ablation/[A-Za-z0-9_]+/|scenes/|painted/)"


wildcard_constraints:
    shard=r"\d+",
    tar=r"\d+",
    split=r"[A-Za-z0-9_]+",
    method="|".join(METHODS),
    seed=r"\d+",
    localise=either("localise"),
    encoder=either("encoder"),
    embed=either("embed") + r"(_mid|_top1)?",
    align=either("align"),
    evaluator=r"judge|judges/[A-Za-z0-9_]+",
    again=r"(seeds/[1-9]\d*/)?",
    variant=rf"{OF_ALL_SEEDS}|{OF_ONE_SEED}",
    size=r"\d+",
    sheet=r"fig(08|09|10|11|13|18|19)",


# Snakemake's own lock survives a kill and must then be removed by hand, so the profile turns it off. This one is the
# operating system's: it is gone with the process, however that ends. Dry runs and jobs do not start the workflow.
onstart:
    try:
        workflow.globals["output_lock"] = hold_lock(Path(CONFIG.output) / ".lock")
    except UserError as error:
        sys.exit(f"s2v: {error}")


@functools.cache
def lacking():
    """What the planned jobs lack: so large a list as VGGSound's takes seconds to read."""
    jobs = [(job.rule.name, dict(job.wildcards.items())) for job in workflow.dag.needrun_jobs()]
    return PLAN.lacking(jobs)


def before_jobs(record):
    """Say what is lacking as soon as Snakemake tells its log which jobs it will run.

    It does so in the process that a user starts, in a dry run too, and in no job's own. A run does not begin without
    what it needs; a dry run shows its plan all the same, unless nobody knows what there is to plan for.
    """
    if getattr(record, "event", None) == LogEvent.RUN_INFO and not workflow.touch:
        for line in (line for found in lacking() for line in found.lines()):
            print(f"s2v: {line}", file=sys.stderr)
        if any(found.clips is None or found.lacking and not workflow.dryrun for found in lacking()):
            sys.exit("s2v: nothing is started")
    return True


# A module of this workflow takes this file in again, in the same process.
if not any(getattr(known, "__name__", "") == before_jobs.__name__ for known in logger.filters):
    logger.addFilter(before_jobs)
