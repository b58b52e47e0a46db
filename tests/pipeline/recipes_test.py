"""The files of scripts/recipes do what they say, with stand-ins for ssh and SLURM."""
import json
import os
import shutil
import signal
import subprocess

import harness
from harness import DATA, LCM, TRY_AGAIN, USAGE, denoise, encode, render

RECIPES = harness.ROOT / "scripts/recipes"
SMALL = {"LCM_MODEL": LCM, "LCM_THREADS": "1", "LCM_STEPS": "1"}


class RecipeTest(harness.ToolTest):
    """A test with a folder of stand-in programs before all others on the path."""

    def setUp(self):
        super().setUp()
        self.programs = self.path("programs")
        self.programs.mkdir()

    def stand_in(self, name, script):
        path = self.write(f"programs/{name}", f"#!/bin/sh\n{script}\n".encode())
        path.chmod(0o755)

    def recipe_environment(self, changes=None):
        environment = self.environment(SMALL | (changes or {}))
        return environment | {"PATH": f"{self.programs}:{environment['PATH']}"}

    def recipe(self, *words, code=0, folder=".", **environment):
        """Runs a recipe in a folder of the test; what it wrote on stdout and stderr together."""
        argv = [word if number else str(RECIPES / word) for number, word in enumerate(map(str, words))]
        (self.folder / folder).mkdir(exist_ok=True)
        ended = subprocess.run(argv, cwd=self.folder / folder, env=self.recipe_environment(environment), stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=harness.TIME_LIMIT)
        said = ended.stdout.decode("utf-8", "replace")
        self.assertEqual(code, ended.returncode, said)
        return said

    def single(self, prompt, seed):
        """The picture of a run of its own."""
        return self.pipe_ok(encode(f"--prompt={prompt}"), denoise("--steps", 1, "-s", seed), render())

    def times(self, *folders):
        """When each file in the folders was written."""
        return {path: path.stat().st_mtime_ns for folder in folders for path in (self.folder / folder).glob("*")}


class Gallery(RecipeTest):
    PROMPTS = {"apple": "a red apple", "owl": "an owl, at night"}

    def setUp(self):
        super().setUp()
        text = (RECIPES / "gallery.mk").read_text()
        self.write("gallery.mk", text.replace(":= emoji-128", f":= {LCM}").replace("STEPS    := 4", "STEPS    := 1").encode())
        for name, prompt in self.PROMPTS.items():
            self.write(f"prompts/{name}.txt", f"{prompt}\n".encode())

    def make(self, *words, code=0):
        ended = subprocess.run(["make", "-f", "gallery.mk", "-j2", *words], cwd=self.folder, env=self.recipe_environment(),
                               capture_output=True, text=True, timeout=harness.TIME_LIMIT)
        self.assertEqual(code, ended.returncode, ended.stderr)
        return ended.stdout

    def made(self):
        """Names of the files that `make` makes, less its own dependency files; all are up to date then."""
        before = self.times("latents", "pictures")
        self.make()
        after = self.times("latents", "pictures")
        self.assertIn("Nothing to be done", self.make("all"))
        self.assertEqual(after, self.times("latents", "pictures"))
        return {path.name for path, time in after.items() if before.get(path) != time and path.suffix != ".d"}

    def test_makes_again_only_what_changed(self):
        self.assertEqual({"apple.lcms", "apple.png", "owl.lcms", "owl.png"}, self.made())
        self.assertEqual(self.single("an owl, at night", 7), self.read("pictures/owl.png"))
        self.assertEqual(set(), self.made())

        self.write("prompts/owl.txt", b"an owl by day\n")
        self.assertEqual({"owl.lcms", "owl.png"}, self.made())
        self.assertEqual(self.single("an owl by day", 7), self.read("pictures/owl.png"))

        self.path("prompts/apple.txt").touch()
        self.assertEqual({"apple.lcms", "apple.png"}, self.made())

        self.path("pictures/apple.png").unlink()
        self.assertEqual({"apple.png"}, self.made())

    def test_the_model_is_a_source(self):
        self.copy_model()
        self.write("gallery.mk", self.read("gallery.mk").replace(LCM.encode(), b"model"))
        self.path("prompts/owl.txt").unlink()
        self.made()
        self.path("model/unet/config.json").touch()
        self.assertEqual({"apple.lcms", "apple.png"}, self.made())

    def test_a_broken_prompt_leaves_no_file(self):
        self.write("prompts/owl.txt", b"\xff\n")
        self.make("-k", code=2)
        self.assertEqual({"apple.lcms", "apple.png"}, {path.name for path in self.times("latents", "pictures") if path.suffix != ".d"})


