"""Augmentation of standardised log-spectrograms on whole batches, on whatever device they are.

As in `s2v.train.augment`, what is random is drawn apart from its use, as one row a sound. No level is changed, since
loudness is what a picture is steered by.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from s2v.media.spectrogram import standardise

if TYPE_CHECKING:
    from s2v.config import SoundAugmentConfig

KNOTS = 8
"""Of a random filter, evenly over the bins, with a straight line between two."""
NATS = 2.5
"""A standard deviation of a sound's log-spectrogram, about: in these units a bed of noise is laid under."""
SHORTEST_MASK, LONGEST_MASK = 0.02, 0.15
"""Of an axis."""
SHORTEST_LOOP, LONGEST_LOOP = 0.1, 0.6
"""Of the window: a recording that is shorter than it is repeated to fill it."""
DEEPEST_GATE = 3.0
"""How many times farther down what lies under a gate's threshold is pushed, at most."""
Numbers = dict[str, Tensor]


def draw_sound_augment(n: int, config: SoundAugmentConfig, device: torch.device) -> Numbers:
    """What is random for n sounds; nothing where nothing is asked for."""
    drawn: Numbers = {}
    if config.loop:
        looped = (torch.rand(n, device=device) < config.loop).float()
        drawn["loop"] = torch.cat([looped[:, None], torch.rand(n, 2, device=device)], 1)
    if config.warp:
        drawn["warp"] = config.warp * (2 * torch.rand(n, device=device) - 1)
    if config.shift:
        drawn["shift"] = torch.rand(n, device=device)
    if config.filter:
        drawn["filter"] = config.filter * torch.randn(n, KNOTS, device=device)
    if config.masks:
        drawn["mask"] = torch.rand(n, config.masks, 4, device=device)
    if config.bed:
        under = (torch.rand(n, device=device) < config.bed).float()
        where = torch.rand(n, 3, device=device)
        drawn["bed"] = torch.cat([under[:, None], where], 1)
    if config.gate:
        gated = (torch.rand(n, device=device) < config.gate).float()
        drawn["gate"] = torch.cat([gated[:, None], torch.rand(n, 2, device=device)], 1)
    return drawn


def sound_augment(spectrograms: Tensor, drawn: Numbers) -> Tensor:
    """Spectrograms float [B, F, T], each with mean 0 and standard deviation 1, changed as was drawn and so again.

    Args:
        spectrograms: of sounds that fill their window, by being repeated or cut.
        drawn: of `draw_sound_augment`: `loop` [B, 3] says whether a stretch alone is heard, again and again, where it
            is (loud places first) and how long; `warp` [B] stretches frequencies; `shift` [B] begins them elsewhere;
            `filter` [B, KNOTS] is a gain over
            frequency, in standard deviations; `bed` [B, 4] says whether a bed of noise lies under it, how loud it is,
            how it falls with frequency, and from where in one noise for all it is taken; `gate` [B, 3] says whether
            what is quiet is made quieter, under which share, and how much; `mask` [B, masks, 4] blanks stretches of
            time and bands, as SpecAugment (Park et al. 2019) does.
    """
    if not drawn:  # embeddings of a frozen backbone, too
        return spectrograms
    out, (bins, frames) = spectrograms, spectrograms.shape[1:]
    if "loop" in drawn:
        out = _looped(out, drawn["loop"])
    if "warp" in drawn:
        out = _warped(out, drawn["warp"])
    if "shift" in drawn:
        start = (drawn["shift"] * frames).long()
        columns = (torch.arange(frames, device=out.device) + start[:, None]) % frames
        out = out.gather(2, columns[:, None].expand(-1, bins, -1))
    if "filter" in drawn:
        curve = F.interpolate(drawn["filter"][:, None], size=bins, mode="linear", align_corners=True)
        out = out + curve[:, 0, :, None]
    if "bed" in drawn:
        out = _over_noise(out, drawn["bed"])
    if "gate" in drawn:
        out = _gated(out, drawn["gate"])
    if "mask" in drawn:
        out = _masked(out, drawn["mask"])
    return standardise(out)


