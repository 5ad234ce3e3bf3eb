"""Bad input and bad moments: an error that says what is wrong, runc's exit statuses, and nothing left behind."""
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import time

from harness import case, check, wait_for

RUNC = "/usr/sbin/runc"


def nothing_of(host, box):
    """A container that did not come to be has left nothing, without anybody cleaning up."""
    check(not (host.state_root / box.id).exists(), f"a state directory: {os.listdir(host.state_root / box.id) if (host.state_root / box.id).exists() else ''}")
    left = [path for path in host.cgroups() if f"/{box.id}" in path]
    check(not left, f"cgroups: {left}")


def stopped(box):
    box.process["args"] = ["/bin/true"]
    box.background()
    wait_for(lambda: box.state()["status"] == "stopped", "end of the container")


def running(box):
    box.background()


def without_root(box):
    shutil.rmtree(box.rootfs)
    return box.create()


def changed(change):
    def attempt(box):
        change(box)
        return box.create()
    return attempt


def spoiled(text):
    def attempt(box):
        box.write()
        (box.bundle / "config.json").write_text(text)
        return box.host.call(box.host.runtime("create", "--bundle", str(box.bundle), box.id))
    return attempt


def after(prepare, *words, flags=()):
    def attempt(box):
        prepare(box)
        return box.host.call(box.command(words[0], *flags, words=words[1:]))
    return attempt


def created(box):
    said = box.create()
    check(said.status == 0, f"{said}")


def paused(box):
    running(box)
    box.host.call(box.command("pause"))


def started_twice(box):
    created(box)
    box.start()
    return box.start()


def unknown(box):
    pass


def hook(kind, *args, timeout=None):
    def change(box):
        one = {"path": args[0], "args": list(args)}
        if timeout:
            one["timeout"] = timeout
        box.spec["hooks"] = {kind: [one]}
    return changed(change)


# What is done, and a word that both runtimes' messages have (none: only the exit status is compared).
LIKE_RUNC = {
    "missing-root": (without_root, ""),
    "no-configuration": (lambda box: box.host.call(box.host.runtime("create", "--bundle", str(box.bundle), box.id)), "config.json not found"),
    "configuration-not-json": (spoiled("{"), ""),
    "configuration-of-wrong-type": (spoiled('{"ociVersion": "1.0.2", "process": []}'), ""),
    "same-id-again": (lambda box: (created(box), box.create())[1], "container with given ID already exists"),
    "start-running": (started_twice, "cannot start an already running container"),
    "start-stopped": (after(stopped, "start"), "cannot start a container that has stopped"),
    "start-unknown": (after(unknown, "start"), "container does not exist"),
    "kill-stopped": (after(stopped, "kill", "KILL"), "container not running"),
    "kill-unknown-signal": (after(running, "kill", "NONSENSE"), "unknown signal"),
    "kill-unknown": (after(unknown, "kill"), "container does not exist"),
    "delete-running": (after(running, "delete"), "that is not stopped: running"),
    "delete-created-by-force": (after(created, "delete", flags=("--force",)), ""),
    "delete-stopped": (after(stopped, "delete"), ""),
    "delete-unknown": (after(unknown, "delete"), "container does not exist"),
    "delete-unknown-by-force": (after(unknown, "delete", flags=("--force",)), ""),
    "state-unknown": (after(unknown, "state"), "container does not exist"),
    "exec-stopped": (after(stopped, "exec", "/bin/true"), "cannot exec in a stopped container"),
    "exec-unknown": (after(unknown, "exec", "/bin/true"), "container does not exist"),
    "exec-paused": (after(paused, "exec", "/bin/true"), "paused"),
    "exec-missing-program": (after(running, "exec", "nonsense"), "executable file not found in $PATH"),
    "exec-missing-path": (after(running, "exec", "/nonsense"), "no such file or directory"),
    "exec-not-executable": (after(running, "exec", "/proc/version"), "permission denied"),
    "exec-status": (after(running, "exec", "/bin/sh", "-c", "exit 7"), ""),
    "exec-killed": (after(running, "exec", "/bin/sh", "-c", "kill -9 $$"), ""),
    "exec-relative-directory": (after(running, "exec", "/bin/true", flags=("--cwd", "tmp")), ""),
    "pause-stopped": (after(stopped, "pause"), "container not running"),
    "resume-running": (after(running, "resume"), "container not paused"),
    "update-stopped": (after(stopped, "update", flags=("--pids-limit", "5")), ""),
    "ps-unknown": (after(unknown, "ps"), "container does not exist"),
    "missing-program": (changed(lambda box: box.process.update(args=["nonsense"])), "executable file not found in $PATH"),
    "no-arguments": (changed(lambda box: box.process.update(args=[])), ""),
    "relative-directory": (changed(lambda box: box.process.update(cwd="tmp")), "Cwd must be an absolute path"),
    "missing-mount-source": (changed(lambda box: box.bind("/nonsense", "/vol")), "/nonsense"),
    "unknown-namespace": (changed(lambda box: box.linux["namespaces"].append({"type": "nonsense"})), ""),
    "unknown-rlimit": (changed(lambda box: box.process.update(rlimits=[{"type": "RLIMIT_NONSENSE", "soft": 1, "hard": 1}])), ""),
    "foreign-sysctl": (changed(lambda box: box.linux.update(sysctl={"vm.swappiness": "60"})), "is not in a separate kernel namespace"),
    "hostname-without-namespace": (changed(lambda box: box.linux.update(namespaces=[{"type": "mount"}, {"type": "pid"}])), "hostname"),
    "hook-fails": (hook("createRuntime", "/bin/false"), "hook"),
    "hook-missing": (hook("prestart", "/nonsense"), "/nonsense"),
    "hook-hangs": (hook("createRuntime", "/bin/sleep", "1000", timeout=1), "timeout"),
    "container-hook-fails": (hook("createContainer", "/bin/false"), "hook"),
}


