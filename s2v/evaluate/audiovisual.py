"""Networks that say how well a picture fits a sound (AIS), and a picture a real frame (IIS)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from s2v.errors import UserError
from s2v.evaluate.evaluators import Clip, ClipInceptionEvaluator, Evaluator, JudgeEvaluator, batches
from s2v.evaluate.retrieval import ranks
from s2v.evaluate.sound_scores import scores
from s2v.files import sha256
from s2v.media.picture import resize, to_unit
from s2v.media.spectrogram import SAMPLE_RATE_HZ, fit_window
from s2v.models.clip import MEAN, STD
from s2v.models.imagebind import ImageBindAudio, ImageBindVision
from s2v.models.localiser import Localiser
from s2v.models.store import load
from s2v.models.wav2clip import Wav2Clip
from s2v.weights.catalogue import CATALOGUE, weights_folder
from s2v.weights.checkpoint import tensors
from s2v.weights.convert import published
from s2v.weights.layouts import LAYOUTS, fit

_BATCH = 64
LONGEST_S = 10.0


class Hears(Protocol):
    """A network of sounds and pictures. `name` is part of its scores' names, `label` says what it is."""

    name: str
    label: str
    cosine: bool

    def hear(self, wave: Tensor) -> Tensor:
        """Waveform float [N] at 16 kHz -> features [W, D]."""
        ...

    def fit(self, images: Tensor, heard: Sequence[Tensor]) -> Tensor:
        """Similarity [N, M] of pictures uint8 [N, 3, H, W] to sounds as `hear` gives them."""
        ...


class AvJudge:
    """The embedded stand-in: nets that stage `av_judge` trained on pairs that nothing else sees.

    A picture fits a sound as well as it fits the sound's best moment. These are inner products, as in its training,
    whose length carries meaning, so that there is no cosine.
    """

    name, cosine = "av_judge", False

    def __init__(self, folder: Path, device: torch.device | str = "cpu") -> None:
        self.net = load(Localiser, folder, device)
        self.device = device
        self.label = (
            f"av_judge: two convolutional nets, {self.net.ear.window_s:g} s of sound at {self.net.image_px} px (sha256 "
            f"{sha256(folder / 'model.safetensors')[:12]}), a stand-in trained on pairs that nothing else sees"
        )

    @torch.inference_mode()
    def hear(self, wave: Tensor) -> Tensor:
        """Windows that overlap by half, of all of the sound."""
        ear = self.net.ear
        seconds = len(wave) / SAMPLE_RATE_HZ
        count = max(1, round(2 * seconds / ear.window_s))
        windows = ear.windows(ear.hear(wave), (torch.arange(count) + 0.5) * seconds / count)
        return torch.cat([self.net.hear(part.to(self.device)).cpu() for part in windows.split(_BATCH)])

    @torch.inference_mode()
    def fit(self, images: Tensor, heard: Sequence[Tensor]) -> Tensor:
        """Largest inner product over the windows of each sound."""
        px = self.net.image_px
        seen = torch.cat([self.net.see(to_unit(resize(part, px)).to(self.device)).cpu() for part in batches(images)])
        return torch.stack([(seen @ windows.T).amax(1) for windows in heard], dim=1)


class Wav2ClipB32:
    """Wav2CLIP and CLIP ViT-B/32: cosines of a sound and a picture."""

    name, cosine = "Wav2CLIP+B32", True

    def __init__(self, path: Path, clip: Clip, device: torch.device | str = "cpu") -> None:
        net = Wav2Clip()
        state = fit(LAYOUTS["wav2clip"](tensors(path)), {k: v.shape for k, v in net.state_dict().items()}, "wav2clip")
        net.load_state_dict(state)
        self.net, self.clip, self.device = net.to(device).eval().requires_grad_(False), clip, device
        self.label = f"Wav2CLIP ({path.name}, sha256 {sha256(path)[:12]}; {LONGEST_S:g} s at 16 kHz) and CLIP ViT-B/32"

    @torch.inference_mode()
    def hear(self, wave: Tensor) -> Tensor:
        """The first seconds as one, of unit norm [1, 512]; a sound shorter than a second is repeated."""
        wave = fit_window(wave, min(max(len(wave), SAMPLE_RATE_HZ), round(LONGEST_S * SAMPLE_RATE_HZ)))
        return F.normalize(self.net(wave[None].to(self.device)).float().cpu(), dim=1)

    def fit(self, images: Tensor, heard: Sequence[Tensor]) -> Tensor:
        """Cosines."""
        return self.clip.see(images) @ torch.cat(list(heard)).T


class ImageBind:
    """Both encoders of ImageBind: cosines of a sound and a picture."""

    name, cosine = "ImageBind", True

    def __init__(self, device: torch.device | str = "cpu") -> None:
        self.sound: ImageBindAudio = published("imagebind", device=device)
        self.picture: ImageBindVision = published("imagebind-vision", device=device)
        self.device = device
        self.mean, self.std = (torch.tensor(values)[:, None, None].to(device) for values in (MEAN, STD))
        self.label = f"ImageBind (huge; of {LONGEST_S:g} s at 16 kHz three pieces of 2 s)"

    @torch.inference_mode()
    def hear(self, wave: Tensor) -> Tensor:
        """Three pieces of the first seconds, of unit norm [1, D]."""
        return F.normalize(self.sound.encode(wave[None], min(len(wave) / SAMPLE_RATE_HZ, LONGEST_S)), dim=1)

    @torch.inference_mode()
    def fit(self, images: Tensor, heard: Sequence[Tensor]) -> Tensor:
        """Cosines."""
        px = self.picture.image_px
        seen = [
            self.picture(((to_unit(resize(part, px, "crop")).to(self.device) + 1) / 2 - self.mean) / self.std).cpu()
            for part in batches(images)
        ]
        return torch.cat(seen) @ torch.cat(list(heard)).T


