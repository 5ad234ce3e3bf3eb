"""Caisson beside docker, podman, runc, crun and the bare kernel. Started by bench/run; see README.md."""
import argparse
import hashlib
import io
import json
import os
import random
import subprocess
import tarfile

from engine_part import part_engine, part_memory  # noqa: F401, found by name
from engines import engines
from measure import Failed, Table, wall
from runtime_part import part_runtime

WORK, BIN = os.environ["BENCH_DIR"], os.environ["BENCH_BIN"]
FLOOR = f"{WORK}/floor"


def hide_idle_cgroup2():
    """crun refuses a hybrid layout whose v2 side has controllers: hide that side, from all alike."""
    controllers = "/sys/fs/cgroup/unified/cgroup.controllers"
    if os.path.exists(controllers):
        subprocess.run(["umount", "/sys/fs/cgroup/unified"], check=False)


def file_system():
    """One XFS for everything."""
    image, mounted = f"{WORK}/fs.img", f"{WORK}/fs"
    os.mkdir(mounted)
    with open(image, "wb") as out:
        out.truncate(20 << 30)
    subprocess.run(["mkfs.xfs", "-q", image], check=True)
    subprocess.run(["mount", "-o", "loop,noatime", image, mounted], check=True)
    return mounted


def busybox_root(path):
    os.makedirs(f"{path}/bin")
    for name in ("dev", "proc", "sys", "tmp", "etc"):
        os.mkdir(f"{path}/{name}")
    subprocess.run(["cp", "/bin/busybox", f"{path}/bin/busybox"], check=True)
    for applet in ("true", "sh", "sleep", "cat", "yes", "head"):
        os.symlink("busybox", f"{path}/bin/{applet}")


def archive(path, tag, layers, config):
    """A docker archive of uncompressed layers: bytes of tars."""
    digests = ["sha256:" + hashlib.sha256(layer).hexdigest() for layer in layers]
    body = json.dumps({"architecture": "amd64", "os": "linux", "config": config, "rootfs": {"type": "layers", "diff_ids": digests}}).encode()
    name = hashlib.sha256(body).hexdigest() + ".json"
    files = {name: body, "manifest.json": json.dumps([{"Config": name, "RepoTags": [tag], "Layers": [f"{i}/layer.tar" for i in range(len(layers))]}]).encode()}
    files |= {f"{i}/layer.tar": layer for i, layer in enumerate(layers)}
    with tarfile.open(path, "w") as out:
        for member, data in files.items():
            info = tarfile.TarInfo(member)
            info.size = len(data)
            out.addfile(info, io.BytesIO(data))


def tar_of_tree(path):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        tar.add(path, ".")
    return out.getvalue()


def tar_of_files(count, total, seed):
    """`count` files of together `total` bytes, half of them compressible."""
    dice, out = random.Random(seed), io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for number in range(count):
            size = total // count
            info = tarfile.TarInfo(f"usr/share/{seed}/{number // 100}/{number}")
            info.size = size
            tar.addfile(info, io.BytesIO(dice.randbytes(size // 2) + b"caisson " * (size // 16 + 1)))
    return out.getvalue()


def ready(fs):
    found = engines(fs, BIN)
    archive(f"{fs}/bench.tar", "bench:1", [tar_of_tree(f"{fs}/root")], {"Cmd": ["sh"], "Env": ["PATH=/bin"]})
    for engine in list(found):
        try:
            engine.start()
            engine.call("load", "-i", f"{fs}/bench.tar")
        except Failed as failure:
            print(f"  dropped {engine.name}: {failure}", flush=True)
            engine.stop()
            found.remove(engine)
    return found


def part_images(table, fs, found, _floor):
    layers = [tar_of_files(3000, 50 << 20, seed) for seed in range(4)]
    archive(f"{fs}/big.tar", "big:1", layers, {"Cmd": ["sh"]})
    size = os.path.getsize(f"{fs}/big.tar") >> 20

    def load(engine):
        subprocess.run(engine.cli + ["rmi", "-f", "big:1"], env=engine.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        os.sync()
        return engine.call("load", "-i", f"{fs}/big.tar")

    def unpack():
        subprocess.run(["rm", "-rf", f"{fs}/x"], check=True)
        os.mkdir(f"{fs}/x")
        os.sync()
        return wall(["/bin/bash", "-c", f"cd {fs}/x; tar -xf {fs}/big.tar; for l in */layer.tar; do mkdir d${{l%/*}}; tar -xf $l -C d${{l%/*}}; done"])

    table.take_turns(f"images: load of {size} MiB, 4 layers, 12,000 files", "s",
                     {**{e.name: (lambda e=e: load(e)) for e in found}, "tar x": unpack}, 5, scale=1, warm=1)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("-o", default=None)
    parser.add_argument("parts", nargs="*", default=[])
    options = parser.parse_args()
    parts = options.parts or ["runtime", "engine", "memory", "images"]
    hide_idle_cgroup2()
    fs = file_system()
    busybox_root(f"{fs}/root")
    subprocess.run("ip link set lo up && ip link add bench0 type bridge && ip addr add 10.99.0.1/16 dev bench0 && ip link set bench0 up", shell=True, check=True)
    table, found = Table(options.o, options.quick), []
    try:
        if "runtime" in parts:
            part_runtime(table, fs, BIN, FLOOR)
        if set(parts) - {"runtime"}:
            found = ready(fs)
        for part in parts:
            if part != "runtime":
                globals()[f"part_{part}"](table, fs, found, FLOOR)
    finally:
        for engine in found:
            engine.stop()


if __name__ == "__main__":
    main()
