"""What every test of the tools starts from: finds the tools, gives each test an empty folder, runs commands and judges how they end.

The rules that hold for every run are checked here once: silence on stderr unless a test expects words, an error is one line and at
most one hint, no temporary file stays behind, and a failing filter says so down its pipe.
"""
import concurrent.futures
import faulthandler
import functools
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import records

TOOLS = pathlib.Path(os.environ["LCM_TOOLS"])
ROOT = pathlib.Path(os.environ["LCM_SOURCE_ROOT"])
TESTDATA = pathlib.Path(os.environ["LCM_TESTDATA"])

# Tiny random models: `lcm` takes a guidance embedding, `sd15` takes none and so follows a negative prompt.
LCM = str(TESTDATA / "golden/models/lcm")
SD15 = str(TESTDATA / "golden/models/sd15")
EMBEDDED = "emoji-128"  # the model that ships

ENCODE, DENOISE, RENDER, OPTIMIZE, STYLIZE = "lcm-encode", "lcm-denoise", "lcm-render", "lcm-optimize", "lcm-stylize"
ALL_TOOLS = (ENCODE, DENOISE, RENDER, OPTIMIZE, STYLIZE)
FILTERS = (DENOISE, RENDER)  # tools that read records from stdin without being asked
WRITERS = (ENCODE, DENOISE, STYLIZE)  # tools that write records

USAGE, DATA, NO_INPUT, UNAVAILABLE, CANNOT_CREATE, IO, TRY_AGAIN, REFUSED = 64, 65, 66, 69, 73, 74, 75, 77
TIME_LIMIT = 60  # seconds; a tool that hangs must not hang the tests
LAST_WORDS = 110  # seconds; a script of tests that hangs all the same says where, before the 120 seconds it is given are over


def died_of(number):
    """The return code that subprocess gives for a process that a signal ended (a shell shows 128 + number)."""
    return -int(number)


def command(tool, *arguments):
    """The argument list of a tool, by its full path."""
    return [str(TOOLS / tool), *map(str, arguments)]


def encode(*arguments, model=LCM):
    """Arguments of `lcm-encode text` with a tiny model and one thread."""
    return [ENCODE, "text", "-t1", "-m", model, *arguments]


def denoise(*arguments):
    """Arguments of `lcm-denoise`; the record names its model."""
    return [DENOISE, "-t1", *arguments]


def render(*arguments):
    """Arguments of `lcm-render`; the record names its model."""
    return [RENDER, "-t1", *arguments]


@functools.cache
def multiplies_bytes():
    """Whether this CPU has exact products of bytes (AVX512-VNNI or AMX); on any other, int8 is refused."""
    flags = pathlib.Path("/proc/cpuinfo").read_text().split()
    return "avx512_vnni" in flags or "amx_int8" in flags


def sample(kind, model=LCM):
    """The bytes of a good one-record stream: "cond" as the encoder writes it, "latent" as the denoiser does."""
    if kind == "cond":
        argv, stdin = encode("-p", "a red apple", model=model), b""
    else:
        argv, stdin = denoise("-s", 42, "--steps", 2), sample("cond", model)
    with tempfile.TemporaryDirectory(prefix="lcm-test-") as folder:
        environment = dict(os.environ, XDG_CACHE_HOME=folder)
        return subprocess.run(command(*argv), input=stdin, stdout=subprocess.PIPE, env=environment, timeout=TIME_LIMIT, check=True).stdout


class Result:
    """How one process ended."""

    def __init__(self, tool, code, out, err):
        self.tool, self.code, self.out, self.err = tool, code, out, err

    @property
    def lines(self):
        return self.err.decode("utf-8").splitlines()

    def __repr__(self):
        return f"{self.tool} ended with {self.code}, stderr {self.err.decode('utf-8', 'replace')!r}"


