package store

import (
	"fmt"
	"iter"
)

// Limits on what is held of one name. Who can write can lay versions and delete
// markers on it without number.
const (
	// MaxVersions is how many of them [Store] Versions describes.
	MaxVersions = 1024
	// MaxListed is how many of them a store holds that lists the oldest first.
	MaxListed = 16384
)

// Ends are the first and the last of many, half of most each. It changes all.
func Ends[T any](all []T, most int) []T {
	if len(all) <= most {
		return all
	}
	return append(all[:most/2], all[len(all)-most/2:]...)
}

// VersionsOf does for [Store] Versions what a store needs that lists the newest
// first: list begins with the versions of name.
func VersionsOf(list iter.Seq2[Info, error], name string) ([]Info, error) {
	var all []Info
	for info, err := range list {
		if err != nil {
			return nil, err
		}
		if info.Name != name { // Longer names with this beginning come after it.
			break
		}
		if all = append(all, info); len(all) == 2*MaxVersions {
			all = Ends(all, MaxVersions)
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%w: %s", ErrNotFound, name)
	}
	return Ends(all, MaxVersions), nil
}
