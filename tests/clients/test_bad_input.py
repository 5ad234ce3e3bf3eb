"""Bad input gets a clear error and loses nothing."""
import hashlib
import http.server
import io
import json
import os
import socket
import subprocess
import tarfile
import threading

import pytest

from conftest import BIN, CACHE, WORK, Daemon, docker_archive, run

IMAGE = "busybox"


def files_under(path):
    return sum(len(files) for _, _, files in os.walk(path))


def layer(*entries):
    """A tar of (name, type, link target or contents)."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, kind, payload in entries:
            info = tarfile.TarInfo(name)
            info.type = kind
            if kind == tarfile.REGTYPE:
                info.size = len(payload)
                tar.addfile(info, io.BytesIO(payload))
            else:
                info.linkname = payload
                tar.addfile(info)
    return out.getvalue()


def test_names_flags_and_states(docker):
    for argv, code, message in [
        (["run", "--rm", "Busybox:UP", "true"], 125, "repository name"),
        (["run", "--rm", "a b", "true"], 125, "invalid reference format"),
        (["run", "--no-such-flag", IMAGE], 125, "unknown flag: --no-such-flag"),
        (["run", "--memory", "many", IMAGE], 125, 'invalid argument "many" for "-m, --memory" flag'),
        (["run", "--memory", "1m", IMAGE], 125, "Minimum memory limit allowed is 6MB"),
        (["run", "--name", "-bad-", IMAGE], 125, "Invalid container name"),
        (["run", "-p", "99999:80", IMAGE], 125, "99999"),
        (["start", "no-such-container"], 1, "No such container: no-such-container"),
        (["exec", "no-such-container", "true"], 1, "No such container: no-such-container"),
        (["logs", "no-such-container"], 1, "No such container: no-such-container"),
        (["kill", "-s", "NOPE", "no-such-container"], 1, "No such container: no-such-container"),
        (["inspect", "no-such-thing"], 1, "No such object: no-such-thing"),
        (["rmi", "no-such-image"], 1, "No such image: no-such-image"),
    ]:
        done = docker(*argv, check=False)
        assert (done.returncode, message.lower() in done.stderr.lower()) == (code, True), (argv, done)


@pytest.mark.parametrize("entries", [
    [("../escaped", tarfile.REGTYPE, b"x")],
    [("a/../../escaped", tarfile.REGTYPE, b"x")],
    [("link", tarfile.SYMTYPE, "/var/tmp"), ("link/escaped-by-link", tarfile.REGTYPE, b"x")],
    [("hard", tarfile.LNKTYPE, "../../../../etc/passwd")],
    [("up", tarfile.SYMTYPE, "../../../.."), ("up/escaped", tarfile.REGTYPE, b"x")],
], ids=["dotdot", "inner-dotdot", "absolute-link", "hard-link", "relative-link"])
def test_layers_that_try_to_escape(daemon, entries, request):
    name = request.node.callspec.id
    path = WORK / f"escape-{name}"
    path.write_bytes(layer(*entries))
    archive = WORK / f"escape-{name}.tar"
    docker_archive(archive, f"escape:{name}", [path], {"Cmd": ["x"]})
    before = files_under(daemon.dir / "data" / "content")
    done = daemon.caisson("load", "-i", archive, check=False)
    assert not os.path.exists("/var/tmp/escaped-by-link")
    for root in (daemon.dir, daemon.dir / "data", daemon.dir / "data/snapshots", WORK):
        assert not os.path.exists(root / "escaped")
    if done.returncode:
        assert any(entry[0] in done.stderr for entry in entries), done.stderr
        assert files_under(daemon.dir / "data" / "content") == before
        assert f"escape:{name}" not in daemon.caisson("images", "--format", "{{.Repository}}:{{.Tag}}").stdout
    else:
        daemon.caisson("rmi", "-f", f"escape:{name}")


class Registry(http.server.BaseHTTPRequestHandler):
    """Serves one image; `cut` says after how many bytes each answer for the layer breaks, `corrupt` flips a byte."""

    protocol_version = "HTTP/1.1"
    blobs, manifest, layer_digest = {}, b"", ""
    cuts, corrupt, ranges = [], False, []

    def log_message(self, *_):
        pass

    def reply(self, status, body=b"", start=0, **headers):
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if headers.get("Docker_Content_Digest") == self.layer_digest and self.cuts:
            self.wfile.write(body[:self.cuts.pop(0)])
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        self.wfile.write(body)

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        if self.path == "/v2/":
            return self.reply(200)
        if "/manifests/" in self.path:
            return self.reply(200, self.manifest, Content_Type="application/vnd.oci.image.manifest.v1+json",
                              Docker_Content_Digest="sha256:" + hashlib.sha256(self.manifest).hexdigest())
        digest = self.path.rsplit("/", 1)[1]
        body = self.blobs.get(digest)
        if body is None:
            return self.reply(404)
        if self.corrupt and digest == self.layer_digest:
            body = body[:-1] + bytes([body[-1] ^ 1])
        wanted = self.headers.get("Range")
        if wanted and digest == self.layer_digest:
            start = int(wanted.split("=")[1].split("-")[0])
            self.ranges.append(start)
            return self.reply(206, body[start:], Docker_Content_Digest=digest, Content_Range=f"bytes {start}-{len(body) - 1}/{len(body)}")
        return self.reply(200, body, Docker_Content_Digest=digest)


@pytest.fixture
def fake_registry():
    data = layer(("etc/big", tarfile.REGTYPE, os.urandom(4 << 20)), ("bin/x", tarfile.REGTYPE, b"x"))
    digest = lambda text: "sha256:" + hashlib.sha256(text).hexdigest()
    config = json.dumps({"architecture": "amd64", "os": "linux", "config": {"Cmd": ["/bin/x"]},
                         "rootfs": {"type": "layers", "diff_ids": [digest(data)]}}).encode()
    Registry.blobs = {digest(data): data, digest(config): config}
    Registry.layer_digest = digest(data)
    Registry.manifest = json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                                    "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest(config), "size": len(config)},
                                    "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": digest(data), "size": len(data)}]}).encode()
    Registry.cuts, Registry.corrupt, Registry.ranges = [], False, []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Registry)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_address[1]}/cut/image:1"
    server.shutdown()
    server.server_close()


def test_a_broken_download_is_resumed_where_it_broke(daemon, fake_registry):
    Registry.cuts = [1 << 20, 1 << 20]
    daemon.caisson("pull", fake_registry)
    assert Registry.ranges and all(start > 0 for start in Registry.ranges), "the rest was asked for, not all of it again"
    daemon.caisson("rmi", fake_registry)


def test_a_layer_with_a_wrong_digest_is_not_stored(daemon, fake_registry):
    Registry.corrupt = True
    before = files_under(daemon.dir / "data" / "content" / "blobs")
    done = daemon.caisson("pull", fake_registry, check=False, timeout=120)
    assert done.returncode == 1
    assert "digest" in done.stderr
    assert files_under(daemon.dir / "data" / "content" / "blobs") == before
    Registry.corrupt = False
    daemon.caisson("pull", fake_registry)
    daemon.caisson("rmi", fake_registry)


def test_a_registry_that_is_gone_for_good(daemon, fake_registry):
    Registry.cuts = [1 << 20] + [0] * 100
    done = daemon.caisson("pull", fake_registry, check=False, timeout=120)
    assert done.returncode == 1 and done.stderr
    Registry.cuts, Registry.ranges = [], []
    daemon.caisson("pull", fake_registry)
    assert Registry.ranges and Registry.ranges[0] >= 1 << 20, "the next pull goes on where the last one ended"
    daemon.caisson("rmi", fake_registry)


def test_a_full_disk(debian_archive):
    small = WORK / "small"
    small.mkdir()
    run("mount", "-t", "tmpfs", "-o", "size=60m", "small", small)
    daemon = Daemon("full")
    daemon.flags = ("--data-root", str(small / "data"))
    try:
        daemon.start()
        daemon.caisson("run", "--rm", IMAGE, "true")
        done = daemon.caisson("load", "-i", debian_archive, check=False, timeout=300)
        assert done.returncode == 1
        assert "no space left on device" in (done.stdout + done.stderr).lower()
        assert "debian" not in daemon.caisson("images").stdout
        assert daemon.caisson("run", "--rm", IMAGE, "echo", "still here").stdout == "still here\n"
        free = os.statvfs(small)
        assert free.f_bavail * free.f_bsize > 40 << 20, "what did not fit was removed again"
    finally:
        daemon.stop()
        run("umount", small)


def test_not_root(daemon):
    as_nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
    copy = WORK / "bin"
    copy.mkdir(mode=0o755, exist_ok=True)
    os.chmod(WORK, 0o755)
    run("cp", BIN / "caisson", BIN / "caissond", BIN / "caisson-runtime", copy)
    os.chmod(daemon.dir, 0o755)
    server = run(*as_nobody, copy / "caissond", "--data-root", "/nonexistent", "-H", "unix:///nonexistent/s", check=False)
    assert server.returncode == 1 and "root" in server.stderr
    client = run(*as_nobody, copy / "caisson", "-H", daemon.host, "ps", check=False)
    assert client.returncode == 1 and "permission denied" in client.stderr.lower()
    runtime = run(*as_nobody, copy / "caisson-runtime", "--root", "/var/tmp/nobody", "run", "--bundle", "/nonexistent", "x", check=False)
    assert runtime.returncode != 0 and runtime.stderr


def test_no_daemon(tmp_path):
    done = run(BIN / "caisson", "-H", f"unix://{tmp_path}/none", "ps", check=False)
    assert done.returncode == 1
    assert f"Cannot connect to the Docker daemon at unix://{tmp_path}/none. Is the docker daemon running?" in done.stderr
    done = run(BIN / "caisson", "-H", f"unix://{tmp_path}/none", "run", IMAGE, check=False)
    assert done.returncode == 125


def test_two_daemons_do_not_share_a_data_root(daemon):
    done = subprocess.run([BIN / "caissond", "--data-root", daemon.dir / "data", "--exec-root", daemon.dir / "exec2", "--config-file", daemon.dir / "none",
                           "-H", f"unix://{daemon.dir}/other"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=20)
    assert done.returncode == 1 and "another daemon uses" in done.stdout, done.stdout


def test_daemon_json(tmp_path):
    check = lambda text, *flags: (tmp_path.joinpath("d.json").write_text(text), run(BIN / "caissond", "--validate", "--config-file", tmp_path / "d.json", *flags, check=False))[1]
    assert check('{"debug": true, "log-opts": {"max-size": "10m"}}').returncode == 0
    assert "directives don't match any configuration option: no-such-key" in check('{"no-such-key": 1}').stderr
    assert "specified both as a flag and in the configuration file: debug" in check('{"debug": true}', "--debug").stderr
    assert "invalid JSON" in check('{"debug": ').stderr
    assert check('{"userns-remap": "default"}').returncode == 1
