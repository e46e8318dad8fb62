"""Reads the objects of a log: notes, the closed record, seals, segments. § as in ../README.md."""
import hashlib, itertools, json, os, re, subprocess, tempfile, types
from subprocess import DEVNULL, PIPE
from record_line import is_canonical, require, time, unbase64

class Finding(Exception):
    "Its code (§11), or unfinished, and a message."
def H(data):
    return hashlib.sha256(data).digest()

# ---- §5 keys, signed notes, checkpoints
HEX32, HASH, DECIMAL = "[0-9a-f]{32}", "[0-9a-f]{64}", "(?:0|[1-9][0-9]{0,18})"
NAME, BASE64, LOG = r"[^\s+\x00-\x1f\x7f-\x9f\ufffd]{1,255}", "[A-Za-z0-9+/]+=*", "[a-z0-9][a-z0-9._-]{0,62}"

def groups(form, text):
    require(match := re.fullmatch(form, text))
    return match.groups()
def verifier_key(line):  # ((name, hash), public key)
    name, key_hash, encoded = groups(f"({NAME})[+]([0-9a-f]{{8}})[+]({BASE64})", line)
    key = unbase64(encoded)
    require(key[:1] == b"\x01" and len(key) == 33 and len(name.encode()) <= 255)
    require(H(f"{name}\n".encode() + key)[:4].hex() == key_hash)
    return (name, bytes.fromhex(key_hash)), key[1:]

def signature_is_valid(public_key, message, signature):
    with tempfile.TemporaryDirectory() as folder:
        in_der = bytes.fromhex("302a300506032b6570032100") + public_key  # a SubjectPublicKeyInfo, RFC 8410
        for name, data in ("key", in_der), ("message", message), ("sig", signature):
            with open(os.path.join(folder, name), "wb") as file:
                file.write(data)
        command = "openssl pkeyutl -verify -rawin -pubin -keyform DER -inkey key -in message -sigfile sig"
        said = subprocess.run(command.split(), cwd=folder, stdout=PIPE, stderr=subprocess.STDOUT).stdout
    if b"Verif" not in said:
        raise Finding("unfinished", "openssl cannot check Ed25519")
    return b"Verified Successfully" in said

def signed_note(raw, keys):  # its text and the names of which trusted keys signed it, and none wrongly
    text, _, lines = raw.decode().rpartition("\n\n")
    require(text and lines.endswith("\n"))
    signatures = [groups(f"— ({NAME}) ({BASE64})", line) for line in lines[:-1].split("\n")]
    signatures = [(name, unbase64(blob)[:4], unbase64(blob)[4:]) for name, blob in signatures]
    require(len(signatures) <= 100 and all(s and len(name.encode()) <= 255 for name, _, s in signatures))
    known = [(name, keys[name, key], s) for name, key, s in signatures if (name, key) in keys]
    wrong = {name for name, key, s in known if [line[:2] for line in known].count((name, key)) > 1
             or not signature_is_valid(key, f"{text}\n".encode(), s)}
    return text + "\n", [name for name, _, _ in known if name not in wrong]

def checkpoint(raw, keys):  # origin, size, root, signers
    require(len(raw) <= 65536)
    text, signers = signed_note(raw, keys)
    origin, size, root = groups(f"({NAME})\n({DECIMAL})\n({BASE64})\n", text)
    require(int(size) < 2**63 and len(unbase64(root)) == 32)
    return origin, int(size), unbase64(root), signers

def must_be_known_version(kind, text):  # §15
    if re.match(kind + "/v(?!1\n)[0-9]+\n", text):
        raise Finding("unfinished", "needs a reader of " + text.split("\n")[0])

# ---- §4 tree: an edge is a list of 8 levels, each the last (fewer than 256) hashes of that level
def subtree(hashes):  # RFC 6962 §2.1: pairs, and an odd one out moves up
    while len(hashes) > 1:
        pairs = [hashes[i:i + 2] for i in range(0, len(hashes), 2)]
        hashes = [H(b"\x01" + pair[0] + pair[1]) if len(pair) == 2 else pair[0] for pair in pairs]
    return hashes[0] if hashes else H(b"")
