#!/usr/bin/env python3
"""Checks what a compiler does not: the module DAG, header cycles, and bans with a reason.

  tools/lint.py [ROOT]     prints one line per breach, exit status 1 if there is any

The DAG is read from tools/layers.txt. A line that has a good reason to break a ban says so:
// lint: allow(ban-name) reason
"""
import pathlib
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]')
ALLOW = re.compile(r'//\s*lint:\s*allow\(([a-z-]+)\)\s+\S')

# name, pattern, modules where it is right, reason
BANS = [
    ("raw-syscall", re.compile(r'(?<![\w.>:])::(open|openat|openat2|creat|fork|vfork|clone|mount|umount2?|pivot_root|setns|unshare|'
                               r'execve|execv|execvp|execveat|posix_spawn|posix_spawnp|syscall|socket|kill|waitpid|waitid|mknod|mknodat|'
                               r'chroot|ptrace)\s*\('), {"sys"},
     "only sys speaks to the kernel: add or use a wrapper there"),
    ("shell", re.compile(r'(?<![\w.>])(?:std::|::)?(system(?=\s*\([^)])|popen|execlp|execvp|wordexp)\s*\('), set(),
     "no shell and no helper program is ever started"),
    ("libc-path", re.compile(r'(?<!\w)(?:std::|::)(tmpnam|mktemp|gets|strcpy|strcat|sprintf|realpath)\s*\('), set(),
     "unsafe or racy by design"),
    ("sleep", re.compile(r'(?<![\w])(sleep_for|sleep_until|usleep|nanosleep)\s*\('), set(),
     "wait for the event (epoll, condition, inotify), do not poll"),
]
INCLUDE_BANS = [
    ("boost", re.compile(r'^boost/'), {"http", "codec"}, "Boost stays behind http and codec"),
    ("openssl", re.compile(r'^openssl/'), {"http", "codec"}, "OpenSSL stays behind http and codec"),
    ("curl", re.compile(r'^curl/'), {"distribution"}, "libcurl stays behind distribution"),
    ("sqlite", re.compile(r'^sqlite3\.h$'), {"state"}, "SQLite stays behind state"),
    ("archive", re.compile(r'^archive'), {"codec"}, "libarchive stays behind codec"),
]
HEADER_BANS = {"functional": "std::function costs an allocation and 20k lines: base/function_ref.h",
               "filesystem": "paths are strings relative to descriptors: sys/file.h",
               "regex": "slow to compile and to run: base/strings.h",
               "iostream": "static constructors: base/log.h or sys/fd.h"}


def read_layers(root):
    layers, level = {}, {}
    for line in (root / "tools/layers.txt").read_text().splitlines():
        row = re.match(r'(\d+)\s+([a-z]+)\s*:(.*)$', line)
        if row:
            level[row[2]] = int(row[1])
            layers[row[2]] = set(row[3].split())
    return layers, level


def check_table(layers, level):
    for module, uses in layers.items():
        for use in uses:
            if use not in layers:
                yield f"tools/layers.txt: {module} uses {use}, which has no row"
            elif level[use] >= level[module]:
                yield f"tools/layers.txt: {module} (layer {level[module]}) may not use {use} (layer {level[use]})"


def sources(root):
    for path in sorted((root / "src").rglob("*")):
        if path.suffix in (".h", ".cc"):
            yield path


def check_file(root, path, layers):
    module = path.relative_to(root / "src").parts[0]
    name = path.relative_to(root)
    test = path.name.endswith("_test.cc") or path.name.startswith("test_")
    if module not in layers:
        yield f"{name}: the folder src/{module} has no row in tools/layers.txt"
        return
    for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
        allowed = ALLOW.search(line)
        allowed = allowed[1] if allowed else None
        found = INCLUDE.match(line)
        if found:
            quote, target = found[1], found[2]
            head = target.split("/")[0]
            if quote == '"' and head in layers and head != module and head not in layers[module] and module != "cmd":
                yield f"{name}:{number}: {module} may not include {target}: {head} is not in its row of tools/layers.txt"
            if quote == '"' and "/detail/" in target and head != module:
                yield f"{name}:{number}: {target} is private to {head}"
            for ban, pattern, where, reason in INCLUDE_BANS:
                if pattern.match(target) and module not in where and not test and allowed != ban:
                    yield f"{name}:{number}: <{target}> [{ban}]: {reason}"
            if quote == "<" and path.suffix == ".h" and target in HEADER_BANS and allowed != "header" and not test:
                yield f"{name}:{number}: <{target}> in a header [header]: {HEADER_BANS[target]}"
            continue
        if test:
            continue
        code = re.sub(r'"(\\.|[^"\\])*"', '""', line.split("//")[0])
        for ban, pattern, where, reason in BANS:
            if pattern.search(code) and module not in where and allowed != ban:
                yield f"{name}:{number}: {pattern.search(code)[1]} [{ban}]: {reason}"
        if re.search(r'\b(TODO|FIXME|XXX)\b', line):
            yield f"{name}:{number}: unfinished work: do it or file it"


def check_cycles(root):
    graph = {}
    for path in sources(root):
        if path.suffix == ".h":
            targets = [INCLUDE.match(line) for line in path.read_text(errors="replace").splitlines()]
            graph[str(path.relative_to(root / "src"))] = [t[2] for t in targets if t and t[1] == '"']
    done, open_ = set(), []

    def visit(node):
        if node in done or node not in graph:
            return None
        if node in open_:
            return open_[open_.index(node):] + [node]
        open_.append(node)
        for target in graph[node]:
            cycle = visit(target)
            if cycle:
                return cycle
        open_.pop()
        done.add(node)
        return None

    for node in sorted(graph):
        cycle = visit(node)
        if cycle:
            yield "header cycle: " + " -> ".join(cycle)
            return


def lint(root):
    layers, level = read_layers(root)
    breaches = list(check_table(layers, level))
    for path in sources(root):
        breaches += check_file(root, path, layers)
    return breaches + list(check_cycles(root))


def main():
    root = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent.parent
    breaches = lint(root)
    for breach in breaches:
        print(breach)
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
