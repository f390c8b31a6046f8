"""What a row of Table 2 is, in words. Rules read this, so it imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from s2v.config import AblationRow, AlignConfig, Config

LOSSES = {"l2": "L2", "nce": "L_nce", "total": "L_total", "total_raw": "L_total, raw features"}


@dataclass(frozen=True)
class Ablation:
    """A row of the table, in words."""

    loss: str
    temperature: float
    frame: str
    window_s: float
    closed: bool = False
    at: str = "start"
    hears: str = "trained"

    @classmethod
    def of(cls, row: AblationRow, align: AlignConfig, mode: str) -> Ablation:
        """What a row makes of alignment; `mode` is select.mode."""
        made = row.of(align)
        return cls(
            LOSSES[made.loss],
            made.temperature,
            row.frame or mode,
            made.audio.window_s,
            row.closed,
            row.window_at,
            made.backbone or "trained",
        )


def shown_losses(config: Config) -> dict[str, str]:
    """Rows whose gaps the figures compare: the one of L_nce as the paper has it, and the one of L_total.

    A loss that no row has is left out.
    """
    found: dict[str, str] = {}
    for name, row in config.ablation.wanted().items():
        made = row.of(config.align)
        plain = not row.model_dump(exclude={"loss"}, exclude_defaults=True)
        if plain and made.loss in ("nce", "total"):
            found.setdefault(made.loss, name)
    return found


__all__ = ["LOSSES", "Ablation", "shown_losses"]
