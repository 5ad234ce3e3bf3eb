"""A pull goes on where a killed daemon stopped, by the bytes that a proxy before the registry counts."""
import gzip
import hashlib
import json
import os
import socket
import subprocess
import threading

import pytest

from conftest import BIN, Daemon, run, wait_until
from test_manifest import OCI, call, put_blob

SIZE = 24 << 20


class CountingProxy:
    """TCP to `target`. Passes `allow` bytes on from there, then none until `open` is called."""

    def __init__(self, target, allow):
        self.target, self.allow, self.passed = target, allow, 0
        self.gate, self.lock = threading.Event(), threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.host = "127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(self.target)
            threading.Thread(target=self.pump, args=(client, server, False), daemon=True).start()
            threading.Thread(target=self.pump, args=(server, client, True), daemon=True).start()

    def pump(self, source, sink, counted):
        try:
            while data := source.recv(65536):
                if counted:
                    with self.lock:
                        self.passed += len(data)
                        blocked = self.passed > self.allow
                    if blocked:
                        self.gate.wait()
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def open(self):
        with self.lock:
            self.passed, self.allow = 0, 1 << 60
        self.gate.set()

    def stop(self):
        self.listener.close()
        self.gate.set()


@pytest.fixture
def large(registry, tmp_path):
    """An image whose one layer can't be compressed."""
    (tmp_path / "noise").write_bytes(os.urandom(SIZE))
    tar = subprocess.run(["tar", "-C", tmp_path, "-c", "noise"], capture_output=True, check=True).stdout
    layer = gzip.compress(tar, 1, mtime=0)
    config = json.dumps({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(tar).hexdigest()]}}).encode()
    manifest = json.dumps({"schemaVersion": 2, "mediaType": OCI[0],
                           "config": {"mediaType": OCI[1], "digest": put_blob(registry, "large", config), "size": len(config)},
                           "layers": [{"mediaType": OCI[2], "digest": put_blob(registry, "large", layer), "size": len(layer)}]}).encode()
    call("PUT", f"http://{registry}/v2/large/manifests/1", manifest, Content_Type=OCI[0])
    return len(layer)


def test_a_killed_daemon_resumes_from_its_last_byte(registry, large):
    daemon = Daemon("resume").start()
    host, port = registry.split(":")
    proxy = CountingProxy((host, int(port)), large // 2)
    reference = f"{proxy.host}/large:1"
    try:
        pull = subprocess.Popen([BIN / "caisson", "pull", reference], env=daemon.env(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: proxy.passed > proxy.allow, "half of the layer has come", 60)
        ingest = daemon.dir / "data/content/ingest"
        kept = wait_until(lambda: max((f.stat().st_size for f in ingest.iterdir()), default=0) > large // 2 - (2 << 20)
                          and max(f.stat().st_size for f in ingest.iterdir()), "what came is on the disk", 60)
        daemon.kill()
        pull.wait(timeout=60)
        proxy.open()
        daemon.start()
        daemon.caisson("pull", reference)
        assert proxy.passed < large - kept + (1 << 20), "what was there was not asked for again"
        daemon.caisson("rmi", reference)
    finally:
        daemon.stop()
        proxy.stop()
