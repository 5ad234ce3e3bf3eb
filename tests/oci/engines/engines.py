"""How each engine is started, called and looked behind."""
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import socket
import subprocess
import time

BIN = pathlib.Path(os.environ["CAISSON_BIN"])
RUNTIME = str(BIN / "caisson-runtime")
PATH = "/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
IMAGE = "localhost/busy:1"
CGROUPS = "/sys/fs/cgroup"
SECONDS = 40


class Failed(Exception):
    pass


def hierarchies():
    """Where cgroups are made: the v2 tree, or all of v1."""
    if os.path.exists(f"{CGROUPS}/cgroup.controllers"):
        return [CGROUPS]
    return [f"{CGROUPS}/{one}" for one in os.listdir(CGROUPS) if one != "unified" and not os.path.islink(f"{CGROUPS}/{one}")]


class Done:
    """What one call printed, and its exit status."""

    def __init__(self, argv, code, out, err):
        self.argv, self.code, self.out, self.err = argv, code, out, err

    def __str__(self):
        return f"{' '.join(self.argv)[:300]}: exit {self.code}, {self.out[-500:]!r}, {self.err[-700:]!r}"

    def seen(self):
        return [self.code, self.out, self.err]


def until(condition, what, seconds=15):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise Failed(f"not within {seconds} s: {what}")


