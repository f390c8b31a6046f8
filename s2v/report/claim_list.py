"""The claims of the paper, and checks of the measurements, one line each: what is said where, what is measured of it,
and the test that decides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Claim:
    """One claim.

    Attributes:
        source: stage that measures it; it writes `claims/{source}.json`.
        key: name of the quantity there.
        statement: what the paper says.
        where: in the paper.
        quantity: what is measured.
        paper: the paper's value of it.
        test: `above` and `below`: the 95 % interval lies above, below `than`; `near`: within `margin` of it.
        margin: of `near`, in the quantity's own unit.
        percent: whether the quantity is a share, shown in points of percent.
        than: what the interval is compared with.
        kind: `claim` of the paper, or `check` of what is measured here: of the evaluator, of controls.
    """

    source: str
    key: str
    statement: str
    where: str
    quantity: str
    paper: str
    test: Literal["above", "below", "near"] = "above"
    margin: float = 0.0
    percent: bool = False
    than: float = 0.0
    kind: Literal["claim", "check"] = "claim"

    @property
    def name(self) -> str:
        """Unique name."""
        return f"{self.source}.{self.key}"

    @property
    def rule(self) -> str:
        """The test in words."""
        scale = 100 if self.percent else 1
        than, margin = f"{scale * self.than:g}", f"{scale * self.margin:g}"
        if self.test == "near":
            return f"95 % interval within +- {margin}" + (f" of {than}" if self.than else "")
        return f"95 % interval {self.test} {than}"


def _r1(source: str, key: str, statement: str, where: str, quantity: str, paper: str) -> Claim:
    return Claim(source, key, statement, where, f"R@1, {quantity} (points)", paper, percent=True)


def _check(
    key: str,
    statement: str,
    quantity: str,
    test: Literal["above", "near"] = "above",
    *,
    than: float = 0.0,
    margin: float = 0.0,
    percent: bool = True,
) -> Claim:
    """Of Table 1's rows and the controls beside them."""
    where = "check of Table 1, not of the paper"
    return Claim("table1", key, statement, where, quantity, "-", test, margin, percent, than, "check")


_GAP = "4.4, Fig. 6"
ABLATED = {
    "A": ("L2 loss", "22.50", "-6.08"),
    "B": ("L_nce", "9.08", "-9.08"),
    "C": ("the middle frame", "3.51", "-3.23"),
    "D": ("1/10 of the sound", "4.86", "-1.08"),
    "E": ("1/2 of the sound", "2.47", "-2.46"),
}
"""Rows of Table 2 that lack something: what, and what the paper's full method gains on it in R@1 and FID."""

_TWICE = (("nce", "L_nce"), ("total", "L_total"))