@dataclass(frozen=True)
class Networks:
    """What there is to score sounds and paired frames with.

    Attributes:
        hears: for AIS, a score of each.
        sees: for IIS: name, label, and pictures -> features of unit norm.
        names: for AIC: name, label, and (pictures, class names) -> scores.
        missing: AIS, IIS, AIC -> why it cannot be had.
    """

    hears: tuple[Hears, ...] = ()
    sees: tuple[str, str, Callable[[Tensor], Tensor]] | None = None
    names: tuple[str, str, Callable[[Tensor, list[str]], Tensor]] | None = None
    missing: dict[str, str] | None = None


def networks(evaluator: Evaluator, run: Path | None, prompt: str, device: torch.device | str) -> Networks:
    """Those that go with an evaluator: a run's `av_judge` and judge, or the published ones of $S2V_WEIGHTS."""
    if isinstance(evaluator, JudgeEvaluator):
        missing = {"AIC": "R@1 is that of the same network; AIC is said of CLIP ViT-L/14 alone"}
        folder = run / "av_judge" if run else None
        hears = (AvJudge(folder, device),) if folder and (folder / "model.safetensors").is_file() else ()
        if not hears:
            missing["AIS"] = (
                f"there is no evaluator of sounds; `snakemake --cores all {folder}/model.safetensors` makes one"
                if folder
                else "the judge is of no run that has an evaluator of sounds"
            )
        return Networks(hears, ("judge", evaluator.label, evaluator.see), None, missing)
    assert isinstance(evaluator, ClipInceptionEvaluator)
    found: dict[str, Any] = {}
    missing = {}
    folder = weights_folder(None)
    for name, kinds in (("wav2clip", ("AIS",)), ("clip-vit-l14", ("IIS", "AIC"))):
        path = folder / CATALOGUE[name].files[0].path
        if path.is_file():
            found[name] = path
        else:
            missing |= dict.fromkeys(kinds, f"{path} is not there; `s2v weights fetch {name}` brings it")
    hearing: list[Hears] = [Wav2ClipB32(found["wav2clip"], evaluator.clip, device)] if "wav2clip" in found else []
    # 4.8 GB, and not for all uses: who has not fetched it is told of Wav2CLIP alone.
    if (folder / CATALOGUE["imagebind"].files[0].path).is_file():
        hearing.append(ImageBind(device))
        missing.pop("AIS", None)
    if "clip-vit-l14" not in found:
        return Networks(tuple(hearing), None, None, missing)
    large = Clip(found["clip-vit-l14"], "ViT-L-14", prompt, device)
    label = f"CLIP ViT-L/14 (sha256 {sha256(found['clip-vit-l14'])[:12]}), prompt `{prompt}`"
    return Networks(tuple(hearing), ("CLIP-L14", label, large.see), ("CLIP-L14", label, large.rank), missing)


def score(
    nets: Networks,
    images: Tensor,
    heard: Sequence[Sequence[Tensor]],
    frames: Tensor | None,
    labels: Sequence[str | None],
    names: list[str],
) -> dict[str, tuple[Tensor, str]]:
    """AIS, IIS and AIC of one picture of each clip: full name -> (a number of each picture [N], its network).

    Args:
        nets: what there is.
        images: uint8 [N, 3, H, W].
        heard: of each of `nets.hears`, the clips' sounds as it gives them; empty where one cannot be heard.
        frames: features [N, D] of the clips' real frames, as `nets.sees` gives them; None where one has none.
        labels: of the clips.
        names: the candidates.
    """
    found: dict[str, tuple[Tensor, str]] = {}
    for hears, sounds in zip(nets.hears, heard, strict=False):
        if len(images) > 1:
            made = scores("AIS", hears.name, "sounds", hears.fit(images, sounds), hears.cosine)
            found |= {name: (values, hears.label) for name, values in made.items()}
    if nets.sees and frames is not None and len(images) > 1:
        name, label, see = nets.sees
        made = scores("IIS", name, "frames", see(images) @ frames.T)
        found |= {one: (values, label) for one, values in made.items()}
    if nets.names and len(names) > 1 and all(labels):
        name, label, rank = nets.names
        truth = torch.tensor([names.index(one or "") for one in labels])
        found[f"AIC/{name}"] = ((ranks(rank(images, names), truth) == 1).double(), label)
    return found


def check(values: Tensor, name: str) -> None:
    """Refuse scores that are no numbers."""
    if not values.isfinite().all():
        raise UserError(f"evaluate: {name} is not finite; the network's weights are damaged or did not train")


__all__ = ["AvJudge", "Hears", "ImageBind", "Networks", "Wav2ClipB32", "check", "networks", "score"]
