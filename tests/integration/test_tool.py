"""aikv script and aikv cluster: against real nodes, and offline."""
import json
import os
import pty
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import unittest

from cluster import BINARY, Cluster, Node, free_ports, until

DONE, FAILED, USAGE, UNREACHABLE, TIMEOUT = 0, 1, 2, 3, 4
WAITER = """-- Waits n times.
local P = require "aikv.plan"
return { name = "waiter", doc = "Waits n times.", params = { n = { "integer", default = 3, doc = "how often" } },
  plan = function(view, p) return view.run.round < p.n and P.wait(300, "round %d", view.run.round + 1) or {} end }
"""


class Tool(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="aikv-test-tool-")
        self.addCleanup(shutil.rmtree, self.folder, True)

    def tool(self, *words, env=None, **options):
        """(exit code, standard output, standard error)"""
        done = subprocess.run([BINARY, *map(str, words)], capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL, cwd=self.folder,
                              check=False, env={**os.environ, **(env or {})}, **options)
        return done.returncode, done.stdout, done.stderr

    def ask(self, *words, code=DONE):
        """Its output, of a call that must end with this exit code."""
        found, out, err = self.tool(*words)
        self.assertEqual(found, code, f"{words}: {out}{err}")
        return out

    def ask_json(self, *words, code=DONE):
        return json.loads(self.ask(*words, "--json", code=code))

    def write(self, name, text):
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as f:
            f.write(text)
        return name


class CommandLine(Tool):
    def test_help_names_every_verb_and_the_exit_codes(self):
        verbs = re.findall(r"^  aikv (script|cluster) (\w+)", self.ask("--help"), re.M)
        self.assertGreaterEqual(len(verbs), 20)
        for group, verb in verbs:
            text = self.ask(group, verb, "--help")
            self.assertIn(f"usage: aikv {group} {verb}", text)
            self.assertIn("4 no outcome in time", text)
            self.assertIn(f"  {verb}", self.ask(group, "--help"))

    def test_mistakes_are_named_with_what_is_near(self):
        for words, said in [(["script", "staus"], "did you mean 'status'"), (["cluster", "node"], "did you mean 'nodes'"),
                            (["script", "run", "x", "--jsn"], "did you mean --json"), (["script", "run"], "usage: aikv script run NAME"),
                            (["script", "status", "1", "2"], "unexpected argument '2'"), (["script", "run", "x", "--port"], "--port needs a value"),
                            (["script", "run", "x", "--json=1"], "--json takes no value"), (["script", "plan", "init", "x", "--view", "f"], "'x' is no parameter"),
                            (["script", "run", "x", "--timeout", "soon"], "--timeout is a number"), (["scirpt", "run"], "did you mean aikv script"),
                            (["status"], "there is aikv script status, aikv cluster status")]:
            code, out, err = self.tool(*words)
            self.assertEqual((code, out), (USAGE, ""), words)
            self.assertIn(said, err)

    def test_where_no_node_is(self):
        port = free_ports(1)
        code, out, err = self.tool("cluster", "status", "-p", port)
        self.assertEqual((code, out), (UNREACHABLE, ""))
        self.assertIn(f"127.0.0.1:{port}: cannot connect", err)
        self.assertIn("cannot connect", self.ask_json("cluster", "status", "-p", port, code=UNREACHABLE)["error"])
        self.assertIn("cannot find it", self.tool("cluster", "status", "-h", "no.such.host.invalid")[2])

    def test_a_server_that_says_nothing_or_nonsense(self):
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            port = silent.getsockname()[1]
            self.assertIn("no answer in time", self.tool("script", "list", "-p", port, "--timeout", "0.3")[2])
            self.ask("script", "list", "-p", port, "--timeout", "0.3", code=TIMEOUT)
            tool = subprocess.Popen([BINARY, "script", "list", "-p", str(port)], stderr=subprocess.PIPE, text=True)
            for _ in range(3):  # the first two are those that gave up
                peer = silent.accept()[0]
                with peer:
                    peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n") if tool.poll() is None else None
            self.assertIn("not a reply", tool.communicate(timeout=30)[1])
            self.assertEqual(tool.returncode, UNREACHABLE)


class OneNode(Tool):
    def test_passwords(self):
        node = Node(self.folder, "n", free_ports(1), ["--requirepass", "a secret"])
        self.addCleanup(lambda: node.is_running() and node.kill())
        node.start()
        code, _, err = self.tool("script", "list", "-p", node.port)
        self.assertEqual(code, UNREACHABLE)
        self.assertIn("AIKV_AUTH", err)
        self.assertIn("WRONGPASS", self.tool("script", "list", "-p", node.port, "--pass", "x")[2])
        for words, env in [(["--pass", "a secret"], None), ([], {"AIKV_AUTH": "a secret"})]:
            code, _, err = self.tool("script", "list", "-p", node.port, *words, env=env)
            self.assertEqual(code, FAILED)
            self.assertIn("cluster support disabled", err)


