"""A caissond of its own, a registry of its own, real images. Runs inside the namespaces that ./run makes."""
import json
import os
import pathlib
import signal
import socket
import subprocess
import tarfile
import time
import hashlib
import io

import pytest

BIN = pathlib.Path(os.environ["CAISSON_BIN"])
WORK = pathlib.Path(os.environ["CAISSON_TEST_DIR"])
CACHE = pathlib.Path(os.environ["CAISSON_TEST_CACHE"])
DOCKERS = [path for path in ("/usr/bin/docker", "/usr/local/bin/docker") if os.path.exists(path)]


def run(*argv, check=True, timeout=120, **more):
    """A finished command with text output; a failure shows what it printed."""
    done = subprocess.run([str(a) for a in argv], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=timeout, **more)
    assert not check or done.returncode == 0, f"{argv}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def wait_until(condition, what, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"not within {seconds} s: {what}")


class Daemon:
    def __init__(self, name, *flags):
        self.dir = WORK / name
        self.dir.mkdir()
        self.flags = flags
        self.socket = self.dir / "s.sock"
        self.host = f"unix://{self.socket}"
        self.process = None

    def start(self):
        log = open(self.dir / "caissond.log", "ab")
        self.process = subprocess.Popen(
            [BIN / "caissond", "--data-root", self.dir / "data", "--exec-root", self.dir / "exec",
             "--pidfile", self.dir / "pid", "--config-file", self.dir / "daemon.json", "-H", self.host, *self.flags],
            stdout=log, stderr=log, start_new_session=True)
        wait_until(self.answers, f"caissond answers; its log:\n{self.log()}")
        return self

    def answers(self):
        assert self.process.poll() is None, f"caissond ended: {self.log()}"
        with socket.socket(socket.AF_UNIX) as client:
            try:
                client.connect(str(self.socket))
                client.sendall(b"GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n")
                return b"200 OK" in client.recv(4096)
            except OSError:
                return False

    def log(self):
        path = self.dir / "caissond.log"
        return path.read_text()[-4000:] if path.exists() else ""

    def kill(self):
        """SIGKILL, as a crash."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(timeout=30)

    def env(self, **more):
        return {**os.environ, "DOCKER_HOST": self.host, "HOME": str(self.dir), "DOCKER_CONFIG": str(self.dir / ".docker"), **more}

    def caisson(self, *argv, **more):
        return run(BIN / "caisson", *argv, env=self.env(), **more)


class Cli:
    """The stock docker CLI, unmodified, over DOCKER_HOST."""

    def __init__(self, path, daemon):
        self.path, self.daemon = path, daemon

    def __call__(self, *argv, **more):
        return run(self.path, *argv, env=self.daemon.env(), **more)

    def out(self, *argv, **more):
        return self(*argv, **more).stdout.strip()


def docker_archive(path, tag, layers, config):
    """A `docker save` archive by hand: layers are paths of uncompressed tars."""
    diff_ids = ["sha256:" + hashlib.sha256(pathlib.Path(layer).read_bytes()).hexdigest() for layer in layers]
    body = json.dumps({"architecture": "amd64", "os": "linux", "created": "2026-01-01T00:00:00Z", "config": config,
                       "rootfs": {"type": "layers", "diff_ids": diff_ids},
                       "history": [{"created": "2026-01-01T00:00:00Z", "created_by": "test"} for _ in layers]}).encode()
    name = hashlib.sha256(body).hexdigest() + ".json"
    manifest = json.dumps([{"Config": name, "RepoTags": [tag], "Layers": [f"{i}/layer.tar" for i in range(len(layers))]}]).encode()
    with tarfile.open(path, "w") as out:
        for member, data in ((name, body), ("manifest.json", manifest)):
            info = tarfile.TarInfo(member)
            info.size = len(data)
            out.addfile(info, io.BytesIO(data))
        for i, layer in enumerate(layers):
            out.add(layer, f"{i}/layer.tar")


@pytest.fixture(scope="session")
def daemon():
    daemon = Daemon("main").start()
    yield daemon
    daemon.stop()


@pytest.fixture(params=DOCKERS, ids=lambda path: path.strip("/").replace("/", "-"))
def docker(request, daemon):
    return Cli(request.param, daemon)


@pytest.fixture(params=[*DOCKERS, str(BIN / "caisson")], ids=lambda path: path.strip("/").replace("/", "-"))
def client(request, daemon):
    """The stock clients, and ours."""
    return Cli(request.param, daemon)


@pytest.fixture(scope="session")
def registry():
    """Debian's docker-registry on loopback."""
    root = WORK / "registry"
    root.mkdir()
    config = root / "config.yml"
    config.write_text("version: 0.1\nlog: {level: error}\nstorage:\n  filesystem: {rootdirectory: %s}\n"
                      "http: {addr: '127.0.0.1:5000'}\n" % (root / "data"))
    process = subprocess.Popen(["docker-registry", "serve", config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def answers():
        try:
            socket.create_connection(("127.0.0.1", 5000), 1).close()
            return True
        except OSError:
            return False

    wait_until(answers, "docker-registry listens")
    yield "127.0.0.1:5000"
    process.kill()
    process.wait()


@pytest.fixture(scope="session")
def debian_archive():
    path = WORK / "debian-archive.tar"
    docker_archive(path, "debian:minbase", [CACHE / "debian.tar"], {"Cmd": ["bash"], "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]})
    yield path
    path.unlink()


@pytest.fixture
def names(daemon):
    """Gives names out and removes what was made under them."""
    given = []

    def give(prefix="t"):
        given.append(f"{prefix}-{os.getpid()}-{len(given)}-{time.monotonic_ns() % 10**9}")
        return given[-1]

    yield give
    for name in given:
        daemon.caisson("rm", "-f", name, check=False)