class ToolTest(unittest.TestCase):
    """A test with an empty working folder, `self.folder`, and a cache of its own outside of it."""

    @classmethod
    def setUpClass(cls):
        cls.cache = tempfile.TemporaryDirectory(prefix="lcm-test-cache-")
        cls.addClassCleanup(cls.cache.cleanup)

    def setUp(self):
        holder = tempfile.TemporaryDirectory(prefix="lcm-test-")
        self.addCleanup(holder.cleanup)
        self.folder = pathlib.Path(holder.name)
        self.addCleanup(self.expect_no_temporary_file)

    def expect_no_temporary_file(self):
        self.assertEqual([], [str(path) for path in self.folder.rglob("*.tmp")], "a temporary file stayed behind")

    def environment(self, changes=None):
        """The environment of a tool: nothing of the user's that could change what it says."""
        environment = {
            "PATH": f"{TOOLS}:{os.environ['PATH']}",
            "HOME": self.cache.name,
            "XDG_CACHE_HOME": self.cache.name,
            "TERM": "xterm",
            "LC_ALL": "C.UTF-8",
        }
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LD_LIBRARY_PATH"):
            if name in os.environ:
                environment[name] = os.environ[name]
        environment.update(changes or {})
        return environment

    # Running -------------------------------------------------------------------------------------------------------------

    def start(self, argv, **options):
        """Starts a tool in the test's folder; pipes unless `options` of Popen say otherwise."""
        options.setdefault("stdin", subprocess.DEVNULL)
        options.setdefault("stdout", subprocess.PIPE)
        options.setdefault("stderr", subprocess.PIPE)
        environment = self.environment(options.pop("env", None))
        process = subprocess.Popen(command(*argv), cwd=self.folder, env=environment, **options)
        self.addCleanup(self.end, process)
        return process

    @staticmethod
    def end(process):
        """Ends what a failed test left running, and closes its pipes."""
        if process.poll() is None:
            process.kill()
            process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream:
                stream.close()

    def run_any(self, argv, stdin=b"", **options):
        """Runs a tool to its end and judges nothing."""
        process = self.start(argv, stdin=subprocess.PIPE, **options)
        out, err = process.communicate(stdin, timeout=TIME_LIMIT)
        return Result(argv[0], process.returncode, out, err)

    def run_ok(self, argv, stdin=b"", err=b"", **options):
        """Runs a tool that must succeed and say `err` on stderr: nothing, unless told otherwise."""
        result = self.run_any(argv, stdin, **options)
        self.assertEqual(0, result.code, result)
        self.assertEqual(err, result.err, result)
        return result

    def run_fails(self, argv, code, says, stdin=b"", **options):
        """Runs a tool that must fail with `code` and one message that holds the text (or all the texts) `says`."""
        result = self.run_any(argv, stdin, **options)
        self.expect_failure(result, code, says)
        if options.get("stdout", subprocess.PIPE) == subprocess.PIPE and "-o" not in argv:
            self.expect_cause_on_stdout(result)
        return result

    def pipe(self, *stages, stdin=b""):
        """Runs stages joined by pipes, as a shell does; the results of all, the last with its output."""
        processes = []
        for number, argv in enumerate(stages):
            before = processes[-1].stdout if processes else subprocess.PIPE
            processes.append(self.start(argv, stdin=before))
        for process in processes[:-1]:
            process.stdout.close()  # only the next stage holds it now, so that a dead reader is seen
            process.stdout = None
        first = processes[0].stdin
        with concurrent.futures.ThreadPoolExecutor() as pool:
            fed = pool.submit(self.feed, first, stdin)
            ended = list(pool.map(lambda process: (process.stdout and process.stdout.read(), process.stderr.read()), processes))
            fed.result()
        return [Result(argv[0], process.wait(TIME_LIMIT), out, err) for argv, process, (out, err) in zip(stages, processes, ended)]

    @staticmethod
    def feed(pipe, data):
        try:
            pipe.write(data)
            pipe.close()
        except BrokenPipeError:
            pass

    def pipe_ok(self, *stages, stdin=b""):
        """A pipe in which every stage succeeds in silence; what the last one wrote."""
        results = self.pipe(*stages, stdin=stdin)
        for result in results:
            self.assertEqual(0, result.code, result)
            self.assertEqual(b"", result.err, result)
        return results[-1].out

    @staticmethod
    def together(*calls):
        """Runs calls side by side; their results in order, or the first exception."""
        with concurrent.futures.ThreadPoolExecutor(max_workers=min(len(os.sched_getaffinity(0)), 4)) as pool:
            return [future.result() for future in [pool.submit(call) for call in calls]]

    def each(self, check, cases):
        """Runs `check(*case)` for every case side by side and reports each failure as a subtest named after the case."""
        def outcome(case):
            try:
                return check(*case)
            except AssertionError as failure:
                return failure

        cases = list(cases)
        for case, result in zip(cases, self.together(*[lambda case=case: outcome(case) for case in cases])):
            with self.subTest(case=" | ".join(repr(part)[:80] for part in case)):
                if isinstance(result, AssertionError):
                    raise result

    # Judging -------------------------------------------------------------------------------------------------------------

    def expect_failure(self, result, code, says):
        """The exit code; one line of message that names the tool, with the texts `says` in it, and at most one hint."""
        self.assertEqual(code, result.code, result)
        self.assertIn(len(result.lines), (1, 2), result)
        self.assertTrue(result.lines[0].startswith(f"{result.tool}: "), result)
        self.assertTrue(all(line.startswith(f"{result.tool}: hint: ") for line in result.lines[1:]), result)
        for text in [says] if isinstance(says, str) else says:
            self.assertIn(text, result.lines[0], result)

    def expect_cause_on_stdout(self, result):
        """A failing writer of records ends its pipe with an error record; any other tool has written nothing."""
        if result.tool not in WRITERS:
            self.assertEqual(b"", result.out, result)
            return
        last = records.parse(result.out)[-1]
        self.assertEqual("error", last.metadata["lcm.kind"], result)
        self.assertEqual(str(result.code), last.metadata["lcm.error_code"], result)
        if "upstream" not in result.lines[0]:  # the cause of another tool is passed on as it came
            self.assertIn(result.tool, last.metadata["lcm.error"])

    def wait_until(self, condition):
        """Waits for something that a running tool does."""
        limit = time.monotonic() + TIME_LIMIT
        while not condition():
            self.assertLess(time.monotonic(), limit, "nothing happened")
            time.sleep(0.01)

    # Files ---------------------------------------------------------------------------------------------------------------

    def path(self, name):
        return self.folder / name

    def write(self, name, data):
        """Writes a file into the test's folder; its path."""
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def read(self, name):
        return self.path(name).read_bytes()

    def names(self):
        """Names in the test's folder, sorted."""
        return sorted(entry.name for entry in self.folder.iterdir())

    def copy_model(self, source=LCM, name="model"):
        """A copy of a model folder that a test may spoil."""
        shutil.copytree(source, self.path(name))
        return name


def main():
    """Runs the tests of the calling script."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    faulthandler.dump_traceback_later(LAST_WORDS)
    unittest.main(module=sys.modules["__main__"])
