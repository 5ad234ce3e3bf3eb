"""The Engine API as the tests here need it: one connection, plain answers."""
import http.client
import io
import json
import socket
import tarfile
import urllib.parse


class Down(Exception):
    """The daemon went away. `sent`: a request was under way, and may have been carried out."""

    def __init__(self, sent):
        super().__init__("the daemon is away")
        self.sent = sent


class Connection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=60)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Api:
    """Calls return (status, body); the body is JSON where the answer is, else bytes. Raises Down."""

    def __init__(self, path):
        self.path, self.connection = path, None

    def call(self, method, path, body=None, /, **query):
        query = {key: value for key, value in query.items() if value is not None}
        target = "/v1.44" + path + ("?" + urllib.parse.urlencode(query) if query else "")
        # An idle connection may have been closed meanwhile: a new one for each tells "not sent" from "not answered".
        connection = Connection(self.path)
        try:
            connection.connect()
        except OSError as failure:
            raise Down(sent=False) from failure
        data, headers = None, {}
        if isinstance(body, bytes):
            data, headers = body, {"Content-Type": "application/x-tar"}
        elif body is not None or method == "POST":
            data, headers = json.dumps(body or {}).encode(), {"Content-Type": "application/json"}
        try:
            connection.request(method, target, data, headers)
            answer = connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as failure:
            raise Down(sent=True) from failure
        finally:
            connection.close()
        is_json = "json" in answer.headers.get("Content-Type", "") and text
        return answer.status, json.loads(text) if is_json else text

    def get(self, path, /, **query):
        return self.call("GET", path, **query)

    def post(self, path, body=None, /, **query):
        return self.call("POST", path, body, **query)

    def put(self, path, body, /, **query):
        return self.call("PUT", path, body, **query)

    def delete(self, path, /, **query):
        return self.call("DELETE", path, **query)


def tar_of(name, data):
    """A tar of one file."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        info = tarfile.TarInfo(name)
        info.size = len(data)
        tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def text_in(data):
    """The contents of the first file of a tar."""
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        return tar.extractfile(tar.next()).read()
