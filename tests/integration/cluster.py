"""Real aikv processes for tests: start, kill, stop, restart them; talk to them in raw RESP."""
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BINARY = os.environ.get("AIKV_BINARY", os.path.join(ROOT, "build/release/aikv"))
PATIENCE_S = 60  # a machine with two busy cores; nothing is asserted about speed


class ReplyError(Exception):
    """An error reply."""


class Client:
    """One connection; replies as Python values: text for strings, int, list, None."""

    def __init__(self, port, host="127.0.0.1", timeout=20):
        self.socket = socket.create_connection((host, port), timeout)
        self.file = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.file.close()
        self.socket.close()

    def send(self, *argv):
        out = [b"*%d\r\n" % len(argv)]
        for arg in argv:
            data = arg if isinstance(arg, bytes) else str(arg).encode()
            out.append(b"$%d\r\n%s\r\n" % (len(data), data))
        self.socket.sendall(b"".join(out))

    def read(self):
        line = self.file.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("the connection was closed")
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest.decode()
        if kind == b"-":
            return ReplyError(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"$":
            if rest == b"-1":
                return None
            data = self.file.read(int(rest) + 2)
            if len(data) != int(rest) + 2:
                raise ConnectionError("the connection was closed")
            return data[:-2].decode(errors="surrogateescape")
        if kind == b"*":
            return None if rest == b"-1" else [self.read() for _ in range(int(rest))]
        raise ValueError(f"not RESP2: {line!r}")

    def __call__(self, *argv):
        self.send(*argv)
        reply = self.read()
        if isinstance(reply, ReplyError):
            raise reply
        return reply


def as_map(reply):
    return dict(zip(reply[::2], reply[1::2]))


def until(what, condition, patience=PATIENCE_S):
    """Waits until `condition()` is true and returns its value; exceptions of the network count as not yet."""
    deadline = time.monotonic() + patience
    problem = None
    while time.monotonic() < deadline:
        try:
            value = condition()
            if value:
                return value
            problem = None
        except (OSError, ReplyError, ConnectionError) as e:
            problem = e
        time.sleep(0.02)
    raise AssertionError(f"after {patience} s still not: {what} ({problem})")


PORTS = range(20000, 32000, 500)  # where blocks of 500 begin, below those the system hands out by itself


def claim_ports():
    """The first port of a block that no other process of these tests uses; a socket's name, gone with this process, holds it."""
    for first in random.sample(PORTS, len(PORTS)):
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0aikv-test-ports-{first}")
            return first, claim
        except OSError:
            claim.close()
    raise AssertionError("all ports for tests are in use")


_block = None
_next_port = 0  # in the block


def free_ports(n):
    """`n` ports in a row that nobody listens on."""
    global _block, _next_port
    _block = _block or claim_ports()
    while True:
        if _next_port + n > PORTS.step:
            _next_port = 0
        first = _block[0] + _next_port
        _next_port += n
        sockets = []
        try:
            for port in range(first, first + n):
                s = socket.socket()
                sockets.append(s)
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                s.bind(("127.0.0.1", port))
            return first
        except OSError:
            continue
        finally:
            for s in sockets:
                s.close()


class Node:
    def __init__(self, folder, name, port, arguments=(), environment=None):
        self.name, self.port, self.arguments = name, port, list(arguments)
        self.folder = os.path.join(folder, name)
        os.makedirs(self.folder, exist_ok=True)
        self.data, self.ready = os.path.join(self.folder, "data"), os.path.join(self.folder, "ready")
        self.log_path = os.path.join(self.folder, "log")
        self.environment = {**os.environ, **(environment or {})}
        self.process = None

    def start(self, wait=True):
        assert self.process is None or self.process.poll() is not None
        if os.path.exists(self.ready):
            os.unlink(self.ready)
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [BINARY, "--port", str(self.port), "--data-dir", self.data, "--ready-file", self.ready, *self.arguments],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment)
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self):
        def is_ready():
            assert self.process.poll() is None, f"{self.name} ended with {self.process.returncode}: {self.log()[-600:]}"
            return os.path.exists(self.ready)
        until(f"{self.name} is ready", is_ready)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        self.process.terminate()
        return self.process.wait(PATIENCE_S)

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def client(self, **options):
        return Client(self.port, **options)

    def __call__(self, *argv):
        with self.client() as c:
            return c(*argv)

    def info(self, command="INFO", section=None):
        text = self(*command.split(), *([section] if section else []))
        return dict(line.split(":", 1) for line in text.split("\r\n") if ":" in line)

    def log(self):
        with open(self.log_path, "rb") as f:
            return f.read().decode(errors="replace")


