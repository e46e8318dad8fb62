#!/usr/bin/env python3
"""check_pack.py PACK KEYFILE: checks an evidence pack by the specification alone (§12.1 of ../README.md).

KEYFILE: the verifier keys you trust, one a line. Needs Python 3.9, openssl 3, and ../pack-statement.txt.
It prints no record: they stand in the pack, as they were sealed.
Exit: 0 proven, 1 not proven, 2 wrong usage, 3 could not finish."""
import datetime, os, re, sys
sys.dont_write_bytecode = True
from record_line import is_canonical, require, unbase64
from log_objects import DECIMAL, HASH, HEX32, LOG, NAME, Finding, H, checkpoint, groups, verifier_key

HERE = os.path.dirname(os.path.abspath(__file__))
HEAD = "custody-pack/v1\n" + "".join(f"{name} (?P<{name}>{form})\n" for name, form in dict(
    log=LOG, origin=NAME, key=".+", made="[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z",
    size=DECIMAL, count=DECIMAL, first=DECIMAL, last=DECIMAL).items())
STEERS = "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]"
RECORD = f"record ({DECIMAL})\n([^\n]+)\nsalt ({HEX32})\nprevious ({HASH})((?:\n[A-Za-z0-9+/]{{43}}=){{0,64}})"

def read(path, limit):
    with open(path, "rb") as file:
        return file.read(limit + 1)

def statement(head):
    gaps = {"<the " + name + ">": head[name] for name in ("origin", "size", "count", "first", "last")}
    gaps.update({"<the time>": head["made"], "<the key>": "+".join(head["key"].split("+")[:2])})
    words = read(os.path.join(HERE, "..", "pack-statement.txt"), 65536).decode()
    return re.sub("<the [a-z]+>", lambda gap: gaps[gap[0]], words)

def check_remarks(lines):
    require(len(lines) <= 100)
    for line in lines:
        remark = line[len("remark "):]
        require(0 < len(remark.encode()) <= 1000 and not re.search(STEERS, remark))

def parse(raw):  # condition 1: the head's fields, the checkpoint, and of each record its fields
    text = raw.decode()
    require(len(raw) <= 134217728 and text.endswith("\n") and (match := re.match(HEAD, text)))
    head, rest = match.groupdict(), text[match.end():]
    made = datetime.datetime.fromisoformat(head["made"][:-1])
    require(made.year >= 1970 and verifier_key(head["key"])[0][0] == head["origin"])
    words = "\n" + statement(head) + "\n"
    require(rest.startswith(words))
    remarks = re.match("(?:remark [^\n]*\n)*", rest[len(words):])[0]
    check_remarks(remarks.split("\n")[:-1])
    rest = rest[len(words) + len(remarks):]
    require(not remarks or rest.startswith("\n"))
    parts = rest[len(remarks) > 0:-1].split("\n\n")
    require(len(parts) > 2)
    records = [groups(RECORD, block) for block in parts[2:]]
    indexes = [int(record[0]) for record in records]
    require(indexes == sorted(set(indexes)) and indexes[-1] < 2**63 and len(indexes) <= 65536)
    figures = len(indexes), indexes[0], indexes[-1]
    require(figures == tuple(int(head[name]) for name in ("count", "first", "last")))
    records = [(int(i), line.encode(), bytes.fromhex(salt), bytes.fromhex(previous),
                [unbase64(hash) for hash in hashes.split()]) for i, line, salt, previous, hashes in records]
    return head, (parts[0] + "\n\n" + parts[1] + "\n").encode(), records

def included(proof, index, size, root, leaf):  # RFC 9162 §2.1.3.2, which is RFC 6962 §2.1.1 read backwards
    at, last, hash = index, size - 1, leaf
    for other in proof:
        if last == 0:
            return False
        if at & 1 or at == last:
            hash = H(b"\x01" + other + hash)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            hash = H(b"\x01" + hash + other)
        at, last = at >> 1, last >> 1
    return index < size and last == 0 and hash == root

def failures(raw, keys):  # why the pack is not proven, a line each
    try:
        head, note, records = parse(raw)
        origin, size, root, signers = checkpoint(note, keys)
        require((origin, size) == (head["origin"], int(head["size"])))
    except ValueError:
        return ["it is not of the form, or its statement is not that of its figures (§12.1, 1)"]
    if origin not in signers:
        return ["no trusted key of its origin signed the checkpoint (§12.1, 2)"]
    name, key = verifier_key(head["key"])
    if keys.get(name) != key or origin not in checkpoint(note, {name: key})[3]:
        return ["the key in the pack is not trusted, or did not sign the checkpoint (§12.1, 3)"]
    wrong = []
    for index, line, salt, previous, proof in records:
        link = H(b"\x00\xc1" + previous + H(b"\x02" + salt + H(line)))  # §4
        if not included(proof, index, size, root, link):
            wrong.append(f"record {index}: not in the log, or not there (§12.1, 4)")
        elif not is_canonical(line):
            wrong.append(f"record {index}: sealed, but not canonical (§3.8)")
    print(f"{len(records) - len(wrong)} of {len(records)} records of {origin} are proven at size {size}")
    return wrong

def main(arguments):
    try:
        require(len(arguments) == 2 and os.path.isfile(arguments[1]))
        keys = dict(verifier_key(line) for line in read(arguments[1], 1048576).decode().splitlines())
        require(keys)
    except ValueError:
        print(__doc__, file=sys.stderr)
        return 2
    raw = read(arguments[0], 134217728)
    if not raw.startswith(b"custody-pack/v1\n"):
        raise Finding("unfinished", "not an evidence pack that this reader knows")
    wrong = failures(raw, keys)
    for why in wrong:
        print("not proven:", why)
    print("not checked: log, made and remark, which are the words of whoever made the pack; and what $otlp holds")
    return 1 if wrong else 0

if __name__ == "__main__":
    try:
        code = main(sys.argv[1:])
    except Exception as why:  # whatever stops the reader is no evidence of tampering
        print("could not finish:", why.args[-1] if isinstance(why, Finding) else repr(why))
        code = 3
    print("verdict:", ("proven", "not proven", "wrong usage", "could not finish")[code])
    sys.exit(code)