def grown(edge, links):
    edge = [list(level) for level in edge]
    for new in links:
        for level in edge:
            level.append(new)
            if len(level) < 256:
                break
            new = None if None in level else subtree(level)  # None: not known
            level.clear()
    return edge
def edge_root(edge):
    right = []
    for level in edge:
        right = [subtree(level + right)] if level + right else []
    return subtree(right)

# ---- §7 closed record
def closed_record(line):  # the members of `closed`; None when the line is no closed record
    try:
        require(is_canonical(line) and len(line) <= 1048576)
        record = json.loads(line)
        closed = record["custody"]["closed"]
        require(sorted(record) == ["custody", "observed_time", "time"] and len(record["custody"]) == 1)
        types = dict(at=str, count=int, counts=dict, first=int, key=str, reason=str, software=str)
        require(all(type(closed[name]) is kind for name, kind in types.items()))
        require(all(type(n) is int for receiver in closed["counts"].values() for n in receiver.values()))
        require(record["time"] == record["observed_time"] == closed["at"])
        require(closed.get("unfenced", True) is True)
        require(all(time(closed[name]) for name in ("next_by", "retain_until") if name in closed))
        return closed
    except (ValueError, KeyError, TypeError, AttributeError):
        return None

# ---- §8 seal
HEAD = "custody-seal/v1\n" + "".join(f"{name} (?P<{name}>{form})\n" for name, form in dict(
    log=LOG, origin=NAME, vkey=".+", nonce=HASH, first=DECIMAL, count=DECIMAL, previous=HASH,
    segment_sha256=HASH, segment_size=DECIMAL, closed_salt=HEX32, parts=" ".join([DECIMAL] * 6),
    parts_sha256=HASH).items())

def split(data, lengths):
    ends = list(itertools.accumulate(lengths))
    return [data[end - length:end] for end, length in zip(ends, lengths)]
def edge_widths(size):
    return [size >> 8 * level & 255 for level in range(8)]
