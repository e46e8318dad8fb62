// Package attacks is the corpus of attacks: each does to a generated log, or to
// what belongs to it, what an attacker would do, and says what must be found and
// where. Every judge of the project is held against it, and rivals where they
// can run here. `make attacks` writes docs/attacks/README.md from a run.
//
// An attack is a value in one of the tables: segments, seals, history, lies,
// sizes, tiles, versions, watch, state, fence, proofs, packs. A judge is an
// implementation of judge.
package attacks
