#!/usr/bin/env python3
"""caisson-runtime called by an ordinary user: no capability, cgroups that are not his, ids by newuidmap(1) or only his own.

  rootless.py CAISSON-RUNTIME [TEST…]

The user is made for the test, in a mount namespace of its own: /etc/passwd and /etc/subuid of the machine stay as they are.
"""
import json
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

RUNTIME = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else ""
BUSYBOX = "/bin/busybox"
TOOLS = "sh cat echo ls id true sleep stat touch chown hostname grep kill mount mkdir readlink head".split()
USER, UID = "caisson-rootless", 64243
FIRST, COUNT = 700000, 65536  # the user's subordinate ids
CAPS = ["CAP_CHOWN", "CAP_SETUID", "CAP_SETGID", "CAP_KILL", "CAP_DAC_OVERRIDE"]
OWN = [{"containerID": 0, "hostID": UID, "size": 1}]
RANGE = [*OWN, {"containerID": 1, "hostID": FIRST, "size": COUNT}]


def until(condition, what, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.01)
    raise AssertionError("not within time: " + what)


def make_user():
    """In this process's own mount namespace."""
    os.makedirs("/run/caisson-rootless-test", exist_ok=True)
    here = tempfile.mkdtemp(dir="/run/caisson-rootless-test")
    for name, line in (("passwd", f"{USER}:x:{UID}:{UID}::/nowhere:/bin/sh"), ("group", f"{USER}:x:{UID}:"),
                       ("subuid", f"{USER}:{FIRST}:{COUNT}"), ("subgid", f"{USER}:{FIRST}:{COUNT}")):
        file = pathlib.Path("/etc", name)
        before = file.read_text() if file.exists() else ""
        if not file.exists():
            file.touch()
        own = pathlib.Path(here, name)
        own.write_text(before + line + "\n")
        own.chmod(0o644)
        subprocess.run(["mount", "--bind", own, file], check=True)
    shutil.rmtree(here)  # what is bound lives on


