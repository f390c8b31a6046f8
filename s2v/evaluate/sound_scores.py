"""The field's scores of pictures and their sounds (AIS), and of pictures and their real frames (IIS).

The same names mean different numbers in different papers, so the name of a score says its variant, the network, and
what a picture is compared over: `AIS-percentile/NETWORK/sounds` (the line of AudioToken and SonicDiffusion),
`AIS-zscore/NETWORK/pictures` and `AIS-cosine/NETWORK` (MACS).
"""

from __future__ import annotations

from torch import Tensor


def percentiles(similarity: Tensor) -> Tensor:
    """Share of the other clips whose sound (or frame) fits a picture worse than its own, [N]; ties count half.

    0.5 is chance, and what a network gives that cannot tell anything apart; 1 is best.

    Args:
        similarity: float [N, N], of picture i to the sound (or frame) of clip j, N >= 2.
    """
    own, n = similarity.diagonal()[:, None], len(similarity)
    if n < 2:
        raise ValueError("a percentile over one clip")
    below = (similarity < own).sum(1) + 0.5 * ((similarity == own).sum(1) - 1)
    return below.double() / (n - 1)


def zscores(similarity: Tensor) -> Tensor:
    """How far a picture fits the sound (or frame) of its clip better than all pictures do on average, [N].

    In deviations of that sound's similarities to all pictures; 0 is chance, and where all pictures fit alike.
    """
    x = similarity.double()
    spread = x.std(0, correction=0)
    return ((x.diagonal() - x.mean(0)) / spread.clamp(min=1e-12)) * (spread > 1e-12)


def scores(kind: str, network: str, over: str, similarity: Tensor, cosine: bool = True) -> dict[str, Tensor]:
    """All variants of a score, by their full names, [N] each.

    Args:
        kind: AIS or IIS.
        network: what made the similarities, such as `Wav2CLIP+B32`.
        over: what the percentile is over: sounds, or frames.
        similarity: float [N, N], of picture i to the sound (or frame) of clip j.
        cosine: whether these are cosines; their mean is no score otherwise.
    """
    found = {
        f"{kind}-percentile/{network}/{over}": percentiles(similarity),
        f"{kind}-zscore/{network}/pictures": zscores(similarity),
    }
    return found | ({f"{kind}-cosine/{network}": similarity.diagonal().double()} if cosine else {})


__all__ = ["percentiles", "scores", "zscores"]
