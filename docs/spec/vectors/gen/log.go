package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
)

// The logs of the vectors are written by hand, from the specification, so that
// they can lie where the project's own code would refuse to.

type hash = [32]byte

// h hashes byte strings joined.
func h(parts ...[]byte) hash { return sha256.Sum256(bytes.Join(parts, nil)) }

// A key signs. Everything about it follows from its origin and who holds it.
type key struct {
	note.Signer
	vkey string
}

func newKey(origin, who string) key {
	seed := h([]byte("vector key\n" + origin + "\n" + who))
	pub := ed25519.NewKeyFromSeed(seed[:]).Public().(ed25519.PublicKey)
	id := h([]byte(origin+"\n\x01"), pub)
	b64 := base64.StdEncoding.EncodeToString
	s, err := note.NewSigner(fmt.Sprintf("PRIVATE+KEY+%s+%x+%s", origin, id[:4], b64(append([]byte{1}, seed[:]...))))
	if err != nil {
		panic(err) // The inputs are constants.
	}
	return key{s, fmt.Sprintf("%s+%x+%s", origin, id[:4], b64(append([]byte{1}, pub...)))}
}

func (k key) id() string { return fmt.Sprintf("%s+%08x", k.Name(), k.KeyHash()) }

// sign makes a signed note of a text.
func (k key) sign(text string) string {
	b, err := note.Sign(&note.Note{Text: text}, k)
	if err != nil {
		panic(err) // The texts are the generator's own.
	}
	return string(b)
}

// A log is one that grows in memory; files are its objects by their names in the
// store.
type log struct {
	name, origin string
	key          key // signs what is added
	genesis      key
	nonce        hash
	links        []hash
	first, last  hash // the links before the first record and before the next one
	content      []content
	note         string // the newest checkpoint
	clock        time.Time
	files        map[string][]byte
	sealed       []segment
	branch       string
}

// A content is a record of a log with its salt.
type content struct {
	line string
	salt []byte
}

// A segment says where a segment of a log lies.
type segment struct {
	first, count uint64
	seal, object string // names in the store
	note         string // the checkpoint after
}

const defaultOrigin = "custody.example/web"

