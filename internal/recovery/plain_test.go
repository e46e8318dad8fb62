package recovery

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/otelcol-custody/custody/internal/durable"
	"github.com/otelcol-custody/custody/internal/durable/durabletest"
	"github.com/otelcol-custody/custody/store"
)

// Paths of the machine and the words of a store, which may name accounts, are for
// the operator. What is sealed stays for ever.
func TestSealedText(t *testing.T) {
	in(t, 2, func(w *world) {
		excused := broken(w)
		const theirs = "User: arn:aws:sts::123456789012:assumed-role/x is not authorized"
		r := w.must(both(acceptLoss, func(o *Options) {
			o.Stores[1] = Store{ID: "s3://b", Err: fmt.Errorf("%w: %s", store.ErrDenied, theirs)}
		}))
		if !strings.Contains(r.Stores[1].Error, theirs) || !strings.Contains(strings.Join(r.Reasons, " "), theirs) {
			t.Errorf("the operator is not told: %+v", r)
		}
		w.resume(100)
		b, err := only(t, w.audit(w.stores[0], excused)).Line()
		if err != nil {
			t.Fatal(err)
		}
		for _, private := range []string{theirs, "arn:", w.dir + "/"} {
			if strings.Contains(string(b), private) {
				t.Errorf("it is sealed with %q: %s", private, b)
			}
		}
		for _, want := range []string{store.ErrDenied.Error(), "identity: it is not an identity", "journal/0000000000"} {
			if !strings.Contains(string(b), want) {
				t.Errorf("it is sealed without %q: %s", want, b)
			}
		}
	})
}

// The same where a start says what is the matter, and no file does.
func TestFoundText(t *testing.T) {
	in(t, 1, func(w *world) {
		moments["delivered, open journal"](w)
		w.drop(w.journals()...)
		if r := w.must(acceptLoss); !strings.HasPrefix(r.Found, "state is damaged: journal/0") || !strings.HasSuffix(r.Found, "at every moment") {
			t.Errorf("found: %s", r.Found)
		}
	})
}

// What stands in a state directory and is not of the log stays where it is: on a
// volume of its own nobody but root may move lost+found.
func TestForeignNameStays(t *testing.T) {
	in(t, 1, func(w *world) {
		excused := broken(w)
		foreign := w.dir + "/lost+found"
		if err := durable.MkdirAll(w.fs, foreign, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := durable.WriteFile(w.fs, w.dir+"/forked", []byte("log web is forked\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		w.fs.Inject(durabletest.Fault{Op: durabletest.OpRename, Path: "lost+found", UntilRestart: true})
		r := w.must(acceptLoss)
		if _, err := w.fs.Stat(foreign); err != nil {
			t.Error(err)
		}
		for _, name := range []string{"identity", "journal", "spool", "checkpoint", "forked"} {
			if _, err := w.fs.Stat(w.dir + "/" + r.SetAside + "/" + name); err != nil {
				t.Error(err)
			}
		}
		w.fs.Heal()
		w.resume(100)
		only(t, w.audit(w.stores[0], excused))
		w.asideIsWhole()
	})
}

// An error of a store without a class has no word of the store either.
func TestClass(t *testing.T) {
	for want, err := range map[string]error{
		"access denied":     fmt.Errorf("a: %w: b", store.ErrDenied),
		"store unavailable": fmt.Errorf("%w: dial 10.0.0.1", store.ErrUnavailable),
		"it failed":         errors.New("arn:aws:iam::1"),
	} {
		if got := class(err); got != want {
			t.Errorf("class(%v) = %q, want %q", err, got, want)
		}
	}
}
