"""The page itself: what is where, and which words stand beside it."""

from __future__ import annotations

import secrets
import tempfile
from pathlib import Path
from typing import Any

import gradio as gr
import soundfile

from s2v.errors import UserError
from s2v.studio.painter import KEPT_S, SOUNDS, SWEEP_EVERY_S, Painter, Request
from s2v.world.sample import sample
from s2v.world.sound import RATE

LOUDEST_DB, SOFTEST_DB = 20, -40
CSS = """
.gradio-container {max-width: 1200px !important; margin: auto}
footer {display: none !important}
.pictures .grid-wrap {height: auto !important; min-height: 0 !important; max-height: none !important}
.pictures {min-height: 0 !important}
"""
SYSTEM_FONTS = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif"]
LABELS = {"gan": "GAN", "ldm": "LDM", "unclip": "Stable unCLIP"}
WAITING = 100
"""Requests that may queue; more are told to come again."""


_RAW: dict[str, Any] = {"api_visibility": "private", "concurrency_id": "one", "preprocess": False}
"""All that is asked for is done one after another, and read by nobody but ourselves: Gradio would open pictures of any
kind, and sounds with the ffmpeg of the PATH."""


def theme() -> Any:
    """Fonts of the system alone: nothing is fetched from elsewhere."""
    return gr.themes.Soft(primary_hue="teal", font=SYSTEM_FONTS, font_mono=["ui-monospace", "Consolas", "monospace"])


def build(painter: Painter, folder: Path) -> gr.Blocks:
    """The page.

    Args:
        painter: what it asks.
        folder: for files that are made.
    """
    limits = painter.limits
    # What was uploaded or made goes with the page's program at the latest.
    with gr.Blocks(title="s2v studio", analytics_enabled=False, delete_cache=(SWEEP_EVERY_S, KEPT_S)) as page:
        gr.Markdown(f"# Sound in, picture out\n{painter.source.about}")
        with gr.Row():
            with gr.Column(scale=2):
                sounds, gains = [_sound("Sound")], [_gain()]
                if painter.world_classes:
                    with gr.Row():
                        tried = gr.Dropdown(
                            painter.world_classes,
                            value=None,
                            label="No sound at hand? Take one of the world's",
                            elem_id="try-class",
                            scale=3,
                        )
                        again = gr.Button("Another", elem_id="try-another", scale=1)
                    for event in (tried.input, again.click):
                        event(lambda name: _try(painter, name, folder), tried, sounds[0], postprocess=False, **_RAW)
                with gr.Accordion(f"Mix in up to {SOUNDS - 1} more", open=False):
                    for i in range(1, SOUNDS):
                        sounds.append(_sound(f"Sound {i + 1}"))
                        gains.append(_gain())
                with gr.Accordion("Blend in a picture", open=False):
                    picture = gr.Image(
                        type="filepath", label="Picture", sources=["upload"], height=180, buttons=[], elem_id="picture"
                    )
                    weight = gr.Slider(0, 1, 0.5, step=0.05, label="λ: 0 is the sound alone, 1 the picture alone")
                with gr.Row():
                    generator = gr.Radio(
                        [(LABELS[name], name) for name in painter.generators],
                        value=painter.generators[0],
                        label="Generator",
                    )
                    seed = gr.Number(0, label="Seed", precision=0, minimum=0)
                    count = gr.Slider(1, limits.pictures, 4, step=1, label="Pictures")
                make = gr.Button("Make pictures", variant="primary", elem_id="make")
                gr.Markdown(
                    f"Files up to {limits.upload_mb} MB, sounds up to {limits.sound_s / 60:g} minutes, of which the "
                    f"first {painter.first.window_s:g} s are heard. Uploads are kept for ten minutes at most. "
                    "Loudness counts: nothing is normalised."
                )
            with gr.Column(scale=3):
                pictures = gr.Gallery(
                    label="Pictures",
                    columns=4,
                    object_fit="contain",
                    format="png",
                    buttons=["download"],
                    elem_id="pictures",
                    elem_classes="pictures",
                )
                with gr.Row():
                    sheet = gr.DownloadButton("Save the pictures", interactive=False, elem_id="save-pictures")
                    recipe = gr.DownloadButton("Save the recipe", interactive=False, elem_id="save-recipe")
                words = gr.Markdown(elem_id="words")
                gan = "gan" in painter.generators
                explained = "What of the sound the GAN's picture comes from (Grad-CAM over the spectrogram)"
                gr.Markdown(explained, visible=gan)
                heard = gr.Image(
                    show_label=False,
                    format="png",
                    interactive=False,
                    buttons=["download"],
                    elem_id="heard",
                    visible=gan,
                )
                nearest = gr.Gallery(
                    label="Nearest training frames",
                    columns=4,
                    object_fit="contain",
                    format="png",
                    buttons=[],
                    elem_id="nearest",
                    elem_classes="pictures",
                    visible=painter.frames is not None,
                )

        def paint(*given: Any) -> tuple[Any, ...]:
            files, levels = given[:SOUNDS], given[SOUNDS : 2 * SOUNDS]
            shown, amount, how, number, n = given[2 * SOUNDS :]
            there = [(Path(file["path"]), db or 0) for file, db in zip(files, levels, strict=True) if file]
            if not there:
                raise gr.Error(
                    "Give a sound first: drop a file, record one, or take one of the embedded world.",
                    title="No sound",
                    print_exception=False,
                )
            try:
                made = painter.paint(Request(
                    [file for file, _ in there], [db for _, db in there], Path(shown["path"]) if shown else None,
                    amount, how, number or 0, n,
                ), folder)  # fmt: skip
            except UserError as error:
                raise gr.Error(str(error), title="Not done", print_exception=False) from error
            save = [gr.DownloadButton(value=str(path), interactive=True) for path in (made.sheet, made.recipe)]
            near = [str(path) for path in made.nearest]
            heat = None if made.heard is None else str(made.heard)
            return [str(path) for path in made.pictures], *save, made.words, heat, near

        make.click(
            paint,
            [*sounds, *gains, picture, weight, generator, seed, count],
            [pictures, sheet, recipe, words, heard, nearest],
            **_RAW,
        )
    page.queue(max_size=WAITING, default_concurrency_limit=1, api_open=False)
    return page


def _sound(label: str) -> Any:
    return gr.Audio(type="filepath", label=label, sources=["upload", "microphone"], editable=False, buttons=[])


def _gain() -> Any:
    return gr.Slider(SOFTEST_DB, LOUDEST_DB, 0, step=1, label="Gain (dB)")


def _try(painter: Painter, name: object, folder: Path) -> dict[str, Any] | None:
    """A sound of the world, another one each time."""
    if not isinstance(name, str) or name not in painter.world_classes:
        return None
    place = Path(tempfile.mkdtemp(dir=folder)) / f"{name.replace(' ', '-')}.wav"
    soundfile.write(place, sample(name, secrets.randbelow(10_000), px=16)[1], RATE)
    return {"path": str(place), "orig_name": place.name, "meta": {"_type": "gradio.FileData"}}


__all__ = ["CSS", "build", "theme"]
