"""Bundles, containers and what may not be left behind.

A case is a function with @case(name). It gets a Host and fails by an exception. After each one the Host kills and
deletes every container that is there and then compares mounts, cgroups, processes, the state root, the files around
the bundles and the runtime's own binary with what was there before."""
import copy
import hashlib
import json
import os
import pathlib
import secrets
import shutil
import signal
import subprocess
import time
import traceback

CASES = []
ESCAPED = 42
CAPABILITIES = ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD", "CAP_NET_RAW", "CAP_SETGID",
                "CAP_SETUID", "CAP_SETFCAP", "CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_KILL",
                "CAP_AUDIT_WRITE"]
MASKED = ["/proc/asound", "/proc/acpi", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
          "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware",
          "/sys/devices/virtual/powercap"]
READONLY = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]
MOUNTS = [
    {"destination": "/proc", "type": "proc", "source": "proc", "options": ["nosuid", "noexec", "nodev"]},
    {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "strictatime", "mode=755", "size=65536k"]},
    {"destination": "/dev/pts", "type": "devpts", "source": "devpts",
     "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]},
    {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["nosuid", "noexec", "nodev", "ro"]},
    {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": ["ro", "nosuid", "noexec", "nodev"]},
    {"destination": "/dev/shm", "type": "tmpfs", "source": "shm", "options": ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]},
]
TOOLS = ["sh", "cat", "echo", "ls", "id", "true", "false", "sleep", "readlink", "mkdir", "ln", "mv", "rm", "grep", "wc", "test", "env"]


class Case:
    def __init__(self, name, run):
        self.name, self.run = name, run


def case(name):
    def register(function):
        CASES.append(Case(name, function))
        return function
    return register


def check(condition, message):
    if not condition:
        raise AssertionError(message)


class Said:
    """What a command left: status, out, err."""
    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err

    def __str__(self):
        return f"status {self.status}: {(self.out + self.err).strip()[-600:]}"


def held(said, *words):
    """The attack was made and failed."""
    check(said.status == 0 and "held" in said.out, f"the attack did not simply fail: {said}")
    for word in words:
        check(word in said.out, f"no {word!r} in: {said}")


def escaped(said):
    """A control: the same attack works where the protection is missing."""
    check(said.status == ESCAPED, f"the control does not show that the attack can work: {said}")


def refused(said, *words):
    check(said.status not in (0, ESCAPED), f"was not refused: {said}")
    for word in words:
        check(word in said.err, f"no {word!r} in: {said}")


