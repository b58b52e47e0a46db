"""Requests on one long pipe: the same pictures as single runs, models loaded once, a bad line harms no other, memory stays flat."""
import json
import subprocess
import threading
import time

import harness
import records
from harness import DATA, DENOISE, ENCODE, LCM, RENDER, denoise, encode, render

COUNT = 40


def request(number):
    """Request `number`: each differs in prompt and seed, some in steps, guidance and size."""
    wanted = {"prompt": f"picture {number % 12}", "seed": 100 + 3 * number, "steps": 1 + number % 2, "id": f"r{number:02}"}
    if number % 3 == 1:
        wanted["guidance"] = 2.5
    if number % 5 == 2:
        wanted["size"] = "64x32"
    return wanted


def lines(requests):
    return "".join(json.dumps(each) + "\n" for each in requests).encode()


def from_requests(*flags):
    return [ENCODE, "-t1", "-m", LCM, "--requests", "-", *flags]


class OnePipe(harness.ToolTest):
    def single(self, wanted):
        """The picture of a run of its own, its settings given as flags."""
        flags = ["--steps", wanted["steps"], "-s", wanted["seed"]]
        if "guidance" in wanted:
            flags += ["--guidance", wanted["guidance"]]
        if "size" in wanted:
            flags += [word for pair in zip(("-W", "-H"), wanted["size"].split("x")) for word in pair]
        return self.pipe_ok(encode(wanted["prompt"]), denoise(*flags), render())

    def test_equals_single_runs_and_loads_once(self):
        requests = [request(number) for number in range(COUNT)]
        results = self.pipe(from_requests("--stats"), denoise("--stats"), render("--stats", "-o", "{id}.png"),
                            stdin=lines(requests))
        for result in results:
            self.assertEqual(0, result.code, result)
            stats = json.loads(result.lines[-1])["stats"]
            self.assertEqual(1, stats["stages"]["load"]["count"], result)
            self.assertEqual(COUNT, stats["pictures" if result.tool == RENDER else "records"], result)
        self.assertEqual([f"{wanted['id']}.png" for wanted in requests], self.names())
        self.each(lambda wanted: self.assertEqual(self.single(wanted), self.read(f"{wanted['id']}.png")),
                  [(wanted,) for wanted in requests[::8]])

    def test_answers_each_request_before_the_next_one_comes(self):
        encoder = self.start(from_requests(), stdin=subprocess.PIPE)
        denoiser = self.start(denoise(), stdin=encoder.stdout)
        renderer = self.start(render("-o", "{id}.png"), stdin=denoiser.stdout)
        for process in (encoder, denoiser):
            process.stdout.close()
            process.stdout = None
        for number in range(3):
            encoder.stdin.write(lines([request(number)]))
            encoder.stdin.flush()
            self.wait_until(lambda: renderer.poll() is not None or self.path(f"r{number:02}.png").exists())
            self.assertIsNone(renderer.poll(), renderer)
        encoder.stdin.close()
        for process in (encoder, denoiser, renderer):
            self.assertEqual(0, process.wait(harness.TIME_LIMIT))