class SeedSweep(RecipeTest):
    def test_equals_single_runs(self):
        prompt = 'a "red" apple \\ on & a table'
        self.recipe("seed-sweep", prompt, 3, 6)
        self.assertEqual([f"{seed}.png" for seed in range(3, 7)], [name for name in self.names() if name.endswith(".png")])
        self.assertEqual(self.single(prompt, 5), self.read("5.png"))

    def test_steps_between_seeds(self):
        self.recipe("seed-sweep", "fox", 0, 1000000, 2000000)
        self.assertEqual(["0.png", "1000000.png", "2000000.png"], [name for name in self.names() if name.endswith(".png")])

    def test_encodes_once(self):
        self.stand_in("lcm-encode", f'exec {harness.TOOLS}/lcm-encode "$@" --stats')
        stages = json.loads(self.recipe("seed-sweep", "fox", 1, 3))["stats"]["stages"]
        self.assertEqual(1, stages["load"]["count"])
        self.assertLess(stages["encode"]["min_ms"], stages["encode"]["max_ms"] / 5)

    def test_says_how_it_is_called(self):
        self.assertIn("usage", self.recipe("seed-sweep", "fox", code=USAGE))

    def test_fails_with_its_pipe(self):
        self.assertIn("missing", self.recipe("seed-sweep", "fox", 1, 2, code=harness.NO_INPUT, LCM_MODEL="missing"))


class ParallelBatch(RecipeTest):
    def test_equals_single_runs_and_one_pipe(self):
        prompts = ["it's \"quoted\" & $HOME", "-s starts with a dash"]
        self.write("prompts.txt", "".join(f"{prompt}\n" for prompt in prompts).encode())
        self.recipe("parallel-batch", "prompts.txt", 20)
        self.pipe_ok(encode("--prompt-file", "prompts.txt"), denoise("--steps", 1, "-s", 20), render("-o", "pipe-%04d.png"))
        for number, prompt in enumerate(prompts):
            self.assertEqual(self.single(prompt, 20 + number), self.read(f"{number:04}.png"))
            self.assertEqual(self.read(f"pipe-{number:04}.png"), self.read(f"{number:04}.png"))

    def test_ends_with_the_code_of_the_first_failure(self):
        self.write("prompts.txt", b"bad \xff\ngood\nbad \xfe\n")
        said = self.recipe("parallel-batch", "prompts.txt", code=DATA)
        self.assertIn("2 prompt(s) failed", said)
        self.assertEqual(["0001.png"], [name for name in self.names() if name.endswith(".png")])

    def test_a_failure_of_parallel_is_none_of_a_prompt(self):
        self.assertIn("parallel failed", self.recipe("parallel-batch", "missing.txt", code=70))


