"""Runs the lanes (engine and runtime) beside each other, compares each engine with itself. Started by ./run."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import lane

HERE = pathlib.Path(__file__).parent
LONGEST = 300
LANES = [(engine, runtime) for engine in lane.ENGINES for runtime in ("caisson", "default")]


def expected_failures():
    out = {}
    for line in (HERE / "expected.txt").read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            engine, name, reason = line.split(None, 2)
            out[engine, name] = reason
    return out


def start(engine, runtime, work, wanted):
    """In namespaces of its own, under a shell that adopts and reaps what engines leave to process 1."""
    directory = work / f"{engine}-{runtime}"
    directory.mkdir()
    argv = ["unshare", "--mount", "--net", "--pid", "--ipc", "--fork", "--kill-child", "--mount-proc", "--propagation", "private",
            "/bin/bash", "-c", '"$@"; exit $?', "lane",
            "/usr/bin/python3", "-B", str(HERE / "lane.py"), engine, runtime, str(directory), *wanted]
    return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=open(directory / "out", "w"), stderr=subprocess.STDOUT)


def hide_idle_cgroup2(work):
    """podman and crun refuse a hybrid layout whose v2 side has controllers: the v1 hierarchies alone, for all alike."""
    top, aside = "/sys/fs/cgroup", work / "cgroup"
    if not os.path.exists(f"{top}/unified/cgroup.controllers"):
        return
    mount = lambda *words: subprocess.run(["mount", *map(str, words)], check=True)
    aside.mkdir()
    mount("--rbind", top, aside)
    subprocess.run(["umount", "-R", "-l", top], check=True)
    mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", top)
    for name in os.listdir(aside):
        if (aside / name).is_symlink():
            os.symlink(os.readlink(aside / name), f"{top}/{name}")
        elif name != "unified" and os.path.ismount(aside / name):  # podman makes plain directories for what is not mounted
            os.mkdir(f"{top}/{name}")
            mount("--bind", aside / name, f"{top}/{name}")
    subprocess.run(["umount", "-R", "-l", str(aside)], check=True)


def outcome(name, ours, control):
    """None, or why the case is a failure."""
    if name not in ours:
        return "not reached"
    if "failure" in ours[name]:
        there = control.get(name, {"failure": "not run"}).get("failure", "passes")
        return f"{ours[name]['failure']} (the default runtime: {there})"
    if ours[name]["alone"]:
        return None
    if "failure" in control.get(name, {"failure": "not reached"}):
        return "the engine's own runtime fails here, too: " + control.get(name, {}).get("failure", "not reached")
    if ours[name]["seen"] != control[name]["seen"]:
        return f"saw {json.dumps(ours[name]['seen'])}, with the default runtime {json.dumps(control[name]['seen'])}"
    return None


def main():
    words = sys.argv[1:]
    verbose = "-v" in words
    wanted = [word for word in words if word != "-v"]
    work = pathlib.Path(tempfile.mkdtemp(prefix="caisson-engines-", dir="/var/tmp"))
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", str(work)], check=True)
    hide_idle_cgroup2(work)
    lane.make_image(work / "root.tar")
    begin = time.monotonic()
    running = {pair: start(*pair, work, wanted) for pair in LANES}
    results = {}
    for (engine, runtime), process in running.items():
        try:
            process.wait(timeout=max(1, begin + LONGEST - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        directory = work / f"{engine}-{runtime}"
        file = directory / "results.json"
        results[engine, runtime] = json.loads(file.read_text()) if file.exists() else {"cases": {}, "versions": "?"}
        if process.returncode or not file.exists():
            print(f"lane {engine} {runtime}: exit {process.returncode}\n{(directory / 'out').read_text()[-3000:]}")
    expected = expected_failures()
    passed, failed, known = 0, 0, 0
    for engine in lane.ENGINES:
        ours, control = results[engine, "caisson"]["cases"], results[engine, "default"]["cases"]
        for name in lane.names(engine, wanted):
            why = outcome(name, ours, control)
            took = "".join(f" {side[name]['seconds']:.1f}" for side in (ours, control) if name in side)
            if why is None and (engine, name) not in expected:
                passed += 1
                print(f"ok   {engine} {name}{took if verbose else ''}")
            elif why is not None and (engine, name) in expected:
                known += 1
                print(f"skip {engine} {name}: {expected[engine, name]}")
            else:
                failed += 1
                print(f"FAIL {engine} {name}: {why or 'expected to fail, and passes'}")
            if verbose and name in ours:
                print("    ", json.dumps(ours[name].get("seen"))[:300])
    for (engine, runtime), result in results.items():
        print(f"{engine}: {result['versions']}")
    print(f"{passed} passed, {failed} failed, {known} expected failures, {time.monotonic() - begin:.0f} s")
    subprocess.run(["umount", "-l", str(work)], check=False)
    work.rmdir()
    sys.exit(1 if failed or not passed else 0)


main()
