#!/usr/bin/env python3
"""verify.py STORE KEYFILE [--since CHECKPOINT]: verifies a store of the Custody log format by its specification alone.

The § numbers are those of ../README.md. KEYFILE holds the verifier keys you trust, one a line. Needs Python 3.9, zstd
and openssl 3. Exit: 0 verified, 1 tampering found, 2 wrong usage, 3 could not finish. Not checked: what $otlp holds."""
import base64, datetime, decimal, hashlib, itertools, json, os, re, subprocess, sys, tempfile, traceback
class Bad(Exception): "A finding: its code (§11), or unfinished, and why."
def must(ok, *finding):
    if not ok: raise Bad(*finding) if finding else ValueError("not in its one form")
def H(data): return hashlib.sha256(data).digest()
def unbase64(s):
    data = base64.b64decode(s, validate=True)
    return must(base64.b64encode(data).decode() == s) or data
# ---- §3 record line: parse, encode again, compare -------------------------------------------------------------------
class Obj(list): "A JSON object as the list of its members: order and repetition survive."
class Real(str): "A JSON number with . or e, as written."
def text(s):  # §3.2: back to the bytes that arrived, and forth; Python marks a byte that is not UTF-8 as U+DCxx
    data = re.sub(rb"\x1a(\x1a|[0-9a-f]{2})", lambda m: bytes.fromhex(m[1].decode()) if m[1][1:] else m[1], s.encode())
    mark = lambda m: "\x1a\x1a" if m[0] == "\x1a" else "\x1a%02x" % (ord(m[0]) - 0xDC00)
    return json.dumps(re.sub("[\x1a\udc80-\udcff]", mark, data.decode("utf-8", "surrogateescape")), ensure_ascii=False)
def real(token):  # §3.3: repr finds the same shortest digits as ECMAScript and only arranges some differently
    f = float(token)
    if f and not 1e-6 <= abs(f) < 1e21: return must(f - f == 0) or re.sub("e([+-])0", r"e\1", repr(f))
    s = format(decimal.Decimal(repr(f)), "f")
    return s if "." in s else s + ".0"
def value(v, depth=1):  # §3.3
    if v is None or isinstance(v, bool): return json.dumps(v)
    if isinstance(v, str): return real(v) if isinstance(v, Real) else text(v)
    if isinstance(v, int): return must(-2**63 <= v < 2**63) or str(v)
    if isinstance(v, Obj) and [k in ("$f64", "$bytes", "$otlp") for k, _ in v] == [True]:
        kind, s = v[0]
        must(re.fullmatch("[7f]ff[0-9a-f]{13}", s) if kind == "$f64" else kind == "$bytes" or depth > 64)
        return '{"%s":"%s"}' % (kind, s if kind == "$f64" else base64.b64encode(unbase64(s)).decode())
    must(depth <= 64)
    return members(v, depth + 1) if isinstance(v, Obj) else "[%s]" % ",".join(value(e, depth + 1) for e in v)
def members(o, depth=1):  # §3.4
    bare = lambda pairs: [text(k)[1:-1].encode() for k, _ in pairs]
    names = bare(o)
    must(names == sorted(set(names)) and all(k[:1] != "$" or k[:2] == "$$" or k == "$dup" for k, _ in o))
    must(all(v and bare(v) == sorted(bare(v)) and set(bare(v)) <= set(names) - {b"$dup"} for k, v in o if k == "$dup"))
    put = lambda form, pairs: ",".join(form % (text(k), value(v, depth)) for k, v in pairs)
    return "{%s}" % ",".join('"$dup":[%s]' % put("[%s,%s]", v) if k == "$dup" else put("%s:%s", [(k, v)]) for k, v in o)
