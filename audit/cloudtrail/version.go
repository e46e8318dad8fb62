package cloudtrail

import (
	"strconv"
	"strings"
)

// knownMajor is the only major version of CloudTrail records there is. AWS
// changes it when records stop being compatible, so another one is not read.
const knownMajor = 1

// A version is an eventVersion: two integers, so that 1.10 comes after 1.9.
type version struct{ major, minor int }

func parseVersion(s string) (version, bool) {
	major, minor, ok := strings.Cut(s, ".")
	if !ok {
		return version{}, false
	}
	a, errA := strconv.Atoi(major)
	b, errB := strconv.Atoi(minor)
	return version{a, b}, errA == nil && errB == nil && a >= 0 && b >= 0
}

// before reports whether v is older than major.minor.
func (v version) before(major, minor int) bool {
	return v.major < major || v.major == major && v.minor < minor
}
