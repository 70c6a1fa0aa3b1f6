"""A small RESP client, and replies as one readable line. Standard library only."""

import re
import socket

ESCAPES = {"n": b"\n", "r": b"\r", "t": b"\t", "a": b"\a", "b": b"\b"}


class Closed(Exception):
    """The server closed the connection."""


class Reply:
    """One reply: its type byte, and its value: bytes, int, None, or a list of replies (of a map keys and values)."""

    def __init__(self, kind, value):
        self.kind = kind
        self.value = value

    def __str__(self):
        return render(self)

    def __eq__(self, other):
        return self.kind == other.kind and self.value == other.value

    def __hash__(self):
        return hash(str(self))


class Connection:
    def __init__(self, host, port, timeout=10):
        self.socket = socket.create_connection((host, port), timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.socket.makefile("rb", buffering=1 << 16)

    def close(self):
        self.file.close()
        self.socket.close()

    def send(self, data):
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # reading will tell

    def ask(self, *args):
        self.send(encode(args))
        return self.read()

    def line(self):
        try:
            text = self.file.readline()
        except ConnectionResetError:
            text = b""
        if not text.endswith(b"\r\n"):
            raise Closed()
        return text[:-2]

    def read(self):
        text = self.line()
        kind, rest = chr(text[0]), text[1:]
        if kind in "+-,(":
            return Reply(kind, rest)
        if kind == ":":
            return Reply(kind, int(rest))
        if kind in "#_":
            return Reply(kind, rest or None)
        if kind in "$=":
            return Reply(kind, self.bulk(int(rest)))
        if kind in "*~>%":
            count = int(rest)
            if count < 0:
                return Reply(kind, None)
            return Reply(kind, [self.read() for _ in range(count * (2 if kind == "%" else 1))])
        raise ValueError("not RESP: %r" % text)

    def bulk(self, size):
        if size < 0:
            return None
        data = self.file.read(size + 2)
        if len(data) != size + 2:
            raise Closed()
        return data[:-2]


def encode(args):
    parts = [b"*%d\r\n" % len(args)]
    for arg in args:
        data = arg if isinstance(arg, bytes) else str(arg).encode()
        parts.append(b"$%d\r\n%s\r\n" % (len(data), data))
    return b"".join(parts)


def escape(data):
    """Bytes as the inside of a double-quoted text."""
    out = []
    for byte in data:
        char = chr(byte)
        if char in '"\\':
            out.append("\\" + char)
        elif char in "\n\r\t":
            out.append({"\n": "\\n", "\r": "\\r", "\t": "\\t"}[char])
        elif 32 <= byte < 127:
            out.append(char)
        else:
            out.append("\\x%02x" % byte)
    return "".join(out)


def render(reply):
    """The notation of README.md."""
    kind, value = reply.kind, reply.value
    if kind in "+-":
        text = escape(value).replace('\\"', '"').replace("\\\\", "\\")
        return kind + (text[:-1] + "\\x20" if text.endswith(" ") else text)
    if kind == ":":
        return str(value)
    if kind == "_" or (kind == "$" and value is None):
        return "_"
    if kind in "*~>%" and value is None:
        return "_[]"
    if kind == "$":
        return '"%s"' % escape(value)
    if kind == "=":
        return '="%s"' % escape(value)
    if kind in "#,(":
        return kind + value.decode()
    if kind == "%":
        pairs = zip(value[::2], value[1::2])
        return "{%s}" % ", ".join("%s: %s" % (render(k), render(v)) for k, v in pairs)
    return {"*": "", "~": "~", ">": ">"}[kind] + "[%s]" % ", ".join(render(v) for v in value)


def in_order(reply):
    """The same reply with the elements of every array and set sorted, and of every map."""
    if not isinstance(reply.value, list):
        return reply
    elements = [in_order(element) for element in reply.value]
    if reply.kind == "%":
        pairs = sorted(zip(elements[::2], elements[1::2]), key=lambda pair: render(pair[0]))
        return Reply(reply.kind, [element for pair in pairs for element in pair])
    return Reply(reply.kind, sorted(elements, key=render))


def unescape(match):
    text = match.group(1)
    if text[0] == "x" and len(text) == 3:
        return chr(int(text[1:], 16))
    return ESCAPES[text].decode() if text in ESCAPES else text


def split(line):
    """A request line into arguments, as redis-cli reads it: blanks, 'text', "text with \\n and \\xff"."""
    args, at = [], 0
    while True:
        while at < len(line) and line[at] == " ":
            at += 1
        if at == len(line):
            return args
        match = re.compile(r'"((?:[^"\\]|\\.)*)"|\'((?:[^\'\\]|\\.)*)\'|([^ "\']\S*)').match(line, at)
        if not match or (match.end() < len(line) and line[match.end()] != " "):
            raise ValueError("unbalanced quotes: " + line)
        double, single, plain = match.groups()
        if double is not None:
            text = re.sub(r"\\(x[0-9a-fA-F]{2}|.)", unescape, double)
        elif single is not None:
            text = single.replace("\\'", "'")
        else:
            text = plain
        args.append(text.encode("latin-1"))
        at = match.end()
