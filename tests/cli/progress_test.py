"""How the tools show their work: forms, descriptors, SIGUSR1, and several tools that share one terminal."""
import json
import os
import pathlib
import re
import select
import signal
import subprocess
import threading
import time

import harness
from harness import DENOISE, USAGE, denoise, encode, render
from pseudo_terminal import PseudoTerminal

ANSWER = 1  # second to print progress
BAR = re.compile(r"lcm-(encode: prompt|denoise: picture|render: picture) \d+( \[#*\.*\] \d+/\d+, [\d.]+ s left)?")
MESSAGE = re.compile(r"lcm-(encode|denoise|render): (info|debug|warning): \S.*|lcm-denoise: \d+ records done, \S.*")
ERASE = "\r\x1b[K"


class Screen:
    """A terminal as its user sees it: characters, newline, carriage return, erasing to the end of the line; colours leave no trace."""

    def __init__(self, columns):
        self.columns, self.rows, self.column = columns, [""], 0

    def show(self, text):
        for token in re.findall(r"\x1b\[K|.", re.sub(r"\x1b\[\d+m", "", text), re.S):
            if token == "\x1b[K":
                self.rows[-1] = self.rows[-1][:self.column]
            elif token == "\r":
                self.column = 0
            elif token == "\n":
                self.rows.append("")
                self.column = 0
            else:
                if self.column == self.columns:  # a line that is too long goes on in the next
                    self.rows.append("")
                    self.column = 0
                row = self.rows[-1].ljust(self.column)
                self.rows[-1] = row[:self.column] + token + row[self.column + 1:]
                self.column += 1


class OnTerminal(harness.ToolTest):
    def setUp(self):
        super().setUp()
        self.terminal = PseudoTerminal()
        self.addCleanup(self.terminal.close)

    def watch(self):
        """Collects what the terminal is given, until `end_watching`."""
        self.reader = threading.Thread(target=self.terminal.collect)
        self.reader.start()
        self.addCleanup(self.end_watching)

    def end_watching(self):
        """All that the tools wrote, which have ended."""
        self.terminal.close_slave()
        self.reader.join()
        return self.terminal.text.decode()

    def run_pipe(self, *stages):
        """Runs the stages with this terminal as the stderr of all."""
        before, processes = subprocess.DEVNULL, []
        for argv in stages:
            processes.append(self.start(argv, stdin=before, stderr=self.terminal.slave))
            if len(processes) > 1:
                before.close()
            before = processes[-1].stdout
        before.read()
        for process in processes:
            self.assertEqual(0, process.wait(harness.TIME_LIMIT))
        for process in processes[:-1]:
            process.stdout = None


