#!/usr/bin/python3
"""Redis's own test suite (Tcl) against AiKv: the sources of the redis-server that is installed, each unit with a node of its own (AIKV_BINARY).

What fails must be in redis_suite_expected.tsv, with the reason, and what is there must fail. The sources come from where the machine gets its packages
from; without these, or without tclsh, nothing is tested: it says so, and ends with code 77."""

import argparse
import collections
import concurrent.futures
import glob
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../integration"))
from cluster import Node, free_ports  # pylint: disable=wrong-import-position

HERE = os.path.dirname(os.path.abspath(__file__))
LISTED = os.path.join(HERE, "redis_suite_expected.tsv")
SKIPPED = 77
VERSION = "7.0."  # whose commands AiKv has
UNIT_S = 300
UNITS_AT_ONCE = 3  # they wait for each other's replies much of the time

# Knobs of how Redis keeps lists, and saves, that change no reply: tests turn them and go on.
KNOBS = "list-compress-depth list-max-ziplist-size aof-use-rdb-preamble rdb-key-save-delay key-load-delay"
PATCHES = [  # file, what is there, what comes in its place
    # AiKv has no functions.
    ("tests/support/server.tcl", "    r function flush\n", "    catch {r function flush}\n"),
    # Settings that a unit wants and AiKv does not have are left.
    ("tests/support/server.tcl", "        r config set $param $val\n", "        catch {r config set $param $val}\n"),
    ("tests/test_helper.tcl", '    [srv $level "client"] {*}$args\n',
     '    set knobs {%s}\n'
     '    if {[lrange $args 0 1] eq {config set} && [lindex $args 2] in $knobs} {return OK}\n'
     '    if {[lrange $args 0 1] eq {debug quicklist-packed-threshold}} {return OK}\n'
     '    [srv $level "client"] {*}$args\n' % KNOBS),
]


class Skip(Exception):
    """Why nothing can be tested."""


# ---- the sources ----


def output(*argv):
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


def installed_version():
    """Of the source package of redis-server."""
    try:
        package, version = output("dpkg-query", "-W", "-f", "${source:Package} ${source:Version}", "redis-server").split()
    except (OSError, subprocess.CalledProcessError, ValueError):
        raise Skip("redis-server is not installed as a package of Debian's") from None
    if not version.split(":")[-1].startswith(VERSION):
        raise Skip(f"redis-server is {version}, not {VERSION}x")
    return package, version


def source_lines():
    """Lines for apt that name the sources of what it has packages from. Who signed them: what apt trusts anyway."""
    targets = output("apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT) $(SOURCESENTRY)", "Created-By: Packages")
    lines = set()
    for uri, release, component, entry in (line.split(" ", 3) for line in targets.splitlines()):
        with open(entry.rsplit(":", 1)[0], encoding="utf-8") as f:
            signed = re.search(r"[Ss]igned-[Bb]y[:=]\s*(/\S+?)(?=[\]\s])", f.read() + "\n")
        lines.add(f"deb-src {'[signed-by=' + signed[1] + '] ' if signed else ''}{uri} {release} {component}\n")
    return sorted(lines)


def fetch(folder):
    """The path of Redis's own tar file, checked by apt. Nothing of the machine's package lists is changed."""
    package, version = installed_version()
    for name in ("lists/partial", "cache/archives/partial"):
        os.makedirs(os.path.join(folder, name))
    options = [f"Dir::Etc::SourceList={folder}/sources.list", "Dir::Etc::SourceParts=/dev/null", f"Dir::State::Lists={folder}/lists",
               f"Dir::Cache={folder}/cache", "Acquire::Retries=2", "Acquire::http::Timeout=20"]
    if os.geteuid() == 0:
        options.append("APT::Sandbox::User=root")
    apt = ["apt-get", "-qq", *(word for option in options for word in ("-o", option))]
    try:
        with open(os.path.join(folder, "sources.list"), "w", encoding="utf-8") as f:
            f.writelines(source_lines())
        updated = subprocess.run([*apt, "update"], check=False, capture_output=True, text=True, timeout=120)  # some may be out of reach
        fetched = subprocess.run([*apt, "source", "--download-only", f"{package}={version}"], cwd=folder, check=False, capture_output=True, text=True,
                                 timeout=120)
    except (OSError, subprocess.SubprocessError) as e:
        raise Skip(f"the sources of {package} {version} cannot be fetched: {e}") from None
    tars = glob.glob(os.path.join(folder, "*.orig.tar.gz"))
    if fetched.returncode or not tars:
        raise Skip(f"the sources of {package} {version} cannot be fetched: {(updated.stderr + fetched.stderr).strip().partition(chr(10))[0]}")
    return tars[0]


def unpack(tar, folder):
    """The tests, patched. Returns where."""
    with tarfile.open(tar) as archive:
        members = [m for m in archive if re.match(r"[^/]+/(tests/|runtest$)", m.name)]
        archive.extractall(folder, members)
    root = os.path.join(folder, members[0].name.split("/")[0])
    for name, old, new in PATCHES:
        path = os.path.join(root, name)
        with open(path, encoding="utf-8") as f:
            text = f.read()
        if old not in text:
            raise SystemExit(f"redis_suite: {name} has no longer what is to be patched: {old.strip()}")
        with open(path, "w", encoding="utf-8") as f:
            f.write(text.replace(old, new))
    return root


# ---- what is expected ----


