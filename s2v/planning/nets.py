"""What the networks of a configuration hold and compute: counted in the networks themselves, once a configuration.

Rules ask while Snakemake plans jobs, which it does again in every job on a cluster. Importing torch there would cost
each some seconds and 500 MB. So a program of its own builds the networks on torch's meta device
(`s2v.planning.counts`, six to nine seconds of one core), and what it counted lies in a small file of the user's cache
(`$XDG_CACHE_HOME/s2v`, or `~/.cache/s2v`), under a digest of the sections that shape the networks and of the code that
builds them. Nothing can be out of date, a dry run writes nothing under `output`, and whoever has no cache that can be
written pays those seconds each time. A table of the shipped configurations would be a second thing to keep right, and
of no help to a configuration of one's own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from s2v.config.training import SteppedConfig
from s2v.errors import UserError
from s2v.files import digest, write_text
from s2v.identity import ROOT, code_digest

if TYPE_CHECKING:
    from s2v.config import Config

TRAINED = ("encoder", "encoder_vit", "generator", "vae", "diffusion", "align", "align_ldm", "localise", "judge",
           "text_diffusion", "tagger", "s2i_autoencoder", "s2i_generator", "pedersoli_vqvae", "pedersoli_audio",
           "joint")  # fmt: skip
"""Sections that shape networks, but for what every training has: batch, steps, rates, seed."""


@dataclass(frozen=True)
class Net:
    """A network: its parameters, and of one sample the multiply-adds of a forward pass and the numbers in and out."""

    parameters: int
    operations: int
    inputs: int
    outputs: int


def nets(config: Config) -> dict[str, Net]:
    """The networks of a configuration by the names that `s2v.planning.counts.count` gives them.

    Raises:
        UserError: they cannot be built.
    """
    return _counted(
        config.model_dump_json(
            include={**dict.fromkeys(TRAINED, True), "extract": {"sample_rate_hz"}},
            exclude={name: set(SteppedConfig.model_fields) for name in TRAINED},
        )
    )


@cache
def _counted(sections: str) -> dict[str, Net]:
    path = _folder() / f"{digest([sections, code_digest('s2v.planning.counts')])}.json"
    with suppress(OSError, ValueError, TypeError):  # not there, or not one of ours
        return _read(path.read_text())
    text = _count(sections)
    with suppress(OSError):  # without a home it is counted each time
        write_text(path, text)
    return _read(text)


def _read(text: str) -> dict[str, Net]:
    return {name: Net(*values) for name, values in json.loads(text).items()}


def _folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "s2v")


def _count(sections: str) -> str:
    paths = filter(None, [str(ROOT.parent), os.environ.get("PYTHONPATH")])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "s2v.planning.counts"]
    done = subprocess.run(command, input=sections, env=environment, capture_output=True, text=True)
    if done.returncode:
        said = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise UserError(f"the networks of this configuration cannot be built ({said[:300]})")
    return done.stdout


__all__ = ["Net", "nets"]
