package digest

import (
	"slices"
	"time"
)

// eventsFolder is the folder whose files CloudTrail lists in digests always.
const eventsFolder = "CloudTrail"

// maxContents bounds how many different contents of one log file wait for their digest.
const maxContents = 4

// Log judges a log file, or keeps its hash until a digest lists it. One that came before,
// with the same bytes, is nothing new.
func (j *Judge) Log(l Delivery) Result {
	at := logKey(l.Object)
	e := entry{State: pending, Object: l.Object, At: l.At, Minute: minuteOf(l.Object, l.At)}
	if known := j.entries[at]; known != nil {
		e = *known
	}
	if e.State == pending {
		if e.saw(l.Hash) {
			j.put(at, &e)
		}
	} else {
		j.compare(at, e, l.Object, l.Hash)
	}
	return j.result()
}

// saw notes a content and says whether it is new.
func (e *entry) saw(hash string) bool {
	if slices.Contains(e.Hashes, hash) || len(e.Hashes) == maxContents {
		return false
	}
	e.Hashes = append(slices.Clone(e.Hashes), hash)
	return true
}

// compare holds the content of a log file against what a digest says of it.
func (j *Judge) compare(at string, e entry, o Object, got string) {
	say := Outcome{Reason: LogVerified, Chain: e.Chain, Object: o, Digest: e.Digest, Want: e.Hash, Got: got}
	switch {
	case got == e.Hash && e.State == done:
		return
	case got == e.Hash:
		e.State, e.Object = done, Object{}
	case !e.saw(got):
		return
	default:
		say.Reason, e.Told = LogHash, true
	}
	j.say(say)
	j.put(at, &e)
}

func minuteOf(o Object, otherwise time.Time) time.Time {
	if n, err := ParseLogName(o.Key); err == nil {
		return n.Minute
	}
	return otherwise
}

// list takes up that a digest lists a log file.
func (j *Judge) list(c *chain, l LogFile, by Arrival) {
	if name, err := ParseLogName(l.Key); err == nil && !c.lists(name.Folder) {
		c.Folders = append(c.Folders, name.Folder)
	}
	at := logKey(l.Object)
	e := j.entries[at]
	switch {
	case e == nil:
		j.want(c.ID, l, by)
	case e.State == pending:
		listed := *e
		listed.State, listed.Hash, listed.Hashes, listed.Chain, listed.Digest = wanted, l.Hash, nil, c.ID, by.Object
		j.put(at, &listed)
		for _, hash := range e.Hashes {
			j.compare(at, *j.entries[at], l.Object, hash)
		}
	case e.Hash != l.Hash:
		// Two digests speak of one file and differ: it cannot be what both say.
		j.say(Outcome{Reason: LogHash, Chain: c.ID, Object: l.Object, Digest: by.Object, Want: l.Hash, Got: e.Hash,
			Detail: "another digest, " + e.Digest.String() + ", says otherwise"})
	}
}

// want waits for a log file that a digest lists.
func (j *Judge) want(id Chain, l LogFile, by Arrival) {
	minute := minuteOf(l.Object, by.At)
	if !minute.After(j.forgotten) {
		j.say(Outcome{Reason: Forgotten, Chain: id, Object: l.Object, Digest: by.Object, Want: l.Hash})
		return
	}
	j.put(logKey(l.Object), &entry{
		State: wanted, Object: l.Object, Hash: l.Hash, Digest: by.Object, Chain: id, At: by.At, Minute: minute,
		Told: minute.Before(j.opt.Start), // Then nobody asks for it.
	})
}

// Gone takes up that an object which something named, a digest or a notification, does not
// exist.
func (j *Judge) Gone(o Object, at time.Time) Result {
	if e := j.entries[logKey(o)]; e != nil && e.State == wanted && !e.Told {
		j.missing(logKey(o), e, "there is no such object")
	}
	if n, err := ParseName(o.Key); err == nil && j.entries[digestKey(o)] == nil {
		j.put(digestKey(o), &entry{State: bad, Told: true, At: at})
		j.say(Outcome{Reason: DigestMissing, Chain: n.Chain, Object: o, From: n.End.Add(-period), To: n.End, Detail: "there is no such object"})
	}
	return j.result()
}

func (j *Judge) missing(at string, e *entry, detail string) {
	j.say(Outcome{Reason: LogMissing, Chain: e.Chain, Object: e.Object, Digest: e.Digest, Want: e.Hash, Detail: detail})
	j.told(at)
}

// told notes that it was said that a file is not proven. It is judged if it comes after all.
func (j *Judge) told(at string) {
	e := *j.entries[at]
	e.Told = true
	j.put(at, &e)
}

// covered finds the chain that should have listed a log file of a time, if there is one:
// it goes on without a break, and lists files of the folder. newest is how far digests of
// the scope go at all.
func (j *Judge) covered(n LogName) (by *chain, newest time.Time) {
	for _, c := range j.scopes[n.Scope] {
		if c.ID.Backfill || len(c.Runs) == 0 {
			continue
		}
		if to := c.newest().To; to.After(newest) {
			newest = to
		}
		if c.lists(n.Folder) && c.covers(n.Minute) {
			by = c
		}
	}
	return by, newest
}

// lists says whether the chain's digests list log files of a folder.
func (c *chain) lists(folder string) bool {
	return folder == eventsFolder || slices.Contains(c.Folders, folder)
}
