"""No number of the input makes the reader take memory: what arrived plus 16 MiB is the mark.

STREAM_VERDICT names the program that runs the tools' reader.
"""
import os
import struct
import subprocess
import unittest

import make_corpus

PROGRAM = os.environ["STREAM_VERDICT"]
MARK = 16 << 20


def peak_memory(stream):
    """Peak bytes of the program while it reads `stream` from a pipe that then closes, and its verdict."""
    with subprocess.Popen([PROGRAM, "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        process.stdin.write(stream)
        process.stdin.close()
        code = int(process.stdout.read().split()[0])
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_maxrss * 1024, code


class Memory(unittest.TestCase):
    def test_lengths_that_promise_more_than_arrives(self):
        idle, _ = peak_memory(b"")
        promise = make_corpus.record(None, make_corpus.entry("[1073700000]", "[0,1073700000]"), b"")
        for label, stream in {"header at its limit": struct.pack("<Q", 1 << 20) + b"{",
                              "largest length": b"\xFF" * 8,
                              "1 GiB of data": promise,
                              "nesting": make_corpus.raw('{"a":' + "[" * 1_000_000),
                              "tensors": make_corpus.record(None, ",".join(
                                  make_corpus.entry("[0]", "[0,0]", name=f"t{i}") for i in range(15000)), b"")}.items():
            with self.subTest(stream=label):
                peak, code = peak_memory(stream)
                self.assertEqual(code, 65)
                self.assertLess(peak - idle, len(stream) + MARK)


if __name__ == "__main__":
    unittest.main()