class BadLine(harness.ToolTest):
    GOOD = {"prompt": "good"}

    def run_with(self, bad, *flags):
        """The results of a pipe over good requests with a bad one in their middle."""
        stdin = lines([self.GOOD | {"id": "first"}]) + bad + lines([self.GOOD | {"id": "last", "seed": 9}])
        return self.pipe(from_requests(*flags), denoise("--steps", 1, *flags), render("-o", "{id}.png", *flags), stdin=stdin)

    def test_others_go_on_with_keep_going(self):
        for bad, says in ((b'{"prompt": 7, "id": "bad"}\n', "prompt"), (b'{"prompt": "x", "sed": 7}\n', '"sed"'), (b"{broken\n", "JSON")):
            for result in self.run_with(bad, "--keep-going"):
                self.expect_failure(result, DATA, ["request 1", says])
            self.assertEqual(["first.png", "last.png"], self.names())
            self.path("last.png").unlink()

    def test_the_good_ones_equal_single_runs(self):
        self.run_with(b"{broken\n", "--keep-going")
        self.assertEqual(self.pipe_ok(encode("good"), denoise("--steps", 1, "-s", 9), render()), self.read("last.png"))

    def test_the_error_record_names_the_request(self):
        stdin = lines([self.GOOD]) + b'{"prompt": 7, "id": "bad"}\n' + lines([self.GOOD])
        stream = records.parse(self.run_any(from_requests("--keep-going"), stdin=stdin).out)
        kinds = [record.metadata["lcm.kind"] for record in stream]
        self.assertEqual(["cond", "error", "cond"], [kind for kind in kinds if kind != "end"])
        self.assertEqual("bad", stream[1].metadata["lcm.id"])
        self.assertEqual(str(DATA), stream[1].metadata["lcm.error_code"])

    def test_the_pipe_fails_without_keep_going(self):
        for result in self.run_with(b"{broken\n"):
            self.expect_failure(result, DATA, "request 1")
        self.assertEqual(["first.png"], self.names())

    def test_the_code_is_that_of_the_first_failure(self):
        # The encoder's bad line (65) comes before a name the renderer cannot use twice (64).
        stdin = lines([self.GOOD | {"id": "a"}]) + b"{broken\n" + lines([self.GOOD | {"id": "a"}])
        results = self.pipe(from_requests("--keep-going"), denoise("--steps", 1, "--keep-going"), render("-o", "{id}.png", "--keep-going"),
                            stdin=stdin)
        self.assertEqual([DATA] * 3, [result.code for result in results])
        self.assertIn("names two", results[2].err.decode())


class LongPipe(harness.ToolTest):
    COUNT = 400

    @staticmethod
    def memory(process):
        """Resident KiB of a process; 0 when it has ended."""
        with open(f"/proc/{process.pid}/status", encoding="ascii") as status:
            return next((int(line.split()[1]) for line in status if line.startswith("VmRSS:")), 0)

    def start_encoder(self, count):
        """An encoder that is fed `count` requests as fast as it takes them, and how many it has taken."""
        encoder = self.start(from_requests(), stdin=subprocess.PIPE, bufsize=0)
        taken = []

        def feed():
            try:
                for number in range(count):
                    encoder.stdin.write(lines([{"prompt": f"picture {number % 4}", "seed": number}]))
                    taken.append(number)
                encoder.stdin.close()
            except OSError:
                pass  # a failed test has ended the encoder

        feeder = threading.Thread(target=feed, daemon=True)
        feeder.start()
        return encoder, taken, feeder

    def test_memory_is_flat(self):
        encoder, taken, feeder = self.start_encoder(self.COUNT)
        denoiser = self.start(denoise("--steps", 1), stdin=encoder.stdout)
        renderer = self.start(render("-o", "{seed}.png"), stdin=denoiser.stdout)
        tools = (encoder, denoiser, renderer)
        self.wait_until(self.path(f"{self.COUNT // 4}.png").exists)
        early = [self.memory(tool) for tool in tools]
        self.wait_until(self.path(f"{self.COUNT * 3 // 4}.png").exists)
        late = [self.memory(tool) for tool in tools]
        for process in tools[:2]:
            process.stdout.close()
            process.stdout = None
        feeder.join(harness.TIME_LIMIT)
        for process in tools:
            self.assertEqual(0, process.wait(harness.TIME_LIMIT), process.args)
        for tool, before, after in zip((ENCODE, DENOISE, RENDER), early, late):
            self.assertGreater(before, 0, tool)
            self.assertLess(after - before, 4096, f"{tool} grew from {before} to {after} KiB over {self.COUNT // 2} requests")

    def test_a_stalled_reader_stalls_the_writer(self):
        count = 20_000  # 1 MB of requests; their records are ten times as much, and a pipe holds 64 KiB
        encoder, taken, feeder = self.start_encoder(count)
        before = -1
        while before != len(taken):
            before = len(taken)
            time.sleep(0.5)
        self.assertLess(len(taken), count)
        stalled = self.memory(encoder)
        received = encoder.stdout.read(1 << 20)
        self.wait_until(lambda: len(taken) > before or len(received) < 1 << 20)
        self.assertLess(self.memory(encoder) - stalled, 4096)
        self.assertIsNone(encoder.poll())
        encoder.kill()
        feeder.join(harness.TIME_LIMIT)


if __name__ == "__main__":
    harness.main()
