package main

import (
	"encoding/base64"
	"fmt"
)

// addOwn adds what the log says of itself: recoveries (spec §7.1) and its end.
func addOwn(s *storeSet) {
	recovered := func(more, accepted string) *log {
		l := grown(2, 3)
		l.add(6, changes{reason: "recovered", lines: recoveredLines(recoveryLine(l, more, accepted))})
		return l
	}
	l := recovered("", "")
	l.add(2, changes{})
	s.verified("recovered", "§7.1", "the log went on from size 5 after a recovery: one record kept its position, two are sealed again", l)
	const accepted = `"accepted_loss":true,`
	s.verified("recovered-accepted-loss", "§7.1", "a recovery for which an operator accepted loss, with a member that this version does not know: shown, and no finding",
		recovered(`"of_later":[{}],`, accepted))
	whole := grown(2, 3, 2)
	s.tampered("recovered-since-lost", "§7.1", "an operator accepted a loss; the checkpoint kept from before it still shows it", recovered("", accepted), finding{Code: "fork", First: 0}).kept(whole.note)
	s.verified("recovered-since-before", "§7.1", "an operator accepted a loss; the kept checkpoint is from before what was lost", recovered("", accepted)).kept(whole.sealed[1].note)
	s.verified("recovery-malformed", "§11.9", "a record calls itself a recovery and has not the form of one: that is reported and no finding", recovered(`"next_by":"soon",`, ""))
	l = grown(2)
	l.add(3, changes{ended: true, reason: "ended"})
	l.add(2, changes{})
	s.tampered("after-end", "§11.8", "the log goes on behind the closed record that ended it", l, found("after-end", 5))
	l = grown(2)
	l.add(3, changes{ended: true, reason: "ended"})
	l.add(2, changes{ended: true, reason: "ended"})
	l.add(2, changes{})
	s.tampered("after-end-twice", "§11.8", "the log goes on behind its end, ends again, and goes on", l, found("after-end", 5), found("after-end", 7))
	s.verified("ended-with-next", "§7", "a closed record gives the reason ended and yet says when the next one is due, and the log goes on", second(changes{reason: "ended"}))
	s.verified("no-next-not-ended", "§7", "a closed record does not say when the next one is due, for another reason than the end, and the log goes on", second(changes{ended: true, reason: "of a later version"}))
}

// recoveredLines are those of a segment with a recovery record: a record that
// was kept, the recovery, and two that are sealed again.
func recoveredLines(recovery string) func([]string) []string {
	return func(lines []string) []string {
		lines[1] = recovery
		lines[2], lines[3] = `{"body":"record 5 of the losing branch"}`, `{"body":"record 6 of the losing branch"}`
		return lines
	}
}

// recoveryLine is the recovery record of a log of 5 records; more stands among
// its members.
func recoveryLine(l *log, more, accepted string) string {
	root := rootOf(l.links)
	head := fmt.Sprintf(`"root":"%s","size":%d`, base64.StdEncoding.EncodeToString(root[:]), len(l.links))
	at, reasons := l.clock.Format(stampForm), ""
	if accepted != "" {
		reasons = `"no checkpoint vouches for what the stores hold"`
	}
	return fmt.Sprintf(`{"custody":{"recovery":{%s"at":"%s","checkpoints":[{%s,"source":"kept.checkpoint","verdict":"agrees"}],"found":"the state directory is empty",`+
		`"kept":1,"last_closed":"%s",%s"reasons":[%s],"resealed":[{"count":2,"first":7,"former":5,"previous":"%x","source":"journal"}],%s,"software":"vectors",`+
		`"stores":[{%s,"store":"bucket"},{"error":"away","size":0,"store":"other"}],"unreadable":0}},"observed_time":"%s","time":"%s"}`,
		accepted, at, head, at, more, reasons, l.last, head, head, at, at)
}
