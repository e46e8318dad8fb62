package integrity

import (
	"context"
	"fmt"
	"time"

	"github.com/otelcol-custody/custody/internal/integrity/incident"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/tree"
)

// keepHead keeps a copy of the head that is remembered, so that it is noticed if
// the memory is removed, or an older one put in its place. A copy that is a minute
// old is as good.
func (l *logWatch) keepHead(ctx context.Context) {
	head, _ := l.set.Heads.Highest(l.src, l.name)
	note := ""
	if head != nil {
		note = string(head.Note())
	}
	l.mu.Lock()
	same := note == l.st.Head
	l.mu.Unlock()
	if same {
		return
	}
	if was := l.copied(); was != nil && head != nil && head.Size > was.Size && time.Since(l.kept) < thorough {
		return
	}
	l.kept = time.Now()
	l.keepState(ctx, func(s *state) { s.Head = note })
}

// copied is the copy; nil: none that a key vouches for.
func (l *logWatch) copied() *checkpoint.Signed {
	l.mu.Lock()
	note := l.st.Head
	l.mu.Unlock()
	head, err := checkpoint.Open([]byte(note), l.set.Keys)
	if err != nil {
		return nil
	}
	return &head
}

// remindHeads puts the copy back into a memory that has less, unless an operator
// had it forgotten: somebody else removed it.
func (l *logWatch) remindHeads(ctx context.Context) {
	now, known := l.set.Heads.Highest(l.src, l.name)
	was := l.copied()
	if was == nil || known && (now == nil || now.Size >= was.Size) {
		return
	}
	_, err := l.set.Heads.Judge(ctx, l.src, l.name, was, func(context.Context, uint64) (tree.Hash, error) { return now.Root, nil })
	f := incident.Finding{Kind: incident.StateDamaged, Evidence: []incident.Evidence{{Name: "head before", Bytes: was.Note()}},
		Message: fmt.Sprintf("the memory of heads knows less of this log than was judged before: somebody removed it, or put an older one in its place. The head of size %d is remembered again", was.Size)}
	if err != nil {
		f.Message = fmt.Sprintf("the memory of heads knows less of this log than the head of size %d, which was judged before, and that cannot be remembered again: %v", was.Size, err)
	}
	l.find(ctx, f)
}
