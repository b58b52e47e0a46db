"""Rules of the command line that are the same for every command of every tool, proved on each of them in the same way."""
import json
import re
import signal
import subprocess

import harness
from harness import ENCODE, LCM, NO_INPUT, OPTIMIZE, RENDER, STYLIZE, USAGE, denoise, encode, render
from pseudo_terminal import PseudoTerminal

COLOUR = rb"\x1b\[[0-9;]+m"  # other sequences move the cursor
REQUEST = b'{"prompt":"a red apple"}\n'


def commands():
    """Every command that this CPU can run: its name in the table of the contract, its words, what it reads."""
    quantize = ("quantize", [OPTIMIZE, "quantize", "-t1", "--calibrate", "-", "-m", LCM, "-o", "int8"], harness.sample("cond"))
    return (*always(), quantize) if harness.multiplies_bytes() else always()


def always():
    """The commands that every CPU can run."""
    return (
        ("text", encode("a red apple"), b""),
        ("requests", [ENCODE, "--requests", "-", "-t1", "-m", LCM], REQUEST),
        ("denoise", denoise("-m", LCM, "--steps", 1), harness.sample("cond")),
        ("render", render("-m", LCM), harness.sample("latent")),
        ("inspect", [OPTIMIZE, "inspect", "-m", LCM, "-t1"], b""),
        ("convert", [OPTIMIZE, "convert", "-t1", "--dtype", "f16", "-m", LCM, "-o", "model"], b""),
        ("stylize", [STYLIZE, "-t1", "-m", LCM, "--template", "{prompt}, sharp"], harness.sample("cond")),
    )


def failing(argv):
    """The command with a model that is not there."""
    return ["missing" if word == LCM else word for word in argv]


class EveryTool(harness.ToolTest):
    def each_command(self, check):
        self.each(check, commands())

    def test_an_error_as_json(self):
        def check(_, argv, stdin):
            result = self.run_any([*failing(argv), "--json"], stdin=stdin)
            self.assertEqual((NO_INPUT, 1), (result.code, len(result.lines)), result)
            error = json.loads(result.lines[0])["error"]
            self.assertEqual((["code", "fix", "what", "where"], NO_INPUT, "missing"), (sorted(error), error["code"], error["where"]))

        self.each_command(check)

    def test_levels_formats_and_a_file_of_the_log(self):
        def check(name, argv, stdin):
            log = name + ".log"
            argv = [word if word != "model" else name for word in argv]
            result = self.run_any([*argv, "-vv", "--log-format=json", "--log-file", log], stdin=stdin)
            self.assertEqual((0, b""), (result.code, result.err), result)
            lines = [json.loads(line) for line in self.read(log).splitlines()]
            self.assertEqual({argv[0]}, {line["tool"] for line in lines})
            self.assertIn("info", {line["level"] for line in lines})

        self.each_command(check)
        said = self.run_any([RENDER, "missing", "--log-level=info"])
        self.assertIn("lcm-render: error: missing: ", said.err.decode())

    def test_stats_are_one_line_of_json(self):
        def check(_, argv, stdin):
            result = self.run_any([*argv, "--stats", "--metrics", argv[0] + str(len(argv)) + argv[1] + ".prom"], stdin=stdin)
            self.assertEqual((0, 1), (result.code, len(result.lines)), result)
            self.assertIsInstance(json.loads(result.lines[0]), dict)

        self.each_command(check)
        self.assertEqual(len(commands()), sum(name.endswith(".prom") for name in self.names()))

    def test_the_time_of_day_is_in_no_output(self):
        def check(name, argv, stdin):
            outputs = []
            for epoch in ("1", "1700000000"):
                folder = f"{name}-{epoch}"
                words = [folder if word in ("model", "int8") else word for word in argv]
                outputs.append(self.run_ok(words, stdin=stdin, env={"SOURCE_DATE_EPOCH": epoch}).out)
                if self.path(folder).exists():
                    files = sorted(path for path in self.path(folder).rglob("*") if path.is_file())
                    outputs[-1] = [(path.relative_to(self.path(folder)), path.read_bytes()) for path in files]
            self.assertEqual(outputs[0], outputs[1])

        self.each_command(check)

    def test_a_password_is_no_flag(self):
        self.each_command(lambda _, argv, stdin: self.run_fails([*argv, "--token=secret"], USAGE, "--token", stdin=stdin))


class Colour(harness.ToolTest):
    def told(self, argv, stdin, terminal, **environment):
        """stderr of a failing command, on a pseudo-terminal or a pipe."""
        if not terminal:
            return self.run_any(failing(argv), stdin=stdin, env=environment).err
        on = PseudoTerminal()
        self.addCleanup(on.close)
        self.assertEqual(NO_INPUT, self.run_any(failing(argv), stdin=stdin, stderr=on.slave, env=environment).code)
        return on.take_text()

    def test_on_a_terminal(self):
        self.each(lambda _, argv, stdin: self.assertRegex(self.told(argv, stdin, True), COLOUR), commands())

    def test_off_a_terminal(self):
        self.each(lambda _, argv, stdin: self.assertNotIn(b"\x1b", self.told(argv, stdin, False)), commands())

    def test_what_overrules_it(self):
        argv = [RENDER, "--info", "missing"]
        for flags, terminal, environment, colored in (
                ([], True, {"NO_COLOR": "1"}, False), ([], True, {"NO_COLOR": ""}, True), ([], True, {"TERM": "dumb"}, False),
                (["--color=never"], True, {}, False), (["--color=always"], False, {}, True), ([], False, {"FORCE_COLOR": "1"}, True)):
            with self.subTest(flags=flags, terminal=terminal, environment=environment):
                told = self.told([*argv, *flags], b"", terminal, **environment)
                self.assertEqual(colored, bool(re.search(COLOUR, told)), told)


class ProgressNow(harness.ToolTest):
    def test_sigusr1_prints_a_line_and_disturbs_nothing(self):
        process = self.start(denoise("--steps", 30, "-b", 30, "-o", "a.lcms"), stdin=subprocess.PIPE)
        process.stdin.write(harness.sample("cond"))
        process.stdin.close()
        self.wait_until(lambda: any(name.endswith(".tmp") for name in self.names()))
        process.send_signal(signal.SIGUSR1)
        error = process.stderr.read().decode()
        self.assertEqual(0, process.wait(harness.TIME_LIMIT), error)
        self.assertRegex(error, r"^lcm-denoise: .*\n$")


if __name__ == "__main__":
    harness.main()
