package transfer

import (
	"context"
	"crypto/sha256"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/store"
)

type digest = [sha256.Size]byte

// seals deals with the seals of one position: those under the usual name and
// beside it, in all versions. Each content gets a file: the oldest version of a
// name that name, the others the next free ones that readers look at. What lies
// there is found again by its content, so a second fetch changes nothing.
func (f *fetch) seals(ctx context.Context, it item) (outcome, error) {
	versions, o := it.versions()
	for i, info := range versions {
		if slices.ContainsFunc(versions[:i], sameName(info.Name)) {
			o.notice(Shadowed, info, "a later version lies on it; unless its bytes are the same, it is kept as a seal beside it")
		}
	}
	if sameSizes(versions, it.here) {
		o.skipped += uint64(len(it.here))
		return o, nil
	}
	if len(versions) == 1 && len(it.here) == 0 { // The usual case takes one read.
		data, err := read(ctx, f.from, versions[0], it.folder.limit)
		if err == nil {
			err = f.put(ctx, versions[0].Name, data, &o)
		}
		return o, err
	}
	slices.SortStableFunc(versions, func(a, b store.Info) int { return besideNumber(a.Name) - besideNumber(b.Name) })
	there, err := f.digests(ctx, f.from, it, versions)
	if err != nil {
		return o, err
	}
	here, err := f.digests(ctx, f.to, it, it.here)
	if err != nil {
		return o, err
	}
	p := placing{it.here, here, &o}
	for i, name := range p.places(versions, there) {
		if name == "" {
			continue
		}
		data, err := read(ctx, f.from, versions[i], it.folder.limit)
		if err == nil {
			err = f.put(ctx, name, data, &o)
		}
		if err != nil {
			return o, err
		}
	}
	p.leftOver(versions, there)
	return o, nil
}

func sameName(name string) func(store.Info) bool {
	return func(info store.Info) bool { return info.Name == name }
}

// besideNumber is the n of <first>.<n>.seal, 0 for the usual name.
func besideNumber(name string) int {
	_, n, _ := ledger.ParseSealName(path.Base(name))
	return n
}

// sameSizes says whether there is a file for each version, by size. Versions of
// equal bytes have one file: these are read again.
func sameSizes(versions, here []store.Info) bool {
	sizes := func(infos []store.Info) (list []int64) {
		for _, info := range infos {
			list = append(list, info.Size)
		}
		slices.Sort(list)
		return list
	}
	return slices.Equal(sizes(versions), sizes(here))
}

// digests hashes objects one by one: an attacker may have left many large ones.
// One that the format does not allow hashes to nothing.
func (f *fetch) digests(ctx context.Context, s store.Store, it item, infos []store.Info) ([]digest, error) {
	var list []digest
	for _, info := range infos {
		if info.Size > it.folder.limit {
			list = append(list, digest{})
			continue
		}
		data, err := read(ctx, s, info, it.folder.limit)
		if err != nil {
			return nil, err
		}
		list = append(list, sha256.Sum256(data))
	}
	return list, nil
}

// placing finds names for the seals of one position.
type placing struct {
	here    []store.Info
	digests []digest // of here
	o       *outcome
}

// places gives each version the name to be stored under, "" where its content is
// there or belongs to another version as well. A copy under a name of its own is
// kept: it is a finding of verifiers.
func (p *placing) places(versions []store.Info, sums []digest) []string {
	names := make([]string, len(versions))
	taken := map[string]bool{}
	for _, info := range p.here {
		taken[info.Name] = true
	}
	known := slices.Clone(p.digests)
	place := func(i int, name string) {
		names[i], taken[name], known = name, true, append(known, sums[i])
	}
	for i, info := range versions { // The oldest of a name comes first.
		if oldest := !slices.ContainsFunc(versions[:i], sameName(info.Name)); oldest && !taken[info.Name] {
			place(i, info.Name)
		}
	}
	for i, info := range versions {
		switch {
		case names[i] != "":
		case slices.Contains(known, sums[i]):
			p.o.skipped++
		default:
			place(i, free(info.Name, taken))
		}
	}
	return names
}

// free is the next free name beside a seal.
func free(name string, taken map[string]bool) string {
	log, _, _ := strings.Cut(name, "/")
	first, _, _ := ledger.ParseSealName(path.Base(name))
	for n := 1; ; n++ {
		if beside := log + "/" + ledger.BesideSealName(first, n); !taken[beside] {
			return beside
		}
	}
}

// leftOver deals with seals that the directory has and no version in the store.
func (p *placing) leftOver(versions []store.Info, sums []digest) {
	for i, info := range p.here {
		switch {
		case slices.Contains(sums, p.digests[i]):
		case slices.ContainsFunc(versions, sameName(info.Name)):
			p.o.find(CopyDiffers, info, fmt.Sprintf("no version of it in the store is what the directory holds, %d bytes: one of them was altered. What the store has lies beside it; custody verify tells which is genuine", info.Size))
		default:
			p.o.notice(Gone, info, "it was fetched earlier and is not in the store any more")
		}
	}
}