func newLog(name, origin string) *log {
	k := newKey(origin, "")
	l := &log{name: name, origin: origin, key: k, genesis: k, nonce: h([]byte("nonce of " + name)), files: map[string][]byte{},
		clock: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	l.last = h([]byte("custody/genesis/v1\n" + origin + "\n" + k.vkey + "\n" + hex.EncodeToString(l.nonce[:]) + "\n"))
	l.first = l.last
	return l
}

// fork is a log with the same history so far and another future.
func (l *log) fork() *log {
	f := *l
	f.links, f.sealed, f.files, f.branch = bytesOf(l.links), append([]segment(nil), l.sealed...), map[string][]byte{}, l.branch+"x"
	f.content = append([]content(nil), l.content...)
	return &f
}

func bytesOf(hs []hash) []hash { return append([]hash(nil), hs...) }

// changes alter a segment on its way, step by step; nil leaves a step alone.
type changes struct {
	lines       func([]string) []string // the closed line is the last
	closed      func(string) string
	header      func(string) string
	content     func([]byte) []byte // before compression
	frame       func([]byte) []byte // the zstd frame
	object      func([]byte) []byte // before it is hashed
	commitments func([]hash)
	edge        func([]hash)
	before      func(string) string // notes
	after       func(string) string
	afterText   func(string) string // before it is signed
	anchors     func([]byte) []byte
	parts       func([]byte) // behind their hash
	head        func(string) string
	signatures  func(text, lines string) string
	key         *key
	retain      string
	reason      string
	back        time.Duration // the clock goes back
	ended       bool
}

func apply[T any](f func(T) T, v T) T {
	if f == nil {
		return v
	}
	return f(v)
}

// add seals a segment of count records, the closed one included.
func (l *log) add(count int, c changes) segment {
	k := l.key
	if c.key != nil {
		k = *c.key
	}
	s := segment{first: uint64(len(l.links)), count: uint64(count)}
	l.clock = l.clock.Add(time.Minute - c.back)
	lines := apply(c.lines, l.lines(s, k, c))
	s.count = uint64(len(lines))
	closed := lines[len(lines)-1]
	seed := h([]byte(fmt.Sprintf("seed of %s%s %d", l.name, l.branch, s.first)))
	object := l.object(s, seed, lines, c)
	commitments := make([]hash, len(lines))
	for i, line := range lines {
		digest, salt := h([]byte(line)), salt(seed, s.first+uint64(i))
		commitments[i] = h([]byte{2}, salt, digest[:])
		l.content = append(l.content, content{line, salt})
	}
	if c.commitments != nil {
		c.commitments(commitments)
	}
	previous := l.last
	anchors := l.chain(commitments)
	edge := edgeOf(l.links)
	if c.edge != nil {
		c.edge(edge)
	}
	text := apply(c.afterText, checkpointText(l.origin, uint64(len(l.links)), rootOfEdge(uint64(len(l.links)), edge)))
	parts := [][]byte{
		[]byte(apply(c.before, l.note)), []byte(apply(c.after, k.sign(text))), []byte(closed), join(edge),
		apply(c.anchors, join(anchors)), join(commitments),
	}
	seal := l.seal(s, k, object, parts, previous, salt(seed, s.first+s.count-1), c)
	l.note = string(parts[1])
	s.note = l.note
	s.seal = fmt.Sprintf("%s/seals/%020d.seal", l.name, s.first)
	s.object = fmt.Sprintf("%s/segments/%020d-%x.jsonl.zst", l.name, s.first, sum16(object))
	l.files[s.seal], l.files[s.object] = seal, object
	l.sealed = append(l.sealed, s)
	return s
}

func sum16(b []byte) []byte { s := h(b); return s[:16] }

func salt(seed hash, index uint64) []byte {
	s := h([]byte{3}, seed[:], binary.BigEndian.AppendUint64(nil, index))
	return s[:16]
}

// chain appends the links of commitments and returns the anchors among them.
func (l *log) chain(commitments []hash) (anchors []hash) {
	for i := range commitments {
		if len(l.links)%256 == 0 {
			anchors = append(anchors, l.last)
		}
		l.last = h([]byte{0, 0xC1}, l.last[:], commitments[i][:])
		l.links = append(l.links, l.last)
	}
	return anchors
}

func join(hs []hash) []byte {
	var b []byte
	for i := range hs {
		b = append(b, hs[i][:]...)
	}
	return b
}

func checkpointText(origin string, size uint64, root hash) string {
	return fmt.Sprintf("%s\n%d\n%s\n", origin, size, base64.StdEncoding.EncodeToString(root[:]))
}

const stampForm = "2006-01-02T15:04:05.000000000Z"

// lines are the record lines of a segment, the closed one last.
func (l *log) lines(s segment, k key, c changes) []string {
	var lines []string
	for i := s.first; i < s.first+s.count-1; i++ {
		lines = append(lines, fmt.Sprintf(`{"body":"record %d%s"}`, i, l.branch))
	}
	at := l.clock.Format(stampForm)
	reason := c.reason
	if reason == "" {
		reason = "age"
	}
	closed := fmt.Sprintf(`"at":"%s","count":%d,"counts":{"web":{"received":%d,"sealed":%d}},"first":%d,"key":"%s",`, at, s.count, s.count-1, s.count-1, s.first, k.id())
	if !c.ended {
		closed += fmt.Sprintf(`"next_by":"%s",`, l.clock.Add(2*time.Minute).Format(stampForm))
	}
	closed += fmt.Sprintf(`"reason":"%s"`, reason)
	if c.retain != "" {
		closed += fmt.Sprintf(`,"retain_until":"%s"`, c.retain)
	}
	line := fmt.Sprintf(`{"custody":{"closed":{%s,"software":"vectors"}},"observed_time":"%s","time":"%s"}`, closed, at, at)
	return append(lines, apply(c.closed, line))
}

func (l *log) object(s segment, seed hash, lines []string, c changes) []byte {
	content := apply(c.content, []byte(strings.Join(lines, "\n")+"\n"))
	text := apply(c.header, fmt.Sprintf("custody-segment/v1\norigin %s\nfirst %d\ncount %d\nbytes %d\nseed %x\n", l.origin, s.first, s.count, len(content), seed))
	b := binary.LittleEndian.AppendUint32(nil, 0x184D2A5C)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(text)))
	b = append(b, text...)
	return apply(c.object, append(b, apply(c.frame, rawFrame(content))...))
}

// rawFrame is a zstd frame of one raw block, which states its size in 4 bytes.
func rawFrame(content []byte) []byte {
	b := []byte{0x28, 0xB5, 0x2F, 0xFD, 0xA0}
	b = binary.LittleEndian.AppendUint32(b, uint32(len(content)))
	return append(append(b, blockHead(len(content))...), content...)
}

func blockHead(n int) []byte { return binary.LittleEndian.AppendUint32(nil, uint32(n)<<3|1)[:3] }

func (l *log) seal(s segment, k key, object []byte, parts [][]byte, previous hash, closedSalt []byte, c changes) []byte {
	all := bytes.Join(parts, nil)
	head := fmt.Sprintf("custody-seal/v1\nlog %s\norigin %s\nvkey %s\nnonce %x\nfirst %d\ncount %d\nprevious %x\nsegment_sha256 %x\nsegment_size %d\nclosed_salt %x\nparts %d %d %d %d %d %d\nparts_sha256 %x\n",
		l.name, l.origin, l.genesis.vkey, l.nonce, s.first, s.count, previous, h(object), len(object), closedSalt,
		len(parts[0]), len(parts[1]), len(parts[2]), len(parts[3]), len(parts[4]), len(parts[5]), h(all))
	if c.parts != nil {
		c.parts(all)
	}
	signed := k.sign(apply(c.head, head))
	if c.signatures != nil {
		text, sigs, _ := strings.Cut(signed, "\n\n")
		signed = text + "\n\n" + c.signatures(text+"\n", sigs)
	}
	return append([]byte(signed+"\n"), all...)
}
