"""The examples of the documentation give what they show."""

import doctest
import importlib
import os
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).parents[2]
MODULES = ["patom", "patom._data", "patom._learner", "patom._result", "patom._run", "patom._study"]


class Examples(unittest.TestCase):
    def test_those_of_docstrings(self):
        tried = 0
        for name in MODULES:
            failed, count = doctest.testmod(importlib.import_module(name), verbose=False)
            with self.subTest(name):
                self.assertEqual(failed, 0)
            tried += count
        self.assertGreater(tried, 5)

    def test_those_of_the_documents(self):
        before = os.getcwd()
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            try:
                for name in ("README.md", "docs/python.md"):
                    path = str(ROOT / name)
                    failed, count = doctest.testfile(path, module_relative=False, verbose=False)
                    with self.subTest(name):
                        self.assertEqual(failed, 0)
                        self.assertGreater(count, 2)
            finally:
                os.chdir(before)


if __name__ == "__main__":
    unittest.main()
