// Package model is a small executable model of the sealer's write path and of its
// restart. It explores every interleaving within given bounds and checks
// invariants I1 to I6 of the design in every state that can be reached. It shares
// no code with the sealer: it is a second account of the same steps, in the same
// order and under the same names, and [Mistake] lists what must not be changed
// about that order. It is pure: no files, no clock, no randomness.
//
// # What is modelled
//
//   - Two callers with up to two events each: a request is answered, fails, or
//     times out while its records go on; then it is sent again.
//   - The log's owner (sealer.pool): journal append, fdatasync, watermark, answer;
//     rotation with the next journal made first; mending after a fault; signed
//     checkpoints, remembered before they are shown.
//   - The press: segment and seal into the spool, the folder's fsync, cutting the
//     journal. The courier: probe, delivery, leaving the spool, forgetting older
//     seals. Stores take a seal create-only behind the one before it; a request
//     can be unheard, or be done and its answer lost.
//   - Start (state.load): sync of the folders, seals, journals, leftovers, the
//     newest checkpoint, renewal of what only the kernel may have.
//   - Each call to the file system fails without effect or although it had one; a
//     failed fdatasync loses what it should have written for good.
//   - kill -9 and power loss between any two steps. A power loss keeps what was
//     synced, of each folder's later changes any first part, of each file's later
//     frame and of the watermark all or nothing.
//   - A second host with a copy of the state, begun at any time: so also a backup
//     of long ago. Damage: each file of a stopped writer lost, journals cut, the
//     oldest spooled segment lost with its seal.
//
// Roots, links and tree are one thing here: a history, which stands for all
// records before a place. What is drawn at random (seed, clock, nonce) differs
// from everything that is left of earlier draws.
//
// # What is checked
//
// Whoever begins to run goes on with a history that has all that it ever
// acknowledged; no event is stored more often than it was handed over (I1). No
// position of a store is replaced (I2). Seals follow each other (I3). No writer
// signs two roots for a size; a state that nobody touched is not refused (I4). A
// writer that heard of a fork, or started while a store that it could reach had
// another history, acknowledges nothing (I5). A log begins once (I6). And from
// every state some continuation without any further fault ends with all segments
// in all stores.
//
// # What is not modelled
//
// Time, sizes and the spool's limit; tiles; emitted records; a planned stop,
// which is a rotation and then a kill in which nothing is lost; recover; the lock
// of the state directory; squatters and other damage in stores; bits that flip. A
// supervisor that starts a writer again after a fork is left out, too: its disk
// remembers the fork, and it does not start. Torn frames need no
// state: a reader treats them as missing. Folders are synced one by one, but at
// the start all at once.
package model
