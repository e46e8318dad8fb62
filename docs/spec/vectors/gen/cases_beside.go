package main

// addBeside adds objects that the log did not put where they lie.
func addBeside(s *storeSet) {
	l := grown(2, 3)
	l.files["web/segments/00000000000000000002-000102030405060708090a0b0c0d0e0f.jsonl.zst"] = l.files[l.sealed[1].object]
	s.tampered("orphan-segment-copy", "§11.5", "a segment object lies once more under another name", l, found("orphan-segment", 2))
	l = grown(2, 3)
	l.files["web/segments/00000000000000000003-000102030405060708090a0b0c0d0e0f.jsonl.zst"] = []byte("x")
	s.tampered("orphan-segment-within", "§11.5", "a segment object begins within a sealed segment", l, found("orphan-segment", 3))
	l = grown(2, 3)
	l.files["web/segments/readme.txt"] = []byte("hello\n")
	s.tampered("foreign-object-segments", "§11.5", "something else lies below segments/", l, finding{Code: "foreign-object", First: 5})
	l = grown(2, 3)
	l.files["web/seals/readme.txt"] = []byte("hello\n")
	s.tampered("foreign-object-seals", "§11.5", "something else lies below seals/", l, finding{Code: "foreign-object", First: 5})
	l = grown(2, 3)
	l.files["web/seals/00000000000000000002.01.seal"] = l.files[at(2)]
	s.tampered("foreign-object-name", "§10", "a seal lies under a name that is not in its one form", l, finding{Code: "foreign-object", First: 5})
	l = grown(2, 3)
	l.files[at(3)] = l.files[at(2)]
	s.tampered("foreign-object-within", "§11.2", "a seal object begins within a sealed segment", l, found("foreign-object", 3))
	l = grown(2, 3, 2)
	l.files[beside(2, 1)], l.files[at(2)] = l.files[at(2)], []byte("not a seal\n")
	s.tampered("squatter", "§8", "something else holds the seal's place; the seal lies beside it", l, found("foreign-object", 2))
	l = grown(2)
	f := l.fork()
	l.add(3, changes{})
	l.add(2, changes{})
	k := newKey(defaultOrigin, "impostor")
	f.add(3, changes{key: &k})
	l.files[beside(2, 2)], l.files[beside(2, 1)], l.files[at(2)] = l.files[at(2)], f.files[at(2)], l.files[at(0)]
	s.tampered("squatters", "§8", "another key's seal and a seal of another place hold the names before the valid one", l, found("foreign-object", 2), found("foreign-object", 2))
	l = grown(2, 3, 2)
	l.files[beside(2, 1)] = l.files[at(2)]
	s.tampered("foreign-object-copy", "§8", "a seal lies once more beside itself", l, found("foreign-object", 2))
	l = grown(2)
	l.files[at(2)] = []byte("not a seal\n")
	s.tampered("squatter-ahead", "§11.2", "something else holds the place of the next seal", l, found("seal-malformed", 2))
	addForks(s)
}

// addForks adds logs with two valid seals of one place.
func addForks(s *storeSet) {
	two := func() (*log, *log) {
		l := grown(2)
		f := l.fork()
		l.add(3, changes{})
		l.add(2, changes{})
		f.add(3, changes{})
		return l, f
	}
	l, f := two()
	l.files[beside(2, 1)] = f.files[at(2)]
	s.tampered("fork-beside", "§8", "another valid seal lies beside the one that the log goes on from", l, found("fork", 2))
	l, f = two()
	l.files[beside(2, 1)], l.files[f.sealed[1].object] = f.files[at(2)], f.files[f.sealed[1].object]
	s.tampered("fork-with-segment", "§8", "another valid seal lies beside the log's, with its segment", l, found("fork", 2))
}

