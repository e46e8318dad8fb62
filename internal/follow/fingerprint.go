package follow

import (
	"io/fs"
	"time"
)

// A fingerprint tells whether a file may have changed without reading it. The change
// time is in it because whoever can write a file can also set back its modification
// time, but not its change time.
type fingerprint struct {
	Size  int64  `json:"size"`
	MTime int64  `json:"mtime"` // nanoseconds since 1970
	CTime int64  `json:"ctime"` // the same; 0 where the system does not tell
	Inode uint64 `json:"inode"` // 0 where the system does not tell
}

func fingerprintOf(info fs.FileInfo) fingerprint {
	p := fingerprint{Size: info.Size(), MTime: info.ModTime().UnixNano()}
	p.CTime, p.Inode = identity(info)
	return p
}

// age is how long ago the file was last touched by its own times; negative when
// they lie in the future, and then they say nothing.
func (p fingerprint) age(now time.Time) time.Duration {
	return now.Sub(time.Unix(0, max(p.MTime, p.CTime)))
}
