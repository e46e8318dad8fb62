package main

import (
	"encoding/binary"
	"math"
	"strings"
)

// The functions below write protobuf by hand, for records that OTLP/JSON cannot
// carry and for deep values.

// field writes a length-delimited field.
func field(number byte, content ...string) string {
	all := strings.Join(content, "")
	return string([]byte{number<<3 | 2}) + varint(uint64(len(all))) + all
}

func varint(n uint64) string { return string(binary.AppendUvarint(nil, n)) }

func anyString(s string) string { return field(1, s) }
func anyTrue() string           { return "\x10\x01" }
func anyInt(n int64) string     { return "\x18" + varint(uint64(n)) }
func anyBytes(s string) string  { return field(7, s) }

func anyDouble(f float64) string { return anyBits(math.Float64bits(f)) }

// anyBits is the double with these IEEE 754 bits.
func anyBits(bits uint64) string {
	return "\x21" + string(binary.LittleEndian.AppendUint64(nil, bits))
}

func anyList(values ...string) string {
	var b strings.Builder
	for _, v := range values {
		b.WriteString(field(1, v))
	}
	return field(5, b.String())
}

func anyMap(entries ...string) string {
	var b strings.Builder
	for _, e := range entries {
		b.WriteString(field(1, e))
	}
	return field(6, b.String())
}

// entry is a KeyValue.
func entry(key, value string) string {
	if key == "" {
		return field(2, value)
	}
	return field(1, key) + field(2, value)
}

// bodyProto and attributesProto are records that have just these.
func bodyProto(value string) string { return field(5, value) }

func attributesProto(entries ...string) string {
	var b strings.Builder
	for _, e := range entries {
		b.WriteString(field(6, e))
	}
	return b.String()
}

// logsProto puts a record alone into LogsData.
func logsProto(record string) string { return field(1, field(2, field(2, record))) }