CLAIMS: list[Claim] = [
    _r1(
        "table1",
        "r1_b_minus_a",
        "Sounds make better pictures than the video's own frame does with the same generator",
        "4.3, Table 1",
        "B minus A",
        "10.65",
    ),
    Claim("table1", "is_b_minus_a", "... in IS too", "4.3, Table 1", "IS, B minus A", "6.85"),
    Claim(
        "table1",
        "fid_b_minus_a",
        "... and in all metrics",
        "4.3, Table 1 (whose own FID says otherwise)",
        "FID, B minus A",
        "1.86",
        "below",
    ),
    _r1(
        "table1",
        "r1_c_minus_b",
        "Retrieval is a strong baseline, above Sound2Vision in R@1",
        "4.3, Table 1",
        "C minus B",
        "10.57",
    ),
    Claim(
        "table1",
        "r5_c_minus_b",
        "Sound2Vision is comparable with retrieval in R@5",
        "4.3, Table 1",
        "R@5, C minus B (points)",
        "3.01",
        "near",
        0.05,
        True,
    ),
    _r1("table1", "r1_d_minus_c", "Real frames are the upper bound", "4.3, Table 1", "D minus C", "6.54"),
    _check("r1_b_minus_a_top1", "Sounds make better pictures than the selected frame too", "R@1, B minus A (points)"),
    _check("r1_d", "The evaluator names the class of real frames", "R@1, D", than=0.9),
    _check("r1_b", "It names the class of most pictures, among ten classes or more", "R@1, B", than=0.6),
    _check(
        "r1_shuffled_minus_chance",
        "Sounds shuffled between clips give pictures of any class",
        "R@1, B shuffled minus chance (points)",
        "near",
        margin=0.05,
    ),
    _check(
        "fid_scrambled_minus_b",
        "Features without their joint structure give worse pictures",
        "FID, B scrambled minus B",
        percent=False,
    ),
    *[
        claim
        for row, (without, r1, fid) in ABLATED.items()
        for claim in (
            _r1(
                "table2",
                f"r1_f_minus_{row.lower()}",
                f"The full method is better than with {without}",
                "4.3, Table 2",
                f"F minus {row}",
                r1,
            ),
            Claim(
                "table2",
                f"fid_f_minus_{row.lower()}",
                "... in FID too",
                "4.3, Table 2",
                f"FID, F minus {row}",
                fid,
                "below",
            ),
        )
    ],
    _r1(
        "table2",
        "r1_f_minus_b_tuned",
        "... and than L_nce with a tuned temperature (not a row of the paper)",
        "follows from 4.3",
        "F minus B_tuned",
        "-",
    ),
    _r1("table2", "r1_e_minus_d", "Longer sounds are better: 1/2 over 1/10", "4.3, Table 2", "E minus D", "2.39"),
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
            "mean absolute cosine of centred features and the mean gap",
            "no number",
            "near",
            0.1,
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
            "length of the mean feature of unit norm, beside the gap",
            "no number",
            "near",
            0.1,
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
    ),
    Claim(
        "gap",
        "alignment_total_minus_nce",
        "The modalities are better aligned under L_total (at unit norm nearly the same as a smaller gap)",
        "4.4, Fig. 7",
        "alignment (Goel et al. 2022), L_total minus L_nce",
        "above 0, no number",
    ),
    Claim(
        "gap",
        "spearman_gap_r1",
        "A smaller gap goes with better pictures",
        "4.4",
        "Spearman's rho of magnitude and R@1 over all trainings",
        "below 0, no number",
        "below",
    ),
    Claim(
        "fig03",
        "top1_minus_mid",
        "The selected moment shows the source more often than the middle frame",
        "3.3, Fig. 3",
        "precision, top-1 minus middle frame (points)",
        "no number",
        percent=True,
    ),
    Claim(
        "fig05",
        "share_minus_chance",
        "The model attends to the sound that matters",
        "4.2, Fig. 5",
        "share of Grad-CAM in the sounding interval minus its share of time (points)",
        "no number",
        percent=True,
    ),
    _r1(
        "table3",
        "r1_ldm_minus_gan",
        "The latent diffusion model is better than the GAN",
        "6.1, Table 3",
        "LDM minus GAN",
        "9.66",
    ),
    Claim(
        "table3",
        "r5_ldm_minus_gan",
        "... in R@5 too",
        "6.1, Table 3",
        "R@5, LDM minus GAN (points)",
        "4.25",
        percent=True,
    ),
    Claim("table3", "fid_ldm_minus_gan", "... in FID too", "6.1, Table 3", "FID, LDM minus GAN", "-0.74", "below"),
    Claim("table3", "is_ldm_minus_gan", "... in IS too", "6.1, Table 3", "IS, LDM minus GAN", "0.09"),
    Claim(
        "fig16",
        "fall_gan_minus_ldm",
        "With more classes the LDM falls more gently than the GAN",
        "6.1, Fig. 16",
        "fall of R@5 from the fewest to the most classes, GAN minus LDM (points)",
        "above 0, no number",
        percent=True,
    ),
    Claim(
        "fig16",
        "r5_ldm_minus_gan",
        "With the most classes the LDM is above the GAN",
        "6.1, Fig. 16",
        "R@5, LDM minus GAN (points)",
        "above 0, no number",
        percent=True,
    ),
    Claim(
        "control",
        "size_volume",
        "Louder sounds make larger or stronger sources",
        "5.1, Fig. 8",
        "Spearman's rho of volume and size",
        "no number",
    ),
    Claim(
        "control",
        "size_volume_named",
        "... among pictures that still show the sound's class",
        "5.1, Fig. 8",
        "the same, of pictures that the judge takes for the class",
        "no number",
    ),
    Claim(
        "control",
        "mix_both",
        "A mix of two sounds shows both",
        "5.1, Fig. 9",
        "both classes are the judge's two best, mix minus the better one alone (points)",
        "no number",
        percent=True,
    ),
    Claim(
        "control",
        "mix_balance",
        "The ratio of a mix moves the balance of the picture",
        "5.1, Fig. 10",
        "Spearman's rho of ratio and balance",
        "no number",
    ),
    Claim(
        "control",
        "interpolation",
        "Between image and sound the picture moves from one to the other",
        "5.2, Fig. 11",
        "Spearman's rho of lambda and the picture's likeness to the image's class over the sound's",
        "no number",
    ),
    Claim(
        "control",
        "interpolation_background",
        "... and keeps the given picture's background",
        "5.2, Fig. 11",
        "colour difference outside the source: how much less than the sound's picture alone (share)",
        "no number",
        percent=True,
    ),
    Claim(
        "control",
        "edit_size",
        "Moving along a volume direction edits a picture",
        "5.2, Fig. 13",
        "Spearman's rho of the step and size",
        "no number",
    ),
    Claim(
        "control",
        "edit_identity",
        "... and keeps what the picture shows",
        "5.2, Fig. 13",
        "feature distance to the unedited picture: how much less than to others of its class (share)",
        "no number",
        percent=True,
    ),
]
"""In the order of the paper."""

__all__ = ["ABLATED", "CLAIMS", "Claim"]
