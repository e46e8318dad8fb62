package digest

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// ErrName means that a key is none that CloudTrail makes.
var ErrName = errors.New("not a key of CloudTrail")

const (
	digestFolder = "CloudTrail-Digest"
	root         = "AWSLogs"
	suffix       = ".json.gz"
	backfillMark = "_backfill"
	digestStamp  = "20060102T150405Z"
	logStamp     = "20060102T1504Z"
	dayPath      = "2006/01/02"
)

// A Scope is where log files and the digests that list them come from. Org is the
// organization's id for an organization's trail, else "".
type Scope struct {
	Org     string `json:"org,omitempty"`
	Account string `json:"account"`
	Region  string `json:"region"`
}

func (s Scope) String() string {
	if s.Org != "" {
		return s.Org + "/" + s.Account + "/" + s.Region
	}
	return s.Account + "/" + s.Region
}

// A Chain is a sequence of digests of which each names the one before: those of one trail
// in one region. What CloudTrail adds late lies in a chain of its own, the backfill.
type Chain struct {
	Scope
	Trail    string `json:"trail,omitempty"`
	Home     string `json:"home_region,omitempty"` // the trail's
	Backfill bool   `json:"backfill,omitempty"`
}

func (c Chain) String() string {
	s := c.Scope.String()
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

// A Name is the key of a digest file:
//
//	[prefix/]AWSLogs/[org/]account/CloudTrail-Digest/region/2006/01/02/
//	account_CloudTrail-Digest_region_trail_home_20060102T150405Z[_backfill].json.gz
type Name struct {
	Chain
	Prefix string    // with its last slash, or ""
	Day    time.Time // of the folder, midnight UTC
	End    time.Time // of the hour that the digest covers, UTC
}

// ParseName reads the key of a digest file; [Name.String] gives the same key again.
// Errors are [ErrName].
func ParseName(key string) (Name, error) {
	p, file, err := parsePath(key)
	if err != nil || p.folder != digestFolder {
		return Name{}, fmt.Errorf("%w for a digest: %q", ErrName, key)
	}
	n := Name{Chain: Chain{Scope: p.Scope}, Prefix: p.prefix, Day: p.day}
	file, n.Backfill = strings.CutSuffix(file, backfillMark)
	rest, ok := strings.CutPrefix(file, n.Account+"_"+digestFolder+"_"+n.Region+"_")
	at := strings.LastIndexByte(rest, '_')
	if ok && at > 0 {
		n.End, err = time.Parse(digestStamp, rest[at+1:])
		n.Trail, n.Home, ok = cutLast(rest[:at], '_')
	}
	if !ok || at <= 0 || err != nil || n.Trail == "" || n.Home == "" || n.String() != key {
		return Name{}, fmt.Errorf("%w for a digest: %q", ErrName, key)
	}
	return n, nil
}

// String is the key.
func (n Name) String() string {
	file := strings.Join([]string{n.Account, digestFolder, n.Region, n.Trail, n.Home, n.End.UTC().Format(digestStamp)}, "_")
	if n.Backfill {
		file += backfillMark
	}
	return path{n.Scope, n.Prefix, digestFolder, n.Day}.String() + file + suffix
}

// A LogName is the key of a log file:
//
//	[prefix/]AWSLogs/[org/]account/folder/region/2006/01/02/account_folder_region_20060102T1504Z_unique.json.gz
//
// Folder is CloudTrail for events, CloudTrail-Insight and others for other files.
type LogName struct {
	Scope
	Prefix string // with its last slash, or ""
	Folder string
	Day    time.Time // of the folder, midnight UTC
	Minute time.Time // about when it was delivered, UTC
	Unique string
}

// ParseLogName reads the key of a log file; [LogName.String] gives the same key again.
// Errors are [ErrName].
func ParseLogName(key string) (LogName, error) {
	p, file, err := parsePath(key)
	if err != nil || p.folder == digestFolder {
		return LogName{}, fmt.Errorf("%w for a log file: %q", ErrName, key)
	}
	n := LogName{Scope: p.Scope, Prefix: p.prefix, Folder: p.folder, Day: p.day}
	rest, ok := strings.CutPrefix(file, n.Account+"_"+n.Folder+"_"+n.Region+"_")
	stamp, unique, more := strings.Cut(rest, "_")
	n.Minute, err = time.Parse(logStamp, stamp)
	n.Unique = unique
	if !ok || !more || err != nil || unique == "" || n.String() != key {
		return LogName{}, fmt.Errorf("%w for a log file: %q", ErrName, key)
	}
	return n, nil
}

// String is the key.
func (n LogName) String() string {
	return path{n.Scope, n.Prefix, n.Folder, n.Day}.String() +
		strings.Join([]string{n.Account, n.Folder, n.Region, n.Minute.UTC().Format(logStamp), n.Unique}, "_") + suffix
}

// path is the folder of a key.
type path struct {
	Scope
	prefix, folder string
	day            time.Time
}

func (p path) String() string {
	s := p.prefix + root + "/"
	if p.Org != "" {
		s += p.Org + "/"
	}
	return s + p.Account + "/" + p.folder + "/" + p.Region + "/" + p.day.Format(dayPath) + "/"
}

// parsePath takes a key apart from its end, since a prefix may look like anything. file
// is the last part without its suffix.
func parsePath(key string) (p path, file string, err error) {
	parts := strings.Split(key, "/")
	if len(parts) < 8 {
		return p, "", ErrName
	}
	end := len(parts) - 1
	file, ok := strings.CutSuffix(parts[end], suffix)
	if p.day, err = time.Parse(dayPath, strings.Join(parts[end-3:end], "/")); err != nil || !ok {
		return p, "", ErrName
	}
	p.Region, p.folder, p.Account = parts[end-4], parts[end-5], parts[end-6]
	at := end - 7
	if parts[at] != root && at > 0 && parts[at-1] == root {
		p.Org = parts[at]
		at--
	}
	if parts[at] != root || !isAccount(p.Account) || p.Region == "" || p.folder == "" {
		return p, "", ErrName
	}
	if at > 0 {
		p.prefix = strings.Join(parts[:at], "/") + "/"
	}
	return p, file, nil
}

func isAccount(s string) bool {
	return len(s) == 12 && strings.Trim(s, "0123456789") == ""
}

func cutLast(s string, sep byte) (before, after string, ok bool) {
	at := strings.LastIndexByte(s, sep)
	if at < 0 {
		return s, "", false
	}
	return s[:at], s[at+1:], true
}
