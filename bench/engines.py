"""The engines and the runtimes that are compared: how each is started and called."""
import os
import shutil
import signal
import socket
import subprocess
import time

from measure import Failed, Spawned, all_at_once, memory_kib, text, wall

SYSTEM_PATH = "/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"


class Engine:
    """A command line, and a daemon where there is one, in a network namespace of its own."""

    def __init__(self, name, directory, cli, daemon=None, env=None):
        self.name, self.dir, self.cli, self.daemon_argv = name, directory, cli, daemon
        self.env = {"PATH": SYSTEM_PATH, "HOME": directory, **(env or {})}
        self.process, self.network = None, None
        os.makedirs(directory, exist_ok=True)

    def installed(self):
        return os.access(self.cli[0], os.X_OK) and (not self.daemon_argv or os.access(self.daemon_argv[0], os.X_OK))

    def start(self):
        if self.network is None:
            open(f"{self.dir}/net", "w").close()
            subprocess.run(["unshare", "--net", "sh", "-c", f"ip link set lo up; mount --bind /proc/self/ns/net {self.dir}/net"], check=True)
            self.network = os.open(f"{self.dir}/net", os.O_RDONLY)
        if not self.daemon_argv:
            return 0.0
        log = os.open(f"{self.dir}/log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        begin = time.perf_counter()
        self.process = Spawned(self.daemon_argv, self.env, self.network, out=log, err=log)
        while not self.answers():
            if time.perf_counter() - begin > 30 or os.waitpid(self.process.pid, os.WNOHANG)[0]:
                raise Failed(f"{self.name} did not start: {open(f'{self.dir}/log').read()[-500:]}")
            time.sleep(0.001)
        return time.perf_counter() - begin

    def answers(self):
        try:
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(f"{self.dir}/s")
                client.sendall(b"GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n")
                return b"200 OK" in client.recv(4096)
        except OSError:
            return False

    def stop(self):
        if self.process:
            os.kill(self.process.pid, signal.SIGTERM)
            self.process.wait(check=False)
            self.process = None

    def call(self, *argv):
        return wall(self.cli + list(argv), self.env, self.network)

    def text(self, *argv):
        return text(self.cli + list(argv), self.env, self.network)

    def together(self, count, *argv):
        return all_at_once([self.cli + list(argv)] * count, self.env, self.network)

    def memory(self):
        return memory_kib([self.dir + "/"], self.process.pid if self.process else None)

    def clean(self):
        ids = self.text("ps", "-aq").split()
        if ids:
            self.call("rm", "-f", *ids)


def engines(work, binaries):
    def make(name, cli, daemon=None, env=None, files=None):
        directory = f"{work}/{name}"
        os.makedirs(directory, exist_ok=True)
        fill = lambda words: [word.replace("DIR", directory) for word in words]
        for path, contents in (files or {}).items():
            with open(f"{directory}/{path}", "w") as out:
                out.write(contents)
        return Engine(name, directory, fill(cli), fill(daemon) if daemon else None,
                      {key: value.replace("DIR", directory) for key, value in (env or {}).items()})

    roots = ["--data-root", "DIR/data", "--exec-root", "DIR/exec", "--pidfile", "DIR/pid", "-H", "unix://DIR/s"]
    # podman's default limits are above what root without CAP_SYS_RESOURCE may set.
    containers_conf = '[containers]\ndefault_ulimits=["nofile=1024:4096","nproc=30000:30000"]\n[engine]\ncgroup_manager="cgroupfs"\nevents_logger="file"\n'
    every = [
        make("caisson", [f"{binaries}/caisson", "-H", "unix://DIR/s"], [f"{binaries}/caissond", "--config-file", "DIR/daemon.json"] + roots, files={"daemon.json": "{}"}),
        make("docker", ["/usr/bin/docker", "-H", "unix://DIR/s"], ["/usr/sbin/dockerd", "--config-file", "DIR/daemon.json"] + roots, files={"daemon.json": "{}"}),
        make("podman", ["/usr/bin/podman", "--root", "DIR/data", "--runroot", "DIR/rr", "--tmpdir", "DIR/tmp", "--network-config-dir", "DIR/nets", "--cgroup-manager", "cgroupfs"],
             env={"CONTAINERS_CONF": "DIR/containers.conf"}, files={"containers.conf": containers_conf}),
    ]
    return [engine for engine in every if engine.installed()]


def runtimes(binaries):
    """Debian's, and those that CRUN_NEW and RUNC_NEW name."""
    every = {"caisson-runtime": f"{binaries}/caisson-runtime", "crun": shutil.which("crun", path=SYSTEM_PATH), "runc": shutil.which("runc", path=SYSTEM_PATH)}
    every |= {"crun-new": os.environ.get("CRUN_NEW"), "runc-new": os.environ.get("RUNC_NEW")}
    return {name: path for name, path in every.items() if path and os.access(path, os.X_OK)}
