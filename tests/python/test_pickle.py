"""Results and data sets go to other processes and come back: nothing is computed again, and nothing is lost."""

import copy
import json
import multiprocessing
import pickle
import tempfile
import unittest
import warnings
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

import patom

from test_package import SMALL, points

# Between them: every part that a report may have.
RUNS = {
    "plain": {},
    "nothing injected": {"budget": 0},
    "sanitised": {"sanitise": "norm", "knowledge": 0.5, "starts": 2},
    "capped": {"learner": "capped", "attack": "indirect"},
    "classes": {"loss": "squared_hinge", "utility": "ranking", "feature_scaling": "standard"},
}


def arrays_of(value):
    """The arrays of a result, by name."""
    if isinstance(value, patom.Result):
        yield from value.points()._asdict().items()
        yield "metric_per_task", value.metric_per_task
        for name in ("clean", "attacked"):
            yield from ((f"{name}.{part}", getattr(getattr(value, name), part)) for part in ("coef", "correlation"))
    for name in ("trace", "trials", "damage", "correlation", "table", "caps"):
        if hasattr(value, name):
            yield name, getattr(value, name)


def texts_of(value):
    """What a result says, by name."""
    for name in ("digest", "link", "comparison", "converged", "spec", "metric_name", "verdict"):
        if hasattr(value, name):
            yield name, getattr(value, name)
    for name in ("csv", "rankings_csv", "poisoned_csv", "to_dict"):
        if hasattr(value, name):
            yield name, getattr(value, name)()
    yield "repr", repr(value)


class Findings(unittest.TestCase):
    def check(self, value, *pictures):
        # Caches are no part of a pickle.
        size = len(pickle.dumps(value))
        expected, arrays = dict(texts_of(value)), dict(arrays_of(value))
        charts = [value.svg(*kind) for kind in pictures]
        self.assertEqual(len(pickle.dumps(value)), size)
        ways = [lambda one, p=p: pickle.loads(pickle.dumps(one, p)) for p in range(2, pickle.HIGHEST_PROTOCOL + 1)]
        for way in (*ways, copy.copy, copy.deepcopy):
            again = way(value)
            self.assertEqual(dict(texts_of(again)), expected)
            for name, array in arrays_of(again):
                self.assertEqual(array.dtype, arrays[name].dtype, name)
                # Bit for bit, and NaN is NaN.
                self.assertEqual(array.tobytes(), arrays[name].tobytes(), name)
            self.assertEqual([again.svg(*kind) for kind in pictures], charts)

    def test_results(self):
        for name, fields in RUNS.items():
            with self.subTest(name), warnings.catch_warnings():
                warnings.simplefilter("ignore", patom.DataWarning)
                result = patom.run(**SMALL, **fields)
                self.check(result, ("curve",), ("correlations",), ("points",))
                # With what its link said.
                again = pickle.loads(pickle.dumps(patom.run(result.link)))
                self.assertTrue(again.comparison.same)

    def test_a_saved_pickle_is_saved_as_the_result_is(self):
        result = patom.run(**SMALL)
        with tempfile.TemporaryDirectory() as folder:
            result.save(f"{folder}/a")
            pickle.loads(pickle.dumps(result)).save(f"{folder}/b")
            for name in ("report.json", "points.csv"):
                self.assertEqual(*(Path(folder, one, name).read_bytes() for one in "ab"))

    def test_studies(self):
        self.check(patom.tune(SMALL, folds=2, lambda1_grid=[0.1, 0.01], lambda2_grid=[0.1]), ())
        self.check(patom.risk(SMALL, iterations=1), ())
        self.check(patom.defend(SMALL, iterations=1, attack="indirect"), ("caps",), ("sanitisers",), ("rankings",))

    def test_the_learner_and_the_attacker(self):
        X, y, task = points()
        poisoned = patom.poison(X, y, task, targets=[0], iterations=1)
        again = pickle.loads(pickle.dumps(poisoned))
        for name in ("X", "y", "task", "is_poison", "utility", "stop"):
            np.testing.assert_array_equal(getattr(again, name), getattr(poisoned, name))
        for name in ("coef", "covariance", "certificate", "status"):
            np.testing.assert_array_equal(getattr(again.clean, name), getattr(poisoned.clean, name))

    def test_a_sweep(self):
        with tempfile.TemporaryDirectory() as folder:
            done = patom.sweep({"spec": SMALL, "grid": {"seed": "1..2"}}, folder)
            again = pickle.loads(pickle.dumps(done))
        self.assertEqual(again.rows, done.rows)
        self.assertEqual(list(again["digest"]), list(done["digest"]))

    def test_results_come_back_from_other_processes(self):
        started_anew = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(2, mp_context=started_anew) as pool:
            found = [pool.submit(patom.run, **SMALL, seed=seed) for seed in (1, 2, 3)]
            wrong = pool.submit(patom.run, **SMALL, budget=99)
            for seed, result in zip((1, 2, 3), found):
                here = patom.run(**SMALL, seed=seed)
                self.assertEqual(result.result().digest, here.digest)
                self.assertEqual(result.result().svg("points"), here.svg("points"))
            with self.assertRaises(patom.PatomError) as caught:
                wrong.result()
        self.assertEqual((caught.exception.code, caught.exception.field), ("field", "budget"))

    def test_the_pickle_of_another_version_is_read_or_refused(self):
        native = patom.run(**SMALL)._native
        function, (_, text, points) = native.__reduce__()
        self.assertEqual(function("9.9.9", text, points).json(), native.json())
        fields = json.loads(text)
        del fields["shown"]["utility"]
        with self.assertRaisesRegex(patom.PatomError, "pickle of engine 9.9.9, this is .*utility"):
            function("9.9.9", json.dumps(fields), points)


