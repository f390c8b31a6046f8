"""Packages that only some commands need: the extra of `pip install "s2v[...]"` that brings each."""

from __future__ import annotations

EXTRAS = {
    "aggdraw": "workflow",
    "decord": "workflow",
    "diffusers": "workflow",
    "gradio": "studio",
    "matplotlib": "workflow",
    "open_clip": "pretrained",
    "pandas": "workflow",
    "scipy": "workflow",
    "sklearn": "workflow",
    "tabulate": "workflow",
    "tensorboard": "workflow",
    "timm": "workflow",
    "torch_fidelity": "pretrained",
    "transformers": "pretrained",
    "webdataset": "workflow",
    "yt_dlp": "download",
}
"""{imported name: extra}"""


def advice(error: ImportError) -> str:
    """What to do about a package that is not installed, in one line."""
    name = (error.name or "").partition(".")[0]
    if name not in EXTRAS:
        return f"{error}"
    return f'the package {name} is not installed; pip install "s2v[{EXTRAS[name]}]"'


__all__ = ["EXTRAS", "advice"]
