"""The Python package: the same results as the command line, arrays in and out, errors, Ctrl-C.

PATOM_JOBS is a JSON file with the golden links and the digests that the command line found; PATOM_CLI is the
command line. `cargo xtask test --only "Python package"` sets both.
"""

import json
import os
import subprocess
import sys
import tempfile
import textwrap
import threading
import unittest
import warnings
from pathlib import Path

import numpy as np

import patom

CLI = os.environ["PATOM_CLI"]
JOBS = json.loads(Path(os.environ["PATOM_JOBS"]).read_text())["jobs"]
SMALL = {"dataset": "synthetic", "iterations": 2}


def command_line(*words):
    """What a command prints as JSON."""
    done = subprocess.run([CLI, *words], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def without_seconds(report):
    for point in report["trace"]:
        del point["seconds"]
    return report


def points(seed=0, tasks=4, rows=60, features=3):
    random = np.random.default_rng(seed)
    task = np.repeat(np.arange(tasks), rows)
    X = random.normal(size=(tasks * rows, features)) * [1.0, 10.0, 0.1]
    weights = random.normal(size=features) + 0.3 * random.normal(size=(tasks, features))
    y = np.einsum("nd,nd->n", X, weights[task]) + 0.1 * random.normal(size=len(X))
    return X, y, task


def gradient(solution, X, y, task, lambda1, lambda2, epsilon):
    """Gradient of P(W) as the crate documents it, with NumPy: (m, d + 1)."""
    W = np.column_stack([solution.coef, solution.intercept])
    X = np.column_stack([X, np.ones(len(X))])
    out = lambda1 * W
    for i, name in enumerate(solution.tasks):
        rows = task == name
        out[i] += 2 / rows.sum() * X[rows].T @ (X[rows] @ W[i] - y[rows])
    values, vectors = np.linalg.eigh(W @ W.T + epsilon * np.eye(len(W)))
    S = vectors * np.sqrt(values) @ vectors.T
    return out + lambda2 * np.trace(S) * np.linalg.solve(S, W)


class Runs(unittest.TestCase):
    def test_every_golden_link_gives_the_digest_of_the_command_line(self):
        ran = 0
        for job in JOBS:
            if job["digest"] is None:
                continue
            with self.subTest(job["name"]), warnings.catch_warnings():
                warnings.simplefilter("ignore", patom.DataWarning)
                result = patom.run(job["link"])
                self.assertEqual(result.digest, job["digest"])
                ran += 1
        self.assertGreaterEqual(ran, 20)

    def test_a_result_is_saved_as_the_command_line_writes_it(self):
        link = "#v=2&d=synthetic&i=2&sa=norm&k=indirect"
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(
                [CLI, "run", link, "--out", f"{folder}/cli"], check=True, capture_output=True
            )
            patom.run(link).save(f"{folder}/python")
            reports = [
                json.loads(Path(folder, who, "report.json").read_text()) for who in ("cli", "python")
            ]
            tables = [Path(folder, who, "points.csv").read_bytes() for who in ("cli", "python")]
        self.assertEqual(*(without_seconds(report) for report in reports))
        self.assertEqual(*tables)

    def test_a_link_a_dictionary_and_fields_mean_the_same(self):
        digests = {
            patom.run("#v=2&d=synthetic&i=2&b=0.3").digest,
            patom.run({**SMALL, "budget": 0.3}).digest,
            patom.run(**SMALL, budget=0.3).digest,
            patom.run("#v=2&d=synthetic&i=2&b=0.1", budget=np.float64(0.3)).digest,
            patom.run('{"iterations": 2, "budget": 0.3}').digest,
        }
        self.assertEqual(len(digests), 1)

    def test_the_link_of_a_result_is_compared_when_it_runs_again(self):
        first = patom.run(**SMALL)
        self.assertIsNone(first.comparison)
        again = patom.run(first.link)
        self.assertTrue(again.comparison.same)
        self.assertIn(first.digest, again.comparison.text)
        # With another field it is another run, about which the link says nothing.
        self.assertIsNone(patom.run(first.link, seed=7).comparison)
        wrong = first.link.replace(first.digest, "0" * 16)
        self.assertFalse(patom.run(wrong).comparison.same)

    def test_a_picture_and_a_report_run_again(self):
        result = patom.run(**SMALL, seed=5)
        with tempfile.TemporaryDirectory() as folder:
            for kind in ("curve", "correlations", "points"):
                path = Path(folder, f"{kind}.svg")
                result.svg(kind).save(path)
                self.assertEqual(patom.run(path).digest, result.digest)
            result.save(folder)
            again = patom.run(Path(folder, "report.json"))
        self.assertEqual(again.digest, result.digest)
        self.assertTrue(again.comparison.same)

    def test_arrays_of_a_result_are_those_of_its_report(self):
        result = patom.run(**SMALL, sanitise="norm")
        report = result.to_dict()
        m = len(report["task_names"])
        self.assertEqual(result.clean.coef.shape, (m, 10))
        np.testing.assert_array_equal(
            np.column_stack([result.attacked.coef, result.attacked.intercept]),
            report["attacked"]["weights"],
        )
        np.testing.assert_array_equal(
            result.trace["utility"], [point["utility"] for point in report["trace"]]
        )
        self.assertEqual(result.metric_per_task.shape, (3, m))
        found = result.points()
        injected = result.points("injected")
        self.assertEqual(len(found.X), sum(len(result.points(one).X) for one in ("train", "test", "injected")))
        # At most 1 in the engine's order of summation; NumPy has another.
        self.assertLessEqual(np.linalg.norm(injected.X, axis=1).max(), np.nextafter(1.0, 2.0))
        self.assertEqual(set(injected.task), set(report["attacking_tasks"]))
        dropped = report["detection"]["dropped"]
        self.assertEqual((~injected.kept).sum(), dropped["caught"])
        self.assertEqual((~result.points("train").kept).sum(), dropped["lost"])
        # The metric again, from points and weights: NMSE of the test points.
        test = result.points("test")
        for task in range(m):
            rows = test.task == task
            scores = test.X[rows] @ result.attacked.coef[task] + result.attacked.intercept[task]
            nmse = np.mean((scores - test.y[rows]) ** 2) / np.var(test.y[rows])
            self.assertAlmostEqual(nmse, result.attacked.metric_per_task[task], places=12)

    def test_what_an_attacker_does_not_know_is_marked(self):
        result = patom.run(**SMALL, knowledge=0.5, starts=2)
        found = result.points()
        unknown = found.split[~found.known]
        self.assertEqual(set(unknown), {"train"})
        self.assertEqual(len(unknown), (found.split == "train").sum() // 2)
        # Of the start that won.
        self.assertIn("<svg", result.svg("points"))
        self.assertEqual(len(result.trace), 3)

    def test_a_notebook_shows_text_that_is_escaped(self):
        X, y, task = points()
        names = ["<script>", "b", "c", "d"]
        data = patom.DataSet.from_arrays(X, y, task, task_names=names)
        shown = patom.run(data=data, iterations=1)._repr_html_()
        self.assertNotIn("<script>", shown)
        self.assertIn("<svg", shown)

    def test_progress_sees_every_iteration_on_the_thread_that_called(self):
        seen = []
        result = patom.run(
            **SMALL, progress=lambda *step: seen.append((*step, threading.get_ident()))
        )
        trace = result.trace
        expected = [(k, trace["metric"][k], trace["utility"][k]) for k in range(len(trace))]
        self.assertEqual([step[:3] for step in seen], expected)
        self.assertEqual({step[3] for step in seen}, {threading.get_ident()})

    def test_what_progress_raises_ends_the_run(self):
        calls = []

        def stop(*step):
            calls.append(step)
            raise LookupError("enough")

        with self.assertRaisesRegex(LookupError, "enough"):
            patom.run(**SMALL, progress=stop)
        self.assertEqual(len(calls), 1)


class Errors(unittest.TestCase):
    def refused(self, *words, **fields):
        with self.assertRaises(patom.PatomError) as caught:
            patom.run(*words, **fields)
        return caught.exception

    def test_a_wrong_field_is_named(self):
        error = self.refused(lambda1=0)
        self.assertIsInstance(error, ValueError)
        self.assertEqual((error.code, error.field), ("field", "lambda1"))
        self.assertIn("1e-12", str(error))
        error = self.refused(lambda1=-1, budget=99)
        self.assertEqual(len(str(error).splitlines()), 2)
        self.assertIn("available: version, dataset", str(self.refused(lamda1=1)))
        self.assertEqual(self.refused(dataset="nothing").field, "dataset")
        self.assertEqual(self.refused("#v=9&d=synthetic").field, "version")

    def test_numbers_that_are_not_finite_are_refused_everywhere(self):
        X, y, task = points()
        X[5, 1] = np.nan
        calls = (patom.solve, lambda *a: patom.poison(*a, targets=[0]), patom.DataSet.from_arrays)
        for call in calls:
            with self.assertRaisesRegex(patom.PatomError, r"X\[5, 1\] is nan"):
                call(X, y, task)
            with self.assertRaisesRegex(patom.PatomError, r"y\[2\] is inf"):
                call(np.nan_to_num(X), np.where(np.arange(len(y)) == 2, np.inf, y), task)
        with self.assertRaisesRegex(patom.PatomError, "task 1, point 3: label NaN"):
            Y = np.column_stack([y, y])
            Y[2, 0] = np.nan
            patom.DataSet.from_arrays(np.nan_to_num(X), Y)
        self.assertEqual(self.refused(lambda1=float("nan")).field, "lambda1")

    def test_what_makes_a_result_meaningless_is_a_warning(self):
        data = patom.DataSet.from_arrays(*points(rows=20))
        with self.assertWarnsRegex(patom.DataWarning, "Fewer than 20 test points"):
            result = patom.run(data=data, iterations=1)
        self.assertIn("few_test_points", [one["code"] for one in result.warnings])

    def test_shapes_that_do_not_fit_are_refused(self):
        X, y, task = points()
        for bad in ((X[1:], y, task), (X, y[1:], task), (X, y, task[1:]), (X[0], y, task)):
            with self.assertRaises(ValueError):
                patom.solve(*bad)
            with self.assertRaises(ValueError):
                patom.DataSet.from_arrays(*bad)

    def test_settings_of_the_attacker_are_checked_as_those_of_a_specification(self):
        X, y, task = points()
        for field, value in {
            "budget": -0.1,
            "radius": 0.0,
            "iterations": 1001,
            "step_size": float("inf"),
            "gradient": "none",
            "injected_labels": "flipped",
            "epsilon": 0.0,
            "pull_cap": 1.0,
            "seed": -1,
        }.items():
            with self.subTest(field), self.assertRaisesRegex((ValueError, OverflowError), field):
                patom.poison(X, y, task, targets=[0], **{field: value})
        with self.assertRaisesRegex(ValueError, "no task 9; available: 0, 1, 2, 3"):
            patom.poison(X, y, task, targets=[9])
        with self.assertRaisesRegex(ValueError, "targets"):
            patom.poison(X, y, task, targets=[])

    def test_another_data_set_than_the_specification_names_is_refused(self):
        data = patom.DataSet.from_arrays(*points())
        with self.assertRaisesRegex(patom.PatomError, "dataset"):
            patom.run(dataset="sarcos", data=data)
        link = patom.link(data=data)
        other = patom.DataSet.from_arrays(*points(seed=1))
        with self.assertRaisesRegex(patom.PatomError, "dataset"):
            patom.run(link, data=other)
        with self.assertRaisesRegex(patom.PatomError, "name"):
            patom.DataSet.from_arrays(*points(), name="sarcos")


class Data(unittest.TestCase):
    def test_arrays_and_the_same_numbers_in_a_file_give_the_same_digest(self):
        X, y, task = points()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "own.csv")
            rows = [f"{t},{label},{','.join(map(str, x))}" for t, label, x in zip(task, y, X.tolist())]
            path.write_text("task,label,x1,x2,x3\n" + "\n".join(rows) + "\n")
            of_file = patom.run(data=patom.DataSet.read(path), iterations=2)
            by_path = patom.run(dataset=path, iterations=2)
            by_hash = patom.run(of_file.link, data=folder)
        of_arrays = patom.run(data=patom.DataSet.from_arrays(X, y, task), iterations=2)
        digests = {one.digest for one in (of_file, by_path, by_hash, of_arrays)}
        self.assertEqual(len(digests), 1)
        self.assertTrue(by_hash.comparison.same)

    def test_columns_of_y_are_tasks_on_the_same_rows(self):
        X, y, _ = points()
        Y = np.column_stack([y, 2 * y + 1, -y])
        data = patom.DataSet.from_arrays(X, Y, task_names=["a", "b", "c"])
        self.assertEqual(data.task_names, ["a", "b", "c"])
        found, labels, task = data.training_points()
        np.testing.assert_array_equal(found, np.tile(X, (3, 1)))
        np.testing.assert_array_equal(labels, Y.T.ravel())
        np.testing.assert_array_equal(task, np.repeat([0, 1, 2], len(X)))

    def test_labels_decide_the_kind_unless_it_is_given(self):
        X, y, task = points()
        classes = (y > 0).astype(float)
        data = patom.DataSet.from_arrays(X, classes, task)
        self.assertEqual(data.kind, "classification")
        self.assertEqual(set(data.training_points()[1]), {-1.0, 1.0})
        data = patom.DataSet.from_arrays(X, classes, task, kind="regression")
        self.assertEqual(set(data.training_points()[1]), {0.0, 1.0})

    def test_a_split_is_kept(self):
        X, y, task = points()
        split = np.where(np.arange(len(X)) % 3 == 0, "test", "train")
        data = patom.DataSet.from_arrays(X, y, task, split=split)
        self.assertEqual(len(data.training_points()[0]), (split == "train").sum())
        with self.assertRaisesRegex(ValueError, "'Test'"):
            patom.DataSet.from_arrays(X, y, task, split=np.full(len(X), "Test"))

    def test_a_mapping_says_what_columns_are(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "own.csv")
            X, y, task = points()
            rows = [
                f"{label};{','.join(map(str, x))};{t}".replace(",", ";")
                for t, label, x in zip(task, y, X.tolist())
            ]
            path.write_text("p;q;r;s;t\n" + "\n".join(rows) + "\n")
            data = patom.DataSet.read(path, "task:5;label:1;x:2-4;sep:semicolon")
            found = data.training_points()
            by_link = patom.run(patom.link(data=data), data=path, iterations=1)
        np.testing.assert_array_equal(found[0], X)
        np.testing.assert_array_equal(found[1], y)
        self.assertEqual(by_link.digest, patom.run(data=data, iterations=1).digest)


class Studies(unittest.TestCase):
    def test_tuning_is_that_of_the_command_line(self):
        tuning = patom.tune(SMALL, folds=3)
        spec = json.dumps(SMALL)
        done = subprocess.run(
            [CLI, "tune", "-", "--json", "--folds", "3"],
            input=spec,
            capture_output=True,
            text=True,
            check=True,
        )
        self.assertEqual(tuning.to_dict(), json.loads(done.stdout))
        self.assertEqual(len(tuning.trials), 56)
        best = tuning.trials["metric"][tuning.trials["lambda2"] > 0].min()
        self.assertEqual(best, tuning.multi_task["metric"])
        self.assertEqual(patom.complete(tuning.link), tuning.spec)

    def test_a_grid_of_ones_own_is_used(self):
        tuning = patom.tune(SMALL, folds=2, lambda1_grid=[0.5, 0.05], lambda2_grid=np.array([0.2]))
        self.assertEqual(set(tuning.trials["lambda1"]), {0.5, 0.05})
        self.assertEqual(set(tuning.trials["lambda2"]), {0.2, 0.0})
        with self.assertRaisesRegex(patom.PatomError, "folds"):
            patom.tune(SMALL, folds=1)

    def test_a_risk_map_is_that_of_the_command_line_with_any_number_of_threads(self):
        link = "v=2&d=synthetic&i=1&ps=1"
        expected = command_line("risk", link, "--json")
        seen = []
        for threads in (1, 3):
            risk = patom.risk(link, threads=threads, progress=lambda *step: seen.append(step))
            self.assertEqual(risk.to_dict(), expected)
        self.assertEqual(seen, 2 * [(k, 8) for k in range(1, 9)])
        self.assertEqual(risk.damage.shape, (8, 8))
        attacker, target, damage = risk.worst_indirect
        self.assertEqual(damage, risk.damage[attacker, target])
        self.assertIn("<svg", risk.svg())

    def test_a_study_of_defences_is_that_of_the_command_line(self):
        link = "v=2&d=synthetic&i=1&k=indirect"
        study = patom.defend(link)
        self.assertEqual(study.to_dict(), command_line("defend", link, "--json"))
        self.assertIn("clean", study.table.dtype.names)
        self.assertEqual(study.caps["learner"][[0, -1]].tolist(), ["single_task", "multi_task"])
        self.assertGreater(len(study.verdict), 20)
        for kind in ("caps", "sanitisers", "rankings"):
            self.assertIn("<svg", study.svg(kind))
        with self.assertRaisesRegex(patom.PatomError, "budget"):
            patom.defend(link, budget=0)

    def test_studies_are_saved_as_the_command_line_writes_them(self):
        link = "v=2&d=synthetic&i=1&k=indirect&ps=1"
        with tempfile.TemporaryDirectory() as folder:
            for command, study in (("risk", patom.risk(link)), ("defend", patom.defend(link))):
                words = [CLI, command, link, "--out", f"{folder}/{command}"]
                subprocess.run(words, check=True, capture_output=True)
                study.save(f"{folder}/python")
            for name in ("risk/risk.json", "risk/risk.csv", "defend/defence.json", "defend/rankings.csv"):
                theirs, ours = Path(folder, name), Path(folder, "python", Path(name).name)
                self.assertEqual(theirs.read_bytes(), ours.read_bytes(), name)

    def test_an_error_in_progress_ends_a_risk_map(self):
        with self.assertRaises(ZeroDivisionError):
            patom.risk(SMALL, progress=lambda done, total: 1 / 0)


class Learner(unittest.TestCase):
    def test_the_gradient_is_zero_at_the_solution(self):
        X, y, task = points()
        X = (X - X.mean(axis=0)) / X.std(axis=0)
        found = patom.solve(X, y, task, lambda1=0.02, lambda2=0.3, epsilon=1e-4)
        size = np.sum(gradient(found, X, y, task, 0.02, 0.3, 1e-4) ** 2)
        # P is λ1-strongly convex, so this is the certificate.
        # The gradient is a small difference of large numbers: four digits of its square are exact.
        self.assertAlmostEqual(size / 0.04 / found.certificate, 1.0, delta=1e-4)
        self.assertTrue(found.converged)
        np.testing.assert_allclose(np.trace(found.covariance), 1.0, rtol=1e-12)
        np.testing.assert_allclose(np.diag(found.correlation), 1.0, rtol=1e-12)

    def test_single_task_learning_is_ridge_regression(self):
        X, y, task = points()
        found = patom.solve(X, y, task, learner="single_task", lambda1=0.3, tolerance=1e-14)
        for i in range(4):
            A = np.column_stack([X[task == i], np.ones(60)])
            w = np.linalg.solve(2 / 60 * A.T @ A + 0.3 * np.eye(4), 2 / 60 * A.T @ y[task == i])
            np.testing.assert_allclose(np.append(found.coef[i], found.intercept[i]), w, rtol=1e-6)

    def test_a_cap_bounds_the_pull_of_other_tasks(self):
        X, y, task = points()
        cap = 0.05
        found = patom.solve(X, y, task, learner="capped", pull_cap=cap, lambda1=0.1, lambda2=1.0)
        W = np.column_stack([found.coef, found.intercept])
        for i in range(4):
            A = np.column_stack([X[task == i], np.ones(60)])
            slope = 2 / 60 * A.T @ (A @ W[i] - y[task == i]) + 0.1 * W[i]
            self.assertLessEqual(np.linalg.norm(slope), cap * (1 + 1e-9))

    def test_names_of_tasks_are_kept(self):
        X, y, task = points()
        names = np.array(["north", "east", "south", "west"])[task]
        found = patom.solve(X, y, names)
        self.assertEqual(found.tasks.tolist(), ["east", "north", "south", "west"])
        by_number = patom.solve(X, y, task)
        np.testing.assert_allclose(found.coef[1], by_number.coef[0], rtol=1e-4, atol=1e-6)

    def test_poison_adds_rows_and_says_which(self):
        X, y, task = points()
        names = np.array(["north", "east", "south", "west"])[task]
        poisoned = patom.poison(
            X, y, names, targets=["north"], attackers=["east", "west"], budget=0.24, iterations=3
        )
        X2, y2, task2 = poisoned
        np.testing.assert_array_equal(X2[~poisoned.is_poison], X)
        np.testing.assert_array_equal(y2[~poisoned.is_poison], y)
        np.testing.assert_array_equal(task2[~poisoned.is_poison], names)
        added = task2[poisoned.is_poison]
        # floor(0.24 · 60) for each attacking task.
        self.assertEqual(sorted(added), ["east"] * 14 + ["west"] * 14)
        longest = np.linalg.norm(X, axis=1).max()
        self.assertLessEqual(np.linalg.norm(X2[poisoned.is_poison], axis=1).max(), longest)
        self.assertTrue(np.all(np.diff(poisoned.utility) > 0))
        # The model is that of the poisoned rows, and the utility that of the target's clean ones.
        again = patom.solve(X2, y2, task2)
        np.testing.assert_allclose(again.coef, poisoned.poisoned.coef, atol=1e-4)
        rows = names == "north"
        at = poisoned.poisoned.tasks.tolist().index("north")
        residual = X[rows] @ poisoned.poisoned.coef[at] + poisoned.poisoned.intercept[at] - y[rows]
        self.assertAlmostEqual(np.sum(residual**2), poisoned.utility[-1], places=9)

    def test_poison_is_the_attack_of_a_run_on_its_scaled_points(self):
        result = patom.run(**SMALL)
        train = result.points("train")
        poisoned = patom.poison(train.X, train.y, train.task, targets=result.spec["targets"], iterations=2, radius=1.0)
        np.testing.assert_array_equal(poisoned.utility, result.trace["utility"])
        np.testing.assert_array_equal(poisoned.X[poisoned.is_poison], result.points("injected").X)

    def test_defaults_are_those_of_a_specification(self):
        import inspect

        spec = patom.complete()
        for function in (patom.solve, patom.poison):
            for name, parameter in inspect.signature(function).parameters.items():
                if name in spec and name not in ("targets", "attackers", "radius"):
                    self.assertEqual(parameter.default, spec[name], name)


INTERRUPTED = """
import os, signal, threading, time
import numpy as np
import patom

random = np.random.default_rng(0)
task = np.repeat(np.arange(60), 400)
X = random.normal(size=(len(task), 300))
y = random.normal(size=len(task))
sent = []
def interrupt():
    sent.append(time.perf_counter())
    os.kill(os.getpid(), signal.SIGINT)
start = time.perf_counter()
threading.Timer({delay}, interrupt).start()
try:
    {call}
except KeyboardInterrupt:
    heard = time.perf_counter()
    # The solver ends as well: nothing goes on working.
    time.sleep(1.0)
    before = time.process_time()
    time.sleep(0.5)
    print(heard - sent[0], time.process_time() - before)
else:
    print("finished", time.perf_counter() - start)
"""


class Interrupts(unittest.TestCase):
    def interrupted(self, call, delay=1.0):
        code = textwrap.dedent(INTERRUPTED).format(call=call, delay=delay)
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        words = done.stdout.split()
        self.assertNotEqual(words[0], "finished", f"too fast to interrupt: {done.stdout}")
        waited, worked = map(float, words)
        self.assertLess(waited, 0.5)
        # Half a second of waiting, not of working.
        self.assertLess(worked, 0.1)

    def test_ctrl_c_is_heard_in_the_middle_of_a_solve(self):
        self.interrupted("patom.solve(X, y, task, lambda1=1e-6, lambda2=1e-3, tolerance=1e-15, max_iterations=10000)")

    def test_ctrl_c_is_heard_in_the_middle_of_an_attack(self):
        self.interrupted("patom.poison(X, y, task, targets=range(30), iterations=1000)", delay=2.0)

    def test_ctrl_c_is_heard_in_the_middle_of_a_sweep_on_several_threads(self):
        with tempfile.TemporaryDirectory() as folder:
            grid = {"spec": {"iterations": 1000}, "grid": {"seed": "1..1000"}}
            self.interrupted(f"patom.sweep({grid!r}, {folder!r}, threads=3)")

    def test_other_threads_work_while_a_solve_runs(self):
        ticks = []
        stop = threading.Event()

        def tick():
            while not stop.wait(0.001):
                ticks.append(None)

        X, y, task = points(tasks=40, rows=200)
        thread = threading.Thread(target=tick)
        thread.start()
        before = len(ticks)
        patom.risk(iterations=2, threads=1)
        during = len(ticks) - before
        stop.set()
        thread.join()
        self.assertGreater(during, 10)


if __name__ == "__main__":
    unittest.main()
