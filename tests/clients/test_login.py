"""Logging in to registries, with the stock clients and ours; pulling and pushing with what a login kept."""
import json
import os
import pathlib
import shutil
import stat
import subprocess

import pexpect
import pytest

from conftest import BIN, DOCKERS, Cli
from registries import HttpServer, Registry, make_certificates, own_docker_etc

USERS = {"me": "pa:ss word"}


@pytest.fixture(scope="module", params=["plain", "tls"])
def private(request, daemon):
    """A registry that asks for a password."""
    if request.param == "plain":
        registry = Registry("private", USERS)
    else:
        own_docker_etc()
        tls = make_certificates(daemon.dir / "certificates", "127.0.0.1")
        registry = Registry("private-tls", USERS, tls)
        folder = pathlib.Path("/etc/docker/certs.d") / registry.host
        folder.mkdir(parents=True)
        shutil.copy(tls / "ca.crt", folder / "ca.crt")
    yield registry
    registry.stop()


@pytest.fixture
def config(daemon):
    path = daemon.dir / ".docker"
    shutil.rmtree(path, ignore_errors=True)
    yield path / "config.json"
    shutil.rmtree(path, ignore_errors=True)


def log_in(client, registry, password=USERS["me"], **more):
    return client("login", "-u", "me", "--password-stdin", registry.host, input=password + "\n", **more)


def test_login_push_pull_logout(client, daemon, private, config):
    daemon.caisson("run", "--rm", "busybox", "true")
    reference = f"{private.host}/box:1"
    daemon.caisson("tag", "busybox", reference)
    denied = client("push", reference, check=False, stdin=subprocess.DEVNULL)
    assert denied.returncode == 1 and "no basic auth credentials" in denied.stdout + denied.stderr

    config.parent.mkdir(exist_ok=True)
    config.write_text('{"unknown": {"kept": true}, "auths": {}}')
    assert "Login Succeeded" in log_in(client, private).stdout
    written = json.loads(config.read_text())
    assert written["auths"][private.host]["auth"] == "bWU6cGE6c3Mgd29yZA=="
    if client.path.endswith("caisson"):  # docker drops what it does not know
        assert written["unknown"] == {"kept": True}
    # A second login without a name takes what the first one kept.
    again = client("login", private.host, stdin=subprocess.DEVNULL)
    assert "Authenticating with existing credentials..." in again.stdout + again.stderr
    assert "Login Succeeded" in again.stdout

    client("push", reference)
    client("rmi", reference)
    client("pull", reference)
    client("rmi", reference)
    assert f"Removing login credentials for {private.host}" in client("logout", private.host).stdout
    assert json.loads(config.read_text())["auths"] == {}
    # docker's own clients would ask for a password here.
    denied = daemon.caisson("pull", reference, check=False)
    assert denied.returncode == 1 and "no basic auth credentials" in denied.stderr


def test_a_wrong_password(client, private, config):
    refused = log_in(client, private, "wrong", check=False)
    assert refused.returncode == 1
    assert "failed with status: 401 Unauthorized" in refused.stderr
    assert "wrong" not in refused.stderr
    assert not config.exists()


def test_what_both_clients_say(daemon, private, config):
    """Ours and docker 28's, word for word."""
    newest = [path for path in DOCKERS if "local" in path]
    if not newest:
        pytest.skip("no docker CLI 28 here")
    said = []
    for path in (newest[0], str(BIN / "caisson")):
        client = Cli(path, daemon)
        shutil.rmtree(config.parent, ignore_errors=True)
        rows = []
        for argv, password in [
            (["login", "-u", "me", "--password-stdin", private.host], USERS["me"]),
            (["login", "-u", "me", "--password-stdin", private.host], USERS["me"]),
            (["login", "-u", "me", "-p", USERS["me"], private.host], None),
            (["login", "--password-stdin", private.host], "x"),
            (["login", "-u", "me", "-p", "x", "--password-stdin", private.host], "x"),
            (["login", "-u", "", "-p", "x", private.host], None),
            (["login", "-u", "me", "--password-stdin", private.host], ""),
            (["login", "-u", "me", private.host], None),
            (["logout", private.host], None),
            (["logout", "http://" + private.host + "/v2/"], None),
            (["logout"], None),
        ]:
            done = client(*argv, input=password or "", check=False)
            rows.append((argv, done.returncode, done.stdout, done.stderr))
        rows.append(config.read_text())
        said.append(rows)
    for theirs, ours in zip(*said):
        assert theirs == ours


def test_on_a_terminal(daemon, private, config):
    for name, password, end in [("me", USERS["me"], "Login Succeeded"), ("me", "wrong", "401 Unauthorized"), ("", "", "username is empty")]:
        child = pexpect.spawn(str(BIN / "caisson"), ["login", private.host], env=daemon.env(), encoding="utf-8", timeout=60)
        child.expect("Username: ")
        child.sendline(name)
        if name:
            child.expect("Password: ")
            child.waitnoecho()
            child.sendline(password)
        child.expect(end)
        child.expect(pexpect.EOF)
        child.close()
        assert (child.exitstatus == 0) == (end == "Login Succeeded")
        assert not password or password not in (child.before or "")
        daemon.caisson("logout", private.host)


