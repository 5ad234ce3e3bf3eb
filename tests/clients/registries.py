"""Registries that tests make: Debian's docker-registry with passwords and TLS, and a search service."""
import ctypes
import http.server
import json
import os
import socket
import socketserver
import subprocess
import threading
import types
import urllib.parse

from conftest import WORK, run, wait_until


def bcrypt(password):
    """As htpasswd -B writes it, which is what docker-registry takes. libcrypt is on every system."""
    crypt = ctypes.CDLL("libcrypt.so.1").crypt
    crypt.restype = ctypes.c_char_p
    return crypt(password.encode(), b"$2b$05$abcdefghijklmnopqrstuu").decode()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def make_certificates(folder, *names):
    """An authority and a server's certificate of it: ca.crt, server.crt, server.key."""
    folder.mkdir(parents=True)
    subject = ",".join(("IP:" if name[0].isdigit() else "DNS:") + name for name in names)
    (folder / "ext").write_text(f"subjectAltName={subject}\n")
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
        "-subj", "/CN=test authority", "-keyout", folder / "ca.key", "-out", folder / "ca.crt")
    run("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={names[0]}",
        "-keyout", folder / "server.key", "-out", folder / "server.csr")
    run("openssl", "x509", "-req", "-in", folder / "server.csr", "-CA", folder / "ca.crt", "-CAkey", folder / "ca.key",
        "-CAcreateserial", "-days", "2", "-extfile", folder / "ext", "-out", folder / "server.crt")
    return folder


class Registry:
    """docker-registry. `users`: name → password; `tls`: a folder of make_certificates."""

    def __init__(self, name, users=None, tls=None, host="127.0.0.1", data=None):
        self.port = free_port()
        self.host = f"{host}:{self.port}"
        self.data = data or WORK / f"registry-{name}"
        self.data.mkdir(exist_ok=True)
        config = {"version": "0.1", "log": {"level": "error"}, "http": {"addr": f"127.0.0.1:{self.port}"},
                  "storage": {"filesystem": {"rootdirectory": str(self.data / "data")}, "delete": {"enabled": True}}}
        if tls:
            config["http"]["tls"] = {"certificate": str(tls / "server.crt"), "key": str(tls / "server.key")}
        if users:
            lines = [f"{user}:{bcrypt(password)}\n" for user, password in users.items()]
            (self.data / "htpasswd").write_text("".join(lines))
            config["auth"] = {"htpasswd": {"realm": "test", "path": str(self.data / "htpasswd")}}
        path = self.data / "config.yml"
        path.write_text(json.dumps(config))  # JSON is YAML
        self.process = subprocess.Popen(["docker-registry", "serve", path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(self.answers, "docker-registry listens")

    def answers(self):
        assert self.process.poll() is None, "docker-registry ended"
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def stop(self):
        self.process.kill()
        self.process.wait()


class HttpServer:
    """`handle(request)` → (status, headers, body); the requests are kept."""

    def __init__(self, handle):
        self.requests = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                url = urllib.parse.urlsplit(self.path)
                request = types.SimpleNamespace(
                    command=self.command, path=self.path, url=url, query=dict(urllib.parse.parse_qsl(url.query)),
                    headers=self.headers, body=self.rfile.read(int(self.headers.get("Content-Length") or 0)))
                outer.requests.append(request)
                status, headers, body = handle(request)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                if "Content-Length" not in headers:
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = answer

            def log_message(self, *_):
                pass

        class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
            daemon_threads = True

        self.server = Server(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def own_docker_etc():
    """An /etc/docker of this mount namespace alone."""
    os.makedirs("/etc/docker", exist_ok=True)
    if not os.path.ismount("/etc/docker"):
        run("mount", "-t", "tmpfs", "certs", "/etc/docker")
