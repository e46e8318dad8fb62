package integrityextension

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/otelcol-custody/custody/internal/integrity/incident"
)

const (
	// acknowledgeDir is where an operator puts acknowledgements, below state_dir:
	// who may write there may acknowledge, and nobody over a network.
	acknowledgeDir = "acknowledge"
	// settled is how far off a file's time has to be before it is taken for finished:
	// in the past, or in the future of a clock that was wrong.
	settled = 2 * time.Second
	// longestAcknowledgement is more than anybody writes, in bytes.
	longestAcknowledgement = 8 << 10
)

// forgetSuffix behind an incident's id has the head forgotten, too, that the
// store showed before.
const forgetSuffix = ".forget"

// An operator is a person who has write access to state_dir.
type operator struct {
	book interface {
		Incident(id string) (incident.Incident, bool)
		Acknowledge(id, who, why string) error
	}
	heads interface {
		Forget(store, log, who, why string) error
	}
}

// acknowledge takes the acknowledgements that wait: files named by an incident's
// id with the text "WHO: WHY". A file is removed once it has been done, or when
// it cannot be done.
func acknowledge(dir string, now time.Time, o operator, log *zap.Logger) {
	files, err := os.ReadDir(dir)
	if err != nil {
		log.Warn("cannot look for acknowledgements", zap.Error(err))
		return
	}
	for _, f := range files {
		info, err := f.Info()
		if err != nil || now.Sub(info.ModTime()).Abs() < settled {
			continue // It is gone, or still being written.
		}
		err = take(filepath.Join(dir, f.Name()), info, o)
		switch {
		case err == nil:
		case errors.Is(err, errNotAcknowledged), errors.Is(err, errNotOfAHead), errors.Is(err, incident.ErrUnknown):
			log.Warn("an acknowledgement was not taken", zap.String("file", f.Name()), zap.Error(err))
		default: // A disk.
			log.Warn("cannot acknowledge yet", zap.String("file", f.Name()), zap.Error(err))
			continue
		}
		if err := os.Remove(filepath.Join(dir, f.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			log.Warn("cannot remove an acknowledgement that was looked at", zap.Error(err))
		}
	}
}

var errNotAcknowledged = errors.New(`it has to be a file named by the incident's id with one line, "WHO: WHY"`)

func take(path string, info fs.FileInfo, o operator) error {
	if !info.Mode().IsRegular() || info.Size() > longestAcknowledgement {
		return errNotAcknowledged
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	who, why, ok := strings.Cut(strings.TrimSpace(string(text)), ":")
	who, why = strings.TrimSpace(who), strings.TrimSpace(why)
	if !ok || who == "" || why == "" {
		return errNotAcknowledged
	}
	id, forget := strings.CutSuffix(filepath.Base(path), forgetSuffix)
	if forget {
		if err := o.forget(id, who, why); err != nil {
			return err
		}
		why = "HEAD FORGOTTEN: " + why // In every channel it is told from an acknowledgement alone.
	}
	return o.book.Acknowledge(id, who, why)
}

var errNotOfAHead = errors.New("a head can be forgotten only for the rollback or fork that says that the store showed another one before")

// forget has the next head that the store shows believed, for as long as the
// incident is open that says why. Only who knows why the store shows less than
// before, or something else, may want that.
func (o operator) forget(id, who, why string) error {
	i, ok := o.book.Incident(id)
	switch {
	case !ok || !i.Open():
		return incident.ErrUnknown
	case i.Kind != incident.Rollback && i.Kind != incident.Fork || i.Place.Store == "" || i.Place.Log == "" || i.Place.Object+i.Place.Peer != "":
		return errNotOfAHead
	}
	return o.heads.Forget(i.Place.Store, i.Place.Log, who, why)
}
