#!/usr/bin/env python3
"""caisson-runtime and configurations that are wrong or hostile, and hosts that refuse: each is an error that names the field
or the call, with runc's exit status, and nothing is left: no state, cgroup, mount or process.

  bad_input.py CAISSON-RUNTIME [TEST…]
"""
import copy
import ctypes
import glob
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import unittest

RUNTIME = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else ""
BUSYBOX = "/bin/busybox"
PR_SET_CHILD_SUBREAPER = 36


def mounts():
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        return sorted(line.split(" ", 1)[1] for line in file)


def cgroup_directories(name):
    """v2 alone, or every hierarchy of v1."""
    return glob.glob(f"/sys/fs/cgroup/{name}") + glob.glob(f"/sys/fs/cgroup/*/{name}")


class BadInput(unittest.TestCase):
    def setUp(self):
        self.work = tempfile.mkdtemp(prefix="caisson-bad-")
        self.root = self.work + "/rootfs"
        self.state = self.work + "/state"
        self.group = "caisson-bad-" + secrets.token_hex(6)
        os.makedirs(self.root + "/bin")
        for name in ("proc", "sys", "dev", "tmp"):
            os.mkdir(f"{self.root}/{name}")
        shutil.copy(BUSYBOX, self.root + "/bin/busybox")
        for tool in ("sh", "true", "sleep"):
            os.symlink("busybox", f"{self.root}/bin/{tool}")
        self.mounts = mounts()

    def tearDown(self):
        self.runtime("delete", "--force", "c")
        shutil.rmtree(self.work)

    def config(self):
        return {
            "ociVersion": "1.3.0",
            "root": {"path": "rootfs"},
            "process": {"args": ["true"], "cwd": "/", "env": ["PATH=/bin"], "user": {"uid": 0, "gid": 0}},
            "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}],
            "linux": {"cgroupsPath": f"/{self.group}/c", "namespaces": [{"type": t} for t in ("mount", "pid", "ipc", "uts", "network")]},
        }

    def runtime(self, *words, **options):
        # A file, since a created container keeps what it was given.
        with open(self.work + "/err", "w+", encoding="utf-8") as err:
            done = subprocess.run([RUNTIME, "--root", self.state, *words], cwd=self.work, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL, stderr=err, timeout=60, check=False, **options)
            err.seek(0)
            done.stderr = err.read()
        return done

    def write(self, document):
        with open(self.work + "/config.json", "w", encoding="utf-8") as file:
            file.write(document if isinstance(document, str) else json.dumps(document))

    def nothing_left(self):
        left = [name for name in os.listdir(self.state) if not name.startswith(".")] if os.path.isdir(self.state) else []
        self.assertEqual(left, [], "state")
        self.assertEqual([d for d in cgroup_directories(self.group) if os.listdir(d) and glob.glob(d + "/c")], [], "cgroups")
        self.assertEqual(mounts(), self.mounts, "mounts")
        # Orphans come to this process.
        with self.assertRaises(ChildProcessError, msg="a process is left"):
            os.waitpid(-1, os.WNOHANG)
        for directory in cgroup_directories(self.group):
            os.rmdir(directory)

    def refused(self, document, *words, verbs=("create", "run")):
        self.write(document)
        for verb in verbs:
            done = self.runtime(verb, "c")
            self.assertEqual(done.returncode, 1, (words, done.stderr))
            for word in words:
                self.assertIn(word, done.stderr)
            self.assertNotIn("terminate called", done.stderr)
            self.nothing_left()

    def changed(self, path, value):
        """The configuration with one field, "linux.namespaces.0.type", set."""
        document = copy.deepcopy(self.config())
        place = document
        *way, last = path.split(".")
        for name in way:
            place = place[int(name)] if isinstance(place, list) else place.setdefault(name, {})
        place[int(last) if isinstance(place, list) else last] = value
        return document

    def test_what_is_no_json(self):
        for text in ("", " ", "{", "[]", "null", '"x"', "{]", '{"ociVersion":"1.3.0",}', "\x00", "{" * 100, '{"a":' * 10000 + "1" + "}" * 10000,
                     "[" * 10000, '{"ociVersion":"1.3.0","a":"\ud800"}'.encode("utf-8", "surrogatepass").decode("latin-1")):
            self.refused(text, "config.json" if text != "null" else "")
        deep = self.config()
        deep["annotations"] = {}
        self.refused(json.dumps(deep).replace('"annotations": {}', '"annotations": ' + '{"a":' * 10000 + "1" + "}" * 10000), "config.json")

    def test_wrong_types_name_the_field(self):
        wrong = {
            "ociVersion": 1, "process": [], "process.args": "true", "process.args.0": 5, "process.env": {}, "process.cwd": 7,
            "process.user": "root", "process.user.uid": "0", "process.user.gid": 1.5, "process.user.additionalGids": [-1],
            "process.terminal": "yes", "process.rlimits": [{"type": "RLIMIT_CORE", "soft": -1, "hard": 0}],
            "process.capabilities": {"bounding": "CAP_KILL"}, "process.oomScoreAdj": "1", "process.consoleSize": {"height": -1, "width": 1},
            "root": "rootfs", "root.path": 1, "root.readonly": "true", "hostname": {}, "mounts": {}, "mounts.0.options": "ro",
            "mounts.0.destination": [], "hooks": [], "hooks.prestart": {}, "hooks.prestart.0": 0, "annotations": {"a": 1},
            "linux": [], "linux.namespaces": {}, "linux.namespaces.0.type": 3, "linux.devices": [{"path": "/x", "type": "c", "major": "1"}],
            "linux.resources": [], "linux.resources.memory": {"limit": "1G"}, "linux.resources.pids": {"limit": 1e30},
            "linux.resources.cpu": {"shares": -1}, "linux.resources.devices": [{"allow": 1}], "linux.resources.unified": {"a": 1},
            "linux.seccomp": {"defaultAction": 1}, "linux.sysctl": {"net.core.somaxconn": 1}, "linux.maskedPaths": "/proc", "linux.uidMappings": [{"containerID": "0"}],
            "linux.cgroupsPath": 5, "linux.rootfsPropagation": True, "linux.timeOffsets": {"boottime": {"secs": "1"}},
        }
        for path, value in wrong.items():
            if path == "hooks.prestart.0":
                document = {**self.config(), "hooks": {"prestart": [0]}}
            else:
                document = self.changed(path, value)
            self.refused(document, "config.json", path.replace(".0", "[]").split(".")[-1])

    def test_numbers_out_of_range(self):
        for path, value in (("process.user.uid", 2**32), ("process.user.uid", -1), ("linux.resources.memory", {"limit": 2**63}),
                            ("process.oomScoreAdj", 2**31), ("linux.uidMappings", [{"containerID": 0, "hostID": 2**32, "size": 1}])):
            self.refused(self.changed(path, value), "config.json", "of range" if value != 2**63 else "limit")
        text = json.dumps(self.changed("process.user.uid", 4242)).replace("4242", "9" * 400)
        self.refused(text, "config.json")

    def test_what_is_missing_or_impossible(self):
        document = self.config()
        del document["root"]
        self.refused(document, "root")
        document = self.config()
        del document["linux"]
        self.refused(document, "linux")
        document = self.config()
        del document["process"]
        self.refused(document, "process")
        for path, value, words in (
                ("process.args", [], "process.args"), ("process.cwd", "tmp", "Cwd must be an absolute path"), ("process.cwd", "", "Cwd must be"),
                ("process.args", [""], "exec"), ("process.args", ["a\0b"], "process.args[0]"), ("root.path", "", "root"),
                ("root.path", "nowhere", "nowhere"), ("root.path", "config.json", "not a directory"),
                ("linux.namespaces.0.type", "mnt", "unknown namespace type"), ("linux.namespaces.1.type", "mount", "namespace mount is given twice"),
                ("linux.namespaces.1.path", "/proc/self/ns/net", "not a pid namespace"), ("linux.namespaces.1.path", "/nowhere", "/nowhere"),
                ("linux.resources.pids", {"limit": 2**62}, "pids.max"), ("linux.resources.cpu", {"cpus": "0-99999"}, "cpuset"),
                ("hooks", {"createRuntime": [{"path": "/nowhere"}]}, "createRuntime hook #0")):
            self.refused(self.changed(path, value), words)
        os.remove(self.work + "/config.json")
        done = self.runtime("run", "c")
        self.assertEqual((done.returncode, "config.json not found" in done.stderr), (1, True), done.stderr)
        self.nothing_left()
        for name in ("", "../c", "a/b", ".", "..", "a b", "x" * 2000):
            self.write(self.config())
            done = self.runtime("run", name)
            self.assertEqual(done.returncode, 1, name)
            self.nothing_left()

    def test_paths_that_climb_stay_inside(self):
        target = "caisson-bad-" + secrets.token_hex(6)
        document = self.config()
        document["mounts"].append({"destination": "/../../../../../../tmp/" + target, "type": "tmpfs", "source": "tmpfs"})
        document["linux"]["maskedPaths"] = ["/../../../../" + self.work]
        document["linux"]["devices"] = [{"path": "/../../../../../tmp/../tmp/" + target + "/null", "type": "c", "major": 1, "minor": 3}]
        self.write(document)
        done = self.runtime("run", "c")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertFalse(os.path.exists("/tmp/" + target))
        self.assertTrue(os.path.isdir(f"{self.root}/tmp/{target}"))
        self.nothing_left()
        # A cgroup path that climbs stays below the top of the hierarchy, or is refused.
        self.write(self.changed("linux.cgroupsPath", f"/../../../{self.group}/../{self.group}/c"))
        done = self.runtime("run", "c")
        self.assertIn(done.returncode, (0, 1))
        self.assertEqual(glob.glob(f"/sys/fs/{self.group}*") + glob.glob(f"/sys/{self.group}*"), [])
        self.nothing_left()

    def test_a_cgroup_that_cannot_be_made(self):
        self.refused(self.changed("linux.cgroupsPath", f"/{self.group}/" + "x" * 300), "x" * 300)

    def test_hooks_that_fail_or_hang(self):
        for kind in ("prestart", "createRuntime", "createContainer", "startContainer"):
            path, args = ("/bin/sh", ["sh", "-c", "echo no good; exit 3"])
            self.refused(self.changed("hooks", {kind: [{"path": path, "args": args}]}), f"{kind} hook #0", "exit status 3", "no good",
                         verbs=("create", "run") if kind != "startContainer" else ("run",))
        sleep = {"path": "/bin/sleep", "args": ["sleep", "100"], "timeout": 1}
        self.refused(self.changed("hooks", {"createRuntime": [sleep]}), "createRuntime hook #0", "timeout of 1s", verbs=("run",))

    def test_a_full_process_table(self):
        base = "/sys/fs/cgroup/pids" if os.path.isdir("/sys/fs/cgroup/pids") else "/sys/fs/cgroup"
        table = f"{base}/{self.group}-table"
        os.mkdir(table)
        self.addCleanup(os.rmdir, table)
        if not os.path.exists(table + "/pids.max"):
            self.skipTest("no pids controller here")
        with open(table + "/pids.max", "w", encoding="ascii") as file:
            file.write("1")

        def enter():
            with open(table + "/cgroup.procs", "w", encoding="ascii") as file:
                file.write("0")

        self.write(self.config())
        for verb in ("create", "run"):
            done = self.runtime(verb, "c", preexec_fn=enter)
            self.assertEqual(done.returncode, 1)
            self.assertIn("clone", done.stderr)
            self.nothing_left()

    def test_steps_out_of_turn(self):
        document = self.config()
        document["process"]["args"] = ["sleep", "100"]
        self.write(document)
        self.assertEqual(self.runtime("run", "--detach", "c").returncode, 0)
        for words, message in ((("run", "c"), "already exists"), (("create", "c"), "already exists"), (("start", "c"), "already running"),
                               (("delete", "c"), "not stopped"), (("resume", "c"), "not paused")):
            done = self.runtime(*words)
            self.assertEqual(done.returncode, 1, words)
            self.assertIn(message, done.stderr)
        done = self.runtime("exec", "c", "nothing-here")
        self.assertEqual(done.returncode, 255)
        self.assertEqual(self.runtime("delete", "--force", "c").returncode, 0)
        try:
            os.waitpid(-1, 0)  # init, which came to us
        except ChildProcessError:
            pass
        for words in (("kill", "c"), ("start", "c"), ("state", "c"), ("exec", "c", "true")):
            done = self.runtime(*words)
            self.assertEqual(done.returncode, 255 if words[0] == "exec" else 1, words)
            self.assertIn("does not exist", done.stderr)
        self.nothing_left()


if __name__ == "__main__":
    if os.geteuid() != 0 or not os.path.exists(BUSYBOX):
        print("needs root and busybox-static")
        sys.exit(77)
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
