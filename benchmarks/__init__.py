"""Measurements of the project, also against other tools. Compare only ratios of one run: machines are noisy."""
