package gcp

import (
	"strings"

	"github.com/otelcol-custody/custody/audit"
)

// lastName is the last part of a method: CreateTopic of
// google.pubsub.v1.Publisher.CreateTopic, insert of v1.compute.instances.insert.
func lastName(method string) string { return method[strings.LastIndexByte(method, '.')+1:] }

// version is the part of a method that names the version of its API.
func version(method string) string {
	for part := range strings.SplitSeq(method, ".") {
		if len(part) > 1 && part[0] == 'v' && part[1] >= '0' && part[1] <= '9' {
			return part
		}
	}
	return ""
}

// action is what a call does: by the first word of its name, and where that is unknown
// by the kind of permission that it needed.
func (e *entry) action() string {
	name := lastName(e.method)
	word := firstWord(name)
	if word == "batch" || word == "bulk" {
		word = firstWord(name[len(word):]) // BatchGetDocuments, bulkInsert
	}
	if action, ok := words[word]; ok {
		return action
	}
	action := audit.ActionOther
	for _, kind := range e.Strs(fPermissionType) {
		switch kind {
		case "ADMIN_WRITE", "DATA_WRITE":
			return audit.ActionUpdate
		case "ADMIN_READ", "DATA_READ":
			action = audit.ActionRead
		}
	}
	return action
}

// firstWord is the first word of a name in camel case, in lower case.
func firstWord(name string) string {
	for i := 1; i < len(name); i++ {
		if name[i] >= 'A' && name[i] <= 'Z' || name[i] == '_' {
			return strings.ToLower(name[:i])
		}
	}
	return strings.ToLower(name)
}

// words are the actions of methods by the first word of their name.
var words = func() map[string]string {
	all := map[string]string{}
	for action, list := range map[string]string{
		audit.ActionCreate: "create insert put copy upload import register provision compose clone allocate",
		audit.ActionRead: "get list aggregated search query lookup read check describe fetch download export view watch " +
			"test analyze count validate retrieve streaming pull",
		audit.ActionUpdate: "update patch set add remove attach detach enable disable modify edit move rename replace reset change " +
			"restore undelete tag untag suspend resume resize rotate promote assign unassign grant revoke cancel abandon recreate migrate approve",
		audit.ActionDelete:  "delete destroy purge terminate drop release unregister deprovision",
		audit.ActionExecute: "start stop run execute invoke call connect publish send sign generate encrypt decrypt exchange authorize preempted reboot trigger retry jobcompleted",
	} {
		for word := range strings.FieldsSeq(list) {
			all[word] = action
		}
	}
	return all
}()
