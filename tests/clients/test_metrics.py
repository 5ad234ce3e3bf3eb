"""What Prometheus scrapes."""
import re
import urllib.error
import urllib.request

import pytest

from conftest import Daemon

ADDRESS = "127.0.0.1:19323"
LINE = re.compile(r'^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\.)*",?)*\})? (-?[0-9.e+-]+|\+Inf|NaN)$')


def scrape():
    with urllib.request.urlopen(f"http://{ADDRESS}/metrics") as answer:
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        text = answer.read().decode()
    values, types = {}, {}
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            name, kind = line.split()[2:]
            assert name not in types, f"{name} is described twice"
            types[name] = kind
        elif not line.startswith("#"):
            match = LINE.match(line)
            assert match, line
            family = re.sub(r"_(bucket|sum|count)$", "", match[1])
            assert match[1] in types or family in types, f"{line} has no type"
            assert match[1] + (match[2] or "") not in values, f"{line} is there twice"
            values[match[1] + (match[2] or "")] = float(match[3])
    return values


def test_metrics():
    daemon = Daemon("metrics", "--metrics-addr", ADDRESS).start()
    try:
        before = scrape()
        daemon.caisson("run", "-d", "--name", "one", "busybox", "sleep", "600")
        daemon.caisson("run", "--name", "two", "busybox", "true")
        daemon.caisson("create", "--name", "three", "busybox")
        daemon.caisson("pause", "one")
        daemon.caisson("rm", "three")
        after = scrape()
        action = lambda name: f'engine_daemon_container_actions_seconds_count{{action="{name}"}}'
        assert {name: after[action(name)] - before[action(name)] for name in ("create", "start", "delete", "commit")} == {
            "create": 3, "start": 2, "delete": 1, "commit": 0}
        states = {state: after[f'engine_daemon_container_states_containers{{state="{state}"}}'] for state in ("paused", "running", "stopped")}
        assert states == {"paused": 1, "running": 0, "stopped": 1}
        assert after["engine_daemon_events_total"] > before["engine_daemon_events_total"]
        assert after["engine_daemon_engine_cpus_cpus"] >= 1 and after["engine_daemon_engine_memory_bytes"] > 0
        info = [name for name in after if name.startswith("engine_daemon_engine_info{")]
        assert len(info) == 1 and after[info[0]] == 1 and 'graphdriver="overlay' in info[0]
        assert after['engine_daemon_container_actions_seconds_bucket{action="create",le="+Inf"}'] == after[action("create")]
        assert after['caisson_api_requests_total{method="POST",code="201"}'] >= 3
        assert after["process_resident_memory_bytes"] > 1 << 20 and after["process_open_fds"] > 5 and after["process_start_time_seconds"] > 1e9
        for target in ("/", "/info", "/containers/json"):
            with pytest.raises(urllib.error.HTTPError) as failure:
                urllib.request.urlopen(f"http://{ADDRESS}{target}")
            assert failure.value.code == 404, "the API is not served there"
        daemon.caisson("rm", "-f", "one", "two")
    finally:
        daemon.stop()