def read_listed():
    """Two tables by unit: tests left out, tests that fail."""
    kinds = {"left out": collections.defaultdict(list), "fails": collections.defaultdict(list)}
    with open(LISTED, encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            if line.startswith("#") or not line.strip():
                continue
            words = [word.strip() for word in line.split("\t") if word.strip()]
            if len(words) != 4 or words[0] not in kinds:
                raise SystemExit(f"{LISTED}:{number}: a line is: left out|fails, unit, test, reason, with tabs between")
            kinds[words[0]][words[1]].append(words[2])
    return kinds["left out"], kinds["fails"]


def all_units(root):
    with open(os.path.join(root, "tests/test_helper.tcl"), encoding="utf-8") as f:
        return re.findall(r"^    (unit/\S+)$", f.read(), re.M)


# ---- a unit ----


class Result:
    def __init__(self, unit):
        self.unit, self.passed, self.failed, self.ignored, self.seconds = unit, [], {}, 0, 0.0
        self.broken = None  # why it did not come to its end


def parse(result, text):
    for kind, rest in re.findall(r"^\[(ok|err|exception|ignore)\]: (.*(?:\n(?!\[).*)*)", text, re.M):
        if kind == "ok":
            result.passed.append(re.sub(r" \(\d+ ms\)$", "", rest.splitlines()[0]))
        elif kind == "ignore":
            result.ignored += 1
        else:
            name, _, why = rest.partition("\n")
            result.failed.setdefault(re.sub(r" in tests/\S+$", "", name).strip(), why.strip()[:400])
    if not re.search(r"^\[1/1 done\]", text, re.M):
        result.broken = text[-600:]


class Suite:
    def __init__(self, root, folder, left_out):
        self.root, self.folder, self.left_out = root, folder, left_out
        self.lock, self.running, self.stopped = threading.Lock(), set(), False

    def stop(self):
        with self.lock:
            self.stopped = True
            for process in self.running:
                os.killpg(process.pid, signal.SIGKILL)

    def run(self, unit):
        result, began = Result(unit), time.monotonic()
        with self.lock:
            if self.stopped:
                return result
            port = free_ports(34)
        node = Node(self.folder, unit.replace("/", "_"), port, ["--enable-debug-command", "yes"])
        node.start()
        try:
            parse(result, self.play(node, unit))
        finally:
            if not node.is_running():
                result.broken = f"the node ended with {node.process.returncode}: {node.log()[-600:]}"
            node.kill()
            shutil.rmtree(node.folder)
        result.seconds = time.monotonic() - began
        return result

    def play(self, node, unit):
        folder = os.path.join(node.folder, "redis")  # its temporary files are its own
        shutil.copytree(self.root, folder)
        argv = ["tclsh", "tests/test_helper.tcl", "--host", "127.0.0.1", "--port", str(node.port), "--baseport", str(node.port + 33), "--durable",
                "--timeout", str(UNIT_S), "--tags", "-needs:repl", "--single", unit]
        argv += [word for name in self.left_out[unit] for word in ("--skiptest", name)]
        with tempfile.TemporaryFile() as out:
            process = subprocess.Popen(argv, cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True,
                                       env={**os.environ, "TERM": "dumb"})  # no colours
            with self.lock:
                self.running.add(process)
            try:
                process.wait(UNIT_S + 20)
            except subprocess.TimeoutExpired:
                pass
            with self.lock:
                self.running.remove(process)
            try:
                os.killpg(process.pid, signal.SIGKILL)  # it starts others, which may be left
            except ProcessLookupError:
                pass
            process.wait()
            out.seek(0)
            return out.read().decode(errors="replace")


# ---- all ----


def judge(result, expected):
    """What is not as it is listed, in words."""
    wrong = [f"{name}: fails\n    " + why.replace("\n", "\n    ") for name, why in result.failed.items() if name not in expected]
    for name in expected:
        if name not in result.failed:
            wrong.append(f"{name}: passes: remove it from redis_suite_expected.tsv" if name in result.passed else f"{name}: is listed, and did not run")
    if result.broken:
        wrong.append(f"did not come to its end:\n{result.broken}")
    return wrong


def play_all(root, folder, units):
    left_out, fails = read_listed()
    known = set(all_units(root))
    for unit in {*left_out, *fails} - known:
        raise SystemExit(f"redis_suite: {unit} is listed, and there is none")
    units = units or [unit for unit in known if "*" not in left_out[unit]]
    suite, passed, failed, ignored = Suite(root, folder, left_out), 0, 0, 0
    slow_first = sorted(units, key=lambda unit: (-os.path.getsize(os.path.join(root, "tests", unit + ".tcl")), unit))
    with concurrent.futures.ThreadPoolExecutor(UNITS_AT_ONCE) as pool:
        try:
            for result in pool.map(suite.run, slow_first):
                wrong = judge(result, fails[result.unit])
                for text in wrong:
                    print(f"{result.unit}: {text}")
                passed += len(result.passed)
                failed += len(wrong)
                ignored += result.ignored
                print(f"{result.unit:28} {len(result.passed):4} passed {len(result.failed):4} failed, {len(fails[result.unit])} of them listed, "
                      f"{result.seconds:5.1f} s", flush=True)
        except BaseException:
            suite.stop()
            raise
    print(f"Redis's own tests: {ignored} are not for a server that runs already, or need replicas; {sum(map(len, fails.values()))} are listed as failing")
    print(f"{passed} passed, {failed} failed")
    return failed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("units", nargs="*", help="unit/type/list and so on; all that are not left out if none is given")
    parser.add_argument("--sources", metavar="TAR", help="redis_7.0….orig.tar.gz, instead of fetching it")
    arguments = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="aikv-redis-suite-")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        if not shutil.which("tclsh"):
            raise Skip("there is no tclsh (deploy/install-dependencies.sh --tests)")
        root = unpack(arguments.sources or fetch(folder), folder)
        return 1 if play_all(root, folder, arguments.units) else 0
    except Skip as e:
        print(f"skipped: {e}")
        return SKIPPED
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    sys.exit(main())
