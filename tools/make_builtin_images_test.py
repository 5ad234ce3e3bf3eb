#!/usr/bin/env python3
"""The built-in images are equal for equal inputs, and hold what a shell needs.

  tools/make_builtin_images_test.py BUSYBOX HELLO
"""
import hashlib
import json
import pathlib
import subprocess
import sys
import tarfile
import tempfile
import unittest

TOOL = pathlib.Path(__file__).resolve().parent / "make_builtin_images.py"
BUSYBOX, HELLO = "/bin/busybox", ""


def make(out):
    subprocess.run([sys.executable, str(TOOL), str(out), BUSYBOX, HELLO], check=True)


class BuiltinImagesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.root = pathlib.Path(cls.folder.name)
        make(cls.root / "one")
        make(cls.root / "two")

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def open_layer(self, name):
        archive = tarfile.open(self.root / "one" / f"{name}.tar")
        layers = json.load(archive.extractfile("manifest.json"))[0]["Layers"]
        self.assertEqual(len(layers), 1)
        return tarfile.open(fileobj=archive.extractfile(layers[0]))

    def test_equal_inputs_make_equal_archives(self):
        for name in ("busybox.tar", "hello-world.tar"):
            self.assertEqual((self.root / "one" / name).read_bytes(), (self.root / "two" / name).read_bytes())

    def test_blobs_are_what_they_are_called(self):
        for name in ("busybox", "hello-world"):
            archive = tarfile.open(self.root / "one" / f"{name}.tar")
            blobs = [m for m in archive.getmembers() if m.name.startswith("blobs/sha256/") and m.isfile()]
            self.assertEqual(len(blobs), 3)
            for blob in blobs:
                self.assertEqual(hashlib.sha256(archive.extractfile(blob).read()).hexdigest(), blob.name.split("/")[-1])

    def test_busybox_has_its_applets_and_folders(self):
        layer = self.open_layer("busybox")
        for applet in ("bin/sh", "bin/ls", "usr/bin/env", "sbin/ip"):
            self.assertEqual(layer.getmember(applet).linkname, "bin/busybox", applet)
        self.assertEqual(layer.getmember("tmp").mode, 0o1777)
        self.assertEqual(layer.getmember("root").mode, 0o700)
        self.assertIn(b"root:x:0:0:", layer.extractfile("etc/passwd").read())
        self.assertTrue(all(m.uid == 0 and m.gid == 0 and not m.uname for m in layer.getmembers()))

    def test_a_dynamic_program_is_refused(self):
        run = subprocess.run([sys.executable, str(TOOL), str(self.root / "bad"), sys.executable, HELLO], capture_output=True)
        self.assertNotEqual(run.returncode, 0)
        self.assertIn(b"no static program", run.stderr)
        self.assertFalse((self.root / "bad").exists())


if __name__ == "__main__":
    BUSYBOX, HELLO = sys.argv[1:3]
    unittest.main(argv=sys.argv[:1])
