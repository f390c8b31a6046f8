"""Evaluators: the networks behind R@k, FID and IS. Each has a label, which every table prints."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from s2v.errors import UserError
from s2v.files import sha256
from s2v.media.picture import resize, to_unit
from s2v.models.clip import CLIP_FILES, MEAN, STD, load_clip
from s2v.progress import track
from s2v.tensors import not_finite

WEIGHTS_VARIABLE = "S2V_WEIGHTS"
INCEPTION_FILE = "inception/weights-inception-2015-12-05-6726825d.pth"
_WHERE = {
    "clip": "OpenAI's ViT-B/32 as open_clip stores it (tag `openai`)",
    "inception": "torch-fidelity's release v0.2.0",
}
_NAMES = {"clip": "clip-vit-b32", "inception": "inception-v3"}
_BATCH = 64
_MANY = 1000


def batches(images: Tensor) -> Iterable[Tensor]:
    """Pictures uint8 [N, 3, H, W] as networks see them, some at a time; of many it is said how far it is."""
    if images.dtype != torch.uint8:
        raise TypeError(f"pictures of {images.dtype}, not uint8")
    parts = images.split(_BATCH)
    return track(parts, description="batches of pictures") if len(images) > _MANY else parts


class Evaluator(Protocol):
    """What metrics need of a network.

    Pictures are uint8 [N, 3, H, W] of any size; each evaluator brings all of them, real and generated alike, to its
    own size with the one resize of `s2v.media.picture`.
    """

    label: str

    def rank(self, images: Tensor, class_names: list[str]) -> Tensor:
        """Scores [N, C] of pictures against class names, larger is better."""
        ...

    def features(self, images: Tensor) -> Tensor:
        """Features [N, F] for FID and KID."""
        ...

    def describe(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """The same features, and class posteriors [N, K] for IS, whose rows sum to 1."""
        ...

    def accepts(self, images: Tensor) -> Tensor | None:
        """Whether pictures are of any class at all, bool [N]; None where it was not taught to answer no."""
        ...


class JudgeEvaluator:
    """The embedded stand-in: a judge that stage `judge` trained."""

    def __init__(self, folder: Path, prompt: str = "{}", device: torch.device | str = "cpu") -> None:
        from s2v.models.judge import Judge
        from s2v.models.store import load

        self.judge = load(Judge, folder, device)
        self.prompt, self.device = prompt, device
        self.class_names: list[str] = self.judge.class_names
        self.label: str = str(self.judge.about.get("label", ""))
        if not self.label:
            raise UserError(f"{folder}: config.json names no `about.label`; run stage judge again")

    @torch.inference_mode()
    def _see(self, images: Tensor) -> tuple[Tensor, ...]:
        px = self.judge.image_px
        parts = [self.judge(to_unit(resize(part, px)).to(self.device)) for part in batches(images)]
        return tuple(torch.cat(column).float().cpu() for column in zip(*parts, strict=True))

    @torch.inference_mode()
    def rank(self, images: Tensor, class_names: list[str]) -> Tensor:
        """Scores [N, C]. The judge was trained on bare names, so the prompt should stay `{}`."""
        names = [self.prompt.format(name) for name in class_names]
        return self.judge.similarity(self._see(images)[0].to(self.device), names).float().cpu()

    def see(self, images: Tensor) -> Tensor:
        """Embeddings [N, dim] of unit norm, in the space that it shares with names."""
        return self._see(images)[0]

    def features(self, images: Tensor) -> Tensor:
        """Hidden layer of the classifier, [N, dim]."""
        return self._see(images)[1]

    def describe(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """The same, and posteriors [N, classes of the judge split]."""
        _, features, logits = self._see(images)
        return features, logits.softmax(1)

    @torch.inference_mode()
    def accepts(self, images: Tensor) -> Tensor | None:
        """Whether it does not answer "none of these"; None where it was not taught to."""
        if self.judge.line is None:
            return None
        return (self.judge.none(self.features(images).to(self.device)) <= self.judge.line).cpu()


class Clip:
    """A CLIP of OpenAI's weights, as open_clip reads them.

    Args:
        path: its weights.
        architecture: open_clip's name of it.
        prompt: template around a class name.
        device: where to compute.

    Raises:
        UserError: the file is not what it should be.
    """

    def __init__(
        self, path: Path, architecture: str = "ViT-B-32", prompt: str = "{}", device: torch.device | str = "cpu"
    ) -> None:
        self.net, self.tokenizer = load_clip(path, device, architecture)
        self.prompt, self.device = prompt, device
        # Mean and std of CLIP's own training; the paper does not say (anchors: authors' statistics unknown).
        self.mean, self.std = (torch.tensor(values)[:, None, None].to(device) for values in (MEAN, STD))

    def _image(self, part: Tensor) -> Tensor:
        x = (to_unit(resize(part, 224, "crop")).to(self.device) + 1) / 2
        return self.net.encode_image((x - self.mean) / self.std, normalize=True)

    @torch.inference_mode()
    def see(self, images: Tensor) -> Tensor:
        """Embeddings [N, D] of unit norm."""
        return torch.cat([self._image(part).float().cpu() for part in batches(images)])

    @torch.inference_mode()
    def rank(self, images: Tensor, class_names: list[str]) -> Tensor:
        """Cosine similarities [N, C]."""
        text = self.net.encode_text(
            self.tokenizer([self.prompt.format(name) for name in class_names]).to(self.device), normalize=True
        )
        return torch.cat([(self._image(part) @ text.T).float().cpu() for part in batches(images)])


class ClipInceptionEvaluator:
    """CLIP ViT-B/32 for R@k (paper 4.1) and an Inception-V3 for FID and IS: torch-fidelity's, or the data's own.

    The paper's text has a pre-trained Inception; its authors' repository has one that was trained on VGGSound's
    classes. torch-fidelity's knows ImageNet's, so its FID and IS do not compare with theirs; one that was trained on
    the data's own classes (stage `inception`) is of the same kind as theirs. Published weights are files of the
    user; nothing is ever downloaded.

    Args:
        weights: folder with `clip/` and `inception/`.
        prompt: template around a class name.
        device: where to compute.
        own: folder of stage `inception`; None takes torch-fidelity's.

    Raises:
        UserError: a file is missing (the message names it) or is not what it should be.
    """

    def __init__(
        self, weights: Path, prompt: str = "{}", device: torch.device | str = "cpu", own: Path | None = None
    ) -> None:
        clip = next((weights / name for name in CLIP_FILES if (weights / name).is_file()), None)
        if clip is None:
            raise _missing(weights, " or ".join(CLIP_FILES), "clip")
        if own is None and not (weights / INCEPTION_FILE).is_file():
            raise _missing(weights, INCEPTION_FILE, "inception")
        self.prompt, self.device = prompt, device
        self.clip = Clip(clip, "ViT-B-32", prompt, device)
        self.inception: _Inception = _Own(own, device) if own else _Published(weights / INCEPTION_FILE, device)
        self.label = (
            f"R@k: CLIP ViT-B/32 ({clip.name}, sha256 {sha256(clip)[:12]}), prompt `{prompt}`; FID, IS: "
            f"{self.inception.label}"
        )

    def rank(self, images: Tensor, class_names: list[str]) -> Tensor:
        """Cosine similarities [N, C]."""
        return self.clip.rank(images, class_names)

    def features(self, images: Tensor) -> Tensor:
        """Pooled 2048-d features."""
        return self.describe(images)[0]

    @torch.inference_mode()
    def describe(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """The same, and class posteriors."""
        parts = [self.inception.see(part) for part in batches(images)]
        return torch.cat([p[0] for p in parts]).float().cpu(), torch.cat([p[1] for p in parts]).float().cpu().softmax(1)

    def accepts(self, images: Tensor) -> Tensor | None:
        """It has no such answer."""
        return None


class _Inception(Protocol):
    label: str

    def see(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """uint8 [B, 3, H, W] -> features [B, 2048], logits [B, K]."""
        ...


class _Published(_Inception):
    """Logits over 1008 outputs, without bias, as in the original IS."""

    def __init__(self, path: Path, device: torch.device | str) -> None:
        self.net, self.device = _load_inception(path, device), device
        self.label = (
            f"Inception-V3 of torch-fidelity, trained on ImageNet (sha256 {sha256(path)[:12]}), where the paper's "
            "authors trained theirs on VGGSound"
        )

    def see(self, images: Tensor) -> tuple[Tensor, Tensor]:
        # Its own resize to 299 is part of the definition of FID, so the bytes go in at their size.
        features, logits = self.net(images.to(self.device))
        return features, logits


class _Own(_Inception):
    def __init__(self, folder: Path, device: torch.device | str) -> None:
        from s2v.models.inception import Inception
        from s2v.models.store import load

        self.net, self.device = load(Inception, folder, device), device
        self.label = str(self.net.about.get("label", ""))
        if not self.label:
            raise UserError(f"{folder}: config.json names no `about.label`; run stage inception again")

    def see(self, images: Tensor) -> tuple[Tensor, Tensor]:
        features, logits = self.net(to_unit(resize(images, self.net.image_px)).to(self.device))
        return features, logits


def _missing(weights: Path, name: str, kind: str) -> UserError:
    return UserError(
        f"evaluate.evaluator: clip_inception needs the file {name} under {weights} (the folder of "
        f"${WEIGHTS_VARIABLE}): `s2v weights fetch {_NAMES[kind]}` brings it, or put {_WHERE[kind]} there"
    )


def _load_inception(path: Path, device: torch.device | str) -> Any:
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    try:
        # torch-fidelity unpickles whatever it is given; a file that holds more than tensors is refused first.
        torch.load(path, weights_only=True, map_location="cpu")
        network = FeatureExtractorInceptionV3(
            "inception-v3-compat", ["2048", "logits_unbiased"], feature_extractor_weights_path=str(path)
        )
    except Exception as error:
        raise UserError(f"{path}: not readable as weights of torch-fidelity's Inception-V3 ({_line(error)})") from error
    name = not_finite(network.state_dict())
    if name is not None:
        raise UserError(f"{path}: {name} holds NaN or infinity; remove it and `s2v weights fetch inception-v3`")
    return network.to(device)


def _line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


def load_evaluator(
    kind: str, *, folder: Path | None = None, prompt: str = "{}", device: torch.device | str = "cpu"
) -> Evaluator | None:
    """The evaluator that `evaluate.evaluator` names: `judge`, `clip_inception`, or `none`, which gives None.

    Args:
        kind: which.
        folder: of a trained judge; or of the Inception of the data's own classes, in place of ImageNet's.
        prompt: template around a class name.
        device: where to compute.

    Raises:
        UserError: its weights are not there.
    """
    if prompt.count("{}") != 1 or set(prompt.replace("{}", "")) & set("{}"):
        raise UserError(f"evaluate.prompt: {prompt!r} needs {{}} once, where the class name goes, and no other brace")
    if kind == "none":
        return None
    if kind == "judge":
        if folder is None:
            raise UserError("evaluate.evaluator: judge needs the folder of a trained judge; run stage judge first")
        return JudgeEvaluator(folder, prompt, device)
    if kind == "clip_inception":
        weights = os.environ.get(WEIGHTS_VARIABLE)
        if not weights:
            raise UserError(
                f"evaluate.evaluator: clip_inception needs the environment variable {WEIGHTS_VARIABLE}: a "
                f"folder with {CLIP_FILES[0]} ({_WHERE['clip']}) and {INCEPTION_FILE} ({_WHERE['inception']}), as `s2v "
                "weights fetch clip-vit-b32 inception-v3` brings them"
            )
        return ClipInceptionEvaluator(Path(weights), prompt, device, folder)
    raise UserError(f"evaluate.evaluator: {kind!r} is not one of judge, clip_inception, none")


__all__ = ["Clip", "ClipInceptionEvaluator", "Evaluator", "JudgeEvaluator", "batches", "load_evaluator"]
