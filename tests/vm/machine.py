"""One virtual machine: qemu, its shares, ssh into it. tests/vm/run and tests/vm/exec use this.

The disk is a snapshot, so that nothing survives; the source tree (with its build directory) is /caisson inside, read-only,
and live: what is built outside is there at once. The machine reaches no network: its only link is ssh from loopback.
"""
import hashlib
import json
import os
import pathlib
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
TREE = HERE.parent.parent
# Part of qemu in Debian 12, a package of its own in later ones.
VIRTIOFSD = ("/usr/lib/qemu/virtiofsd", "/usr/libexec/virtiofsd")
MEMORY_MIB = 1536


class Failure(Exception):
    """Said to the user in one line."""


def cache():
    return pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "caisson-tests"


def kept_dir(name):
    """Where a machine that outlives its command is recorded: one per checkout and name."""
    tree = hashlib.sha256(str(TREE).encode()).hexdigest()[:12]
    return pathlib.Path(tempfile.gettempdir()) / f"caisson-vm-{os.geteuid()}-{tree}-{name}"


def _accelerator(name):
    if name == "kvm":
        return ["-accel", "kvm", "-cpu", "host"]
    # x86-64-v2: wider vectors, which the C library would use, are slow to emulate.
    return ["-accel", "tcg,thread=multi,tb-size=512", "-cpu", "Nehalem"]


def kvm_works(image):
    """Whether a kernel gets as far as looking for its root, within seconds. /dev/kvm alone says little: on some hosts,
    themselves virtual, it is there and guests hang. Asked once per boot of this host."""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return False
    boot = pathlib.Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    answer = cache() / f"kvm-{boot}"
    if not answer.exists():
        command = ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-machine",
                   "q35", *_accelerator("kvm"), "-m", "512M", "-kernel", image / "vmlinuz", "-append", "panic=-1"]
        try:
            # Without a root it panics, and ends at once: no reboot.
            works = subprocess.run(command, timeout=15, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL).returncode == 0
        except subprocess.TimeoutExpired:
            works = False
        answer.write_text("works" if works else "hangs")
    return answer.read_text() == "works"


def guest_line(line):
    """`line` in the guest's tree, with CAISSON_BIN as the guest sees it."""
    programs = pathlib.Path(os.environ.get("CAISSON_BIN") or TREE / "build/dev/bin").resolve()
    if not programs.is_relative_to(TREE):
        raise Failure(f"{programs} is not in {TREE}, which is all that the machine sees")
    return f"cd /caisson && export CAISSON_BIN=/caisson/{programs.relative_to(TREE)} TREE=/caisson && {line}"


def line_of(words):
    return words[0] if len(words) == 1 else shlex.join(words)


