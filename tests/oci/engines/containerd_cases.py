"""containerd through ctr(8), its runc shim told the binary. As in cases.py, a case returns what it saw."""
import hashlib
import io
import json
import tarfile

from engines import Failed, IMAGE, until

CASES = []


def case(alone=False):
    """alone: ctr on runc loses output now and then, so there is nothing to compare with and the case asserts all of it."""

    def add(function):
        function.engines, function.alone, function.long = ("containerd",), alone, False
        CASES.append(function)
        return function

    return add


def expect(seen, wanted):
    if seen != wanted:
        raise Failed(f"saw {seen}, wanted {wanted}")


def import_image(e):
    """A docker archive around the root file system."""
    layer = open(e.image, "rb").read()
    config = json.dumps({"architecture": "amd64", "os": "linux", "config": {"Env": ["PATH=/bin"]},
                         "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest()]}}).encode()
    manifest = json.dumps([{"Config": "config.json", "RepoTags": [IMAGE], "Layers": ["layer.tar"]}]).encode()
    path = e.work / "image.tar"
    with tarfile.open(path, "w") as tar:
        for name, data in (("config.json", config), ("layer.tar", layer), ("manifest.json", manifest)):
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    e.ok("images", "import", str(path))


def run(e, *words, stdin=None):
    flags, command = e.cut(words)
    return e.call("run", "--rm", "--cgroup", f"/{e.parent}/{e.new_name()}", *e.flags(), *flags, IMAGE, e.new_name(), *command, stdin=stdin)


def start(e, *words):
    flags, command = e.cut(words)
    name = e.new_name()
    e.ok("run", "-d", "--cgroup", f"/{e.parent}/{name}", *e.flags(), *flags, IMAGE, name, *(command or ["sleep", "1000"]))
    return name


def finish(e, name):
    e.ok("tasks", "kill", "-s", "SIGKILL", name)
    until(lambda: "STOPPED" in e.ok("tasks", "ls"), "it has stopped")
    e.call("tasks", "delete", name)
    e.ok("containers", "rm", name)


@case(alone=True)
def run_streams_and_status(e):
    expect(run(e, "--", "sh", "-c", "echo out; echo err >&2; exit 7").seen(), [7, "out\n", "err\n"])


@case(alone=True)
def run_standard_input(e):
    expect(run(e, "--", "head", "-c", "5", stdin="hello").seen(), [0, "hello", ""])


@case()
def run_limited(e):
    done = run(e, "--memory-limit", "67108864", "--cpus", "0.5", "--read-only", "--seccomp", "--cap-drop", "CAP_CHOWN", "--",
               "sh", "-c", "exec 2>&1; id; touch /tmp/x; echo $?; grep -E '^(Cap|Seccomp:|NoNew)' /proc/self/status")
    return done.seen()


@case(alone=True)
def exec_pause_and_kill(e):
    name = start(e)
    out = [e.call("tasks", "exec", "--exec-id", "a", name, "sh", "-c", "echo in; exit 3").seen()]
    e.ok("tasks", "pause", name)
    out.append("PAUSED" in e.ok("tasks", "ls"))
    e.ok("tasks", "resume", name)
    out.append("RUNNING" in e.ok("tasks", "ls"))
    out.append(len(e.ok("tasks", "ps", name).splitlines()))
    out.append("pids.current" in e.ok("tasks", "metrics", name))
    finish(e, name)
    expect(out, [[3, "in\n", ""], True, True, 2, True])


@case()
def program_not_found(e):
    done = run(e, "--", "no-such-program")
    if 'exec: "no-such-program": executable file not found in $PATH' not in done.err:
        raise Failed(str(done))
    for one in e.call("containers", "ls", "-q").out.split():
        e.call("containers", "rm", one)
    return done.code
