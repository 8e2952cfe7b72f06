"""Covering arrays: situations that combine all pairs of what makes implementations differ, judged by one oracle."""

from feedback_verify.arrays.layer import PARALLEL, Layer

__all__ = ["PARALLEL", "Layer"]
