"""The claims of the paper, and checks of the measurements, one line each: what is said where, what is measured of it,
and the test that decides."""

from __future__ import annotations

from typing import Any, Literal

from s2v.report.claim import Claim

_ROWS = {"gan": "GAN", "ldm": "LDM", "s2i": "S2I", "audiotoken": "AudioToken"}
METRICS = {"r1": "R@1", "r5": "R@5", "fid": "FID", "is": "IS"}
_MARGINS = {"r1": 0.02, "r5": 0.02, "fid": 1.0, "is": 0.25}
"""Differences that are too little to speak of: less than the least that the paper speaks of (2.39 points of R@1)."""
_SHARE, _RHO = 0.02, 0.1
"""The same of other shares, and of correlations."""


def _difference(source: str, where: str, key: str, paper: str, statement: str, **more: Any) -> Claim:
    """Of two rows of a table in a metric, as the key says: `r1_b_minus_a`. FID is better below, the others above."""
    metric, _, rows = key.partition("_")
    first, second = (_ROWS.get(row, row.capitalize()) for row in rows.split("_minus_"))
    shares = metric in ("r1", "r5")
    quantity = f"{METRICS[metric]}, {first} minus {second}{' (points)' if shares else ''}"
    test: Literal["above", "below"] = "below" if metric == "fid" else "above"
    return Claim(
        source,
        key,
        statement,
        where,
        quantity,
        paper,
        **{"test": test, "percent": shares, "margin": _MARGINS[metric]} | more,
    )


def _of_fig15(ours: str, theirs: str, r1: str, fid: str, score: str) -> list[Claim]:
    """That a system of ours is better than another in all metrics of Figure 15's table."""
    first, second, place = ours.upper(), {"pedersoli": "Pedersoli et al.", "s2i": "S2I"}[theirs], "6.1, Fig. 15"
    return [
        _difference("table_vegas5", place, f"r1_{ours}_minus_{theirs}", r1, f"The {first} is better than {second}"),
        _difference("table_vegas5", place, f"fid_{ours}_minus_{theirs}", fid, "... in FID too"),
        _difference("table_vegas5", place, f"is_{ours}_minus_{theirs}", score, "... in IS too"),
    ]


_TABLE1, _TABLE2, _TABLE3 = ((f"table{n}", f"{where}, Table {n}") for n, where in ((1, "4.3"), (2, "4.3"), (3, "6.1")))


def _check(key: str, statement: str, quantity: str, **more: Any) -> Claim:
    """Of Table 1's rows and the controls beside them."""
    return Claim("table1", key, statement, "check of Table 1, not of the paper", quantity, "-", kind="check", **more)


def _steered(key: str, where: str, statement: str, quantity: str, percent: bool = False) -> Claim:
    """Of the pictures that sounds steer."""
    margin = _SHARE if percent else _RHO
    return Claim("control", key, statement, where, quantity, "no number", margin=margin, percent=percent)


_GAP, _SOME = "4.4, Fig. 6", "above 0, no number"
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
_SHUFFLED = "Sounds shuffled between clips give pictures of any class"
_SCRAMBLED = "Features without their joint structure give worse pictures"
_TUNED = "... and than L_nce with a tuned temperature (not a row of the paper)"
_SELECTED = "Sounds make better pictures than the selected frame too"


def _face(key: str, statement: str, quantity: str, **more: Any) -> Claim:
    """Of faces and their speakers, beside other speakers' voices."""
    margin = more.pop("margin", _SHARE if more.get("percent") else _RHO)
    told = f"{quantity}, own minus other voices"
    return Claim("faces", key, statement, "6.2, Fig. 20", told, "no number", margin=margin, **more)


def _unheard(key: str, name: str, quantity: str, margin: float = 0.3, percent: bool = False) -> Claim:
    """That nothing is told of what no voice of the embedded speakers carries."""
    return Claim(
        "faces", key, f"No face tells {name}, which no voice does", "check of Fig. 20, not of the paper",
        f"{quantity}, own minus other voices", "-", "near", margin, percent, kind="check",
    )  # fmt: skip