class SlurmArray(RecipeTest):
    COUNT = 5

    def setUp(self):
        super().setUp()
        self.stand_in("scontrol", 'echo "$@" >> requeued')
        requests = [{"prompt": f"prompt {number}", "size": "64x64" if number % 2 else "32x64"} for number in range(self.COUNT)]
        self.write("requests.jsonl", "".join(json.dumps(request) + "\n" for request in requests).encode())

    def slurm(self, task, tasks):
        return {"SLURM_ARRAY_JOB_ID": "77", "SLURM_ARRAY_TASK_ID": str(task), "SLURM_ARRAY_TASK_COUNT": str(tasks)}

    def task(self, task, tasks, **options):
        environment = self.slurm(task, tasks) | options.pop("changes", {})
        return self.recipe("slurm-array.sbatch", "requests.jsonl", **environment, **options)

    def expect_all_pictures(self):
        self.pipe_ok([harness.ENCODE, "--requests", "requests.jsonl", "-m", LCM], denoise("--steps", 1), render("-o", "whole-%06d.png"))
        for number in range(self.COUNT):
            self.assertEqual(self.read(f"whole-{number:06}.png"), self.read(f"pictures/{number:06}.png"))
        self.assertEqual(self.COUNT, len(list(self.path("pictures").iterdir())))

    def test_all_tasks_together_equal_one_run(self):
        for task in (2, 0, 1):
            self.task(task, 3)
        self.expect_all_pictures()

    def test_a_task_without_a_request(self):
        self.task(self.COUNT, self.COUNT + 1)
        self.assertEqual([], list(self.path("pictures").iterdir()))

    def test_one_task_alone_once_more(self):
        self.task(1, 1, changes={"SHARDS": "2"})
        self.assertEqual([f"{number:06}.png" for number in (1, 3)], sorted(path.name for path in self.path("pictures").iterdir()))

    def test_a_second_run_makes_only_what_is_missing_or_broken(self):
        self.task(0, 1)
        before = self.times("latents/0", "pictures")
        self.path("pictures/000002.png").unlink()
        cut = self.path("latents/0/000004.lcms")
        os.truncate(cut, cut.stat().st_size - 1)
        self.task(0, 1)
        changed = {path.name for path, time in self.times("latents/0", "pictures").items() if before[path] != time}
        self.assertEqual({"000002.png", "000004.lcms"}, changed)
        self.expect_all_pictures()

    def test_a_bad_request_leaves_the_others_unharmed(self):
        lines = self.read("requests.jsonl").splitlines(keepends=True)
        self.write("requests.jsonl", b"".join([*lines[:3], b'{"promt": "misspelt"}\n', *lines[4:]]))
        self.assertIn("promt", self.task(1, 2, code=DATA))
        self.assertEqual(["000001.png"], sorted(path.name for path in self.path("pictures").iterdir()))
        self.assertFalse(self.path("requeued").exists())

    def stop_after_the_first_request(self):
        """Ends task 0 of 1 by SIGTERM when it has one latent and waits for the next request; its exit code."""
        os.mkfifo(self.path("slow.jsonl"))
        task = subprocess.Popen([RECIPES / "slurm-array.sbatch", "slow.jsonl"], cwd=self.folder,
                                env=self.recipe_environment(self.slurm(0, 1)), stderr=subprocess.DEVNULL)
        self.addCleanup(self.end, task)
        with open(self.path("slow.jsonl"), "wb", buffering=0) as requests:
            requests.write(self.read("requests.jsonl").splitlines(keepends=True)[0])
            self.wait_until(self.path("latents/0/000000.lcms").exists)
            task.send_signal(signal.SIGTERM)
            return task.wait(harness.TIME_LIMIT)

    def test_goes_on_after_pre_emption(self):
        self.assertEqual(TRY_AGAIN, self.stop_after_the_first_request())
        self.assertEqual(b"requeue 77_0\n", self.read("requeued"))
        before = self.times("latents/0")
        self.assertEqual(1, len(before))
        self.task(0, 1)
        self.assertLess(before.items(), self.times("latents/0").items())
        self.expect_all_pictures()


class OverSsh(RecipeTest):
    def setUp(self):
        super().setUp()
        # As ssh does: the words after the host, joined by spaces, are a command line for the shell over there.
        self.stand_in("ssh", 'echo "$1" >> hosts; shift; exec sh -c "$*"')

    def test_equals_a_local_run(self):
        self.recipe("over-ssh", "gpu-box", "an owl's \"night\"", "owl.png", "--seed", 9)
        self.assertEqual(b"gpu-box\n", self.read("hosts"))
        self.assertEqual(self.single("an owl's \"night\"", 9), self.read("owl.png"))

    def test_a_failure_over_there(self):
        self.assertIn("lcm-render: ", self.recipe("over-ssh", "gpu-box", "owl", "owl.png", "--to", 9, code=USAGE))
        self.assertFalse(self.path("owl.png").exists())

    def test_a_host_that_is_not_there(self):
        self.stand_in("ssh", 'echo "ssh: cannot resolve $1" >&2; exit 255')
        self.assertIn("input: empty", self.recipe("over-ssh", "nowhere", "owl", "owl.png", code=DATA))

    def test_a_line_that_breaks(self):
        self.stand_in("ssh", 'shift; sh -c "$*" | head -c 2000; exit 255')
        self.assertIn("truncated", self.recipe("over-ssh", "gpu-box", "owl", "owl.png", code=DATA))
        self.assertFalse(self.path("owl.png").exists())


class Folder(harness.ToolTest):
    def test_every_recipe_has_a_test_and_says_what_it_is(self):
        tested = {"gallery.mk", "seed-sweep", "parallel-batch", "slurm-array.sbatch", "over-ssh"}
        self.assertEqual(tested, {path.name for path in RECIPES.iterdir()})
        for path in RECIPES.iterdir():
            self.assertIn(f"# {path.name}: ", path.read_text())
            self.assertEqual(path.suffix != ".mk", os.access(path, os.X_OK), path)

    def test_what_they_need_is_installed(self):
        self.assertEqual([], [program for program in ("bash", "make", "parallel", "seq") if shutil.which(program) is None])


if __name__ == "__main__":
    harness.main()
