#!/usr/bin/env python3
"""Measures three tools on one pipe: throughput against the same work one tool after another, and memory over a long run.

    pipe_bench.py TOOLS requests [--requests 1000] [--steps 4] [--model DIR] [--pipe-threads E,D,R] [--alone-threads E,D,R]
    pipe_bench.py TOOLS records  [--records 100000] --model DIR

`requests` draws every request twice, on one pipe and over files, and compares the pictures. `records` sends small records through all
stages. TOOLS is the folder of the tools. Prints one JSON object; takes minutes, and wants a machine with nothing else to do.
"""
import argparse
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

TOOLS = ("lcm-encode", "lcm-denoise", "lcm-render")
INTERVAL = 0.25  # seconds between two looks at the memory


def resident_kib(pid):
    """Resident memory of a process; nothing when it has ended."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii") as status:
            return next((int(line.split()[1]) for line in status if line.startswith("VmRSS:")), None)
    except OSError:
        return None


def flatness(samples):
    """Memory in KiB at a quarter of the run, at its end, and the peak: flat when the first two are near each other."""
    if not samples:
        return {}
    return {"at_a_quarter_kib": samples[len(samples) // 4], "at_the_end_kib": samples[-1], "peak_kib": max(samples)}


class Bench:
    def __init__(self, options, folder):
        self.options, self.folder = options, folder

    def command(self, tool, threads, *words):
        own = ["--threads", threads] if threads else []
        if tool == "lcm-encode" and self.options.model:
            own += ["--model", self.options.model]
        return [str(self.options.tools / tool), "--stats", *map(str, own), *map(str, words)]

    def run(self, stages, stdin, stdout=None):
        """Runs commands joined by pipes to their end: {"wall_s", and for each tool its CPU time, threads and memory}."""
        started = time.monotonic()
        processes, before = [], stdin
        for number, words in enumerate(stages):
            last = number + 1 == len(stages)
            process = subprocess.Popen(words, stdin=before, stdout=stdout if last else subprocess.PIPE, stderr=subprocess.PIPE)
            if processes:
                before.close()  # only the next tool holds it now
            processes.append(process)
            before = process.stdout
        memory = [[] for _ in processes]
        watches = [threading.Thread(target=self.watch, args=pair) for pair in zip(processes, memory)]
        for watch in watches:
            watch.start()
        said = [process.stderr.read().decode() for process in processes]
        for process, text in zip(processes, said):
            if process.wait() != 0:
                sys.exit(f"{process.args[0]} ended with {process.returncode}: {text}")
        wall = time.monotonic() - started
        for watch in watches:
            watch.join()
        return {"wall_s": round(wall, 2), "tools": {
            pathlib.Path(words[0]).name: self.tool_report(text, samples) for words, text, samples in zip(stages, said, memory)}}

    @staticmethod
    def watch(process, samples):
        while process.poll() is None:
            if kib := resident_kib(process.pid):
                samples.append(kib)
            time.sleep(INTERVAL)

    @staticmethod
    def tool_report(said, samples):
        stats = json.loads(said.splitlines()[-1])["stats"]
        return {"cpu_s": round(stats["cpu_ms"] / 1000, 2), "threads": stats["threads"], "loads": stats["stages"]["load"]["count"],
                **flatness(samples)}

    # The two measurements ------------------------------------------------------------------------------------------------

    def write_requests(self, count, request):
        path = self.folder / "requests.jsonl"
        path.write_text("".join(json.dumps(request(number)) + "\n" for number in range(count)))
        return path

    def requests(self):
        options = self.options
        source = self.write_requests(options.requests, lambda number: {"prompt": f"a red apple {number}", "seed": number})
        encode, denoise, render = (["--requests", source], ["--steps", options.steps], [])
        threads = options.pipe_threads
        with open(os.devnull, "rb") as nothing:
            (self.folder / "pipe").mkdir()
            pipe = self.run([self.command(TOOLS[0], threads[0], *encode), self.command(TOOLS[1], threads[1], *denoise),
                             self.command(TOOLS[2], threads[2], *render, "-o", self.folder / "pipe/%06d.png")], nothing)
            (self.folder / "alone").mkdir()
            threads = options.alone_threads
            text, latents = self.folder / "text.lcms", self.folder / "latents.lcms"
            alone = [self.run([words], nothing) for words in (
                self.command(TOOLS[0], threads[0], *encode, "-o", text),
                self.command(TOOLS[1], threads[1], *denoise, text, "-o", latents),
                self.command(TOOLS[2], threads[2], *render, latents, "-o", self.folder / "alone/%06d.png"))]
        alone_wall = sum(each["wall_s"] for each in alone)
        return {"requests": options.requests, "steps": options.steps, "cores": len(os.sched_getaffinity(0)), "pipe": pipe,
                "one_after_another": {"wall_s": round(alone_wall, 2), "each_wall_s": [each["wall_s"] for each in alone]},
                "throughput_ratio": round(alone_wall / pipe["wall_s"], 3), "same_pictures": self.digest("pipe") == self.digest("alone")}

    def digest(self, name):
        """One hash over all pictures of a folder."""
        total = hashlib.sha256()
        for path in sorted((self.folder / name).iterdir()):
            total.update(path.read_bytes())
        return total.hexdigest()

    def records(self):
        count = self.options.records
        source = self.write_requests(count, lambda number: {"prompt": "small", "seed": number, "size": self.options.size, "steps": 1})
        (self.folder / "pictures").mkdir()
        with open(os.devnull, "rb") as nothing:
            run = self.run([self.command(TOOLS[0], 1, "--requests", source), self.command(TOOLS[1], 1),
                            self.command(TOOLS[2], 1, "-o", self.folder / "pictures/%06d.png")], nothing)
        made = len(list((self.folder / "pictures").iterdir()))
        return {"records": count, "pictures": made, "ms_a_record": round(run["wall_s"] * 1000 / count, 3), **run}


def three(text):
    """Threads of encoder, denoiser and renderer; 0 is the tool's own choice."""
    threads = [int(part) for part in text.split(",")]
    if len(threads) != len(TOOLS):
        raise argparse.ArgumentTypeError("write three numbers: E,D,R")
    return threads


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tools", type=pathlib.Path)
    parser.add_argument("measurement", choices=("requests", "records"))
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--size", default="16x16", help="of the small records' pictures")
    parser.add_argument("--model")
    parser.add_argument("--pipe-threads", type=three, default=[0, 0, 0])
    parser.add_argument("--alone-threads", type=three, default=[0, 0, 0])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pipe-bench-") as folder:
        bench = Bench(options, pathlib.Path(folder))
        print(json.dumps(bench.requests() if options.measurement == "requests" else bench.records(), indent=1))


if __name__ == "__main__":
    main()
