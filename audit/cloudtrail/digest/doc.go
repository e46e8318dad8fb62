// Package digest proves CloudTrail log files by CloudTrail's own digest files: RSA
// signatures, the chain of digests, and the hash of every log file. It takes bytes and
// times and returns values; it reads no file, no network and no clock.
//
// [ParseName] and [ParseLogName] read object keys, [Parse] a digest file, [ParseKeys] what
// ListPublicKeys answered, [Verify] checks one signature. A [Judge] holds all of it against
// each other as it arrives, in any order, and says of each file what is proven.
//
// The format is described in the CloudTrail User Guide, "CloudTrail digest file structure"
// and "Custom implementations of CloudTrail log file integrity validation".
package digest
