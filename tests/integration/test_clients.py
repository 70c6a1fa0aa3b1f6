"""Client libraries and tools as people use them: redis-py, hiredis, redis-cli's modes, redis-benchmark."""
import asyncio
import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

import redis
import redis.asyncio

from cluster import PATIENCE_S, Node, free_ports

HERE = os.path.dirname(os.path.abspath(__file__))


class Clients(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="aikv-test-")
        self.addCleanup(shutil.rmtree, self.folder, True)
        self.node = Node(self.folder, "n", free_ports(1)).start()
        self.addCleanup(self.node.kill)


class Libraries(Clients):
    def test_redis_py(self):
        r = redis.Redis(port=self.node.port, decode_responses=True)
        self.addCleanup(r.close)
        self.assertTrue(r.set("k", "v", ex=100))
        self.assertEqual((r.get("k"), r.ttl("k") > 90), ("v", True))
        r.hset("h", mapping={"a": 1, "b": "\u00e9"})
        self.assertEqual(r.hgetall("h"), {"a": "1", "b": "\u00e9"})
        r.zadd("z", {"m": 1.5, "n": float("-inf")})
        self.assertEqual(r.zrange("z", 0, -1, withscores=True), [("n", float("-inf")), ("m", 1.5)])
        with r.pipeline() as p:
            p.watch("k")
            value = p.get("k")
            p.multi()
            p.set("k", value + "w").lpush("l", 1, 2, 3).lrange("l", 0, -1)
            self.assertEqual(p.execute(), [True, 3, ["3", "2", "1"]])
        with r.pipeline(transaction=False) as p:
            for i in range(1000):
                p.set(f"many:{i}", i)
            self.assertEqual(p.execute(), [True] * 1000)
        self.assertEqual(len(set(r.scan_iter("many:*"))), 1000)
        self.assertEqual(r.blpop("l", timeout=1), ("l", "3"))
        entry = r.xadd("s", {"f": "v"})
        self.assertEqual(r.xread({"s": 0}), [["s", [(entry, {"f": "v"})]]])
        pubsub = r.pubsub(ignore_subscribe_messages=True)
        self.addCleanup(pubsub.close)
        pubsub.subscribe("x")
        pubsub.get_message(timeout=1)
        r.publish("x", "hello")
        self.assertEqual(pubsub.get_message(timeout=10)["data"], "hello")
        self.assertTrue(r.restore("copy", 0, redis.Redis(port=self.node.port).dump("h")))
        self.assertEqual(r.hgetall("copy"), r.hgetall("h"))
        self.assertEqual(r.info("server")["redis_version"], "7.0.15")
        self.assertEqual(r.config_set("hash-max-listpack-entries", 1), True)
        self.assertEqual(r.config_get("*-max-listpack-entries"), {"hash-max-listpack-entries": "1", "zset-max-listpack-entries": "128"})
        self.assertIn("addr", r.client_list()[0])
        self.assertIn("get", r.command())
        with self.assertRaises(redis.ResponseError):
            r.lpush("k", 1)

    def test_redis_py_with_asyncio(self):
        asyncio.run(self.work())

    async def work(self):
        r = redis.asyncio.Redis(port=self.node.port, decode_responses=True)
        await asyncio.gather(*(r.set(f"a:{i}", i) for i in range(100)))
        self.assertEqual(await r.mget([f"a:{i}" for i in range(100)]), [str(i) for i in range(100)])
        waiting = asyncio.create_task(r.blpop("later", timeout=30))
        await r.incr("n")
        await r.rpush("later", "here")
        self.assertEqual(await waiting, ("later", "here"))
        async with r.pubsub() as pubsub:
            await pubsub.subscribe("x")
            await r.publish("x", "hello")
            async for message in pubsub.listen():
                if message["type"] == "message":
                    self.assertEqual(message["data"], "hello")
                    break
        await r.close()
        await r.connection_pool.disconnect()

    def test_hiredis(self):
        program = os.path.join(self.folder, "hiredis_client")
        subprocess.run(["cc", "-Wall", "-Werror", os.path.join(HERE, "hiredis_client.c"), "-o", program, "-lhiredis"], check=True)
        done = subprocess.run([program, str(self.node.port)], capture_output=True, text=True, timeout=PATIENCE_S)
        self.assertEqual((done.returncode, done.stderr), (0, ""))


