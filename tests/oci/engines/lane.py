"""One engine on one runtime: every case in turn, what was seen written as JSON. Runs in namespaces that suite.py made."""
import io
import json
import os
import pathlib
import subprocess
import sys
import tarfile
import time
import traceback

import cases
import containerd_cases
import engines

ENGINES = ("podman", "docker", "containerd")


def make_image(path):
    """A root file system of one static program, as `docker import` takes it."""
    with tarfile.open(path, "w") as tar:
        for name in ("bin", "dev", "proc", "sys", "tmp", "etc", "root", "home", "var"):
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if name == "tmp" else 0o755
            tar.addfile(entry)
        tar.add("/bin/busybox", "bin/busybox")
        for applet in subprocess.run(["/bin/busybox", "--list"], capture_output=True, text=True, check=True).stdout.split():
            if applet != "busybox":
                entry = tarfile.TarInfo(f"bin/{applet}")
                entry.type, entry.linkname = tarfile.SYMTYPE, "busybox"
                tar.addfile(entry)
        files = {"etc/passwd": "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/home:/bin/sh\n",
                 "etc/group": "root:x:0:\nuser:x:1000:\nextra:x:2000:user\n", "etc/plain": "not a program\n"}
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.mode, entry.size = 0o644, len(text)
            tar.addfile(entry, io.BytesIO(text.encode()))


def table(engine):
    return containerd_cases.CASES if engine == "containerd" else cases.CASES


def names(engine, wanted=()):
    return [case.__name__ for case in table(engine)
            if engine in case.engines and (not wanted or case.__name__ in wanted)]


def main():
    name, runtime, directory, *wanted = sys.argv[1:]
    directory = pathlib.Path(directory)
    for path in ("/run", "/dev/shm", "/var/lib/cni", "/var/lib/containers"):
        if os.path.isdir(path):
            subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=1777" if path == "/dev/shm" else "mode=755", "tmpfs", path], check=True)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    os.makedirs("/run/work", exist_ok=True)
    engine = engines.make(name, runtime, pathlib.Path("/run/work"), directory.parent / "root.tar")
    results = {}
    try:
        engine.start()
        for case in table(name):
            if case.__name__ not in names(name, wanted) or (case.long and runtime != "caisson"):
                continue
            begin = time.monotonic()
            result = {"alone": case.alone}
            try:
                result["seen"] = case(engine)
                if runtime == "caisson":
                    engine.nothing_left(case.__name__)
            except Exception as error:  # a case may fail in any way; the others go on
                text = str(error) if isinstance(error, (AssertionError, engines.Failed)) else traceback.format_exc()
                result["failure"] = text or traceback.format_exc()
                engine.start_over()
            result["seconds"] = time.monotonic() - begin
            results[case.__name__] = result
        versions = engine.versions()
        engine.stop()
    finally:
        engine.remove_cgroups()
    (directory / "results.json").write_text(json.dumps({"versions": versions, "cases": results}))


if __name__ == "__main__":
    main()