def _over_noise(spectrograms: Tensor, drawn: Tensor) -> Tensor:
    under, loud, fall, where = drawn[:, :, None, None].unbind(1)
    bins, frames = spectrograms.shape[1:]
    # Powers of noise are exponential; the noise is one for all sounds and steps, begun at another column.
    noise = torch.empty(bins, frames).exponential_(generator=torch.Generator().manual_seed(0)).log()
    columns = (torch.arange(frames) + (where[:, 0, 0, None].cpu() * frames).long()) % frames
    noise = noise[:, columns].transpose(0, 1).to(spectrograms)
    slope = torch.linspace(0.5, -0.5, bins, device=spectrograms.device)[:, None]
    level = NATS * (1.8 * loud - 1.3 + 2.0 * fall * slope)
    mixed = torch.logaddexp(NATS * spectrograms, level + noise) / NATS
    return torch.where(under > 0, mixed, spectrograms)


def _looped(spectrograms: Tensor, drawn: Tensor) -> Tensor:
    looped, where, long = drawn.unbind(1)
    bins, frames = spectrograms.shape[1:]
    loudness = spectrograms.mean(1)
    # A place is drawn by how far it lies above the quietest one.
    heard = (loudness - loudness.amin(1, keepdim=True)).square().cumsum(1)
    middle = (heard < where[:, None] * heard[:, -1:]).sum(1)
    length = (frames * (SHORTEST_LOOP + (LONGEST_LOOP - SHORTEST_LOOP) * long)).long().clamp(min=1)
    length = torch.where(looped > 0, length, frames)
    start = torch.where(looped > 0, (middle - length // 2).clamp(min=0).minimum(frames - length), 0)
    columns = start[:, None] + torch.arange(frames, device=spectrograms.device) % length[:, None]
    return spectrograms.gather(2, columns[:, None].expand(-1, bins, -1))


def _warped(spectrograms: Tensor, drawn: Tensor) -> Tensor:
    bins = spectrograms.shape[1]
    place = torch.arange(bins, device=spectrograms.device) * (1 + drawn.to(spectrograms)[:, None])
    place = place.clamp(max=bins - 1)
    low, share = place.long(), place.frac()[:, :, None]
    high = (low + 1).clamp(max=bins - 1)
    below, above = (spectrograms.gather(1, at[:, :, None].expand(-1, -1, spectrograms.shape[2])) for at in (low, high))
    return below + share * (above - below)


def _gated(spectrograms: Tensor, drawn: Tensor) -> Tensor:
    gated, share, deep = drawn.unbind(1)
    # A quantile of each sound, by its own share: up to nine tenths of it may be quiet.
    ordered = spectrograms.flatten(1)[:, ::64].sort(1).values
    threshold = ordered.gather(1, (0.9 * share[:, None] * (ordered.shape[1] - 1)).long())[:, :, None]
    times = (1 + (DEEPEST_GATE - 1) * deep * gated)[:, None, None]
    return torch.where(spectrograms < threshold, threshold - times * (threshold - spectrograms), spectrograms)


def _masked(spectrograms: Tensor, drawn: Tensor) -> Tensor:
    out = spectrograms
    for axis, (begin, length) in ((1, (0, 1)), (2, (2, 3))):
        size = out.shape[axis]
        places = torch.arange(size, device=out.device) / size
        first = drawn[:, :, begin, None]
        last = first + SHORTEST_MASK + (LONGEST_MASK - SHORTEST_MASK) * drawn[:, :, length, None]
        blank = ((places >= first) & (places < last)).any(1)
        out = out.masked_fill(blank[:, :, None] if axis == 1 else blank[:, None], 0.0)
    return out


__all__ = ["draw_sound_augment", "sound_augment"]
