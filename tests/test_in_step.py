"""Sound and picture belong together in what is read, whatever the file: 220 ways to make one, by both readers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from in_step import Case, cases, lags_s, make
from media_files import FFMPEG

from s2v.media.decode import ClipError, decode

CASES = cases(220)
READERS = ("ffmpeg", "decord")
MOST_S = 0.05
# Copying from the middle of a Theora stream loses its clock: such a file may be refused.
LOSES_ITS_CLOCK = ("ogv", "copy-cut")

Outcome = list[float] | ClipError


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[Case, str], Outcome]:
    folder = tmp_path_factory.mktemp("in_step")

    def read(case: Case) -> list[tuple[tuple[Case, str], Outcome]]:
        path, found = make(case, folder), []
        for reader in READERS:
            try:
                decoded = decode(path, reader=reader, ffmpeg=FFMPEG, fps=50)  # type: ignore[arg-type]
                found.append(((case, reader), lags_s(decoded)))
            except ClipError as error:
                found.append(((case, reader), error))
        path.unlink()
        return found

    for case in CASES[:3]:
        make(case, folder)  # the sources, before several programs want them
    with ThreadPoolExecutor(2) as pool:
        return dict(pair for pairs in pool.map(read, CASES) for pair in pairs)


@pytest.mark.slow
@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_sound_and_picture_are_within_50_ms(outcomes: dict[tuple[Case, str], Outcome], case: Case, reader: str) -> None:
    lags = outcomes[case, reader]
    if isinstance(lags, ClipError):
        assert case.damage != "none" or (case.container, case.offset) == LOSES_ITS_CLOCK, lags
        return
    assert lags or case.damage != "none"
    assert all(abs(lag) <= MOST_S for lag in lags)


@pytest.mark.slow
def test_damage_leaves_enough_to_compare(outcomes: dict[tuple[Case, str], Outcome]) -> None:
    damaged = [found for (case, _), found in outcomes.items() if case.damage in ("flipped", "zeroed")]
    assert sum(not isinstance(found, ClipError) and bool(found) for found in damaged) > len(damaged) / 2
