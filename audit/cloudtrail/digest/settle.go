package digest

import (
	"slices"
	"time"
)

// maxSilent bounds how many scopes without digests are known: names of log files may be
// invented.
const maxSilent = 10000

// A Due is a file that something names and that has not come.
type Due struct {
	Object
	Digest Object    // that names it
	Since  time.Time // when it was first named
}

// Due are the files that digests which were seen at or before a time name, and that have
// not come: log files, and digests before others. Who can asks for them, and tells the
// judge what came of it, before [Judge.Tick] calls them missing.
func (j *Judge) Due(seen time.Time) []Due {
	var list []Due
	for _, at := range j.sorted(func(e *entry) bool { return e.State == wanted && !e.Told && !e.At.After(seen) }) {
		e := j.entries[at]
		list = append(list, Due{e.Object, e.Digest, e.At})
	}
	for _, key := range sortedKeys(j.chains) {
		for _, r := range j.chains[key].Runs {
			if r.Settled || r.Prev.Key == "" || r.Seen.After(seen) || j.entries[digestKey(r.Prev.Object)] != nil {
				continue
			}
			if n, err := ParseName(r.Prev.Key); err != nil || n.End.After(j.opt.Start) {
				list = append(list, Due{r.Prev.Object, r.First, r.Seen})
			}
		}
	}
	return list
}

// Tick takes up that time passed: what should have come by now and did not is said, and
// what is old is forgotten. It looks at everything that is remembered; once a minute is
// often enough.
func (j *Judge) Tick(now time.Time) Result {
	j.settle(now)
	j.overdue(func(_ Chain, end time.Time) bool { return !end.Add(period + j.opt.Late).After(now) })
	j.withoutDigests(now)
	return j.result()
}

// Settle is [Judge.Tick] without asking whether more digests should have come, for files
// that are read in the order of their times, long after.
func (j *Judge) Settle(now time.Time) Result {
	j.settle(now)
	return j.result()
}

func (j *Judge) settle(now time.Time) {
	due := func(seen time.Time) bool { return !seen.Add(j.opt.Late).After(now) }
	j.settleChains(due)
	for _, at := range j.sorted(func(e *entry) bool { return !e.Told && (e.State == wanted || e.State == held) && due(e.At) }) {
		j.giveUp(at)
	}
	for _, at := range j.sorted(func(e *entry) bool { return !e.Told && e.State == pending }) {
		j.unlisted(at, false)
	}
	j.forget(now.Add(-j.opt.Remember))
}

// giveUp says that what an entry waits for has not come. It waits on in silence.
func (j *Judge) giveUp(at string) {
	e := j.entries[at]
	if e.State == wanted {
		j.missing(at, e, "")
		return
	}
	o := Outcome{Reason: DigestUnsigned, Chain: chainOf(e.Object), Object: e.Object}
	if e.Signature != "" {
		o.Reason, o.Detail = KeyUnknown, "it names the fingerprint "+e.Fingerprint
	}
	j.say(o)
	j.told(at)
}

// unlisted judges a log file that no digest has listed; last says that none will.
func (j *Judge) unlisted(at string, last bool) {
	e := j.entries[at]
	if e.Minute.Before(j.opt.Start) {
		return
	}
	o := Outcome{Reason: LogUncovered, Chain: scopeOf(e.Object), Object: e.Object, Got: e.Hashes[0]}
	if n, err := ParseLogName(e.Object.Key); err == nil {
		by, newest := j.covered(n)
		settled := !n.Minute.Add(j.opt.Unlisted).After(newest)
		if !settled && !last {
			return
		}
		if by != nil {
			o.Chain = by.ID
		}
		o.Reason = j.whyUnlisted(n, by, newest, settled)
	} else if !last {
		return
	}
	j.say(o)
	j.told(at)
}

func (j *Judge) whyUnlisted(n LogName, by *chain, newest time.Time, settled bool) Reason {
	switch {
	case by != nil && !n.Minute.After(j.forgotten):
		return Forgotten
	case by != nil && settled:
		return LogUnlisted
	case by != nil:
		return LogNotListed
	case !newest.IsZero() && n.Minute.Add(period).After(newest):
		return LogNotDue
	case !slices.ContainsFunc(j.scopes[n.Scope], func(c *chain) bool { return c.lists(n.Folder) }) && !newest.IsZero():
		return LogOfOtherKind
	}
	return LogUncovered
}