class Data(unittest.TestCase):
    def check(self, data, **fields):
        again = pickle.loads(pickle.dumps(data))
        for name in (
            "name", "sha256", "kind", "task_names", "feature_names", "columns", "warnings", "left_out"
        ):  # fmt: skip
            self.assertEqual(getattr(again, name), getattr(data, name), name)
        for found, expected in zip(again.training_points(), data.training_points()):
            np.testing.assert_array_equal(found, expected)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", patom.DataWarning)
            results = [patom.run(data=one, iterations=1, **fields) for one in (data, again)]
        self.assertEqual(results[0].to_dict()["digest"], results[1].digest)
        self.assertEqual(results[0].link, results[1].link)
        self.assertEqual(results[0].warnings, results[1].warnings)

    def test_arrays(self):
        X, y, task = points()
        names = ["a, b", "Ω", "c"]
        self.check(patom.DataSet.from_arrays(X, y, task, feature_names=names, split=np.arange(len(X)) % 3 == 0))
        self.check(patom.DataSet.from_arrays(X, np.column_stack([y, -y])), shared_rows=False)
        self.check(patom.DataSet.from_arrays(X, y > 0, task), train_share=0.5)

    def test_a_file_with_what_was_noticed_in_it(self):
        X, y, task = points()
        rows = [f"{k};{label};{';'.join(map(str, x))};{t}" for k, (t, label, x) in enumerate(zip(task, y, X.tolist()))]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "own.csv")
            path.write_text("n;y;q;r;s;place\n" + "\n".join(rows) + "\n7;;1;2;3;0\n")
            data = patom.DataSet.read(path, "task:6;label:2;x:1,3-5;sep:semicolon;missing:drop")
        self.assertGreater(len(data.warnings) + len(data.left_out), 0)
        self.assertIsNotNone(data.columns)
        self.check(data)

    def test_published_and_synthetic_data(self):
        self.check(patom.load("synthetic"))
        self.check(patom.load("landmine"))

    def test_a_damaged_pickle_is_an_error(self):
        function, (content, notes) = patom.load("synthetic")._native.__reduce__()
        for damaged in ((content[:-1], notes), (content, notes[:-1]), (b"", notes)):
            with self.assertRaises(patom.PatomError):
                function(*damaged)


if __name__ == "__main__":
    unittest.main()
