package digest

import (
	"errors"
	"slices"
	"strings"
	"time"
)

// Options are a judge's. Zero values are replaced by the defaults.
type Options struct {
	// Start is when watching began: nothing older is asked for. Zero: everything is.
	Start time.Time
	// Late is how much later than the file that names it a file may come, and a digest
	// later than its hour; 1 h.
	Late time.Duration
	// Unlisted is how long after a log file's minute the digests must have gone on before
	// one that none of them lists is held to be forged: CloudTrail lists some late, in
	// backfill digests; 24 h.
	Unlisted time.Duration
	// Remember is how long a file is known after it was seen, so that one that comes again
	// is recognised, and one that comes very late still judged; 14 days.
	Remember time.Duration
	// MaxBytes is about how much memory everything that is remembered may take; 256 MiB.
	// Beyond it the oldest is forgotten first.
	MaxBytes int
}

func (o *Options) setDefaults() {
	for d, v := range map[*time.Duration]time.Duration{&o.Late: time.Hour, &o.Unlisted: 24 * time.Hour, &o.Remember: 14 * 24 * time.Hour} {
		if *d == 0 {
			*d = v
		}
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = 256 << 20
	}
}

// A Judge holds digests and log files against each other. It takes them in any order and
// any number of times, and says of each once what is proven; times come from its caller.
//
// Its state is small values by key. Every method returns which of them changed: who stores
// the changes after the outcomes are safe, and loads them with [Judge.Load], goes on where
// it was; at worst some outcomes come twice.
//
// Its methods must not be called at the same time.
type Judge struct {
	opt     Options
	keys    Keys
	chains  map[string]*chain // by state key, as all that follows
	entries map[string]*entry
	silent  map[string]*silence
	scopes  map[Scope][]*chain
	lacking map[string]string // digests before those that are held, to these
	memory  int
	// forgotten: of log files up to this minute some are not known any more.
	forgotten time.Time

	dirty map[string]bool
	out   []Outcome
}

// A Result is what came of one call.
type Result struct {
	Outcomes []Outcome
	Changes  []Change
}

// A Change is a value to be stored under a key, or to be deleted when it is nil.
type Change struct {
	Key   string
	Value []byte
}

// NewJudge returns a judge that knows nothing.
func NewJudge(opt Options) *Judge {
	opt.setDefaults()
	return &Judge{
		opt: opt, keys: Keys{}, dirty: map[string]bool{},
		chains: map[string]*chain{}, entries: map[string]*entry{}, silent: map[string]*silence{},
		scopes: map[Scope][]*chain{}, lacking: map[string]string{},
	}
}

// An Arrival is a digest file.
type Arrival struct {
	Object
	Inflated []byte // it is not kept, unless its key or signature must be waited for
	// Signature and Algorithm are the object's metadata signature and signature-algorithm;
	// "" when they are lost.
	Signature, Algorithm string
	At                   time.Time // when it was seen
}

// A Delivery is a log file. At is when it was seen.
type Delivery struct {
	Object
	Hash string // lower-case hex SHA-256 of all its inflated bytes
	At   time.Time
}

// AddKeys takes public keys, and judges the digests that waited for them.
func (j *Judge) AddKeys(keys ...Key) Result {
	fresh := map[string]bool{}
	for _, k := range j.keys.Add(keys...) {
		fresh[k.fingerprint] = true
		j.dirty[keyState+k.fingerprint] = true
	}
	if len(fresh) > 0 {
		for _, at := range j.sorted(func(e *entry) bool { return e.State == held && fresh[e.Fingerprint] }) {
			j.again(at)
		}
	}
	return j.result()
}

// Digest judges a digest file. One that came before, with the same bytes, is nothing new.
func (j *Judge) Digest(a Arrival) Result {
	a.Signature = strings.ToLower(a.Signature)
	hash := Hash(a.Inflated)
	e := j.entries[digestKey(a.Object)]
	switch {
	case e == nil || e.Hash != hash && !slices.Contains(e.Hashes, hash):
		j.arrive(a, hash)
	case e.Hash == hash && e.State != done && a.Signature != "" && a.Signature != e.Signature:
		j.arrive(a, hash)
	}
	return j.result()
}

func (j *Judge) arrive(a Arrival, hash string) {
	d, err := Parse(a.Inflated)
	var name Name
	if err == nil {
		name, err = ParseName(d.Object.Key)
	}
	switch {
	case err != nil:
		j.reject(a, hash, Outcome{Reason: DigestMalformed, Chain: chainOf(a.Object), Detail: err.Error()})
	case d.Object != a.Object:
		j.reject(a, hash, Outcome{Reason: DigestMoved, Chain: name.Chain, Want: d.Object.String(), Got: a.Object.String()})
	case a.Algorithm != "" && a.Algorithm != SignatureAlgorithm:
		j.reject(a, hash, Outcome{Reason: DigestSignature, Chain: name.Chain, Detail: "its metadata names the algorithm " + a.Algorithm})
	default:
		j.check(a, hash, d, name.Chain)
	}
}