@case("like-runc")
def _(host):
    """The same exit status as Debian's runc in every one of these, and a message with the same words."""
    check(os.access(RUNC, os.X_OK), "Debian's runc is not installed")
    ours, problems = host.binary, []
    for name, (attempt, words) in LIKE_RUNC.items():
        said = {}
        for tool in (ours, pathlib.Path(RUNC)):
            host.binary = tool
            host.state_root = host.work / "state" if tool == ours else host.work / "state-of-runc"
            box = host.box()
            try:
                said[tool] = attempt(box)
                lost = said[tool].status != 0 and name not in ("same-id-again",) and not (host.state_root / box.id / "state.json").exists()
                if tool == ours and lost:
                    nothing_of(host, box)
            except AssertionError as error:
                problems.append(f"{name}, {tool.name}: {error}")
            host.call(host.runtime("delete", "--force", box.id))
            shutil.rmtree(box.bundle)
        host.binary, host.state_root = ours, host.work / "state"
        if len(said) < 2:
            continue
        mine, theirs = said.values()
        if mine.status != theirs.status:
            problems.append(f"{name}: {mine} where runc has {theirs}")
        if words and (words not in mine.err or words not in theirs.err):
            problems.append(f"{name}: no {words!r} in {mine} or in runc's {theirs}")
        if mine.status != 0 and not mine.err and "exec-status" not in name and "exec-killed" not in name:
            problems.append(f"{name}: failed without a word")
    shutil.rmtree(host.work / "state-of-runc", ignore_errors=True)
    check(not problems, "\n     ".join(problems))


@case("errors-name-the-field")
def _(host):
    """A hostile or wrong configuration: the message has the name of what is wrong in it, and nothing is left."""
    def mounts(box, **mount):
        box.spec["mounts"].append({"destination": "/vol", **mount})

    wrong = {
        "uidMappings": lambda box: box.linux["namespaces"].append({"type": "user"}),
        "rootfsPropagation": lambda box: box.linux.update(rootfsPropagation="nonsense"),
        "nonsensefs": lambda box: mounts(box, type="nonsensefs", source="x"),
        "nonsenseoption": lambda box: mounts(box, type="tmpfs", source="tmpfs", options=["nonsenseoption=1"]),
        "RLIMIT_NOFILE": lambda box: box.process.update(rlimits=[{"type": "RLIMIT_NOFILE", "soft": 10, "hard": 5}]),
        "given twice": lambda box: box.linux["namespaces"].append({"type": "pid"}),
        "/proc/self/ns/net": lambda box: box.linux["namespaces"].append({"type": "cgroup", "path": "/proc/self/ns/net"}),
        "SCMP_ACT_NONSENSE": lambda box: box.linux.update(seccomp={"defaultAction": "SCMP_ACT_NONSENSE"}),
        "/dev/x": lambda box: box.linux.update(devices=[{"path": "/dev/x", "type": "z", "major": 1, "minor": 1}]),
        "/nowhere": lambda box: box.linux["namespaces"].append({"type": "cgroup", "path": "/nowhere"}),
        "capabilities": lambda box: box.process["capabilities"].update(permitted=[]),
        "process": lambda box: box.spec.pop("process"),
        "linux": lambda box: box.spec.pop("linux"),
        "root": lambda box: box.spec.pop("root"),
    }
    problems = []
    for word, change in wrong.items():
        box = host.box()
        change(box)
        said = box.create()
        if said.status != 1 or word.lower() not in said.err.lower():
            problems.append(f"{word}: {said}")
        if said.status != 0:
            nothing_of(host, box)
    check(not problems, "\n     ".join(problems))


