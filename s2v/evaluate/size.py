"""How large, or how strong, the source of a picture looks: an estimator that learns from the judge split alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import GroupKFold, cross_val_predict
from torch import Tensor

from s2v.data.reader import read_images
from s2v.evaluate.evaluators import Evaluator
from s2v.world.recipe import Clip, clip_seed, photos

if TYPE_CHECKING:
    from s2v.config import WorldConfig

ALPHAS = np.logspace(-3, 3, 13)


@dataclass(frozen=True)
class SizeEstimator:
    """Ridge regression from the evaluator's features to the logarithm of the apparent height, one for each class.

    Attributes:
        evaluator: whose features are read.
        models: class -> regression.
        agreement: class -> Spearman's rho of estimate and truth on reels that a fold had not seen.
    """

    evaluator: Evaluator
    models: dict[str, RidgeCV]
    agreement: dict[str, float]

    def __call__(self, pictures: Tensor, label: str) -> NDArray[np.float64]:
        """Estimated logarithm of the height of pictures uint8 [N, 3, R, R] of a class, [N]."""
        found: NDArray[np.float64] = self.models[label].predict(_features(self.evaluator, pictures))
        return found


def _features(evaluator: Evaluator, pictures: Tensor) -> NDArray[np.float64]:
    return evaluator.features(pictures).double().numpy()


def learn(evaluator: Evaluator, packs: list[Path], config: WorldConfig, split: str, px: int) -> SizeEstimator:
    """Fit it to the reels of a split, whose truth follows from the world's recipe.

    Args:
        evaluator: the judge.
        packs: packed shards of the split, every frame kept.
        config: the world's.
        split: name of the split.
        px: side at which pictures are seen: that of the generator's, so that both are equally blurred.
    """
    pictures, keys, labels = read_images(packs, px)
    features = _features(evaluator, pictures)
    truth: dict[str, list[float]] = {}
    heights, reels = [], []
    for key, label in zip(keys, labels, strict=True):
        reel, _, number = key.rpartition("-")
        if reel not in truth:
            index = int(reel.rpartition("-")[2])
            clip = Clip(split, label or "", index, clip_seed(config.seed, split, label or "", index))
            truth[reel] = [scene.height for scene in photos(clip, config.photos_per_reel)]
        heights.append(np.log(truth[reel][min(int(number), config.photos_per_reel - 1)]))
        reels.append(reel)
    models, agreement = {}, {}
    for name in sorted({label for label in labels if label}):
        own = [i for i, label in enumerate(labels) if label == name]
        x, y, groups = features[own], np.array(heights)[own], [reels[i] for i in own]
        models[name] = RidgeCV(ALPHAS).fit(x, y)
        folds = GroupKFold(min(5, len(set(groups)))) if len(set(groups)) > 1 else None
        guess = cross_val_predict(RidgeCV(ALPHAS), x, y, groups=groups, cv=folds) if folds else y * 0
        agreement[name] = float(spearmanr(guess, y).statistic) if len(set(guess)) > 1 else 0.0
    return SizeEstimator(evaluator, models, agreement)


__all__ = ["SizeEstimator", "learn"]