class SharedTerminal(OnTerminal):
    def expect_order(self, text, columns):
        """At any time at most one bar, in the last row; at the end only whole messages, and no bar."""
        screen = Screen(columns)
        for piece in re.split(r"(?=\r)", text):
            screen.show(piece)
            for row in screen.rows[:-1]:
                self.assertRegex(row, f"^(?:{MESSAGE.pattern})$")
            self.assertTrue(screen.rows[-1] == "" or BAR.fullmatch(screen.rows[-1]) or MESSAGE.fullmatch(screen.rows[-1]), screen.rows)
        self.assertEqual("", screen.rows[-1])
        return screen.rows[:-1]

    def expect_turns(self, text):
        """A tool draws only while no other tool's bar stands: each erases its own before another begins."""
        drawing = None
        for piece in text.split(ERASE)[1:]:
            if piece.endswith("\n"):
                continue  # a message; the bar it erased is drawn again by the one that has the line
            tool = piece.split(":")[0] or None
            self.assertTrue(drawing is None or tool in (None, drawing), f"{tool} drew over {drawing}")
            drawing = tool
        self.assertIsNone(drawing)

    def test_three_tools_and_their_messages(self):
        self.terminal.resize(200)
        self.watch()
        flags = ("--progress=bar", "-vv")
        self.run_pipe(encode("a", "b", "c", "d", *flags), denoise("--steps", 3, "-b", 2, "--seed", "random", *flags),
                      render("-o", "x-%d.png", *flags))
        text = self.end_watching()
        messages = self.expect_order(text, 200)
        self.expect_turns(text)
        self.assertTrue(any("seed " in line for line in messages), messages)
        self.assertEqual(8, len(self.names()))

    def test_tools_that_work_at_the_same_time(self):
        # Each asks at every step; the turns show that they agree.
        self.terminal.resize(200)
        self.watch()
        stream = self.write("cond.lcms", harness.sample("cond"))
        latents = self.write("latents.lcms", harness.sample("latent") * 30)
        processes = [self.start(argv, stderr=self.terminal.slave, stdout=subprocess.DEVNULL) for argv in (
            denoise("--steps", 10, "-b", 10, "--progress=bar", "-vv", stream),
            render("--progress=bar", "-vv", "-o", "x-%d.png", latents),
            encode("--progress=bar", "-vv", *["word"] * 40))]
        self.wait_until(lambda: b"lcm-denoise: " in self.terminal.text)
        for _ in range(10):
            processes[0].send_signal(signal.SIGUSR1)
            time.sleep(0.01)
        for process in processes:
            self.assertEqual(0, process.wait(harness.TIME_LIMIT))
        text = self.end_watching()
        self.expect_order(text, 200)
        self.expect_turns(text)

    def test_a_bar_is_cut_to_the_terminal(self):
        self.terminal.resize(30)
        self.watch()
        self.run_pipe(encode("a"), denoise("--steps", 2, "--progress=bar"))
        text = self.end_watching()
        self.assertIn("lcm-denoise: picture 0 [#", text)
        for piece in text.split(ERASE):
            self.assertLess(len(piece), 30)
        screen = Screen(30)
        screen.show(text)
        self.assertEqual([""], screen.rows)

    def test_a_killed_tool_leaves_no_bar(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number):
                terminal = PseudoTerminal()
                self.addCleanup(terminal.close)
                process = self.start(denoise("-b", 100_000, "--steps", 2, "-o", "out.lcms"), stdin=subprocess.PIPE, stderr=terminal.slave)
                process.stdin.write(harness.sample("cond"))
                process.stdin.close()
                process.stdin = None
                terminal.read_until(b"picture 1", harness.TIME_LIMIT)
                process.send_signal(number)
                self.assertEqual(-number, process.wait(harness.TIME_LIMIT))
                screen = Screen(200)
                screen.show(terminal.take_text().decode())
                self.assertEqual("", screen.rows[-1])

    def test_nothing_moves_on_a_dumb_terminal(self):
        self.run_any(denoise("--steps", 1), stdin=harness.sample("cond"), stderr=self.terminal.slave, env={"TERM": "dumb"})
        self.assertEqual(b"", self.terminal.take_text())


class Descriptor(harness.ToolTest):
    def progress_of(self, argv, stdin=b"", form="auto"):
        """What a run writes to a descriptor of its own."""
        reading, writing = os.pipe()
        self.run_ok([*argv, f"--progress={form}", f"--progress-fd={writing}"], stdin=stdin, pass_fds=(writing,))
        os.close(writing)
        with open(reading, "rb") as stream:
            return stream.read().decode()

    def test_it_gets_json_lines(self):
        lines = [json.loads(line) for line in self.progress_of(denoise("--steps", 3), harness.sample("cond")).splitlines()]
        self.assertEqual([1, 2, 3], [line["step"] for line in lines])
        self.assertEqual(0, lines[-1]["eta_s"])

    def test_or_what_was_asked_for(self):
        self.assertEqual("lcm-denoise: picture 0: step 1 of 1\n", self.progress_of(denoise("--steps", 1), harness.sample("cond"), "plain"))
        self.assertEqual("", self.progress_of(denoise("--steps", 1), harness.sample("cond"), "none"))

    def test_every_tool_tells_its_records(self):
        def steps(argv, stdin=b""):
            return [json.loads(line) for line in self.progress_of(argv, stdin).splitlines()]

        expected = [{"record": record, "step": 1, "steps": 1, "eta_s": 0.0} for record in (0, 1)]
        self.assertEqual(expected, steps(encode("a", "b")))
        self.assertEqual(expected, steps(render("-o", "x-%d.png"), harness.sample("latent") * 2))

    def test_one_that_is_not_open_is_refused(self):
        for fd in (3, 77):
            self.run_fails(denoise("--progress-fd", fd), USAGE, f"--progress-fd: {fd} is not open for writing",
                           stdin=harness.sample("cond"))

    def test_one_for_reading_is_refused(self):
        reading, writing = os.pipe()
        self.run_fails(denoise("--progress-fd", reading), USAGE, "is not open for writing", stdin=harness.sample("cond"),
                       pass_fds=(reading,))
        os.close(reading)
        os.close(writing)

    def test_standard_output_only_without_data(self):
        self.run_fails(denoise("--progress-fd", 1), USAGE, "carries the data", stdin=harness.sample("cond"))


