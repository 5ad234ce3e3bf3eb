"""For cases: containers of caisson-runtime with Debian's static busybox as their root, and TAP."""
import contextlib
import ctypes
import json
import os
import pathlib
import shutil
import struct
import subprocess
import tempfile
import time

RUNTIME = os.environ["CAISSON_BIN"] + "/caisson-runtime"

def check(holds, name, note=""):
    print(f"{'ok' if holds else 'not ok'} - {name}", flush=True)
    if not holds and note:
        for line in str(note).strip().splitlines():
            print(f"#   {line}", flush=True)


def skip(name, why):
    print(f"ok - {name} # SKIP {why}", flush=True)


def run(*command):
    return subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def wait_until(holds, seconds=20):
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


class NotStarted(Exception):
    """A container did not start. It has been told."""


class Container:
    def __init__(self, bundle, name, cgroup):
        self.bundle, self.id, self.cgroup = bundle, name, pathlib.Path(cgroup)

    def runtime(self, *arguments):
        return self.bundle.runtime(*arguments)

    def start_runtime(self, *arguments):
        return subprocess.Popen([*self.bundle.command, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)

    def exec(self, line):
        return self.runtime("exec", self.id, "sh", "-c", line)

    def state(self):
        return json.loads(self.runtime("state", self.id).stdout)

    def status(self):
        return self.state()["status"]

    def pid(self):
        return self.state()["pid"]

    def stats(self):
        return json.loads(self.runtime("events", "--stats", self.id).stdout)["data"]

    def read(self, file):
        try:
            return (self.cgroup / file).read_text().rstrip("\n")
        except OSError as error:
            return error.strerror

    def table(self, file):
        return dict(line.split() for line in self.read(file).splitlines())

    def document(self, resources):
        path = self.bundle.directory / "resources.json"
        path.write_text(json.dumps(resources))
        return str(path)

    def filters(self):
        """How many device programs are attached to the cgroup: bpf(BPF_PROG_QUERY)."""
        ids = (ctypes.c_uint32 * 64)()
        folder = os.open(self.cgroup, os.O_RDONLY)
        try:
            # target_fd, attach_type (BPF_CGROUP_DEVICE), query_flags, attach_flags, prog_ids, prog_cnt
            query = ctypes.create_string_buffer(struct.pack("IIIIQI", folder, 6, 0, 0, ctypes.addressof(ids), 64), 64)
            if ctypes.CDLL(None, use_errno=True).syscall(321, 16, query, 64) != 0:
                raise OSError(ctypes.get_errno(), "BPF_PROG_QUERY")
            return struct.unpack_from("IIIIQI", query.raw)[5]
        finally:
            os.close(folder)


class Bundle:
    """A root file system and a state directory; containers are made of it, one at a time or several."""

    def __init__(self, *options):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="case-"))
        self.command = [RUNTIME, "--root", str(self.directory / "state"), *options]
        self.made = 0
        root = self.directory / "rootfs"
        for name in ("bin", "dev", "proc", "sys", "tmp", "etc"):
            (root / name).mkdir(parents=True)
        shutil.copy("/bin/busybox", root / "bin/busybox")
        applets = run("/bin/busybox", "--list").stdout.split()
        for applet in applets:
            if applet != "busybox":
                (root / "bin" / applet).symlink_to("busybox")
        os.chmod(self.directory, 0o755)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.directory)
        # Where the containers' cgroups were: nobody else makes it.
        with contextlib.suppress(FileNotFoundError):
            os.rmdir("/sys/fs/cgroup/case")

    def runtime(self, *arguments, **more):
        return subprocess.run([*self.command, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, check=False, timeout=120, **more)

    def configure(self, args, resources=None, devices=(), namespaces=("pid", "mount", "ipc", "uts", "cgroup"),
                  user_namespace=None, cgroup_mount=("rw",), cgroups_path="/case/c"):
        capabilities = sorted("CAP_" + name for name in (
            "CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "MKNOD", "SETGID", "SETUID", "SYS_CHROOT"))
        linux = {"namespaces": [{"type": name} for name in namespaces], "cgroupsPath": cgroups_path,
                 "devices": list(devices)}
        if resources is not None:
            linux["resources"] = resources
        if user_namespace is not None:
            linux["namespaces"].append({"type": "user"})
            linux["uidMappings"] = linux["gidMappings"] = [{"containerID": 0, "hostID": user_namespace, "size": 65536}]
        mounts = [{"destination": "/proc", "type": "proc", "source": "proc"},
                  {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755", "size=65536k"]},
                  {"destination": "/dev/shm", "type": "tmpfs", "source": "shm", "options": ["nosuid", "nodev", "mode=1777"]},
                  {"destination": "/tmp", "type": "tmpfs", "source": "tmp", "options": ["mode=1777"]},
                  {"destination": "/sys", "type": "none", "source": "/sys", "options": ["rbind", "ro"]}]
        if "cgroup" in namespaces:
            mounts.append({"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup",
                           "options": ["nosuid", "noexec", "nodev", *cgroup_mount]})
        config = {
            "ociVersion": "1.2.0", "root": {"path": "rootfs"}, "mounts": mounts, "linux": linux,
            "process": {"user": {"uid": 0, "gid": 0}, "args": args, "env": ["PATH=/bin"], "cwd": "/",
                        "capabilities": {name: capabilities for name in ("bounding", "effective", "permitted")}}}
        (self.directory / "config.json").write_text(json.dumps(config))

    def run_once(self, args, **more):
        self.configure(args, **more)
        self.made += 1
        return self.runtime("run", "--bundle", str(self.directory), f"once{self.made}")

    @contextlib.contextmanager
    def container(self, cgroups_path="/case/c", args=("sleep", "100000"), **more):
        self.configure(list(args), cgroups_path=cgroups_path, **more)
        self.made += 1
        name = f"c{self.made}"
        # Its output must not be ours: who waits for the end of it would wait for the container.
        with open(self.directory / "output", "w+") as output:
            started = subprocess.run([*self.command, "run", "--detach", "--bundle", str(self.directory), name],
                                     stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False, timeout=120)
            output.seek(0)
            if started.returncode != 0:
                check(False, f"a container starts ({json.dumps(more, default=str)[:200]})", output.read())
                raise NotStarted
        try:
            yield Container(self, name, f"/sys/fs/cgroup{cgroups_path}")
        finally:
            deleted = self.runtime("delete", "--force", name)
            gone = not os.path.exists(f"/sys/fs/cgroup{cgroups_path}")
            if deleted.returncode != 0 or not gone:
                check(False, f"{name} is deleted with its cgroup", deleted.stderr)
