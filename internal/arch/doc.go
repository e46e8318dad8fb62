// Package arch holds no code, only the test that keeps the arrows between
// packages pointing inward (docs/design.md, "Packages").
package arch