def may_be_asked(process):
    """Whether SIGUSR1 no longer ends the process."""
    masks = dict(line.split(":\t") for line in pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines())
    return any(int(masks[name], 16) >> (signal.SIGUSR1 - 1) & 1 for name in ("SigBlk", "SigIgn", "SigCgt"))


class Asked(harness.ToolTest):
    def ask(self, process):
        """Sends SIGUSR1; the line that it brings."""
        process.send_signal(signal.SIGUSR1)
        return self.next_line(process, ANSWER)

    def next_line(self, process, seconds):
        """The next line of stderr, which must come within so many seconds; a tool writes a line at once."""
        self.assertTrue(select.select([process.stderr], [], [], seconds)[0], f"no line in {seconds} s")
        return process.stderr.readline().decode()

    def test_a_tool_that_waits_for_input(self):
        process = self.start(denoise("--steps", 1, "--no-history", "-o", "out.lcms"), stdin=subprocess.PIPE)
        self.wait_until(lambda: list(self.folder.glob(".lcm-*.tmp")))
        self.assertEqual("lcm-denoise: 0 records done, waiting\n", self.ask(process))
        process.stdin.write(harness.sample("cond"))
        process.stdin.close()
        process.stdin = None
        self.assertEqual(0, process.wait(harness.TIME_LIMIT))
        self.assertEqual(self.run_ok(denoise("--steps", 1, "--no-history"), stdin=harness.sample("cond")).out, self.read("out.lcms"))

    def test_a_tool_that_starts(self):
        for _ in range(5):
            process = self.start(denoise("-o", "out.lcms"), stdin=subprocess.PIPE)
            self.wait_until(lambda: may_be_asked(process))
            process.send_signal(signal.SIGUSR1)
            self.assertEqual("lcm-denoise: 0 records done, waiting\n", self.next_line(process, harness.TIME_LIMIT))
            process.send_signal(signal.SIGINT)
            process.wait(harness.TIME_LIMIT)

    def test_a_tool_at_work(self):
        cond = harness.sample("cond")
        process = self.start([DENOISE, "-t1", "-b", "1000000", "--steps", "2", "-o", "out.lcms"], stdin=subprocess.PIPE)
        self.wait_until(lambda: list(self.folder.glob(".lcm-*.tmp")))
        process.stdin.write(cond)
        process.stdin.flush()
        numbers = []
        while not numbers or numbers[-1] < 5:
            line = self.ask(process)
            match = re.fullmatch(r"lcm-denoise: (\d+) records done, (one in work|at step [012] of 2|waiting)\n", line)
            self.assertTrue(match, line)
            numbers.append(int(match[1]))
            time.sleep(0.01)
        self.assertEqual(sorted(numbers), numbers)
        process.send_signal(signal.SIGINT)
        process.wait(harness.TIME_LIMIT)


if __name__ == "__main__":
    harness.main()