def fixed(o, form):  # §3.1: known members in their order, each of its form; all but an entity are left out when empty
    if form is MAP: return must(o) or members(o)
    if isinstance(form, list): return must(o) or "[%s]" % ",".join(fixed(e, form[0]) for e in o)
    if isinstance(form, dict):
        must(isinstance(o, Obj) and [k for k, _ in o] == sorted({k for k, _ in o}) and (o or form in (ENTITY, RECORD)))
        return "{%s}" % ",".join('"%s":%s' % (k, fixed(v, form[k])) for k, v in o)
    s = value(o)
    if form is TIME: must("1970-01-01T00:00:00.000000001Z" <= o <= LAST and datetime.datetime.fromisoformat(o[:19]))
    return must(re.fullmatch(form, s, re.S) and (form not in LIMIT or -2**31 <= int(s) < LIMIT[form])) or s
MAP, LABEL, U32, S32, LAST = "MAP", '".+"', "[1-9][0-9]*", "-?[1-9][0-9]*", "2554-07-21T23:34:33.709551615Z"
LIMIT, TIME = {U32: 2**32, S32: 2**31}, '"[0-9]{4}(-[0-9]{2}){2}T([0-9]{2}:){2}[0-9]{2}[.][0-9]{9}Z"'
HEX, LABELS = '"(?!0+")[0-9a-f]{%d}"', r'\["([^"\\]|\\.)*"(,"([^"\\]|\\.)*")*\]'
ENTITY = {"description_keys": LABELS, "id_keys": LABELS, "schema_url": LABEL, "type": LABEL}
SHARED = {"attributes": MAP, "dropped_attributes_count": U32, "schema_url": LABEL}
RECORD = {"attributes": MAP, "body": "(?!null).+", "custody": MAP, "dropped_attributes_count": U32, "event_name": LABEL,
          "flags": U32, "observed_time": TIME, "resource": {**SHARED, "entity_refs": [ENTITY]}, "severity_number": S32,
          "scope": {**SHARED, "name": LABEL, "version": LABEL}, "severity_text": LABEL, "span_id": HEX % 16,
          "time": TIME, "trace_id": HEX % 32}
def canonical(line):  # §3.8
    try:
        must(len(line) <= 16777216)
        return fixed(json.loads(line.decode(), object_pairs_hook=Obj, parse_float=Real), RECORD).encode() == line
    except (ValueError, KeyError, TypeError, RecursionError, AttributeError): return False
def closed_record(line):  # §7: its members
    r = json.loads(line) if canonical(line) and len(line) <= 1048576 else {}
    must(set(r) == {"custody", "observed_time", "time"} and [*r["custody"]] == ["closed"])
    c = must(isinstance(r["custody"]["closed"], dict)) or r["custody"]["closed"]
    types = dict(at=str, count=int, counts=dict, first=int, key=str, reason=str, software=str)
    must(all(type(c.get(k)) is t for k, t in types.items()) and r["observed_time"] == r["time"] == c["at"])
    return [fixed(c[k], TIME) for k in ("next_by", "retain_until") if k in c] and c or c
# ---- §4 tree: {(level, number): hash} of what is known --------------------------------------------------------------
def root(hashes):  # pairs, and an odd one out moves up: the same as RFC 6962 §2.1
    while len(hashes) > 1:
        pairs = [hashes[i:i + 2] for i in range(0, len(hashes), 2)]
        hashes = [H(b"\x01" + p[0] + p[1]) if p[1:] else p[0] for p in pairs]
    return hashes[0] if hashes else H(b"")
def places(size): return [(L, i) for L in range(8) for i in range(size >> 8 * L & ~255, size >> 8 * L)]  # of the edge
def grow(known):  # adds each hash that 256 known ones below it make
    for L in range(7):
        for N in sorted({i >> 8 for level, i in known if level == L}):
            below = [known.get((L, 256 * N + j)) for j in range(256)]
            if None not in below: known[L + 1, N] = root(below)
    return known
def edge_root(known, size):
    right = []
    for L in range(8): right = [root(h)] if (h := [known[p] for p in places(size) if p[0] == L] + right) else []
    return root(right)
