"""Whether a model fits a machine, how it is laid out there, and what it takes: `fit`.

Pure: a preset, an instance type and a mode in, a `Layout` or a `Misfit` out; `Fits` answers for
many machines. docs/concepts/sizing.md states the laws and works an example. The main path:

- `fits.py:fit` finds the layout
- `targets.py:of` says what of the machine matters, `obstacles.py:against` what else than memory
  stands against the model there, by what `kernels.py` knows of compute capabilities
- `demands.py:of` says what each GPU holds, under every way to divide the model, by the formulas of
  `memory.py`
- `layouts.py` has the questions and the answers: `Serve`, `Tune`, `Layout`, `Misfit`; `reasons.py`
  the codes of why not and of what to know
"""

from presets.sizing.demands import Split
from presets.sizing.fits import Fits, fit, sufficient
from presets.sizing.layouts import Layout, Misfit, Mode, Reason, Serve, Tune

__all__ = [
    "Fits",
    "Layout",
    "Misfit",
    "Mode",
    "Reason",
    "Serve",
    "Split",
    "Tune",
    "fit",
    "sufficient",
]
