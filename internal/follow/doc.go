// Package follow reads the files of a directory tree, each content exactly once.
//
// A [Follower] looks through a tree again and again, in the order in which
// [io/fs.WalkDir] visits it, and hands each finished file to a [Handler]. What was
// handed on is remembered in [Positions] by the SHA-256 of the file's stored bytes:
// a copied or renamed file is recognised, and a path with new content is read again.
//
// # Order of events
//
// The handler delivers a batch, the batch is acknowledged, the position is durable,
// and only then does anything else happen. A crash in between repeats at most the
// batches that were in flight; it never skips one.
//
// # What is remembered
//
// Every key begins with "follow/1/". Values are JSON.
//
//	follow/1/content/<64 hex: SHA-256 of the stored bytes>
//	    {"events":N,"done":true,"path":"…"}: N records of this content are
//	    acknowledged; done means these are all; path is where it was first read. A
//	    member limit says that the content was larger than this limit: it is
//	    read after all when the limit is raised.
//	follow/1/path/<32 hex: first half of the SHA-256 of the relative path>
//	    {"size":…,"mtime":…,"ctime":…,"inode":…}: the file at this path, when it
//	    looked like this, held content that is done. It only saves reading the
//	    file again after a restart; losing it costs a reading, nothing else.
//
// Content keys are never deleted: they are what keeps a file that comes back from
// being delivered twice. Together a file costs about 300 bytes.
//
// # What is not promised
//
// A file that is not compressed and stands still for the whole of StableFor in the
// middle of being written is read as it is, and again when it is whole: nothing is
// lost, but its first records come twice.
package follow
