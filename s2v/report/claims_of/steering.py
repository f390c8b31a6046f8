"""Claims of pictures that sounds steer and edit, and of Lee et al. (paper 5)."""

from __future__ import annotations

from s2v.report.claim import Claim
from s2v.report.claims_of.common import RHO, SHARE


def _steered(
    key: str, where: str, statement: str, quantity: str, percent: bool = False, source: str = "control"
) -> Claim:
    """Of the pictures that sounds steer."""
    margin = SHARE if percent else RHO
    return Claim(source, key, statement, where, quantity, "no number", margin=margin, percent=percent)


_VOLUME = "Spearman's rho of volume and size"
_VOLUME_NAMED = "the same, of pictures that the judge takes for the class"
_BETWEEN = (
    "Spearman's rho of lambda and the picture's likeness to the image's class over the sound's, minus that of a plain "
    "blend of pixels"
)


STEERING: list[Claim] = [
    _steered(
        "size_volume",
        "5.1, Fig. 8",
        "Louder sounds make larger or stronger sources",
        _VOLUME,
    ),
    _steered(
        "size_volume_named",
        "5.1, Fig. 8",
        "... among pictures that still show the sound's class",
        _VOLUME_NAMED,
    ),
    _steered(
        "size_distance",
        "5.1, Fig. 8",
        "Nearer sources, by their sounds, look larger",
        "Spearman's rho of nearness and size, of pictures that the judge takes for the class",
    ),
    _steered(
        "mix_both",
        "5.1, Fig. 9",
        "A mix of two sounds shows both",
        "both classes are the judge's two best, mix minus the better one alone (points)",
        percent=True,
    ),
    _steered(
        "mix_duet",
        "5.1, Fig. 9",
        "... and comes nearer to a real picture of both sources than the sounds alone do",
        "distance of the judge's features: how much less than the nearer one of those alone (share)",
        percent=True,
    ),
    _steered(
        "mix_balance",
        "5.1, Fig. 10",
        "The ratio of a mix moves the balance of the picture",
        "Spearman's rho of ratio and balance",
    ),
    _steered(
        "mix_size",
        "5.1, Fig. 10",
        "... and the source looks smaller as the other sound grows",
        "Spearman's rho of ratio and size, of pictures that the judge takes for the source's class",
    ),
    _steered(
        "interpolation",
        "5.2, Fig. 11",
        "Between image and sound the picture moves from one to the other, more steadily than a blend of pixels does",
        _BETWEEN,
    ),
    _steered(
        "interpolation_background",
        "5.2, Fig. 11",
        "... and keeps more of the given picture's background",
        "colour difference outside the source: how much less than the sound's picture alone (share), minus that of a "
        "plain blend of pixels",
        percent=True,
    ),
    _steered(
        "size_volume",
        "6.1, Fig. 18",
        "Louder sounds make larger or stronger sources with the latent diffusion model, too",
        _VOLUME,
        source="control_ldm",
    ),
    _steered(
        "size_volume_named",
        "6.1, Fig. 18",
        "... among pictures that still show the sound's class",
        _VOLUME_NAMED,
        source="control_ldm",
    ),
    _steered(
        "interpolation",
        "6.1, Fig. 19",
        "It, too, goes from image to sound, more steadily than a blend of pixels does",
        _BETWEEN,
        source="control_ldm",
    ),
    Claim(
        "fig12",
        "insertion_ours_minus_lee",
        "Where as much of a picture is kept, ours shows the sound more often than Lee et al.",
        "5.2, Fig. 12",
        "share of pictures that the evaluator takes for the sound's class, at equal background kept, ours minus Lee et "
        "al. (points)",
        "no number",
        margin=SHARE,
        percent=True,
    ),
    Claim(
        "fig12",
        "insertion_moved_minus_lee",
        "Moving along the sound's volume (the edit of Fig. 13) shows it more often than Lee et al., too",
        "check of Figure 12, not of the paper, which compares it with nobody",
        "the sound's class is named, at equal background kept, ours along volume minus Lee et al. (points)",
        "-",
        percent=True,
        kind="check",
    ),
    *[
        Claim(
            "fig12",
            f"insertion_{key}_minus_shuffled",
            f"{name} shows the sound that it hears",
            "check of Figure 12, not of the paper",
            "the sound's class is named, at the weight that edits most, minus that of the other pairs' (points)",
            "-",
            percent=True,
            kind="check",
        )
        for key, name in (
            ("lee", "Editing by Lee et al."),
            ("ours", "Editing by ours"),
            ("moved", "Moving along the sound's volume"),
        )
    ],
    Claim(
        "fig12",
        "volume_lee",
        "The sound's volume does not reach Lee et al.",
        "follows from their spectrogram",
        "1 - cosine of a sound's features at -24 and 0 dB in their joint space",
        "-",
        "near",
        0.01,
        kind="check",
    ),
    _steered(
        "edit_size",
        "5.2, Fig. 13",
        "Moving along a volume direction edits a picture",
        "Spearman's rho of the step and size, minus that of a step as long in a random direction",
    ),
    _steered(
        "edit_identity",
        "5.2, Fig. 13",
        "... and keeps what the picture shows",
        "feature distance to the unedited picture: how much less than to others of its class (share), minus that of a "
        "step as long in a random direction",
        percent=True,
    ),
]

__all__ = ["STEERING"]
