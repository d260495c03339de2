"""The estimators, by scikit-learn's own checks and in its tools."""

import pickle
import unittest
import warnings

import numpy as np
import sklearn
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

import patom
from patom.sklearn import MTRLClassifier, MTRLRegressor

from test_package import points


class Estimators(unittest.TestCase):
    def test_the_checks_of_scikit_learn_pass(self):
        for estimator in (
            MTRLRegressor(),
            MTRLClassifier(),
            MTRLRegressor(learner="capped"),
            MTRLClassifier(learner="single_task"),
        ):
            with self.subTest(repr(estimator)), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                results = check_estimator(estimator, on_fail=None)
                failed = [one["check_name"] for one in results if one["status"] == "failed"]
                self.assertEqual(failed, [])
                self.assertGreater(sum(one["status"] == "passed" for one in results), 40)

    def test_a_fit_is_the_learner_alone(self):
        X, y, task = points()
        model = MTRLRegressor(lambda1=0.01).fit(X, y, task)
        found = patom.solve(X, y, task, lambda1=0.01)
        np.testing.assert_array_equal(model.coef_, found.coef)
        np.testing.assert_array_equal(model.task_correlation_, found.correlation)
        self.assertEqual(model.certificate_, found.certificate)
        expected = [X[k] @ found.coef[task[k]] + found.intercept[task[k]] for k in range(len(X))]
        np.testing.assert_allclose(model.predict(X, task), expected, rtol=1e-12)

    def test_columns_of_y_are_tasks(self):
        X, y, _ = points()
        Y = np.column_stack([y, -y, 2 * y])
        model = MTRLRegressor().fit(X, Y)
        stacked = MTRLRegressor().fit(np.tile(X, (3, 1)), Y.T.ravel(), np.repeat([0, 1, 2], len(X)))
        np.testing.assert_array_equal(model.coef_, stacked.coef_)
        self.assertEqual(model.predict(X).shape, Y.shape)
        # The first two tasks are opposites.
        self.assertLess(model.task_correlation_[0, 1], -0.99)

    def test_one_task_without_coupling_is_ridge_regression(self):
        X, y, _ = points()
        X = np.column_stack([X, np.ones(len(X))])
        ours = MTRLRegressor(0.2, learner="single_task", tol=1e-14).fit(X[:, :3], y)
        # Ridge minimises |y - Xw|² + alpha |w|².
        ridge = Ridge(alpha=0.2 * len(X) / 2, fit_intercept=False).fit(X, y)
        np.testing.assert_allclose(np.append(ours.coef_[0], ours.intercept_), ridge.coef_, rtol=1e-6)

    def test_a_classifier_has_any_two_classes(self):
        X, y, task = points()
        names = np.where(y > 0, "mine", "clutter")
        model = MTRLClassifier(lambda1=1e-3).fit(X, names, task)
        self.assertEqual(model.classes_.tolist(), ["clutter", "mine"])
        self.assertGreater(model.score(X, names, task), 0.9)

    def test_a_task_that_was_not_fitted_is_refused(self):
        X, y, task = points()
        model = MTRLRegressor().fit(X, y, task)
        with self.assertRaisesRegex(ValueError, "no task .*9.*; available: 0, 1, 2, 3"):
            model.predict(X[:1], [9])
        with self.assertRaisesRegex(ValueError, "task is missing"):
            model.predict(X)

    def test_a_fit_that_does_not_converge_warns(self):
        X, y, task = points()
        with self.assertWarns(ConvergenceWarning):
            MTRLRegressor(max_iter=1, tol=1e-15).fit(X, y, task)


class Tools(unittest.TestCase):
    def test_pickle_and_clone(self):
        X, y, task = points()
        model = MTRLRegressor(learner="capped", pull_cap=0.3).fit(X, y, task)
        again = pickle.loads(pickle.dumps(model))
        np.testing.assert_array_equal(again.predict(X, task), model.predict(X, task))
        self.assertEqual(clone(model).get_params(), model.get_params())

    def test_grid_search_in_a_pipeline_passes_tasks_on(self):
        X, y, task = points()
        with sklearn.config_context(enable_metadata_routing=True):
            model = (
                MTRLRegressor()
                .set_fit_request(task=True)
                .set_predict_request(task=True)
                .set_score_request(task=True)
            )
            search = GridSearchCV(
                make_pipeline(StandardScaler(), model),
                {"mtrlregressor__lambda1": [10.0, 1e-3], "mtrlregressor__learner": ["capped", "multi_task"]},
                cv=list(StratifiedKFold(3, shuffle=True, random_state=0).split(X, task)),
            ).fit(X, y, task=task)
            self.assertEqual(search.best_params_["mtrlregressor__lambda1"], 1e-3)
            self.assertGreater(search.best_score_, 0.9)
            self.assertEqual(search.best_estimator_.predict(X, task=task).shape, y.shape)

    def test_cross_validation_in_processes(self):
        X, y, _ = points()
        scores = cross_val_score(MTRLRegressor(1e-3), X, np.column_stack([y, 3 * y]), cv=3, n_jobs=2)
        self.assertEqual(scores.shape, (3,))
        self.assertGreater(scores.min(), 0.5)


if __name__ == "__main__":
    unittest.main()
