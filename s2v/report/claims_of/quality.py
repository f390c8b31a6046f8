"""Claims of pictures and their alignment: Tables 1 and 2, the gap, selection, attention (paper 3.3, 4.2 to 4.4)."""

from __future__ import annotations

from typing import Any

from s2v.report.claim import Claim
from s2v.report.claims_of.common import MARGINS, METRICS, RHO, SHARE, SOME, difference, table

TABLE1 = table(1, "4.3")
TABLE2 = table(2, "4.3")
_GAP = "4.4, Fig. 6"
ABLATED = {
    "A": ("L2 loss", {"r1": "22.50", "r5": "30.67", "fid": "-6.08", "is": "9.49"}),
    "B": ("L_nce", {"r1": "9.08", "r5": "11.32", "fid": "-9.08", "is": "6.54"}),
    "C": ("the middle frame", {"r1": "3.51", "r5": "4.23", "fid": "-3.23", "is": "1.95"}),
    "D": ("1/10 of the sound", {"r1": "4.86", "r5": "5.34", "fid": "-1.08", "is": "1.59"}),
    "E": ("1/2 of the sound", {"r1": "2.47", "r5": "1.60", "fid": "-2.46", "is": "0.65"}),
}
"""Rows of Table 2 that lack something: what, and by how much the paper's full method is above them in a metric."""

PRIMARY_ROWS = ("A", "B", "C", "D")
"""Of these, those whose R@1 is a primary claim."""

_TWICE = (("nce", "L_nce"), ("total", "L_total"))
_OWN_FRAME = "Sounds make better pictures than the video's own frame does with the same generator"
_HEARD = "Pictures are of their own sound's class, more than those of another's"
_SHUFFLED = "Sounds shuffled between clips give pictures of any class"
_SCRAMBLED = "Features without their joint structure give worse pictures"
_AROUND = "... and than with 1/10 of the sound around the chosen frame (not a row of the paper)"
_TUNED = "... and than L_nce with a tuned temperature (not a row of the paper)"
_CLOSED = "Closing the mean gap afterwards makes pictures better (not a row of the paper)"
_SELECTED = "Sounds make better pictures than a frame that shows the source does"


def _check(key: str, statement: str, quantity: str, **more: Any) -> Claim:
    """Of Table 1's rows and the controls beside them."""
    return Claim("table1", key, statement, "check of Table 1, not of the paper", quantity, "-", kind="check", **more)


