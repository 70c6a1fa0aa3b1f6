"""The two servers as processes: started with matched promises, paused, killed, and what they use of the machine.

Each is the leader of a session of its own, so that its children (Redis's rewrites) are paused, counted and killed with it, and dies with
this program whatever ends that."""
import contextlib
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
AIKV = os.path.abspath(os.environ.get("AIKV_BINARY", os.path.join(ROOT, "build/release/aikv")))
PATIENCE_S = 600  # a Redis that loads 10 M keys takes its time
TICK = os.sysconf("SC_CLK_TCK")
PR_SET_PDEATHSIG = 1
libc = ctypes.CDLL(None, use_errno=True)


class BenchError(Exception):
    """A case could not be measured; says why."""


class Skip(Exception):
    """A case needs what this machine does not have; says what."""


def die_with_parent():
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


_next_port = 21000 + os.getpid() * 7 % 8000


def free_port():
    """One that nobody listens on, below the range the system hands out by itself."""
    global _next_port
    for _ in range(11000):
        _next_port = 21000 + (_next_port - 21000 + 1) % 11000
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind(("127.0.0.1", _next_port))
                return _next_port
            except OSError:
                continue
    raise BenchError("no port from 21000 to 32000 is free")


class Connection:
    """Raw RESP2 for single commands; replies as bytes, int, list or None."""

    def __init__(self, port, timeout=PATIENCE_S):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.socket.close()

    def __call__(self, *words):
        words = [w if isinstance(w, bytes) else str(w).encode() for w in words]
        self.socket.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words))
        return self.read()

    def read(self):
        line = self.file.readline()
        if not line.endswith(b"\r\n"):
            raise OSError("the connection was closed")
        kind, rest = line[:1], line[1:-2]
        if kind == b"-":
            raise BenchError(rest.decode())
        if kind == b"$":
            return None if rest == b"-1" else self.file.read(int(rest) + 2)[:-2]
        if kind == b"*":
            return None if rest == b"-1" else [self.read() for _ in range(int(rest))]
        return int(rest) if kind == b":" else rest


class Server:
    """`command` is started in `folder`, where its data and its output are. `enter`: a function that the child calls first."""

    def __init__(self, name, command, port, folder, enter=None):
        self.name, self.command, self.port, self.folder, self.enter = name, command, port, folder, enter
        self.process = None

    def start(self):
        """Seconds from the start of the process to the first reply to a GET."""
        def child():
            die_with_parent()
            if self.enter:
                self.enter()
        began = time.monotonic()
        with open(os.path.join(self.folder, self.name + ".out"), "ab") as out:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=self.folder,
                                            start_new_session=True, preexec_fn=child)
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() - began > PATIENCE_S:
                raise BenchError(f"{self.name} does not start")
            time.sleep(0.001)
        return time.monotonic() - began

    def _answers(self):
        try:
            with Connection(self.port) as c:
                c("GET", "key:000000000001")
                return True
        except OSError:
            return False
        except BenchError as e:
            if str(e).startswith("LOADING"):
                return False
            raise

    def has_died(self):
        if not self.process:
            return False
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(1)  # the connection ends before the process does
        return self.process.returncode is not None

    def last_words(self):
        code = self.process.returncode
        return f"{self.name} ended by {signal.Signals(-code).name if code < 0 else f'itself with {code}'} {self.output()}".rstrip()

    def output(self):
        with open(os.path.join(self.folder, self.name + ".out"), "rb") as f:
            return f.read()[-500:].decode(errors="replace")

    def __call__(self, *words):
        with Connection(self.port) as c:
            return c(*words)

    def info(self):
        lines = self("INFO").decode().split("\r\n")
        return dict(line.split(":", 1) for line in lines if ":" in line)

    def signal(self, number):
        os.killpg(self.process.pid, number)

    def kill(self):
        """As kill -9, children included."""
        if self.process and self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.signal(signal.SIGKILL)
            self.process.wait(60)

    def end(self):
        """A clean end: on SIGTERM it saves what it has to."""
        self.process.terminate()
        self.process.wait(PATIENCE_S)

    # ---- what it uses ----

    def cpu_seconds(self):
        """User and system time of all its threads, and of the children it has waited for."""
        with open(f"/proc/{self.process.pid}/stat") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return sum(map(int, fields[11:15])) / TICK

    def memory(self):
        """Bytes resident: all, and what is not a page of a file (of LMDB's map, which the kernel can drop)."""
        with open(f"/proc/{self.process.pid}/status") as f:
            fields = dict(line.split(":", 1) for line in f)
        return {"rss": int(fields["VmRSS"].split()[0]) * 1024, "anonymous": int(fields["RssAnon"].split()[0]) * 1024}

    def bytes_moved(self):
        """Bytes it caused to be read from disk and to be written to it, as the kernel counts."""
        with open(f"/proc/{self.process.pid}/io") as f:
            fields = dict(line.split(":") for line in f)
        return {"read": int(fields["read_bytes"]), "written": int(fields["write_bytes"])}


