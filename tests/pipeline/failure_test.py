"""When one tool of a pipe fails, is killed or is cut off, all behind it fail too and tell the cause, without `pipefail`."""
import signal
import subprocess

import harness
import records
from harness import DATA, DENOISE, ENCODE, NO_INPUT, RENDER, TRY_AGAIN, USAGE, denoise, died_of, encode, render


class Upstream(harness.ToolTest):
    def check(self, first, code, cause):
        """All three tools end with `code`; the last one names the first and its cause, and no picture is there."""
        results = self.pipe(first, denoise("--steps", 1), render("-o", "picture.png"))
        for result in results:
            self.expect_failure(result, code, cause)
            if result is not results[0]:
                self.assertIn(ENCODE, result.lines[0])
        self.assertEqual([], self.names())

    def test_a_failing_encoder(self):
        self.each(self.check, [
            (encode("x", model="missing"), NO_INPUT, "missing"),
            (encode("x", "--wrong-flag"), USAGE, "--wrong-flag"),
            ([ENCODE, "text"], USAGE, "no prompt"),
            (encode("-p", b"\xff".decode("utf-8", "surrogateescape")), DATA, "UTF-8"),
        ])

    def test_a_failing_denoiser(self):
        results = self.pipe(encode("x"), denoise("--to", 9), render("-o", "picture.png"))
        self.assertEqual(0, results[0].code)
        self.expect_failure(results[2], USAGE, [DENOISE, "to"])
        self.assertEqual([], self.names())

    def test_pictures_before_the_failure_stay(self):
        results = self.pipe(encode("--prompt-file", "-"), denoise("--steps", 1), render("-o", "x-%d.png"), stdin=b"good\nbad \xff\n")
        self.expect_failure(results[2], DATA, [ENCODE, "UTF-8"])
        self.assertEqual(["x-0.png"], self.names())

    def test_a_shell_without_pipefail(self):
        shell = subprocess.run(["sh", "-c", "lcm-encode text x -m missing | lcm-denoise | lcm-render -o a.png"], cwd=self.folder,
                               env=self.environment(), stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=harness.TIME_LIMIT)
        self.assertEqual(NO_INPUT, shell.returncode, shell.stderr)
        self.assertRegex(shell.stderr.decode(), r"(?m)^lcm-render: .*lcm-encode: missing: ")
        self.assertEqual([], self.names())


class CutOff(harness.ToolTest):
    def check(self, number, code, says):
        """An encoder ended by a signal after its first record."""
        encoder = self.start(encode("--prompt-file", "-"), stdin=subprocess.PIPE)
        denoiser = self.start(denoise("--steps", 1), stdin=encoder.stdout)
        renderer = self.start(render("-o", "x-%d.png"), stdin=denoiser.stdout)
        denoiser.stdout.close()
        denoiser.stdout = None
        encoder.stdin.write(b"first\n")
        encoder.stdin.flush()
        self.wait_until(self.path("x-0.png").exists)
        encoder.send_signal(number)
        encoder.stdout.close()
        encoder.stdout = None
        for process, tool in ((denoiser, DENOISE), (renderer, RENDER)):
            error = process.stderr.read()
            self.expect_failure(harness.Result(tool, process.wait(harness.TIME_LIMIT), b"", error), code, says)
        self.assertEqual(["x-0.png"], self.names())
        return encoder.wait(harness.TIME_LIMIT)

    def test_a_killed_encoder(self):
        self.assertEqual(died_of(signal.SIGKILL), self.check(signal.SIGKILL, DATA, "truncated"))

    def test_an_interrupted_encoder_still_tells(self):
        self.assertEqual(TRY_AGAIN, self.check(signal.SIGTERM, TRY_AGAIN, [ENCODE, "stopped by signal 15"]))

    def test_an_encoder_that_wrote_nothing(self):
        for argv in (denoise(), render("-o", "a.png"), encode("-i", "-")):
            self.run_fails(argv, DATA, "empty")
        self.assertEqual([], self.names())


class Joined(harness.ToolTest):
    def test_cat_of_two_files(self):
        self.run_ok(encode("one", "-o", "a.lcms"))
        self.run_ok(encode("--prompt-file", "-", "-o", "b.lcms"), stdin=b"two\nthree\n")
        joined = self.read("a.lcms") + self.read("b.lcms")
        stream = self.run_ok(denoise("--steps", 1), stdin=joined).out
        self.run_ok(render("-o", "x-%04d.png"), stdin=stream)
        self.assertEqual([f"x-{number:04}.png" for number in range(3)], self.names()[2:])
        self.assertEqual(["one", "two", "three"], [record.metadata["lcm.prompt"] for record in records.parse(stream) if record.tensors])

    def test_a_shell_with_cat(self):
        self.write("a.lcms", harness.sample("cond"))
        self.write("b.lcms", harness.sample("cond"))
        shell = subprocess.run(["sh", "-c", "cat a.lcms b.lcms | lcm-denoise | lcm-render -o 'x-%04d.png'"], cwd=self.folder,
                               env=self.environment(), stdin=subprocess.DEVNULL, capture_output=True, timeout=harness.TIME_LIMIT)
        self.assertEqual((0, b"", b""), (shell.returncode, shell.stdout, shell.stderr))
        self.assertEqual(["a.lcms", "b.lcms", "x-0000.png", "x-0001.png"], self.names())

    def test_what_a_tool_does_not_know_is_passed_on(self):
        record = records.parse(harness.sample("cond"))[0]
        record.metadata |= {"my.note": "keep", "lcm.traceparent": "00-1-2-03"}
        record.tensors["control.scribble"] = records.Tensor("U8", [1, 2, 2], b"\0\1\2\3")
        record.tensors["mine"] = records.Tensor("I32", [1], b"\1\2\3\4")
        half = self.run_ok(denoise("--steps", 2, "--to", 1), stdin=records.write([record])).out
        result = records.parse(self.run_ok(denoise(), stdin=half).out)[0]
        for key in ("my.note", "lcm.traceparent", "lcm.id", "lcm.prompt"):
            self.assertEqual(record.metadata[key], result.metadata[key])
        for name in ("control.scribble", "mine", "text.embeds", "text.ids"):
            self.assertEqual(record.tensors[name], result.tensors[name])


if __name__ == "__main__":
    harness.main()