class Engine:
    """cli: the words before a verb. A container's processes are looked for in the PID namespace of this lane."""

    name = ""
    at_once = ()  # what makes rm -f not wait for the container to stop by itself

    def __init__(self, runtime, work, image):
        self.runtime, self.work, self.image = runtime, work, str(image)
        self.parent = f"caisson-engines-{os.getppid()}-{self.name}-{runtime}-{time.monotonic_ns()}"
        self.env = {"PATH": PATH, "HOME": str(work), "TERM": "xterm"}
        self.numbers = iter(range(10**6))
        self.process = None

    def call(self, *argv, stdin=None, **more):
        try:
            done = subprocess.run([*self.cli, *argv], input=stdin, stdin=None if stdin is not None else subprocess.DEVNULL,
                                  capture_output=True, text=True, errors="replace", env=self.env, timeout=SECONDS, check=False, **more)
        except subprocess.TimeoutExpired as late:
            raise Failed(f"{argv}: not within {SECONDS} s: {late.stdout} {late.stderr}") from late
        return Done(argv, done.returncode, done.stdout, done.stderr)

    def ok(self, *argv, **more):
        done = self.call(*argv, **more)
        if done.code:
            raise Failed(str(done))
        return done.out.strip()

    def background(self, *argv):
        return subprocess.Popen([*self.cli, *argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True, env=self.env)

    def on_terminal(self, *argv, typed=b"", rows=33, columns=77):
        """The call with a terminal as its three streams."""
        master, slave = pty.openpty()
        import fcntl, struct, termios
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        process = subprocess.Popen([*self.cli, *argv], stdin=slave, stdout=slave, stderr=slave, env=self.env, start_new_session=True,
                                   preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(slave)
        out, end, sent = b"", time.monotonic() + SECONDS, False
        while time.monotonic() < end:
            if select.select([master], [], [], 0.1)[0]:
                try:
                    data = os.read(master, 65536)
                except OSError:
                    data = b""
                if not data:
                    break
                out += data
            if typed and not sent and b"ready" in out:
                os.write(master, typed)
                sent = True
        else:
            process.kill()
        process.wait()
        os.close(master)
        return Done(argv, process.returncode, out.decode(errors="replace"), "")

    def new_name(self):
        return f"c{next(self.numbers)}"

    def flags(self):
        return ["--network", "none", "--cgroup-parent", "/" + self.parent]

    def run(self, *words, stdin=None):
        """`run --rm`; words: flags, then "--", then the command."""
        flags, command = self.cut(words)
        return self.call("run", "--rm", *(["-i"] if stdin is not None else []), *self.flags(), *flags, IMAGE, *command, stdin=stdin)

    def create(self, *words):
        """`run -d` of a container with a name; by default one that sleeps."""
        flags, command = self.cut(words)
        name = self.new_name()
        self.ok("run", "-d", "--name", name, *self.flags(), *flags, IMAGE, *(command or ["sleep", "1000"]))
        return name

    @staticmethod
    def cut(words):
        words = list(words)
        at = words.index("--") if "--" in words else len(words)
        return words[:at], words[at + 1:]

    def state(self, name, what):
        return self.ok("inspect", "--type", "container", "--format", "{{.State.%s}}" % what, name)

    def wait_state(self, name, status):
        return until(lambda: self.state(name, "Status") == status, f"{name} is {status}")

    def pid(self, name):
        return int(self.state(name, "Pid"))

    def remove(self, *names):
        self.ok("rm", "-f", *self.at_once, *names)

    # What is behind the engine's back.

    def cgroups(self):
        """Directories of containers below the parent cgroup of this lane, in all hierarchies."""
        found = []
        for hierarchy in hierarchies():
            for path, directories, _ in os.walk(f"{hierarchy}/{self.parent}", topdown=False):
                found += [f"{path}/{one}" for one in directories if one != "conmon"]
        return found

    def processes(self):
        """Programs of containers: those in the lane's cgroups."""
        out = []
        for entry in filter(str.isdigit, os.listdir("/proc")):
            try:
                groups = pathlib.Path(f"/proc/{entry}/cgroup").read_text()
                status = pathlib.Path(f"/proc/{entry}/status").read_text()
            except OSError:
                continue
            if f"/{self.parent}/" in groups and "/conmon" not in groups and "\nState:\tZ" not in status:
                out.append(int(entry))
        return out

    def recorded(self):
        """What the runtime still has on record."""
        root = pathlib.Path(self.runtime_root())
        return [entry.name for entry in root.iterdir() if not entry.name.startswith(".")] if root.is_dir() else []

    def delete_behind(self, container):
        """By the runtime itself, as the engine would have had to."""
        program = RUNTIME if self.runtime == "caisson" else shutil.which({"podman": "crun"}.get(self.name, "runc"), path=PATH)
        done = subprocess.run([program, "--root", str(self.runtime_root()), "delete", "--force", container], capture_output=True, text=True, check=False)
        if done.returncode:
            raise Failed(f"delete of {container}: {done.stderr}")

    def nothing_left(self, where):
        left = self.ok("ps", "-aq").split()
        if left:
            raise Failed(f"{where} left containers: {left}")
        until(lambda: not self.recorded() and not self.processes() and not self.cgroups(),
              f"nothing of {where} is left, but there are {self.recorded()} {self.processes()} {self.cgroups()[:4]}")

    def clean(self):
        ids = self.call("ps", "-aq").out.split()
        if ids:
            self.call("rm", "-f", *self.at_once, *ids)

    def start_over(self):
        """After a failure: what it left is not counted against the next case."""
        self.clean()
        self.remove_cgroups()
        for one in self.recorded():
            shutil.rmtree(pathlib.Path(self.runtime_root()) / one)

    def remove_cgroups(self):
        for pid in self.processes():
            os.kill(pid, signal.SIGKILL)
        for hierarchy in hierarchies():
            for path, _, _ in os.walk(f"{hierarchy}/{self.parent}", topdown=False):
                for _ in range(50):
                    try:
                        os.rmdir(path)
                        break
                    except FileNotFoundError:
                        break
                    except OSError:
                        time.sleep(0.02)

    def spawn_daemon(self, argv, answers):
        log = open(self.work / "daemon.log", "w")
        self.process = subprocess.Popen(argv, env=self.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)

        def up():
            if self.process.poll() is not None:
                raise Failed(f"{self.name} did not start: {(self.work / 'daemon.log').read_text()[-1500:]}")
            return answers()

        until(up, f"{self.name} answers", 60)

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(timeout=30)


def answers_at(path, request=b"GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n"):
    try:
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(path)
            client.sendall(request)
            return b"200 OK" in client.recv(4096)
    except OSError:
        return False


class Docker(Engine):
    name = "docker"

    def __init__(self, runtime, work, image):
        super().__init__(runtime, work, image)
        self.socket = str(work / "docker.sock")
        self.cli = ["/usr/bin/docker", "-H", f"unix://{self.socket}"]

    def start(self):
        (self.work / "daemon.json").write_text("{}")
        chosen = ["--add-runtime", f"caisson={RUNTIME}", "--default-runtime", "caisson"] if self.runtime == "caisson" else []
        self.spawn_daemon(["/usr/sbin/dockerd", "--config-file", str(self.work / "daemon.json"), "--data-root", str(self.work / "data"),
                           "--exec-root", str(self.work / "exec"), "--pidfile", str(self.work / "pid"), "-H", f"unix://{self.socket}",
                           "--exec-opt", "native.cgroupdriver=cgroupfs", *chosen], lambda: answers_at(self.socket))
        self.ok("import", self.image, IMAGE)

    def runtime_root(self):
        return self.work / "exec" / ("runtime-" + ("caisson" if self.runtime == "caisson" else "runc")) / "moby"

    def supervisor(self, name):
        status = pathlib.Path(f"/proc/{self.pid(name)}/status").read_text()
        return int(re.search(r"^PPid:\s+(\d+)", status, re.M)[1])

    def versions(self):
        return self.ok("version", "--format", "dockerd {{.Server.Version}}") + ", " + self.ok(
            "info", "--format", "default runtime {{.DefaultRuntime}}")


class Podman(Engine):
    name = "podman"
    at_once = ("-t", "0")

    def __init__(self, runtime, work, image):
        super().__init__(runtime, work, image)
        init = shutil.which("docker-init", path=PATH) or shutil.which("tini", path=PATH) or "/usr/bin/catatonit"
        # podman's default limits are above what root without CAP_SYS_RESOURCE may set.
        (work / "containers.conf").write_text(
            f'[containers]\ndefault_ulimits=["nofile=1024:4096","nproc=30000:30000"]\ninit_path="{init}"\n'
            f'[engine]\ncgroup_manager="cgroupfs"\nevents_logger="file"\nruntime_supports_json=["crun", "runc", "caisson-runtime"]\n')
        self.env["CONTAINERS_CONF"] = str(work / "containers.conf")
        self.cli = ["/usr/bin/podman", "--root", str(work / "data"), "--runroot", str(work / "rr"), "--tmpdir", str(work / "tmp"),
                    "--network-config-dir", str(work / "nets"), "--cgroup-manager", "cgroupfs"]
        if runtime == "caisson":
            self.cli += ["--runtime", RUNTIME]

    def start(self):
        self.ok("import", "-q", self.image, IMAGE)

    def runtime_root(self):
        return "/run/caisson/runtime" if self.runtime == "caisson" else "/run/crun"

    def supervisor(self, name):
        return int(self.state(name, "ConmonPid"))

    def versions(self):
        return self.ok("version", "--format", "podman {{.Client.Version}}") + ", " + self.ok(
            "info", "--format", "{{.Host.OCIRuntime.Version}}").splitlines()[0]


class Containerd(Engine):
    """Called by ctr(8), its own client."""

    name = "containerd"

    def __init__(self, runtime, work, image):
        super().__init__(runtime, work, image)
        self.socket = str(work / "containerd.sock")
        self.cli = ["/usr/bin/ctr", "-a", self.socket]

    def start(self):
        (self.work / "config.toml").write_text(f'version = 2\nroot = "{self.work}/data"\nstate = "{self.work}/state"\n'
                                               f'disabled_plugins = ["io.containerd.grpc.v1.cri"]\n[grpc]\naddress = "{self.socket}"\n')
        self.spawn_daemon(["/usr/bin/containerd", "--config", str(self.work / "config.toml")], lambda: self.call("version").code == 0)
        import containerd_cases
        containerd_cases.import_image(self)

    def flags(self):
        return ["--runc-root", str(self.runtime_root().parent), *(["--runc-binary", RUNTIME] if self.runtime == "caisson" else [])]

    def runtime_root(self):
        return self.work / "runc-root" / "default"

    def nothing_left(self, where):
        left = self.ok("containers", "ls", "-q").split()
        if left:
            raise Failed(f"{where} left containers: {left}")
        until(lambda: not self.recorded() and not self.processes() and not self.cgroups(),
              f"nothing of {where} is left, but there are {self.recorded()} {self.processes()} {self.cgroups()[:4]}")

    def clean(self):
        for one in self.call("containers", "ls", "-q").out.split():
            self.call("tasks", "kill", "-s", "KILL", one)
            self.call("tasks", "delete", "-f", one)
            self.call("containers", "rm", one)

    def versions(self):
        return self.ok("version").splitlines()[1].strip() + (", caisson-runtime" if self.runtime == "caisson" else ", runc")


def make(name, runtime, work, image):
    return {"docker": Docker, "podman": Podman, "containerd": Containerd}[name](runtime, work, image)
