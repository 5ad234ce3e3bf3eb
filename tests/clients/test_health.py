"""Health checks through the stock client: flags, states, events, and that they outlive the daemon."""
import itertools
import json
import time

import pytest

from conftest import BIN, Daemon, run, wait_until

IMAGE = "busybox"
NUMBER = itertools.count()


def health(client, name, field="Status"):
    return client.out("inspect", "-f", "{{.State.Health.%s}}" % field, name)


def status(client, name):
    return client.out("ps", "-a", "--filter", f"name=^{name}$", "--format", "{{.Status}}")


def test_states_filters_and_events(client, names):
    name = names("health")
    client("run", "-d", "--name", name, "--health-cmd", "echo looked; test -e /tmp/well", "--health-interval", "100ms",
           "--health-retries", "2", "--health-timeout", "20s", IMAGE, "sleep", "1000")
    assert "(health: starting)" in status(client, name) or "(unhealthy)" in status(client, name)
    wait_until(lambda: health(client, name) == "unhealthy", "two failures make it unhealthy")
    assert "(unhealthy)" in status(client, name)
    assert client.out("ps", "-q", "--filter", "health=unhealthy", "--filter", f"name=^{name}$")
    assert not client.out("ps", "-q", "--filter", "health=healthy", "--filter", f"name=^{name}$")
    last = json.loads(client.out("inspect", "-f", "{{json .State.Health}}", name))["Log"][-1]
    assert (last["ExitCode"], last["Output"]) == (1, "looked\n")
    client("exec", name, "touch", "/tmp/well")
    wait_until(lambda: health(client, name) == "healthy", "one success heals it")
    assert "(healthy)" in status(client, name)
    client("stop", "-t", "0", name)
    time.sleep(1.1)  # the newest docker rounds the end down to a second
    events = client.out("events", "--since", "10m", "--until", "0s", "--filter", f"container={name}", "--format", "{{.Action}}").split("\n")
    states = [event for event in events if event.startswith("health_status")]
    assert states == ["health_status: unhealthy", "health_status: healthy"]
    probe = "/bin/sh -c echo looked; test -e /tmp/well"
    first = events.index(f"exec_create: {probe}")
    assert events[first + 1:first + 3] == [f"exec_start: {probe}", "exec_die"]


def test_no_healthcheck_and_wrong_flags(client, names):
    name = names("health")
    client("run", "-d", "--name", name, "--no-healthcheck", IMAGE, "sleep", "1000")
    assert client.out("inspect", "-f", "{{json .State.Health}}", name) in ("null", "")
    both = client("run", "--no-healthcheck", "--health-cmd", "true", IMAGE, "true", check=False)
    assert both.returncode == 125 and "--no-healthcheck conflicts with --health-* options" in both.stderr
    short = client("create", "--health-cmd", "true", "--health-interval", "1us", IMAGE, "true", check=False)
    assert short.returncode != 0 and "Interval in Healthcheck cannot be less than 1ms" in short.stderr


def test_nothing_is_probed_while_it_is_paused(client, names):
    name = names("health")
    client("run", "-d", "--name", name, "--health-cmd", "true", "--health-interval", "50ms", IMAGE, "sleep", "1000")
    wait_until(lambda: health(client, name) == "healthy", "it is healthy")
    client("pause", name)
    log = lambda: client.out("inspect", "-f", "{{json .State.Health.Log}}", name)
    before = log()
    time.sleep(0.5)
    assert log() == before
    client("unpause", name)
    wait_until(lambda: log() != before, "probes go on")


@pytest.fixture
def mortal():
    daemon = Daemon(f"healthy-{next(NUMBER)}").start()
    daemon.caisson("run", "--rm", IMAGE, "true")
    yield daemon
    if daemon.process.poll() is not None:
        daemon.start()
    ids = daemon.caisson("ps", "-aq").stdout.split()
    if ids:
        daemon.caisson("rm", "-f", *ids)
    daemon.stop()


def test_probes_go_on_without_a_daemon(mortal):
    state = lambda: mortal.caisson("inspect", "-f", "{{.State.Health.Status}}", "web").stdout.strip()
    mortal.caisson("run", "-d", "--name", "web", "--health-http", "http://127.0.0.1:80/well", "--health-interval", "100ms",
                   "--health-retries", "1", IMAGE, "sh", "-c", "mkdir /w; httpd -p 80 -h /w; sleep 3; echo yes > /w/well; sleep 1000")
    wait_until(lambda: state() == "unhealthy", "there is no such page")
    mortal.kill()
    time.sleep(4)
    mortal.start()
    log = json.loads(mortal.caisson("inspect", "-f", "{{json .State.Health.Log}}", "web").stdout)
    assert state() == "healthy" and all(entry["ExitCode"] == 0 for entry in log), "it was probed meanwhile"
    assert log[-1]["Output"].startswith("HTTP/1.")
    events = mortal.caisson("events", "--since", "10m", "--until", "0s", "--filter", "event=health_status", "--format", "{{.Action}}").stdout
    assert "health_status: healthy" in events


def test_tcp_probes_and_restarts_of_what_is_unhealthy(mortal):
    mortal.caisson("run", "-d", "--name", "server", "--health-tcp", "127.0.0.1:81", "--health-interval", "100ms",
                   "--health-retries", "3", "--health-restart", "--stop-timeout", "0", IMAGE, "sh", "-c",
                   "if test -e /second; then httpd -p 81; fi; touch /second; sleep 1000")
    field = lambda what: mortal.caisson("inspect", "-f", "{{%s}}" % what, "server").stdout.strip()
    wait_until(lambda: field(".RestartCount") == "1", "it is restarted")
    wait_until(lambda: field(".State.Health.Status") == "healthy", "the second run listens")
    assert field(".HostConfig.HealthRestart") == "true"
    wrong = mortal.caisson("create", "--health-restart", IMAGE, "true", check=False)
    assert wrong.returncode != 0 and "needs a health check" in wrong.stderr
    wrong = mortal.caisson("create", "--health-tcp", "example.test:80", IMAGE, "true", check=False)
    assert wrong.returncode != 0 and "neither an IP address nor localhost" in wrong.stderr
