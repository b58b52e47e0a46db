"""Ctrl-C, kill and a reader that has gone: the tool ends soon, by the signal or with 75, and leaves only what is whole."""
import os
import signal
import subprocess
import time

import harness
import records
from harness import RENDER, TRY_AGAIN, denoise, died_of, encode, render

ANSWER = 2  # seconds to end after SIGINT: one by the contract, and one more for a machine that runs other tests beside this one
FOREVER = 1_000_000  # pictures of a run that no test waits for


class Stopping(harness.ToolTest):
    def start_long_run(self, *arguments):
        """A denoiser with work for days; its input has been given."""
        process = self.start(denoise("-b", FOREVER, "--progress=plain", *arguments), stdin=subprocess.PIPE)
        process.stdin.write(harness.sample("cond"))
        process.stdin.close()
        process.stdin = None
        return process

    def start_into_file(self):
        """A long run that has saved pictures into a file that is not there yet."""
        process = self.start_long_run("-o", "out.lcms")
        while b"picture 2" not in process.stderr.readline():
            self.assertIsNone(process.poll())
        self.assertEqual(1, len(list(self.folder.glob(".lcm-*.tmp"))))
        return process

    def start_waiting_for_input(self):
        process = self.start(denoise("-o", "out.lcms"), stdin=subprocess.PIPE)
        self.wait_until(lambda: list(self.folder.glob(".lcm-*.tmp")))
        return process

    def end_by(self, process, number):
        """Sends the signal, while the input stays open; what the process ended with."""
        process.send_signal(number)
        return process.wait(harness.TIME_LIMIT)

    def test_sigint_ends_work_at_once(self):
        for start in (self.start_into_file, self.start_waiting_for_input):
            process = start()
            sent = time.monotonic()
            self.assertEqual(died_of(signal.SIGINT), self.end_by(process, signal.SIGINT))
            self.assertLess(time.monotonic() - sent, ANSWER)
            self.assertEqual([], self.names())

    def test_sigint_is_told_in_one_line(self):
        process = self.start_waiting_for_input()
        self.end_by(process, signal.SIGINT)
        self.assertEqual(b"lcm-denoise: interrupted\n", process.stderr.read())

    def test_sigint_to_a_whole_pipe(self):
        # A terminal sends it to every tool at once; what the first one leaves behind is no news for the next.
        first = self.start(encode("--prompt-file", "-"), stdin=subprocess.PIPE, process_group=0)
        second = self.start(denoise("--steps", 1, "--progress=plain", "-o", "out.lcms"), stdin=first.stdout, process_group=first.pid)
        first.stdin.write(b"one\n")
        first.stdin.flush()
        self.assertEqual(b"lcm-denoise: picture 0: step 1 of 1\n", second.stderr.readline())
        os.killpg(first.pid, signal.SIGINT)
        for process in (first, second):
            self.assertEqual(died_of(signal.SIGINT), process.wait(harness.TIME_LIMIT))
            self.assertEqual([b"interrupted\n"], [line.split(b": ", 1)[1] for line in process.stderr.readlines()])
        self.assertEqual([], self.names())

    def test_a_second_sigint_does_not_wait(self):
        process = self.start_into_file()
        process.send_signal(signal.SIGINT)
        self.assertEqual(died_of(signal.SIGINT), self.end_by(process, signal.SIGINT))
        self.assertEqual([], self.names())

    def test_sigterm_and_sighup_before_anything_is_saved(self):
        for number in (signal.SIGTERM, signal.SIGHUP):
            self.assertEqual(died_of(number), self.end_by(self.start_waiting_for_input(), number))
            self.assertEqual([], self.names())

    def test_sigterm_leaves_whole_records_and_the_cause(self):
        process = self.start_long_run()
        head = process.stdout.read(8)
        process.send_signal(signal.SIGTERM)
        stream = records.parse(head + process.stdout.read())
        self.assertEqual(TRY_AGAIN, process.wait(harness.TIME_LIMIT))
        self.assertEqual({"latent"}, {record.metadata["lcm.kind"] for record in stream[:-1]})
        self.assertEqual(("error", "75"), (stream[-1].metadata["lcm.kind"], stream[-1].metadata["lcm.error_code"]))
        process.stderr.read()

    def test_sigterm_leaves_no_part_of_a_file(self):
        # Records of a file that is not whole are not saved.
        self.assertEqual(died_of(signal.SIGTERM), self.end_by(self.start_into_file(), signal.SIGTERM))
        self.assertEqual([], self.names())

    def test_sigterm_leaves_whole_pictures(self):
        process = self.start(render("-o", "x-%06d.png"), stdin=subprocess.PIPE)
        one = harness.sample("latent")
        process.stdin.write(one * 2)
        process.stdin.flush()
        self.wait_until(lambda: self.path("x-000001.png").exists())
        self.assertEqual(TRY_AGAIN, self.end_by(process, signal.SIGTERM))
        expected = self.run_ok(render(), stdin=one).out
        self.assertEqual({"x-000000.png", "x-000001.png"}, set(self.names()))
        self.assertEqual([expected, expected], [self.read(name) for name in self.names()])


class BrokenPipe(harness.ToolTest):
    def expect_silent_death(self, argv, stdin, **options):
        """The reader reads nothing and goes; the tool dies of SIGPIPE without a word."""
        process = self.start(argv, stdin=subprocess.PIPE, **options)
        process.stdout.close()
        process.stdout = None
        _, error = process.communicate(stdin, timeout=harness.TIME_LIMIT)
        self.assertEqual((died_of(signal.SIGPIPE), b""), (process.returncode, error), argv)

    def test_every_tool_is_silent(self):
        self.each(self.expect_silent_death, [
            (encode("x"), b""),
            (denoise("-b", 1000, "--steps", 1), harness.sample("cond")),
            (render(), harness.sample("latent")),
            ([RENDER, "--info"], harness.sample("latent")),
            ([RENDER, "--help"], b""),
            ([harness.OPTIMIZE, "inspect", harness.LCM], b""),
        ])

    def test_also_where_the_launcher_ignores_the_signal(self):
        # Python itself ignores SIGPIPE; without `restore_signals` the tool inherits that.
        self.expect_silent_death(encode("x"), b"", restore_signals=False)
        self.expect_silent_death(render(), harness.sample("latent"), restore_signals=False)

    def test_a_failing_tool_with_no_reader_keeps_its_code(self):
        process = self.start([harness.DENOISE], stdin=subprocess.PIPE)
        process.stdout.close()
        process.stdout = None
        _, error = process.communicate(b"bad", timeout=harness.TIME_LIMIT)
        self.expect_failure(harness.Result(harness.DENOISE, process.returncode, b"", error), harness.DATA, "truncated")


if __name__ == "__main__":
    harness.main()
