"""Every answer at every API version: no field that the version lacks, no wrong type, none left out. tests/api/fields.tsv is the reference."""
import csv
import http.client
import json
import pathlib
import socket
import urllib.parse

import pytest

from conftest import Daemon

API = pathlib.Path(__file__).parent.parent / "api"
OLDEST, NEWEST = 40, 56
TYPES = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "array": list, "object": dict}


class Unix(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=60)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(60)
        self.sock.connect(self.path)


def call(path, method, target, body=None, headers=None):
    client = Unix(path)
    headers = dict(headers or {})
    if body is not None:
        headers["Content-Type"] = "application/json"
        body = json.dumps(body)
    client.request(method, target, body, headers)
    answer = client.getresponse()
    data = answer.read()
    client.close()
    return answer, data


def table(name):
    with open(API / name) as rows:
        return list(csv.DictReader(rows, delimiter="\t", quoting=csv.QUOTE_NONE))


def minor(version):
    return int(version.split(".")[1])


class Shapes:
    """(method, path) → the fields of its answer."""

    def __init__(self):
        self.of = {}
        for row in table("fields.tsv"):
            self.of.setdefault((row["method"], row["path"]), {})[row["field"]] = row
        self.extra = {}  # docker's answers have them, its swagger has not
        for row in table("extra_fields.tsv"):
            self.extra.setdefault((row["method"], row["path"]), {})[row["field"]] = row
        self.absent = {}  # field → why it need not be there
        for row in table("absent_fields.tsv"):
            self.absent.setdefault((row["method"], row["path"]), []).append((row["field"], row["first"], row["last"]))

    def fields(self, route, version):
        return {name: row for name, row in self.of[route].items() if minor(row["first"]) <= version <= minor(row["last"])}

    def extras(self, route, version):
        return {name: row for name, row in self.extra.get(route, {}).items() if minor(row["first"]) <= version <= minor(row["last"])}

    def may_miss(self, route, field, version):
        return any((field == name or field.startswith(name + ".") or field.startswith(name + "[") or field.startswith(name + "{"))
                   and minor(first) <= version <= minor(last) for name, first, last in self.absent.get(route, []))


def walk(value, path, fields, seen, wrong):
    """Notes which fields an answer has, and what is wrong with them."""
    row = fields.get(path)
    if row is None:
        wrong.append(f"{path}: this version has no such field")
        return
    seen.add(path)
    if value is None:
        return
    kinds = row["types"].split(",")
    if "any" not in kinds and not any(isinstance(value, TYPES[kind]) and not (kind != "boolean" and isinstance(value, bool)) for kind in kinds):
        wrong.append(f"{path}: is {value!r}, not {row['types']}")
        return
    if isinstance(value, list):
        for item in value:
            if path + "[]" in fields:
                walk(item, path + "[]", fields, seen, wrong)
    elif isinstance(value, dict):
        if not any(name.startswith((path + ".", path + "{", path + "[")) if path else name for name in fields):
            return  # nothing is said about what is in it
        if path + "{}" in fields:
            for item in value.values():
                walk(item, path + "{}", fields, seen, wrong)
        else:
            for name, item in value.items():
                walk(item, f"{path}.{name}" if path else name, fields, seen, wrong)


def parent(path):
    if path.endswith("[]") or path.endswith("{}"):
        return path[:-2]
    return path.rpartition(".")[0]


@pytest.fixture(scope="module")
def api():
    """A daemon with one of everything."""
    daemon = Daemon("versions").start()
    daemon.caisson("network", "create", "--label", "a=b", "--subnet", "10.77.0.0/24", "net")
    daemon.caisson("volume", "create", "--label", "a=b", "vol")
    daemon.caisson("run", "-d", "--name", "it", "--network", "net", "-v", "vol:/v", "-p", "127.0.0.1:18099:80", "--label", "a=b", "--ulimit", "nofile=100:200",
                   "--tmpfs", "/t", "--mount", "type=bind,src=/etc,dst=/e,ro", "--add-host", "a:1.2.3.4", "--annotation", "a=b", "busybox", "sleep", "1000")
    daemon.exec_id = json.loads(call(daemon.socket, "POST", "/containers/it/exec", {"Cmd": ["true"], "AttachStdout": True})[1])["Id"]
    yield daemon
    daemon.caisson("rm", "-f", "-v", "it", check=False)
    daemon.stop()