class Box:
    """A bundle: rootfs of busybox and the attack, docker's default configuration to change, a container id."""
    def __init__(self, host, name, args):
        self.host, self.id = host, name
        self.bundle = host.work / "bundles" / name
        self.rootfs = self.bundle / "rootfs"
        for directory in ["bin", "proc", "sys", "dev", "etc", "tmp", "vol"]:
            (self.rootfs / directory).mkdir(parents=True)
        shutil.copy("/bin/busybox", self.rootfs / "bin/busybox")
        shutil.copy(host.work / "attack", self.rootfs / "attack")
        for tool in TOOLS:
            (self.rootfs / "bin" / tool).symlink_to("busybox")
        self.spec = {
            "ociVersion": "1.2.0",
            "process": {"args": list(args), "cwd": "/", "env": ["PATH=/bin"], "user": {"uid": 0, "gid": 0},
                        "capabilities": {kind: list(CAPABILITIES) for kind in ("bounding", "effective", "permitted")}},
            "root": {"path": "rootfs"},
            "hostname": "box",
            "mounts": copy.deepcopy(MOUNTS),
            "linux": {"namespaces": [{"type": kind} for kind in ("mount", "network", "uts", "pid", "ipc")],
                      "cgroupsPath": f"{host.cgroup}/{name}",
                      "resources": {"devices": [{"allow": False, "access": "rwm"},
                                                {"allow": True, "type": "c", "access": "m"},
                                                {"allow": True, "type": "b", "access": "m"}]
                                    + [{"allow": True, "type": "c", "major": major, "minor": minor, "access": "rwm"}
                                       for major, minor in ((1, 3), (1, 5), (1, 7), (1, 8), (1, 9), (5, 0), (5, 2))]
                                    + [{"allow": True, "type": "c", "major": 136, "access": "rwm"}]},
                      "maskedPaths": list(MASKED), "readonlyPaths": list(READONLY)},
        }

    process = property(lambda self: self.spec["process"])
    linux = property(lambda self: self.spec["linux"])

    def add_capability(self, *names):
        for kind in self.process["capabilities"].values():
            kind.extend(names)

    def all_capabilities(self):
        names = [line.split()[1] for line in pathlib.Path("/usr/include/linux/capability.h").read_text().splitlines()
                 if line.startswith("#define CAP_") and len(line.split()) > 2 and line.split()[2].isdigit()]
        for kind in self.process["capabilities"]:
            self.process["capabilities"][kind] = names

    def user_namespace(self, first=100000):
        self.linux["namespaces"].append({"type": "user"})
        for kind in ("uidMappings", "gidMappings"):
            self.linux[kind] = [{"containerID": 0, "hostID": first, "size": 65536}]
        self.bundle.chmod(0o755)
        for path in [self.rootfs, *self.rootfs.rglob("*")]:
            os.chown(path, first, first, follow_symlinks=False)

    def bind(self, source, destination, *options):
        self.spec["mounts"].append({"destination": destination, "type": "bind", "source": str(source),
                                    "options": list(options) or ["rbind", "rprivate"]})

    def without_mount(self, *destinations):
        self.spec["mounts"] = [one for one in self.spec["mounts"] if one["destination"] not in destinations]

    def write(self):
        (self.bundle / "config.json").write_text(json.dumps(self.spec))

    def command(self, verb, *flags, words=()):
        if verb in ("create", "run"):
            self.write()
            flags = ("--bundle", str(self.bundle), *flags)
        return self.host.runtime(verb, *flags, self.id, *words)

    def run(self, *flags, **options):
        return self.host.call(self.command("run", *flags), **options)

    def create(self, *flags, **options):
        return self.host.call(self.command("create", *flags), **options)

    def start(self, **options):
        return self.host.call(self.command("start"), **options)

    def exec(self, *words, flags=(), **options):
        return self.host.call(self.command("exec", *flags, words=words), **options)

    def delete(self, *flags):
        return self.host.call(self.command("delete", *flags))

    def state(self):
        return json.loads(self.host.call(self.command("state")).out)

    def background(self, *flags):
        """The container runs, and no process of the runtime is left."""
        with open(self.output(), "wb") as out:
            self.write()
            command = self.command("run", "--detach", *flags)
            status = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, timeout=20).returncode
        check(status == 0, f"the container did not start: {self.output().read_text()}")
        return self

    def background_exec(self, *words):
        with open(self.output(), "wb") as out:
            command = self.command("exec", "--detach", words=words)
            status = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, timeout=20).returncode
        check(status == 0, f"exec failed: {self.output().read_text()}")
        return self

    def output(self):
        return self.bundle / "output"

    def until_ready(self):
        """The attack in there has begun."""
        wait_for(lambda: "ready" in self.output().read_text(), "beginning of the attack")
        return self

    def finish(self, seconds=20):
        """What the attack in there said in the end."""
        def said():
            text = self.output().read_text()
            for word, status in (("ESCAPED", ESCAPED), ("held", 0), ("broken", 1)):
                if any(line.startswith(word) for line in text.splitlines()):
                    return Said(status, text, "")
            return None
        return wait_for(said, "end of the attack", seconds)