class Machine:
    """Starts in `directory`, which is the machine's own and is removed by stop()."""

    def __init__(self, directory, stays=False):
        """`stays`: it outlives this process; else it dies with it, even by SIGKILL."""
        self.directory = pathlib.Path(directory)
        self.stays = stays
        self.state = {}

    @classmethod
    def recorded(cls, directory):
        """The one that was started in `directory`, alive or not, or None."""
        machine = cls(directory)
        try:
            machine.state = json.loads((machine.directory / "state.json").read_text())
        except (FileNotFoundError, ValueError):
            return None
        return machine

    def start(self, hierarchy="unified", accel=None, cpus=2, memory=MEMORY_MIB, seconds=240):
        for tool in ("qemu-system-x86_64", "ssh", "ssh-keygen"):
            if shutil.which(tool) is None:
                raise Failure(f"{tool} is needed: packaging/install-packages packaging/test-dependencies.txt")
        cache().mkdir(parents=True, exist_ok=True)
        self.state = {"pids": [], "hierarchy": hierarchy}
        try:
            built = subprocess.run([HERE / "image"], check=False, stdout=subprocess.PIPE, text=True)
            if built.returncode != 0:
                raise Failure("the image could not be built")
            image = pathlib.Path(built.stdout.strip())
            shutil.copy(image / "key", self.directory / "key")
            os.chmod(self.directory / "key", 0o600)
            shares = [self._share("caisson", TREE), self._share("cache", cache())]
            self._boot(image, hierarchy, accel, cpus, memory, shares)
            self.state["port"] = self._port()
            self._save()
            self._wait_for_ssh(seconds)
        except BaseException:
            self.stop()
            raise
        return self

    def _save(self):
        (self.directory / "state.json").write_text(json.dumps(self.state))

    def _spawn(self, name, command, **more):
        with open(self.directory / f"{name}.log", "wb") as log:
            # A session of its own: ^C is for us, who then end it in order.
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                       start_new_session=True, cwd=self.directory, **more)
        self.state["pids"].append(process.pid)
        self._save()
        return process

    def _share(self, tag, path):
        """virtiofsd exports a read-only bind mount that only it sees, so the guest's root cannot write either."""
        sock = self.directory / f"{tag}.sock"
        program = next((path for path in VIRTIOFSD if os.path.exists(path)), None)
        if program is None:
            raise Failure(f"virtiofsd is needed: none of {', '.join(VIRTIOFSD)} is there")
        # Its pid files go to /run/virtiofsd: a tmpfs of its own keeps them out of the host's. It ends with qemu.
        script = ('mkdir -p /run/virtiofsd && mount -t tmpfs none /run/virtiofsd && '
                  'mount --bind "$1" "$2" && mount -o remount,bind,ro "$2" && exec "$3" --socket-path="$4" '
                  '-o source="$2",sandbox=chroot,cache=auto,xattr,announce_submounts --rlimit-nofile=0')
        mount = self.directory / f"{tag}.mount"
        mount.mkdir()
        self._spawn(tag, ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh", path, mount,
                          program, sock])
        self._wait(lambda: sock.exists(), 10, f"virtiofsd does not start: see {self.directory}/{tag}.log")
        return tag, sock

    def _boot(self, image, hierarchy, accel, cpus, memory, shares):
        kernel = ["root=/dev/vda", "rw", "console=ttyS0", "quiet", "net.ifnames=0", "panic=-1", "mitigations=off",
                  "systemd.show_status=no", "systemd.journald.forward_to_console=no"]
        if hierarchy == "hybrid":
            kernel += ["systemd.unified_cgroup_hierarchy=0", "systemd.legacy_systemd_cgroup_controller=0"]
        elif hierarchy == "legacy":
            kernel += ["systemd.unified_cgroup_hierarchy=0", "systemd.legacy_systemd_cgroup_controller=1"]
        command = ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none",
                   "-machine", "q35,memory-backend=mem", "-smp", str(cpus), "-m", f"{memory}M",
                   "-object", f"memory-backend-memfd,id=mem,size={memory}M,share=on"]
        self.state["accel"] = accel or ("kvm" if kvm_works(image) else "tcg")
        command += _accelerator(self.state["accel"])
        command += ["-kernel", image / "vmlinuz", "-initrd", image / "initrd", "-append", " ".join(kernel),
                    "-drive", f"file={image}/root.ext4,format=raw,if=virtio,snapshot=on,cache=unsafe",
                    "-netdev", "user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:0-:22",
                    "-device", "virtio-net-pci,netdev=net,romfile=", "-device", "virtio-rng-pci",
                    "-serial", f"file:{self.directory}/console.log",
                    "-monitor", f"unix:{self.directory}/monitor.sock,server=on,wait=off"]
        for tag, sock in shares:
            command += ["-chardev", f"socket,id={tag},path={sock}",
                        "-device", f"vhost-user-fs-pci,chardev={tag},tag={tag}"]
        # The snapshot's file goes where there is room, nameless.
        if not self.stays:
            command = ["setpriv", "--pdeathsig", "KILL", *command]
        self._spawn("qemu", command, env={**os.environ, "TMPDIR": "/var/tmp"})

    def _wait(self, done, seconds, message, pause=0.05):
        end = time.monotonic() + seconds
        while not done():
            if not self.alive():
                raise Failure(f"{message}\n{self._tail('qemu.log')}")
            if time.monotonic() > end:
                raise Failure(f"{message}\n{self._tail('console.log')}")
            time.sleep(pause)

    def _tail(self, name):
        try:
            return "\n".join((self.directory / name).read_text(errors="replace").splitlines()[-15:])
        except FileNotFoundError:
            return ""

    def _monitor(self, order):
        with socket.socket(socket.AF_UNIX) as link:
            link.settimeout(20)
            link.connect(str(self.directory / "monitor.sock"))
            text = b""
            while b"(qemu) " not in text:
                text += link.recv(4096)
            link.sendall(order.encode() + b"\n")
            text = b""
            while b"(qemu) " not in text:
                more = link.recv(4096)
                if not more:
                    break
                text += more
            return text.decode(errors="replace")

    def _port(self):
        """The kernel chose it: qemu's monitor tells."""
        answer = []

        def asked():
            try:
                answer[:] = self._monitor("info usernet").splitlines()
            except OSError:
                pass
            return bool(answer)

        self._wait(asked, 20, "qemu does not start")
        for line in answer:
            words = line.split()
            if words and words[0] == "TCP[HOST_FORWARD]":
                return int(words[3])
        raise Failure("qemu forwards no port")

    def _wait_for_ssh(self, seconds):
        mount = " && ".join(f"mount -t virtiofs -o ro {tag} /{tag}" for tag in ("caisson", "cache"))

        def ready():
            return subprocess.run(self._ssh() + [f"mountpoint -q /caisson || {{ {mount}; }}"], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0

        self._wait(ready, seconds, "the virtual machine does not come up", 0.2)

    def _ssh(self, *options):
        return ["ssh", "-F", "none", "-i", str(self.directory / "key"), "-p", str(self.state["port"]), "-q",
                "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "ConnectTimeout=20",
                "-o", "IdentitiesOnly=yes", "-o", "KexAlgorithms=curve25519-sha256", "-o", "ControlMaster=auto",
                # One connection for all commands, since emulated handshakes take seconds; it ends with the machine.
                "-o", f"ControlPath={self.directory}/ssh", "-o", "ControlPersist=yes", *options, "root@127.0.0.1"]

    def alive(self):
        pids = self.state.get("pids", [])
        return bool(pids) and all(_runs(pid) for pid in pids)

    def shell(self, script, terminal=False, timeout=None, **more):
        """Runs one line of shell as root. Returns its exit code; 255 is also ssh's, when the machine is gone."""
        options = ["-tt"] if terminal else []
        return subprocess.run(self._ssh(*options) + [script], timeout=timeout, **more).returncode

    def stop(self):
        pids = self.state.get("pids", [])
        if pids and _runs(pids[-1]) and "port" in self.state:
            # No order to shut down: the disk is thrown away, and what ran inside must not need one.
            try:
                self._monitor("quit")
            except OSError:
                pass
        for pid in reversed(pids):
            _end(pid)
        shutil.rmtree(self.directory, ignore_errors=True)


def _runs(pid):
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        pass
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:
            return stat.read().rpartition(b")")[2].split()[0] not in (b"Z", b"X")
    except FileNotFoundError:
        return False


def _end(pid):
    """Asked, then made. Only pids that this module started and recorded come here."""
    for number, patience in ((signal.SIGTERM, 5), (signal.SIGKILL, 5)):
        end = time.monotonic() + patience
        while _runs(pid):
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                return
            if time.monotonic() > end:
                break
            time.sleep(0.05)
