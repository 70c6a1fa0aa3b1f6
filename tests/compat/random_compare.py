"""Which replies of two servers to the same request count as equal, and which requests have such."""

from random_basic import BAD_CURSORS
from random_stream import masked
from resp import escape, in_order

UNORDERED = """KEYS SCAN HSCAN SSCAN ZSCAN HGETALL HKEYS HVALS SMEMBERS SPOP SRANDMEMBER SINTER SUNION SDIFF HRANDFIELD ZRANDMEMBER CONFIG COMMAND
    GEORADIUS GEORADIUS_RO GEORADIUSBYMEMBER GEORADIUSBYMEMBER_RO GEOSEARCH""".split()  # those of places, unless they say ASC or DESC

LATE_S = 60  # so much later one server may be told than the other, which is restarted meanwhile (random_faults.py)


def is_comparable(request):
    """Not those whose replies are about the server or the connection, nor those that wait for a time to come."""
    words = [word.upper() for word in request]
    own = ("TIME", "RESET", "QUIT", "SHUTDOWN", "INFO", "COMMAND", "CONFIG", "CLIENT", "HELLO", "MONITOR", "ROLE", "LOLWUT", "SAVE", "BGSAVE",
           "LASTSAVE", "PFSELFTEST")
    if words[0] in own and len(words) == 1:
        return False
    if words[0] == "LOLWUT" and words[1] != "VERSION":
        return False
    if words[0] in ("HELLO", "INFO") and any(word in ("2", "3", "DEFAULT", "ALL", "EVERYTHING") for word in words):
        return False
    if words[0] in own and words[1:2] and words[1] in ("HELP", "COUNT", "INFO", "LIST", "DOCS", "ID"):
        return len(words) > 2 and words[2] not in ("NX", "XX")
    if words[0] == "SLOWLOG" and words[1:2] in (["GET"], ["LEN"]):  # what was slow is each server's own
        return len(words) > 2 and words[2] != "-1" and not (words[2].isdigit() and int(words[2]) > 0)
    if words[0] in ("EXPIRE", "PEXPIRE", "SET", "SETEX", "PSETEX", "GETEX"):
        return not any(word.isdigit() and 0 < int(word) < 100000 for word in words[2:])
    if words[0] in ("HSCAN", "SSCAN") and words[2:3]:
        return "100000" in words if words[2] in ("0", "00", "") else request[2] in BAD_CURSORS
    if words[0] == "SCAN" and words[1:2]:  # cursors are each server's own, and so is what one call gives of many keys
        return "100000" in words if words[1] in ("0", "00", "") else request[1] in BAD_CURSORS
    return True


def comparable(request, reply):
    """The reply, in an order of its own where the command promises none."""
    name, words = request[0].upper(), [word.upper() for word in request[2:]]
    if name.startswith("SORT"):  # ALPHA compares texts with zeros otherwise than Redis (differences.md)
        return in_order(reply) if "ALPHA" in words else reply
    if name == "PUBSUB":
        return in_order(reply) if "CHANNELS" in request[1].upper() else reply
    return in_order(reply) if name in UNORDERED and "ASC" not in words and "DESC" not in words else masked(request, reply)


def may_differ_in_effect(request):
    """Whether a millisecond between the servers decides if anything is changed: what watches the key would tell."""
    return request[0].upper() in ("EXPIRE", "PEXPIRE") and any(word.upper() in ("GT", "LT") for word in request[3:])


def all_close_enough(requests, redis, aikv):
    """The replies within EXEC's."""
    if redis.kind != "*" or aikv.kind != "*" or redis.value is None or aikv.value is None:
        return False
    if not len(requests) == len(redis.value) == len(aikv.value):
        return False
    return all(close_enough(*three) for three in zip(requests, redis.value, aikv.value))


def close_enough(request, redis, aikv):
    """Equal, but for the time that lies between the two servers: it shows where a time is told, and where GT or LT compares a time with the
    same time, asked for a moment ago."""
    if comparable(request, redis) == comparable(request, aikv):
        return True
    name, words = request[0].upper(), [word.upper() for word in request[3:]]
    if name == "RANDOMKEY":
        return redis.value is not None and aikv.value is not None
    if name in ("HRANDFIELD", "SRANDMEMBER", "ZRANDMEMBER"):
        return same_shape(redis, aikv)
    if name in ("SORT", "SORT_RO"):
        return sort_close_enough([word.upper() for word in request[2:]], redis, aikv)
    if name == "OBJECT":
        return object_close_enough(request[1].upper(), redis.value, aikv.value)
    if redis.kind != ":" or aikv.kind != ":":
        return False
    if name in ("TTL", "EXPIRETIME"):
        return redis.value > 0 and abs(redis.value - aikv.value) <= LATE_S
    if name in ("PTTL", "PEXPIRETIME"):
        return redis.value > 0 and abs(redis.value - aikv.value) <= 1000 * LATE_S
    return name in ("EXPIRE", "PEXPIRE") and ("GT" in words or "LT" in words)


def same_shape(redis, aikv):
    """Equal but for what texts say: picks are random."""
    if redis.kind != aikv.kind or redis.kind in "-:":
        return False
    if not isinstance(redis.value, list):
        return (redis.value is None) == (aikv.value is None)
    return len(redis.value) == len(aikv.value) and all(map(same_shape, redis.value, aikv.value))


def sort_close_enough(options, redis, aikv):
    """Redis takes texts for equal that differ behind a NUL, so that a limit takes others of them; and it looks at errno, which may be of a command
    long before."""
    if "ALPHA" in options and "LIMIT" in options:
        return same_shape(redis, aikv)
    return redis.kind == "-" and redis.value == b"ERR One or more scores can't be converted into double"


def object_close_enough(about, redis, aikv):
    """The differences that object.txt and sort.txt declare: AiKv does not know how a value came about, shares none, and, where it was restarted, when
    a key was used."""
    if about == "ENCODING":
        return (redis, aikv) in ((b"raw", b"embstr"), (b"raw", b"int"), (b"embstr", b"int"), (b"hashtable", b"intset"), (b"skiplist", b"listpack"))
    if about == "REFCOUNT":
        return isinstance(redis, int) and redis > 1 and aikv == 1
    return about == "IDLETIME" and isinstance(redis, int) and isinstance(aikv, int) and abs(redis - aikv) <= LATE_S


def show(request):
    return " ".join('"%s"' % escape(shorten(word).encode("latin-1")) for word in request)


def shorten(text):
    return text if len(text) <= 1000 else "%s... (%d bytes)" % (text[:100], len(text))
