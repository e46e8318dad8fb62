// Package segment is the object that holds record lines (spec §6): a zstd
// skippable frame with a header as text, then one zstd frame with the lines.
// `zstd -dc` prints the records and nothing else.
package segment

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/tree"
)

var (
	// ErrMalformed means that bytes are not a segment object.
	ErrMalformed = errors.New("malformed segment")
	// ErrVersion means that an object has a version that this code does not know
	// (spec §15). It is not an [ErrMalformed].
	ErrVersion = errors.New("unknown version of the format")
)

const (
	version = "custody-segment/v1"

	// headerMagic begins the skippable frame; a zstd decoder skips all of
	// 0x184D2A50 to 0x184D2A5F (RFC 8878 §3.1.2).
	headerMagic = 0x184D2A5C
	// frameHead is the length of the magic number and the frame's size.
	frameHead = 8
	maxHeader = 1024
)

// A Header says what a segment holds.
type Header struct {
	Origin string
	First  uint64 // index of the first record
	Count  int    // records
	Bytes  int    // of all lines, line feeds included
	Seed   tree.Seed
}

func (h Header) check() error {
	switch {
	case h.Count < 1 || h.Count > ledger.MaxRecords:
		return fmt.Errorf("%w: count %d is not between 1 and %d", ErrMalformed, h.Count, ledger.MaxRecords)
	case h.Bytes < 1 || h.Bytes > ledger.MaxLines:
		return fmt.Errorf("%w: %d bytes of lines are not between 1 and %d", ErrMalformed, h.Bytes, ledger.MaxLines)
	case h.First > ledger.MaxSize-uint64(h.Count):
		return fmt.Errorf("%w: first record %d is beyond the largest log", ErrMalformed, h.First)
	}
	if err := checkpoint.CheckOrigin(h.Origin); err != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return nil
}

func (h Header) text() string {
	return fmt.Sprintf("%s\norigin %s\nfirst %d\ncount %d\nbytes %d\nseed %x\n", version, h.Origin, h.First, h.Count, h.Bytes, h.Seed)
}

func (h Header) appendTo(dst []byte) []byte {
	text := h.text()
	dst = binary.LittleEndian.AppendUint32(dst, headerMagic)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(text)))
	return append(dst, text...)
}

// ParseHeader reads the header at the beginning of a segment object and returns
// what follows. It accepts exactly one encoding of each header.
func ParseHeader(obj []byte) (h Header, rest []byte, err error) {
	if len(obj) < frameHead || binary.LittleEndian.Uint32(obj) != headerMagic {
		return h, nil, fmt.Errorf("%w: does not begin with the header frame", ErrMalformed)
	}
	n := binary.LittleEndian.Uint32(obj[4:])
	if n > maxHeader || int(n) > len(obj)-frameHead {
		return h, nil, fmt.Errorf("%w: header of %d bytes", ErrMalformed, n)
	}
	text, rest := string(obj[frameHead:frameHead+n]), obj[frameHead+n:]
	if h, err = parseText(text); err != nil {
		return h, nil, err
	}
	if h.text() != text {
		return h, nil, fmt.Errorf("%w: header is not in canonical form", ErrMalformed)
	}
	return h, rest, h.check()
}

func parseText(text string) (h Header, err error) {
	lines := strings.Split(text, "\n")
	if lines[0] != version && ledger.IsVersion(lines[0], "custody-segment") {
		return h, fmt.Errorf("%w: %s, this reader knows %s", ErrVersion, lines[0], version)
	}
	if lines[0] != version {
		return h, fmt.Errorf("%w: header begins with %q, this reader knows %s", ErrMalformed, lines[0], version)
	}
	names := []string{"origin ", "first ", "count ", "bytes ", "seed "}
	if len(lines) != len(names)+2 {
		return h, fmt.Errorf("%w: header has %d lines, want %d", ErrMalformed, len(lines)-1, len(names)+1)
	}
	var errs []error
	for i, name := range names {
		value, ok := strings.CutPrefix(lines[i+1], name)
		if !ok {
			return h, fmt.Errorf("%w: header line %d does not begin with %q", ErrMalformed, i+2, name)
		}
		errs = append(errs, h.set(name, value))
	}
	if err := errors.Join(errs...); err != nil {
		return h, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return h, nil
}

func (h *Header) set(name, value string) (err error) {
	switch name {
	case "origin ":
		h.Origin = value
	case "first ":
		h.First, err = strconv.ParseUint(value, 10, 63)
	case "count ":
		h.Count, err = strconv.Atoi(value)
	case "bytes ":
		h.Bytes, err = strconv.Atoi(value)
	case "seed ":
		if len(value) != hex.EncodedLen(len(h.Seed)) {
			return errors.New("seed has the wrong length")
		}
		_, err = hex.Decode(h.Seed[:], []byte(value))
	}
	return err
}
