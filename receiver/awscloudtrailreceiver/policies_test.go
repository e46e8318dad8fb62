package awscloudtrailreceiver

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
)

const handbook = "../../docs/aws.md"

// calledForUs is what S3 does in the reader's name: no call of the receiver's shows it.
var calledForUs = []string{"kms:Decrypt"}

// TestPoliciesNameWhatIsCalled has every source do all that it can, and wants the policies
// of the handbook and of the Terraform module to allow these calls, and none besides.
func TestPoliciesNameWhatIsCalled(t *testing.T) {
	x := newProofsFixture(t)
	told, silent := x.trail.Log(10), x.trail.Log(20)
	version, _ := x.s3.Put(trailBucket, told.Key, told.Gzip(t), nil)
	x.sqs.Send(queueName, created(told.Key, version, "")) // GetObjectVersion, though it be listed first
	x.put(t, silent, true)                                // ListObjectsV2, GetObject
	x.put(t, x.trail.Hour(t, told, silent), false)        // ListPublicKeys
	x.sqs.Send(queueName, "poison")                       // ChangeMessageVisibility
	x.yaml = "bucket: {name: " + trailBucket + "}\n"
	r := x.start(t)
	until(t, "everything was called", func() bool {
		return len(x.sqs.Actions()) >= 3 && len(x.s3.Calls()) >= 3 && len(x.cloudtrail.Actions()) >= 1
	})
	tick(t, r, 2*time.Hour) // What is overdue is looked for.
	called := slices.Concat(x.sqs.Actions(), x.s3.Calls(), x.cloudtrail.Actions(), calledForUs)
	sameSet(t, "policy for the reader", policy(t, "Policy for the reader"), called)
	sameSet(t, "Terraform", terraformActions(t, `data "aws_iam_policy_document" "read"`), called)
}

func TestLookupPolicyNamesWhatIsCalled(t *testing.T) {
	x := newAWSFixture(t)
	e := happened("e", 1, time.Now().Add(-time.Minute), 0)[0]
	x.cloudtrail.AddEvents(types.Event{EventId: &e.id, EventTime: &e.at, CloudTrailEvent: aws.String(e.body)})
	x.startLookup(t, x.cloudtrail, fmt.Sprintf("{from: %q}", time.Now().Add(-time.Hour).Format(time.RFC3339)))
	until(t, "an event came", func() bool { return len(x.next.bodies()) > 0 })
	sameSet(t, "policy for lookup", policy(t, "Policy for lookup"), slices.Concat(x.cloudtrail.Actions(), x.sqs.Actions(), x.s3.Calls()))
}

// policy returns the actions of the handbook's policy below a heading.
func policy(t *testing.T, heading string) (actions []string) {
	t.Helper()
	_, section, found := strings.Cut(read(t, handbook), "\n### "+heading+"\n")
	_, section, fenced := strings.Cut(section, "```json\n")
	text, _, ended := strings.Cut(section, "```")
	if !found || !fenced || !ended {
		t.Fatalf("%s has no policy below %q", handbook, heading)
	}
	var p struct{ Statement []struct{ Action any } }
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		t.Fatalf("%s: %v", heading, err)
	}
	for _, s := range p.Statement {
		switch a := s.Action.(type) {
		case string:
			actions = append(actions, a)
		case []any:
			for _, one := range a {
				actions = append(actions, one.(string))
			}
		}
	}
	return actions
}

var (
	actionList   = regexp.MustCompile(`(?s)actions\s*=\s*\[(.*?)\]`)
	quotedAction = regexp.MustCompile(`"([^"]+)"`)
)

// terraformActions are the actions of a policy document of the module.
func terraformActions(t *testing.T, block string) (actions []string) {
	t.Helper()
	files, err := filepath.Glob("../../deploy/terraform/cloudtrail/*.tf")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		_, rest, found := strings.Cut(read(t, file), block+" {\n")
		if !found {
			continue
		}
		body, _, _ := strings.Cut(rest, "\n}\n")
		for _, list := range actionList.FindAllStringSubmatch(body, -1) {
			for _, m := range quotedAction.FindAllStringSubmatch(list[1], -1) {
				actions = append(actions, m[1])
			}
		}
	}
	return actions
}

// TestHandbook: what the handbook shows can be pasted.
func TestHandbook(t *testing.T) {
	receivers := 0
	for _, m := range regexp.MustCompile("(?s)```(json|yaml)\n(.*?)```").FindAllStringSubmatch(read(t, handbook), -1) {
		if m[1] == "json" {
			if !json.Valid([]byte(m[2])) {
				t.Errorf("not JSON:\n%s", m[2])
			}
			continue
		}
		_, text, found := strings.Cut(m[2], "receivers:\n  aws_cloudtrail:\n")
		if !found {
			t.Errorf("no receiver:\n%s", m[2])
			continue
		}
		receivers++
		if _, err := configFrom(text); err != nil {
			t.Errorf("%v\n%s", err, m[2])
		}
	}
	if receivers != 3 {
		t.Errorf("%d receivers, want three", receivers)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
