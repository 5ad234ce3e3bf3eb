"""update, system df and events over restarts, by docker's own client, by ours, and by docker-py."""
import json
import time

import docker as docker_py
import pytest

from conftest import Daemon

IMAGE = "busybox"


def test_update(client, daemon, names):
    name = names()
    daemon.caisson("run", "-d", "--name", name, "-m", "64m", "--memory-swap", "-1", IMAGE, "sleep", "1000")
    assert client.out("update", "-m", "96m", "--pids-limit", "50", "--restart", "on-failure:2", name).splitlines()[0] == name
    host = json.loads(client.out("inspect", "-f", "{{json .HostConfig}}", name))
    assert (host["Memory"], host["PidsLimit"]) == (96 << 20, 50)
    assert host["RestartPolicy"] == {"Name": "on-failure", "MaximumRetryCount": 2}
    assert "/ 96MiB" in client.out("stats", "--no-stream", "--format", "{{.MemUsage}}", name)
    refused = client("update", "-m", "1k", name, check=False)
    assert refused.returncode == 1
    assert "Minimum memory limit allowed is 6MB" in refused.stderr
    assert client("update", name, check=False).returncode == 1


def test_system_df(client, daemon, names):
    name, volume = names(), names()
    daemon.caisson("run", "--name", name, "-v", f"{volume}:/v", IMAGE, "sh", "-c", "head -c 300000 /dev/zero > /v/x; head -c 300000 /dev/zero > /y")
    lines = [json.loads(line) for line in client.out("system", "df", "--format", "{{json .}}").splitlines()]
    assert [line["Type"] for line in lines] == ["Images", "Containers", "Local Volumes", "Build Cache"]
    found = {line["Type"]: line for line in lines}
    assert int(found["Images"]["Active"]) >= 1
    assert int(found["Local Volumes"]["TotalCount"]) >= 1
    details = client.out("system", "df", "-v")
    assert name in details and volume in details
    daemon.caisson("rm", name)
    daemon.caisson("volume", "rm", volume)


def test_docker_py(daemon, names):
    name = names()
    api = docker_py.DockerClient(base_url=daemon.host, version="1.51")  # from 1.52 on there are totals
    container = api.containers.create(IMAGE, "true", name=name)
    usage = api.df()
    assert usage.keys() >= {"LayersSize", "Images", "Containers", "Volumes", "BuildCache"}
    assert usage["LayersSize"] > 0
    assert container.id in [one["Id"] for one in usage["Containers"]]
    assert all(one["Containers"] >= 0 and one["SharedSize"] >= 0 for one in usage["Images"])
    assert container.update(mem_limit="64m", memswap_limit=-1) is not None
    only = api.api._get(api.api._url("/system/df"), params={"type": "volume"}).json()
    assert only["Images"] is None and only["Volumes"] is not None
    wrong = api.api._get(api.api._url("/system/df"), params={"type": "x"})
    assert (wrong.status_code, wrong.json()["message"]) == (400, "unknown object type: x")


def test_events_outlive_the_daemon():
    daemon = Daemon("events").start()
    before = time.time()
    daemon.caisson("create", "--name", "box", IMAGE)
    daemon.stop()
    daemon.start()
    daemon.caisson("rm", "box")
    printed = daemon.caisson("events", "--since", str(before), "--until", str(time.time()), "--filter", "container=box",
                             "--format", "{{.Action}}").stdout.split()
    daemon.stop()
    assert printed == ["create", "destroy"]
