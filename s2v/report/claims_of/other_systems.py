"""Claims of the second generator and of other systems: Table 3, Figures 15 and 16 (paper 6.1)."""

from __future__ import annotations

from typing import Any

from s2v.report.claim import Claim
from s2v.report.claims_of.common import SHARE, SOME, difference, table

TABLE3 = table(3, "6.1")


def _of_fig15(ours: str, theirs: str, r1: str, fid: str, score: str) -> list[Claim]:
    """That a system of ours is better than another in all metrics of Figure 15's table."""
    first, second, place = ours.upper(), {"pedersoli": "Pedersoli et al.", "s2i": "S2I"}[theirs], "6.1, Fig. 15"
    return [
        difference("table_vegas5", place, f"r1_{ours}_minus_{theirs}", r1, f"The {first} is better than {second}"),
        difference("table_vegas5", place, f"fid_{ours}_minus_{theirs}", fid, "... in FID too"),
        difference("table_vegas5", place, f"is_{ours}_minus_{theirs}", score, "... in IS too"),
    ]


def _family(name: str, statement: str, **more: Any) -> Claim:
    """Of the classes of Figure 16 (b)."""
    quantity = f"R@5 of classes of {name}, LDM minus GAN (points)"
    key = f"r5_ldm_minus_gan_{name}"
    return Claim(
        "fig16", key, statement, "6.1, Fig. 16 (b)", quantity, SOME, **{"percent": True, "margin": SHARE} | more
    )


OTHER_SYSTEMS: list[Claim] = [
    difference(*TABLE3, "r1_ldm_minus_gan", "9.66", "The latent diffusion model is better than the GAN", primary=True),
    difference(*TABLE3, "r5_ldm_minus_gan", "4.25", "... in R@5 too"),
    difference(*TABLE3, "fid_ldm_minus_gan", "-0.74", "... in FID too"),
    difference(*TABLE3, "is_ldm_minus_gan", "0.09", "... in IS too"),
    difference(*TABLE3, "r1_ldm_minus_audiotoken", "7.26", "The latent diffusion model is better than AudioToken"),
    difference(*TABLE3, "r5_ldm_minus_audiotoken", "3.37", "... in R@5 too"),
    difference(*TABLE3, "fid_ldm_minus_audiotoken", "0.11", "... in FID too, though the paper's own says otherwise"),
    difference(*TABLE3, "is_ldm_minus_audiotoken", "2.63", "... in IS too"),
    difference(*TABLE3, "r1_gan_minus_audiotoken", "-2.40", "AudioToken is above the GAN in R@1", test="below"),
    difference(*TABLE3, "r5_gan_minus_audiotoken", "-0.88", "... in R@5 too", test="below"),
    difference(*TABLE3, "fid_gan_minus_audiotoken", "0.85", "... and in FID", test="above"),
    difference(*TABLE3, "is_gan_minus_audiotoken", "2.54", "The GAN is above AudioToken in IS"),
    Claim(
        "table3",
        "r1_audiotoken_minus_shuffled",
        "AudioToken's pictures are of its sounds",
        "check of Table 3, not of the paper",
        "R@1, AudioToken minus its conditions shuffled (points)",
        "-",
        percent=True,
        kind="check",
    ),
    *_of_fig15("gan", "pedersoli", "54.48", "-84.00", "2.82"),
    *_of_fig15("gan", "s2i", "38.39", "-80.16", "2.56"),
    *_of_fig15("ldm", "pedersoli", "56.21", "-86.16", "2.85"),
    *_of_fig15("ldm", "s2i", "40.12", "-82.32", "2.59"),
    *[
        Claim(
            "table_vegas5",
            f"r1_{name}_minus_shuffled",
            f"{title} hears what it paints",
            "check of Figure 15's table, not of the paper",
            f"R@1, {title} minus the same with its sounds shuffled (points)",
            "-",
            percent=True,
            kind="check",
        )
        for name, title in (("pedersoli", "Pedersoli et al."), ("s2i", "S2I"))
    ],
    Claim(
        "fig16",
        "fall_gan_minus_ldm",
        "With more classes the LDM falls more gently than the GAN",
        "6.1, Fig. 16",
        "fall of R@5 from the fewest to the most classes, GAN minus LDM (points)",
        SOME,
        margin=SHARE,
        percent=True,
    ),
    difference("fig16", "6.1, Fig. 16", "r5_ldm_minus_gan", SOME, "With the most classes the LDM is above the GAN"),
    _family("animals", "Of animals both are as good", test="near", margin=0.05),
    _family("people", "Of people the LDM is above the GAN"),
]

__all__ = ["OTHER_SYSTEMS"]
