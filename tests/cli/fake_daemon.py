"""A daemon that only listens: it writes down what a client asks for and gives canned answers.

Used to compare what two clients send. Start it with `with FakeDaemon() as daemon`; the address is
`daemon.host`, the requests are `daemon.requests`, and `daemon.answers` maps "METHOD /path" (without the
version) to (status, JSON value or bytes).
"""
import json
import os
import re
import socket
import tempfile
import threading
import urllib.parse

CONTAINER = "c0ffee" + "0" * 58


def default_answers():
    return {
        "POST /containers/create": (201, {"Id": CONTAINER, "Warnings": []}),
        f"POST /containers/{CONTAINER}/start": (204, b""),
        f"POST /containers/{CONTAINER}/wait": (200, {"StatusCode": 0}),
    }


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


def frame(stream, text):
    return bytes([stream, 0, 0, 0]) + len(text).to_bytes(4, "big") + text


class Request:
    def __init__(self, method, target, headers, body):
        self.method, self.headers, self.body = method, headers, body
        path, _, query = target.partition("?")
        self.path = re.sub(r"^/v\d+\.\d+", "", urllib.parse.unquote(path))
        self.query = sorted(urllib.parse.parse_qsl(query, keep_blank_values=True))

    def json(self):
        return json.loads(self.body) if self.body else None

    def __repr__(self):
        return f"{self.method} {self.path} {self.query}"


class FakeDaemon:
    def __init__(self, api_version="1.50"):
        self.api_version = api_version
        self.on_upgrade = None  # called with (connection, request) instead of sending `attached`
        self.on_stream = {}  # "METHOD /path" → called with (connection, request) for an answer in chunks
        self.connections = set()
        self.directory = tempfile.TemporaryDirectory(prefix="fake-daemon-")
        self.path = os.path.join(self.directory.name, "s")
        self.host = "unix://" + self.path
        self.requests = []
        self.answers = default_answers()
        self.attached = b""  # what an attached client reads before the end

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.die()
        self.directory.cleanup()

    def start(self):
        """Listens; after die() this is the next daemon."""
        if os.path.exists(self.path):
            os.unlink(self.path)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(64)
        os.chmod(self.path, 0o600)
        threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()

    def die(self, keep=()):
        """As SIGKILL would: all connections break, but those handed to somebody else (`keep`)."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in self.connections - set(keep):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.connections = set(keep)

    def _accept(self, listener):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            self.connections.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        stream = connection.makefile("rwb")
        try:
            while self._one(stream, connection):
                pass
        except (OSError, ValueError):
            pass
        finally:
            stream.close()
            connection.close()

    def _one(self, stream, connection):
        line = stream.readline().decode()
        if not line:
            return False
        method, target, _ = line.split(" ", 2)
        headers = {}
        while (line := stream.readline().decode().strip()):
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        body = b""
        if headers.get("transfer-encoding") == "chunked":
            while (size := int(stream.readline(), 16)):
                body += stream.read(size)
                stream.readline()
            stream.readline()
        elif "content-length" in headers:
            body = stream.read(int(headers["content-length"]))
        request = Request(method, target, headers, body)
        if request.path == "/_ping":
            self._reply(stream, method, 200, b"OK", "text/plain")
            return True
        self.requests.append(request)
        if headers.get("upgrade") == "tcp":
            stream.write(b"HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\n"
                         b"Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n" + self.attached)
            stream.flush()
            if self.on_upgrade:
                self.on_upgrade(connection, request)
                return False
            connection.shutdown(socket.SHUT_WR)
            while stream.read1(65536):
                pass
            return False
        if handler := self.on_stream.get(f"{method} {request.path}"):
            stream.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.multiplexed-stream\r\n"
                         b"Transfer-Encoding: chunked\r\n\r\n")
            stream.flush()
            handler(connection, request)
            return False
        status, answer = self.answers.get(f"{method} {request.path}",
                                          (404, {"message": f"nothing at {request.path}"}))
        if callable(answer):
            status, answer = answer(request)
        if isinstance(answer, bytes):
            self._reply(stream, method, status, answer, "application/octet-stream")
        else:
            self._reply(stream, method, status, json.dumps(answer).encode() + b"\n", "application/json")
        return True

    def _reply(self, stream, method, status, body, content_type):
        head = [f"HTTP/1.1 {status} x", f"Api-Version: {self.api_version}", "Ostype: linux",
                "Docker-Experimental: true", f"Content-Type: {content_type}", "Server: fake"]
        if status not in (204, 304):
            head.append(f"Content-Length: {len(body)}")
        stream.write(("\r\n".join(head) + "\r\n\r\n").encode())
        if method != "HEAD" and status not in (204, 304):
            stream.write(body)
        stream.flush()