// check looks at the signature of a digest that lies where it says.
func (j *Judge) check(a Arrival, hash string, d *Digest, id Chain) {
	if a.Signature == "" {
		// The next digest has it too. That one need not be believed: the signature is.
		if s := j.saidBySuccessor(id, a.Object); verify(d, a.Object, hash, s, j.keys) == nil {
			a.Signature = s
		}
	}
	err := verify(d, a.Object, hash, a.Signature, j.keys)
	switch {
	case a.Signature == "":
		j.hold(a, hash, d, Outcome{Reason: DigestUnsigned, Chain: id})
	case errors.Is(err, ErrNoKey):
		j.hold(a, hash, d, Outcome{Reason: KeyUnknown, Chain: id})
	case errors.Is(err, ErrWeakKey):
		j.reject(a, hash, Outcome{Reason: KeyWeak, Chain: id, Detail: err.Error()})
	case err != nil:
		j.reject(a, hash, Outcome{Reason: DigestSignature, Chain: id, Detail: err.Error()})
	default:
		j.accept(a, hash, d, id)
	}
	j.completes(d)
}

// completes takes up the digest before one, if that one lost its signature.
func (j *Judge) completes(d *Digest) {
	before := digestKey(d.Previous.Object)
	if e := j.entries[before]; e != nil && e.State == held && e.Signature == "" {
		j.again(before)
	}
}

// reject says what is wrong with a digest, which is then not believed in anything. It does
// not take the place of one that is believed, or may be.
func (j *Judge) reject(a Arrival, hash string, o Outcome) {
	o.Object = a.Object
	j.say(o)
	at := digestKey(a.Object)
	if other := j.other(at, hash); other != nil {
		e := *other
		e.saw(hash)
		j.put(at, &e)
		return
	}
	j.put(at, &entry{State: bad, Hash: hash, Signature: a.Signature, At: a.At})
}

// other is the digest of another content that lay in the same place and is believed, or
// may be once its key or signature comes.
func (j *Judge) other(at, hash string) *entry {
	if e := j.entries[at]; e != nil && e.Hash != hash && (e.State == done || e.State == held) {
		return e
	}
	return nil
}

// hold keeps a digest whose key or signature may still come; o is what is said if not.
func (j *Judge) hold(a Arrival, hash string, d *Digest, o Outcome) {
	if j.other(digestKey(a.Object), hash) != nil {
		o.Detail = "it took the place of another one"
		j.reject(a, hash, o)
		return
	}
	j.put(digestKey(a.Object), &entry{
		State: held, Object: a.Object, Hash: hash, Signature: a.Signature, Fingerprint: d.Fingerprint, Data: a.Inflated, At: a.At,
		Prev: d.Previous,
	})
}

// again judges a digest that was held.
func (j *Judge) again(at string) {
	e := j.entries[at]
	j.arrive(Arrival{Object: e.Object, Inflated: e.Data, Signature: e.Signature, At: e.At}, e.Hash)
}

// accept believes a digest.
func (j *Judge) accept(a Arrival, hash string, d *Digest, id Chain) {
	j.put(digestKey(a.Object), &entry{State: done, Hash: hash, At: a.At})
	j.say(Outcome{Reason: DigestVerified, Chain: id, Object: a.Object, Got: hash, From: d.Start, To: d.End})
	c, fresh := j.link(id, &run{
		From: d.Start, To: d.End, Prev: d.Previous, First: a.Object, Seen: a.At,
		Last: Previous{a.Object, hash, a.Signature},
	})
	if !fresh {
		return // It was judged once, so long ago that its log files are forgotten.
	}
	for _, l := range d.Logs {
		j.list(c, l, a)
	}
}

// saidBySuccessor is the signature that a later digest states for one.
func (j *Judge) saidBySuccessor(id Chain, o Object) string {
	if e := j.entries[j.lacking[digestKey(o)]]; e != nil {
		return e.Prev.Signature
	}
	if c := j.chains[chainKey(id)]; c != nil {
		for _, r := range c.Runs {
			if r.Prev.Object == o {
				return r.Prev.Signature
			}
		}
	}
	return ""
}

func (j *Judge) say(o Outcome) { j.out = append(j.out, o) }

// chainOf is the chain to which a key claims to belong, as far as it can be read.
func chainOf(o Object) Chain {
	if n, err := ParseName(o.Key); err == nil {
		return n.Chain
	}
	return scopeOf(o)
}

func scopeOf(o Object) Chain {
	if n, err := ParseLogName(o.Key); err == nil {
		return Chain{Scope: n.Scope}
	}
	return Chain{}
}
