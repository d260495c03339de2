"""Data poisoning of multi-task relationship learning (MTRL).

A learner trains several related linear models together and learns from the data which tasks are related.
An attacker adds a few training points to some of the tasks, placed so that the models of the *target*
tasks become as bad as possible. The engine is that of PATOM Lab: the same specification gives the same
bits in the browser, on the command line and here.

>>> import patom
>>> result = patom.run(dataset="synthetic", attack="indirect", iterations=3)
>>> result.digest
'e3dfdf0e2e04fd5a'

The attack: M. Zhao, B. An, Y. Yu, S. Liu, S. J. Pan, "Data Poisoning Attacks on Multi-Task Relationship
Learning", AAAI 2018. The learner: Y. Zhang, D.-Y. Yeung, "A Convex Formulation for Learning Task
Relationships in Multi-Task Learning", UAI 2010. `patom.sklearn` has it for scikit-learn.
"""

from ._data import DataSet, DataWarning, load
from ._learner import Poisoned, Solution, poison, solve
from ._native import NumericalError, PatomError, __version__
from ._result import Comparison, Model, Points, Result, Svg
from ._run import complete, fields, link, run
from ._study import DefenceStudy, RiskMap, Tuning, defend, risk, tune
from ._sweep import Sweep, sweep

__all__ = [
    "Comparison",
    "DataSet",
    "DataWarning",
    "DefenceStudy",
    "Model",
    "NumericalError",
    "PatomError",
    "Points",
    "Poisoned",
    "Result",
    "RiskMap",
    "Solution",
    "Svg",
    "Sweep",
    "Tuning",
    "__version__",
    "complete",
    "defend",
    "fields",
    "link",
    "load",
    "poison",
    "risk",
    "run",
    "solve",
    "sweep",
    "tune",
]