HELPER = """#!/bin/sh
# Keeps one secret in a file beside it.
store="$0.secret"
case "$1" in
  store) cat > "$store" ;;
  get) read server; [ -s "$store" ] || { echo "credentials not found in native keychain"; exit 1; }; cat "$store" ;;
  erase) rm -f "$store" ;;
esac
"""


def test_a_credential_helper_keeps_the_password(client, daemon, private, config, tmp_path):
    helper = tmp_path / "docker-credential-test"
    helper.write_text(HELPER)
    helper.chmod(0o755)
    secret = pathlib.Path(str(helper) + ".secret")
    config.parent.mkdir(exist_ok=True)
    config.write_text(json.dumps({"credHelpers": {private.host: "test"}}))
    env = daemon.env(PATH=f"{tmp_path}:{os.environ['PATH']}")

    def call(*argv, **more):
        from conftest import run
        return run(client.path, *argv, env=env, **more)

    done = call("login", "-u", "me", "--password-stdin", private.host, input=USERS["me"])
    assert "Login Succeeded" in done.stdout and "unencrypted" not in done.stderr
    kept = json.loads(secret.read_text())
    assert kept == {"ServerURL": private.host, "Username": "me", "Secret": USERS["me"]}
    assert "bWU6" not in config.read_text()
    daemon.caisson("run", "--rm", "busybox", "true")
    daemon.caisson("tag", "busybox", f"{private.host}/helped:1")
    call("push", f"{private.host}/helped:1")
    daemon.caisson("rmi", f"{private.host}/helped:1")
    call("logout", private.host)
    assert not secret.exists()


def test_an_identity_token_takes_the_passwords_place(client, daemon, config):
    def handle(request):
        if request.url.path == "/token":
            form = request.body.decode()
            if request.command == "POST" and "refresh_token=long-lived" in form:
                return 200, {}, b'{"access_token":"short"}'
            if request.headers.get("Authorization") == "Basic bWU6cHc=" and request.query.get("offline_token") == "true":
                return 200, {}, b'{"token":"short","refresh_token":"long-lived"}'
            return 401, {}, b'{"details":"incorrect username or password"}'
        if request.headers.get("Authorization") != "Bearer short":
            return 401, {"WWW-Authenticate": f'Bearer realm="http://{server.host}/token",service="s"'}, b"{}"
        return (200, {}, b"{}") if request.url.path == "/v2/" else (404, {}, b"{}")

    server = HttpServer(handle)
    try:
        bad = client("login", "-u", "me", "--password-stdin", server.host, input="no", check=False)
        assert "unauthorized: incorrect username or password" in bad.stderr
        client("login", "-u", "me", "--password-stdin", server.host, input="pw")
        assert stat.S_IMODE(config.stat().st_mode) == 0o600
        entry = json.loads(config.read_text())["auths"][server.host]
        assert entry == {"auth": "bWU6", "identitytoken": "long-lived"}
        # The password is not there any more: the token does.
        assert "manifest unknown" in client("pull", f"{server.host}/x:1", check=False).stderr
        assert any(b"grant_type=refresh_token" in request.body for request in server.requests)
    finally:
        server.stop()


def test_search(client, daemon):
    found = [{"name": "web", "description": "a\nweb server with a description that is far too long for a table", "star_count": 9, "is_official": True, "is_automated": False},
             {"name": "me/web", "description": "", "star_count": 1, "is_official": False, "is_automated": False}]

    def handle(request):
        if request.url.path == "/v1/search":
            return 200, {"Content-Type": "application/json"}, json.dumps({"results": found}).encode()
        return 404, {}, b"{}"

    server = HttpServer(handle)
    other = HttpServer(lambda request: (404, {}, b"{}"))
    try:
        term = f"{server.host}/we b"
        listed = client("search", term).stdout.splitlines()
        assert [line.split()[0] for line in listed] == ["NAME", "web", "me/web"] and "[OK]" in listed[1]
        assert dict(server.requests[-1].query)["q"] == "we b"
        assert client.out("search", "--format", "{{.Name}} {{.StarCount}}", "--filter", "stars=3", term) == "web 9"
        assert client.out("search", "--format", "{{.Name}}", "--filter", "is-official=false", "--limit", "7", term) == "me/web"
        assert server.requests[-1].query["n"] == "7"
        bad = client("search", "--limit", "101", term, check=False)
        assert bad.returncode == 1 and "outside the range of [1, 100]" in bad.stderr
        none = client("search", f"{other.host}/x", check=False)
        assert none.returncode == 1 and "has no search" in none.stderr
        assert "invalid filter" in client("search", "--filter", "nope=1", term, check=False).stderr
    finally:
        server.stop()
        other.stop()
