"""Claims of faces from voices (paper 6.2)."""

from __future__ import annotations

from typing import Any

from s2v.report.claim import Claim
from s2v.report.claims_of.common import RHO, SHARE


def _face(key: str, statement: str, quantity: str, **more: Any) -> Claim:
    """Of faces and their speakers, beside other speakers' voices."""
    margin = more.pop("margin", SHARE if more.get("percent") else RHO)
    told = f"{quantity}, own minus other voices"
    return Claim("faces", key, statement, "6.2, Fig. 20", told, "no number", margin=margin, **more)


def _unheard(key: str, name: str, quantity: str, margin: float = 0.3, percent: bool = False) -> Claim:
    """That nothing is told of what no voice of the embedded speakers carries."""
    return Claim(
        "faces", key, f"No face tells {name}, which no voice does", "check of Fig. 20, not of the paper",
        f"{quantity}, own minus other voices", "-", "near", margin, percent, kind="check",
    )  # fmt: skip


FACES: list[Claim] = [
    _face("sex", "Speech tells the face's sex", "balanced accuracy of the sex (points)", percent=True),
    _face("age", "... and its age", "rank correlation of the age"),
    Claim(
        "faces",
        "vintage",
        "Speech that comes as from an old film gives greyer faces",
        "6.2, Fig. 20",
        "mean spread of a pixel's colours (0 to 1), new minus old sound",
        "no number",
        margin=0.01,
    ),
    _face("R@1", "Faces resemble their speakers'", "R@1 among fifty people (points)", percent=True, margin=0.01),
    _face("mesh", "Heads resemble their speakers'", "distance of the heads in mm", test="below", margin=0.2),
    Claim(
        "fig21",
        "both",
        "Speech and an environment's sound are both seen in one picture",
        "6.2, Fig. 21",
        "share of pairs of which the speaker's sex and the scene are named, own minus other pairs (points)",
        "no number",
        margin=SHARE,
        percent=True,
    ),
    _unheard("skin", "the skin's colour", "rank correlation of the skin"),
    _unheard("hair", "the colour of hair that is not grey", "rank correlation of the hair under 36 years"),
    _unheard("african", "the first axis of ethnic shape", "rank correlation of `african`"),
    _unheard("asian", "the second one", "rank correlation of `asian`"),
    _unheard(
        "R@1_alike",
        "who it is among people of a sex and an age",
        "R@1 among fifty of the same (points)",
        margin=0.05,
        percent=True,
    ),
]

__all__ = ["FACES"]