@case("hostile-json")
def _(host):
    """Deep, huge, broken: an error within seconds."""
    base = json.dumps(host.box().spec)
    hostile = ["", "null", "[]", "{}", "[" * 200000, '{"a":' * 100000, base[:-1], base + base, "\xff\xfe", base.replace('"box"', '"' + "x" * 5000000 + '"'),
               base.replace('"ociVersion": "1.2.0"', '"ociVersion": 7'), base.replace('"args": [', '"args": [7, '),
               base.replace('"mounts": [', '"mounts": [null, '), base.replace('"uid": 0', '"uid": -1'), base.replace('"uid": 0', '"uid": 99999999999999999999'),
               base.replace('"hostname": "box"', '"hostname": "a\\u0000b"')]
    for text in hostile:
        box = host.box()
        said = spoiled(text)(box)
        if '"a\\u0000b"' not in text:
            check(said.status == 1 and said.err, f"{text[:60]!r}: {said}")
        if said.status == 1:
            nothing_of(host, box)


@case("cgroup-path-overlong")
def _(host):
    """A name that no directory may have, though a cgroup file system would take it, and a path that is too long as a whole."""
    for path, words in ((f"{host.cgroup}/" + "x" * 300, "at most 255"), (host.cgroup + "/yyyyyyy" * 600, "too long")):
        box = host.box()
        box.linux["cgroupsPath"] = path
        said = box.create()
        check(said.status == 1 and words in said.err.lower(), f"{len(path)} bytes: {said}")
        nothing_of(host, box)
        check(not [one for one in host.cgroups() if "/x" in one or "/yyyyyyy" in one], f"cgroups: {host.cgroups()}")


@case("hooks-that-fail-or-hang")
def _(host):
    """Every kind, those in the container's namespaces, too: the error names the hook, and nothing is left without a delete. After
    the program was started a failure is only told, as the specification has it for poststart and poststop."""
    problems = []
    for kind in ("prestart", "createRuntime", "createContainer", "startContainer"):
        for what, args, words in (("fails", ["/bin/sh", "-c", "exit 3"], "exit status 3"), ("hangs", ["/bin/sleep", "1000"], "timeout"),
                                  ("killed", ["/bin/sh", "-c", "kill -9 $$"], "killed")):
            box = host.box("/bin/true")
            box.spec["hooks"] = {kind: [{"path": args[0], "args": args, **({"timeout": 1} if what == "hangs" else {})}]}
            said = box.run()
            if said.status != 1 or words not in said.err or "hook" not in said.err:
                problems.append(f"{kind} {what}: {said}")
            try:
                nothing_of(host, box)
            except AssertionError as error:
                problems.append(f"{kind} {what}: {error}")
    for kind in ("poststart", "poststop"):
        box = host.box("/bin/true")
        box.spec["hooks"] = {kind: [{"path": "/bin/sleep", "args": ["sleep", "1000"], "timeout": 1}]}
        box.run()
        try:
            nothing_of(host, box)
        except AssertionError as error:
            problems.append(f"{kind} hangs: {error}")
    check(not problems, "\n     ".join(problems))


