"""Where records come from: stdin, files in order, FIFOs; and what is no input."""
import os
import subprocess
import threading

import harness
import records
from harness import DATA, DENOISE, ENCODE, NO_INPUT, RENDER, denoise, encode, render

LONGEST_PATH = 4096


def readers(name):
    """Every tool that reads records, told to read `name`."""
    return ([DENOISE, name], [RENDER, name, "-o", "out.png"], [RENDER, "--info", name], [ENCODE, "text", "-m", harness.LCM, "-i", name])


class Sources(harness.ToolTest):
    def test_all_ways_to_name_an_input_are_the_same(self):
        stream = harness.sample("latent")
        self.write("a.lcms", stream)
        os.mkfifo(self.path("fifo"))
        feeder = threading.Thread(target=self.write_to, args=("fifo", stream))
        feeder.start()
        picture = self.run_ok(render(), stdin=stream).out
        self.each(lambda *argv: self.assertEqual(picture, self.run_ok(render(*argv), stdin=stream).out),
                  [("-",), ("-i", "-"), ("a.lcms",), ("--input=a.lcms",), ("fifo",)])
        feeder.join()

    def write_to(self, name, data):
        with open(self.path(name), "wb") as out:
            out.write(data)

    def test_several_inputs_are_read_in_order(self):
        self.run_ok(encode("-p", "a pear", "-o", "pear.lcms"))
        self.write("apple.lcms", harness.sample("cond"))
        result = self.run_ok(denoise("--to", 0, "pear.lcms", "-", "apple.lcms"), stdin=self.read("pear.lcms"))
        prompts = [record.metadata["lcm.prompt"] for record in records.parse(result.out)]
        self.assertEqual(["a pear", "a pear", "a red apple"], prompts)

    def test_a_record_leaves_before_the_next_one_arrives(self):
        process = self.start(encode("--prompt-file", "-"), stdin=subprocess.PIPE)
        process.stdin.write(b"first\n")
        process.stdin.flush()
        head = process.stdout.read(8)  # waits for ever if the tool does
        process.stdin.close()
        stream = head + process.stdout.read()
        self.assertEqual((0, b""), (process.wait(harness.TIME_LIMIT), process.stderr.read()))
        self.assertEqual(["cond", "end"], [record.metadata["lcm.kind"] for record in records.parse(stream)])


class NoInput(harness.ToolTest):
    def expect(self, name, code, says, tools=None):
        self.each(lambda argv: self.run_fails(argv, code, says), [(argv,) for argv in readers(name)[:tools]])
        self.assertFalse(self.path("out.png").exists())

    def test_missing_file(self):
        self.expect("missing.lcms", NO_INPUT, "missing.lcms")

    def test_directory(self):
        self.path("folder").mkdir()
        self.expect("folder", NO_INPUT, ["folder", "directory"])

    def test_symlink_loop(self):
        os.symlink("loop", self.path("loop"))
        self.expect("loop", NO_INPUT, "loop", tools=2)

    def test_path_of_4096_bytes(self):
        self.expect("x/" * (LONGEST_PATH // 2), NO_INPUT, "too long", tools=2)

    def test_endless_zeros(self):
        self.expect("/dev/zero", DATA, "/dev/zero", tools=2)

    def test_closed_stdin(self):
        def check(argv, code, says):
            process = self.start(argv, preexec_fn=lambda: os.close(0))
            out, error = process.communicate(timeout=harness.TIME_LIMIT)
            self.expect_failure(harness.Result(argv[0], process.returncode, out, error), code, says)

        self.each(check, [(argv, DATA, "empty") for argv in readers("-")[:2]])

    def test_stdin_is_a_directory(self):
        handle = os.open(self.folder, os.O_RDONLY)
        self.addCleanup(os.close, handle)
        process = self.start([DENOISE], stdin=handle)
        out, error = process.communicate(timeout=harness.TIME_LIMIT)
        self.expect_failure(harness.Result(DENOISE, process.returncode, out, error), NO_INPUT, "standard input")

    def test_the_second_of_two_is_missing(self):
        self.write("a.lcms", harness.sample("cond"))
        result = self.run_fails(denoise("--to", 0, "a.lcms", "b.lcms"), NO_INPUT, "b.lcms")
        self.assertEqual(["latent", "error"], [record.metadata["lcm.kind"] for record in records.parse(result.out)])


if __name__ == "__main__":
    harness.main()
