"""Authorization plugins: shown every request and every answer, and a plugin that fails is a no."""
import base64
import http.server
import json
import os
import signal
import socketserver
import subprocess
import threading

import pytest

from conftest import BIN, WORK, Daemon, run, wait_until
from test_api_versions import call

IMAGE = "busybox"


class Plugin:
    """Docker's protocol v1 over a unix socket; `rule(question)` says what it answers."""

    def __init__(self, path):
        self.seen, self.rule = [], lambda question: {"Allow": True}
        plugin = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if self.path == "/Plugin.Activate":
                    return self.answer({"Implements": ["authz"]})
                question = {**json.loads(body), "Phase": self.path.rpartition("AuthZ")[2]}
                plugin.seen.append(question)
                return self.answer(plugin.rule(question))

            def answer(self, value):
                if isinstance(value, int):
                    self.send_error(value)
                    return
                data = json.dumps(value).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/vnd.docker.plugins.v1+json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def address_string(self):
                return "plugin"

            def log_message(self, *_):
                pass

        class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
            daemon_threads = True

        path.unlink(missing_ok=True)
        self.server = Server(str(path), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def of(self, method, path, phase="Req"):
        return [q for q in self.seen if q["RequestMethod"] == method and q["RequestUri"].split("?")[0].endswith(path) and q["Phase"] == phase]


@pytest.fixture(scope="module")
def plugins():
    """/run is this mount namespace's own from here on: that is where plugins are looked for."""
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)
    os.makedirs("/run/docker/plugins")
    import pathlib
    pair = Plugin(pathlib.Path("/run/docker/plugins/guard.sock")), Plugin(pathlib.Path("/run/docker/plugins/second.sock"))
    yield pair
    for plugin in pair:
        plugin.close()
    subprocess.run(["umount", "/run"], check=True)


@pytest.fixture(scope="module")
def guarded(plugins):
    daemon = Daemon("guarded")
    (daemon.dir / "daemon.json").write_text('{"authorization-plugins": ["guard", "second"]}')
    daemon.start()
    yield daemon
    for plugin in plugins:
        plugin.rule = lambda question: {"Allow": True}
    daemon.stop()


@pytest.fixture(autouse=True)
def all_allowed(plugins):
    for plugin in plugins:
        plugin.rule = lambda question: {"Allow": True}
        plugin.seen.clear()
    yield


def test_what_a_plugin_is_shown(guarded, plugins):
    guarded.caisson("run", "--rm", "-e", "WORD=shown", IMAGE, "true")
    for plugin in plugins:
        create = plugin.of("POST", "/containers/create")[-1]
        assert "WORD=shown" in json.loads(base64.b64decode(create["RequestBody"]))["Env"]
        assert (create["User"], create["UserAuthNMethod"]) == ("", "")
        answer = plugin.of("POST", "/containers/create", "Res")[-1]
        assert answer["ResponseStatusCode"] == 201 and json.loads(base64.b64decode(answer["ResponseBody"]))["Id"]
        assert plugin.of("POST", "/attach", "Res")[-1]["ResponseStatusCode"] == 101
    call(guarded.socket, "POST", "/images/create?fromImage=nowhere.test/x", headers={"X-Registry-Auth": "c2VjcmV0", "X-Other": "seen"})
    headers = plugins[0].of("POST", "/images/create")[-1]["RequestHeaders"]
    assert headers["X-Other"] == "seen" and "c2VjcmV0" not in json.dumps(headers)
    assert json.loads(guarded.caisson("info", "--format", "{{json .Plugins.Authorization}}").stdout) == ["guard", "second"]


def test_a_request_is_denied(guarded, plugins, docker):
    deny = lambda question: {"Allow": not question["RequestUri"].endswith("/containers/create"), "Msg": "no containers today"}
    plugins[1].rule = deny
    done = run(docker.path, "run", IMAGE, "true", env=guarded.env(), check=False)
    assert done.returncode == 125 and "authorization denied by plugin second: no containers today" in done.stderr
    plugins[1].rule = lambda question: {"Allow": False, "Msg": "nothing"}
    for method, target in (("GET", "/_ping"), ("HEAD", "/_ping"), ("OPTIONS", "/info"), ("GET", "/nowhere"), ("GET", "/v1.41/info")):
        answer, data = call(guarded.socket, method, target)
        assert answer.status == 403, target
        assert method == "HEAD" or json.loads(data)["message"] == "authorization denied by plugin second: nothing"


