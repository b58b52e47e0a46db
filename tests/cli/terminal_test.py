"""Terminals, on a pseudo-terminal: no binary data onto them, no waiting for input from them, and the only place where a bar is drawn."""
import subprocess

import harness
from harness import DENOISE, ENCODE, RENDER, USAGE, denoise, encode, render
from pseudo_terminal import PseudoTerminal


class Terminal(harness.ToolTest):
    def terminal(self):
        terminal = PseudoTerminal()
        self.addCleanup(terminal.close)
        return terminal

    def test_binary_data_is_refused(self):
        cases = ((encode("x"), b"", "pipe"), (denoise(), harness.sample("cond"), "pipe"), (render(), harness.sample("latent"), "-o FILE"))
        for argv, stdin, fix in cases:
            with self.subTest(argv[0]):
                terminal = self.terminal()
                result = self.run_fails(argv, USAGE, "is a terminal", stdin=stdin, stdout=terminal.slave)
                self.assertIn(fix, result.lines[1])
                self.assertEqual(b"", terminal.take_text())

    def test_force_writes_it(self):
        terminal = self.terminal()
        self.run_ok(render("--force"), stdin=harness.sample("latent"), stdout=terminal.slave)
        self.assertIn(b"PNG", terminal.take_text())

    def test_text_is_welcome(self):
        terminal = self.terminal()
        self.run_ok([RENDER, "--info"], stdin=harness.sample("latent"), stdout=terminal.slave)
        self.assertIn(b"a red apple", terminal.take_text())

    def test_a_filter_without_input_helps_instead_of_waiting(self):
        for argv in ([DENOISE], [RENDER], [RENDER, "--info"], [ENCODE, "text", "--prompt-file", "-"], [ENCODE, "text", "-i", "-"]):
            with self.subTest(argv):
                process = self.start(argv, stdin=self.terminal().slave)
                _, error = process.communicate(timeout=harness.TIME_LIMIT)
                self.assertEqual(USAGE, process.returncode)
                self.assertIn(b"--help", error)
                self.assertIn(f"{argv[0]}: standard input: is a terminal", error.decode())

    def test_a_bar_only_where_somebody_looks(self):
        def shown(*flags):
            terminal = self.terminal()
            self.run_any(denoise("--steps", 2, *flags), stdin=harness.sample("cond"), stderr=terminal.slave)
            return terminal.take_text()

        bar = shown()
        self.assertIn(b"2/2", bar)
        self.assertTrue(bar.endswith(b"\r\x1b[K"), bar)  # erased at the end
        self.assertEqual(b"", shown("--quiet"))
        self.assertEqual(b"", shown("--progress=none"))

    def test_in_a_session_of_script(self):
        environment = self.environment({"SHELL": "/bin/sh", "NO_COLOR": "1"})
        session = subprocess.run(["script", "-qec", "lcm-encode text apple", "/dev/null"], cwd=self.folder, env=environment,
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=harness.TIME_LIMIT)
        self.assertEqual(USAGE, session.returncode, session.stdout)
        self.assertIn(b"lcm-encode: standard output: is a terminal", session.stdout)


if __name__ == "__main__":
    harness.main()
