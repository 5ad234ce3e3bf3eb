"""One client that carries operations out and compares what it sees with the model."""
import dataclasses
import time

import api
import model
from api import tar_of, text_in
from model import SLOTS, state_of

NEVER = 60  # s: an engine on a busy machine has done anything by then


class Wrong(Exception):
    """The engine and the model disagree."""


class Supervisor:
    """Starts the daemon again when it was killed; clients ask it for the number of the life they talk to."""

    def __init__(self, daemon):
        self.daemon, self.life = daemon, 0
        self.shims_die = False  # then every container may have ended at any time

    def kill_and_start(self):
        self.life += 1
        self.daemon.kill()
        self.daemon.start()


class Player:
    def __init__(self, supervisor, name):
        self.supervisor, self.name = supervisor, name
        self.api = api.Api(supervisor.daemon.socket)
        self.boxes, self.volume, self.life = [None] * SLOTS, False, supervisor.life
        self.ids, self.trace = set(), []
        self.network = f"{name}-network"
        self.until_up(lambda: self.api.post("/networks/create", {"Name": self.network}))

    # -- calls ------------------------------------------------------------------------------------

    def until_up(self, call):
        end = time.monotonic() + NEVER
        while True:
            try:
                return call()
            except api.Down:
                if time.monotonic() > end:
                    raise
                time.sleep(0.02)

    def remove(self, reference):
        """Until it is gone: a container whose shim was killed just now answers 503 until it was cleared away."""
        end = time.monotonic() + NEVER
        while True:
            answer = self.until_up(lambda: self.api.delete(f"/containers/{reference}", force=1, v=1))
            if answer[0] != 503 or time.monotonic() > end:
                return self.expect(answer, 204, 404)
            time.sleep(0.02)

    def inspect(self, box):
        return self.until_up(lambda: self.api.get(f"/containers/{box.id or box.name}/json"))

    def expect(self, answer, *statuses):
        if answer[0] not in statuses:
            raise Wrong(f"status {answer[0]}, expected {' or '.join(map(str, statuses))}: {answer[1]}")
        return answer[1]

    # -- comparing ---------------------------------------------------------------------------------

    def differences(self, box, status, found):
        """In words; empty when the container is as `box` says (None: there is none)."""
        if box is None or status == 404:
            return [] if box is None and status == 404 else [f"status {status}, expected {'none' if box is None else box.state}"]
        state, settings = found["State"], found["NetworkSettings"]
        pairs = {
            "status": (state["Status"], box.state), "running": (state["Running"], box.up), "paused": (state["Paused"], box.state == "paused"),
            "name": (found["Name"], "/" + box.name), "memory": (found["HostConfig"]["Memory"], box.memory),
            "restarts": (found["RestartCount"], box.restarts), "has pid": (state["Pid"] > 0, box.up),
            "networks": (frozenset(settings["Networks"]), box.networks),
            "addresses": (all(bool(one["IPAddress"]) == (box.up and name != "none") for name, one in settings["Networks"].items()), True),
        }
        wrong = [f"{what} is {seen}, expected {wanted}" for what, (seen, wanted) in pairs.items() if seen != wanted]
        if not box.up and state["ExitCode"] not in box.codes:
            wrong.append(f"exit code {state['ExitCode']}, expected {box.codes}")
        return wrong

    def settle(self, slot, possible, life=None):
        """Waits until the container is as one of `possible` says, and takes that one; no longer than this life of the daemon, if given."""
        end = time.monotonic() + NEVER
        known = next((box for box in [*possible, self.boxes[slot]] if box), None)
        if known is None:
            self.boxes[slot] = None
            return
        while True:
            status, found = self.inspect(known)
            wrong = [(self.differences(box, status, found), box) for box in possible]
            fitting = next((box for differences, box in wrong if not differences), False)
            if fitting is not False:
                if fitting:
                    fitting = dataclasses.replace(fitting, id=found["Id"], codes=(found["State"]["ExitCode"],) if not fitting.up else (0,))
                    self.ids.add(found["Id"])
                self.boxes[slot] = fitting
                return
            if time.monotonic() > end or life is not None and self.supervisor.life != life:
                raise Wrong(f"container {known.name}: " + " | or: ".join(", ".join(differences) for differences, _ in wrong))
            time.sleep(0.01)

    # -- operations --------------------------------------------------------------------------------

    def play(self, operation):
        self.trace.append(operation)
        self.absorb()
        verb, slot = operation[0], operation[1]
        before, life = self.boxes[slot], self.supervisor.life
        try:
            possible = getattr(self, "do_" + verb, self.do_plain)(operation, before)
            if self.supervisor.life == life:
                self.settle(slot, possible, life)
                return
        except api.Down as down:
            if not down.sent:
                time.sleep(0.02)
                self.play(self.trace.pop())
                return
        except Wrong:
            time.sleep(0.05)  # until the supervisor knows, too
            if self.supervisor.life == life:
                raise
            # Else the answer of a daemon that was dying, or of the next one.
        self.resolve(operation, before)

    def absorb(self):
        """What the next daemon does of its own: containers that are always to run."""
        while self.life != self.supervisor.life:
            self.life = self.supervisor.life
            for slot, box in enumerate(self.boxes):
                self.settle(slot, [model.after_daemon(box)])

    def resolve(self, operation, before):
        """The daemon died meanwhile: the operation was carried out or not. A signal may still be on its way, so make it certain."""
        verb, slot = operation[0], operation[1]
        if verb in ("volume", "create"):  # a volume that a create has made stays, even if the container did not come to be
            status, _ = self.until_up(lambda: self.api.get(f"/volumes/{self.name}-volume"))
            self.volume = status == 200
        known = before or (self.created(operation) if verb == "create" else None)
        if known is None:
            return
        status, found = self.inspect(known)
        if verb == "create" and before is None and status == 404:
            return
        if status == 200:
            reference = found["Id"]
            self.ids.add(reference)
        else:
            reference = known.id
        if not self.supervisor.shims_die and verb in ("update", "rename", "exec", "pause", "unpause", "create", "connect", "disconnect", "put", "logs", "top", "wait", "list", "volume"):
            if verb == "connect" or verb == "disconnect":
                own = frozenset([self.network])
                possible = [known, known.with_(networks=known.networks | own), known.with_(networks=known.networks - own)]
            elif verb == "rename":
                possible = [known, known.with_(name=found["Name"][1:])] if status == 200 else [known]
            elif verb == "create":
                possible = [self.created(operation)] if before is None else [before]
            elif verb in model.STATUS:
                possible = [known, model.result(known, operation)[1]]
            else:
                possible = [known]
            self.volume = self.volume or verb == "create" and known.volume
            self.settle(slot, [variant for box in possible for variant in (model.after_daemon(box), box)])
            return
        if status == 200 and found["State"]["Status"] == "exited" and found["State"]["ExitCode"] not in (0, 7, 137, known.code):
            raise Wrong(f"container {reference} was killed or ended with {known.code}, but its exit code is {found['State']['ExitCode']}")
        self.remove(reference)
        self.settle(slot, [None])
        status, _ = self.until_up(lambda: self.api.get(f"/containers/{reference}/json"))
        if status != 404:
            raise Wrong(f"container {reference} is there after its removal")
        self.boxes[slot] = None

    def do_plain(self, operation, box):
        verb = operation[0]
        reference = box.name if box else f"{self.name}-none"
        status, after = model.result(box, operation)
        paths = {"start": ("POST", "start", {}), "stop": ("POST", "stop", {"t": 30 if box and box.kind == "trap" and box.runs else 0}),
                 "kill": ("POST", "kill", {"signal": operation[-1]}), "pause": ("POST", "pause", {}), "unpause": ("POST", "unpause", {}),
                 "restart": ("POST", "restart", {"t": 0}), "top": ("GET", "top", {}), "logs": ("GET", "logs", {"stdout": 1, "stderr": 1})}
        if verb in ("remove", "force"):
            answer = self.api.delete(f"/containers/{reference}", v=1, force=1 if verb == "force" else None)
        elif verb == "update":
            answer = self.api.post(f"/containers/{reference}/update", {"Memory": operation[2], "MemorySwap": -1})
        else:
            method, path, query = paths[verb]
            answer = self.api.call(method, f"/containers/{reference}/{path}", **query)
        self.expect(answer, status)
        if verb == "logs" and status == 200 and box.kind == "quick" and box.runs is not None:
            lines = answer[1].count(b"done\n")
            if lines != box.runs:
                raise Wrong(f"{lines} lines in the log of {box.runs} runs")
        return [after]

    def created(self, operation):
        _, slot, kind, code, policy, retries, auto_remove, volume, network = operation
        network = self.network if network == "own" else network
        return model.Box(f"{self.name}-{slot}", kind, code, policy, retries, auto_remove, volume, networks=frozenset([network]))

    def do_create(self, operation, box):
        wanted = self.created(operation)
        if box:
            wanted = wanted.with_(name=box.name)
        answer = self.api.post("/containers/create", wanted.body(next(iter(wanted.networks))), name=wanted.name)
        self.expect(answer, 409 if box else 201)
        if box:
            return [box]
        self.volume = self.volume or wanted.volume
        self.ids.add(answer[1]["Id"])
        return [wanted.with_(id=answer[1]["Id"])]

    def do_rename(self, operation, box):
        _, slot, how, number = operation
        other = next((one for index, one in enumerate(self.boxes) if one and index != slot), None)
        names = {"same": (box.name if box else "x", 400), "new": (f"{self.name}-{slot}-{number}", 204), "bad": ("a b", 400),
                 "taken": (other.name, 409) if other else (f"{self.name}-{slot}-{number}", 204)}
        name, status = names[how]
        if box and how == "new" and name == box.name:
            status = 400
        self.expect(self.api.post(f"/containers/{box.name if box else self.name + '-none'}/rename", name=name), status if box else 404)
        return [box.with_(name=name) if box and status == 204 else box]

    def do_exec(self, operation, box):
        status = model.STATUS["exec"][state_of(box)]
        reference = box.name if box else f"{self.name}-none"
        made = self.expect(self.api.post(f"/containers/{reference}/exec", {"Cmd": ["sh", "-c", f"exit {operation[2]}"]}), status)
        if status == 201:
            self.expect(self.api.post(f"/exec/{made['Id']}/start", {"Detach": True}), 200)
            end = time.monotonic() + NEVER
            while True:
                found = self.expect(self.api.get(f"/exec/{made['Id']}/json"), 200)
                if not found["Running"]:
                    break
                if time.monotonic() > end:
                    raise Wrong(f"exec of {box.name} does not end: {found}")
                time.sleep(0.005)
            if found["ExitCode"] != operation[2]:
                raise Wrong(f"exec ended with {found['ExitCode']}, expected {operation[2]}")
        return [box]

    def do_wait(self, operation, box):
        """Of what does not run: the answer comes at once."""
        if box and box.up:
            return [box]
        answer = self.expect(self.api.post(f"/containers/{box.name if box else self.name + '-none'}/wait"), 200 if box else 404)
        if box and answer["StatusCode"] not in box.codes:
            raise Wrong(f"wait says {answer}, expected {box.codes}")
        return [box]

    def do_connect(self, operation, box):
        if box and "none" in box.networks:
            return [box]
        status = 404 if not box else 403 if self.network in box.networks else 200
        self.expect(self.api.post(f"/networks/{self.network}/connect", {"Container": box.name if box else self.name + "-none"}), status)
        return [box.with_(networks=box.networks | {self.network}) if status == 200 else box]

    def do_disconnect(self, operation, box):
        if box and "none" in box.networks:
            return [box]
        status = 404 if not box else 200 if self.network in box.networks else 403
        self.expect(self.api.post(f"/networks/{self.network}/disconnect", {"Container": box.name if box else self.name + "-none"}), status)
        return [box.with_(networks=box.networks - {self.network}) if status == 200 else box]

    def do_put(self, operation, box):
        """A file goes in and comes out again, whatever the container does."""
        reference = box.name if box else f"{self.name}-none"
        text = str(operation[2]).encode()
        self.expect(self.api.put(f"/containers/{reference}/archive", tar_of("number", text), path="/tmp"), 200 if box else 404)
        if box:
            back = self.expect(self.api.get(f"/containers/{reference}/archive", path="/tmp/number"), 200)
            if text_in(back) != text:
                raise Wrong(f"/tmp/number is {text_in(back)}, expected {text}")
        return [box]

    def do_volume(self, operation, box):
        """The one volume of this client: made, or removed where nobody uses it."""
        used = any(one and one.volume for one in self.boxes)
        name = f"{self.name}-volume"
        if self.volume:
            self.expect(self.api.delete(f"/volumes/{name}"), 409 if used else 204)
            self.volume = used
        else:
            self.expect(self.api.delete(f"/volumes/{name}"), 404)
            self.expect(self.api.post("/volumes/create", {"Name": name}), 201)
            self.volume = True
        return [box]

    def do_list(self, operation, box):
        rows = self.expect(self.api.get("/containers/json", all=1), 200)
        found = {name[1:]: row["State"] for row in rows for name in row["Names"] if name.startswith(f"/{self.name}-")}
        wanted = {one.name: one.state for one in self.boxes if one}
        if found != wanted:
            raise Wrong(f"list says {found}, expected {wanted}")
        return [box]

    def clean(self):
        """Everything of this client goes."""
        self.life = self.supervisor.life
        for box in self.boxes:
            if box:
                self.expect(self.until_up(lambda box=box: self.api.delete(f"/containers/{box.id}", force=1, v=1)), 204, 404)
        self.boxes = [None] * SLOTS
        self.expect(self.until_up(lambda: self.api.delete(f"/volumes/{self.name}-volume")), 204, 404)
        self.expect(self.until_up(lambda: self.api.delete(f"/networks/{self.network}")), 204, 404)
