"""What the listening daemon answers in commands.txt."""
import json
import time

from fake_daemon import frame

ID = "a" * 64
IMAGE = "sha256:" + "b" * 64
# A fixed age: both clients must see the same one.
CREATED = int(time.time()) - 90 * 86400

CONTAINERS = [
    {"Id": ID, "Names": ["/web", "/other/alias"], "Image": "nginx:latest", "ImageID": IMAGE,
     "Command": "/docker-entrypoint.sh nginx -g 'daemon off;'", "Created": CREATED,
     "Ports": [{"IP": "0.0.0.0", "PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"},
               {"IP": "::", "PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"},
               {"PrivatePort": 443, "Type": "tcp"}, {"PrivatePort": 444, "Type": "tcp"},
               {"IP": "0.0.0.0", "PrivatePort": 90, "PublicPort": 90, "Type": "udp"},
               {"IP": "0.0.0.0", "PrivatePort": 91, "PublicPort": 91, "Type": "udp"}],
     "Labels": {"a": "1", "b": "2"}, "State": "running", "Status": "Up 3 minutes",
     "HostConfig": {"NetworkMode": "bridge"}, "NetworkSettings": {"Networks": {"bridge": {}}},
     "Mounts": [{"Type": "volume", "Name": "v" * 64, "Source": "/x", "Destination": "/y", "Driver": "local",
                 "Mode": "", "RW": True, "Propagation": ""},
                {"Type": "bind", "Source": "/some/long/path/which/is/long", "Destination": "/y", "Mode": "",
                 "RW": True, "Propagation": ""}],
     "SizeRw": 1234567, "SizeRootFs": 123456789},
    {"Id": "c" * 64, "Names": ["/x"], "Image": IMAGE, "ImageID": IMAGE, "Command": "sh",
     "Created": CREATED - 100000, "Ports": [], "Labels": {}, "State": "exited",
     "Status": "Exited (0) 2 hours ago", "HostConfig": {"NetworkMode": "bridge"},
     "NetworkSettings": {"Networks": {}}, "Mounts": []},
    {"Id": "d" * 64, "Names": ["/y"], "Image": "nginx:1@sha256:" + "e" * 64, "ImageID": IMAGE, "Command": "é" * 30,
     "Created": CREATED, "Ports": None, "Labels": None, "State": "running", "Status": "Up 1 second",
     "HostConfig": {"NetworkMode": "bridge"}, "NetworkSettings": None, "Mounts": None},
]
# One repository each: docker's client prints several in no fixed order.
IMAGES = [
    {"Id": IMAGE, "ParentId": "", "RepoTags": ["busybox:latest", "busybox:1"],
     "RepoDigests": ["busybox@sha256:" + "d" * 64], "Created": CREATED, "Size": 4261550, "SharedSize": -1,
     "VirtualSize": 4261550, "Labels": {}, "Containers": -1},
    {"Id": "sha256:" + "e" * 64, "ParentId": "", "RepoTags": [], "RepoDigests": [], "Created": CREATED,
     "Size": 1234567890, "SharedSize": -1, "Labels": None, "Containers": -1},
    {"Id": "sha256:" + "f" * 64, "ParentId": "", "RepoTags": [], "RepoDigests": ["x/y@sha256:" + "d" * 64],
     "Created": 0, "Size": 0, "SharedSize": 5, "Labels": None, "Containers": 2},
    {"Id": "sha256:" + "9" * 64, "ParentId": "", "RepoTags": ["localhost:5000/a/b:c"], "RepoDigests": [],
     "Created": CREATED, "Size": 99, "SharedSize": -1, "Labels": None, "Containers": -1},
]
CONTAINER = {"Id": ID, "Name": "/a", "State": {"Running": True, "Status": "running", "Pid": 7, "ExitCode": 0},
             "Config": {"Tty": False, "Labels": {"k": "v"}, "Cmd": ["sh", "-c", "a < b && c > d"]}, "HostConfig": {},
             "NetworkSettings": {"Ports": {
                 "80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}, {"HostIp": "::", "HostPort": "8080"}],
                 "443/tcp": None, "53/udp": [{"HostIp": "1.2.3.4", "HostPort": "5"}]}}}
