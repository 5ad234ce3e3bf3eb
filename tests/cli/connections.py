#!/usr/bin/env python3
"""The ways to a daemon: ssh://, TLS over tcp://, flags and variables. The daemon only listens (fake_daemon.py); sshd
runs in a network namespace of its own.

  connections.py CAISSON
"""
import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

from fake_daemon import FakeDaemon

CLIENT = os.path.abspath(sys.argv[1])


def run(*words, path=None, folder="/nonexistent", **variables):
    environment = {"PATH": path or os.environ["PATH"], "HOME": "/nonexistent", "DOCKER_CONFIG": folder, **variables}
    return subprocess.run([CLIENT, *words], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60,
                          env=environment)


def expect(condition, what):
    if not condition:
        raise AssertionError(what)


def wait_for(check, what):
    deadline = time.monotonic() + 30
    while not check():
        expect(time.monotonic() < deadline, f"in vain: {what}")
        time.sleep(0.02)


def listing(daemon):
    daemon.answers["GET /containers/json"] = (200, [])
    return daemon


# -- ssh --------------------------------------------------------------------------------------------

class Ssh:
    """sshd on 127.0.0.1 with a key of its own. `bin` is all that a command finds there."""

    def __init__(self, daemon):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="cli-ssh-"))
        self.bin = self.folder / "bin"
        self.here = self.folder / "here"
        for folder in (self.bin, self.here):
            folder.mkdir()
        for name in ("host", "user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.folder / name], check=True)
        (self.folder / "sshd_config").write_text(f"""
Port 2222
ListenAddress 127.0.0.1
HostKey {self.folder}/host
PidFile none
UsePAM no
StrictModes no
PermitRootLogin yes
AuthorizedKeysFile {self.folder}/user.pub
SetEnv PATH={self.bin} DOCKER_HOST={daemon.host} DOCKER_CONFIG=/nonexistent
""")
        host_key = (self.folder / "host.pub").read_text()
        (self.folder / "known").write_text(f"[127.0.0.1]:2222 {host_key}")
        (self.folder / "ssh_config").write_text(f"""
IdentityFile {self.folder}/user
IdentitiesOnly yes
UserKnownHostsFile {self.folder}/known
BatchMode yes
""")
        wrapper = self.here / "ssh"
        wrapper.write_text(f"#!/bin/sh\necho \"$*\" >> {self.folder}/calls\nexec /usr/bin/ssh -F {self.folder}/ssh_config \"$@\"\n")
        wrapper.chmod(0o755)
        self.path = f"{self.here}:/usr/bin:/bin"
        self.server = subprocess.Popen(["/usr/sbin/sshd", "-D", "-e", "-f", self.folder / "sshd_config"],
                                       stderr=open(self.folder / "log", "w"))
        wait_for(self.listens, "sshd listens")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.terminate()
        self.server.wait()
        shutil.rmtree(self.folder)

    @staticmethod
    def listens():
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", 2222), 1):
            return True
        return False

    def install(self, name):
        os.symlink(CLIENT, self.bin / name)

    def calls(self):
        return (self.folder / "calls").read_text().splitlines()


def test_ssh():
    with listing(FakeDaemon()) as daemon, Ssh(daemon) as ssh:
        ssh.install("docker")
        done = run("-H", "ssh://root@127.0.0.1:2222", "ps", "-q", path=ssh.path)
        expect(done.returncode == 0, done)
        expect([r.path for r in daemon.requests] == ["/containers/json"], daemon.requests)
        expect(ssh.calls() == ["-o ConnectTimeout=30 -T -l root -p 2222 -- 127.0.0.1 docker system dial-stdio"], ssh.calls())


def test_ssh_with_a_socket():
    with listing(FakeDaemon()) as daemon, Ssh(daemon) as ssh:
        ssh.install("docker")
        done = run("-H", f"ssh://root@127.0.0.1:2222{daemon.path}", "ps", "-q", path=ssh.path)
        expect(done.returncode == 0, done)
        expect(f"docker --host unix://{daemon.path} system dial-stdio" in ssh.calls()[0], ssh.calls())


def test_ssh_where_only_caisson_is():
    with listing(FakeDaemon()) as daemon, Ssh(daemon) as ssh:
        ssh.install("caisson")
        done = run("-H", "ssh://root@127.0.0.1:2222", "ps", "-q", path=ssh.path)
        expect(done.returncode == 0, done)
        expect([call.split(" -- ")[1] for call in ssh.calls()] == ["127.0.0.1 docker system dial-stdio",
                                                                  "127.0.0.1 caisson system dial-stdio"], ssh.calls())


def test_ssh_streams_both_ways():
    with listing(FakeDaemon()) as daemon, Ssh(daemon) as ssh:
        ssh.install("docker")
        body = os.urandom(3_000_000)
        received = []

        def export(request):
            received.append(request)
            return 200, body
        daemon.answers["GET /containers/a/export"] = (0, export)
        target = ssh.folder / "out"
        done = run("-H", "ssh://root@127.0.0.1:2222", "export", "-o", str(target), "a", path=ssh.path)
        expect(done.returncode == 0, done)
        expect(target.read_bytes() == body, "the bytes differ")


def test_ssh_says_what_went_wrong():
    with FakeDaemon() as daemon, Ssh(daemon) as ssh:
        done = run("-H", "ssh://root@127.0.0.1:2222", "ps", path=ssh.path)
        expect(done.returncode == 1, done)
        expect("has exited with exit status 127" in done.stderr and "caisson system dial-stdio" in done.stderr, done)
        done = run("-H", "ssh://nobody@127.0.0.1:2222", "ps", path=ssh.path)
        expect("has exited with exit status 255" in done.stderr and "Permission denied" in done.stderr, done)
        done = run("-H", "ssh://root@127.0.0.1:1", "ps", path=ssh.path)
        expect("Connection refused" in done.stderr, done)
        done = run("-H", "ssh://root@127.0.0.1:2222", "ps", path="/nonexistent")
        expect('exec: "ssh": executable file not found in $PATH' in done.stderr, done)


def test_ssh_by_a_context():
    with listing(FakeDaemon()) as daemon, Ssh(daemon) as ssh:
        ssh.install("docker")
        folder = str(ssh.folder / "config")
        expect(run("context", "create", "far", "--docker", "host=ssh://root@127.0.0.1:2222", folder=folder).returncode == 0, "")
        done = run("--context", "far", "ps", "-q", path=ssh.path, folder=folder)
        expect(done.returncode == 0, done)


# -- dial-stdio -------------------------------------------------------------------------------------

def test_dial_stdio():
    with listing(FakeDaemon()) as daemon:
        request = b"GET /v1.40/containers/json HTTP/1.1\r\nHost: x\r\n\r\n"
        process = subprocess.Popen([CLIENT, "-H", daemon.host, "system", "dial-stdio"], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE)
        answer, _ = process.communicate(request, timeout=60)
        expect(answer.startswith(b"HTTP/1.1 200 "), answer)
        expect(process.returncode == 0, process.returncode)
        # The daemon's end is the end, whatever stdin does.
        process = subprocess.Popen([CLIENT, "-H", daemon.host, "system", "dial-stdio"], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE)
        process.stdin.write(request)
        process.stdin.flush()
        expect(process.stdout.read(8) == b"HTTP/1.1", "no answer")
        daemon.die()
        expect(process.wait(60) == 0, process.returncode)
        daemon.start()
    done = run("-H", "unix:///nonexistent/x", "system", "dial-stdio")
    expect(done.returncode == 1 and done.stderr.startswith("failed to open the raw stream connection: "), done)


# -- TLS --------------------------------------------------------------------------------------------

class Tls:
    """Certificates, and a TLS listener that passes to the daemon's socket."""

    def __init__(self, daemon, client_must_show_one=True):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="cli-tls-"))
        self.make("ca", None, "/CN=authority", "")
        self.make("server", "ca", "/CN=127.0.0.1", "subjectAltName=IP:127.0.0.1")
        self.make("cert", "ca", "/CN=client", "")
        self.make("other", None, "/CN=other", "")
        for name, file in (("ca", "ca.pem"), ("cert", "cert.pem"), ("cert", "key.pem")):
            source = self.folder / (f"{name}.key" if file == "key.pem" else f"{name}.crt")
            shutil.copy(source, self.folder / file)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / "server.crt", self.folder / "server.key")
        if client_must_show_one:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.folder / "ca.crt")
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.accept, args=(context, daemon), daemon=True)
        self.thread.start()

    def make(self, name, authority, subject, extension):
        base = self.folder / name
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                   "-days", "30", "-subj", subject, "-keyout", f"{base}.key", "-out", f"{base}.crt"]
        if extension:
            command += ["-addext", extension]
        if authority:
            command += ["-CA", self.folder / f"{authority}.crt", "-CAkey", self.folder / f"{authority}.key",
                        "-addext", "basicConstraints=critical,CA:FALSE"]
        done = subprocess.run(command, capture_output=True)
        if done.returncode != 0 and authority:  # openssl 3.0 does not sign by -CA in req
            subprocess.run(["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                            "-subj", subject, "-keyout", f"{base}.key", "-out", f"{base}.csr"], check=True, capture_output=True)
            (self.folder / f"{name}.ext").write_text(extension)
            subprocess.run(["openssl", "x509", "-req", "-in", f"{base}.csr", "-CA", self.folder / f"{authority}.crt",
                            "-CAkey", self.folder / f"{authority}.key", "-CAcreateserial", "-days", "30",
                            "-extfile", self.folder / f"{name}.ext", "-out", f"{base}.crt"], check=True, capture_output=True)

    def accept(self, context, daemon):
        while True:
            try:
                plain, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(context, plain, daemon), daemon=True).start()

    @staticmethod
    def serve(context, plain, daemon):
        with contextlib.suppress(OSError), context.wrap_socket(plain, server_side=True) as secure:
            inner = socket.socket(socket.AF_UNIX)
            inner.connect(daemon.path)

            def back():
                with contextlib.suppress(OSError):
                    while data := inner.recv(65536):
                        secure.sendall(data)
                    secure.shutdown(socket.SHUT_RDWR)
            threading.Thread(target=back, daemon=True).start()
            while data := secure.recv(65536):
                inner.sendall(data)
            inner.shutdown(socket.SHUT_WR)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # A thread that is still in accept() would take a connection of the next listener with this descriptor's number.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.listener.close()
        shutil.rmtree(self.folder)


def test_tls():
    with listing(FakeDaemon()) as daemon, Tls(daemon) as tls:
        host, folder = f"tcp://127.0.0.1:{tls.port}", str(tls.folder)
        files = ["--tlscacert", f"{folder}/ca.pem", "--tlscert", f"{folder}/cert.pem", "--tlskey", f"{folder}/key.pem"]
        good = [
            (["-H", host, "--tlsverify", *files], {}),
            (["-H", host, "--tls", *files], {}),
            ([], {"DOCKER_HOST": host, "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": folder}),
            (["--tls"], {"DOCKER_HOST": host, "DOCKER_CERT_PATH": folder}),
            (["-H", host, "--tlsverify"], {"folder": folder}),
        ]
        for flags, variables in good:
            done = run(*flags, "ps", "-q", **variables)
            expect(done.returncode == 0, (flags, variables, done))
        # The other side is not the one that was meant, or does not take ours.
        bad = [
            (["-H", host, "--tlsverify", *files[:1], f"{folder}/other.crt", *files[2:]], {}, "certificate"),
            (["-H", host, "--tlsverify", *files[:2]], {}, ""),
            (["-H", host, "--tlsverify", "--tlscacert", f"{folder}/nothing.pem"], {}, "nothing.pem"),
            (["-H", host], {}, ""),
        ]
        for flags, variables, words in bad:
            done = run(*flags, "ps", "-q", **variables)
            expect(done.returncode == 1 and words in done.stderr and done.stderr, (flags, done))


def test_tls_by_a_context():
    with listing(FakeDaemon()) as daemon, Tls(daemon) as tls:
        folder = str(tls.folder / "config")
        settings = f"host=tcp://127.0.0.1:{tls.port}," + ",".join(f"{n}={tls.folder}/{n}.pem" for n in ("ca", "cert", "key"))
        expect(run("context", "create", "safe", "--docker", settings, folder=folder).returncode == 0, "create")
        for name in ("ca", "cert", "key"):
            (tls.folder / f"{name}.pem").unlink()  # the context has its own copies
        done = run("--context", "safe", "ps", "-q", folder=folder)
        expect(done.returncode == 0, done)
        done = run("ps", "-q", folder=folder, DOCKER_CONTEXT="safe")
        expect(done.returncode == 0, done)
        expect(run("context", "use", "safe", folder=folder).returncode == 0, "use")
        expect(run("ps", "-q", folder=folder).returncode == 0, "by configuration")
        # And over an archive.
        done = run("context", "export", "safe", str(tls.folder / "a.tar"), folder=folder)
        expect(done.returncode == 0, done)
        expect(oct((tls.folder / "a.tar").stat().st_mode & 0o777) == "0o600", "an archive with a key")
        expect(run("context", "import", "other", str(tls.folder / "a.tar"), folder=folder).returncode == 0, "import")
        expect(run("--context", "other", "ps", "-q", folder=folder).returncode == 0, "imported")


# -- the configuration ------------------------------------------------------------------------------

def configured(daemon, folder, config, *words, **variables):
    (pathlib.Path(folder) / "config.json").write_text(json.dumps(config))
    return run("-H", daemon.host, *words, folder=folder, **variables)


def test_api_version():
    with listing(FakeDaemon()) as daemon:
        done = run("-H", daemon.host, "version", "--format", "{{.Client.APIVersion}}", DOCKER_API_VERSION="1.41")
        daemon.answers["GET /version"] = (200, {"Version": "1", "ApiVersion": "1.50"})
        done = run("-H", daemon.host, "version", "--format", "{{.Client.ApiVersion}}", DOCKER_API_VERSION="1.41")
        expect(done.stdout.strip() == "1.41", done)


def test_headers():
    with listing(FakeDaemon()) as daemon, tempfile.TemporaryDirectory() as folder:
        done = configured(daemon, folder, {"HttpHeaders": {"X-Mine": "yes", "User-Agent": "no"}}, "ps")
        expect(done.returncode == 0, done)
        expect(daemon.requests[0].headers["x-mine"] == "yes", daemon.requests[0].headers)
        expect(daemon.requests[0].headers["user-agent"].startswith("caisson/"), daemon.requests[0].headers)


def test_proxies():
    with FakeDaemon() as daemon, tempfile.TemporaryDirectory() as folder:
        proxies = {"default": {"httpProxy": "http://p:1", "noProxy": "x"}}
        done = configured(daemon, folder, {"proxies": proxies}, "create", "-e", "HTTP_PROXY=own", "-e", "A=1", "busybox")
        expect(done.returncode == 0, done)
        env = daemon.requests[-1].json()["Env"]
        expect(sorted(env) == ["A=1", "HTTP_PROXY=own", "NO_PROXY=x", "http_proxy=http://p:1", "no_proxy=x"], env)
        proxies[daemon.host] = {"allProxy": "socks5://q", "ftpProxy": "f", "httpsProxy": "s"}
        configured(daemon, folder, {"proxies": proxies}, "run", "-d", "busybox")
        env = [r for r in daemon.requests if r.path == "/containers/create"][-1].json()["Env"]
        expect(sorted(env) == ["ALL_PROXY=socks5://q", "FTP_PROXY=f", "HTTPS_PROXY=s", "all_proxy=socks5://q",
                               "ftp_proxy=f", "https_proxy=s"], env)


def test_what_is_unknown_stays():
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "real.json"
        path.write_text('{"auths": {"x": {"auth": "eA=="}}, "later": {"a": [1, 2.5, null]}, "psFormat": "table"}')
        path.chmod(0o640)
        (pathlib.Path(folder) / "config.json").symlink_to("real.json")
        expect(run("context", "create", "aa", "--docker", "host=unix:///x", folder=folder).returncode == 0, "create")
        expect(run("context", "use", "aa", folder=folder).returncode == 0, "use")
        expect((pathlib.Path(folder) / "config.json").is_symlink(), "the link is gone")
        now = json.loads(path.read_text())
        expect(now == {"auths": {"x": {"auth": "eA=="}}, "later": {"a": [1, 2.5, None]}, "psFormat": "table",
                       "currentContext": "aa"}, now)
        expect(path.stat().st_mode & 0o777 == 0o640, oct(path.stat().st_mode))


def test_formats():
    with listing(FakeDaemon()) as daemon, tempfile.TemporaryDirectory() as folder:
        daemon.answers["GET /networks"] = (200, [{"Name": "n", "Id": "i" * 64}])
        daemon.answers["GET /volumes"] = (200, {"Volumes": [{"Name": "v"}]})
        daemon.answers["GET /images/json"] = (200, [{"Id": "sha256:" + "b" * 64, "RepoTags": ["x:1"]}])
        daemon.answers["GET /containers/json"] = (200, [{"Id": "c" * 64, "Names": ["/c"]}])
        for key, command, expected in (("networksFormat", "network ls", "<n>"), ("volumesFormat", "volume ls", "<v>"),
                                       ("psFormat", "ps", "<c>")):
            field = "Names" if command == "ps" else "Name"
            done = configured(daemon, folder, {key: "<{{." + field + "}}>"}, *command.split())
            expect(done.stdout.strip() == expected, (key, done))
        done = configured(daemon, folder, {"imagesFormat": "<{{.Repository}}>"}, "images")
        expect(done.stdout.strip() == "<x>", done)
        # What the command line says goes first.
        done = configured(daemon, folder, {"psFormat": "x"}, "ps", "--format", "{{.Names}}")
        expect(done.stdout.strip() == "c", done)


def main():
    failed = 0
    for name, test in sorted(globals().items()):
        if not name.startswith("test_"):
            continue
        try:
            test()
        except Exception as error:  # noqa: BLE001: all of them are to be reported
            failed += 1
            print(f"{name}: {type(error).__name__}: {error}")
    print(f"{failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    if os.environ.get("CONNECTIONS_INSIDE") != "1":
        os.execvpe("unshare", ["unshare", "--net", "--mount", "--propagation", "private", "sh", "-c",
                               "ip link set lo up && mount -t tmpfs none /run && mkdir /run/sshd && exec \"$@\"", "sh",
                               sys.executable, "-B", *sys.argv], {**os.environ, "CONNECTIONS_INSIDE": "1"})
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    sys.exit(main())
