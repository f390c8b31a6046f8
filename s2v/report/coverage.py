"""coverage.png: which part of each split, and of the classes that lost most, was left out, and why."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from s2v.data.coverage import Share, read_shares
from s2v.errors import Reason
from s2v.report.canvas import open_frame, save

WORST = 30
"""Classes that have a bar; the title says of how many."""

MAX_REASONS = 12
"""Reasons with a colour of their own; the rarest of more are one."""

_OTHER = "other reasons"
_USED, _REST = "0.88", "0.2"
# A reason's colour is its own in every figure.
_PALETTE = [*colormaps["tab20"].colors[::2], *colormaps["tab20"].colors[1::2], *colormaps["tab20b"].colors]  # type: ignore[attr-defined]
_COLOURS = {str(reason): _PALETTE[i % len(_PALETTE)] for i, reason in enumerate(Reason)} | {_OTHER: _REST}


def run(*, by_class: Path, output: Path, dpi: int = 150) -> None:
    """Draw coverage.png.

    Args:
        by_class: coverage_by_class.csv.
        output: PNG.
        dpi: of the PNG.
    """
    save(draw(read_shares(by_class)), output, dpi)


def merged(shares: Iterable[Share], by: str) -> list[Share]:
    """Shares summed by `label` or `split`, sorted by it."""
    found: dict[str, Share] = {}
    for share in shares:
        whole = found.setdefault(getattr(share, by), Share(share.label, share.split))
        whole.got += share.got
        for reason, n in share.reasons.items():
            whole.reasons[reason] = whole.reasons.get(reason, 0) + n
    return [found[name] for name in sorted(found)]


def worst(shares: Iterable[Share], n: int = WORST) -> list[Share]:
    """The `n` classes with the largest part left out, equal ones by number of clips, then by name."""
    lossy = [share for share in merged(shares, "label") if share.lost]
    return sorted(lossy, key=lambda share: (-share.lost / share.wanted, -share.lost, share.label))[:n]


def draw(shares: list[Share]) -> Figure:
    """The figure: a bar a split, and below one a class for the worst, where there are classes and clips were lost.

    It is not registered with pyplot, so nothing is left open.
    """
    splits = merged(shares, "split")
    classes = worst(shares) if any(share.label for share in shares) else []
    counts: Counter[str] = Counter()
    for share in shares:
        counts.update(share.reasons)
    shown = [reason for reason, _ in counts.most_common(MAX_REASONS)]
    heights = [max(1, len(splits)), *([len(classes)] if classes else [])]
    figure = Figure(figsize=(10, 1.9 + 0.24 * sum(heights) + (0.7 if classes else 0)), layout="constrained")
    panels = figure.subplots(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0]
    _bars(panels[0], [(share.split, share) for share in splits], shown)
    lost, wanted = sum(share.lost for share in shares), sum(share.wanted for share in shares)
    panels[0].set_title(f"{wanted - lost:,} of {wanted:,} clips went through; {lost:,} were left out", **_TITLE)
    if classes:
        total = len(merged(shares, "label"))
        _bars(panels[1], [(share.label or "(none)", share) for share in classes], shown)
        what = f"The {len(classes)} of {total} classes with the largest part left out"
        panels[1].set_title(what if total > len(classes) else "Classes of which clips were left out", **_TITLE)
    panels[-1].set_xlabel("% of the clips that were wanted; at the right: used / wanted", fontsize=8)
    handles, names = panels[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=min(5, len(names)), fontsize=8, frameon=False)
    return figure


_TITLE: dict[str, Any] = {"fontsize": 9, "loc": "left"}


def _bars(axes: Axes, named: list[tuple[str, Share]], shown: list[str]) -> None:
    """Stacked horizontal bars to 100 %, the first at the top."""
    places = range(len(named))
    whole = [max(1, share.wanted) for _, share in named]
    parts: dict[str, list[int]] = {"used": [share.got for _, share in named]}
    for reason in shown:
        parts[reason] = [share.reasons.get(reason, 0) for _, share in named]
    rest = [share.wanted - sum(part[i] for part in parts.values()) for i, (_, share) in enumerate(named)]
    if any(rest) or len({reason for _, share in named for reason in share.reasons} - set(shown)):
        parts[_OTHER] = rest
    left = [0.0] * len(named)
    for name, part in parts.items():
        widths = [100 * n / total for n, total in zip(part, whole, strict=True)]
        axes.barh(places, widths, left=left, height=0.8, color=_COLOURS.get(name, _USED), label=name)
        left = [a + b for a, b in zip(left, widths, strict=True)]
    for place, (_, share) in zip(places, named, strict=True):
        axes.text(101, place, f"{share.got:,} / {share.wanted:,}", va="center", fontsize=7)
    # A `$` in a name is no formula.
    names = [textwrap.shorten(name, 42, placeholder="...").replace("$", r"\$") for name, _ in named]
    axes.set_yticks(list(places), names, fontsize=8)
    axes.tick_params(axis="x", labelsize=7)
    axes.invert_yaxis()
    axes.margins(y=0.01)
    axes.set_xlim(0, 112)
    axes.set_xticks(range(0, 101, 20))
    open_frame(axes)


__all__ = ["draw", "merged", "run", "worst"]
