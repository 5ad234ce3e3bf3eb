#!/usr/bin/env python3
"""caisson-runtime as engines call it: runc's commands and flags, statuses, messages, files.

  command_line.py CAISSON-RUNTIME [TEST…]
"""
import array
import fcntl
import json
import os
import pty
import secrets
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unittest

RUNTIME = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else ""
BUSYBOX = "/bin/busybox"
TOOLS = "sh cat echo ls id true sleep readlink stat tty stty head hostname grep sed ps kill env".split()
CAPS = ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_KILL", "CAP_SETGID", "CAP_SETUID", "CAP_SETPCAP", "CAP_NET_RAW"]


def until(condition, what, seconds=10):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.005)
    raise AssertionError("not within time: " + what)


class CommandLine(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="caisson-oci-")
        self.cgroup = "/caisson-test-" + secrets.token_hex(6)
        self.state = self.dir + "/state"
        root = self.dir + "/rootfs"
        for name in ("bin", "proc", "dev", "sys", "tmp", "etc"):
            os.makedirs(f"{root}/{name}")
        shutil.copy(BUSYBOX, root + "/bin/busybox")
        for tool in TOOLS:
            os.symlink("busybox", f"{root}/bin/{tool}")

    def tearDown(self):
        for name in self.runtime("list", "-q").stdout.split():
            self.runtime("delete", "-f", name)
        left = [name for name in os.listdir(self.state) if not name.startswith(".")] if os.path.isdir(self.state) else []
        self.assertEqual(left, [])
        for hierarchy in os.listdir("/sys/fs/cgroup"):
            path = f"/sys/fs/cgroup/{hierarchy}{self.cgroup}"
            if os.path.isdir(path):
                os.rmdir(path)
        if os.path.isdir("/sys/fs/cgroup" + self.cgroup):
            os.rmdir("/sys/fs/cgroup" + self.cgroup)
        shutil.rmtree(self.dir)

    def runtime(self, *args, **kwargs):
        kwargs.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.run([RUNTIME, "--root", self.state, *args], cwd=self.dir, text=True, timeout=60,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, **kwargs)

    def bundle(self, *args, terminal=False, caps=CAPS, cgroup="c", **process):
        config = {
            "ociVersion": "1.2.0",
            "process": {"terminal": terminal, "args": list(args), "cwd": "/", "env": ["PATH=/bin", "TERM=xterm"],
                        "user": {"uid": 0, "gid": 0},
                        "capabilities": {"bounding": caps, "effective": caps, "permitted": caps}, **process},
            "root": {"path": "rootfs"}, "hostname": "box",
            "mounts": [
                {"destination": "/proc", "type": "proc", "source": "proc"},
                {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["mode=755"]},
                {"destination": "/dev/pts", "type": "devpts", "source": "devpts",
                 "options": ["newinstance", "ptmxmode=0666", "mode=0620"]}],
            "linux": {"cgroupsPath": f"{self.cgroup}/{cgroup}", "resources": {"devices": [{"allow": False, "access": "rwm"}]},
                      "namespaces": [{"type": t} for t in ("pid", "mount", "uts", "ipc", "network")]},
        }
        with open(self.dir + "/config.json", "w") as file:
            json.dump(config, file)
        return config

    def create_running(self, name="c"):
        self.bundle("sleep", "1000")
        self.assertEqual(self.quietly("run", "--detach", name), 0)

    def quietly(self, *args):
        """For what leaves a process behind, which must not hold our pipes."""
        return subprocess.run([RUNTIME, "--root", self.state, *args], cwd=self.dir, timeout=60, stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode

    @staticmethod
    def text(path):
        with open(path) as file:
            return file.read()

    def status(self, name="c"):
        return json.loads(self.runtime("state", name).stdout)["status"]

    # ------------------------------------------------------------------------------------------------

    def test_run_passes_output_and_status_on(self):
        self.bundle("sh", "-c", "echo out; echo err >&2; exit 42")
        done = self.runtime("run", "c")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (42, "out\n", "err\n"))
        self.bundle("sh", "-c", "kill -TERM $$; sleep 1; echo survived")  # pid 1 ignores what it has no handler for
        self.assertEqual(self.runtime("run", "c").stdout, "survived\n")

    def test_create_start_state_kill_delete(self):
        self.bundle("sleep", "1000")
        self.assertEqual(self.quietly("create", "--bundle", self.dir, "--pid-file", self.dir + "/pid", "c"), 0)
        state = json.loads(self.runtime("state", "c").stdout)
        self.assertEqual(state["status"], "created")
        self.assertEqual(state["pid"], int(self.text(self.dir + "/pid")))
        self.assertEqual(state["bundle"], self.dir)
        self.assertEqual(self.runtime("start", "c").returncode, 0)
        self.assertEqual(self.status(), "running")
        self.assertIn("cannot start an already running container", self.runtime("start", "c").stderr)
        self.assertIn("is not stopped: running", self.runtime("delete", "c").stderr)
        self.assertEqual(self.runtime("kill", "c", "SIGKILL").returncode, 0)
        until(lambda: self.status() == "stopped", "the container to stop")
        self.assertIn("container not running", self.runtime("kill", "c", "9").stderr)
        self.assertEqual(self.runtime("delete", "c").returncode, 0)
        self.assertIn("container does not exist", self.runtime("state", "c").stderr)
        self.assertEqual(self.runtime("delete", "c").returncode, 1)
        self.assertEqual(self.runtime("delete", "--force", "c").returncode, 0)

    def test_lists_and_processes(self):
        self.create_running()
        table = self.runtime("list").stdout.splitlines()
        self.assertTrue(table[0].startswith("ID          PID         STATUS"))
        self.assertIn("running", table[1])
        self.assertEqual(json.loads(self.runtime("list", "--format", "json").stdout)[0]["id"], "c")
        self.assertEqual(self.runtime("list", "-q").stdout, "c\n")
        pids = json.loads(self.runtime("ps", "--format=json", "c").stdout)
        self.assertEqual(pids, [json.loads(self.runtime("state", "c").stdout)["pid"]])
        self.assertIn("sleep 1000", self.runtime("ps", "c").stdout)

    def test_exec(self):
        self.create_running()
        done = self.runtime("exec", "c", "sh", "-c", "hostname; echo $X; exit 3")
        self.assertEqual((done.returncode, done.stdout), (3, "box\n\n"))
        done = self.runtime("exec", "-e", "X=y", "--user", "5:6", "--cwd", "/tmp", "-g", "7", "c", "sh", "-c", "echo $X; id; pwd")
        self.assertEqual(done.stdout, "y\nuid=5 gid=6 groups=7\n/tmp\n")
        done = self.runtime("exec", "c", "nope")
        self.assertEqual(done.returncode, 255)
        self.assertIn('exec failed: unable to start container process: exec: \\"nope\\": executable file not found in $PATH', done.stderr)
        process = {"args": ["sh", "-c", "echo from file"], "cwd": "/", "env": ["PATH=/bin"], "user": {"uid": 0, "gid": 0}}
        with open(self.dir + "/process.json", "w") as file:
            json.dump(process, file)
        self.assertEqual(self.runtime("exec", "--process", self.dir + "/process.json", "c").stdout, "from file\n")
        self.assertEqual(self.quietly("exec", "-d", "--pid-file", self.dir + "/pid", "c", "sleep", "500"), 0)
        self.assertEqual(self.text(f"/proc/{self.text(self.dir + '/pid')}/cmdline").split("\0")[:2], ["sleep", "500"])

    def test_pause_resume_update_events(self):
        self.create_running()
        self.assertEqual(self.runtime("pause", "c").returncode, 0)
        self.assertEqual(self.status(), "paused")
        self.assertIn("cannot exec in a paused container", self.runtime("exec", "c", "true").stderr)
        self.assertEqual(self.runtime("resume", "c").returncode, 0)
        self.assertEqual(self.runtime("update", "--memory", "50000000", "--pids-limit", "33", "c").returncode, 0)
        stats = json.loads(self.runtime("events", "--stats", "c").stdout)
        self.assertEqual(stats["type"], "stats")
        self.assertEqual(stats["data"]["pids"]["limit"], 33)
        self.assertLessEqual(stats["data"]["memory"]["usage"]["limit"], 50000000)
        done = self.runtime("update", "-r", "-", "c", stdin=None, input='{"pids":{"limit":44}}')
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(self.runtime("events", "--stats", "c").stdout)["data"]["pids"]["limit"], 44)

    def test_errors_go_to_the_log_as_engines_read_it(self):
        self.bundle("nope")
        log = self.dir + "/log.json"
        done = subprocess.run([RUNTIME, "--log", log, "--log-format", "json", "--root", self.state, "create", "c"], cwd=self.dir,
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)
        self.assertEqual(done.returncode, 1)
        entry = json.loads(self.text(log).splitlines()[-1])
        self.assertEqual(entry["level"], "error")
        self.assertEqual(entry["msg"], 'caisson-runtime create failed: unable to start container process: exec: "nope": executable file not found in $PATH')
        self.assertRegex(entry["time"], r"^\d{4}-\d\d-\d\dT")

    def test_wrong_words(self):
        done = self.runtime("fly")
        self.assertEqual((done.returncode, done.stderr), (3, "No help topic for 'fly'\n"))
        for words, message in ((["run"], "wrong number of arguments"), (["run", "--fast", "c"], "not defined: -fast"),
                               (["run", "--bundle"], "needs an argument"), (["kill", "c", "SIGFOO"], "container does not exist"),
                               (["state", "../etc"], "invalid ID format"),
                               (["run", "--preserve-fds", "x", "c"], "invalid value")):
            if "preserve-fds" in " ".join(words):
                self.bundle("true")
            done = self.runtime(*words)
            self.assertEqual(done.returncode, 1, words)
            self.assertIn(message, done.stderr)
        self.assertEqual(self.runtime("--help").returncode, 0)
        self.assertIn("spec: 1.", self.runtime("--version").stdout)

    def test_spec_runs_and_features_are_json(self):
        self.assertEqual(self.runtime("spec").returncode, 0)
        config = json.loads(self.text(self.dir + "/config.json"))
        config["process"].update(terminal=False, args=["echo", "works"])
        config["process"]["rlimits"] = []
        config["linux"]["cgroupsPath"] = self.cgroup + "/c"
        with open(self.dir + "/config.json", "w") as file:
            json.dump(config, file)
        done = self.runtime("run", "c")
        self.assertEqual(done.stdout, "works\n", done.stderr)
        self.assertIn("exists", self.runtime("spec").stderr)
        features = json.loads(self.runtime("features").stdout)
        self.assertIn("rbind", features["mountOptions"])
        self.assertTrue(features["linux"]["seccomp"]["enabled"])

    def test_signals_reach_the_container(self):
        self.bundle("sh", "-c", "trap 'echo got; exit 9' USR1; echo ready; while :; do sleep 0.1; done")
        process = subprocess.Popen([RUNTIME, "--root", self.state, "run", "c"], cwd=self.dir, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, text=True)
        self.assertEqual(process.stdout.readline(), "ready\n")
        process.send_signal(signal.SIGUSR1)
        self.assertEqual(process.communicate(timeout=20)[0], "got\n")
        self.assertEqual(process.returncode, 9)

    def on_terminal(self, *words):
        """Runs it on a pty of 40 × 100; what appears, and the status."""
        pid, master = pty.fork()
        if pid == 0:
            os.chdir(self.dir)
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
            os.execv(RUNTIME, [RUNTIME, "--root", self.state, *words])
        return pid, master

    def read_all(self, pid, master):
        text = b""
        while True:
            try:
                chunk = os.read(master, 4096)
            except OSError:
                break
            if not chunk:
                break
            text += chunk
        return text.decode(), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    def test_a_terminal_of_ours_becomes_the_containers(self):
        self.bundle("sh", "-c", "tty; stty size; read x; echo got:$x; exit 4", terminal=True)
        pid, master = self.on_terminal("run", "c")
        text = b""
        while b"40 100" not in text:
            text += os.read(master, 4096)
        os.write(master, b"typed\r")
        more, status = self.read_all(pid, master)
        text = text.decode() + more
        self.assertIn("/dev/pts/0\r\n", text)
        self.assertIn("got:typed", text)
        self.assertEqual(status, 4)
        self.create_running()
        pid, master = self.on_terminal("exec", "--tty", "c", "stty", "size")
        self.assertEqual(self.read_all(pid, master), ("40 100\r\n", 0))

    def test_the_terminal_goes_to_a_console_socket(self):
        self.bundle("sh", "-c", "echo hello; sleep 1000", terminal=True)
        path = self.dir + "/console.sock"
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            listener.listen()
            self.assertIn("without setting console socket", self.runtime("create", "c").stderr)
            done = self.runtime("create", "--console-socket", path, "c")
            self.assertEqual(done.returncode, 0, done.stderr)
            connection, _ = listener.accept()
            with connection:
                _, ancillary, _, _ = connection.recvmsg(4096, socket.CMSG_SPACE(4))
        master = array.array("i", ancillary[0][2][:4])[0]
        self.assertEqual(self.runtime("start", "c").returncode, 0)
        self.assertTrue(select.select([master], [], [], 10)[0])
        self.assertEqual(os.read(master, 100), b"hello\r\n")
        os.close(master)

    def test_descriptors_are_passed_only_on_demand(self):
        self.bundle("sh", "-c", "ls /proc/self/fd; cat <&3")
        read, write = os.pipe()
        os.write(write, b"via three\n")
        os.close(write)
        command = [RUNTIME, "--root", self.state, "run"]
        script = f"exec 3<&{read}; exec {' '.join(command)} --preserve-fds 1 c"
        done = subprocess.run(["sh", "-c", script], cwd=self.dir, pass_fds=[read], text=True, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
        self.assertEqual(done.stdout, "0\n1\n2\n3\n4\nvia three\n", done.stderr)
        self.bundle("sh", "-c", "ls /proc/self/fd")
        script = f"exec 3<&{read} 4<&{read}; exec {' '.join(command)} c"
        done = subprocess.run(["sh", "-c", script], cwd=self.dir, pass_fds=[read], text=True, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
        self.assertEqual(done.stdout, "0\n1\n2\n3\n", done.stderr)
        os.close(read)

    def test_nothing_of_the_host_is_seen_from_inside_during_exec(self):
        """CVE-2019-5736 and its kind: a process inside watches every executable and every environment."""
        watcher = "while :; do for p in /proc/[0-9]*; do readlink $p/exe; ls $p/fd >/dev/null; done; done"
        config = self.bundle("sh", "-c", watcher, caps=CAPS + ["CAP_SYS_PTRACE", "CAP_DAC_READ_SEARCH"])
        config["linux"]["namespaces"] = [n for n in config["linux"]["namespaces"] if n["type"] != "user"]
        with open(self.dir + "/seen", "w") as log:
            process = subprocess.Popen([RUNTIME, "--root", self.state, "run", "c"], cwd=self.dir, stdin=subprocess.DEVNULL,
                                       stdout=log, stderr=subprocess.DEVNULL)
        until(lambda: os.path.getsize(self.dir + "/seen") > 1000, "the watcher to watch")
        for _ in range(60):
            self.assertEqual(self.runtime("exec", "c", "true").returncode, 0)
        self.runtime("kill", "c", "KILL")
        process.wait(timeout=20)
        seen = set(self.text(self.dir + "/seen").split("\n")[:-1])
        self.assertIn("/bin/busybox", seen)
        for name in seen:
            self.assertTrue(name in ("/bin/busybox", "") or name.startswith("/memfd:caisson-init"), seen)

    def test_a_killed_create_can_be_cleaned_up(self):
        """Killed at named points (fault-injection builds only): what is left can be deleted or made anew."""
        for point in ("runtime.create.directory", "runtime.create.cloned", "runtime.create.recorded"):
            self.bundle("sleep", "1000")
            done = self.runtime("create", "c", env={**os.environ, "CAISSON_CRASH_AT": point})
            if done.returncode == 0:
                self.runtime("delete", "-f", "c")
                self.skipTest("not a fault-injection build")
            self.assertEqual(done.returncode, -signal.SIGKILL)
            self.assertEqual(self.runtime("delete", "--force", "c").returncode, 0, point)
            self.assertFalse(os.path.exists(self.state + "/c"), point)


if __name__ == "__main__":
    if os.geteuid() != 0 or not os.path.exists(BUSYBOX):
        print("needs root and busybox-static")
        sys.exit(77)
    unittest.main(argv=[sys.argv[0]] + sys.argv[2:], verbosity=1)
