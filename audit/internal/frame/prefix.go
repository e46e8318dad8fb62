package frame

import (
	"bytes"
	"errors"

	"github.com/otelcol-custody/custody/audit/internal/jsonscan"
)

// isPrefix says whether the bracket here begins text, such as [vault] or [1] before an
// object on this line, and no list that holds the object.
func (p *parser) isPrefix() bool {
	object, start := p.objectOnLine(), p.s.Pos
	err := p.s.Skip() // how far it gets is what tells
	reached := p.s.Pos
	p.s.Pos = start
	if object < 0 {
		return errors.Is(err, jsonscan.ErrSyntax) && reached < p.looked
	}
	return reached <= object
}

// objectOnLine is where an object with members begins on this line, -1 if none does.
func (p *parser) objectOnLine() int {
	data, i := p.s.Data, p.s.Pos
	if i < p.looked { // a line of many short values is looked through once
		return p.next
	}
	for p.next = -1; i < len(data) && data[i] != '\n'; i++ {
		if data[i] == '{' && bytes.HasPrefix(bytes.TrimLeft(data[i+1:], " \t\r\n"), []byte{'"'}) {
			p.next = i
			break
		}
	}
	p.looked = i + 1
	return p.next
}

// skipPrefix goes to the object on this line, if there is one.
func (p *parser) skipPrefix() bool {
	p.prefixed = true
	at := p.objectOnLine()
	if at < 0 {
		return false
	}
	p.line, p.object = p.s.Pos, at
	p.s.Pos = at
	return true
}

// lineEnd is the end of the line in which position end is, or which ends there.
func (p *parser) lineEnd(end int) int {
	if p.s.Data[end-1] == '\n' {
		return end
	}
	if i := bytes.IndexByte(p.s.Data[end:], '\n'); i >= 0 {
		return end + i + 1
	}
	return len(p.s.Data)
}