def test_an_answer_is_denied(guarded, plugins):
    guarded.caisson("run", "-d", "--name", "secret", IMAGE, "sh", "-c", "echo secret; sleep 600")
    plugins[0].rule = lambda question: {"Allow": question["Phase"] == "Req", "Msg": "not for you"}
    for target in ("/containers/secret/json", "/containers/secret/logs?stdout=1", "/events?since=1&until=2", "/containers/secret/archive?path=/etc/passwd"):
        answer, data = call(guarded.socket, "GET", target)
        assert answer.status == 403 and json.loads(data)["message"] == "authorization denied by plugin guard: not for you", target
        assert b"secret" not in data
    # A connection is not given away either, and the denied exec never gets one.
    answer, data = call(guarded.socket, "POST", "/containers/secret/attach?stream=1&stdout=1", headers={"Connection": "Upgrade", "Upgrade": "tcp"})
    assert answer.status == 403, data
    plugins[0].rule = lambda question: {"Allow": True}
    guarded.caisson("rm", "-f", "secret")


@pytest.mark.parametrize("answer, message", [
    (500, "plugin guard failed with error: AuthZPlugin.AuthZReq: status 500"), ({"Allow": True, "Err": "broken"}, "plugin guard failed with error: broken"),
    ({}, "authorization denied by plugin guard: "), ({"Allow": "yes"}, "authorization denied by plugin guard: "), ([], "authorization denied by plugin guard: "),
], ids=["status", "err", "empty", "type", "list"])
def test_what_is_no_yes_is_a_no(guarded, plugins, answer, message):
    plugins[0].rule = lambda question: answer
    status, data = call(guarded.socket, "GET", "/info")
    assert status.status in (403, 500) and json.loads(data)["message"].startswith(message), data


def test_a_body_that_can_not_be_shown_is_refused(guarded, plugins):
    answer, data = call(guarded.socket, "POST", "/containers/create", {"Image": IMAGE, "Labels": {"long": "x" * (2 << 20)}})
    assert answer.status == 400 and "authorization plugins are shown 1048576 bytes of a request at most" in json.loads(data)["message"]
    answer, data = call(guarded.socket, "POST", "/containers/create", {"Image": IMAGE, "HostConfig": {"Privileged": True}}, {"Content-Type": "APPLICATION/JSON; charset=utf-8"})
    assert answer.status == 201 and json.loads(base64.b64decode(plugins[0].of("POST", "/containers/create")[-1]["RequestBody"]))["HostConfig"]["Privileged"]
    guarded.caisson("rm", json.loads(data)["Id"])


def test_reload_and_discovery(guarded, plugins):
    config = guarded.dir / "daemon.json"
    plugins[0].rule = lambda question: {"Allow": False, "Msg": "no"}
    status = lambda: call(guarded.socket, "GET", "/info")[0].status
    assert status() == 403
    config.write_text('{"authorization-plugins": ["missing"]}')
    guarded.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "configuration not reloaded: error validating authorization plugin: plugin" in guarded.log(), "the log says why")
    assert status() == 403, "the old plugins stay"
    config.write_text('{"authorization-plugins": ["second"]}')
    guarded.process.send_signal(signal.SIGHUP)
    wait_until(lambda: status() == 200, "the plugin that says no is gone")
    config.write_text('{"authorization-plugins": ["guard", "second"]}')
    guarded.process.send_signal(signal.SIGHUP)
    wait_until(lambda: status() == 403, "... and is back")

    other = Daemon("other-plugins", "--authorization-plugin", "missing")
    done = run(BIN / "caissond", "--data-root", other.dir / "d", "--exec-root", other.dir / "e", "-H", other.host, "--authorization-plugin", "missing", check=False)
    assert done.returncode == 1 and 'plugin "missing" not found' in done.stderr


def test_a_plugin_that_is_gone_is_a_no():
    import pathlib
    plugin = Plugin(pathlib.Path("/run/docker/plugins/fleeting.sock"))
    daemon = Daemon("fleeting", "--authorization-plugin", "fleeting").start()
    plugin.close()
    os.unlink("/run/docker/plugins/fleeting.sock")
    answer, data = call(daemon.socket, "GET", "/info")
    assert answer.status == 500 and json.loads(data)["message"].startswith("plugin fleeting failed with error: "), data
    daemon.stop()
