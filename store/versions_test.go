package store

import (
	"errors"
	"iter"
	"strconv"
	"testing"
)

// versions lists n versions of a, the newest first, then one of ab.
func versions(n int, err error) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		for i := n; i > 0; i-- {
			if !yield(Info{Name: "a", Version: strconv.Itoa(i)}, nil) {
				return
			}
		}
		if err == nil || yield(Info{}, err) {
			yield(Info{Name: "ab", Version: "1"}, nil)
		}
	}
}

func TestVersionsOf(t *testing.T) {
	for _, n := range []int{1, 2, MaxVersions, MaxVersions + 1, 2*MaxVersions - 1, 2 * MaxVersions, 10*MaxVersions + 7} {
		all, err := VersionsOf(versions(n, nil), "a")
		if err != nil || len(all) != min(n, MaxVersions) || cap(all) > 4*MaxVersions {
			t.Fatalf("of %d: %d, %v", n, len(all), err)
		}
		for i, info := range all {
			want := n - i
			if i >= MaxVersions/2 {
				want = len(all) - i
			}
			if info.Version != strconv.Itoa(want) {
				t.Fatalf("of %d: version %s at %d, want %d", n, info.Version, i, want)
			}
		}
	}
	if _, err := VersionsOf(versions(0, nil), "a"); !errors.Is(err, ErrNotFound) {
		t.Errorf("of none: %v", err)
	}
	if all, err := VersionsOf(versions(3, ErrUnavailable), "a"); !errors.Is(err, ErrUnavailable) || all != nil {
		t.Errorf("broken off: %v, %v", all, err)
	}
}
