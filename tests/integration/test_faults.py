"""Faults that a cluster must survive without anybody doing the wrong thing: lost files, pauses, two founders, members that lie."""
import json
import os
import shutil
import signal
import struct
import threading
import time
import unittest

from bus import CALL_REPLY, PULSE, Bus
from cluster import Cluster, ReplyError, as_map, until

FORMAT = 5
SECRET = "a secret of the tests"


def status(node):
    return as_map(node("CLUSTER", "METARAFT", "STATUS"))


def identity(node):
    with open(node.data + "/node.json") as f:
        return json.load(f)


def meet_all(c):
    for i in range(1, len(c.nodes)):
        until(f"node {i + 1} is met", lambda: c[0]("CLUSTER", "MEET", "127.0.0.1", c[i].port, c.bus_port + i) == "OK")


def make_voters(c):
    c.set_triggers_aside()
    for i in range(1, len(c.nodes)):
        until(f"node {i + 1} learns", lambda: c[0]("CLUSTER", "METARAFT", "ADDLEARNER", i + 1, f"127.0.0.1:{c.bus_port + i}") == "OK")
    c[0]("CLUSTER", "METARAFT", "PROMOTE", *range(2, len(c.nodes) + 1))


def lines(node, part):
    return [line for line in node.log().splitlines() if part in line]


class Paused:
    """SIGSTOP, and SIGCONT at the end."""

    def __init__(self, *nodes):
        self.pids = [n.process.pid for n in nodes]

    def __enter__(self):
        for pid in self.pids:
            os.kill(pid, signal.SIGSTOP)

    def __exit__(self, *_):
        for pid in self.pids:
            os.kill(pid, signal.SIGCONT)


class Files(unittest.TestCase):
    def assert_refused(self, node, part):
        node.start(wait=False)
        self.assertEqual(node.process.wait(30), FORMAT, node.log()[-600:])
        self.assertIn(part, node.log().splitlines()[-1])

    def test_a_voter_that_lost_its_votes_does_not_vote_again(self):
        with Cluster(3) as c:
            make_voters(c)
            founder, other = c[0], c[1]
            founder.stop()
            shutil.rmtree(founder.data + "/raft")
            os.unlink(founder.data + "/metadata")
            self.assert_refused(founder, "votes of raft member 1: wipe the data directory and rejoin")
            c.leader()
            other.stop()
            shutil.rmtree(other.data + "/raft")
            self.assert_refused(other, "votes of raft member 2: wipe the data directory and rejoin")

    def test_damaged_files_of_metaraft_end_the_start_with_their_exit_code(self):
        with Cluster(1, join=False) as c:
            n = c[0]
            c.leader()
            n.stop()
            raft, metadata, kept = n.data + "/raft", n.data + "/metadata", n.folder + "/kept"
            shutil.copytree(n.data, kept)
            segment = sorted(f for f in os.listdir(raft) if f[0] == "0")[-1]
            for damage, part in (
                    (lambda: os.truncate(f"{raft}/{segment}", 20), "rejoin"),
                    (lambda: self.make_file(raft + "/open-99", "x"), "rejoin"),
                    (lambda: (shutil.rmtree(raft), self.make_file(raft, "")), "rejoin"),
                    (lambda: (os.unlink(metadata), os.mkdir(metadata)), "is no regular file"),
                    (lambda: (os.unlink(metadata), os.mkfifo(metadata)), "is no regular file")):
                damage()
                self.assert_refused(n, part)
                shutil.rmtree(n.data)
                shutil.copytree(kept, n.data)
            n.start()
            c.leader()

    def make_file(self, path, content):
        with open(path, "w") as f:
            f.write(content)

    def test_a_damaged_metadata_file_is_told_and_does_no_harm(self):
        with Cluster(1, join=False) as c:
            n = c[0]
            c.leader()
            n.stop()
            with open(n.data + "/metadata", "r+b") as f:
                f.seek(40)
                f.write(b"damage")
            n.start()
            c.leader()
            self.assertEqual(len(lines(n, "level=warn thread=control msg=\"the metadata file is left alone")), 1)


class Founding(unittest.TestCase):
    def test_two_nodes_that_are_to_found_make_one_cluster(self):
        c = Cluster(2)
        c[1].arguments.append("--is-bootstrap")
        with c:
            until("one of them founds", lambda: "leader" in [status(n)["state"] for n in c.nodes])
            time.sleep(1)
            self.assertEqual(sorted(status(n)["state"] for n in c.nodes), ["candidate", "leader"])
            self.assertEqual([identity(n)["cluster_id"] for n in c.nodes].count(""), 1)

    def test_a_wiped_founder_whose_peers_are_slow_founds_no_second_cluster(self):
        with Cluster(3) as c:
            make_voters(c)
            founder, others = c[0], c.nodes[1:]
            founder.stop()
            c.leader()
            shutil.rmtree(founder.data)
            with Paused(*others):
                founder.start()
                until("says for whom it waits", lambda: lines(founder, "waits for most of its join peers"))
                self.assertEqual(status(founder)["state"], "candidate")
            until("is a candidate for the cluster", lambda: lines(founder, "there is a cluster already"))
            self.assertEqual(identity(founder)["cluster_id"], "")
            rows = founder("CLUSTER", "NODES").split()
            self.assertTrue(rows[1].endswith(f"@{c.bus_port}"), rows)

    def test_a_node_with_another_secret_says_so(self):
        with Cluster(2) as c:
            c.leader()
            stranger = c[1]
            stranger.stop()
            stranger.environment["AIKV_CLUSTER_SECRET"] = "another secret of the tests"
            stranger.start()
            until("it is told", lambda: [x for x in lines(stranger, "no bus link to peer") if "level=warn" in x and "secrets differ" in x])
            until("the founder says it", lambda: [x for x in lines(c[0], "secret") if "level=warn" in x])