CLAIMS: list[Claim] = [
    _difference(*_TABLE1, "r1_b_minus_a", "10.65", _OWN_FRAME),
    _difference(*_TABLE1, "is_b_minus_a", "6.85", "... in IS too"),
    _difference(*_TABLE1, "fid_b_minus_a", "1.86", "... and in all metrics, though the paper's own FID says otherwise"),
    _difference(
        *_TABLE1, "r1_c_minus_b", "10.57", "Retrieval is a strong baseline, above Sound2Vision in R@1", primary=True
    ),
    _difference(
        *_TABLE1, "r5_c_minus_b", "3.01", "Sound2Vision is comparable with retrieval in R@5", test="near", margin=0.05
    ),
    _difference(*_TABLE1, "r1_d_minus_c", "6.54", "Real frames are the upper bound"),
    Claim(
        "table1",
        "r1_b_minus_a_top1",
        _SELECTED,
        "follows from 4.3, Table 1",
        "R@1, B minus A with the selected frame (points)",
        "-",
        margin=_MARGINS["r1"],
        percent=True,
        primary=True,
    ),
    _check("r1_d", "The evaluator names the class of real frames", "R@1, D", than=0.9, percent=True),
    _check("r1_b", "It names the class of most pictures, among ten or more", "R@1, B", than=0.6, percent=True),
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
        margin=_SHARE,
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
        margin=_SHARE,
        percent=True,
        of_pictures=True,
    ),
    *[
        _difference(
            *_TABLE2,
            f"{key}_f_minus_{row.lower()}",
            paper,
            f"The full method is better than with {without}" if key == "r1" else f"... in {METRICS[key]} too",
            primary=key == "r1" and row in PRIMARY_ROWS,
        )
        for row, (without, gains) in ABLATED.items()
        for key, paper in gains.items()
    ],
    _difference("table2", "follows from 4.3", "r1_f_minus_b_tuned", "-", _TUNED),
    _difference(*_TABLE2, "r1_e_minus_d", "2.39", "Longer sounds are better: 1/2 over 1/10"),
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
        _SOME,
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
        _RHO,
    ),
    Claim(
        "fig03",
        "top1_minus_mid",
        "The selected moment shows the source more often than the middle frame",
        "3.3, Fig. 3",
        "precision, top-1 minus middle frame (points)",
        "no number",
        margin=_SHARE,
        percent=True,
    ),
    Claim(
        "fig03",
        "top1_minus_loudest",
        "The selected moment shows the source more often than the loudest second does",
        "check of Fig. 3, not of the paper, which compares with the middle frame",
        "precision, top-1 minus the frame in the loudest second (points)",
        "-",
        margin=_SHARE,
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
        margin=_SHARE,
        percent=True,
    ),
    _difference(
        *_TABLE3, "r1_ldm_minus_gan", "9.66", "The latent diffusion model is better than the GAN", primary=True
    ),
    _difference(*_TABLE3, "r5_ldm_minus_gan", "4.25", "... in R@5 too"),
    _difference(*_TABLE3, "fid_ldm_minus_gan", "-0.74", "... in FID too"),
    _difference(*_TABLE3, "is_ldm_minus_gan", "0.09", "... in IS too"),
    _difference(*_TABLE3, "r1_ldm_minus_audiotoken", "7.26", "The latent diffusion model is better than AudioToken"),
    _difference(*_TABLE3, "r5_ldm_minus_audiotoken", "3.37", "... in R@5 too"),
    _difference(*_TABLE3, "fid_ldm_minus_audiotoken", "0.11", "... in FID too, though the paper's own says otherwise"),
    _difference(*_TABLE3, "is_ldm_minus_audiotoken", "2.63", "... in IS too"),
    _difference(*_TABLE3, "r1_gan_minus_audiotoken", "-2.40", "AudioToken is above the GAN in R@1", test="below"),
    _difference(*_TABLE3, "r5_gan_minus_audiotoken", "-0.88", "... in R@5 too", test="below"),
    _difference(*_TABLE3, "fid_gan_minus_audiotoken", "0.85", "... and in FID", test="above"),
    _difference(*_TABLE3, "is_gan_minus_audiotoken", "2.54", "The GAN is above AudioToken in IS"),
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
        _SOME,
        margin=_SHARE,
        percent=True,
    ),
    _difference("fig16", "6.1, Fig. 16", "r5_ldm_minus_gan", _SOME, "With the most classes the LDM is above the GAN"),
    _steered(
        "size_volume",
        "5.1, Fig. 8",
        "Louder sounds make larger or stronger sources",
        "Spearman's rho of volume and size",
    ),
    _steered(
        "size_volume_named",
        "5.1, Fig. 8",
        "... among pictures that still show the sound's class",
        "the same, of pictures that the judge takes for the class",
    ),
    _steered(
        "mix_both",
        "5.1, Fig. 9",
        "A mix of two sounds shows both",
        "both classes are the judge's two best, mix minus the better one alone (points)",
        percent=True,
    ),
    _steered(
        "mix_balance",
        "5.1, Fig. 10",
        "The ratio of a mix moves the balance of the picture",
        "Spearman's rho of ratio and balance",
    ),
    _steered(
        "interpolation",
        "5.2, Fig. 11",
        "Between image and sound the picture moves from one to the other",
        "Spearman's rho of lambda and the picture's likeness to the image's class over the sound's",
    ),
    _steered(
        "interpolation_background",
        "5.2, Fig. 11",
        "... and keeps the given picture's background",
        "colour difference outside the source: how much less than the sound's picture alone (share)",
        percent=True,
    ),
    Claim(
        "fig12",
        "insertion_ours_minus_lee",
        "Where as much of a picture is kept, ours shows the sound more often than Lee et al.",
        "5.2, Fig. 12",
        "share of pictures that the evaluator takes for the sound's class, at equal background kept, ours minus Lee et "
        "al. (points)",
        "no number",
        margin=_SHARE,
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
        margin=_SHARE,
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
"""In the order of the paper."""

__all__ = ["ABLATED", "CLAIMS", "PRIMARY_ROWS"]