class OnACluster(Tool):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(6, zones="abcabc")
        cls.cluster.__enter__()
        cls.addClassCleanup(cls.cluster.__exit__)
        until("six nodes are seen", lambda: len(json.loads(cls.cluster[0]("CLUSTER", "SCRIPT", "VIEW"))["nodes"]) == 6)

    def at(self, node, *words):
        return [*words, "-p", self.cluster[node].port]

    def test_from_new_nodes_to_a_healthy_cluster_and_policies(self):
        """In this order: each part finds what the one before left."""
        for part in (self.before_init, self.plan_and_run_init, self.healthy, self.nodes_and_slots, self.policies, self.versions,
                     self.chunks_and_settings, self.pipe, self.terminal,
                     self.time_is_over, self.offline, self.a_node_down, self.the_leader_goes):
            with self.subTest(part.__name__):
                part()

    def before_init(self):
        out = self.ask(*self.at(0, "cluster", "status"), code=FAILED)
        self.assertIn("NOT HEALTHY\n  16384 slots are unassigned: 'aikv script run init'", out)
        self.assertRegex(out, r"candidates +5")
        self.assertEqual(self.ask(*self.at(0, "script", "status")), "there was no run\n")
        self.assertIsNone(self.ask_json(*self.at(0, "script", "status")))

    def plan_and_run_init(self):
        plan = self.ask_json(*self.at(0, "script", "plan", "init", "shards=2", "replicas=2"))
        self.assertEqual((plan["script"], plan["outcome"], plan["error"]), ("init", "done", ""))
        steps = [step["op"] for r in plan["rounds"] for step in r]
        self.assertEqual([steps.count(op) for op in ("admit", "create_shard", "replicate")], [5, 2, 4])
        out = self.ask(*self.at(0, "script", "plan", "init"))
        self.assertRegex(out, r"(?m)^plan of init@[0-9a-f]{16}: done; steps \d+, rounds \d+")
        out = self.ask(*self.at(0, "script", "run", "init"))
        self.assertRegex(out, r"(?m)^\d\.\d done create_shard ")
        self.assertRegex(out, r"(?m)^run 1 of init@[0-9a-f]{16}: done; steps \d+, rounds \d+; [0-9.]+ s")
        self.assertNotIn("\033", out)
        self.cluster.wait_ok()

    def healthy(self):
        for node in (0, 4):
            out = self.ask(*self.at(node, "cluster", "status"))
            self.assertTrue(out.startswith("healthy\n"), out)
            self.assertRegex(out, r"voters +\d \d \d\n")
        status = self.ask_json(*self.at(5, "cluster", "status"))
        self.assertEqual((status["healthy"], status["problems"], status["warnings"], status["unassigned"], status["run"]), (True, [], [], 0, None))
        self.assertEqual((status["shards"], status["nodes"], len(status["voters"])), ({"all": 3, "serving": 3}, {"members": 6, "up": 6}, 3))

    def nodes_and_slots(self):
        lines = self.ask(*self.at(3, "cluster", "nodes")).splitlines()
        self.assertRegex(lines[0], r"^ALIAS +ID +ADDRESS +ZONE +STATE +METARAFT +SHARD +UP +KEYS +MEMORY +LAG +VERSION$")
        self.assertEqual([line.split()[0] for line in lines[1:]], list("123456"))
        self.assertEqual({line.index("member") for line in lines[1:]}, {lines[0].index("STATE")})
        self.assertIn(f"127.0.0.1:{self.cluster[2].port}", lines[3])
        nodes = self.ask_json(*self.at(3, "cluster", "nodes"))
        self.assertEqual([n["leader"] for n in nodes].count(True), 1)
        self.assertEqual({n["address"] for n in nodes}, {f"127.0.0.1:{n.port}" for n in self.cluster.nodes})
        lines = self.ask(*self.at(1, "cluster", "slots")).splitlines()
        self.assertEqual([line.split()[:3] for line in lines[1:]],
                         [["0-5460", "5461", "s1"], ["5461-10922", "5462", "s2"], ["10923-16383", "5461", "s3"]])
        slots = self.ask_json(*self.at(1, "cluster", "slots"))
        self.assertEqual(sum(row["to"] - row["from"] + 1 for row in slots), 16384)
        self.assertTrue(all(len(row["replicas"]) == 1 and row["primary"] not in row["replicas"] for row in slots))

    def policies(self):
        self.write("waiter.lua", WAITER)
        version = self.ask(*self.at(2, "script", "load", "waiter.lua")).strip()
        self.assertRegex(version, r"^[0-9a-f]{16}$")
        self.assertEqual(self.ask_json(*self.at(2, "script", "load", "waiter.lua")), {"script": "waiter", "version": version})
        self.assertEqual(self.ask(*self.at(5, "script", "get", "waiter")), WAITER)
        self.assertEqual(self.ask(*self.at(5, "script", "get", "waiter", version)), WAITER)
        out = self.ask(*self.at(1, "script", "list"))
        self.assertRegex(out, r"(?m)^NAME +VERSION .*DOC$")
        self.assertRegex(out, rf"(?m)^waiter +{version} .* Waits n times\.$")
        self.write("broken.lua", "return {\n name = }")
        code, _, err = self.tool(*self.at(1, "script", "load", "broken.lua"))
        self.assertEqual(code, FAILED)
        self.assertRegex(err, r"^aikv: ERR broken@[0-9a-f]{16}:2: unexpected symbol")
        self.assertIn("the nearest is 'n'", self.tool(*self.at(1, "script", "run", "waiter", "m=3"))[2])

    def versions(self):
        first = self.ask_json(*self.at(0, "script", "load", "waiter.lua"))["version"]
        self.write("waiter.lua", WAITER + "-- changed\n")
        second = self.ask_json(*self.at(0, "script", "load", "waiter.lua"))["version"]
        self.assertNotEqual(first, second)
        self.ask(*self.at(3, "script", "rollback", "waiter", first))
        self.assertEqual(self.ask(*self.at(0, "script", "get", "waiter")), WAITER)
        out = self.ask(*self.at(3, "script", "list", "waiter"))
        self.assertIn(first, out)
        self.assertIn(second, out)
        self.write("gone.lua", WAITER)
        code, _, err = self.tool(*self.at(0, "script", "load", "gone.lua"))
        self.assertEqual(code, USAGE)
        self.assertIn("calls itself 'waiter'", err)
        self.ask(*self.at(0, "script", "load", "gone.lua", "gone"))
        self.assertRegex(self.ask(*self.at(0, "script", "describe", "gone")), r"n +integer +3 +a whole number +how often")
        self.ask(*self.at(0, "script", "delete", "gone"))
        self.assertIn("no script 'gone'", self.tool(*self.at(0, "script", "get", "gone"))[2])

    def chunks_and_settings(self):
        self.assertEqual(self.ask(*self.at(1, "script", "eval", "return #view.nodes / ARGV[1]", "2")), "3\n")
        self.write("voters.lua", "return #view.voters")
        self.assertEqual(self.ask_json(*self.at(1, "script", "eval", "voters.lua")), 3)
        self.assertIn("a node has no field 'zoen'", self.tool(*self.at(1, "script", "eval", "return view.nodes[1].zoen"))[2])
        self.assertRegex(self.ask(*self.at(2, "script", "eval", "run", "return { { op = 'wait', ms = 1 } }")), r"1\.1 done wait 1 ms\nrun \d+ of eval@")
        self.assertRegex(self.ask(*self.at(2, "script", "run", "rebalance", "by=bytes")), r"done; steps 0, rounds 0; .*\nno shard has any bytes\n")
        self.assertRegex(self.ask(*self.at(2, "script", "history", "1")), r" - +no shard has any bytes\n")
        self.assertRegex(self.ask(*self.at(3, "cluster", "settings", "patience=20000", "concurrency=7")), r"1\.2 done set concurrency 7\n")
        self.assertRegex(self.ask(*self.at(4, "cluster", "settings")), r"(?m)^patience +20000 +30000 +ms a node may be silent")
        self.assertEqual(self.ask_json(*self.at(4, "cluster", "settings"))["concurrency"], 7)
        self.assertIn("the nearest is 'patience'", self.tool(*self.at(3, "cluster", "settings", "patiance=20000"))[2])
        self.assertIn("value must be a whole number", self.tool(*self.at(3, "cluster", "settings", "patience=soon"))[2])
        self.ask(*self.at(3, "cluster", "settings", "patience=30000", "concurrency=8"))

    def pipe(self):
        out = self.ask(*self.at(4, "script", "run", "waiter", "n=2"))
        changes = [line for line in out.splitlines() if re.match(r"\d\.\d ", line)]
        self.assertIn("1.1 done wait 300 ms (round 1)", changes)
        self.assertEqual(len(changes), len(set(changes)), "a line for each change, once")
        run = int(self.ask(*self.at(4, "script", "run", "waiter", "n=2", "--detach")))
        status = self.ask_json(*self.at(3, "script", "watch", run))
        self.assertEqual((status["run"], status["status"], status["steps_done"]), (run, "done", 2))
        self.assertRegex(self.ask(*self.at(3, "script", "status", run)), rf"(?m)^run +{run}\nscript +waiter\n")
        self.assertIn(f"\n{run} ", self.ask(*self.at(3, "script", "history", 3)))

    def terminal(self):
        shown = b""

        def read(fd):
            nonlocal shown
            data = os.read(fd, 65536)
            shown += data
            return data and b"."  # kept from the test's own output

        code = os.waitstatus_to_exitcode(pty.spawn([BINARY, *map(str, self.at(1, "script", "run", "waiter", "n=3"))], read, lambda fd: b""))
        self.assertEqual(code, DONE)
        text = shown.decode()
        self.assertRegex(text, r"\x1b\[\d+A\x1b\[J", "the progress is drawn anew")
        self.assertIn("waiting for: ", text)
        self.assertRegex(text, r"run \d+ of waiter@[0-9a-f]{16}: done; steps 3, rounds 3")

    def time_is_over(self):
        code, out, err = self.tool(*self.at(1, "script", "run", "waiter", "n=20", "--timeout", "0.7"))
        self.assertEqual(code, TIMEOUT, out + err)
        self.assertIn("no outcome in time", err)
        run = re.search(r"run (\d+) had", err)[1]
        self.assertRegex(self.ask(*self.at(2, "cluster", "status")), rf"run +{run} of waiter is running")
        self.ask(*self.at(2, "script", "pause", run))
        self.assertRegex(self.ask(*self.at(2, "cluster", "status")), rf"run +{run} of waiter is paused")
        watching = subprocess.Popen([BINARY, *map(str, self.at(2, "script", "watch", run))], stdout=subprocess.PIPE, text=True)
        while not (line := watching.stdout.readline()).startswith("paused"):
            self.assertRegex(line, r"^\d+\.1 ")
        self.assertEqual(line, f"paused: 'aikv script resume {run}' lets it go on\n")
        self.ask(*self.at(2, "script", "resume", run))
        self.ask(*self.at(2, "script", "cancel", run))
        watching.communicate(timeout=30)
        self.assertEqual(watching.returncode, FAILED)
        out = self.ask(*self.at(2, "script", "watch", run), code=FAILED)
        self.assertRegex(out, rf"run {run} of waiter@[0-9a-f]+: cancelled")

    def offline(self):
        self.write("saved.json", self.ask(*self.at(1, "script", "view")))
        on_a_node = self.ask_json(*self.at(1, "script", "plan", "init", "shards=3"))
        offline = self.ask_json("script", "plan", "init", "shards=3", "--view", "saved.json")
        self.write("own.lua", self.ask(*self.at(0, "script", "get", "init")))
        here = self.ask_json(*self.at(2, "script", "plan", "./own.lua", "shards=3"))
        self.assertEqual((here["script"], here["rounds"], here["outcome"]), ("own", on_a_node["rounds"], "done"))
        self.assertEqual({k: offline[k] for k in ("outcome", "rounds", "version")}, {k: on_a_node[k] for k in ("outcome", "rounds", "version")})

    def a_node_down(self):
        self.cluster[5].kill()
        out = until("the node is seen to be down", lambda: (lambda r: r[1] if r[0] == FAILED else None)(self.tool(*self.at(0, "cluster", "status"))))
        self.assertRegex(out, rf"NOT HEALTHY\n  node 6 is down \([0-9a-f]{{8}}, 127.0.0.1:{self.cluster[5].port}\)")
        self.assertRegex(self.ask(*self.at(0, "cluster", "nodes")), r"(?m)^6 .* no ")

    def the_leader_goes(self):
        """Who follows a run is told of its end by the next leader; without one the status says so."""
        self.cluster.set_triggers_aside()  # else a dead voter would be replaced
        leader = self.cluster.leader()
        asked = self.cluster.nodes.index(leader) + 1 if leader is not self.cluster[2] else 0
        tool = subprocess.Popen([BINARY, *map(str, self.at(asked, "script", "run", "waiter", "n=8"))], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.assertIn("1.1 ", tool.stdout.readline())
        leader.kill()
        out = tool.communicate(timeout=90)[0]
        self.assertEqual(tool.returncode, DONE, out)
        self.assertRegex(out, r"run \d+ of waiter@[0-9a-f]+: done; steps 8, rounds 8")
        self.cluster.leader().kill()  # one of two voters that are left
        last = next(i for i, node in enumerate(self.cluster.nodes[:3]) if node.is_running())
        out = until("there is no leader", lambda: (lambda t: t if "CLUSTERDOWN" in t else None)(self.tool(*self.at(last, "cluster", "status"))[1]))
        self.assertRegex(out, r"NOT HEALTHY\n  CLUSTERDOWN MetaRaft has no leader")
        self.assertRegex(out, r"voters +1 2 3\n")
        self.assertRegex(out, r"this node last heard a leader, node \d, \d+ s ago")
        member = next(i for i, node in enumerate(self.cluster.nodes[3:], 3) if node.is_running())
        out = self.ask(*self.at(member, "cluster", "status"), code=FAILED)
        self.assertRegex(out, r"voters +1 2 3\nthis_node +member\n")
        self.assertIn("CLUSTERDOWN", self.ask_json(*self.at(last, "cluster", "nodes"), code=FAILED)["error"])


class FakeNode:
    """Answers each command (but HELLO) by the text of its words, and keeps them."""

    def __init__(self, replies):
        self.replies, self.heard = replies, []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                peer = self.socket.accept()[0]
            except OSError:
                return
            with peer, peer.makefile("rb") as file:
                while header := file.readline():
                    words = []
                    for _ in range(int(header[1:])):
                        words.append(file.read(int(file.readline()[1:]) + 2)[:-2].decode())
                    if words[0] != "HELLO":
                        self.heard.append(words)
                    peer.sendall(b"%0\r\n" if words[0] == "HELLO" else self.replies.get(" ".join(words[1:]), b"-ERR unknown\r\n"))


class WhatIsSaid(Tool):
    """To the node, and of replies that a cluster does not give just so."""

    def fake(self, **replies):
        node = FakeNode({name.replace("_", " "): text for name, text in replies.items()})
        self.addCleanup(node.socket.close)
        return node

    def test_triggers_are_passed_on_with_parameters_as_pairs(self):
        node = self.fake()
        for typed, said in [("set t init every 60 cooldown 5 shards=4 replicas=1", "set t init every 60 cooldown 5 PARAMS shards 4 replicas 1"),
                            ("set t init on node_down", "set t init on node_down"), ("set t init on node_down params a=b=c", "set t init on node_down params a b=c"),
                            ("list", "list"), ("delete t", "delete t"), ("pause", "pause")]:
            self.assertEqual(self.tool("script", "trigger", *typed.split(), "-p", node.port), (FAILED, "", "aikv: ERR unknown\n"))
            self.assertEqual(node.heard[-1], ["CLUSTER", "SCRIPT", "TRIGGER", *said.split()])

    def test_status_tells_of_triggers(self):
        view = json.dumps({"version": 9, "leader": "1" * 40, "voters": ["1" * 40], "nodes": [{"id": "1" * 40, "alias": "1", "state": "member", "up": True}],
                           "shards": [], "unassigned": []}).encode()
        replies = {"METARAFT_STATUS": b"%2\r\n+triggers_paused\r\n#t\r\n+change_problem\r\n+\r\n", "NODES": b"+\r\n",
                   "SCRIPT_VIEW": b"$%d\r\n%s\r\n" % (len(view), view), "SCRIPT_STATUS": b"_\r\n",
                   "SCRIPT_TRIGGER_LIST": b"*2\r\n%1\r\n+problem\r\n+\r\n%2\r\n+id\r\n+t\r\n+problem\r\n+it \x1b[31m fails\r\n"}
        out = self.ask("cluster", "status", "-p", self.fake(**replies).port, code=FAILED)
        self.assertIn("NOT HEALTHY\n  trigger t: it ?[31m fails\n  warning: triggers are paused", out)
        self.assertRegex(out, r"triggers +2, paused\n")
        replies["SCRIPT_TRIGGER_LIST"] = b"*0\r\n"
        status = self.ask_json("cluster", "status", "-p", self.fake(**replies).port)
        self.assertEqual((status["healthy"], status["problems"], status["triggers"]), (True, [], {"set": 0, "paused": True}))
        self.assertEqual([warning.split(":")[0] for warning in status["warnings"]], ["triggers are paused", "no trigger on node_down"])
        replies["SCRIPT_TRIGGER_LIST"] = b"*1\r\n%1\r\n+event\r\n+node_down\r\n"
        replies["METARAFT_STATUS"] = b"%0\r\n"
        out = self.ask("cluster", "status", "-p", self.fake(**replies).port)
        self.assertTrue(out.startswith("healthy\nleader"), out)

    def test_a_cluster_whose_voters_cannot_lose_one_is_not_healthy(self):
        def status(voters, wanted, members, up=None):
            ids = [str(n) * 40 for n in range(1, members + 1)]
            nodes = [{"id": i, "alias": i[0], "state": "member", "up": up is None or n < up} for n, i in enumerate(ids)]
            view = json.dumps({"version": 9, "leader": ids[0], "voters": ids[:voters], "nodes": nodes, "shards": [], "unassigned": [],
                               "settings": {"voters": wanted}}).encode()
            node = self.fake(METARAFT_STATUS=b"%0\r\n", NODES=b"+\r\n", SCRIPT_VIEW=b"$%d\r\n%s\r\n" % (len(view), view), SCRIPT_STATUS=b"_\r\n",
                             SCRIPT_TRIGGER_LIST=b"*1\r\n%1\r\n+event\r\n+node_down\r\n")
            out = subprocess.run([BINARY, "cluster", "status", "-p", str(node.port)], capture_output=True, text=True, timeout=20).stdout
            return [line.strip() for line in out.splitlines() if "vote" in line and "MetaRaft" in line]

        self.assertEqual(status(3, 3, 6), [])
        self.assertEqual(status(1, 1, 6), [])
        self.assertEqual(status(1, 3, 1), [])
        self.assertEqual(status(2, 3, 2), [])
        for voters in (1, 2):
            self.assertEqual(status(voters, 3, 6), [f"{voters} of 6 members vote: with one voter less MetaRaft stands still; 'aikv script run membership' "
                                                    "gives others the vote"])
        self.assertEqual(status(3, 3, 6, up=2), ["2 of 3 voters are up: with one less MetaRaft stands still"])

    def test_fields_of_a_newer_node_are_shown(self):
        node = self.fake(SCRIPT_HISTORY=b"*2\r\n%2\r\n+run\r\n:2\r\n+error\r\n+bad\r\n%2\r\n+run\r\n:1\r\n+mood\r\n+good\r\n",
                         SCRIPT_PLAN_x=b"%4\r\n+script\r\n+x\r\n+outcome\r\n+refused\r\n+rounds\r\n*1\r\n*1\r\n+1.1 refused admit 7\r\n+mood\r\n*1\r\n+good\r\n")
        self.assertEqual(self.ask("script", "history", "-p", node.port), "RUN  MOOD  ERROR\n2    -     bad\n1    good  -\n")
        self.assertEqual(self.ask("script", "plan", "x", "-p", node.port, code=FAILED),
                         "1.1 refused admit 7\nplan of x@: refused; steps 1, rounds 1\nmood\n  good\n")


class Offline(Tool):
    VIEW = {"leader": "1" * 40, "shards": [{"id": "s1", "primary": "1" * 40, "slots": [[0, 16383]]}],
            "nodes": [{"id": "1" * 40, "alias": "1", "voter": True, "shard": "s1", "primary": True}, {"id": "2" * 40, "alias": "2"}]}

    def test_a_new_policy_passes_its_test_and_the_check(self):
        self.ask("script", "new", "drain-zone")
        self.assertRegex(self.ask("script", "check", "drain-zone.lua"), r"drain-zone +[0-9a-f]{16} +done +0 +-")
        self.assertIn("5 successes / 0 failures / 0 errors", self.ask("script", "test", "drain-zone_spec.lua"))
        self.assertIn("5 successes / 0 failures / 0 errors", self.ask("script", "test", "."))
        self.assertEqual([row["file"] for row in self.ask_json("script", "check", ".")], ["./drain-zone.lua"])
        code, _, err = self.tool("script", "new", "drain-zone")
        self.assertEqual(code, FAILED)
        self.assertIn("nothing was written", err)
        os.unlink(os.path.join(self.folder, "drain-zone.lua"))
        self.assertEqual(self.tool("script", "new", "drain-zone")[0], FAILED)
        self.assertFalse(os.path.exists(os.path.join(self.folder, "drain-zone.lua")))
        self.assertIn("a-z, 0-9, _ and -", self.tool("script", "new", "../x")[2])

    def test_a_test_that_fails_is_a_failure(self):
        self.write("bad_spec.lua", 'describe("x", function() it("fails", function() assert.equal(1, 2) end) end)')
        self.assertIn("1 failure", self.ask("script", "test", "bad_spec.lua", code=FAILED))
        self.assertEqual(self.tool("script", "test", "none_spec.lua")[0], USAGE)

    def test_a_file_without_tests_is_a_failure(self):
        self.ask("script", "new", "spare")
        code, _, err = self.tool("script", "test", "spare.lua")
        self.assertEqual(code, FAILED)
        self.assertIn("there is no test", err)

    def test_policies_are_found_beside_their_tests_and_folders_within_are_left_out(self):
        for folder in ("ours", "ours/old"):
            os.mkdir(os.path.join(self.folder, folder))
            subprocess.run([BINARY, "script", "new", "spare"], cwd=os.path.join(self.folder, folder), check=True, stdout=subprocess.DEVNULL)
        self.write("ours/old/bad_spec.lua", 'error "not to be run"')
        self.write("ours/old/bad.lua", "return 7")
        for operand in ("ours/spare_spec.lua", "ours", os.path.join(self.folder, "ours/spare_spec.lua"), "ours/old/spare_spec.lua"):
            self.assertIn("5 successes / 0 failures / 0 errors", self.ask("script", "test", operand))
        self.assertEqual([row["file"] for row in self.ask_json("script", "check", "ours")], ["ours/spare.lua"])

    def test_what_a_node_refuses_fails_in_a_test(self):
        self.write("clocky.lua", 'return { name = "clocky", doc = "x", params = {}, plan = function(view)\n'
                   ' if view.settings.voters == 5 then while true do end end\n return { { op = "wait", ms = os.time() } } end }')
        self.write("clocky_spec.lua", """local model, policy = require "aikv.model", require "clocky"
            for _, voters in ipairs { 3, 5 } do
              it("passes with " .. voters, function()
                local m = model.new()
                assert(m:found(m:node { alias = 1 }))
                assert(m:apply { op = "set", key = "voters", value = voters })
                assert(m:run(policy))
              end)
            end""")
        out = self.ask("script", "test", "clocky_spec.lua", code=FAILED)
        self.assertIn("0 successes / 2 failures / 0 errors", out)
        self.assertRegex(out, r"clocky:2: (instruction|time) limit")
        self.assertIn("clocky:3: attempt to index a nil value (global 'os')", out)

    def test_check_says_what_is_wrong_and_where(self):
        self.write("syntax.lua", "return {\n name = }")
        self.write("contract.lua", 'return { name = "x", doc = "x", params = {}, plann = function() end }')
        self.write("raises.lua", '-- x\nreturn { name = "x", doc = "x", params = {},\n plan = function(view) return view.nodes[99].id end }')
        self.write("typo.lua", 'return { name = "x", doc = "x", params = {}, plan = function() return { { op = "admitt", node = "7" } } end }')
        self.write("asks.lua", 'return { name = "x", doc = "x", params = { a = { "integer", doc = "a" } }, plan = function() return {} end }')
        rows = {row["file"]: row for row in self.ask_json("script", "check", "syntax.lua", "contract.lua", "raises.lua", "typo.lua", "asks.lua", code=FAILED)}
        self.assertIn(":2: unexpected symbol", rows["syntax.lua"]["error"])
        self.assertIn("the nearest is 'plan'", rows["contract.lua"]["error"])
        self.assertIn(":3: ", rows["raises.lua"]["error"])
        self.assertIn("the nearest is 'admit'", rows["typo.lua"]["error"])
        self.assertEqual((rows["asks.lua"]["outcome"], rows["asks.lua"]["params"]), ("done", {"a": "1"}))
        self.assertEqual(self.tool("script", "check", "a=3")[0], USAGE)
        self.assertEqual(self.tool("script", "check", "nope.lua")[0], USAGE)
        self.write("Upper.lua", 'return { name = "Upper", doc = "x", params = {}, plan = function() return {} end }')
        self.assertIn("a-z, 0-9, _ and -, not 'Upper'", self.ask("script", "check", "Upper.lua", code=FAILED))
        os.mkdir(os.path.join(self.folder, "empty"))
        self.assertIn("there is no policy", self.ask_json("script", "check", "empty", code=USAGE)["error"])

    def test_check_gives_each_policy_its_own_parameters_and_examples_of_required_ones(self):
        for name, params in [("a", 'node = { "node", doc = "who" }, n = { "integer", min = 7, doc = "n" }'), ("b", 'by = { "enum", "x", "y", doc = "by" }'),
                             ("c", 'zone = { "string", doc = "z" }, all = { "boolean", doc = "all" }, n = { "number", max = 0.5, doc = "n" }'), ("d", "")]:
            self.write(f"{name}.lua", f'return {{ name = "{name}", doc = "x", params = {{ {params} }}, plan = function(view, p) return {{}} end }}')
        rows = {row["script"]: row["params"] for row in self.ask_json("script", "check", ".")}
        self.assertEqual(rows, {"a": {"node": "1", "n": "7"}, "b": {"by": "x"}, "c": {"zone": "a", "all": "yes", "n": "0.5"}, "d": {}})
        rows = {row["script"]: row["params"] for row in self.ask_json("script", "check", ".", "node=2", "by=y")}
        self.assertEqual((rows["a"]["node"], rows["b"], rows["d"]), ("2", {"by": "y"}, {}))
        code, _, err = self.tool("script", "check", ".", "nod=2")
        self.assertEqual((code, err), (USAGE, "aikv: no policy here has a parameter 'nod'\n"))

    def test_describe_shows_the_parameters(self):
        self.write("a.lua", 'return { name = "a", doc = "Does it.", plan = function() return {} end, params = { n = { "integer", default = 2, max = 9, doc = "how often" },'
                   ' who = { "node", doc = "whom" } } }')
        self.assertEqual([line.split("  ") for line in re.sub(r"  +", "  ", self.ask("script", "describe", "./a.lua")).splitlines()],
                         [["Does it."], ["PARAM", "TYPE", "DEFAULT", "TAKES", "WHAT IT IS"], ["n", "integer", "2", "a whole number up to 9", "how often"],
                          ["who", "node", "required", "the alias, name or id of one node", "whom"]])

    def test_a_plan_on_a_saved_view(self):
        self.write("view.json", json.dumps(self.VIEW))
        self.ask("script", "new", "copies")
        plan = self.ask_json("script", "plan", "./copies.lua", "--view", "view.json")
        self.assertEqual(plan["rounds"], [[{"becomes": "planned", "op": "replicate", "node": "2" * 40, "shard": "s1", "why": "s1 has too few copies", "error": ""}]])
        self.assertEqual((plan["outcome"], plan["score_before"], plan["score_after"]), ("done", 1.0, 0.0))
        out = self.ask("script", "plan", "./copies.lua", "copies=2", "--view", "view.json")
        self.assertRegex(out, r"plan of copies@[0-9a-f]{16}: done; steps 1, rounds 1; score 2 -> 1")
        code, _, err = self.tool("script", "plan", "copie", "--view", "view.json")
        self.assertEqual(code, USAGE)
        self.assertIn("no policy is built in under the name 'copie'", err)
        self.assertIn("did you mean 'init'?", self.tool("script", "plan", "inti", "--view", "view.json")[2])
        self.assertIn("no parameter 'copis'", self.ask("script", "plan", "./copies.lua", "copis=2", "--view", "view.json", code=FAILED))

    def test_a_plan_shows_what_becomes_of_the_shards_and_why_nothing_is_done(self):
        nodes = [{"id": str(i) * 40, "alias": str(i), "voter": True, "shard": f"s{i}", "primary": True} for i in (1, 2)]
        odd = [[slot, slot] for slot in range(1, 16384, 2)]
        self.write("view.json", json.dumps({"leader": "1" * 40, "nodes": nodes, "shards": [
            {"id": "s1", "primary": "1" * 40, "slots": [[slot, slot] for slot in range(0, 16384, 2)] + odd[:4000]}, {"id": "s2", "primary": "2" * 40, "slots": odd[4000:]}]}))
        out = self.ask("script", "plan", "rebalance", "--view", "view.json")
        self.assertRegex(out, r"(?m)^s1 +12192 -> 8192 +0 +0 +0$")
        plan = self.ask_json("script", "plan", "rebalance", "--view", "view.json")
        self.assertEqual([(s["shard"], s["before"]["slots"], s["after"]["slots"]) for s in plan["shards"]], [("s1", 12192, 8192), ("s2", 4192, 8192)])
        self.assertEqual(sum(to - first + 1 for step in plan["rounds"][0] for first, to in step["slots"]), 4000)
        self.assertIn("\nwhy  no shard has any ops\n", self.ask("script", "plan", "rebalance", "by=ops", "--view", "view.json"))
        out = self.ask("script", "plan", "init", "shards=9", "--view", "view.json")
        self.assertIn("\nwhy  16 more nodes are needed", out)
        self.assertNotIn("error", out)

    def test_a_view_that_is_malformed_is_told_where(self):
        self.VIEW["nodes"][1]["up"] = "yes"
        self.addCleanup(self.VIEW["nodes"][1].pop, "up")
        self.write("view.json", json.dumps(self.VIEW))
        code, out, err = self.tool("script", "plan", "init", "--view", "view.json")
        self.assertEqual((code, out), (USAGE, ""))
        self.assertIn("'view.json': the view is malformed: nodes[1].up must be true or false", err)
        self.assertIn("No such file", self.tool("script", "plan", "init", "--view", "none.json")[2])


if __name__ == "__main__":
    unittest.main()
