"""Stage `select`: the frame of each clip that is paired with its sound (paper 3.3)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import torch

from s2v.data.moments import Moments, read_moments
from s2v.errors import UserError
from s2v.files import write_parquet
from s2v.media.picture import to_unit
from s2v.models.localiser import Localiser
from s2v.models.store import load
from s2v.runtime import Runtime

if TYPE_CHECKING:
    from s2v.config import RuntimeConfig, SelectConfig

SELECTION = pa.schema(
    [
        ("clip_id", pa.string()),
        ("split", pa.string()),
        ("n_frames", pa.int32()),
        ("scores", pa.list_(pa.float32())),
        ("top", pa.list_(pa.int32())),
        ("mid", pa.int32()),
        ("chosen", pa.int32()),
    ]
)
_BATCH = 256  # frames scored at once


def run(
    *, config: SelectConfig, tar: Path, model_dir: Path, output: Path, runtime: RuntimeConfig, threads: int
) -> None:
    """Score every frame of a shard and write one row per clip to `output` (schema `SELECTION`).

    `scores` is C_av[t] for every frame, `top` the best `top_k` of those around which anything sounds, best first (of
    equal ones the earlier),
    `mid` the middle frame, `chosen` the one that `config.mode` names. A clip without sound has no scores and no
    top, and its middle frame is chosen.

    Raises:
        UserError: the shard or the model is damaged.
    """
    place = Runtime.from_config(runtime, threads)
    model = load(Localiser, model_dir, place.device)
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    rows: list[dict[str, Any]] = []
    waiting: list[Moments] = []
    for clip in read_moments([tar], image_px=model.image_px, ear=model.ear):
        if len(clip.images) != clip.n_frames:
            found = f"{len(clip.images)} frames instead of {clip.n_frames}"
            raise UserError(f"{tar}: clip {clip.clip_id} has {found}; run stage extract again")
        waiting.append(clip)
        if sum(len(c.images) for c in waiting) >= _BATCH:
            rows += _rows(config, model, waiting, place)
            waiting = []
    rows += _rows(config, model, waiting, place)
    write_parquet(output, rows, SELECTION)


@torch.inference_mode()
def scores(model: Localiser, clips: list[Moments], place: Runtime) -> list[list[float]]:
    """C_av of all moments of some clips, in one pass; an empty list for a clip without sound."""
    heard = [clip for clip in clips if clip.spectrogram is not None]
    found: dict[str, list[float]] = {}
    if heard:
        images = torch.cat([clip.images for clip in heard]).to(place.device)
        windows = torch.cat([model.ear.windows(c.spectrogram, c.times_s) for c in heard if c.spectrogram is not None])
        # Without autocast: frames next to each other differ by little, and the order is all that counts.
        parts = [
            model(to_unit(image), window.to(place.device))
            for image, window in zip(images.split(_BATCH), windows.split(_BATCH), strict=True)
        ]
        lengths = [len(clip.images) for clip in heard]
        for clip, part in zip(heard, torch.cat(parts).float().cpu().split(lengths), strict=True):
            found[clip.clip_id] = part.tolist()
    return [found.get(clip.clip_id, []) for clip in clips]


def _rows(config: SelectConfig, model: Localiser, clips: list[Moments], place: Runtime) -> list[dict[str, Any]]:
    rows = []
    for clip, values in zip(clips, scores(model, clips, place), strict=True):
        # A frame around which nothing sounds fits no sound: it is ranked only where nothing sounds at all.
        sounding = [t for t in range(len(values)) if clip.heard[t]] or list(range(len(values)))
        best = sorted(sounding, key=lambda t: (-values[t], t))  # noqa: B023 - used before it changes
        mid = clip.n_frames // 2
        rows.append(
            {
                "clip_id": clip.clip_id,
                "split": clip.split,
                "n_frames": clip.n_frames,
                "scores": values,
                "top": best[: config.top_k],
                "mid": mid,
                "chosen": best[0] if config.mode == "top1" and best else mid,
            }
        )
    return rows
