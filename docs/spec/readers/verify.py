#!/usr/bin/env python3
"""verify.py STORE KEYFILE [--since CHECKPOINT]: verifies a store of Custody logs by the specification alone.

KEYFILE: the verifier keys you trust, one a line. Needs Python 3.9, zstd, openssl 3. § numbers: ../README.md.
Each log is read up to its first seal that is missing or wrong; nothing is said of what lies behind.
Exit: 0 verified, 1 tampering found, 2 wrong usage, 3 could not finish."""
import base64, datetime, os, re, sys
sys.dont_write_bytecode = True
from record_line import is_canonical, require
from log_objects import LOG, Finding, H, checkpoint, closed_record, edge_root, follows, grown
from log_objects import read_seal, read_segment, verifier_key

def ends(closed):  # §7
    return closed["reason"] == "ended" and "next_by" not in closed

def check_segment(data, seal, say):  # §11.3
    sealed = (len(data), H(data).hex()) == (seal.segment_size, seal.segment_sha256)
    try:
        seed, lines = read_segment(data, seal, sealed)
    except ValueError:
        code = "segment-malformed" if sealed else "segment-altered"
        return say(code, seal.first, "-", "sealed, but no segment" if sealed else "not the sealed bytes")
    salts = [H(b"\x03" + seed + i.to_bytes(8, "big"))[:16] for i in range(seal.first, seal.size)]
    commitments = [H(b"\x02" + salt + H(line)) for salt, line in zip(salts, lines)]
    pairs = enumerate(zip(commitments, seal.commitments), seal.first)
    altered = {i: True for i, (computed, as_sealed) in pairs if computed != as_sealed}
    if not sealed:
        message = f"not the sealed bytes; altered records: {list(altered)}"
        return say("segment-altered", seal.first, min(altered, default="-"), message)
    for i, line in enumerate(lines, seal.first):
        if i in altered:
            say("record-altered", seal.first, i, "its commitment is not the sealed one")
        elif not is_canonical(line):
            say("record-malformed", seal.first, i, "sealed, but not canonical (§3.8)")
        elif i + 1 < seal.size and line.startswith(b'{"custody":{"closed":') and closed_record(line):
            say("segment-malformed", seal.first, i, "a closed record before the end")
        elif line.startswith(b'{"custody":{"recovery":{'):
            say("note", seal.first, i, "a recovery (§7.1): read this record")

# ---- §11 verification
SAID = set()

def say(code, log, segment, record, message):
    SAID.add(code)
    print(f"{code} log={log} segment={segment} record={record} {message}")

def read(*path):
    try:
        with open(os.path.join(*path), "rb") as file:
            return file.read(83886081)  # one more than the largest object (§14)
    except OSError as why:
        raise Finding("unfinished", str(why)) from why

def objects(folder):  # all below it but names that begin with a dot (§10)
    for entry in os.scandir(folder):
        if entry.name[0] != ".":
            yield from objects(entry.path) if entry.is_dir(follow_symlinks=False) else [entry.path]

# A segment's or a seal's name (§10) with its number
PLACE = r"segments/([0-9]{20})-[0-9a-f]{32}[.]jsonl[.]zst|seals/([0-9]{20})(?:[.][1-9][0-9]*)?[.]seal"

