// Package e2e has only tests: they build the two programs, run them as an
// operator would, and judge by what lies in the store and by what the auditor's
// command says of it.
//
//	CUSTODY_SAMPLES=DIR    a further folder of CloudTrail files for TestQuickstart
//	CUSTODY_TORTURE=N      kills of TestKill, and about as many of those of TestTrail…
//	CUSTODY_BULK=N         N rounds of a million events, in TestTrailBulk; it knows a small bulk
//	CUSTODY_SOAK=1h        how long TestNobodyIsAccused lasts, clocks jump then
//	CUSTODY_STRACE=all     every fault at every call, in TestStrace; it knows others
//	CUSTODY_SEED=N         what tests draw by lot, as a failed run printed it
//	CUSTODY_E2E_BIN=DIR    take the programs from here instead of building them
package e2e
