"""What is said of sounds beside the pictures that they make."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from torch import Tensor

from s2v.control.familiarity import FOLDER
from s2v.control.silence import silences

if TYPE_CHECKING:
    from s2v.model import Model

Named = tuple[str, Tensor]


def heard(model: Model, sounds: Sequence[Named], together: Named | None = None) -> dict[str, list[str]]:
    """Sentences about sounds: `silent` has those that are silent, `heard` what the others are like, or that they are
    unlike all that was learned. What is empty is left out.

    Args:
        model: what hears.
        sounds: names, and waveforms [N] at 16 kHz.
        together: what is heard of them, where that is a mix; it may be silent though they are not.
    """
    silent: list[str] = []
    like = [] if model.known is not None else [_unknown(model)]
    for name, wave in sounds:
        quiet = silences([(name, wave)], model.window_s)
        silent += quiet
        if not quiet and model.known is not None:
            like += [one.said(name) for one in model.familiarity(wave)]
    if together is not None and not silent:
        silent = silences([together], model.window_s)
    return {key: said for key, said in (("silent", silent), ("heard", like)) if said}


def _unknown(model: Model) -> str:
    what = "how near a sound is to what this model learned is not known"
    made = model.source.folder / FOLDER / f"{model.method.entry.parts.get('align', 'align')}.safetensors"
    return what if model.source.published else f"{what}; `snakemake --cores all {made}` measures it"


__all__ = ["heard"]
