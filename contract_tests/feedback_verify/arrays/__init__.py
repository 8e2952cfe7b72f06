"""Covering arrays: situations in which all pairs of what makes implementations differ meet, judged by one oracle."""

from feedback_verify.arrays.layer import PARALLEL, Layer

__all__ = ["PARALLEL", "Layer"]
