"""The contract of the command line as a table: each rule, each command, and the test that proves the one on the other.

`contract.tsv` has a line for each rule. Its cells, one for each command, hold `folder/file.py::Class::test`, `unit/...cc::name of the
case`, or `-` and the reason why the rule says nothing of the command. `=` repeats the cell to the left. A rule about terminals has a
line for a run on a pseudo-terminal and one for a run without.
"""
import ast
import csv
import pathlib
import re
import unittest

from harness import ROOT

TABLE = pathlib.Path(__file__).with_name("contract.tsv")
COMMANDS = ["encode text", "encode --requests", "denoise", "render", "optimize inspect", "optimize convert",
            "optimize quantize", "stylize", "encode image"]
RULES = {
    "filter", "terminals", "atomic output", "exit codes", "help and version", "quiet, verbose, log", "progress", "colour", "machine output",
    "dry run", "generation flags", "make, ninja", "reproducible", "config", "secrets", "errors across a pipe", "signals", "limits",
    "partial failure", "SIGINT", "SIGTERM, SIGHUP", "SIGPIPE", "SIGUSR1", "last flush and close", "-n and a word", "A1111 text",
    "provenance", "preview", "if changed", "unknown key", "shard", "skip existing", "stats, metrics",
}
OF_TERMINALS = {"terminals", "progress", "colour"}
ON, OFF = " (terminal)", " (no terminal)"


def table():
    """{rule: {command: cell}}, with repeated cells filled in."""
    with open(TABLE, encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    if rows[0] != ["rule", *COMMANDS]:
        raise ValueError("the first line does not name the commands")
    filled = {}
    for rule, *cells in rows[1:]:
        if rule in filled or len(cells) != len(COMMANDS):
            raise ValueError(f"{rule}: stands there twice, or has {len(cells)} cells")
        for number, cell in enumerate(cells):
            if cell == "=":
                cells[number] = cells[number - 1]
        filled[rule] = dict(zip(COMMANDS, cells))
    return filled


def python_tests(path):
    """`Class::test` of a script."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {f"{group.name}::{test.name}" for group in tree.body if isinstance(group, ast.ClassDef)
            for test in group.body if isinstance(test, ast.FunctionDef) and test.name.startswith("test_")}


def doctest_cases(path):
    return set(re.findall(r'TEST_CASE\("((?:[^"\\]|\\.)*)"', path.read_text(encoding="utf-8")))


def is_there(proof):
    """True when the test that a cell names is written in its file, and its suite runs that file."""
    file, _, name = proof.partition("::")
    path = ROOT / "tests" / file
    if not path.is_file():
        return False
    stem, meson = path.stem, (path.parent / "meson.build").read_text(encoding="utf-8")
    listed = re.search(rf"'{re.escape(stem.removesuffix('_test'))}(_test)?(\.py|\.cc)?'", meson)
    return bool(listed) and name in (python_tests(path) if path.suffix == ".py" else doctest_cases(path))


class Contract(unittest.TestCase):
    def test_every_rule_stands_in_the_table(self):
        expected = {rule + side for rule in RULES for side in ((ON, OFF) if rule in OF_TERMINALS else ("",))}
        self.assertEqual(expected, set(table()))

    def test_every_cell_names_a_test_that_is_there_or_a_reason(self):
        for rule, cells in table().items():
            for command, cell in cells.items():
                with self.subTest(rule=rule, command=command):
                    if cell.startswith("-"):
                        self.assertRegex(cell, r"^- \w.{10,}")
                    else:
                        self.assertTrue(is_there(cell), f"no such test: {cell!r}")

    def test_every_rule_is_proved_on_some_command(self):
        for rule, cells in table().items():
            self.assertFalse(all(cell.startswith("-") for cell in cells.values()), rule)

    def test_rules_of_terminals_are_proved_on_one(self):
        for rule in OF_TERMINALS:
            for cell in table()[rule + ON].values():
                if not cell.startswith("-"):
                    file = ROOT / "tests" / cell.partition("::")[0]
                    self.assertRegex(file.read_text(encoding="utf-8"), r"\bPseudoTerminal\(", cell)


if __name__ == "__main__":
    unittest.main()