class Log:
    "One log of the store, and how far it has been verified."
    def __init__(self, name, folder, keys, kept):
        self.name, self.folder, self.keys, self.kept = name, folder, keys, kept
        self.size, self.last, self.edge, self.stopped = 0, None, [[]] * 8, False
        self.names, self.seen, self.seals = {path[len(folder) + 1:] for path in objects(folder)}, set(), {}
        for name in sorted(self.names, key=len):
            place = re.fullmatch(PLACE, name)
            if place and place[2]:
                self.seals.setdefault(int(place[2]), []).append(name)

    def say(self, code, segment, record, message):
        say(code, self.name, segment, record, message)

    def valid_seals(self, first):
        valid, others = [], []
        for name in self.seals[first]:
            try:
                seal = read_seal(read(self.folder, name), self.keys)
                if (seal.first, seal.log) != (first, self.name):
                    raise Finding("seal-chain", f"the seal of record {seal.first} of the log {seal.log}")
                valid.append(seal)
            except Finding as why:
                others.append((name, *why.args))
        for name, code, message in others:
            beside = valid and code != "unfinished"
            self.say("foreign-object" if beside else code, first, "-", f"{name}: {message}")
        self.seen.update(self.seals[first] + [seal.segment_name for seal in valid])
        return sorted(valid, key=lambda seal: not follows(seal, self.last, self.edge))

    def step(self):  # over the seal at the size; §11.1, 3, 4, 7
        seal, *others = self.valid_seals(self.size) or [None]
        for other in others:
            code = "foreign-object" if other.head == seal.head else "fork"
            self.say(code, self.size, "-", "another valid seal lies beside")
        if seal and not follows(seal, self.last, self.edge):
            seal = self.say("seal-chain", self.size, "-", "the seal does not follow the one before")
        if not seal:
            self.stopped = True
            return
        if self.last and ends(self.last.closed):
            self.say("after-end", self.size, "-", "the log had ended (§7)")
        origin, size, root, _ = self.kept or ("", 0, b"", [])
        if origin == seal.origin and seal.first + (seal.first > 0) <= size <= seal.size:
            if edge_root(grown(self.edge, seal.links[1:size - seal.first + 1])) != root:
                self.say("fork", seal.first, "-", "another root than the kept checkpoint's")
        if self.last and seal.closed["at"] < self.last.closed["at"]:
            self.say("note", seal.first, "-", "the clock went backwards")
        try:
            if seal.segment_name in self.names:
                check_segment(read(self.folder, seal.segment_name), seal, self.say)
            else:
                now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f000Z")
                code = "expired" if seal.closed.get("retain_until", "9") < now else "segment-missing"
                self.say(code, seal.first, "-", seal.segment_name)
        except Finding as why:
            self.say(why.args[0], seal.first, "-", why.args[1])
        self.size, self.last, self.edge = seal.size, seal, grown(self.edge, seal.links[1:])

    def verify(self):
        while self.size in self.seals and not self.stopped:
            self.step()
        for first in sorted(self.seals):  # §11.2: behind the end, if it is the end
            if first > self.size and not self.stopped:
                self.stopped = self.valid_seals(first) != []
                if self.stopped:
                    self.say("seal-missing", self.size, "-", f"the seal of record {first} is there")
        self.stopped |= any(first >= self.size for first in self.seals)
        for name in sorted(self.names - self.seen):  # §11.5
            place = re.fullmatch(PLACE, name)
            if not place and name.startswith(("segments/", "seals/")):
                self.say("foreign-object", "-", "-", ascii(name))
            elif place and int(place[1] or place[2]) < self.size:
                code = "orphan-segment" if place[1] else "foreign-object"
                self.say(code, int(place[1] or place[2]), "-", name)
            elif not (name.startswith("tiles/") or self.stopped):
                self.say("note", "-", "-", "not part of the log: " + ascii(name))
        if self.stopped:
            print(f"not checked: log={self.name} records from {self.size} on")
        elif self.last and self.kept and self.kept[0] == self.last.origin and self.size < self.kept[1]:
            self.say("rollback", "-", "-", f"{self.size} records, but {self.kept[1]} in the kept checkpoint")
        if self.last:
            root, closed = base64.b64encode(edge_root(self.edge)).decode(), self.last.closed
            due = "next due by " + closed.get("next_by", "nobody knows when")
            due = "the log has ended" if ends(closed) else due
            print(f"log {self.name}: {self.size} records, root {root}, complete until {closed['at']}, {due}")

def verify_store(store, keys, kept):
    origins, unknown = [], False
    for name in sorted(os.listdir(store)):
        folder = os.path.join(store, name)
        if re.fullmatch(LOG, name) and os.path.isdir(folder):
            try:
                log = Log(name, folder, keys, kept)
                log.verify()
                origins += [log.last.origin] if log.last else []
                unknown |= log.stopped and not log.last
            except (OSError, Finding) as why:
                unknown = True
                say("unfinished", name, "-", "-", why)
        elif name[0] != ".":
            say("note", ascii(name), "-", "-", "not a log")
    if kept and kept[0] not in origins and not unknown:
        say("rollback", "-", "-", "-", "no log of the kept checkpoint's origin")
    if not origins and not unknown:
        say("unfinished", "-", "-", "-", "no log in this store")
    print("not checked: tiles" + ("" if kept else ", and whether ends were cut off (no kept checkpoint)"))

def exit_code():
    if SAID - {"note", "expired", "unfinished"}:
        return 1
    return 3 if "unfinished" in SAID else 0

def main(arguments):
    try:
        require(len(arguments) in (2, 4) and arguments[2:3] in ([], ["--since"]))
        require(os.path.isdir(arguments[0]) and all(os.path.isfile(path) for path in arguments[1::2]))
        keys = dict(verifier_key(line) for line in read(arguments[1]).decode().splitlines())
        kept = checkpoint(read(arguments[3]), keys) if arguments[3:] else None
        require(keys and (not kept or kept[0] in kept[3]))
    except ValueError:
        print(__doc__, file=sys.stderr)
        return 2
    verify_store(arguments[0], keys, kept)
    return exit_code()

if __name__ == "__main__":
    try:
        code = main(sys.argv[1:])
    except Exception as why:  # whatever stops the reader is no evidence of tampering
        say("unfinished", "-", "-", "-", why.args[-1] if isinstance(why, Finding) else repr(why))
        code = exit_code()
    print("verdict:", ("verified", "tampering found", "wrong usage", "could not finish")[code])
    sys.exit(code)
