"""What a power cut may leave of a directory: made of a copy of how it began and a journal that shim.c wrote.

What was synced is there. Of what was not: a name made, changed or removed in a directory is there if all earlier ones of that
directory are; of a file, each sector of 512 bytes is as it was, or as after any of the writes to it; a sector that was written whole
may also be zeros. A sector is never torn within, and a partly written one keeps its other bytes: disks promise that much.
"""
import ctypes
import mmap
import os
import re
import shutil
import struct

SECTOR = 512
OPEN, WRITE, ZEROS, SYNC_BEGIN, SYNC_END, SYNCED, TRUNCATE, RENAME, UNLINK, MKDIR, REPLY, FAULT = range(1, 13)
HEAD = struct.Struct("<IIQQQ")
MADE, CUT = 1, 2
TEMPERS = ["none", "all", "writes", "prefix", "sectors", "sectors", "sectors"]

libc = ctypes.CDLL(None, use_errno=True)
PUNCH = 1 | 2  # FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE


class Journal:
    """The records of a journal file: (kind, file, offset, extra, data or paths). A torn last record is left out."""

    def __init__(self, path):
        self.records = []
        with open(path, "rb") as f:
            self.bytes = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ) if os.fstat(f.fileno()).st_size else b""
        view, at, end = memoryview(self.bytes), 0, len(self.bytes)
        while at + HEAD.size <= end:
            kind, size, file, offset, extra = HEAD.unpack_from(view, at)
            at += HEAD.size
            if at + size > end:
                break
            self.records.append((kind, file, offset, extra, view[at:at + size]))
            at += size

    def __len__(self):
        return len(self.records)

    def named(self, cut=None):
        """(index, record, path of its file as it was called then; of a RENAME the new one; of a REPLY none)."""
        path_of = {}
        for index, record in enumerate(self.records[:cut]):
            kind, file, _, _, data = record
            if kind == RENAME:
                old, path = bytes(data).decode().split("\0")
                path_of.update({f: path for f, name in path_of.items() if name == old})
            elif kind in (OPEN, UNLINK, MKDIR, FAULT):
                path = bytes(data).decode()
                if kind == OPEN:
                    path_of[file] = path
            else:
                path = path_of.get(file)
            yield index, record, path

    def replied(self, cut):
        """Port of each client → bytes of replies that had left."""
        sent = {}
        for kind, _, port, size, _ in self.records[:cut]:
            if kind == REPLY:
                sent[port] = sent.get(port, 0) + size
        return sent


class File:
    def __init__(self, base=None):
        self.base = base      # the file it began as, or None
        self.durable = []     # what is on the disk: (index, kind, offset, size, data)
        self.pending = []     # what may be

    def add(self, *change):
        self.pending.append(change)

    def sync(self, before):
        self.durable += [c for c in self.pending if c[0] < before]
        self.pending = [c for c in self.pending if c[0] >= before]

    def sync_range(self, offset, size):
        """What was written to these bytes, and before it to the sectors that they are in."""
        first, end = offset // SECTOR * SECTOR, -(-(offset + size) // SECTOR) * SECTOR
        within = [c for c in self.pending if c[1] != TRUNCATE and c[2] < end and c[2] + c[3] > first]
        self.durable += within
        self.pending = [c for c in self.pending if c not in within]

    def write_to(self, path, rng, temper):
        if self.base is not None:
            copy(self.base, path)
        with open(path, "r+b" if self.base is not None else "w+b") as f:
            for change in self.durable:
                apply(f.fileno(), change)
            pending = self.after_a_cut(f.fileno(), rng, temper)
            if pending:
                self.write_pending(f.fileno(), pending, rng, temper)

    def after_a_cut(self, fd, rng, temper):
        """Cutting a file to nothing may not have happened yet; what was written after it then neither."""
        rounds = [[]]
        for change in self.pending:
            if change[1] == TRUNCATE and change[2] == 0:
                rounds.append([])
            else:
                rounds[-1].append(change)
        at = {"none": 0, "all": len(rounds) - 1}.get(temper, rng.randrange(len(rounds)))
        if at > 0:
            os.ftruncate(fd, 0)
        return rounds[at]

    @staticmethod
    def write_pending(fd, pending, rng, temper):
        size = os.fstat(fd).st_size
        sizes = [size]
        for _, kind, offset, count, _ in pending:
            sizes.append(offset if kind == TRUNCATE else max(sizes[-1], offset + count))
        if temper == "none":
            return
        chosen = None
        if temper == "all":
            chosen = pending
        elif temper == "writes":
            chosen = [c for c in pending if rng.random() < 0.5]
        elif temper == "prefix":
            chosen = pending[:rng.randrange(len(pending) + 1)]
        if chosen is not None:
            for change in chosen:
                apply(fd, change)
            return
        size = rng.choice(sizes)
        if rng.random() < 0.3:
            size = rng.randint(sizes[0], max(sizes[0], size))
        os.ftruncate(fd, size)
        for sector, writes in by_sector(pending).items():
            if sector * SECTOR < size:
                write_sector(fd, sector, writes, size, rng)


