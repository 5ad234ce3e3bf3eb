"""HostConfig by docker's own clients and ours: what a container is given, looked at from inside of it."""
import json
import urllib.request

import pytest

from conftest import WORK, wait_until

IMAGE = "busybox"


@pytest.fixture
def network(client, names):
    name = names("n")
    client("network", "create", name)
    yield name
    client("network", "rm", name, check=False)


def test_names_on_a_user_network(client, network, names):
    a, b, extra = names(), names(), names("net")
    client("run", "-d", "--name", a, "--network", network, "--network-alias", "first", IMAGE, "sleep", "1000")
    client("run", "-d", "--name", b, "--network", network, IMAGE, "sleep", "1000")
    for name in (a, "first"):
        client("exec", b, "ping", "-c", "1", "-W", "5", name)
    client("exec", a, "ping", "-c", "1", "-W", "5", b)
    other = names()
    client("rename", b, other)
    client("exec", a, "ping", "-c", "1", "-W", "5", other)
    assert client("exec", a, "ping", "-c", "1", "-W", "1", b, check=False).returncode != 0

    client("network", "create", "--subnet", "10.77.1.0/24", extra)
    client("network", "connect", "--alias", "late", "--ip", "10.77.1.77", extra, a)
    client("network", "connect", "--link", f"{a}:linked", extra, other)
    assert "10.77.1.77" in client.out("exec", other, "ping", "-c", "1", "-W", "5", "late")
    client("exec", other, "ping", "-c", "1", "-W", "5", "linked")
    shown = json.loads(client.out("inspect", "-f", "{{json .NetworkSettings.Networks}}", a))
    assert shown[extra]["IPAddress"] == "10.77.1.77" and "late" in shown[extra]["Aliases"]
    client("network", "disconnect", extra, a)
    assert client("exec", other, "ping", "-c", "1", "-W", "1", "late", check=False).returncode != 0
    client("rm", "-f", a, other)
    client("network", "rm", extra)


def test_legacy_links(client, names):
    db, web = names(), names()
    client("run", "-d", "--name", db, "--expose", "5432", "-e", "MODE=x", IMAGE, "sleep", "1000")
    client("run", "-d", "--name", web, "--link", f"{db}:store", IMAGE, "sleep", "1000")
    client("exec", web, "ping", "-c", "1", "-W", "5", "store")
    environment = client.out("exec", web, "env").splitlines()
    address = client.out("inspect", "-f", "{{.NetworkSettings.Networks.bridge.IPAddress}}", db)
    assert f"STORE_PORT_5432_TCP_ADDR={address}" in environment and "STORE_ENV_MODE=x" in environment
    assert client.out("inspect", "-f", "{{json .HostConfig.Links}}", web) == f'["/{db}:/{web}/store"]'
    client("restart", "-t", "0", db)
    client("exec", web, "ping", "-c", "1", "-W", "5", "store")
    refused = client("create", "--link", "nobody:x", IMAGE, check=False)
    assert refused.returncode == 1 and "could not get container for nobody" in refused.stderr


def test_init(client, names):
    name = names()
    # An orphan that ends is reaped: its parent, process 1, is the init.
    script = "(sh -c 'sleep 0.1 & exit') ; sleep 0.5; ps -o pid,stat,comm; exit 7"
    done = client("run", "--rm", "--init", IMAGE, "sh", "-c", script, check=False)
    assert done.returncode == 7
    assert " Z " not in done.stdout and "docker-init" in done.stdout
    client("run", "-d", "--init", "--name", name, IMAGE, "sh", "-c", "trap 'echo got; exit 3' TERM; echo up; while :; do sleep 0.05; done")
    wait_until(lambda: "up" in client.out("logs", name), "the trap is set")
    client("stop", "-t", "20", name)
    assert client.out("logs", name).splitlines() == ["up", "got"]
    assert client.out("inspect", "-f", "{{.State.ExitCode}}", name) == "3"
    # A process 1 without a handler ignores SIGTERM; behind an init it ends by it.
    client("run", "-d", "--init", "--name", names(), IMAGE, "sleep", "1000")
    assert client("run", "--rm", "--init", IMAGE, "/nowhere", check=False).returncode == 127


def test_volumes_that_are_a_mount(client, names):
    ram, bound = names("v"), names("v")
    folder = WORK / names("folder")
    folder.mkdir()
    (folder / "file").write_text("from the host\n")
    client("volume", "create", "--opt", "type=tmpfs", "--opt", "device=tmpfs", "--opt", "o=size=1m,mode=1770", ram)
    writer = names()
    client("run", "-d", "--name", writer, "-v", f"{ram}:/v", IMAGE, "sh", "-c", "echo shared > /v/x; exec sleep 1000")
    wait_until(lambda: client("run", "--rm", "-v", f"{ram}:/v", IMAGE, "cat", "/v/x", check=False).stdout == "shared\n", "the file is there")
    assert client("exec", writer, "dd", "if=/dev/zero", "of=/v/big", "bs=1M", "count=3", check=False).returncode == 1
    client("rm", "-f", writer)
    assert client.out("run", "--rm", "-v", f"{ram}:/v", IMAGE, "ls", "/v") == ""

    client("volume", "create", "--opt", "type=none", "--opt", f"device={folder}", "--opt", "o=bind", bound)
    assert client.out("run", "--rm", "-v", f"{bound}:/v", IMAGE, "cat", "/v/file") == "from the host"
    client("volume", "rm", ram, bound)
    assert (folder / "file").exists()
    missing = names("v")
    client("volume", "create", "--opt", "type=none", "--opt", "device=/nowhere", "--opt", "o=bind", missing)
    refused = client("run", "--rm", "-v", f"{missing}:/v", IMAGE, "true", check=False)
    assert refused.returncode == 125 and "failed to mount local volume" in refused.stderr
    client("volume", "rm", missing)


def test_update_beyond_docker(daemon, names):
    name = names()
    daemon.caisson("run", "-d", "--name", name, "-p", "127.0.0.1:18180:80", IMAGE, "sh", "-c",
                   "mkdir /www; echo served > /www/index.html; exec httpd -f -p 80 -h /www")

    def get(port):
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(f"http://127.0.0.1:{port}/", timeout=5) as answer:
                return answer.read().decode()
        except OSError:
            return ""

    wait_until(lambda: get(18180) == "served\n", "httpd answers")
    daemon.caisson("update", "--publish-add", "127.0.0.1:18181:80", "--label-add", "tier=a", name)
    assert get(18181) == "served\n"
    told = daemon.caisson("update", "--env-add", "ADDED=1", "--mount-add", "type=tmpfs,target=/scratch", name).stdout
    assert "next start" in told
    daemon.caisson("update", "--publish-rm", "80", name)
    assert get(18180) == get(18181) == ""
    daemon.caisson("restart", "-t", "0", name)
    assert daemon.caisson("exec", name, "sh", "-c", "echo $ADDED; grep /scratch /proc/mounts | cut -d' ' -f3").stdout == "1\ntmpfs\n"
    assert daemon.caisson("inspect", "-f", "{{.Config.Labels.tier}}", name).stdout == "a\n"
    refused = daemon.caisson("update", "--label-rm", "nope", name, check=False)
    assert refused.returncode == 1 and 'no label "nope"' in refused.stderr
