//go:build unix

package dirstore

import "syscall"

// openSafely neither follows a link nor waits for the other end of a pipe,
// should one have taken a file's place after it was looked at.
const openSafely = syscall.O_NOFOLLOW | syscall.O_NONBLOCK
