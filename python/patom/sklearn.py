"""Multi-task relationship learning for scikit-learn.

What the tasks are can be said in three ways:

* ``fit(X, y, task=task)``: the task of each row; ``predict(X, task=task)``.
* ``fit(X, Y)`` with a two-dimensional Y (regression): each column is a task on the same rows.
* ``fit(X, y)``: one task.

With ``sklearn.set_config(enable_metadata_routing=True)``, pipelines, grid searches and cross-validation
pass ``task`` on::

    model = MTRLRegressor().set_fit_request(task=True).set_predict_request(task=True)
    model.set_score_request(task=True)
    GridSearchCV(model, {"lambda1": [0.01, 0.1]}).fit(X, y, task=task)

Rows that are sorted by task need folds that are not: ``StratifiedKFold().split(X, task)``.
``learner="capped"`` is the learner whose tasks other tasks can pull only so far: a defence.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.exceptions import ConvergenceWarning, DataConversionWarning
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from ._learner import solve

__all__ = ["MTRLClassifier", "MTRLRegressor"]


class _MTRL(BaseEstimator):
    _loss: str

    def __init__(
        self,
        lambda1=0.1,
        lambda2=0.1,
        *,
        learner="multi_task",
        pull_cap=None,
        epsilon=1e-6,
        solver="certified",
        tol=1e-9,
        max_iter=200,
    ):
        self.lambda1 = lambda1
        self.lambda2 = lambda2
        self.learner = learner
        self.pull_cap = pull_cap
        self.epsilon = epsilon
        self.solver = solver
        self.tol = tol
        self.max_iter = max_iter

    def _train(self, X, Y, task):
        """Y (n,), or (n, m) for tasks that share their rows."""
        n = len(X)
        shared = Y.ndim == 2
        if shared:
            if task is not None:
                raise ValueError("task needs a y of one dimension")
            m = Y.shape[1]
            X, y, task = np.tile(X, (m, 1)), Y.T.ravel(), np.repeat(np.arange(m), n)
        else:
            y = Y
            task = np.zeros(n, dtype=np.int64) if task is None else column_or_1d(task)
            if len(task) != n:
                raise ValueError(f"task has {len(task)} entries; expected {n}")
        solution = solve(
            X,
            y,
            task,
            loss=self._loss,
            learner=self.learner,
            pull_cap=self.pull_cap,
            lambda1=self.lambda1,
            lambda2=self.lambda2,
            epsilon=self.epsilon,
            solver=self.solver,
            tolerance=self.tol,
            max_iterations=self.max_iter,
        )
        if not solution.converged:
            warnings.warn(
                f"not converged ({solution.status}), certificate {solution.certificate:.1e}",
                ConvergenceWarning,
                stacklevel=3,
            )
        self._shared = shared
        self.tasks_ = solution.tasks
        self.coef_, self.intercept_ = solution.coef, solution.intercept
        self.task_covariance_ = solution.covariance
        self.task_correlation_ = solution.correlation
        self.objective_, self.certificate_ = solution.objective, solution.certificate
        self.n_iter_ = solution.iterations
        return self

    def _scores(self, X, task):
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=np.float64)
        if self._shared:
            return X @ self.coef_.T + self.intercept_
        if task is None:
            if len(self.tasks_) > 1:
                raise ValueError("task is missing: the model was fitted with several tasks")
            return X @ self.coef_[0] + self.intercept_[0]
        task = column_or_1d(task)
        if len(task) != len(X):
            raise ValueError(f"task has {len(task)} entries; expected {len(X)}")
        at = np.searchsorted(self.tasks_, task).clip(max=len(self.tasks_) - 1)
        unknown = self.tasks_[at] != task
        if unknown.any():
            known = ", ".join(map(str, self.tasks_[:20]))
            raise ValueError(f"no task {task[unknown][0]!r}; available: {known}")
        return np.einsum("nd,nd->n", X, self.coef_[at]) + self.intercept_[at]


_PARAMETERS = """

    Parameters
    ----------
    lambda1 : float, default=0.1
        λ1 > 0, regularisation strength of the model weights (the bias included).
    lambda2 : float, default=0.1
        λ2 >= 0, regularisation strength of the task relationship.
    learner : {"multi_task", "single_task", "capped"}, default="multi_task"
        ``single_task``: each task alone. ``capped``: other tasks can pull a task only so far.
    pull_cap : float, default=None
        μ > 0, with ``learner="capped"`` only (0.1 without): |∇f_i(w_i)| <= μ whatever other tasks contain.
    epsilon : float, default=1e-6
        Floor of the task covariance.
    solver : {"certified", "alternating"}, default="certified"
        The joint convex problem to a certificate, or the alternation of Zhang and Yeung.
    tol : float, default=1e-9
        Certificate, relative to max(1, objective), at which a fit has converged.
    max_iter : int, default=200
        Newton steps, or rounds of the alternation.

    Attributes
    ----------
    tasks_ : (m,) the tasks, sorted
    coef_ : (m, d)
    intercept_ : (m,)
    task_covariance_ : (m, m), Ω of trace 1
    task_correlation_ : (m, m), Ω_ij / sqrt(Ω_ii Ω_jj)
    objective_ : float, what is minimised
    certificate_ : float, bound on the objective less its minimum
    n_iter_ : int
    n_features_in_, feature_names_in_ : as in scikit-learn

    References
    ----------
    Y. Zhang, D.-Y. Yeung, "A Convex Formulation for Learning Task Relationships in Multi-Task Learning",
    UAI 2010.
    """


class MTRLRegressor(RegressorMixin, _MTRL):
    __doc__ = "Multi-task relationship learning with the squared loss." + _PARAMETERS

    _loss = "squared"

    def fit(self, X: Any, y: Any, task: Any = None) -> MTRLRegressor:
        """X (n, d); y (n,), or (n, m): a task for each column; task (n,), numbers or names."""
        X, y = validate_data(self, X, y, dtype=np.float64, multi_output=True, y_numeric=True)
        if y.ndim == 2 and y.shape[1] == 1:
            warnings.warn(
                "A column-vector y was passed when a 1d array was expected.",
                DataConversionWarning,
                stacklevel=2,
            )
            y = y.ravel()
        return self._train(X, np.asarray(y, dtype=np.float64), task)

    def predict(self, X: Any, task: Any = None) -> np.ndarray:
        """(n,), or (n, m) where y had columns."""
        return self._scores(X, task)

    def score(self, X: Any, y: Any, task: Any = None, sample_weight: Any = None) -> float:
        """R² over all rows (the mean over the columns of y)."""
        return r2_score(y, self.predict(X, task), sample_weight=sample_weight)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.target_tags.single_output = True
        return tags


class MTRLClassifier(ClassifierMixin, _MTRL):
    __doc__ = (
        "Multi-task relationship learning of two classes, with the squared hinge loss." + _PARAMETERS
    )

    _loss = "squared_hinge"

    def fit(self, X: Any, y: Any, task: Any = None) -> MTRLClassifier:
        """X (n, d); y (n,), two classes, the same for all tasks; task (n,), numbers or names."""
        X, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        y = column_or_1d(y, warn=True)
        classes, code = np.unique(y, return_inverse=True)
        if len(classes) == 1:
            raise ValueError("Classifier can't train when only one class is present.")
        if len(classes) > 2:
            raise ValueError(
                "Only binary classification is supported. The type of the target is "
                f"{type_of_target(y)}."
            )
        self.classes_ = classes
        return self._train(X, 2.0 * code - 1.0, task)

    def decision_function(self, X: Any, task: Any = None) -> np.ndarray:
        """(n,): positive for the second class."""
        return self._scores(X, task)

    def predict(self, X: Any, task: Any = None) -> np.ndarray:
        """(n,)"""
        # First: it raises where nothing is fitted.
        scores = self.decision_function(X, task)
        return self.classes_[(scores > 0).astype(np.int64)]

    def score(self, X: Any, y: Any, task: Any = None, sample_weight: Any = None) -> float:
        """Accuracy over all rows."""
        return accuracy_score(y, self.predict(X, task), sample_weight=sample_weight)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags
