"""Terminals, on a pseudo-terminal: no binary data onto them, no waiting for input from them, and the only place where a bar is drawn."""
import os
import pty
import subprocess

import harness
from harness import DENOISE, ENCODE, RENDER, USAGE, denoise, encode, render


class Terminal(harness.ToolTest):
    def setUp(self):
        super().setUp()
        self.master, self.slave = pty.openpty()
        self.addCleanup(os.close, self.master)
        self.addCleanup(os.close, self.slave)

    def shown(self):
        """What was written to the terminal."""
        os.set_blocking(self.master, False)
        text = b""
        try:
            while piece := os.read(self.master, 65536):
                text += piece
        except BlockingIOError:
            pass
        return text

    def test_binary_data_is_refused(self):
        cases = ((encode("x"), b"", "pipe"), (denoise(), harness.sample("cond"), "pipe"), (render(), harness.sample("latent"), "-o FILE"))
        for argv, stdin, fix in cases:
            with self.subTest(argv[0]):
                result = self.run_fails(argv, USAGE, "is a terminal", stdin=stdin, stdout=self.slave)
                self.assertIn(fix, result.lines[1])
                self.assertEqual(b"", self.shown())

    def test_force_writes_it(self):
        self.run_ok(render("--force"), stdin=harness.sample("latent"), stdout=self.slave)
        self.assertIn(b"PNG", self.shown())

    def test_text_is_welcome(self):
        self.run_ok([RENDER, "--info"], stdin=harness.sample("latent"), stdout=self.slave)
        self.assertIn(b"a red apple", self.shown())

    def test_a_filter_without_input_helps_instead_of_waiting(self):
        for argv in ([DENOISE], [RENDER], [RENDER, "--info"], [ENCODE, "text", "--prompt-file", "-"], [ENCODE, "text", "-i", "-"]):
            with self.subTest(argv):
                process = self.start(argv, stdin=self.slave)
                _, error = process.communicate(timeout=harness.TIME_LIMIT)
                self.assertEqual(USAGE, process.returncode)
                self.assertIn(b"--help", error)
                self.assertIn(f"{argv[0]}: standard input: is a terminal", error.decode())

    def test_a_bar_only_where_somebody_looks(self):
        stream = harness.sample("cond")
        self.run_any(denoise("--steps", 2), stdin=stream, stderr=self.slave)
        bar = self.shown()
        self.assertIn(b"2/2", bar)
        self.assertTrue(bar.endswith(b"\r\x1b[K"), bar)  # erased at the end
        self.run_any(denoise("--steps", 2, "--quiet"), stdin=stream, stderr=self.slave)
        self.run_any(denoise("--steps", 2, "--progress=none"), stdin=stream, stderr=self.slave)
        self.assertEqual(b"", self.shown())

    def test_in_a_session_of_script(self):
        environment = self.environment({"SHELL": "/bin/sh", "NO_COLOR": "1"})
        session = subprocess.run(["script", "-qec", "lcm-encode text apple", "/dev/null"], cwd=self.folder, env=environment,
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=harness.TIME_LIMIT)
        self.assertEqual(USAGE, session.returncode, session.stdout)
        self.assertIn(b"lcm-encode: standard output: is a terminal", session.stdout)


if __name__ == "__main__":
    harness.main()
