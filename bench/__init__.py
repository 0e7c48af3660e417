"""Benchmarks: `python -m bench NAME` prints a table and, as its last line, one JSON object.

Goals are printed beside what was measured and never enforced: the exit status says whether the
benchmark ran. Each benchmark is a module with `run() -> list[report.Figure]`.
"""