GETS = [
    ("/containers/json", "/containers/json?all=1&size=1"), ("/containers/{id}/json", "/containers/it/json?size=1"), ("/containers/{id}/top", "/containers/it/top"),
    ("/containers/{id}/changes", "/containers/it/changes"), ("/containers/{id}/stats", "/containers/it/stats?stream=0&one-shot=1"),
    ("/exec/{id}/json", "/exec/{exec}/json"), ("/images/json", "/images/json?all=1&digests=1"), ("/images/{name}/json", "/images/busybox/json"),
    ("/images/{name}/history", "/images/busybox/history"), ("/info", "/info"), ("/version", "/version"), ("/system/df", "/system/df?verbose=1"),
    ("/networks", "/networks"), ("/networks/{id}", "/networks/net"), ("/volumes", "/volumes"), ("/volumes/{name}", "/volumes/vol"),
    ("/events", "/events?since=1&until={now}"),
]


@pytest.mark.parametrize("path, target", GETS, ids=[path for path, _ in GETS])
def test_answers_have_the_fields_of_their_version(api, path, target):
    shapes, problems = Shapes(), {}
    now = call(api.socket, "GET", "/info")[1]
    now = json.loads(now)["SystemTime"]
    target = target.replace("{exec}", api.exec_id).replace("{now}", urllib.parse.quote(now))
    for version in range(OLDEST, NEWEST + 1):
        answer, data = call(api.socket, "GET", f"/v1.{version}{target}")
        assert answer.status == 200, (version, data)
        fields = shapes.fields(("GET", path), version)
        seen, wrong = set(), []
        values = [json.loads(line) for line in data.splitlines() if line.strip()] if path == "/events" else [json.loads(data)]
        for value in values:
            walk(value, "", {**fields, **shapes.extras(("GET", path), version)}, seen, wrong)
        for name in fields:
            if name and name not in seen and parent(name) in seen and not name.endswith(("[]", "{}")) and not shapes.may_miss(("GET", path), name, version):
                # Of a list or map without members, and of null, nothing is known.
                wrong.append(f"{name}: is missing")
        for text in wrong:
            problems.setdefault(text, []).append(version)
    assert not problems, "\n".join(f"1.{min(v)}-1.{max(v)} {text}" for text, v in sorted(problems.items()))


def test_version_in_the_path(api):
    get = lambda target: call(api.socket, "GET", target)
    assert get("/v1.56/_ping")[0].status == 200
    for target, status, message in [
            ("/v1.12/info", 400, "client version 1.12 is too old. Minimum supported API version is 1.24, please upgrade your client to a newer version"),
            ("/v9.99/info", 400, "client version 9.99 is too new. Maximum supported API version is 1.56"),
            ("/v1/info", 404, "page not found"), ("/vx.y/info", 404, "page not found"), ("/nowhere", 404, "page not found"),
            ("/v1.44/containers", 404, "page not found"), ("//info", 404, "page not found")]:
        answer, data = get(target)
        assert (answer.status, json.loads(data)["message"]) == (status, message), target
    answer, data = call(api.socket, "PUT", "/v1.44/info")
    assert (answer.status, json.loads(data)["message"]) == (404, "page not found")


def test_headers_of_every_answer(api):
    for method, target in (("GET", "/_ping"), ("HEAD", "/_ping"), ("GET", "/v1.41/info"), ("GET", "/nowhere"), ("GET", "/containers/none/json"), ("POST", "/containers/create"),
                           ("OPTIONS", "/info")):
        answer, data = call(api.socket, method, target)
        assert answer.headers["Api-Version"] == "1.56" and answer.headers["Ostype"] == "linux", target
        assert answer.headers["Server"].startswith("Caisson/") and answer.headers["Server"].endswith(" (linux)"), target
        assert answer.headers["Docker-Experimental"] == "false", target
    ping = call(api.socket, "GET", "/_ping")
    assert ping[1] == b"OK" and ping[0].headers["Builder-Version"] == "1" and ping[0].headers["Swarm"] == "inactive"
    assert ping[0].headers["Cache-Control"] == "no-cache, no-store, must-revalidate" and ping[0].headers["Pragma"] == "no-cache"
    head = call(api.socket, "HEAD", "/_ping")
    assert head[0].status == 200 and head[1] == b"" and head[0].headers["Content-Length"] == "0"
    options = call(api.socket, "OPTIONS", "/v1.44/containers/json")
    assert options[0].status == 200 and options[1] == b"" and "Access-Control-Allow-Origin" not in options[0].headers


