package main

import (
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/otelcol-custody/custody/ledger/record"
)

// A sourceBody is the body of a record that a receiver makes about its source. Which
// members it has depends on the record's event name.
type sourceBody struct {
	// What a provider's proof says of a file or a time.
	Reason   string    `json:"reason"`
	Sentence string    `json:"sentence"`
	Chain    chainID   `json:"chain"`
	Object   string    `json:"object"`
	Digest   string    `json:"digest"`
	Want     string    `json:"want"`
	Got      string    `json:"got"`
	From     time.Time `json:"from"`
	To       time.Time `json:"to"`

	Gap      *gapBody      `json:"gap"`
	Key      *keyBody      `json:"key"`
	Excluded *excludedBody `json:"excluded"`
}

// A gapBody is of an object that could not be read.
type gapBody struct {
	File   string `json:"file"`
	Reason string `json:"reason"`
}

type keyBody struct {
	Region      string    `json:"region"`
	Fingerprint string    `json:"fingerprint"`
	From        time.Time `json:"validity_start"`
	To          time.Time `json:"validity_end"`
}

// An excludedBody counts the events of a file that were left out on request.
type excludedBody struct {
	Events     uint64 `json:"events"`
	Principals []struct {
		ARN    string `json:"arn"`
		Events uint64 `json:"events"`
	} `json:"principals"`
}

func parseSourceBody(rec *record.Record) (*sourceBody, error) {
	if rec.Body.Kind != record.String {
		return nil, errors.New("its body is no text")
	}
	b := &sourceBody{}
	return b, json.Unmarshal([]byte(rec.Body.Str), b)
}

// A chainID names a sequence of digests; without a trail, the files of an account and
// region.
type chainID struct {
	Org      string `json:"org,omitempty"`
	Account  string `json:"account"`
	Region   string `json:"region"`
	Trail    string `json:"trail,omitempty"`
	Home     string `json:"home_region,omitempty"`
	Backfill bool   `json:"backfill,omitempty"`
}

// scope is the account and region.
func (c chainID) scope() chainID { return chainID{Org: c.Org, Account: c.Account, Region: c.Region} }

func (c chainID) String() string {
	if c == (chainID{}) {
		return "not stated"
	}
	s := c.Account + "/" + c.Region
	if c.Org != "" {
		s = c.Org + "/" + s
	}
	if c.Trail != "" {
		s += " trail " + c.Trail
		if c.Home != c.Region {
			s += " of " + c.Home
		}
	}
	if c.Backfill {
		s += " backfill"
	}
	return s
}

// scopeOfFile is the account and region that a file's name states, read from its end:
// .../AWSLogs/[org/]account/folder/region/2006/01/02/file
// (https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html).
func scopeOfFile(name string) chainID {
	const root = "AWSLogs"
	parts := strings.Split(name, "/")
	at := len(parts) - 7 // of the account
	if at < 1 {
		return chainID{}
	}
	c := chainID{Account: parts[at], Region: parts[at+2]}
	switch {
	case parts[at-1] == root:
		return c
	case at > 1 && parts[at-2] == root:
		c.Org = parts[at-1]
		return c
	}
	return chainID{}
}

// isDigestFile says whether a file is a digest of CloudTrail's; the others are log files.
func isDigestFile(name string) bool { return strings.Contains(name, "/CloudTrail-Digest/") }

// plainName is an object's name without its version, which proofs do not name.
func plainName(name string) string {
	if at := strings.LastIndex(name, "?versionId="); at >= 0 && !strings.Contains(name[at:], "/") {
		return name[:at]
	}
	return name
}

// resourceText is an attribute of the record's resource, if it is a string.
func resourceText(rec *record.Record, key string) string {
	for _, kv := range rec.Resource.Attributes {
		if kv.Key == key && kv.Value.Kind == record.String {
			return kv.Value.Str
		}
	}
	return ""
}
