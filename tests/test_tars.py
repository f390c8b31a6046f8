"""Tars: as tarfile reads them where they are sound, and one line at once where they claim what can't be."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import resource
import tarfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from s2v.data import tars
from s2v.data.reader import samples
from s2v.data.tars import MAX_MEMBER_BYTES, MAX_TAR_BYTES, Tar, tar_of
from s2v.errors import UserError

END = bytes(1024)


def _member(name: str = "a.mp4", size: int = 0, content: bytes = b"", kind: bytes = tarfile.REGTYPE) -> bytes:
    """A header that claims `size` bytes (any number), and `content`."""
    member = tarfile.TarInfo(name)
    member.type = kind
    header = bytearray(member.tobuf(tarfile.GNU_FORMAT))
    header[124:136] = tarfile.itn(size, 12, tarfile.GNU_FORMAT)
    header[148:156] = b"        "
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header) + content + bytes(-len(content) % 512)


def _pax(records: dict[str, str], kind: bytes = tarfile.XHDTYPE) -> bytes:
    lines = b""
    for key, value in records.items():
        rest = f" {key}={value}\n".encode()
        length = next(n for n in range(len(rest), len(rest) + 9) if n == len(rest) + len(str(n)))
        lines += str(length).encode() + rest
    return _member("pax", len(lines), lines, kind)


class OneWay(io.RawIOBase):
    """A stream as the web gives it: no way back, and no size."""

    def __init__(self, data: bytes, endless: bytes = b"") -> None:
        self.data, self.endless, self.given = io.BytesIO(data), endless, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self.data.read(len(buffer)) or (self.endless * len(buffer))[: len(buffer)]
        buffer[: len(data)] = data
        self.given += len(data)
        return len(data)


def _listed(tar: Tar) -> list[tuple[str, int, bytes, bytes]]:
    return [(m.name, m.size, m.type, b"".join(tar.content(m)) if m.isreg() else b"") for m in tar]


def _refused(data: bytes, what: str) -> None:
    """By a file, by a stream, and by a compressed one; at once and in little memory."""
    ways: list[Callable[[], Tar]] = [
        lambda: Tar(io.BytesIO(data)),
        lambda: Tar(io.BufferedReader(OneWay(data))),
        lambda: tar_of(io.BytesIO(gzip.compress(data, 1)), "a.tar.gz"),
    ]
    for way in ways:
        started, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with pytest.raises(tarfile.TarError, match=what) as error:
            _listed(way())
        assert "\n" not in str(error.value) and len(str(error.value)) < 300
        assert time.process_time() - started < 2
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 * 1024


@pytest.mark.parametrize("layout", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_members_are_those_that_tarfile_finds(layout: int) -> None:
    rng = random.Random(layout)
    for _ in range(20):
        whole = io.BytesIO()
        with tarfile.open(fileobj=whole, mode="w", format=layout) as archive:
            for number in range(rng.randrange(6)):
                long = layout != tarfile.USTAR_FORMAT and rng.random() < 0.4
                member = tarfile.TarInfo(("é" + "long/" * rng.randrange(20, 60) if long else "n") + f"{number}.mp4")
                member.type = rng.choice([tarfile.REGTYPE] * 4 + [tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE])
                member.linkname = "x" * rng.choice([9, 150 if long else 9]) if member.type in b"12" else ""
                member.size = rng.choice([0, 1, 511, 512, 513, 9000]) if member.isreg() else 0
                archive.addfile(member, io.BytesIO(rng.randbytes(member.size)))
        data = whole.getvalue()
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            wanted = [(m.name, m.size, m.type, archive.extractfile(m).read() if m.isreg() else b"") for m in archive]  # type: ignore[union-attr]
        assert _listed(Tar(io.BytesIO(data))) == wanted
        assert _listed(Tar(io.BufferedReader(OneWay(data)))) == wanted
        for suffix, pack in ((".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)):
            assert _listed(tar_of(io.BytesIO(pack(data)), f"a.tar{suffix}")) == wanted


def test_a_size_above_8_gib_is_read_in_both_layouts() -> None:
    size = 9 * 2**30
    for data in (_member(size=size), _pax({"size": str(size)}) + _member(size=0)):
        member = next(iter(Tar(io.BufferedReader(OneWay(data)))))
        assert member.size == size


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (_member(size=2**60) + END, rf"'a\.mp4' claims {2**60} bytes, more than {MAX_MEMBER_BYTES}"),
        (_member(size=2**80) + END, "more than"),
        (_member(size=-512) + END, r"'a\.mp4' claims -512 bytes"),
        (_member(size=-(2**60)) + END, "claims -"),
        (_member(size=10**6, content=b"x" * 2000) + END, "cut off"),
        (_pax({"size": str(2**60)}) + _member(size=0) + END, f"claims {2**60} bytes"),
        (_pax({"size": "-512"}) + _member() + END, "has no size"),
        (_pax({"size": "9" * 5000}) + _member() + END, "has no size"),
        (_pax({"size": "x"}) + _member() + END, "has no size"),
        (_pax({"size": "512"}, tarfile.XGLTYPE) + _member() + END, "given to all members"),
        (_member(size=2**40, kind=tarfile.XHDTYPE) + END, f"a header of {2**40} bytes, more than 65536"),
        (_member(size=-1, kind=tarfile.XHDTYPE) + END, "a header of -1 bytes"),
        (_member(size=2**33, kind=tarfile.GNUTYPE_LONGNAME) + END, f"a header of {2**33} bytes"),
        (_member(size=10, content=b"9999999999", kind=tarfile.XHDTYPE) + END, "no list of keys and values"),
        (_member(size=60_000, content=b"1" * 60_000, kind=tarfile.XHDTYPE) + END, "no list of keys and values"),
        (_member(size=60_000, content=b"2 " * 30_000, kind=tarfile.XHDTYPE) + END, "no list of keys and values"),
        (_member(size=60_000, content=b"0 a=\n" * 12_000, kind=tarfile.XHDTYPE) + END, "no list of keys and values"),
        (_pax({"GNU.sparse.major": "1", "GNU.sparse.minor": "0"}) + _member() + END, "sparse"),
        (_pax({"GNU.sparse.map": "0,1"}) + _member() + END, "sparse"),
        (_member(kind=tarfile.GNUTYPE_SPARSE) + END, "sparse"),
        (_member("a" * 90) + b"#" * 512 + END, "no end mark and no member at byte 512"),
        (_member(), "no end mark"),
        (b"", "no end mark"),
        (_member() + END + _member("b.mp4") + END, "goes on after its end mark"),
        (_member() + bytes(512) + _member("b.mp4") + END, "goes on after its end mark"),
        (_member(kind=tarfile.GNUTYPE_LONGNAME) * 5000, "no end mark"),
        (_pax({"path": "b"}) * 5000, "no end mark"),
        (_member() + bytes(100 * 2**20), "zeros follow its end mark"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_is_one_line_at_once(data: bytes, what: str) -> None:
    _refused(data, what)


def test_links_folders_and_devices_have_no_content_whatever_they_claim() -> None:
    kinds = (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE)
    data = (
        b"".join(_member(f"n{kind.decode()}", 2**40, kind=kind) for kind in kinds) + _member("a.mp4", 3, b"abc") + END
    )
    assert _listed(Tar(io.BytesIO(data)))[-1] == ("a.mp4", 3, tarfile.REGTYPE, b"abc")


def test_a_long_name_may_not_be_given_to_the_member_after_the_next() -> None:
    data = _pax({"path": "long.mp4", "size": "3"}) + _member("x", 0, b"abc") + _member("b.mp4", 2, b"de") + END
    assert [name for name, *_ in _listed(Tar(io.BytesIO(data)))] == ["long.mp4", "b.mp4"]


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize("skipped", [True, False])
def test_a_bomb_stops_when_it_is_far_larger_than_its_file(
    pack: Callable[[bytes], bytes], skipped: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tars, "_FREE_BYTES", 2**20)
    zeros = bytes(200 * 2**20)
    data = (_member(size=len(zeros)) if skipped else _member() + END) + zeros + END
    suffix = {gzip.compress: ".gz", bz2.compress: ".bz2", lzma.compress: ".xz"}[pack]
    with pytest.raises(tarfile.TarError, match="unpacks to more than 100 times its size"):
        list(tar_of(io.BytesIO(pack(data)), "a.tar" + suffix))


@pytest.mark.parametrize("endless", [b"\0", b"x", _member()])
def test_a_stream_without_an_end_is_not_read_for_ever(endless: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tars, "MAX_TAR_BYTES", 2**24)
    monkeypatch.setattr(tars, "MAX_PADDING_BYTES", 2**24)
    source = OneWay(_member("first.mp4", 5, b"video"), endless)
    with pytest.raises(tarfile.TarError):
        list(Tar(io.BufferedReader(source)))
    assert source.given < 2**26 and MAX_TAR_BYTES == 2**40


def test_damage_anywhere_is_an_error_or_leaves_the_rest_as_it_was() -> None:
    """Never an endless walk, a crash, or more than the file holds."""
    members = [_member(f"n{n}.mp4", 700, bytes([n]) * 700) for n in range(4)]
    whole = _pax({"path": "p" * 200}) + b"".join(members) + END
    rng = random.Random(0)
    for _ in range(3000):
        broken = bytearray(whole)
        for _ in range(rng.randrange(1, 4)):
            broken[rng.randrange(len(whole))] = rng.randrange(256)
        started = time.process_time()
        try:
            found = _listed(Tar(io.BytesIO(bytes(broken))))
        except tarfile.TarError:
            continue
        assert sum(size for _, size, _, _ in found) <= len(whole) and time.process_time() - started < 1


@pytest.mark.parametrize(
    "data",
    [_member("a.jpg", 2**60) + END, _member("a.jpg", -512) + END, _pax({"size": "-1"}) + _member("a.jpg") + END,
     _member("a.jpg", 2**33, kind=tarfile.XHDTYPE) + END, _member("a.jpg") + END + _member("b.jpg") + END],
)  # fmt: skip
def test_a_shard_that_claims_what_cannot_be_is_named(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "s.tar").write_bytes(data)
    with pytest.raises(UserError, match=r"s\.tar: not a usable shard [^\n]*; remove it and run its stage again$"):
        list(samples(tmp_path / "s.tar"))