@case("cgroup-cannot-be-made")
def _(host):
    """A name that a file has taken; a hierarchy that is mounted read-only."""
    box = host.box()
    box.linux["cgroupsPath"] = f"{host.cgroup}/tasks/{box.id}" if os.path.exists("/sys/fs/cgroup/memory") else f"{host.cgroup}/cgroup.procs/{box.id}"
    host.box("/bin/true").run()
    said = box.create()
    check(said.status == 1 and "tasks" in said.err or "cgroup.procs" in said.err, f"{said}")
    nothing_of(host, box)
    place = "/sys/fs/cgroup/memory" if os.path.exists("/sys/fs/cgroup/memory") else "/sys/fs/cgroup"
    subprocess.run(["mount", "--bind", place, place], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", place], check=True)
        box = host.box()
        said = box.create()
    finally:
        subprocess.run(["umount", place], check=True)
    check(said.status == 1 and place in said.err, f"{said}")
    nothing_of(host, box)


@case("process-table-full")
def _(host):
    """The caller may not have another process; the container's parent cgroup may not."""
    root = "/sys/fs/cgroup/pids" if os.path.exists("/sys/fs/cgroup/pids") else "/sys/fs/cgroup"
    tight = pathlib.Path(f"{root}{host.cgroup}-tight")
    tight.mkdir()
    host.undo.append(lambda: wait_for(lambda: not tight.exists() or not tight.rmdir(), "empty cgroup"))
    (tight / "pids.max").write_text("1")
    box = host.box()
    said = box.create(preexec_fn=lambda: (tight / "cgroup.procs").write_text(str(os.getpid())))
    check(said.status == 1 and "clone" in said.err, f"{said}")
    nothing_of(host, box)
    for limit in (1, 2):
        box = host.box("/bin/sh", "-c", "/bin/true; exit 0")
        box.linux["resources"]["pids"] = {"limit": limit}
        said = box.run(timeout=10)
        check("panic" not in said.err, f"{said}")
    box = host.box()
    box.linux["resources"]["pids"] = {"limit": 1}
    box.background()
    # The process that enters is let in, as the kernel limits only what is born in there; it can't have children.
    said = box.exec("/bin/sh", "-c", "/bin/sleep 0 & wait; echo had a child")
    check("fork" in said.err and "had a child" not in said.out, f"{said}")
    check(box.state()["status"] == "running", "the container ended")


@case("state-root-full")
def _(host):
    """No room for the state: every step of create at which it runs out."""
    small = host.directory("small")
    came = refusals = 0
    keep, host.state_root = host.state_root, small / "state"
    try:
        for inodes in range(2, 12):
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size=64k,nr_inodes={inodes}", "tmpfs", small], check=True)
            try:
                box = host.box()
                said = box.create()
                if said.status == 0:
                    came += 1
                    check(box.delete("--force").status == 0, "delete")
                else:
                    refusals += 1
                    check("no space left on device" in said.err.lower(), f"{inodes} inodes: {said}")
                nothing_of(host, box)
            finally:
                subprocess.run(["umount", small], check=True)
        for blocks in range(1, 6):
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={blocks * 4}k", "tmpfs", small], check=True)
            try:
                box = host.box()
                box.process["env"].append("FILLER=" + "x" * 12000)
                said = box.create()
                refusals += said.status != 0
                came += said.status == 0
                check(box.delete("--force").status == 0, "delete")
                nothing_of(host, box)
            finally:
                subprocess.run(["umount", small], check=True)
    finally:
        host.state_root = keep
    check(came > 0 and refusals > 0, f"{came} came to be, {refusals} did not")


def crash_points():
    """Those of a create in the sources, so that a new one is tried without being named here."""
    top = pathlib.Path(__file__).parents[3] / "src"
    found = set()
    for module in ("runtime", "cgroup", "cmd/caisson-runtime"):
        for path in (top / module).rglob("*.cc"):
            found.update(re.findall(r'CRASH_POINT\("(runtime\.create\.[^"]+|cgroup\.[^"]+)"\)', path.read_text()))
    return sorted(found)


def gone(host, box):
    """delete --force after a kill, and then nothing is left; the container's processes end by themselves."""
    said = box.delete("--force")
    check(said.status == 0, f"delete --force: {said}")
    nothing_of(host, box)


@case("killed-at-crash-points")
def _(host):
    points = crash_points()
    check(len(points) >= 3, f"crash points: {points}")
    for point in points:
        for verb in ("create", "run"):
            box = host.box()
            said = host.call(box.command(verb), env={**os.environ, "CAISSON_CRASH_AT": point})
            check(said.status == -9, f"{point}: not reached: {said}")
            gone(host, box)


@case("killed-at-random")
def _(host):
    """SIGKILL at a hundred moments of a create."""
    early = late = 0
    seed = random.randrange(1 << 30)
    chance = random.Random(seed)
    box = host.box()
    begin = time.monotonic()
    check(box.create().status == 0, "create")
    whole = time.monotonic() - begin
    gone(host, box)
    for _ in range(100):
        box.id = f"k{chance.randrange(1 << 40)}"
        box.linux["cgroupsPath"] = f"{host.cgroup}/{box.id}"
        command = box.command("create")
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(chance.random() * whole * 1.2)
        process.kill()
        done = process.wait() == 0
        late += done
        early += not done
        try:
            gone(host, box)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from None
    check(early > 20, f"only {early} were killed before their end")
