"""Packages that only some commands need: the extra of `pip install "s2v[...]"` that brings each."""

from __future__ import annotations

import importlib.util
import platform

EXTRAS = {
    "aggdraw": "workflow",
    "decord": "workflow",
    "diffusers": "workflow",
    "gradio": "studio",
    "krippendorff": "study",
    "matplotlib": "workflow",
    "open_clip": "pretrained",
    "pandas": "workflow",
    "scipy": "workflow",
    "sklearn": "workflow",
    "starlette": "study",
    "statsmodels": "workflow",
    "tabulate": "workflow",
    "tensorboard": "workflow",
    "timm": "workflow",
    "torch_fidelity": "pretrained",
    "transformers": "pretrained",
    "uvicorn": "study",
    "webdataset": "workflow",
    "yt_dlp": "download",
}
"""{imported name: extra}"""


def advice(error: ImportError) -> str:
    """What to do about a package that is not installed, in one line."""
    name = (error.name or "").partition(".")[0]
    return _advice(name) if name in EXTRAS else f"{error}"


def absent(name: str) -> str | None:
    """What to do about an imported name of `EXTRAS` that is not installed, in one line; None where it is."""
    return _advice(name) if importlib.util.find_spec(name) is None else None


def _advice(name: str) -> str:
    system, machine = platform.system(), platform.machine()
    if name == "decord" and (system, machine) != ("Linux", "x86_64"):
        return f"decord has no build for {system} on {machine}; set extract.reader: ffmpeg, which reads the same files"
    return f'the package {name} is not installed; pip install "s2v[{EXTRAS[name]}]"'


__all__ = ["EXTRAS", "absent", "advice"]
