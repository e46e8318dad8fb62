#!/usr/bin/env python3
"""Checks that record lines are canonical: zstd -dc SEGMENT | python3 record_line.py

Each line is read, written again by the rules of §3 of ../README.md, and compared byte for byte (§3.8).
Exit: 0 all are canonical, 1 some are not. Not checked: what $otlp holds (§3.5)."""
import base64, datetime, decimal, json, re, sys

class Members(list):
    "A JSON object as the list of its (key, value) pairs, so that order and repetition survive."
class Number(str):
    "A JSON number as it was written."
def require(condition):
    if not condition:
        raise ValueError("not in its one form")
def unbase64(text):
    data = base64.b64decode(text, validate=True)
    require(base64.b64encode(data).decode() == text)
    return data
def text(string):  # §3.2: back to the bytes that arrived, and forth
    def unmark(m):
        return b"\x1a" if m[1] == b"\x1a" else bytes.fromhex(m[1].decode())
    def mark(m):  # Python turns a byte that is not part of valid UTF-8 into U+DC00 + byte
        return "\x1a\x1a" if m[0] == "\x1a" else "\x1a%02x" % (ord(m[0]) - 0xDC00)
    arrived = re.sub(rb"\x1a(\x1a|[0-9a-f]{2})", unmark, string.encode()).decode("utf-8", "surrogateescape")
    return json.dumps(re.sub("[\x1a\udc80-\udcff]", mark, arrived), ensure_ascii=False)
def number(token, low=-2**63, high=2**63 - 1):  # §3.3
    if "." not in token and "e" not in token:
        require(len(token) <= 20 and low <= int(token) <= high)
        return str(int(token))
    double = float(token)
    require(abs(double) < float("inf"))
    if double and not 1e-6 <= abs(double) < 1e21:  # repr has ECMAScript's digits, but writes e-07
        return re.sub("e([+-])0", r"e\1", repr(double))
    plain = format(decimal.Decimal(repr(double)), "f")
    return plain if "." in plain else plain + ".0"
def value(v, depth=1):  # §3.3
    if v is None or isinstance(v, bool):
        return json.dumps(v)
    if isinstance(v, str):
        return number(v) if isinstance(v, Number) else text(v)
    if isinstance(v, Members) and [key for key, _ in v] in (["$f64"], ["$bytes"], ["$otlp"]):
        kind, content = v[0]
        require(kind != "$f64" or re.fullmatch("[7f]ff[0-9a-f]{13}", content))
        require(kind != "$bytes" or unbase64(content) is not None)
        require(kind != "$otlp" or unbase64(content) and depth > 64)
        return '{"%s":"%s"}' % (kind, content)
    require(depth <= 64)
    if isinstance(v, Members):
        return key_value_map(v, depth + 1)
    return "[" + ",".join(value(element, depth + 1) for element in v) + "]"

def key_value_map(pairs, depth=1):  # §3.4; depth is that of the values
    def emitted(pairs):
        return [text(key)[1:-1].encode() for key, _ in pairs]
    names, written = emitted(pairs), []
    require(names == sorted(set(names)))
    for key, v in pairs:
        if key == "$dup":
            again = emitted(v)
            require(again and again == sorted(again) and set(again) <= set(names) - {b"$dup"})
            written.append('"$dup":[%s]' % ",".join(f"[{text(k)},{value(x, depth)}]" for k, x in v))
        else:
            require(key[:1] != "$" or key[:2] == "$$")
            written.append(text(key) + ":" + value(v, depth))
    return "{" + ",".join(written) + "}"

# §3.1: what a member may hold. What is empty is left out, but for an entity, a body and a text in a list.
def body(v): return require(v is not None) or value(v)
def filled_map(v): return require(v) or key_value_map(v)
def label(v): return require(v and type(v) is str) or text(v)
def whole(v): return type(v) is Number and v != "0" and re.fullmatch("-?[0-9]+", v)
def count(v): return require(whole(v)) or number(v, 0, 2**32 - 1)
def severity(v): return require(whole(v)) or number(v, -2**31, 2**31 - 1)
def hexadecimal(n): return lambda v: require(re.fullmatch("[0-9a-f]{%d}" % n, v) and v.strip("0")) or f'"{v}"'
def texts(v): return require(v and all(type(t) is str for t in v)) or value(v)
def entities(v): return require(v) or "[" + ",".join(structure(ENTITY, e) for e in v) + "]"
def filled(form): return lambda v: require(v) or structure(form, v)

def time(v):
    require(re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{9}Z", v))
    require("1970-01-01T00:00:00.000000001Z" <= v <= "2554-07-21T23:34:33.709551615Z")
    require(datetime.datetime.fromisoformat(v[:19]))
    return f'"{v}"'

def structure(form, pairs):  # the members that the form names, in their order
    keys = [key for key, _ in pairs]
    require(keys == sorted(set(keys)))
    return "{" + ",".join(f'"{key}":{form[key](v)}' for key, v in pairs) + "}"

ENTITY = dict(description_keys=texts, id_keys=texts, schema_url=label, type=label)
SHARED = dict(attributes=filled_map, dropped_attributes_count=count, schema_url=label)
RESOURCE, SCOPE = filled(dict(SHARED, entity_refs=entities)), filled(dict(SHARED, name=label, version=label))
RECORD = dict(attributes=filled_map, body=body, custody=filled_map, dropped_attributes_count=count,
              event_name=label, flags=count, observed_time=time, resource=RESOURCE, scope=SCOPE,
              severity_number=severity, severity_text=label, span_id=hexadecimal(16), time=time,
              trace_id=hexadecimal(32))
READ = dict(object_pairs_hook=Members, parse_int=Number, parse_float=Number, parse_constant=Number)

def is_canonical(line):  # without its line feed
    try:
        return len(line) <= 16777216 and structure(RECORD, json.loads(line.decode(), **READ)).encode() == line
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return False

if __name__ == "__main__":
    lines = enumerate(sys.stdin.buffer)
    wrong = [n for n, line in lines if not (line.endswith(b"\n") and is_canonical(line[:-1]))]
    print("\n".join(f"line {n} (counted from 0) is not canonical" for n in wrong) or "all are canonical")
    sys.exit(1 if wrong else 0)