// withoutDigests says where log files come and never a digest.
func (j *Judge) withoutDigests(now time.Time) {
	for _, e := range j.entries {
		s := scopeOf(e.Object).Scope
		if e.State != pending || s.Account == "" || len(j.scopes[s]) > 0 {
			continue
		}
		old := j.silent[scopeKey(s)]
		if old == nil && len(j.silent) < maxSilent || old != nil && !old.Told && e.At.Before(old.Since) {
			j.silent[scopeKey(s)] = &silence{Scope: s, Since: e.At}
			j.dirty[scopeKey(s)] = true
		}
	}
	for _, key := range sortedKeys(j.silent) {
		one := j.silent[key]
		if one.Told || len(j.scopes[one.Scope]) > 0 || one.Since.Add(2*period+j.opt.Late).After(now) {
			continue
		}
		one.Told = true
		j.dirty[key] = true
		j.say(Outcome{Reason: NoDigests, Chain: Chain{Scope: one.Scope}, From: one.Since, To: now})
	}
}

// forget drops what was seen before a time.
func (j *Judge) forget(before time.Time) {
	for _, at := range j.sorted(func(e *entry) bool { return e.At.Before(before) }) {
		if e := j.entries[at]; e.State == pending && !e.Told {
			j.unlisted(at, true)
		}
		j.lose(at)
	}
	j.trim(before)
}

// lose drops an entry, and notes up to which minute log files may be unknown. A name may
// lie about its minute; when it was seen bounds it.
func (j *Judge) lose(at string) {
	e := j.entries[at]
	minute := e.Minute
	if minute.After(e.At) {
		minute = e.At
	}
	if minute.After(j.forgotten) {
		j.forgotten = minute
		j.dirty[metaState] = true
	}
	j.drop(at)
}

// evict keeps the memory within its bound: first goes what was told not to be proven, so
// that whoever plants files does not push out the others; then the oldest.
func (j *Judge) evict() {
	if j.memory <= j.opt.MaxBytes {
		return
	}
	told := j.sorted(func(e *entry) bool { return e.Told })
	for _, at := range append(told, j.sorted(func(e *entry) bool { return !e.Told })...) {
		if j.memory <= j.opt.MaxBytes*9/10 {
			return
		}
		if e := j.entries[at]; !e.Told && (e.State == pending || e.State == wanted || e.State == held) {
			o := Outcome{Reason: Forgotten, Chain: e.Chain, Object: e.Object, Digest: e.Digest}
			if o.Chain == (Chain{}) {
				o.Chain = chainOf(e.Object)
			}
			j.say(o)
		}
		j.lose(at)
	}
}

// Finish says of everything that still waits that it has not come: the last call, when
// there is nothing more to read. Digests must be there up to the hour that ends at or
// before until; a zero until asks for none beyond those that log files prove.
func (j *Judge) Finish(until time.Time) Result {
	always := func(time.Time) bool { return true }
	j.settleChains(always)
	for _, at := range j.sorted(func(e *entry) bool { return !e.Told && (e.State == wanted || e.State == held) }) {
		j.giveUp(at)
	}
	// Again: what waited for a digest that is held does not any more.
	j.settleChains(always)
	delivered := map[Scope]time.Time{}
	for _, at := range j.sorted(func(e *entry) bool { return !e.Told && e.State == pending }) {
		n, err := ParseLogName(j.entries[at].Object.Key)
		if err == nil && n.Folder == eventsFolder && n.Minute.After(delivered[n.Scope]) {
			delivered[n.Scope] = n.Minute
		}
		j.unlisted(at, true)
	}
	j.overdue(func(id Chain, end time.Time) bool {
		_, newest := j.covered(LogName{Scope: id.Scope})
		return !until.IsZero() && !end.Add(period).After(until) || !newest.After(end) && delivered[id.Scope].After(end.Add(2*period))
	})
	return j.result()
}
