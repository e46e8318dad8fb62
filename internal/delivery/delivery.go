// Package delivery is the contract between hash_chain and the WORM exporters
// behind it: what travels, who confirms it, and which errors mean what.
//
// One plog.Logs carries one segment: its objects as log records in the order in
// which they are to be stored, the segment, the full tiles that it completes,
// and the seal last. Bodies are the objects' bytes. An exporter trusts nothing
// but these bytes: it verifies the seal with its own keys and takes the objects'
// names from it.
package delivery

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// Event names of what hash_chain sends downstream besides records.
const (
	EventSegment    = "custody.segment"
	EventTile       = "custody.tile"
	EventSeal       = "custody.seal"
	EventProbe      = "custody.probe"
	EventCheckpoint = "custody.checkpoint"
)

// Attributes that place an emitted record in its log (audit draft, and custody's
// own salt). Arriving ones of these names are renamed, so that only hash_chain
// speaks here.
const (
	AttrNumber   = "audit.sequence.number"
	AttrStream   = "audit.sequence.stream_id"
	AttrPrevious = "audit.sequence.previous_hash"
	AttrValue    = "audit.integrity.value"
	AttrSalt     = "custody.salt"
)

// Objects are a segment's objects.
type Objects struct {
	Segment []byte
	Tiles   [][]byte // in the order in which the segment completes them
	Seal    []byte
}

// Logs makes the message that carries the objects.
func (o *Objects) Logs() plog.Logs {
	ld := plog.NewLogs()
	records := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	add := func(event string, body []byte) {
		lr := records.AppendEmpty()
		lr.SetEventName(event)
		lr.Body().SetEmptyBytes().FromRaw(body)
	}
	add(EventSegment, o.Segment)
	for _, t := range o.Tiles {
		add(EventTile, t)
	}
	add(EventSeal, o.Seal)
	return ld
}

// A Message is what a WORM exporter received. Exactly one of its fields is set;
// all are unset when the message is none of its business: checkpoints, and
// records that a hash_chain emitted beside the segment.
type Message struct {
	Objects *Objects
	Probe   *Probe
}

// ErrUnsealed means that records arrived which no hash_chain has sealed.
var ErrUnsealed = errors.New("records arrived that are not sealed: a WORM exporter stores what hash_chain sealed; put the hash_chain processor into its pipeline")

// errMerged means that a queue or batcher joined messages; taking one segment of
// it would acknowledge the other.
var errMerged = errors.New("two sealed segments, seals or probes arrived in one message: something between hash_chain and this exporter merges messages; switch its batching off")

// Read takes a message apart. Bodies are copied once.
func Read(ld plog.Logs) (Message, error) {
	var m Message
	var o Objects
	var stray error
	each(ld, func(lr plog.LogRecord) {
		if _, placed := lr.Attributes().Get(AttrNumber); placed {
			return // A record, whatever its producer called it.
		}
		body := func() []byte { return bodyBytes(lr.Body()) }
		event := lr.EventName()
		if event == EventSegment && o.Segment != nil || event == EventSeal && o.Seal != nil || event == EventProbe && m.Probe != nil {
			stray = errMerged
			return
		}
		switch event {
		case EventSegment:
			o.Segment = body()
		case EventTile:
			o.Tiles = append(o.Tiles, body())
		case EventSeal:
			o.Seal = body()
		case EventProbe:
			p, err := parseProbe(body())
			if stored, ok := lr.Attributes().Get(attrStored); ok && err == nil {
				p.Stored = uint64(max(0, stored.Int()))
			}
			m.Probe, stray = p, errors.Join(stray, err)
		case EventCheckpoint:
		default:
			stray = ErrUnsealed
		}
	})
	if stray != nil {
		return Message{}, stray
	}
	switch whole := o.Segment != nil && o.Seal != nil; {
	case whole && m.Probe == nil:
		m.Objects = &o
	case o.Segment != nil || o.Seal != nil || o.Tiles != nil:
		return Message{}, errors.New("a sealed segment arrived without its seal or its content: something between hash_chain and this exporter split or filtered it; connect them directly")
	}
	return m, nil
}

func each(ld plog.Logs, f func(plog.LogRecord)) {
	for _, rl := range ld.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, lr := range sl.LogRecords().All() {
				f(lr)
			}
		}
	}
}

// bodyBytes is never nil: an object that lost its bytes on the way is an object
// all the same.
func bodyBytes(v pcommon.Value) []byte {
	if v.Type() != pcommon.ValueTypeBytes || v.Bytes().Len() == 0 {
		return []byte{}
	}
	return v.Bytes().AsRaw()
}

// A Probe asks a store what it holds of a log, before the log's writer answers
// anyone. It carries the writer's newest seal, or the log's name at genesis.
type Probe struct {
	Seal   []byte // nil at genesis
	Stored uint64 // so many of the log's records every store has confirmed
	Log    string // at genesis
	Origin string // at genesis
}

const (
	probeVersion = "custody-probe/v1"
	attrStored   = "custody.stored"
)

// Logs makes the message that carries the probe.
func (p *Probe) Logs() plog.Logs {
	body := p.Seal
	if body == nil {
		body = []byte(fmt.Sprintf("%s\nlog %s\norigin %s\n", probeVersion, p.Log, p.Origin))
	}
	ld := plog.NewLogs()
	lr := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	lr.SetEventName(EventProbe)
	lr.Body().SetEmptyBytes().FromRaw(body)
	if p.Stored > 0 {
		lr.Attributes().PutInt(attrStored, int64(p.Stored))
	}
	return ld
}

func parseProbe(b []byte) (*Probe, error) {
	if !bytes.HasPrefix(b, []byte(probeVersion+"\n")) {
		return &Probe{Seal: b}, nil
	}
	lines := strings.Split(string(b), "\n")
	if len(lines) != 4 || lines[3] != "" {
		return nil, errors.New("a probe arrived that is not of this version")
	}
	log, ok1 := strings.CutPrefix(lines[1], "log ")
	origin, ok2 := strings.CutPrefix(lines[2], "origin ")
	if !ok1 || !ok2 {
		return nil, errors.New("a probe arrived that is not of this version")
	}
	return &Probe{Log: log, Origin: origin}, nil
}

// Checkpoint makes the message that carries a checkpoint.
func Checkpoint(note []byte) plog.Logs {
	ld := plog.NewLogs()
	lr := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	lr.SetEventName(EventCheckpoint)
	lr.Body().SetStr(string(note))
	return ld
}