// addSince adds stores that are held against a kept checkpoint.
func addSince(s *storeSet) {
	clean := grown(2, 3, 2)
	s.verified("since-head", "§11.7", "the kept checkpoint is that of the log's end", clean).kept(clean.note)
	s.verified("since-earlier", "§11.7", "the kept checkpoint is that of the second segment's end", clean).kept(clean.sealed[1].note)
	signed := func(size uint64, root hash) string { return clean.key.sign(checkpointText(defaultOrigin, size, root)) }
	s.verified("since-within", "§11.7", "the kept checkpoint's size lies within a segment", clean).kept(signed(4, rootOf(clean.links[:4])))
	large := grown(100, 500, 2)
	s.verified("since-within-large", "§11.7", "the kept checkpoint's size lies within a segment, behind a tile of level 0", large).
		kept(large.key.sign(checkpointText(defaultOrigin, 517, rootOf(large.links[:517]))))
	s.verified("since-zero", "§11.7", "the kept checkpoint is that of an empty log", clean).kept(signed(0, h()))
	l := grown(2, 3, 2)
	s.tampered("rollback", "§11.7", "the last segment and its seal were cut off", l.drop(l.sealed[2].seal, l.sealed[2].object), found("rollback", 5)).kept(clean.note)
	l = grown(2, 3, 2)
	s.tampered("rollback-seal", "§11.7", "the last seal was cut off", l.drop(l.sealed[2].seal), found("rollback", 5)).kept(clean.note)
	l = grown(2, 3, 2)
	all := s.tampered("rollback-everything", "§11.7", "the log of the kept checkpoint is not there any more, another one is", l.drop(at(0), at(2), at(5), l.sealed[0].object, l.sealed[1].object, l.sealed[2].object), found("rollback", 0)).kept(clean.note)
	other := newLog("db", "custody.example/db")
	other.add(2, changes{})
	all.trust(other.key)
	for name, b := range other.files {
		all.files[name] = b
	}
	l = grown(2)
	l = l.fork()
	for name, b := range grown(2).files {
		l.files[name] = b
	}
	l.add(3, changes{})
	l.add(2, changes{})
	s.tampered("fork-since", "§11.7", "the log has another history since its first segment", l, finding{Code: "fork", First: 0}).kept(clean.note)
	s.tampered("fork-since-within", "§11.7", "the log has another record at a size within a segment", l, finding{Code: "fork", First: 0}).kept(signed(4, rootOf(clean.links[:4])))
	s.verified("fork-since-before", "§11.7", "the kept checkpoint is from before the histories part: that cannot be seen", l).kept(clean.sealed[0].note)
	s.tampered("fork-since-zero", "§11.7", "the kept checkpoint gives the empty log another root", clean, finding{Code: "fork", First: 0}).kept(signed(0, hash{1}))
}

// addVersions adds what a reader of this version cannot judge.
func addVersions(s *storeSet) {
	s.unfinished("version-seal", "§15", "the second seal is of a later version, signed by the log's key", second(changes{head: replaced("custody-seal/v1", "custody-seal/v2")}))
	s.unfinished("version-seal-last", "§15", "the last seal is of a later version, signed by the log's key; the kept checkpoint is that behind it",
		last(changes{head: replaced("custody-seal/v1", "custody-seal/v2")})).kept(grown(2, 3).note)
	s.unfinished("version-segment", "§15", "the second segment is of a later version and the one that its seal names", second(changes{header: replaced("custody-segment/v1", "custody-segment/v2")}))
	l := grown(2, 3, 2)
	s.tampered("version-unsigned", "§15", "the second seal is of a later version that nobody vouches for",
		l.altered(at(2), func(b []byte) []byte { return append([]byte("custody-seal/v2"), b[len("custody-seal/v1"):]...) }), found("seal-malformed", 2))
	both := second(changes{head: replaced("custody-seal/v1", "custody-seal/v2")})
	both.altered(both.sealed[0].object, flipped(-2))
	s.tampered("version-and-tampering", "§11", "the second seal is of a later version, and the first segment was changed: what was found outweighs", both, foundRecord("segment-altered", 0, 1))
}