class Cluster:
    """`n` nodes on 127.0.0.1; node 1 founds. As a context manager it ends them and removes their data."""

    def __init__(self, n=6, join=True, secret="a secret of the tests", zones=None, log_level="info"):
        self.folder = tempfile.mkdtemp(prefix="aikv-test-")
        port = free_ports(2 * n)
        self.bus_port = port + n
        self.nodes = []
        for i in range(n):
            arguments = ["--raft-addr", f"127.0.0.1:{self.bus_port + i}", "--node-id", str(i + 1), "--cluster-enabled", "--log-level", log_level]
            if i == 0:
                arguments.append("--is-bootstrap")
            if join:
                others = [f"127.0.0.1:{self.bus_port + j}" for j in range(n) if j != i and (i == 0 or j < 3)]
                arguments += ["--join", ",".join(others)]
            if zones:
                arguments += ["--zone", zones[i]]
            self.nodes.append(Node(self.folder, f"node{i + 1}", port + i, arguments, {"AIKV_CLUSTER_SECRET": secret}))

    def __enter__(self):
        try:
            for node in self.nodes:
                node.start(wait=False)
            for node in self.nodes:
                node.wait_ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for node in self.nodes:
            if node.is_running():
                node.process.kill()
                node.process.wait()
        if os.environ.get("AIKV_KEEP"):
            print("kept:", self.folder)
        else:
            shutil.rmtree(self.folder, ignore_errors=True)

    def __getitem__(self, i):
        return self.nodes[i]

    def leader(self):
        """The node that leads MetaRaft now."""
        def find():
            for node in self.nodes:
                if node.is_running():
                    with node.client(timeout=5) as c:
                        alias = as_map(c("CLUSTER", "METARAFT", "STATUS")).get("leader")
                    if alias:
                        found = [x for x in self.nodes if x.name == f"node{alias}"]
                        if found and found[0].is_running():
                            return found[0]
            return None
        return until("MetaRaft has a leader", find)

    def run(self, name, *params, node=None):
        """Starts a run through `node` (or the first that takes it) and returns its status map when it has ended."""
        def begin():
            target = node or next(x for x in self.nodes if x.is_running())
            return target("CLUSTER", "SCRIPT", "RUN", name, *params)
        return self.ended(until(f"run of {name} starts", begin))

    def newest_run(self):
        def status():
            return (self[0]("CLUSTER", "SCRIPT", "STATUS"),)
        found = until("somebody leads", status)[0]
        return as_map(found)["run"] if found else 0

    def begin(self, *words):
        """The number of the run that `words` start; where the leader goes away before it answers, the newest one tells whether it has begun."""
        before = self.newest_run()

        def begun():
            newest = self.newest_run()
            return newest if newest > before else self[0]("CLUSTER", "SCRIPT", *words)
        return until(f"{words[0]} begins a run", begun)

    def ended(self, run):
        def status():
            for node in self.nodes:
                if node.is_running():
                    try:
                        found = as_map(node("CLUSTER", "SCRIPT", "STATUS", run))
                    except (OSError, ReplyError, ConnectionError):
                        continue
                    return found if found["status"] != "running" else None
            return None
        return until(f"run {run} ends", status)

    def set_triggers_aside(self):
        """From now on nobody changes voters but the test; else the trigger `membership` gives votes that are missing while a node is down."""
        until("triggers are paused", lambda: self[0]("CLUSTER", "SCRIPT", "TRIGGER", "PAUSE") == "OK")

    def wait_ok(self, nodes=None):
        for node in nodes or self.nodes:
            until(f"{node.name} says the cluster is ok", lambda: node.info("CLUSTER INFO").get("cluster_state") == "ok")

    def shape(self):
        """What the cluster is, without ids that differ between two: roles, slots, who copies whom."""
        out = []
        lines = [line.split() for line in self.nodes[-1]("CLUSTER", "NODES").splitlines()]
        port_of = {line[0]: int(line[1].split("@")[0].rsplit(":", 1)[1]) - self.nodes[0].port + 1 for line in lines}
        for line in lines:
            role = "master" if "master" in line[2] else "slave"
            out.append((port_of[line[0]], role, port_of.get(line[3], 0), tuple(line[8:])))
        members = sorted(tuple(m) for m in self.leader()("CLUSTER", "METARAFT", "MEMBERS"))
        return sorted(out), members
