"""Where ffmpeg is, how it is told to read one local file and no other, and how it is run in limited time."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, TypeVar

import ffmpeg as ffmpeg_python
import imageio_ffmpeg

from s2v.errors import UserError
from s2v.media.faults import check_end
from s2v.media.process import Finished, execute

# Playlists (hls, dash, concat, ffmetadata, image sequences ...) name other files, so a hostile "video" could
# make ffmpeg read any file of the user. Only containers that carry their own data are opened.
CONTAINERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,flv,live_flv,kux,mpeg,mpegts,mpegvideo,m4v,h263,h264,hevc,av1,"
    "obu,ivf,vvc,asf,asf_o,ogg,dv,rm,mxf,mxf_opatom,nut,nuv,wtv,gxf,swf,vc1,yuv4mpegpipe,gif,apng,webp_anim,"
    "mjpeg,wav,w64,mp3,flac,aac,aiff,aif,au,caf,amr,amrnb,amrwb,ac3,ac4,eac3,ape,apac,tta,wv,dts,dtshd,truehd,"
    "mlp,mpc,mpc8,oma,qcp,shn,tak,voc,loas,lc3,qoa,dsf,sbc,gsm,osq,sox,spdif,xa,ircam,avr,smk,bink,roq"
)
_ONE_THREAD = ("-filter_threads", "1", "-filter_complex_threads", "1")
# Stands for the path while ffmpeg-python hashes its arguments, which fails on names that are not UTF-8.
_INPUT = "file:input"

T = TypeVar("T")


def ffmpeg_path(setting: str) -> str:
    """The ffmpeg executable for the configuration value `runtime.ffmpeg`.

    Args:
        setting: ``bundled`` (the one of imageio-ffmpeg), ``system`` (found on PATH), or a path.

    Raises:
        UserError: there is none, or the path is no executable file.
    """
    if setting == "bundled":
        try:
            return str(imageio_ffmpeg.get_ffmpeg_exe())
        except RuntimeError as error:
            raise UserError(
                "runtime.ffmpeg: bundled, but imageio-ffmpeg has none for this platform; set `system`"
            ) from error
    if setting == "system":
        found = shutil.which("ffmpeg")
        if found is None:
            raise UserError("runtime.ffmpeg: system, but no `ffmpeg` is on PATH; install it or set `bundled`")
        return found
    path = Path(setting).expanduser()
    if not path.is_file() or not os.access(path, os.X_OK):
        raise UserError(
            f"runtime.ffmpeg: {setting!r} is no executable file; give bundled, system, or the path of ffmpeg"
        )
    return str(path.absolute())


def open_input(*, start_s: float | None, limit_s: float, skip_frame: str | None = None, **options: Any) -> Any:
    """Input of one local file (named in `command`) from `start_s`, for at most `limit_s` seconds.

    `skip_frame` names frames that the decoder passes over, in ffmpeg's words (noref: those that no other needs).
    """
    seek = {} if start_s is None else {"ss": f"{start_s:.6f}"}
    return ffmpeg_python.input(
        _INPUT,
        **seek,
        **({"skip_frame": skip_frame} if skip_frame else {}),
        **options,
        t=f"{limit_s:.6f}",
        threads=1,
        protocol_whitelist="file,pipe",
        format_whitelist=CONTAINERS,
    )


def command(outputs: list[Any], *, path: Path, executable: str) -> list[str]:
    """The argument list that makes all `outputs` of one input file in one process.

    The absolute path behind `file:` can't be taken for an option, a protocol or a playlist.
    """
    merged = ffmpeg_python.merge_outputs(*outputs) if len(outputs) > 1 else outputs[0]
    quiet = ("-hide_banner", "-nostats", "-nostdin", "-loglevel", "info", "-y", *_ONE_THREAD)
    arguments: list[str] = merged.global_args(*quiet).compile(cmd=executable)
    return [f"file:{path.absolute()}" if argument == _INPUT else argument for argument in arguments]


def run(
    arguments: list[str],
    *,
    timeout_s: float,
    consume: Callable[[IO[bytes]], T],
    stdin: int | IO[bytes] = subprocess.DEVNULL,
) -> tuple[Finished, T]:
    """Run a decoder, kill it with all that it started after `timeout_s` seconds, and hand what it wrote to `consume`.

    Raises:
        MachineError: the machine ended it, or kept it from its work.
    """
    finished, written = execute(arguments, timeout_s=timeout_s, stdin=stdin)
    return check_end(finished, arguments), consume(io.BytesIO(written))


__all__ = ["CONTAINERS", "Finished", "command", "ffmpeg_path", "open_input", "run"]
