"""A member of the bus in Python, to say what no aikv says. (core/net/handshake.h, core/net/frame.h, core/control/message.h)"""
import hashlib
import hmac
import os
import socket
import struct

ANNOUNCE, PULSE, PULSE_ACK, SNAPSHOT, DELTA, CALL, CALL_REPLY = range(1, 8)


def mac(key, *parts):
    m = hmac.new(key, digestmod=hashlib.sha256)
    for part in parts:
        m.update(part)
    return m.digest()


def derive(secret, salt, info):
    """HKDF, one block."""
    return mac(mac(salt or bytes(32), secret), info + b"\x01")


def crc32c_table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = (byte >> 1) ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


CRC_TABLE = crc32c_table()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = CRC_TABLE[(crc ^ byte) & 255] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


def text(value):
    data = value.encode() if isinstance(value, str) else value
    return struct.pack("<I", len(data)) + data


class Bus:
    """A link to the node whose bus is at 127.0.0.1:port, as the node `node`. `incarnation`: of its announcement."""

    def __init__(self, port, secret, node, cluster="", bus_port=1, incarnation=1):
        self.node, self.sent = node, 0
        self.socket = socket.create_connection(("127.0.0.1", port), 10)
        self.shake_hands(secret.encode(), cluster)
        self.announce(cluster, bus_port, incarnation)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def shake_hands(self, secret, cluster):
        master, nonce = derive(secret, b"", b"aikv bus 1"), os.urandom(32)
        hello = b"AiKB\x01\x01" + nonce + self.node.encode() + (cluster.encode() or bytes(40))
        self.socket.sendall(hello)
        reply = self.exact(len(hello) + 32)
        theirs, proof = reply[:-32], reply[-32:]
        assert mac(master, b"acceptor", hello + theirs) == proof
        self.socket.sendall(mac(master, b"initiator", hello + theirs + proof))
        salt = nonce + theirs[6:38]
        self.key = derive(master, salt, b"initiator to acceptor")

    def exact(self, n):
        data = b""
        while len(data) < n:
            more = self.socket.recv(n - len(data))
            if not more:
                raise ConnectionError("the link was closed")
            data += more
        return data

    def send(self, kind, payload):
        header = b"AiKV" + struct.pack("<BBHI", 1, kind, 0, len(payload))
        header += struct.pack("<I", crc32c(header))
        frame = header + payload + struct.pack("<Q", self.sent)
        self.sent += 1
        self.socket.sendall(frame + mac(self.key, frame)[:16])

    def receive(self):
        """The next frame's type and payload; its trailer is not checked."""
        header = self.exact(16)
        payload = self.exact(struct.unpack("<I", header[8:12])[0])
        self.exact(24)
        return header[5], payload

    def receive_only(self, kind):
        while True:
            found, payload = self.receive()
            if found == kind:
                return payload

    def announce(self, cluster, bus_port, incarnation):
        endpoint = text("any") + text("127.0.0.1") + struct.pack("<H", 1)
        info = (text(self.node) + struct.pack("<I", 0) + text("x") + text("0.1.0") + text("127.0.0.1") + struct.pack("<H", bus_port)
                + text("") + text("") + struct.pack("<QI", incarnation, 1) + endpoint)
        self.send(ANNOUNCE, info + text(cluster) + text(""))

    def pulse(self, term, sequence=1, version=1):
        self.send(PULSE, struct.pack("<QQQ", term, sequence, version))

    def pulse_ack(self, sequence, version):
        self.send(PULSE_ACK, struct.pack("<QQ", sequence, version))

    def call(self, request, *argv):
        self.send(CALL, struct.pack("<QBI", request, 2, len(argv)) + b"".join(text(a) for a in argv))