def forget_cached(folder):
    """Has the kernel drop the pages of these files that it keeps in memory; nobody may have them mapped."""
    os.sync()
    for root, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(root, name), "rb") as f:
                os.posix_fadvise(f.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def allocated(folder):
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):  # Redis renames and deletes
                total += os.stat(os.path.join(root, name)).st_blocks * 512
    return total


class Redis(Server):
    """With an append-only file unless `rdb`: then it saves at a clean end."""

    def __init__(self, folder, durability="everysec", rdb=False):
        port = free_port()
        persistence = ["--appendonly", "no", "--save", "3600 1"] if rdb else ["--appendonly", "yes", "--appendfsync", durability, "--save", ""]
        super().__init__("redis", ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", folder, "--daemonize", "no", "--loglevel",
                                   "warning", *persistence], port, folder)

    def settle(self):
        """Waits until no rewrite runs."""
        while self.info()["aof_rewrite_in_progress"] == "1":
            time.sleep(0.1)

    def data_bytes(self):
        """What its allocator has given out."""
        return int(self.info()["used_memory"])

    def disk(self):
        """Bytes that its files have on disk: the log, and what it begins from."""
        files = os.path.join(self.folder, "appendonlydir")
        base = sum(os.stat(os.path.join(files, f)).st_blocks * 512 for f in os.listdir(files) if ".base." in f)
        return {"log": allocated(files) - base, "file": base}


class Aikv(Server):
    """`maxmemory` in bytes; 0: its default."""

    def __init__(self, folder, durability="everysec", maxmemory=0, enter=None):
        port = free_port()
        self.data = os.path.join(folder, "data")
        super().__init__("aikv", [AIKV, "--port", str(port), "--data-dir", self.data, "--durability", durability, "--maxmemory", str(maxmemory),
                                  "--log-level", "warn"], port, folder, enter)

    def restart(self, maxmemory, enter=None):
        """A clean end, and a start with other means."""
        self.end()
        self.command[self.command.index("--maxmemory") + 1] = str(maxmemory)
        self.enter = enter
        forget_cached(self.data)
        self.start()

    def settle(self):
        """Waits until no checkpoint runs."""
        while self.info()["aikv_checkpoint_in_progress"] == "1":
            time.sleep(0.1)

    def data_bytes(self):
        """What its allocator has given out for rows and their table, once a checkpoint does not need two of some."""
        self("SAVE")
        return int(self.info()["aikv_rows_memory"])

    def disk(self):
        return {"log": allocated(os.path.join(self.data, "log")), "file": allocated(os.path.join(self.data, "lmdb"))}


class Pair:
    """Redis and AiKv beside each other."""

    def __init__(self, redis, aikv):
        self.redis, self.aikv = redis, aikv

    def __iter__(self):
        return iter((self.redis, self.aikv))

    def turns(self, rounds):
        """A B A B …, as (round, server). Who is not measured is stopped meanwhile: nobody's checkpoint falls into the other's time."""
        for number in range(rounds):
            for server, other in ((self.redis, self.aikv), (self.aikv, self.redis)):
                other.signal(signal.SIGSTOP)
                try:
                    yield number, server
                finally:
                    other.signal(signal.SIGCONT)


@contextlib.contextmanager
def folder_of(case_folder):
    folder = tempfile.mkdtemp(dir=case_folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def running(*servers):
    """They are started, and killed at the end: what they have on disk is thrown away with their folder."""
    try:
        for server in servers:
            server.start()
        yield servers
    except (BenchError, OSError) as e:
        dead = [server.last_words() for server in servers if server.has_died()]
        raise BenchError("; ".join([str(e), *dead])) from e
    finally:
        for server in servers:
            server.kill()


@contextlib.contextmanager
def pair(folder, durability="everysec"):
    with folder_of(folder) as mine, running(Redis(mine, durability), Aikv(mine, durability)) as both:
        yield Pair(*both)