NETWORKS = [
    {"Name": "zeta", "Id": "n" * 64, "Created": "2026-11-20T22:38:46.123456789Z", "Scope": "local",
     "Driver": "bridge", "EnableIPv4": True, "EnableIPv6": False,
     "IPAM": {"Driver": "default", "Options": {}, "Config": [{"Subnet": "172.17.0.0/16"}]}, "Internal": False,
     "Attachable": False, "Ingress": False, "ConfigFrom": {"Network": ""}, "ConfigOnly": False, "Containers": {},
     "Options": {}, "Labels": {"a": "b"}},
    {"Name": "bridge", "Id": "m" * 64, "Created": "2026-11-20T22:38:46.123456789Z", "Scope": "local",
     "Driver": "bridge", "EnableIPv6": False, "IPAM": {}, "Labels": None},
]
VOLUMES = [{"CreatedAt": "2026-11-20T22:38:46Z", "Driver": "local", "Labels": {"a": "b"},
            "Mountpoint": "/x/_data", "Name": "zed", "Options": None, "Scope": "local"},
           {"Driver": "local", "Labels": None, "Mountpoint": "/y/_data", "Name": "abc", "Options": None,
            "Scope": "local"}]
EVENT = {"status": "create", "id": "abc", "from": "busybox", "Type": "container", "Action": "create",
         "Actor": {"ID": "abc", "Attributes": {"image": "busybox", "name": "x"}}, "scope": "local",
         "time": 1700000000, "timeNano": 1700000000123456789}
HISTORY = [{"Id": IMAGE, "Created": 1700000000, "Tags": ["x:latest"], "Size": 0, "Comment": "",
            "CreatedBy": "/bin/sh -c #(nop)  CMD [\"sh\"] and much\tmuch more text than fits"},
           {"Id": "<missing>", "Created": 1700000000, "CreatedBy": "ADD", "Tags": None, "Size": 4261550,
            "Comment": "buildkit"}]
PROGRESS = [{"status": "Pulling from library/x", "id": "latest"},
            {"status": "Pulling fs layer", "progressDetail": {}, "id": "aaa"},
            {"status": "Downloading", "progressDetail": {"current": 5, "total": 10}, "progress": "5B/10B", "id": "aaa"},
            {"status": "Pull complete", "progressDetail": {}, "id": "aaa"},
            {"status": "Digest: sha256:" + "d" * 64}, {"status": "Status: Downloaded newer image for x:latest"}]


def stats(name, container):
    return {"name": "/" + name, "id": container, "read": "2026-11-20T22:38:47Z", "preread": "2026-11-20T22:38:46Z",
            "pids_stats": {"current": 5, "limit": 100},
            "blkio_stats": {"io_service_bytes_recursive": [{"major": 8, "minor": 0, "op": "Read", "value": 4096123},
                                                           {"major": 8, "minor": 0, "op": "write", "value": 77},
                                                           {"major": 8, "minor": 0, "op": "Total", "value": 9}],
                            "io_serviced_recursive": None},
            "num_procs": 0, "storage_stats": {},
            "cpu_stats": {"cpu_usage": {"total_usage": 2_500_000_000, "percpu_usage": [1, 2]},
                          "system_cpu_usage": 20_000_000_000, "online_cpus": 4},
            "precpu_stats": {"cpu_usage": {"total_usage": 1_000_000_000}, "system_cpu_usage": 16_000_000_000},
            "memory_stats": {"usage": 123456789, "stats": {"total_inactive_file": 3456789, "inactive_file": 1}, "limit": 2147483648},
            "networks": {"eth0": {"rx_bytes": 5338, "tx_bytes": 648}, "eth1": {"rx_bytes": 10**9, "tx_bytes": 1}}}


STOPPED = {"name": "/y", "id": "d" * 64, "read": "0001-01-01T00:00:00Z", "preread": "0001-01-01T00:00:00Z",
           "pids_stats": {}, "blkio_stats": {"io_service_bytes_recursive": None}, "num_procs": 0, "storage_stats": {},
           "cpu_stats": {"cpu_usage": {"total_usage": 0}}, "precpu_stats": {"cpu_usage": {"total_usage": 0}}, "memory_stats": {}}


def lines(values):
    return "".join(json.dumps(value) + "\r\n" for value in values).encode()


def create(request):
    body = request.json()
    query = dict(request.query)
    if query.get("name") == "taken":
        return 409, {"message": 'Conflict. The container name "/taken" is already in use'}
    if body["Image"] in ("missing", "failing"):
        return 404, {"message": f"No such image: {body['Image']}:latest"}
    if body.get("Entrypoint") == ["nothere"]:
        return 201, {"Id": "nothere", "Warnings": []}
    return 201, {"Id": ID, "Warnings": ["a warning"]}


def pull(request):
    name = dict(request.query)["fromImage"]
    if "failing" in name or "missing" in name:
        return 200, lines([PROGRESS[0], {"error": "toomanyrequests", "errorDetail": {"message": "toomanyrequests"}}])
    return 200, lines(PROGRESS)


