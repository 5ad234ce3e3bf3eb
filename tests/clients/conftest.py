"""A caissond of its own, a registry of its own, real images. Runs inside the namespaces that ./run makes."""
import hashlib
import io
import json
import os
import pathlib
import socket
import subprocess
import tarfile
import time

import pytest

from harness import BIN, CACHE, DOCKERS, WORK, Daemon, run, wait_until


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


