"""The notebooks run, and print what they are published with.

With PATOM_WRITE_NOTEBOOKS=1 they are published with what they print now: after a change of a notebook or of the
engine's version.
"""

import os
import tempfile
import unittest
from pathlib import Path

import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[2] / "docs" / "notebooks"


def printed(notebook):
    return [
        output["text"]
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if output["output_type"] == "stream" and output["name"] == "stdout"
    ]


class Notebooks(unittest.TestCase):
    def check(self, name):
        path = FOLDER / f"{name}.ipynb"
        notebook = nbformat.read(path, as_version=4)
        published = printed(notebook)
        with tempfile.TemporaryDirectory() as folder:
            where = {"metadata": {"path": folder}}
            NotebookClient(notebook, timeout=300, kernel_name="python3", resources=where).execute()
        if os.environ.get("PATOM_WRITE_NOTEBOOKS"):
            for cell in notebook.cells:
                # When each cell ran, which changes every time.
                cell.metadata.pop("execution", None)
            nbformat.write(notebook, path)
        else:
            self.assertEqual(printed(notebook), published)
        self.assertGreater(len(printed(notebook)), 2)

    def test_an_attack_in_five_lines(self):
        self.check("attack")

    def test_is_my_data_at_risk(self):
        self.check("risk")

    def test_a_sweep_and_its_picture(self):
        self.check("sweep")


if __name__ == "__main__":
    unittest.main()
