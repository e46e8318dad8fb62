// Package follow reads the files of a directory tree, each content exactly once.
//
// A [Follower] looks through a tree again and again, in the order in which
// [io/fs.WalkDir] visits it, and hands each finished file to a [Handler]. What was
// handed on is remembered by its content ([contents.Book]): a copied or renamed file is recognised, and a path with new content is read again.
//
// # What is remembered
//
// Beside what [contents] keeps of each content, as JSON:
//
//	follow/1/path/<32 hex: first half of the SHA-256 of the relative path>
//	    {"size":…,"mtime":…,"ctime":…,"inode":…}: the file at this path, when it
//	    looked like this, held content that is done. It only saves reading the
//	    file again after a restart; losing it costs a reading, nothing else.
//
// # What is not promised
//
// A file that is not compressed and stands still for the whole of StableFor in the
// middle of being written is read as it is, and again when it is whole: nothing is
// lost, but its first records come twice.
package follow
