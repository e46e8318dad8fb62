// Package outage tests a log's writer against stores that misbehave: the real
// sealer, three real WORM exporters behind it, and doubles of stores that are
// slow, away, forgetful, deaf, late or confused, in virtual time.
package outage
