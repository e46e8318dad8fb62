// Package awscloudtrailreceiver reads AWS CloudTrail log files and hands on each
// event exactly as AWS wrote it. Its place is remembered across restarts, and moves
// only when the pipeline has taken the events.
package awscloudtrailreceiver

//go:generate go tool -modfile=../../tools/go.mod mdatagen metadata.yaml
