"""What the log flags do: levels, JSON lines, a file, colour; errors as JSON with --json."""
import json
import re
import signal
import subprocess

import harness
from harness import DATA, DENOISE, NO_INPUT, RENDER, USAGE, denoise, died_of, render
from pseudo_terminal import PseudoTerminal

MISSING = [RENDER, "missing.lcms"]
SEEDED = denoise("--seed", "random", "--steps", 1)  # warns which seed it drew
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"


class Level(harness.ToolTest):
    def said(self, *flags, env=None):
        result = self.run_any([*SEEDED, *flags], stdin=harness.sample("cond"), env=env)
        self.assertEqual(0, result.code, result)
        return result.lines

    def test_the_level_rules_what_is_said(self):
        self.assertEqual([], self.said("--log-level=error"))
        self.assertRegex(self.said("--log-level=warning")[0], r"^lcm-denoise: seed \d+$")
        self.assertEqual(1, len(self.said("--log-level=warning")))
        self.assertEqual({"warning", "info"}, self.labels("--log-level=info", "-m", harness.LCM))
        self.assertEqual({"warning", "info", "debug"}, self.labels("--log-level=debug", "-m", harness.LCM))

    def labels(self, *flags):
        """Labels of all lines."""
        return {re.match("lcm-denoise: ([a-z]+): ", line)[1] for line in self.said(*flags)}

    def test_the_short_flags_win(self):
        self.assertEqual([], self.said("--log-level=debug", "-q"))
        self.assertEqual({"warning", "info"}, self.labels("--log-level=error", "-v"))

    def test_an_unknown_word_is_refused(self):
        for flag in ("--log-level=loud", "--log-format=xml", "--color=blue"):
            self.run_fails([*MISSING, flag], USAGE, flag.split("=")[0])


class Json(harness.ToolTest):
    def test_each_line_is_an_object(self):
        result = self.run_any([*SEEDED, "--log-format=json", "-vv"], stdin=harness.sample("cond"))
        lines = [json.loads(line) for line in result.lines]
        for line in lines:
            self.assertEqual(["level", "message", "tool"], sorted(line))
            self.assertEqual(DENOISE, line["tool"])
        self.assertEqual({"warning", "info", "debug"}, {line["level"] for line in lines})

    def test_an_error_tells_its_parts_in_one_line(self):
        result = self.run_any([*MISSING, "--log-format=json"])
        self.assertEqual(NO_INPUT, result.code)
        [line] = [json.loads(line) for line in result.lines]
        self.assertEqual(("error", RENDER, 66, "missing.lcms"), (line["level"], line["tool"], line["code"], line["where"]))
        self.assertEqual(line["where"] + ": " + line["what"], line["message"])

    def test_errors_alone_with_json(self):
        result = self.run_any([RENDER, "--json"], stdin=b"\x08\0\0\0\0\0\0\0{}      ")
        self.assertEqual(DATA, result.code)
        [line] = [json.loads(line) for line in result.lines]
        self.assertEqual(["error"], list(line))
        self.assertEqual(["code", "fix", "what", "where"], sorted(line["error"]))
        self.assertEqual(65, line["error"]["code"])
        self.assertIn("record 0", line["error"]["where"])

    def test_a_usage_error_too(self):
        for argv in ([RENDER, "--json", "--bad-flag"], [RENDER, "--bad-flag", "--json"]):
            result = self.run_any(argv)
            self.assertEqual(USAGE, result.code)
            self.assertEqual(64, json.loads(result.err)["error"]["code"])

    def test_an_interruption_too(self):
        process = self.start(denoise("--log-format=json", "-o", "out.lcms"), stdin=subprocess.PIPE)
        self.wait_until(lambda: list(self.folder.glob(".lcm-*.tmp")))
        process.send_signal(signal.SIGINT)
        self.assertEqual(died_of(signal.SIGINT), process.wait(harness.TIME_LIMIT))
        self.assertEqual({"level": "error", "tool": DENOISE, "message": "interrupted"}, json.loads(process.stderr.read()))


class File(harness.ToolTest):
    def test_it_takes_all_and_leaves_errors_on_stderr(self):
        self.run_ok([*SEEDED, "--log-file", "log"], stdin=harness.sample("cond"))
        result = self.run_any([*MISSING, "--log-file", "log"])
        self.assertTrue(result.lines[0].startswith("lcm-render: missing.lcms: "), result)
        first, second, *hint = self.read("log").decode().splitlines()
        self.assertRegex(first, f"^{TIME} lcm-denoise: seed \\d+$")
        self.assertRegex(second, f"^{TIME} lcm-render: missing.lcms: ")
        self.assertEqual(len(result.lines) - 1, len(hint))

    def test_tools_of_a_pipe_share_it_as_json(self):
        flags = ("--log-file", "log", "--log-format=json", "-vv")
        self.pipe_ok(harness.encode("apple", *flags), denoise("--steps", 1, *flags), render(*flags))
        lines = [json.loads(line) for line in self.read("log").splitlines()]
        self.assertEqual(set(harness.ALL_TOOLS[:3]), {line["tool"] for line in lines})
        for line in lines:
            self.assertRegex(line["time"], f"^{TIME}$")

    def test_one_that_cannot_be_opened(self):
        self.run_fails([*MISSING, "--log-file", "missing/log"], harness.CANNOT_CREATE, "missing/log: cannot open the log")


class Color(harness.ToolTest):
    RED = b"\x1b[31mlcm-render:\x1b[0m missing.lcms"

    def error_on(self, terminal, *flags, **environment):
        """What a failing tool prints on a terminal or into a pipe."""
        if not terminal:
            return self.run_any([*MISSING, *flags], env=environment).err
        on = PseudoTerminal()
        self.addCleanup(on.close)
        self.run_any([*MISSING, *flags], stderr=on.slave, env=environment)
        return on.take_text()

    def test_it_is_for_terminals(self):
        self.assertIn(self.RED, self.error_on(True))
        self.assertNotIn(b"\x1b", self.error_on(False))

    def test_the_environment_and_the_flag_change_that(self):
        self.each(self.expect_color, [
            (False, True, (), {"NO_COLOR": "1"}),
            (True, True, (), {"NO_COLOR": ""}),
            (False, True, (), {"TERM": "dumb"}),
            (True, False, (), {"FORCE_COLOR": "1"}),
            (False, False, (), {"FORCE_COLOR": ""}),
            (False, True, ("--color=never",), {"FORCE_COLOR": "1"}),
            (True, False, ("--color=always",), {"NO_COLOR": "1"}),
        ])

    def expect_color(self, colored, terminal, flags, environment):
        text = self.error_on(terminal, *flags, **environment)
        self.assertEqual(colored, self.RED in text, text)
        self.assertEqual(colored, b"\x1b[3" in text, text)

    def test_only_the_front_of_a_line_has_it(self):
        text = self.error_on(False, "--color=always").decode()
        for line in text.splitlines():
            self.assertTrue(re.fullmatch(r"\x1b\[\d+mlcm-render:( hint:)?\x1b\[0m [^\x1b]*", line), text)


if __name__ == "__main__":
    harness.main()