# ---- §5 keys, notes, checkpoints ------------------------------------------------------------------------------------
HASH, SALT, DEC = "[0-9a-f]{64}", "[0-9a-f]{32}", "(?:0|[1-9][0-9]{0,18})"
NAME, BASE64 = r"[^\s+\x00-\x1f]{1,255}", "[A-Za-z0-9+/]+=*"
def parse(form, s): return must(m := re.fullmatch(form, s)) or m.groups()
def vkey(line):  # (name, hash), public key
    name, hash, key = parse(rf"({NAME})\+([0-9a-f]{{8}})\+({BASE64})", line)
    key, hash = unbase64(key), bytes.fromhex(hash)
    must(key[:1] == b"\1" and len(key) == 33 and H(f"{name}\n".encode() + key)[:4] == hash)
    return (name, hash), key[1:]
def signed_by(public, message, signature):
    with tempfile.TemporaryDirectory() as d:
        prefix = bytes.fromhex("302a300506032b6570032100")  # makes 32 bytes a SubjectPublicKeyInfo (RFC 8410)
        for n, data in ("key", prefix + public), ("msg", message), ("sig", signature):
            with open(os.path.join(d, n), "wb") as f: f.write(data)
        command = "openssl pkeyutl -verify -rawin -pubin -keyform DER -inkey key -in msg -sigfile sig"
        said = subprocess.run(command.split(), cwd=d, stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout
    return must(b"Verif" in said, "unfinished", "openssl cannot check Ed25519") or b"Success" in said
def note(raw, keys):  # its text, and {name: whether all its trusted keys that signed did so once and validly}
    body, _, lines = raw.decode().rpartition("\n\n")
    must(body and lines[-1:] == "\n")
    found, signers = [parse(f"— ({NAME}) ({BASE64})", line) for line in lines[:-1].split("\n")], {}
    blobs = [(name, unbase64(b)[:4], unbase64(b)[4:]) for name, b in found]
    for *key, signature in blobs:
        if must(signature) or tuple(key) in keys:
            once = [b[:2] for b in blobs].count(tuple(key)) == 1
            valid = once and signed_by(keys[tuple(key)], body.encode() + b"\n", signature)
            signers[key[0]] = signers.get(key[0], True) and valid
    return body + "\n", signers
def checkpoint(raw, keys, signer=None):  # origin, size, root, whether a trusted key of that name signed
    body, signers = note(raw, keys)
    origin, size, h = parse(f"({NAME})\n({DEC})\n({BASE64})\n", body)
    must(int(size) < 2**63 and len(unbase64(h)) == 32 and len(raw) <= 65536)
    return origin, int(size), unbase64(h), signers.get(signer or origin, False)
def too_new(what, s):  # §15
    must(not re.match(what + "/v(?!1\n)[0-9]+\n", s), "unfinished", "needs a reader of " + s.split("\n")[0])
# ---- §8 seal --------------------------------------------------------------------------------------------------------
HEAD = "custody-seal/v1\n" + "".join(f"{k} ({v})\n" for k, v in dict(
    log="[a-z0-9][a-z0-9._-]{0,62}", origin=NAME, vkey=".+", nonce=HASH, first=DEC, count=DEC, previous=HASH,
    segment_sha256=HASH, segment_size=DEC, closed_salt=SALT, parts=" ".join([DEC] * 6), parts_sha256=HASH).items())
class Seal:  # a valid one; Bad says which of the seven conditions fails
    def __init__(self, raw, keys):
        try:  # 1
            end = raw.index(b"\n\n", raw.index(b"\n\n") + 2) + 1
            self.head, signers = note(raw[:end], keys)
            if True in signers.values(): too_new("custody-seal", self.head)
            (log, origin, key, nonce, first, count, previous, self.sha256, length, salt, parts,
             parts_sha256) = parse(HEAD, self.head)
            self.log, self.origin, self.identity = log, origin, (log, origin, key, nonce)
            self.first, self.count, self.length, *lengths = map(int, [first, count, length, *parts.split()])
            self.size, cut = self.first + self.count, list(itertools.accumulate(lengths, initial=end + 1))
            self.before, self.after, closed, *lists = [raw[a:b] for a, b in zip(cut, cut[1:])]
            edge, anchors, self.commitments = [[h[i:i + 32] for i in range(0, len(h), 32)] for h in lists]
            at = range(-self.first % 256, self.count, 256)  # the anchors' places, counted from first
            must(0 < self.count <= 262144 and self.size < 2**63 and self.length <= 83886080 and lengths[2] <= 1048576)
            must(lengths[3:] == [32 * n for n in (len(places(self.size)), len(at), self.count)])
            must(len(raw) == cut[6] <= 2**25 and bool(self.before) == (self.first > 0) and vkey(key)[0][0] == origin)
        except ValueError as e: raise Bad("seal-malformed", "the seal does not parse (§8, 1)") from e
        must(signers.get(origin), "seal-signature", "the seal is not signed by a trusted key of its origin")  # 2
        try:
            must(H(raw[end + 1:]).hex() == parts_sha256)  # 3
            points = [checkpoint(p, keys, origin) for p in (self.after, self.before)[:1 + (self.first > 0)]]
            must(all(p[3] for p in points), "seal-signature", "a checkpoint is not signed by a trusted key")
            must([p[:2] for p in points] == [(origin, self.size), (origin, self.first)][:len(points)])
            must(self.first or previous == H(f"custody/genesis/v1\n{origin}\n{key}\n{nonce}\n".encode()).hex())  # 4
            self.links = [bytes.fromhex(previous)]
            for c in self.commitments: self.links.append(H(b"\x00\xc1" + self.links[-1] + c))  # §4
            self.edge, self.root = dict(zip(places(self.size), edge)), points[0][2]
            must(anchors == [self.links[i] for i in at])  # 5
            must(all(h == self.edge.get(p, h) for p, h in self.known(None).items()))
            must(edge_root(self.edge, self.size) == self.root)  # 6
            must(H(b"\x02" + bytes.fromhex(salt) + H(closed)) == self.commitments[-1])  # 7
            self.closed = closed_record(closed)
            must((self.closed["first"], self.closed["count"]) == (self.first, self.count))
        except ValueError as e: raise Bad("seal-invalid", "the seal contradicts itself (§8, 3 to 7)") from e
        self.name = "segments/%020d-%s.jsonl.zst" % (self.first, self.sha256[:32])
    def known(self, head):  # of the tree: by the links and the edge of the seal that ends where this one begins, if any
        base = head.edge if head and head.size == self.first else {}
        return grow({**base, **{(0, i): h for i, h in enumerate(self.links[1:], self.first)}})
    def follows(self, head):
        if not head or head.size < self.first: return not head or head.identity == self.identity
        known, joint = self.known(head), [self.identity, self.before, self.links[0]]
        return joint == [head.identity, head.after, head.links[-1]] and self.edge.items() <= known.items()
# ---- §6 segment object, §11.3 ---------------------------------------------------------------------------------------
def segment(data, seal, sealed):  # seed and lines; walks the zstd frame's blocks, so that nothing can stand behind it
    n, last = int.from_bytes(data[4:8], "little"), 0
    header, frame = data[8:8 + n].decode(), data[8 + n:]
    if sealed: too_new("custody-segment", header)
    must(data[:4] == b"\x5c\x2a\x4d\x18" and len(frame) > 8 and frame[:4] == b"\x28\xb5\x2f\xfd")
    form = f"custody-segment/v1\norigin {re.escape(seal.origin)}\nfirst {seal.first}\ncount {seal.count}\n"
    size, seed = parse(form + f"bytes ({DEC})\nseed ({HASH})\n", header)
    flags, width = frame[4], (frame[4] >> 5 & 1, 2, 4, 8)[frame[4] >> 6]
    must(flags & 11 == 0 and width and int(size) <= 67108864)  # no dictionary, content size stated (zstd compares it)
    p = 6 - (flags >> 5 & 1) + width
    while not last:
        must(p + 3 <= len(frame))
        block = int.from_bytes(frame[p:p + 3], "little")
        p, last = p + 3 + (1 if block >> 1 & 3 == 1 else block >> 3), block & 1
    must(p + (flags & 4) == len(frame))  # with the checksum, if any, exactly the end
    with tempfile.TemporaryFile() as f:
        f.write(data), f.seek(0)
        with subprocess.Popen(["zstd", "-dcq"], stdin=f, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as z:
            lines = z.stdout.read(int(size) + 1)
            z.stdout.close()
    must(z.returncode == 0 and len(lines) == int(size) and lines[-1:] == b"\n" and lines.count(b"\n") == seal.count)
    return bytes.fromhex(seed), lines[:-1].split(b"\n")
def check_segment(log, data, seal):
    sealed = (len(data), H(data).hex()) == (seal.length, seal.sha256)
    if not sealed: say("segment-altered", log, seal.first, "-", "the object's bytes are not the sealed ones")
    try: seed, lines = segment(data, seal, sealed)
    except ValueError: return sealed and say("segment-malformed", log, seal.first, "-", "sealed, but no segment")
    for i, line in enumerate(lines, seal.first):
        commitment = H(b"\x02" + H(b"\x03" + seed + i.to_bytes(8, "big"))[:16] + H(line))
        if commitment != seal.commitments[i - seal.first]: say("record-altered", log, seal.first, i, "not as sealed")
        elif not canonical(line): say("record-malformed", log, seal.first, i, "not canonical")
        elif line.startswith(b'{"custody":{"closed":{') and i + 1 < seal.size:
            say("segment-malformed", log, seal.first, i, "a closed record before the end")
# ---- §11 verification -----------------------------------------------------------------------------------------------
SAID = set()
def say(code, log, segment, record, message):
    SAID.add(code) or print(f"{code} log={log} segment={segment} record={record} {message}")
def read(*path):
    try:
        with open(os.path.join(*path), "rb") as f: return f.read(83886081)  # one more than the largest object (§14)
    except OSError as e: raise Bad("unfinished", str(e))
def objects(folder):  # every object below a folder, except names that begin with a dot (§10)
    for e in os.scandir(folder):
        if e.name[0] != ".": yield from objects(e.path) if e.is_dir(follow_symlinks=False) else [e.path]
def check_log(log, folder, keys, kept, now):
    names, head, size, tiles, seals, named = {n[len(folder) + 1:] for n in objects(folder)}, None, 0, {}, {}, set()
    covered, blind, missing = [], False, None
    for name in names:
        m = re.fullmatch(r"seals/([0-9]{20})(?:\.([1-9][0-9]*))?\.seal", name)
        if m: seals.setdefault(int(m[1]), []).append((int(m[2] or 0), name))
    for first in sorted(seals):
        valid, others = [], []
        for n, name in sorted(seals[first]) if first >= size else []:
            names.remove(name)
            try:
                seal = Seal(read(folder, name), keys)
                must((seal.first, seal.log) == (first, log), "seal-chain", f"a seal of {seal.log} at {seal.first}")
                valid.append((not seal.follows(head), n, name, seal))
                named.add(seal.name)
            except Bad as e: others.append((*e.args, name))
        blind |= "unfinished" in [code for code, _, _ in others]
        for code, message, name in others:
            say(code if not valid or code == "unfinished" else "foreign-object", log, first, "-", f"{name}: {message}")
        for strange, n, name, seal in sorted(valid)[1:]:
            say("foreign-object" if seal.head == min(valid)[3].head else "fork", log, first, "-", f"{name}: also valid")
        if not valid: continue
        strange, _, _, seal = min(valid)
        if strange: say("seal-chain", log, first, "-", "the seal does not follow the one before")
        if size not in {first, missing, *seals}: say("seal-missing", log, missing := size, "-", "later ones are there")
        if head and seal.identity != head.identity: continue
        if head and seal.closed["at"] < head.closed["at"]: say("note", log, first, "-", "the clock went backwards")
        known = seal.known(head)
        if kept and kept[0] == seal.origin and (first < kept[1] <= seal.size or kept[1] == first == 0):
            try: mine = seal.root if kept[1] == seal.size else edge_root(known, kept[1])
            except KeyError: mine = say("unfinished", log, first, "-", "no root at the kept checkpoint's size")
            if mine not in (None, kept[2]): say("fork", log, first, "-", "another root than the kept checkpoint's")
        for L, N in known:
            if L > 1 and (not head or (L, N) not in head.edge):
                tiles["tiles/%d/%020d.tile" % (L - 1, N)] = b"".join(known[L - 1, 256 * N + j] for j in range(256))
        try:
            if seal.name in names: check_segment(log, read(folder, seal.name), seal)
            elif seal.closed.get("retain_until", "9") < now: say("expired", log, first, "-", seal.name)
            else: say("segment-missing", log, first, "-", seal.name + " is not there")
        except Bad as e: say(e.args[0], log, first, "-", e.args[1])
        covered, head, size = covered + [range(first, seal.size)], seal, seal.size
    for name in sorted(names - named):
        m = re.fullmatch(r"segments/([0-9]{20})-[0-9a-f]{32}\.jsonl\.zst", name)
        if m and any(int(m[1]) in c for c in covered): say("orphan-segment", log, int(m[1]), "-", name)
        elif not m and name.startswith(("segments/", "seals/")): say("foreign-object", log, "-", "-", ascii(name))
        elif name not in tiles: say("note", log, "-", "-", "not part of the log: " + ascii(name))
    for name, data in tiles.items():
        if name not in names or read(folder, name) != data: say("note", log, "-", "-", name + " is missing or differs")
    if kept and head and kept[0] == head.origin and size < kept[1] and not blind:
        say("rollback", log, "-", "-", f"{size} records, but {kept[1]} in the kept checkpoint")
    if not head: return None
    due = "next due by " + head.closed["next_by"] if "next_by" in head.closed else "the log has ended"
    root_text = base64.b64encode(head.root).decode()
    print(f"log {log}: {size} records, root {root_text}, complete until {head.closed['at']}, {due}")
    return head.origin
def main(store, keyfile, option="", since=""):
    try:
        must(option == "--since" * bool(since) and os.path.isdir(store) and os.path.isfile(keyfile))
        keys = dict(vkey(line) for line in read(keyfile).decode().splitlines())
        kept = checkpoint(read(since), keys) if since else None
        must(not kept or kept[3])
    except ValueError: return print(__doc__, file=sys.stderr) or 2
    now, origins = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f000Z"), []
    for log in sorted(n for n in os.listdir(store) if n[0] != "."):
        if re.fullmatch("[a-z0-9][a-z0-9._-]{0,62}", log) and os.path.isdir(os.path.join(store, log)):
            try: origins.append(check_log(log, os.path.join(store, log), keys, kept, now))
            except (OSError, Bad) as e: origins.append(say("unfinished", log, "-", "-", e))
        else: say("note", ascii(log), "-", "-", "not a log")
    if kept and kept[0] not in origins and "unfinished" not in SAID:
        say("rollback", "-", "-", "-", "no log of the kept checkpoint's origin")
    if not origins: say("unfinished", "-", "-", "-", "no log in this store")
    if not kept: print("not checked: whether ends were cut off (no kept checkpoint)")
    return 1 if SAID - {"note", "expired", "unfinished"} else 3 if "unfinished" in SAID else 0
if __name__ == "__main__":
    try: code = main(*sys.argv[1:]) if len(sys.argv) in (3, 5) else print(__doc__, file=sys.stderr) or 2
    except Exception: code = traceback.print_exc() or 3
    print("verdict:", ("verified", "tampering found", "wrong usage", "could not finish")[code])
    sys.exit(code)
