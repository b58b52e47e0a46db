"""--help-json: the table of all flags says what --help says, and holds every exit code."""
import json
import re

import harness
from harness import ALL_TOOLS, DENOISE, ENCODE, ROOT, USAGE
from tool_tables import TABLES, commands, visible_names

COMMAND = {"name", "summary", "examples", "operands", "flags"}
FLAG = {"names", "value", "default", "choices", "help", "group", "repeats", "required", "hidden", "environment"}
OPERAND = {"name", "value", "help", "repeats", "required"}


class Table(harness.ToolTest):
    def test_shape(self):
        for tool, table in TABLES.items():
            self.assertEqual({"tool", "version", "summary", "commands", "exit_codes", "signals"}, set(table))
            self.assertEqual(tool, table["tool"])
            self.assertNotEqual("", table["summary"])
            self.assertRegex(table["version"], r"^\d+\.\d+\.\d+$")
            for _, command in commands(tool):
                self.assertEqual(COMMAND, set(command))
                self.assertTrue(all(FLAG == set(flag) for flag in command["flags"]))
                self.assertTrue(all(OPERAND == set(operand) for operand in command["operands"]))
                names = [name for flag in command["flags"] for name in flag["names"]]
                self.assertEqual(sorted(set(names)), sorted(names), "a name stands twice")

    def test_it_is_printed_whatever_else_is_asked(self):
        self.each(lambda argv: self.assertEqual(TABLES[argv[0]], json.loads(self.run_ok(argv).out)), [
            ([DENOISE, "--help-json", "no-such-file"],),
            ([DENOISE, "--no-such-flag", "--help-json"],),
            ([ENCODE, "text", "--help-json"],),
        ])
        self.run_fails([DENOISE, "--", "--help-json", "--no-such-file"], harness.NO_INPUT, "--help-json")

    def test_flags_are_those_of_help(self):
        def check(words, command):
            text = self.run_ok([*words.split(), "--help"]).out.decode()
            declared = {name for line in re.findall(r"^  (-\S+)", text, re.M) for name in line.split(",")}
            self.assertEqual(declared, visible_names(command))
            self.assertIn(command["summary"], text)
            for flag in command["flags"]:
                self.assertEqual(flag["hidden"], flag["names"][0] not in declared)
                if not flag["hidden"]:
                    self.assertIn(" ".join(flag["help"].split()), " ".join(text.split()))

        self.each(check, [each for tool in ALL_TOOLS for each in commands(tool)])

    def test_every_exit_code_of_the_library(self):
        enumeration = re.search(r"enum class ExitCode[^{]*\{(.*?)\};", (ROOT / "lib/base/error.h").read_text(), re.S)[1]
        codes = [int(code) for code in re.findall(r"^\s*\w+ = (\d+),", enumeration, re.M)]
        self.assertGreater(len(codes), 10)
        for tool, table in TABLES.items():
            self.assertEqual(codes, [row["code"] for row in table["exit_codes"]], tool)
            self.assertEqual([130, 141, 143], [row["code"] for row in table["signals"]], tool)

    def test_variables(self):
        for tool in ALL_TOOLS:
            for words, command in commands(tool):
                for flag in command["flags"]:
                    long_name = next((name for name in flag["names"] if name.startswith("--")), None)
                    if flag["environment"]:
                        self.assertEqual("LCM_" + long_name[2:].upper().replace("-", "_"), flag["environment"], words)
                    elif long_name:
                        self.assertIn(long_name, ("--help", "--version", "--help-json", "--config", "--show-config"), words)

    def test_choices_are_all_that_is_taken(self):
        flags = {(flag["names"][-1], tuple(flag["choices"])): words for tool in ALL_TOOLS for words, command in commands(tool)
                 for flag in command["flags"] if flag["choices"]}
        self.assertGreater(len(flags), 3)
        self.each(lambda words, name: self.run_fails([*words.split(), f"{name}=no-such-choice"], USAGE, name),
                  [(words, name) for (name, _), words in flags.items()])


if __name__ == "__main__":
    harness.main()