def parse_seal(raw, keys):  # condition 1
    end = raw.index(b"\n\n", raw.index(b"\n\n", 0, 65536) + 2, 65536) + 1
    head, signers = signed_note(raw[:end], keys)
    if signers:
        must_be_known_version("custody-seal", head)
    require(match := re.fullmatch(HEAD, head))
    s = types.SimpleNamespace(**match.groupdict(), head=head, signers=signers, all=raw[end + 1:])
    s.first, s.count, s.segment_size = int(s.first), int(s.count), int(s.segment_size)
    s.size, s.identity = s.first + s.count, (s.log, s.origin, s.vkey, s.nonce)
    lengths = [int(length) for length in s.parts.split()]
    require(0 < s.count <= 262144 and s.size < 2**63 and s.segment_size <= 83886080 and lengths[2] <= 1048576)
    require(len(s.all) == sum(lengths) and len(raw) <= 33554432 and (lengths[0] > 0) == (s.first > 0))
    s.anchor_places = range(-s.first % 256, s.count, 256)  # counted from first
    require(lengths[3:] == [32 * n for n in (sum(edge_widths(s.size)), len(s.anchor_places), s.count)])
    s.before, s.after, s.closed_line, edge, anchors, commitments = split(s.all, lengths)
    s.edge, s.anchors, s.commitments = [split(x, [32] * (len(x) // 32)) for x in (edge, anchors, commitments)]
    require(verifier_key(s.vkey)[0][0] == s.origin)
    return s

def check_seal(s, keys):  # conditions 3 to 7
    require(H(s.all).hex() == s.parts_sha256)  # 3
    points = [checkpoint(part, keys) for part in (s.before, s.after)[s.first == 0:]]
    if not all(s.origin in signers for _, _, _, signers in points):
        raise Finding("seal-signature", "no trusted key of its origin signed a checkpoint of it (§8, 3)")
    require([p[:2] for p in points] == [(s.origin, s.first), (s.origin, s.size)][s.first == 0:])
    genesis = H(f"custody/genesis/v1\n{s.origin}\n{s.vkey}\n{s.nonce}\n".encode()).hex()
    require(s.first > 0 or s.previous == genesis)  # 4
    s.links = [bytes.fromhex(s.previous)]  # links[i + 1] is that of record first + i (§4)
    for commitment in s.commitments:
        s.links.append(H(b"\x00\xc1" + s.links[-1] + commitment))
    require(s.anchors == [s.links[place] for place in s.anchor_places])  # 5
    own = grown([[None] * width for width in edge_widths(s.first)], s.links[1:])
    require(all(mine in (None, sealed) for mine, sealed in zip(sum(own, []), s.edge)))
    require(edge_root(split(s.edge, edge_widths(s.size))) == points[-1][2])  # 6
    require(H(b"\x02" + bytes.fromhex(s.closed_salt) + H(s.closed_line)) == s.commitments[-1])  # 7
    s.closed = closed_record(s.closed_line)
    require(s.closed and (s.closed["first"], s.closed["count"]) == (s.first, s.count))
    s.segment_name = f"segments/{s.first:020}-{s.segment_sha256[:32]}.jsonl.zst"

def read_seal(raw, keys):  # the first condition that fails is the finding
    try:
        seal = parse_seal(raw, keys)
    except ValueError as why:
        raise Finding("seal-malformed", "the seal does not parse (§8, 1)") from why
    if seal.origin not in seal.signers:
        raise Finding("seal-signature", "no trusted key of its origin signed the seal (§8, 2)")
    try:
        check_seal(seal, keys)
    except ValueError as why:
        raise Finding("seal-invalid", "the seal contradicts itself (§8, 3 to 7)") from why
    return seal

def follows(seal, last, edge):  # the seal before, if any, and the edge of the links up to there
    if last and (last.identity, last.after, last.links[-1]) != (seal.identity, seal.before, seal.links[0]):
        return False
    return sum(grown(edge, seal.links[1:]), []) == seal.edge

# ---- §6 segment object
def frame_end(frame):  # where the one zstd frame ends (RFC 8878)
    require(frame[:4] == b"\x28\xb5\x2f\xfd" and len(frame) > 8)
    flags, single = frame[4], frame[4] >> 5 & 1
    size_width = (single, 2, 4, 8)[flags >> 6]
    require(flags & 0b1011 == 0 and size_width)  # no dictionary, no reserved bit, its content size stated
    require(single or (8 + (frame[5] & 7)) << 7 + (frame[5] >> 3) <= 67108864)  # its window
    position, last = 6 - single + size_width, 0  # block by block
    while not last:
        require(position + 3 <= len(frame))
        block = int.from_bytes(frame[position:position + 3], "little")
        position, last = position + 3 + (1 if block >> 1 & 3 == 1 else block >> 3), block & 1
    return position + (flags & 4)  # with its checksum, if any

def read_segment(data, seal, sealed):  # seed and lines
    cut = 8 + int.from_bytes(data[4:8], "little")
    header, frame = data[8:cut].decode(), data[cut:]
    if sealed:
        must_be_known_version("custody-segment", header)
    form = f"custody-segment/v1\norigin {re.escape(seal.origin)}\nfirst {seal.first}\ncount {seal.count}\n"
    size, seed = groups(form + f"bytes ({DECIMAL})\nseed ({HASH})\n", header)
    require(data[:4] == b"\x5c\x2a\x4d\x18" and int(size) <= 67108864 and frame_end(frame) == len(frame))
    with tempfile.TemporaryFile() as file:
        file.write(frame)
        file.seek(0)
        with subprocess.Popen(["zstd", "-dcq"], stdin=file, stdout=PIPE, stderr=DEVNULL) as zstd:
            text = zstd.stdout.read(int(size) + 1)
            zstd.stdout.close()
    require(len(text) <= int(size))
    if zstd.returncode < 0:
        raise Finding("unfinished", "zstd was killed")
    require(zstd.returncode == 0 and len(text) == int(size))
    require(text.endswith(b"\n") and text.count(b"\n") == seal.count)
    return bytes.fromhex(seed), text[:-1].split(b"\n")