def test_errors(api):
    """tests/api/errors.tsv: status and text of what goes wrong; * stands for anything."""
    import fnmatch
    api.caisson("run", "-d", "--name", "run", "busybox", "sleep", "1000")
    api.caisson("run", "--name", "ended", "busybox", "true")
    wrong = []
    for row in table("errors.tsv"):
        client = Unix(api.socket)
        target = urllib.parse.quote(row["target"], safe="/?&=:")
        headers = {"Content-Type": "application/json"} if row["body"] else {}
        client.request(row["method"], target, row["body"] or None, headers)
        answer = client.getresponse()
        data = answer.read()
        client.close()
        message = json.loads(data).get("message", data) if data else ""
        if not fnmatch.fnmatchcase(str(answer.status), row["status"]) or not fnmatch.fnmatchcase(str(message), row["message"].replace("[", "[[]")):
            wrong.append(f'{row["method"]} {row["target"]}: {answer.status} {message!r}, not {row["status"]} {row["message"]!r}')
    api.caisson("rm", "-f", "run", "ended")
    assert not wrong, "\n".join(wrong)


def test_events_by_filter_and_time(api):
    """Every filter of the endpoint, and both ends of a span to the nanosecond."""
    began = json.loads(call(api.socket, "GET", "/info")[1])["SystemTime"]
    api.caisson("run", "--name", "seen", "--label", "colour=red", "--network", "net", "-v", "vol:/v", "busybox", "true")
    api.caisson("exec", "it", "true")
    api.caisson("tag", "busybox", "seen/image:1")
    api.caisson("rm", "seen")
    api.caisson("rmi", "seen/image:1")
    ended = json.loads(call(api.socket, "GET", "/info")[1])["SystemTime"]

    def events(since=began, until=ended, **filters):
        query = urllib.parse.urlencode({"since": since, "until": until, "filters": json.dumps({key: value for key, value in filters.items()})})
        return [json.loads(line) for line in call(api.socket, "GET", f"/v1.51/events?{query}")[1].splitlines()]

    actions = lambda found: [event["Action"].split(":")[0] for event in found]
    everything = events()
    assert actions(event for event in everything if event["Type"] == "container" and event["Actor"]["Attributes"]["name"] == "seen") == [
        "create", "attach", "start", "die", "destroy"]
    assert actions(events(container=["seen"])) == ["create", "attach", "start", "die", "destroy"]
    by_id = events(container=[next(event["Actor"]["ID"] for event in everything if event["Action"] == "create")])
    assert {event["Type"] for event in by_id} == {"container", "network", "volume"}, "by its id, what names it belongs to it"
    assert set(actions(events(event=["exec_create", "exec_die"]))) == {"exec_create", "exec_die"}
    assert set(actions(events(type=["image"]))) == {"tag", "untag"}
    assert actions(events(label=["colour=red"])) == ["create", "attach", "start", "die", "destroy"]
    assert {event["Type"] for event in events(network=["net"])} == {"network"} and actions(events(network=["net"])) == ["connect", "disconnect"]
    assert set(actions(events(volume=["vol"]))) == {"mount", "unmount"}
    tagged = [event for event in everything if event["Type"] == "image"]
    assert actions(events(image=["seen/image:1"]))[:1] == ["tag"], tagged
    assert events(scope=["swarm"]) == [] and len(events(scope=["local"])) == len(everything)
    for name in ("daemon", "plugin", "service", "node", "secret", "config"):
        assert events(**{name: ["seen"]}) == [], name
    assert {event["Type"] for event in events(type=["container", "volume"], container=["seen"])} == {"container"}, "different filters must all hold"

    # Both ends belong to the span, to the nanosecond.
    stamp = lambda event: f'{event["timeNano"] // 10**9}.{event["timeNano"] % 10**9:09d}'
    first, last = everything[1], everything[-2]
    span = events(stamp(first), stamp(last))
    assert [event["timeNano"] for event in span] == [event["timeNano"] for event in everything[1:-1]]
    assert all(a["timeNano"] < b["timeNano"] for a, b in zip(everything, everything[1:]))
    assert events(until="1") == []
