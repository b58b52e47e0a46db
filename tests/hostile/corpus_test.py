"""The tools' reader and an independent one agree on every stream of the corpus and on mutations of it.

STREAM_VERDICT names the program that runs the tools' reader.
"""
import os
import random
import subprocess
import tempfile
import unittest

import make_corpus
import stream_reader

PROGRAM = os.environ["STREAM_VERDICT"]
MUTATIONS = 3000
# Words that matter to a header; they are put in at random places.
WORDS = ['"', "\\", "{", "}", "[", "]", ",", ":", " ", "\n", "\t", "-", "0", "1", "e", ".", "null", "true", '"":"",', "\u00e9", "\x7f",
         "\\u0000", "\\ud800", "\\u0061", '"lcm.final":"1",', '"shape":[0],', '"dtype":"F4"',
         "18446744073709551616", "281474976710656", "4294967296"]


def verdicts(folder, names, *flags):
    """What the program says of each file, in one process."""
    paths = [os.path.join(folder, name) for name in names]
    done = subprocess.run([PROGRAM, *flags, *paths], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise AssertionError("the reader died: " + done.stderr[-4000:])
    lines = [line.split(" ", 1) for line in done.stdout.splitlines()]
    return {os.path.basename(path): int(code) for code, path in lines}


def mutate(random_source, header):
    """A header with a few slips: a character or a span lost, doubled, replaced or put in."""
    for _ in range(random_source.randint(1, 3)):
        at = random_source.randrange(len(header))
        until = min(len(header), at + random_source.choice([1, 1, 1, 2, 8, 40]))
        slip = random_source.randrange(5)
        span = header[at:until]
        middle = ["", span + span, random_source.choice(WORDS), random_source.choice(WORDS) + span, span[::-1]][slip]
        header = header[:at] + middle + header[until:]
    return header


def mutations():
    """Streams of one record whose header was changed at random and sealed again, so that the parser is what decides."""
    random_source = random.Random(20240131)
    tensors = [(make_corpus.LATENT, make_corpus.FOUR),
               (make_corpus.entry("[2]", "[4,6]", "BOOL") + "," + make_corpus.entry("[0,3]", "[0,0]", name="b") + "," +
                make_corpus.entry("[2,1]", "[0,4]", "F16", "noise"), b"\0\0\0\0\1\0")]
    found = {}
    for number in range(MUTATIONS):
        entry, data = tensors[number % 2]
        header = mutate(random_source, make_corpus.header_of(make_corpus.marks(), entry, data))
        found[f"mutation-{number:04}.lcms"] = make_corpus.seal(header.encode("utf-8", "replace"), data)
    return found


class Corpus(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def test_both_readers_give_the_expected_codes(self):
        expected = make_corpus.write_corpus(self.folder)
        found = zip(verdicts(self.folder, expected).values(), verdicts(self.folder, expected, "--keep-going").values(), strict=True)
        for (name, codes), ours in zip(expected.items(), found, strict=True):
            with self.subTest(stream=name):
                with open(os.path.join(self.folder, name), "rb") as file:
                    data = file.read()
                theirs = [stream_reader.verdict(data), stream_reader.verdict(data, keep_going=True)]
                self.assertEqual(theirs, codes, "the independent reader")
                self.assertEqual(list(ours), codes, "the tools' reader")

    def test_both_readers_agree_on_mutated_headers(self):
        streams = mutations()
        for name, data in streams.items():
            with open(os.path.join(self.folder, name), "wb") as file:
                file.write(data)
        found = verdicts(self.folder, streams)
        accepted = 0
        for name, data in streams.items():
            with self.subTest(stream=name, data=data):
                self.assertEqual(found[name], stream_reader.verdict(data))
            accepted += found[name] == 0
        self.assertGreater(accepted, MUTATIONS // 100, "mutations that all readers refuse prove little")
        self.assertLess(accepted, MUTATIONS // 2)


if __name__ == "__main__":
    unittest.main()