class Rootless(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="caisson-rootless-", dir="/tmp")
        self.program = self.dir + "/caisson-runtime"
        shutil.copy(RUNTIME, self.program)  # the build may be where that user can't go
        self.root = self.dir + "/rootfs"
        for name in ("bin", "proc", "dev", "sys", "tmp", "etc"):
            os.makedirs(f"{self.root}/{name}")
        shutil.copy(BUSYBOX, self.root + "/bin/busybox")
        for tool in TOOLS:
            os.symlink("busybox", f"{self.root}/bin/{tool}")
        os.makedirs(self.dir + "/home/run")
        for directory, names, files in os.walk(self.dir):
            for name in [".", *names, *files]:
                os.chown(os.path.join(directory, name), UID, UID, follow_symlinks=False)
        self.state = self.dir + "/home/state"
        self.mounts = pathlib.Path("/proc/self/mountinfo").read_text()
        self.cgroups = self.all_cgroups()
        self.assertEqual(self.processes(), [])

    def tearDown(self):
        for name in self.runtime("list", "-q").stdout.split():
            self.runtime("delete", "--force", name)
        left = [name for name in os.listdir(self.state) if not name.startswith(".")] if os.path.isdir(self.state) else []
        self.assertEqual(left, [])
        until(lambda: not self.processes(), "every process of the user to end")
        self.assertEqual(pathlib.Path("/proc/self/mountinfo").read_text(), self.mounts)
        self.assertEqual(self.all_cgroups(), self.cgroups)
        shutil.rmtree(self.dir)

    @staticmethod
    def all_cgroups():
        """The user may make none: whatever has his name, or is his."""
        return sorted(directory for directory, _, _ in os.walk("/sys/fs/cgroup") if "rootless" in os.path.basename(directory))

    @staticmethod
    def processes():
        found = []
        for name in filter(str.isdigit, os.listdir("/proc")):
            try:
                owner = os.stat("/proc/" + name).st_uid
                state = pathlib.Path("/proc", name, "stat").read_text().rsplit(") ", 1)[1][0]
            except OSError:
                continue
            if state not in "ZX" and (owner == UID or FIRST <= owner < FIRST + COUNT):
                found.append(int(name))
        return found

    def command(self, *words):
        return ["setpriv", "--reuid", str(UID), "--regid", str(UID), "--clear-groups", "--inh-caps=-all", "--bounding-set=+all", *words]

    def environment(self):
        return {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "HOME": self.dir + "/home", "XDG_RUNTIME_DIR": self.dir + "/home/run"}

    def runtime(self, *words, **options):
        """By files, as a container that lives on would hold pipes open."""
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
            done = subprocess.run(self.command(self.program, "--root", self.state, *words), cwd=self.dir, env=self.environment(),
                                  stdin=subprocess.DEVNULL, stdout=out, stderr=err, timeout=60, **options)
            out.seek(0)
            err.seek(0)
            return subprocess.CompletedProcess(words, done.returncode, out.read(), err.read())

    def bundle(self, *args, ids=None, **section):
        ids = ids or OWN
        config = {
            "ociVersion": "1.2.0",
            "process": {"args": list(args), "cwd": "/", "env": ["PATH=/bin"], "user": {"uid": 0, "gid": 0},
                        "capabilities": {"bounding": CAPS, "effective": CAPS, "permitted": CAPS}},
            "root": {"path": "rootfs"}, "hostname": "box",
            "mounts": [
                {"destination": "/proc", "type": "proc", "source": "proc"},
                {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"]},
                {"destination": "/dev/pts", "type": "devpts", "source": "devpts",
                 "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]},
                {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["nosuid", "noexec", "nodev", "ro"]}],
            "linux": {"namespaces": [{"type": kind} for kind in ("user", "pid", "mount", "uts", "ipc", "network")],
                      "uidMappings": ids, "gidMappings": ids, "maskedPaths": ["/proc/kcore", "/proc/keys"],
                      "readonlyPaths": ["/proc/sys"], **section},
        }
        self.write(config)
        return config

    def write(self, config):
        pathlib.Path(self.dir, "config.json").write_text(json.dumps(config))

    def status(self, name="c"):
        return json.loads(self.runtime("state", name).stdout)["status"]

    def nothing_left(self):
        left = [name for name in os.listdir(self.state) if not name.startswith(".")] if os.path.isdir(self.state) else []
        self.assertEqual(left, [])
        until(lambda: not self.processes(), "every process of the user to end")

    # ------------------------------------------------------------------------------------------------

    def test_the_user_is_an_ordinary_one(self):
        said = subprocess.run(self.command("sh", "-c", "id -u; grep CapEff /proc/self/status; mkdir /sys/fs/cgroup/*/rootless-x"),
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=self.environment(), cwd="/")
        self.assertEqual(said.stdout.split(), [str(UID), "CapEff:", "0000000000000000"])
        self.assertNotEqual(said.returncode, 0)

    def test_run_with_only_the_users_own_id(self):
        self.bundle("sh", "-c", "id; hostname; cat /proc/self/uid_map; echo x >/dev/null && wc -c </proc/keys; touch /f; stat -c %u /f; exit 7")
        said = self.runtime("run", "c")
        self.assertEqual(said.returncode, 7, said.stderr)
        lines = said.stdout.splitlines()
        self.assertTrue(lines[0].startswith("uid=0 gid=0"), lines)
        self.assertEqual(lines[1], "box")
        self.assertEqual(lines[2].split(), ["0", str(UID), "1"])
        self.assertEqual(lines[-1], "0")
        self.assertEqual(os.stat(self.root + "/f").st_uid, UID)
        self.nothing_left()

    def test_run_with_subordinate_ids(self):
        self.bundle("sh", "-c", "cat /proc/self/uid_map; touch /f && chown 1000:1001 /f && stat -c %u:%g /f", ids=RANGE)
        said = self.runtime("run", "c")
        self.assertEqual(said.returncode, 0, said.stderr)
        self.assertEqual(said.stdout.split(), ["0", str(UID), "1", "1", str(FIRST), str(COUNT), "1000:1001"])
        status = os.stat(self.root + "/f")
        self.assertEqual((status.st_uid, status.st_gid), (FIRST + 999, FIRST + 1000))
        config = self.bundle("id", ids=RANGE)
        config["process"]["user"] = {"uid": 1000, "gid": 1001, "additionalGids": [7]}
        self.write(config)
        self.assertEqual(self.runtime("run", "c").stdout, "uid=1000 gid=1001 groups=7\n")
        self.nothing_left()

    def test_life_of_a_container(self):
        for ids in (OWN, RANGE):
            self.bundle("sleep", "1000", ids=ids)
            said = self.runtime("create", "--pid-file", self.dir + "/home/pid", "c")
            self.assertEqual(said.returncode, 0, said.stderr)
            self.assertEqual(self.status(), "created")
            self.assertEqual(self.runtime("start", "c").returncode, 0)
            self.assertEqual(self.status(), "running")
            pid = json.loads(self.runtime("state", "c").stdout)["pid"]
            self.assertEqual(pid, int(pathlib.Path(self.dir, "home/pid").read_text()))
            said = self.runtime("exec", "--env", "X=y", "--cwd", "/tmp", "c", "sh", "-c", "echo $X; id -u; pwd; ls /proc | grep -c '^1$'; exit 3")
            self.assertEqual((said.returncode, said.stdout), (3, "y\n0\n/tmp\n1\n"), said.stderr)
            if ids == RANGE:
                self.assertEqual(self.runtime("exec", "--user", "5:6", "c", "id").stdout, "uid=5 gid=6\n")
            self.assertEqual(self.runtime("exec", "c", "nope").returncode, 255)
            self.assertIn("running", self.runtime("list").stdout)
            self.assertIn("is not stopped: running", self.runtime("delete", "c").stderr)
            self.assertEqual(self.runtime("kill", "c", "KILL").returncode, 0)
            until(lambda: self.status() == "stopped", "the container to stop")
            self.assertEqual(self.runtime("delete", "c").returncode, 0)
            self.nothing_left()
            self.assertEqual(self.runtime("run", "--detach", "c").returncode, 0)
            self.assertEqual(self.runtime("delete", "--force", "c").returncode, 0)
            self.nothing_left()

    def test_what_spec_writes_for_him_runs(self):
        said = subprocess.run(self.command(self.program, "spec", "--rootless"), cwd=self.dir, env=self.environment(),
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.assertEqual(said.returncode, 0, said.stdout)
        config = json.loads(pathlib.Path(self.dir, "config.json").read_text())
        self.assertEqual(config["linux"]["uidMappings"], OWN)
        config["process"].update(terminal=False, args=["sh", "-c", "echo works; grep ' /sys/fs/cgroup' /proc/mounts | tail -n 1"])
        config["root"]["readonly"] = False
        self.write(config)
        said = self.runtime("run", "c")
        self.assertEqual(said.returncode, 0, said.stderr)
        works, cgroup = said.stdout.splitlines()
        self.assertEqual(works, "works")
        self.assertIn("ro,", cgroup.split()[3] + ",", "cgroups can be written to, as far as the user may")

    def test_a_hook_and_a_bind(self):
        # A multiplexer that is asked for is the container's own, not the host's, which is all that he could bind.
        config = self.bundle("sh", "-c", "cat /bound; readlink /dev/ptmx", ids=RANGE,
                             devices=[{"path": "/dev/ptmx", "type": "c", "major": 5, "minor": 2}])
        pathlib.Path(self.dir, "home/file").write_text("of the user\n")
        config["mounts"].append({"destination": "/bound", "type": "bind", "source": self.dir + "/home/file", "options": ["rbind", "ro"]})
        config["hooks"] = {"createRuntime": [{"path": "/bin/sh", "args": ["sh", "-c", f"id -u >{self.dir}/home/hooked"]}]}
        self.write(config)
        said = self.runtime("run", "c")
        self.assertEqual((said.returncode, said.stdout), (0, "of the user\npts/ptmx\n"), said.stderr)
        self.assertEqual(pathlib.Path(self.dir, "home/hooked").read_text(), f"{UID}\n")

    def test_without_root_the_state_is_in_his_runtime_directory(self):
        self.bundle("sleep", "1000")
        call = {"cwd": self.dir, "env": self.environment(), "stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "timeout": 60}
        self.assertEqual(subprocess.run(self.command(self.program, "run", "--detach", "c"), stderr=subprocess.DEVNULL, **call).returncode, 0)
        place = self.dir + "/home/run/caisson/runtime"
        self.assertTrue(os.path.exists(place + "/c/state.json"))
        self.assertEqual(os.stat(place).st_mode & 0o7777, 0o1700)
        self.assertEqual(subprocess.run(self.command(self.program, "delete", "--force", "c"), **call).returncode, 0)
        self.assertFalse(os.path.exists(place + "/c"))

    def test_namespaces_of_another_container(self):
        """All that a user namespace owns can be entered with it."""
        self.bundle("sleep", "1000", ids=RANGE)
        self.assertEqual(self.runtime("run", "--detach", "first").returncode, 0)
        pid = json.loads(self.runtime("state", "first").stdout)["pid"]
        config = self.bundle("sh", "-c", "readlink /proc/self/ns/pid; readlink /proc/self/ns/net; cat /proc/self/uid_map; head -c 5 /proc/1/cmdline")
        files = {"network": "net"}
        for one in config["linux"]["namespaces"]:
            if one["type"] != "mount":
                one["path"] = f"/proc/{pid}/ns/{files.get(one['type'], one['type'])}"
        del config["linux"]["uidMappings"], config["linux"]["gidMappings"]
        self.write(config)
        said = self.runtime("run", "second")
        self.assertEqual(said.returncode, 0, said.stderr)
        self.assertEqual(said.stdout.split(), [os.readlink(f"/proc/{pid}/ns/pid"), os.readlink(f"/proc/{pid}/ns/net"), "0", str(UID), "1",
                                               "1", str(FIRST), str(COUNT), "sleep"])

    def test_without_a_pid_namespace(self):
        """No cgroup and no PID namespace: init is all that can be killed, and that is said."""
        config = self.bundle("sleep", "1000")
        config["linux"]["namespaces"] = [one for one in config["linux"]["namespaces"] if one["type"] != "pid"]
        config["mounts"][0] = {"destination": "/proc", "type": "none", "source": "/proc", "options": ["rbind", "nosuid", "nodev", "noexec"]}
        del config["linux"]["maskedPaths"], config["linux"]["readonlyPaths"]
        self.write(config)
        said = self.runtime("create", "c")
        self.assertEqual(said.returncode, 0, said.stderr)
        self.assertIn("Such configuration is strongly discouraged", said.stderr)
        self.assertEqual(self.runtime("start", "c").returncode, 0)
        self.assertEqual(self.runtime("kill", "c", "KILL").returncode, 0)
        until(lambda: self.status() == "stopped", "the container to stop")
        self.assertIn("container not running", self.runtime("kill", "c", "KILL").stderr)
        self.assertEqual(self.runtime("kill", "--all", "c", "KILL").returncode, 0)
        self.assertEqual(self.runtime("delete", "c").returncode, 0)
        self.nothing_left()

    # Wrong input ------------------------------------------------------------------------------------

    def test_ids_that_are_not_his(self):
        foreign = {"containerID": 1, "hostID": 1, "size": 100}
        for ids, words in (([*OWN, foreign], "newuidmap"), ([{"containerID": 0, "hostID": 0, "size": 1}], "newuidmap"),
                           ([*OWN, {"containerID": 1, "hostID": FIRST, "size": COUNT + 1}], "newuidmap")):
            self.bundle("true", ids=ids)
            said = self.runtime("run", "c")
            self.assertEqual(said.returncode, 1, said)
            self.assertIn(words, said.stderr)
            self.nothing_left()

    def test_limits_need_a_cgroup(self):
        """A cgroup that nobody asked for is done without; one that limits are to be set in is not."""
        self.bundle("true", resources={"pids": {"limit": 20}})
        said = self.runtime("run", "c")
        self.assertEqual(said.returncode, 1, said)
        self.assertIn("cgroup", said.stderr)
        self.nothing_left()
        self.bundle("true", cgroupsPath="/rootless-of-nobody/c")
        said = self.runtime("run", "c")
        self.assertEqual(said.returncode, 1, said)
        self.assertIn("/rootless-of-nobody", said.stderr)
        self.nothing_left()

    def test_what_takes_a_cgroup_says_so(self):
        self.bundle("sleep", "1000")
        self.assertEqual(self.runtime("run", "--detach", "c").returncode, 0)
        for words in (["pause", "c"], ["update", "--pids-limit", "5", "c"], ["events", "--stats", "c"]):
            said = self.runtime(*words)
            self.assertEqual(said.returncode, 1, (words, said))
            self.assertIn("cgroup", said.stderr, words)
        self.assertEqual(self.status(), "running")

    def test_without_a_user_namespace(self):
        config = self.bundle("true")
        config["linux"]["namespaces"] = [one for one in config["linux"]["namespaces"] if one["type"] != "user"]
        del config["linux"]["uidMappings"], config["linux"]["gidMappings"]
        self.write(config)
        said = self.runtime("run", "c")
        self.assertEqual(said.returncode, 1, said)
        self.assertIn("user namespace", said.stderr)
        self.nothing_left()

    def test_a_missing_program_and_a_missing_root(self):
        self.bundle("nope")
        said = self.runtime("run", "c")
        self.assertEqual(said.returncode, 1)
        self.assertIn("executable file not found in $PATH", said.stderr)
        self.nothing_left()
        config = self.bundle("true")
        config["root"]["path"] = "nowhere"
        self.write(config)
        said = self.runtime("run", "c")
        self.assertEqual(said.returncode, 1)
        self.assertIn("nowhere", said.stderr)
        self.nothing_left()

    def test_killed_while_it_creates(self):
        for point in ("runtime.create.directory", "runtime.create.cloned", "runtime.create.recorded"):
            self.bundle("sleep", "1000", ids=RANGE)
            said = subprocess.run(self.command(self.program, "--root", self.state, "create", "c"), cwd=self.dir, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60,
                                  env={**self.environment(), "CAISSON_CRASH_AT": point})
            if said.returncode == 0:
                self.skipTest("not a fault-injection build")
            self.assertEqual(said.returncode, -signal.SIGKILL, point)
            self.assertEqual(self.runtime("delete", "--force", "c").returncode, 0, point)
            self.nothing_left()

    # Another engine ---------------------------------------------------------------------------------

    @unittest.skipUnless(shutil.which("podman"), "podman is not installed")
    def test_podman_of_an_ordinary_user(self):
        home = self.dir + "/home"
        os.makedirs(home + "/.config/containers")
        for name, text in (("containers.conf", f'[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\n'
                                               f'[engine.runtimes]\ncaisson = ["{self.program}"]\n[containers]\n'),
                           ("storage.conf", '[storage]\ndriver = "vfs"\n'),
                           ("policy.json", '{"default": [{"type": "insecureAcceptAnything"}]}\n')):
            pathlib.Path(home, ".config/containers", name).write_text(text)
        subprocess.run(["chown", "-R", f"{UID}:{UID}", home], check=True)
        subprocess.run(["tar", "-C", self.root, "-cf", self.dir + "/box.tar", "."], check=True)

        def podman(*words):
            with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
                done = subprocess.run(self.command("podman", *words), cwd="/", env=self.environment(), stdin=subprocess.DEVNULL,
                                      stdout=out, stderr=err, timeout=120)
                out.seek(0)
                err.seek(0)
                return subprocess.CompletedProcess(words, done.returncode, out.read(), err.read())

        try:
            said = podman("import", self.dir + "/box.tar", "box")
            self.assertEqual(said.returncode, 0, said.stderr)
            run = ("--runtime", "caisson", "run", "--network", "none")
            said = podman(*run, "--rm", "box", "sh", "-c", "id -u; echo hello; exit 5")
            self.assertEqual((said.returncode, said.stdout), (5, "0\nhello\n"), said.stderr)
            said = podman(*run, "--rm", "--user", "1000", "box", "id")
            self.assertIn("uid=1000", said.stdout, said.stderr)
            self.assertEqual(podman(*run, "-d", "--name", "c", "box", "sleep", "1000").returncode, 0)
            self.assertEqual(podman("inspect", "--format", "{{.OCIRuntime}}", "c").stdout, "caisson\n")
            said = podman("exec", "c", "sh", "-c", "hostname >/dev/null && echo inside")
            self.assertEqual((said.returncode, said.stdout), (0, "inside\n"), said.stderr)
            self.assertEqual(podman("exec", "c", "nope").returncode, 127)
            self.assertEqual(podman("kill", "c").returncode, 0)
            self.assertEqual(podman("wait", "c").stdout, "137\n")
            self.assertEqual(podman("rm", "c").returncode, 0)
        finally:
            podman("rm", "--all", "--force")
            # The pause process that keeps the user namespace.
            for pid in self.processes():
                os.kill(pid, signal.SIGKILL)
            until(lambda: not self.processes(), "podman's processes to end")
            shutil.rmtree(home + "/.local", ignore_errors=True)


if __name__ == "__main__":
    if os.geteuid() != 0 or not os.path.exists(BUSYBOX) or not shutil.which("newuidmap") or not shutil.which("setpriv"):
        print("needs root, to become another user, busybox-static and uidmap")
        sys.exit(77)
    if "CAISSON_ROOTLESS_TEST" not in os.environ:
        os.environ["CAISSON_ROOTLESS_TEST"] = "inside"
        os.execvp("unshare", ["unshare", "--mount", "--propagation", "private", sys.executable, "-B", *sys.argv])
    try:
        pwd.getpwuid(UID)
        sys.exit(f"there is a user {UID}")
    except KeyError:
        make_user()
    unittest.main(argv=[sys.argv[0]] + sys.argv[2:], verbosity=1)
