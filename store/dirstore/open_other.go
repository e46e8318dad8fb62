//go:build !unix

package dirstore

const openSafely = 0