class Tools(Clients):
    def cli(self, *arguments, given=b"", code=0):
        done = subprocess.run(["redis-cli", "-p", str(self.node.port), *arguments], input=given, capture_output=True, timeout=PATIENCE_S)
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stdout.decode()

    def lines(self, count, *arguments):
        """What a mode that goes on for ever says first."""
        command = ["stdbuf", "-oL", "redis-cli", "-p", str(self.node.port), *arguments]
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
            out = [process.stdout.readline().rstrip("\n") for _ in range(count)]
            process.kill()
        return out

    def fill(self):
        """Some keys of each type, by --pipe."""
        requests = [f"SET key:{i} {i}\r\n" for i in range(200)]
        requests += ["RPUSH list a b c\r\n", "SADD set a b\r\n", "ZADD zset 1 a 2 b 3 c 4 d\r\n", "HSET hash f v\r\n", "XADD stream 1-1 f v\r\n"]
        self.assertIn("errors: 0, replies: 205", self.cli("--pipe", given="".join(requests).encode()))

    def test_pipe_tells_of_errors(self):
        self.assertIn("errors: 1, replies: 2", self.cli("--pipe", given=b"NONE\r\nSET x y\r\n", code=1))

    def test_keys_are_scanned_and_sampled(self):
        self.fill()
        self.assertEqual(len(set(self.cli("--scan", "--pattern", "key:*").split())), 200)
        biggest = self.cli("--bigkeys")
        for said in ("Sampled 205 keys", '"list" has 3 items', '"zset" has 4 members', '"set" has 2 members', '"hash" has 1 fields', '"stream" has 1 entries',
                     "200 strings with 490 bytes"):
            self.assertIn(said, biggest.replace("'", ""))
        self.assertRegex(self.cli("--memkeys"), r"200 strings with \d{4,} bytes")

    def test_latency_is_measured(self):
        self.assertRegex(self.cli("--latency", "-i", "0.2", "--raw"), r"^\d+ \d+ [\d.]+ \d+\n$")
        self.assertRegex(self.lines(2, "--latency-history", "-i", "0.2", "--raw")[1], r"^\d+ \d+ [\d.]+ \d+$")
        self.assertIn("From 0 to 100%", "".join(self.lines(8, "--latency-dist", "-i", "0.2")))
        self.assertIn("avg latency", self.cli("--intrinsic-latency", "1"))

    def test_statistics_and_a_cache_workload_go_on(self):
        self.fill()
        told = self.lines(4, "--stat", "-i", "0.2")
        self.assertRegex(told[1], r"^keys +mem +clients +blocked +requests +connections")
        self.assertRegex(told[3], r"^205 +[\d.]+[KMG] +\d+ +0 +\d+ \(\+\d+\) +\d+ *$")
        self.assertRegex(self.lines(1, "--lru-test", "100")[0], r"^\d+ Gets/sec \| Hits: \d+")

    def test_values_come_in_every_form(self):
        self.fill()
        self.assertEqual(self.cli("-x", "SET", "given", given=b"from stdin\n"), "OK\n")
        self.assertEqual(self.cli("--no-raw", "GET", "given"), '"from stdin\\n"\n')
        self.assertEqual(self.cli("--csv", "LRANGE", "list", "0", "-1"), '"a","b","c"\n')
        self.assertEqual(json.loads(self.cli("--json", "HGETALL", "hash")), {"f": "v"})
        self.assertEqual(json.loads(self.cli("--json", "ZRANGE", "zset", "0", "1", "WITHSCORES")), [["a", 1], ["b", 2]])
        self.assertEqual(self.cli("-3", "--no-raw", "HGETALL", "hash"), '1# "f" => "v"\n')
        self.assertEqual(self.cli("-r", "3", "-i", "0.01", "INCR", "n"), "1\n2\n3\n")
        self.assertEqual(self.cli("-n", "5", "--quoted-input", "SET", '"a\\x00b"', "v") + self.cli("-n", "5", "--no-raw", "KEYS", "*"), 'OK\n1) "a\\x00b"\n')
        self.node("CONFIG", "SET", "requirepass", "secret")
        self.assertEqual(self.cli("--no-auth-warning", "-a", "secret", "PING"), "PONG\n")
        self.assertEqual(self.cli("-u", f"redis://default:secret@127.0.0.1:{self.node.port}/5", "DBSIZE"), "1\n")

    def test_redis_benchmark_knows_all_its_tests(self):
        for more in ((), ("--threads", "2"), ("-3", "-t", "ping,set,get,incr,lpush,zadd,hset,mset")):
            with self.subTest(more=more):
                done = subprocess.run(["redis-benchmark", "-p", str(self.node.port), "-n", "500", "-c", "10", "-P", "16", "-q", *more],
                                      capture_output=True, text=True, timeout=PATIENCE_S)
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertGreaterEqual(len(re.findall(r"requests per second, p50", done.stdout)), 8 if "-t" in more else 20)


if __name__ == "__main__":
    unittest.main()
