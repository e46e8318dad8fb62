// Package keyfile reads and writes a log's key files (spec §5): a signer key in
// PREFIX.key, which only its owner may read, and its verifier key in PREFIX.pub.
package keyfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/otelcol-custody/custody/ledger/checkpoint"
)

// The endings of the two files of a key pair.
const (
	SignerSuffix   = ".key"
	VerifierSuffix = ".pub"
)

// maxFile is far more than any key file needs, and little enough to read when
// somebody names a wrong file.
const maxFile = 1 << 20

// ErrInsecure means that others than its owner may read or change a signer key.
var ErrInsecure = errors.New("insecure permissions")

// ReadSigner reads a signer key. It refuses a file that group or others have any
// access to ([ErrInsecure]), and everything that is not one signer key on a line.
func ReadSigner(path string) (*checkpoint.Signer, error) {
	text, err := read(path, func(info fs.FileInfo) error {
		if mode := info.Mode().Perm(); mode&0o077 != 0 {
			return fmt.Errorf("%w: the mode of the private key is %04o, others may use it; run: chmod 600 %s", ErrInsecure, mode, quote(path))
		}
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("key file: %w; to make a key pair run: custody keygen --name ORIGIN --out %s", err,
			quote(strings.TrimSuffix(path, SignerSuffix)))
	}
	if err != nil {
		return nil, fmt.Errorf("key file %s: %w", path, err)
	}
	s, err := checkpoint.NewSigner(strings.TrimSuffix(text, "\n"))
	if err != nil {
		return nil, fmt.Errorf("key file %s: %w", path, err)
	}
	return s, nil
}

// ReadKeys reads the verifier keys of all files, one key on a line. A key that
// occurs more than once counts once.
func ReadKeys(paths ...string) (*checkpoint.Keys, error) {
	var all []string
	for _, path := range paths {
		text, err := read(path, func(fs.FileInfo) error { return nil })
		if err != nil && !errors.As(err, new(*fs.PathError)) { // A PathError names the file already.
			err = fmt.Errorf("%s: %w", path, err)
		}
		if err != nil {
			return nil, fmt.Errorf("key file: %w", err)
		}
		keys, err := checkpoint.ParseKeys(text)
		if err != nil {
			return nil, fmt.Errorf("key file %s: %w", path, err)
		}
		for _, vkey := range keys.VerifierKeys() {
			if !slices.Contains(all, vkey) {
				all = append(all, vkey)
			}
		}
	}
	return checkpoint.ParseKeys(strings.Join(all, "\n"))
}

// read reads a small regular file. It judges the opened file, so that nobody can
// put another one in its place in between.
func read(path string, judge func(fs.FileInfo) error) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	if info.IsDir() {
		return "", errors.New("it is a folder; name the file in it")
	}
	if !info.Mode().IsRegular() {
		return "", errors.New("it is not a regular file")
	}
	if err := judge(info); err != nil {
		return "", err
	}
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(b) > maxFile {
		err = fmt.Errorf("more than %d bytes: it is not a key file", maxFile)
	}
	return string(b), err
}

// Write writes a key pair to prefix.key (mode 0600) and prefix.pub (0644), both
// durable on return, and makes their folder (0700) when it is missing. It never
// replaces a file: when one of the two is there, it writes neither.
func Write(prefix, skey, vkey string) error {
	dir := filepath.Dir(prefix)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the keys' folder: %w", err)
	}
	for _, path := range []string{prefix + SignerSuffix, prefix + VerifierSuffix} {
		if _, err := os.Lstat(path); err == nil {
			return fmt.Errorf("%s: %w; a key is never replaced, since what it signed could not be continued", path, fs.ErrExist)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if err := create(prefix+SignerSuffix, skey, 0o600); err != nil {
		return err
	}
	if err := create(prefix+VerifierSuffix, vkey, 0o644); err != nil {
		return err
	}
	return syncDir(dir)
}

func create(path, text string, mode fs.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text + "\n")
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(path)) // It is ours and of no use.
	}
	return nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// quote makes a path fit to be pasted into a shell.
func quote(path string) string {
	if strings.Trim(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-") == "" {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}
