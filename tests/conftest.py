"""Fixtures of the whole suite: quiet threads, and one real run of the tiny chain that several tests look at."""

from __future__ import annotations

import os

# Two cores are shared by everything that a test starts.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from pathlib import Path  # noqa: E402

import pytest  # noqa: E402
from filelock import FileLock  # noqa: E402
from hypothesis import settings  # noqa: E402
from workflow_runs import Checkout  # noqa: E402

# A busy machine is no fault of what is tested.
settings.register_profile("s2v", deadline=None)
settings.load_profile("s2v")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that run Snakemake are marked `chain`: `make test-fast` leaves them out. The long files come first, so that
    no worker is left with one at the end."""
    for item in items:
        names = set(getattr(item, "fixturenames", ()))
        if names & {"tiny_checkout", "checkout"} or hasattr(getattr(item, "module", None), "Checkout"):
            item.add_marker("chain")
    items.sort(key=lambda item: (item.get_closest_marker("chain") is None, item.get_closest_marker("slow") is None))


@pytest.fixture(scope="session")
def tiny_checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A copy of the repository in which the tiny chain has been run to its end, one for all workers. Do not change it:
    `copy` it."""
    own = tmp_path_factory.getbasetemp()
    root = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    with FileLock(root / "tiny.lock"):
        if not (root / "tiny").exists():
            making = Checkout.of_repository(own / "tiny" / "checkout")
            done = making.snakemake("--cores", "2")
            assert done.returncode == 0, done.stdout[-8000:]
            if root != own:
                (own / "tiny").rename(root / "tiny")
    return Checkout(root / "tiny" / "checkout")


@pytest.fixture
def checkout(tiny_checkout: Checkout, tmp_path: Path) -> Checkout:
    """A copy of the finished run that a test may change."""
    return tiny_checkout.copy(tmp_path / "checkout")
