"""Sweeps from Python: the rows of the command line, and a cluster that fails in the middle.

The cluster is real: a scheduler and two workers of Dask, each a process of its own. PATOM_CLI is the
command line. `cargo xtask test --only "Python package"` runs this.
"""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import warnings
from pathlib import Path

import numpy as np

import patom

from test_package import points

CLI = os.environ["PATOM_CLI"]
SMALL = {"train_per_task": 12, "test_per_task": 20, "iterations": 2}


def grid(seeds, **spec):
    return {"spec": {**SMALL, **spec}, "grid": {"attack": ["direct", "indirect"], "seed": f"1..{seeds}"}}


def timeless(rows):
    return [{name: value for name, value in row.items() if name != "seconds"} for row in rows]


def lines(folder):
    """All rows of all files, as often as they are there."""
    texts = [path.read_text() for path in Path(folder, "parts").glob("*.jsonl")]
    return [json.loads(line) for text in texts for line in text.splitlines()]


class Folder(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.place = Path(place.name)


class Serial(Folder):
    def test_rows_are_those_of_the_command_line_and_both_share_a_folder(self):
        Path(self.place, "grid.json").write_text(json.dumps(grid(3)))
        words = [CLI, "sweep", str(self.place / "grid.json"), "--out"]
        subprocess.run([*words, str(self.place / "cli")], check=True, capture_output=True)
        seen = []
        ours = patom.sweep(grid(3), self.place / "ours", progress=lambda *step: seen.append(step))
        self.assertEqual((len(ours), ours.planned, ours.reused, ours.unfinished), (6, 6, 0, []))
        self.assertEqual(seen, [(k, 6) for k in range(1, 7)])
        theirs = patom.sweep(self.place / "grid.json", self.place / "cli")
        self.assertEqual((theirs.planned, theirs.reused), (6, 6))
        self.assertEqual(timeless(ours.rows), timeless(theirs.rows))
        plans = [(self.place / name / "plan.jsonl").read_text() for name in ("cli", "ours")]
        self.assertEqual(*plans)
        tables = []
        for name in ("cli", "ours"):
            table = csv.DictReader(io.StringIO((self.place / name / "results.csv").read_text()))
            tables.append(timeless(table))
        self.assertEqual(*tables)
        # And the other way round.
        more = subprocess.run([*words, str(self.place / "ours")], check=True, capture_output=True, text=True)
        self.assertIn("6 runs from earlier calls, 0 run", more.stdout)

    def test_rows_do_not_depend_on_the_number_of_threads(self):
        seen = []
        progress = lambda *step: seen.append((*step, threading.get_ident()))
        one = patom.sweep(grid(5), self.place / "one", threads=1)
        many = patom.sweep(grid(5), self.place / "many", threads=4, progress=progress)
        self.assertEqual(timeless(one.rows), timeless(many.rows))
        self.assertEqual(seen, [(k, 10, threading.get_ident()) for k in range(1, 11)])
        self.assertEqual(len(list((self.place / "many/parts").glob("*.jsonl"))), 1)

    def test_a_full_disk_ends_a_sweep(self):
        def full(*step):
            raise OSError("no space left on device")

        with self.assertRaisesRegex(OSError, "no space left"):
            patom.sweep(grid(30), self.place, threads=2, progress=full)
        self.assertLess(len(lines(self.place)), 10)
        done = patom.sweep(grid(30), self.place)
        self.assertEqual((len(done), len(lines(self.place))), (60, 60))

    def test_a_row_is_the_result_of_its_link(self):
        done = patom.sweep(grid(2), self.place)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", patom.DataWarning)
            result = patom.run(done.rows[3]["link"])
        self.assertTrue(result.comparison.same)
        self.assertEqual(done["digest"][3], result.digest)
        self.assertEqual(done["attacked_metric"][3], result.trace["metric"][-1])
        self.assertEqual(done["attacked_metric"].dtype, np.float64)
        self.assertTrue(np.isnan(done["train_share"]).all())
        self.assertEqual(list(done["attack"]), ["direct", "direct", "indirect", "indirect"])
        self.assertRaises(KeyError, done.__getitem__, "sede")

    def test_a_larger_grid_runs_only_what_is_new(self):
        patom.sweep(grid(2), self.place)
        more = patom.sweep(grid(3), self.place)
        self.assertEqual((more.planned, more.reused, len(lines(self.place))), (6, 4, 6))

    def test_a_wrong_grid_is_an_error_before_anything_runs(self):
        for wrong, message in [
            ({"grid": {"budget": [0.1, 9]}}, "run 2 of the grid: budget: 9"),
            ({"grid": {"sede": [1]}}, "sede: unknown field"),
            ({"spec": {"dataset": "missing.csv"}}, "run 1 of the grid: dataset: missing.csv"),
        ]:
            with self.assertRaises(patom.PatomError) as caught:
                patom.sweep(wrong, self.place / "new")
            self.assertTrue(str(caught.exception).startswith(message), caught.exception)
        self.assertFalse((self.place / "new").exists())

    def test_a_run_that_fails_is_a_row_with_its_error(self):
        random = np.random.default_rng(0)
        data = patom.DataSet.from_arrays(
            random.normal(size=(60, 3)), random.normal(size=60), np.repeat([0, 1, 2], 20)
        )
        sizes = {"spec": {"iterations": 1, "targets": [0]}, "grid": {"train_per_task": [5, 5000, 6]}}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", patom.DataWarning)
            done = patom.sweep(sizes, self.place, data=data)
        self.assertEqual([bool(error) for error in done["error"]], [False, True, False])
        self.assertEqual([bool(digest) for digest in done["digest"]], [True, False, True])

    def test_two_digests_of_one_run_are_an_error(self):
        done = patom.sweep(grid(1), self.place)
        row = {**done.rows[0], "digest": "0123456789abcdef"}
        Path(self.place, "parts", "zzz.jsonl").write_text(json.dumps(row) + "\n")
        with self.assertRaisesRegex(patom.PatomError, "0123456789abcdef"):
            patom.sweep(grid(1), self.place)

    def test_parquet_holds_the_rows(self):
        import pyarrow.parquet

        both = [grid(1), grid(1, radius="q75")]
        done = patom.sweep(both, self.place)
        table = pyarrow.parquet.read_table(done.to_parquet())
        self.assertEqual(table.column_names, done.columns)
        self.assertEqual(table["digest"].to_pylist(), list(done["digest"]))
        self.assertEqual(table["attacked_metric"].to_pylist(), list(done["attacked_metric"]))
        self.assertEqual(table["metric_trace"].to_pylist(), list(done["metric_trace"]))
        self.assertEqual(table["radius"].to_pylist()[1:3], ["1.0", "q75"])


def kills_its_worker(key):
    """A plugin of every worker, also of one that is started in place of another: the run with this key
    ends its process."""
    from distributed import WorkerPlugin

    # Within a function, so that it is sent to workers as it is.
    class KillsItsWorker(WorkerPlugin):
        def setup(self, worker):
            from patom import _sweep

            run_one = _sweep._run_one

            def run(item, folder):
                if item[0] == key:
                    os.kill(os.getpid(), signal.SIGKILL)
                return run_one(item, folder)

            _sweep._run_one = run

    return KillsItsWorker()


class Cluster(Folder):
    def setUp(self):
        super().setUp()
        import dask
        from distributed import Client

        setting = dask.config.set({"distributed.comm.timeouts.connect": "5s"})
        self.addCleanup(setting.__exit__, None, None, None)
        self.address = self.place / "scheduler.json"
        self.scheduler = self.start("scheduler", "--port", "0", "--no-dashboard", "--scheduler-file")
        self.workers = [
            self.start(
                "worker", "--nthreads", "1", "--no-dashboard", "--local-directory", str(self.place), "--scheduler-file"
            )
            for _ in range(2)
        ]
        self.client = Client(scheduler_file=str(self.address), timeout=60)
        self.addCleanup(self.client.close, 2)
        self.client.wait_for_workers(2, timeout=60)

    def start(self, what, *words):
        log = open(self.place / f"{what}.log", "a")
        process = subprocess.Popen(
            [sys.executable, "-m", "distributed.cli.dask_" + what, *words, str(self.address)],
            stdout=log,
            stderr=log,
            # A scheduler gives up a task when one worker more than this died of it.
            env={**os.environ, "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1"},
        )

        def end():
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            log.close()

        self.addCleanup(end)
        return process

    def serial(self, what):
        return timeless(patom.sweep(what, self.place / "serial").rows)

    def processes(self):
        return list(self.client.run(os.getpid).values())

    def test_digests_equal_the_serial_ones_and_no_run_is_repeated(self):
        what = grid(30)
        done = patom.sweep(what, self.place / "dask", client=self.client)
        self.assertEqual((len(done), done.unfinished), (60, []))
        self.assertEqual(len(lines(self.place / "dask")), 60)
        self.assertEqual(len(list((self.place / "dask/parts").glob("*.jsonl"))), 2)
        self.assertEqual(timeless(done.rows), self.serial(what))
        again = patom.sweep(what, self.place / "dask", client=self.client)
        self.assertEqual(again.reused, 60)

    def test_a_worker_that_is_killed_loses_nothing(self):
        what = grid(60, iterations=6)
        victims = self.processes()
        killed = []

        def progress(done, planned):
            if done >= 20 and not killed:
                killed.append(victims[0])
                os.kill(victims[0], signal.SIGKILL)

        done = patom.sweep(what, self.place / "dask", client=self.client, progress=progress)
        self.assertEqual(len(killed), 1)
        self.assertEqual((len(done), done.unfinished), (120, []))
        self.assertEqual(timeless(done.rows), self.serial(what))

    def test_a_run_that_kills_its_worker_is_named_and_the_others_go_on(self):
        what = grid(10)
        serial = patom.sweep(what, self.place / "serial")
        culprit = serial.rows[7]
        self.client.register_plugin(kills_its_worker(culprit["key"]))
        done = patom.sweep(what, self.place / "dask", client=self.client, batch=4)
        [(link, reason)] = done.unfinished
        self.assertTrue(culprit["link"].startswith(link + "&"))
        self.assertIn("worker", reason)
        others = [row for row in timeless(serial.rows) if row["key"] != culprit["key"]]
        self.assertEqual(timeless(done.rows), others)
        # Elsewhere it works: a further call computes it.
        whole = patom.sweep(what, self.place / "dask")
        self.assertEqual((whole.reused, timeless(whole.rows)), (19, timeless(serial.rows)))

    def test_a_scheduler_that_goes_away_is_an_error_and_the_sweep_continues_later(self):
        what = grid(60, iterations=6)
        gone = []

        def progress(done, planned):
            if done >= 20 and not gone:
                gone.append(time.monotonic())
                self.scheduler.kill()

        with self.assertRaises(ConnectionError):
            patom.sweep(what, self.place / "dask", client=self.client, progress=progress)
        self.assertLess(time.monotonic() - gone[0], 60)
        # Workers end with their scheduler, perhaps after the batch they were at.
        for worker in self.workers:
            worker.terminate()
            worker.wait(30)
        there = {row["key"] for row in lines(self.place / "dask")}
        self.assertTrue(20 <= len(there) < 120, len(there))
        done = patom.sweep(what, self.place / "dask")
        self.assertEqual((done.reused, len(done)), (len(there), 120))
        self.assertEqual(timeless(done.rows), self.serial(what))

    def test_results_and_data_sets_go_to_workers_and_back(self):
        data = patom.DataSet.from_arrays(*points())
        ours = patom.run(data=data, iterations=1)
        theirs = self.client.submit(patom.run, data=data, iterations=1).result()
        self.assertEqual((theirs.digest, theirs.link), (ours.digest, ours.link))
        np.testing.assert_array_equal(theirs.points().X, ours.points().X)

    def test_arrays_stay_in_this_process(self):
        data = patom.DataSet.from_arrays(np.eye(4), np.arange(4.0), [0, 0, 1, 1])
        with self.assertRaisesRegex(TypeError, "file or a folder"):
            patom.sweep(grid(1), self.place / "dask", client=self.client, data=data)


if __name__ == "__main__":
    unittest.main()