def by_sector(pending):
    """Sector → the writes to it in order, as (first byte in it, end, data or None for zeros)."""
    out = {}
    for _, kind, offset, count, data in pending:
        if kind == TRUNCATE:
            continue
        for sector in range(offset // SECTOR, -(-(offset + count) // SECTOR)):
            start, end = max(offset, sector * SECTOR), min(offset + count, (sector + 1) * SECTOR)
            part = data[start - offset:end - offset] if kind == WRITE else bytes(end - start)
            out.setdefault(sector, []).append((start - sector * SECTOR, end - sector * SECTOR, part))
    return out


def write_sector(fd, sector, writes, size, rng):
    content = bytearray(os.pread(fd, SECTOR, sector * SECTOR).ljust(SECTOR, b"\0"))
    for start, end, part in writes[:rng.randrange(len(writes) + 1)]:
        content[start:end] = part
    if writes[-1][:2] == (0, SECTOR) and rng.random() < 0.2:
        content = bytes(SECTOR)
    os.pwrite(fd, content[:min(SECTOR, size - sector * SECTOR)], sector * SECTOR)


def apply(fd, change):
    _, kind, offset, count, data = change
    if kind == TRUNCATE:
        os.ftruncate(fd, offset)
    elif kind == WRITE:
        while count > 0:
            n = os.pwrite(fd, data, offset)
            data, offset, count = data[n:], offset + n, count - n
    else:
        size = os.fstat(fd).st_size
        if offset < size and libc.fallocate(fd, PUNCH, ctypes.c_long(offset), ctypes.c_long(min(count, size - offset))) != 0:
            os.pwrite(fd, bytes(min(count, size - offset)), offset)
        if offset + count > size:
            os.ftruncate(fd, offset + count)


def copy(source, target):
    """With its holes."""
    size = os.path.getsize(source)
    with open(source, "rb") as s, open(target, "wb") as t:
        os.ftruncate(t.fileno(), size)
        at = 0
        while at < size:
            try:
                at = os.lseek(s.fileno(), at, os.SEEK_DATA)
            except OSError:  # none behind
                break
            end = os.lseek(s.fileno(), at, os.SEEK_HOLE)
            while at < end:
                n = os.pwrite(t.fileno(), os.pread(s.fileno(), min(end - at, 4 << 20), at), at)
                at += n


def copy_tree(source, target):
    shutil.copytree(source, target, copy_function=copy)


class Directory:
    def __init__(self, base=None):
        self.now, self.durable, self.pending = {}, {}, []
        for entry in os.scandir(base) if base else ():
            self.now[entry.name] = Directory(entry.path) if entry.is_dir() else File(entry.path)
        self.durable.update(self.now)

    def change(self, index, *steps):
        """Each step: (name, what it now is or None)."""
        self.alter(self.now, steps)
        self.pending.append((index, steps))

    @staticmethod
    def alter(names, steps):
        for name, entry in steps:
            names.pop(name, None)
            if entry is not None:
                names[name] = entry

    def sync(self, before):
        for index, steps in self.pending:
            if index < before:
                self.alter(self.durable, steps)
        self.pending = [p for p in self.pending if p[0] >= before]

    def walk(self, path):
        for name, entry in self.now.items():
            whole = os.path.join(path, name)
            yield from entry.walk(whole) if isinstance(entry, Directory) else [(whole, entry)]

    def write_to(self, path, rng, temper):
        os.mkdir(path)
        names = dict(self.durable)
        most = len(self.pending)
        for _, steps in self.pending[:{"none": 0, "all": most}.get(temper, rng.randint(0, most))]:
            self.alter(names, steps)
        for name, entry in names.items():
            entry.write_to(os.path.join(path, name), rng, temper)


class Disk:
    """A directory that begins as `base` is now, or empty; `root` is its path in the journal."""

    def __init__(self, root, base=None):
        self.root, self.top = root, Directory(base)
        self.files, self.begun = {}, {}

    def find(self, path):
        """(directory, name) of a path below the root."""
        relative = os.path.relpath(path, self.root)
        *parents, name = relative.split(os.sep)
        directory = self.top
        for parent in parents:
            directory = directory.now[parent]
        return directory, name

    def play(self, records):
        for index, (kind, file, offset, extra, data) in enumerate(records):
            if kind in (OPEN, MKDIR, UNLINK, RENAME):
                self.play_name(index, kind, file, extra, bytes(data).decode())
            elif kind in (WRITE, ZEROS):
                self.files[file].add(index, kind, offset, extra if kind == ZEROS else len(data), data)
            elif kind == TRUNCATE:
                self.files[file].add(index, kind, offset, 0, None)
            elif kind == SYNC_BEGIN:
                self.begun[extra] = index
            elif kind == SYNC_END:
                self.files[file].sync(self.begun[extra])
            elif kind == SYNCED:
                self.files[file].sync_range(offset, extra)
        return self

    def play_name(self, index, kind, file, extra, path):
        if kind == RENAME:
            (source, old), (target, new) = (self.find(p) for p in path.split("\0"))
            assert source is target, path
            source.change(index, (old, None), (new, source.now[old]))
            return
        directory, name = (None, None) if path == self.root else self.find(path)
        if kind == MKDIR:
            directory.change(index, (name, Directory()))
        elif kind == UNLINK:
            directory.change(index, (name, None))
        else:
            if extra == MADE:
                directory.change(index, (name, File()))
            self.files[file] = self.top if directory is None else directory.now[name]
            if extra == CUT:
                self.files[file].add(index, TRUNCATE, 0, 0, None)

    def first_unsynced(self, pattern, otherwise):
        """The record with the first write, not of zeros, to a file whose path matches `pattern`, that is not on the disk; or `otherwise`."""
        return min((change[0] for path, file in self.top.walk(self.root) if re.search(pattern, path)
                    for change in file.pending if change[1] == WRITE), default=otherwise)

    def write_to(self, path, rng):
        """What a power cut now may leave, seeded, as the new directory `path`. Returns its temper, for messages."""
        temper = rng.choice(TEMPERS)
        self.top.write_to(path, rng, temper)
        return temper
