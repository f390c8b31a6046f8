"""The claims of the paper, and checks of the measurements: what is said where, what is measured of it, and the test."""

from __future__ import annotations

from s2v.report.claim import Claim
from s2v.report.claims_of.faces import FACES
from s2v.report.claims_of.other_systems import OTHER_SYSTEMS
from s2v.report.claims_of.quality import QUALITY
from s2v.report.claims_of.steering import STEERING

CLAIMS: list[Claim] = [*QUALITY, *OTHER_SYSTEMS, *STEERING, *FACES]
"""In the order of their pages."""

__all__ = ["CLAIMS"]
