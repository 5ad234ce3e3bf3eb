"""stats by docker's own client, by ours, and by docker-py."""
import re
import subprocess
import time

import docker as docker_py
import pytest

from conftest import DOCKERS

IMAGE = "busybox"
FORMAT = "{{.Name}}|{{.CPUPerc}}|{{.MemUsage}}|{{.MemPerc}}|{{.NetIO}}|{{.BlockIO}}|{{.PIDs}}"


@pytest.fixture
def busy(daemon, names):
    name = names()
    daemon.caisson("run", "-d", "--name", name, "-m", "64m", IMAGE, "sh", "-c", "while :; do :; done")
    return name


def test_one_look(client, busy, daemon, names):
    idle = names()
    daemon.caisson("create", "--name", idle, IMAGE)
    lines = client.out("stats", "--no-stream", "--format", FORMAT, busy, idle).splitlines()
    name, cpu, memory, percent, network, block, pids = lines[0].split("|")
    assert name == busy
    assert float(cpu.rstrip("%")) > 1
    assert memory.endswith(" / 64MiB")
    assert float(percent.rstrip("%")) < 50
    assert pids == "1"
    assert re.fullmatch(r"[\d.]+k?M?B / [\d.]+k?M?B", network)
    assert lines[1].split("|") == [idle, "0.00%", "0B / 0B", "0.00%", "0B / 0B", "0B / 0B", "0"]
    table = client.out("stats", "--no-stream", busy).splitlines()
    assert re.split(r"  +", table[0].strip()) == ["CONTAINER ID", "NAME", "CPU %", "MEM USAGE / LIMIT", "MEM %", "NET I/O", "BLOCK I/O", "PIDS"]


def test_a_stream_refreshes(client, busy, daemon):
    process = subprocess.Popen([client.path, "stats", "--format", "{{.Name}}", busy], env=daemon.env(), stdout=subprocess.PIPE, text=True)
    time.sleep(2.5)
    daemon.caisson("rm", "-f", busy)
    if client.path in DOCKERS:
        process.kill()  # docker's client goes on for ever, with nothing to show
    output, _ = process.communicate(timeout=10)
    assert client.path in DOCKERS or process.returncode == 0
    assert output.count(busy) >= 2
    assert "\x1b[H" in output


def test_nobody(client):
    done = client("stats", "--no-stream", "nobody", check=False)
    assert done.returncode == 1
    assert "No such container: nobody" in done.stderr


def test_docker_py(daemon, busy):
    api = docker_py.APIClient(base_url=daemon.host)
    once = api.stats(busy, stream=False)
    assert once["preread"] < once["read"]
    assert once["cpu_stats"]["cpu_usage"]["total_usage"] > once["precpu_stats"]["cpu_usage"]["total_usage"] > 0
    assert once["memory_stats"]["limit"] == 64 << 20
    assert once["networks"]["eth0"].keys() == {f"{way}_{what}" for way in ("rx", "tx") for what in ("bytes", "packets", "errors", "dropped")}
    stream = api.stats(busy, decode=True)
    first, second = next(stream), next(stream)
    assert first["preread"] == "0001-01-01T00:00:00Z"
    assert second["preread"] == first["read"]
    shot = api._get(api._url("/containers/{0}/stats", busy), params={"stream": 0, "one-shot": 1}).json()
    assert shot["precpu_stats"]["cpu_usage"]["total_usage"] == 0
    refused = api._get(api._url("/containers/{0}/stats", busy), params={"stream": 1, "one-shot": 1})
    assert (refused.status_code, refused.json()["message"]) == (400, "cannot have stream=true and one-shot=true")
