package digest

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// The state's keys: a letter for what it is, then what it is about.
const (
	chainState  = "c/"
	digestState = "d/"
	logState    = "l/"
	keyState    = "k/"
	scopeState  = "s/"
	metaState   = "m"
)

// A state is what is known of a file.
type state string

const (
	pending state = "pending" // a log file that no digest has listed
	wanted  state = "wanted"  // a log file that a digest lists and that has not come
	held    state = "held"    // a digest without its key or signature
	done    state = "done"    // judged, and believed
	bad     state = "bad"     // a digest that is not believed, or is gone
)

// An entry is a file. What a state does not need is zero.
type entry struct {
	State       state     `json:"s"`
	Object      Object    `json:"o,omitzero"`
	Hash        string    `json:"h,omitempty"`  // that is signed; of a digest, that it has
	Hashes      []string  `json:"hs,omitempty"` // contents that were seen and are not Hash
	Chain       Chain     `json:"c,omitzero"`   // of Digest
	Digest      Object    `json:"d,omitzero"`   // that lists it
	Signature   string    `json:"sig,omitempty"`
	Fingerprint string    `json:"f,omitempty"`
	Data        []byte    `json:"b,omitempty"` // of a digest that is held, and
	Prev        Previous  `json:"p,omitzero"`  // what it says of the one before
	At          time.Time `json:"at"`          // when it was seen, or first named
	Minute      time.Time `json:"m,omitzero"`  // of a log file
	Told        bool      `json:"t,omitempty"` // that it is not proven
}

// silence is of a scope whose log files come without digests.
type silence struct {
	Scope
	Since time.Time `json:"since"`
	Told  bool      `json:"told,omitempty"`
}

type meta struct {
	Forgotten time.Time `json:"forgotten"`
}

// perEntry is about what an entry costs beside its texts: the maps, keys and times.
const perEntry = 400

func (e *entry) size() int {
	n := perEntry + len(e.Data) + len(e.Signature) + len(e.Object.Bucket) + len(e.Object.Key)
	return n + len(e.Digest.Key) + 64*len(e.Hashes)
}

func objectID(o Object) string {
	sum := sha256.Sum256([]byte(o.Bucket + "/" + o.Key))
	return hex.EncodeToString(sum[:16])
}

func digestKey(o Object) string { return digestState + objectID(o) }
func logKey(o Object) string    { return logState + objectID(o) }

func chainKey(id Chain) string {
	s := chainState + strings.Join([]string{id.Org, id.Account, id.Region, id.Trail, id.Home}, "/")
	if id.Backfill {
		s += "/" + backfillMark
	}
	return s
}

func scopeKey(s Scope) string { return scopeState + s.Org + "/" + s.Account + "/" + s.Region }

// put enters a file's state; the entry may be the one that is there.
func (j *Judge) put(at string, e *entry) {
	j.drop(at)
	kept := *e
	j.keep(at, &kept)
}

func (j *Judge) keep(at string, e *entry) {
	j.entries[at] = e
	j.memory += e.size()
	if e.State == held && e.Prev.Key != "" {
		j.lacking[digestKey(e.Prev.Object)] = at
	}
}

func (j *Judge) drop(at string) {
	if e := j.entries[at]; e != nil {
		j.memory -= e.size()
		delete(j.entries, at)
		if before := digestKey(e.Prev.Object); e.State == held && j.lacking[before] == at {
			delete(j.lacking, before)
		}
	}
	j.dirty[at] = true
}

// sorted are the entries that a function chooses, the oldest first.
func (j *Judge) sorted(choose func(*entry) bool) []string {
	var list []string
	for at, e := range j.entries {
		if choose(e) {
			list = append(list, at)
		}
	}
	slices.SortFunc(list, func(a, b string) int {
		ea, eb := j.entries[a], j.entries[b]
		return cmp.Or(ea.At.Compare(eb.At), strings.Compare(ea.Object.Key, eb.Object.Key), strings.Compare(a, b))
	})
	return list
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// result takes what the calls so far came to.
func (j *Judge) result() Result {
	j.evict()
	r := Result{Outcomes: j.out}
	for _, key := range sortedKeys(j.dirty) {
		r.Changes = append(r.Changes, Change{key, j.value(key)})
	}
	j.out = nil
	clear(j.dirty)
	return r
}

// value is what is stored for a key, nil for nothing.
func (j *Judge) value(key string) []byte {
	switch {
	case strings.HasPrefix(key, keyState):
		return j.keys[key[len(keyState):]].der
	case key == metaState:
		return encode(meta{j.forgotten})
	case j.chains[key] != nil:
		return encode(j.chains[key])
	case j.silent[key] != nil:
		return encode(j.silent[key])
	case j.entries[key] != nil:
		return encode(j.entries[key])
	}
	return nil
}

func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("digest: " + err.Error()) // They are texts, times and bytes.
	}
	return b
}

// Load enters a stored value, before anything else is called.
func (j *Judge) Load(key string, value []byte) (err error) {
	switch kind, rest := key[:min(2, len(key))], key[min(2, len(key)):]; kind {
	case keyState:
		var k Key
		if k, err = NewKey(value, rest); err == nil {
			j.keys.Add(k)
		}
	case chainState:
		c := &chain{}
		err = json.Unmarshal(value, c)
		j.enter(c)
	case scopeState:
		one := &silence{}
		err = json.Unmarshal(value, one)
		j.silent[key] = one
	case metaState:
		var m meta
		err = json.Unmarshal(value, &m)
		j.forgotten = m.Forgotten
	case digestState, logState:
		e := &entry{}
		err = json.Unmarshal(value, e)
		j.keep(key, e)
	default:
		err = errors.New("unknown key")
	}
	if err != nil {
		return fmt.Errorf("state of digests: %q: %w", key, err)
	}
	return nil
}