QUALITY: list[Claim] = [
    difference(*TABLE1, "r1_b_minus_a", "10.65", _OWN_FRAME),
    difference(*TABLE1, "is_b_minus_a", "6.85", "... in IS too"),
    difference(*TABLE1, "fid_b_minus_a", "1.86", "... and in all metrics, though the paper's own FID says otherwise"),
    difference(
        *TABLE1, "r1_c_minus_b", "10.57", "Retrieval is a strong baseline, above Sound2Vision in R@1", primary=True
    ),
    difference(
        *TABLE1, "r5_c_minus_b", "3.01", "Sound2Vision is comparable with retrieval in R@5", test="near", margin=0.05
    ),
    difference(*TABLE1, "r1_d_minus_c", "6.54", "Real frames are the upper bound"),
    Claim(
        "table1",
        "r1_b_minus_a_top1",
        _SELECTED,
        "follows from 4.3, Table 1",
        "R@1, B minus A with the selected frame (points), where that shows the source",
        "-",
        margin=MARGINS["r1"],
        percent=True,
        primary=True,
    ),
    Claim(
        "table1",
        "similar_told_apart",
        "It tells similar classes apart, as waterfalls and sea waves",
        "4.2",
        "pictures that are taken for their class, minus those taken for the other of its pair (points)",
        SOME,
        margin=SHARE,
        percent=True,
    ),
    _check("r1_d", "The evaluator names the class of real frames", "R@1, D", than=0.9, percent=True),
    _check("r1_b", "It names the class of most pictures, among ten or more", "R@1, B", than=0.6, percent=True),
    _check("r1_b_minus_shuffled", _HEARD, "R@1, B minus B shuffled (points)", percent=True),
    _check(
        "r1_shuffled_minus_chance",
        _SHUFFLED,
        "R@1, B shuffled minus chance (points)",
        test="near",
        margin=0.05,
        percent=True,
    ),
    _check("fid_scrambled_minus_b", _SCRAMBLED, "FID, B scrambled minus B"),
    _check(
        "diversity_b_over_d",
        "Pictures of one sound differ half as much as real frames of one class, or more",
        "mean distance of the evaluator's features, two pictures of a sound over two real frames of a class",
        than=0.5,
    ),
    Claim(
        "table1b",
        "recall_ours_minus_icgan",
        "People choose its pictures rather than ICGAN's of the same pair",
        "4.3, Table 1 (b)",
        "recall, ours minus ICGAN (points)",
        "above 0, no number",
        margin=SHARE,
        percent=True,
        of_pictures=True,
    ),
    Claim(
        "table1b",
        "precision_minus_chance",
        "People find the picture of a sound among four",
        "4.3, Table 1 (b)",
        "precision minus chance, 25 % (points)",
        "58.8",
        margin=SHARE,
        percent=True,
        of_pictures=True,
    ),
    *[
        difference(
            *TABLE2,
            f"{key}_f_minus_{row.lower()}",
            paper,
            f"The full method is better than with {without}" if key == "r1" else f"... in {METRICS[key]} too",
            primary=key == "r1" and row in PRIMARY_ROWS,
        )
        for row, (without, gains) in ABLATED.items()
        for key, paper in gains.items()
    ],
    difference("table2", "follows from 4.3", "r1_f_minus_d_moment", "-", _AROUND),
    difference("table2", "follows from 4.3", "r1_f_minus_b_tuned", "-", _TUNED),
    difference("table2", "follows from 4.4", "r1_f_minus_f_closed", "-", _CLOSED, test="below"),
    difference(*TABLE2, "r1_e_minus_d", "2.39", "Longer sounds are better: 1/2 over 1/10"),
    *[
        Claim(
            "gap",
            f"cv_{key}",
            f"The gap is nearly constant in size under {name}",
            _GAP,
            "coefficient of variation of its magnitude",
            "no number",
            "near",
            0.1,
        )
        for key, name in _TWICE
    ],
    *[
        Claim(
            "gap",
            f"orthogonality_{side}_{key}",
            f"The gap is orthogonal to the features of {sides} under {name}",
            _GAP,
            "mean absolute cosine of centred features and the mean gap, minus that of a direction as random as they",
            "no number",
            "below",
            0.02,
        )
        for key, name in _TWICE
        for side, sides in (("image", "pictures"), ("sound", "sounds"))
    ],
    *[
        Claim(
            "gap",
            f"centre_{key}",
            f"The centre of the features beside the gap is near zero under {name}",
            _GAP,
            "length of the mean feature of unit norm beside the gap, minus that beside a direction as random as they",
            "no number",
            "below",
            0.02,
        )
        for key, name in _TWICE
    ],
    Claim(
        "gap",
        "magnitude_total_minus_nce",
        "The gap is smaller under L_total than under L_nce",
        "4.4, Fig. 6 and 7",
        "mean magnitude, L_total minus L_nce",
        "below 0, no number",
        "below",
        0.02,
        primary=True,
    ),
    Claim(
        "gap",
        "alignment_total_minus_nce",
        "The modalities are better aligned under L_total (at unit norm nearly the same as a smaller gap)",
        "4.4, Fig. 7",
        "alignment (Goel et al. 2022), L_total minus L_nce",
        SOME,
        margin=0.02,
    ),
    Claim(
        "gap",
        "spearman_gap_r1",
        "A smaller gap goes with better pictures",
        "4.4",
        "Spearman's rho of magnitude and R@1 over all trainings",
        "below 0, no number",
        "below",
        RHO,
    ),
    *[
        Claim(
            "gap",
            f"spearman_{part}_r1",
            f"... and {what} with them",
            "Liu et al., arXiv 2604.00279, not of the paper",
            f"Spearman's rho of {what} and R@1 over all trainings",
            "-",
            "below",
            RHO,
            kind="check",
        )
        for part, what in (("centroid", "a smaller gap between the centroids"), ("distribution", "what is left of it"))
    ],
    Claim(
        "fig03",
        "top1_minus_mid",
        "The selected moment shows the source more often than the middle frame",
        "3.3, Fig. 3",
        "precision, top-1 minus middle frame (points)",
        "no number",
        margin=SHARE,
        percent=True,
    ),
    Claim(
        "fig03",
        "top1_minus_loudest",
        "The selected moment shows the source more often than the loudest second does",
        "check of Fig. 3, not of the paper, which compares with the middle frame",
        "precision, top-1 minus the frame in the loudest second (points)",
        "-",
        margin=SHARE,
        percent=True,
        kind="check",
    ),
    Claim(
        "fig05",
        "share_minus_chance",
        "The model attends to the sound that matters",
        "4.2, Fig. 5",
        "share of Grad-CAM in the sounding interval minus its share of time (points)",
        "no number",
        margin=SHARE,
        percent=True,
    ),
]

__all__ = ["ABLATED", "QUALITY"]