def answers():
    no_content = (204, b"")
    removed = [{"Untagged": "x:latest"}, {"Deleted": IMAGE}]
    out = {
        "GET /containers/json": (200, CONTAINERS), "GET /images/json": (200, IMAGES),
        "GET /containers/a/json": (200, CONTAINER), f"GET /containers/{ID}/json": (200, CONTAINER),
        "GET /containers/a/top": (200, {"Titles": ["UID", "PID", "CMD"],
                                        "Processes": [["root", "1", "sh -c x"], ["nobody", "12345", "sleep"]]}),
        "POST /containers/a/wait": (200, {"StatusCode": 3}), "GET /images/x/history": (200, HISTORY),
        "GET /containers/a/logs": (200, frame(1, b"out\n") + frame(2, b"err\n")),
        f"GET /containers/{ID}/logs": (200, frame(1, b"out\n") + frame(2, b"err\n")),
        "POST /containers/a/exec": (201, {"Id": "e1"}), "POST /exec/e1/start": no_content,
        "GET /exec/e1/json": (200, {"ExitCode": 7, "Running": False}),
        "GET /images/x/json": (200, {"Id": IMAGE, "RepoTags": ["x:latest"], "Config": {}}),
        "DELETE /images/x": (200, removed), "POST /images/create": (0, pull), "POST /images/a/tag": (201, b""),
        "POST /images/a:1/tag": (201, b""), "POST /containers/create": (0, create),
        f"POST /containers/{ID}/start": no_content, f"POST /containers/{ID}/wait": (200, {"StatusCode": 0}),
        "POST /containers/nothere/start": (400, {"message": 'exec: "nothere": executable file not found in $PATH'}),
        "POST /containers/nothere/wait": (200, {"StatusCode": 127}),
        "POST /containers/prune": (200, {"ContainersDeleted": [ID], "SpaceReclaimed": 1234567}),
        "POST /networks/prune": (200, {"NetworksDeleted": ["n1", "n2"]}),
        "POST /volumes/prune": (200, {"VolumesDeleted": ["v1"], "SpaceReclaimed": 1000}),
        "POST /images/prune": (200, {"ImagesDeleted": [{"Untagged": "x:1"}, {"Deleted": IMAGE}], "SpaceReclaimed": 20000}),
        "POST /build/prune": (200, {"CachesDeleted": ["c1", "c2"], "SpaceReclaimed": 300000}),
        "GET /containers/a/checkpoints": (200, [{"Name": "one"}, {"Name": "two"}]),
        "POST /containers/a/checkpoints": (201, b""), "DELETE /containers/a/checkpoints/one": no_content,
        "GET /networks": (200, NETWORKS), "GET /networks/zeta": (200, NETWORKS[0]),
        "POST /networks/create": (201, {"Id": "n" * 64, "Warning": ""}), "DELETE /networks/zeta": no_content,
        "POST /networks/zeta/connect": (200, b""), "POST /networks/zeta/disconnect": (200, b""),
        "GET /volumes": (200, {"Volumes": VOLUMES, "Warnings": None}), "GET /volumes/zed": (200, VOLUMES[0]),
        "POST /volumes/create": (201, VOLUMES[0]), "DELETE /volumes/zed": no_content,
        "GET /events": (200, lines([EVENT])),
        "GET /system/df": (200, {"LayersSize": 2345678901, "Images": IMAGES, "Containers": CONTAINERS, "BuildCache": [],
                                 "Volumes": [{**VOLUMES[0], "UsageData": {"RefCount": 2, "Size": 1234}},
                                             {**VOLUMES[1], "UsageData": {"RefCount": 0, "Size": 98765432}}]}),
        "GET /containers/web/stats": (200, stats("web", ID)), "GET /containers/x/stats": (200, stats("x", "c" * 64)),
        "GET /containers/y/stats": (200, STOPPED),
        f"GET /containers/{ID[:12]}/stats": (200, stats("web", ID)), f"GET /containers/{'c' * 12}/stats": (200, STOPPED),
        f"GET /containers/{'d' * 12}/stats": (200, STOPPED),
        "GET /containers/nothing-of-the-kind/stats": (404, {"message": "No such container: nothing-of-the-kind"}),
        "GET /containers/a/changes": (200, [{"Path": "/etc", "Kind": 0}, {"Path": "/etc/x", "Kind": 1}, {"Path": "/y", "Kind": 2}]),
        "POST /containers/a/update": (200, {"Warnings": ["a warning"]}), "POST /containers/b/update": (200, {"Warnings": None}),
        "POST /containers/nothing-of-the-kind/update": (404, {"message": "No such container: nothing-of-the-kind"}),
        "POST /commit": (201, {"Id": IMAGE}), "GET /containers/a/export": (200, b"a tar"),
    }
    for verb in ("start", "stop", "restart", "kill", "pause", "unpause", "rename"):
        out[f"POST /containers/a/{verb}"] = no_content
    out["DELETE /containers/a"] = no_content
    return out