class Pauses(unittest.TestCase):
    def test_a_leader_that_stood_still_declares_nobody_down(self):
        with Cluster(3) as c:
            meet_all(c)
            with Paused(c[0]):
                time.sleep(5)
            time.sleep(1.5)
            self.assertEqual(lines(c[0], "is down"), [])

    def test_a_leader_that_stood_still_takes_nobody_for_up_who_is_down(self):
        with Cluster(2) as c:
            meet_all(c)
            until("node 2 answers", lambda: status(c[1])["leader"])
            c[1].kill()
            until("node 2 is down", lambda: lines(c[0], "is down"))
            with Paused(c[0]):
                time.sleep(2)
            time.sleep(1)
            self.assertEqual(lines(c[0], "is up"), [])

    def test_slots_given_while_the_leader_stands_still_go_to_the_node_that_was_asked(self):
        with Cluster(3) as c:
            make_voters(c)
            leader = c.leader()
            asked = next(n for n in c.nodes if n is not leader)
            outcome = []

            def add():
                try:
                    outcome.append(asked("CLUSTER", "ADDSLOTS", 7))
                except ReplyError as e:
                    outcome.append(str(e))

            caller = threading.Thread(target=add)
            with Paused(leader):
                caller.start()
                time.sleep(2)
            caller.join(30)
            lead = c.leader()
            owners = [row.split()[0] for row in lead("CLUSTER", "NODES").splitlines() if row.split()[8:]]
            if outcome == ["OK"]:
                self.assertEqual(owners, [asked("CLUSTER", "MYID")])
            else:  # the old leader had it in its log, which was lost: nobody else may have it
                self.assertRegex(outcome[0], "outcome is not known|ceased to lead MetaRaft while it carried this out")
                self.assertEqual(owners, [])


class Runs(unittest.TestCase):
    def test_status_shows_each_step_once_after_a_change_of_leader(self):
        with Cluster(3) as c:
            make_voters(c)
            run = c[0]("CLUSTER", "SCRIPT", "EVAL", "RUN", "return { { op = 'wait', ms = 10, why = 'a' }, { op = 'wait', ms = 10, why = 'b' } }", 0)
            steps = c.ended(run)["steps"]
            self.assertEqual(len(steps), 2)
            first = c.leader()
            first.stop()
            until("there is another", lambda: c.leader() is not first)
            self.assertEqual(c.ended(run)["steps"], steps)
            first.start()
            c.leader()
            self.assertEqual(c.ended(run)["steps"], steps)


class Liars(unittest.TestCase):
    """A member that knows the secret, in the place of one that was stopped."""

    def impostor(self, c, target, node):
        who = identity(node)
        return Bus(c.bus_port + c.nodes.index(target), SECRET, who["node_id"], who["cluster_id"], c.bus_port + c.nodes.index(node),
                   who["incarnation"])

    def test_a_pulse_from_who_does_not_lead_changes_nothing(self):
        with Cluster(3) as c:
            make_voters(c)
            leader = c.leader()
            victim, liar = [n for n in c.nodes if n is not leader]
            before = status(victim)
            with self.impostor(c, victim, liar) as bus:
                bus.pulse(2**64 - 1)
                time.sleep(0.5)
            time.sleep(2.5)
            after = status(victim)
            self.assertEqual((after["leader_id"], after["term"]), (before["leader_id"], before["term"]))
            victim("CLUSTER", "SCRIPT", "LIST")
            self.assertEqual(lines(leader, "is down"), [])

    def test_what_a_member_says_of_its_version_is_logged_once(self):
        with Cluster(2) as c:
            meet_all(c)
            c[1].kill()
            with self.impostor(c, c[0], c[1]) as bus:
                sequence = struct.unpack("<QQQ", bus.receive_only(PULSE))[1]
                for i in range(500):
                    bus.pulse_ack(sequence, 2**40 + i)
                until("it is told", lambda: lines(c[0], "newer metadata"))
                time.sleep(0.5)
            self.assertEqual(len(lines(c[0], "newer metadata")), 1)

    def test_calls_of_other_nodes_are_bounded_in_bytes(self):
        with Cluster(2) as c:
            meet_all(c)
            c[1].kill()
            with self.impostor(c, c[0], c[1]) as bus:
                for i in range(80):  # each waits for a connection to a name that nobody has
                    bus.call(i, "CLUSTER", "MEET", b"x" * 900_000, "1")
                self.assertIn(b"too many calls open", bus.receive_only(CALL_REPLY))


class Alias(unittest.TestCase):
    def test_a_wiped_node_is_admitted_under_another_alias(self):
        with Cluster(3) as c:
            self.assertEqual(c.run("init", "shards", 1, "replicas", 2)["status"], "done")
            wiped = c[2]
            wiped.stop()
            shutil.rmtree(wiped.data)
            wiped.start()
            time.sleep(2)
            done = c.run("init", "shards", 1, "replicas", 2, node=c[0])
            self.assertEqual((done["status"], done["steps"]), ("done", []))
            wiped.stop()
            wiped.arguments[wiped.arguments.index("--node-id") + 1] = "7"
            wiped.start()
            until("it is admitted", lambda: any("admit" in s for s in c.run("init", "shards", 1, "replicas", 2, node=c[0])["steps"]))
            until("it knows", lambda: status(wiped)["state"] != "candidate")


if __name__ == "__main__":
    unittest.main()