class Host:
    def __init__(self, work):
        self.work = pathlib.Path(work)
        self.cgroup = f"/caisson-escapes-{secrets.token_hex(6)}"
        self.state_root = self.work / "state"
        # A copy, as attacks may succeed; the build's own stays as it is.
        self.binary = self.work / "caisson-runtime"
        shutil.copy(pathlib.Path(os.environ["CAISSON_BIN"]) / "caisson-runtime", self.binary)
        self.secret = self.work / "secret"
        self.secret.write_text("of the host\n")
        (self.work / "bundles").mkdir()
        self.count, self.spawned, self.undo = 0, [], []

    def box(self, *args):
        self.count += 1
        return Box(self, f"c{self.count}", args or ("/bin/sleep", "1000"))

    def attack(self, *words, **options):
        """The attack on the host, as a control."""
        return self.call([str(self.work / "attack"), *map(str, words)], **options)

    def directory(self, name):
        path = self.work / f"{name}-{secrets.token_hex(4)}"
        path.mkdir()
        self.undo.append(lambda: shutil.rmtree(path))
        return path

    def runtime(self, *words):
        return [str(self.binary), "--root", str(self.state_root), *words]

    def call(self, command, timeout=20, stdin=subprocess.DEVNULL, **options):
        # By files and not by pipes: a container that lives on may keep them open.
        with open(self.work / "out", "w+b") as out, open(self.work / "err", "w+b") as err:
            process = subprocess.Popen(command, stdin=stdin, stdout=out, stderr=err, **options)
            try:
                status = process.wait(timeout)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise AssertionError(f"no end after {timeout} s: {' '.join(map(str, command))}") from None
            out.seek(0)
            err.seek(0)
            return Said(status, out.read().decode(errors="replace"), err.read().decode(errors="replace"))

    def spawn(self, command, **options):
        process = subprocess.Popen(command, **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE,
                                               "stderr": subprocess.PIPE, "text": True, **options})
        self.spawned.append(process)
        return process

    def judge(self, one):
        before = self.snapshot()
        problem = None
        try:
            one.run(self)
        except AssertionError as error:
            problem = str(error)
        except Exception:
            problem = traceback.format_exc()
        overwritten = hashlib.sha256(self.binary.read_bytes()).hexdigest() != before["binary"]
        if overwritten:
            problem = f"the runtime was overwritten; {problem}"
        try:
            self.clean()
        except AssertionError as error:
            problem = f"{problem}; and {error}" if problem else str(error)
        left = self.difference(before, self.snapshot())
        if left:
            problem = f"{problem}; and left behind: {left}" if problem else f"left behind: {left}"
        return problem

    def clean(self):
        problems = []
        self.restore_binary()
        for entry in sorted(self.state_root.glob("*")) if self.state_root.exists() else []:
            if not entry.name.startswith("."):
                said = self.call(self.runtime("delete", "--force", entry.name))
                if said.status != 0:
                    problems.append(f"delete --force {entry.name}: {said}")
        # Only now, as the containers held their ends of the pipes.
        for process in self.spawned:
            process.kill()
            try:
                process.communicate(timeout=5)
            except subprocess.TimeoutExpired:
                problems.append("a container still holds its output")
        self.spawned.clear()
        while self.undo:
            self.undo.pop()()
        shutil.rmtree(self.work / "bundles")
        (self.work / "bundles").mkdir()
        check(not problems, "; ".join(problems))

    def restore_binary(self):
        """An attack that works is told once, and not by everything that comes after it."""
        original = pathlib.Path(os.environ["CAISSON_BIN"]) / "caisson-runtime"
        if self.binary.read_bytes() != original.read_bytes():
            self.binary.unlink()
            shutil.copy(original, self.binary)

    def cgroups(self):
        return {str(path) for path in pathlib.Path("/sys/fs/cgroup").glob(f"*{self.cgroup}/**/")} | \
               {str(path) for path in pathlib.Path("/sys/fs/cgroup").glob(f"{self.cgroup[1:]}/**/")}

    def processes(self):
        return {name: pathlib.Path(f"/proc/{name}/cmdline").read_bytes() for name in os.listdir("/proc")
                if name.isdigit() and int(name) not in (1, os.getpid())}

    def snapshot(self):
        parents = {path for path in self.cgroups() if path.rstrip("/").endswith(self.cgroup)}
        names = lambda path: set(os.listdir(path)) if path.exists() else set()
        return {
            "mounts": set(pathlib.Path("/proc/self/mountinfo").read_text().splitlines()),
            "cgroups": self.cgroups() - parents,
            "processes": self.settled_processes(),
            "state": {name for name in names(self.state_root) if not name.startswith(".")},
            "files": names(self.work) - {"out", "err", "state"},
            "binary": hashlib.sha256(self.binary.read_bytes()).hexdigest(),
            "secret": self.secret.read_text(),
        }

    def settled_processes(self):
        """Those that have been killed take a moment to go."""
        until = time.monotonic() + 2
        while True:
            try:
                found = self.processes()
            except OSError:
                found = {"?": b""}
            if not found or time.monotonic() > until:
                return {f"{pid} {line!r}" for pid, line in found.items()}
            time.sleep(0.02)

    @staticmethod
    def difference(before, after):
        return "; ".join(f"{what}: {after[what] if isinstance(after[what], str) else sorted(after[what] ^ before[what])}"
                         for what in before if before[what] != after[what])

    def close(self):
        for entry in pathlib.Path("/sys/fs/cgroup").glob(f"*{self.cgroup}"):
            entry.rmdir()
        top = pathlib.Path("/sys/fs/cgroup") / self.cgroup[1:]
        if top.is_dir():
            top.rmdir()


def wait_for(condition, what, seconds=5):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = condition()
        if found:
            return found
        time.sleep(0.01)
    raise AssertionError(f"no {what} after {seconds} s")


def kill(pid, number=signal.SIGKILL):
    os.kill(pid, number)
