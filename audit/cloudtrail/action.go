package cloudtrail

import "github.com/otelcol-custody/custody/audit"

// action returns the verb of an API call: by the first word of its name, and
// where that is unknown by readOnly.
func (m *mapper) action(name string) string {
	if verb := verbOf(name); verb != "" {
		return verb
	}
	readOnly, ok := m.boolean(slotReadOnly)
	switch {
	case ok && readOnly:
		return audit.ActionRead
	case ok:
		return audit.ActionExecute
	}
	return audit.ActionOther
}

// verbOf returns "" for a name whose first word is not in the table.
func verbOf(name string) string {
	word, rest := firstWord(name)
	if word == "Batch" || word == "Admin" || word == "Bulk" {
		word, _ = firstWord(rest) // BatchGetItem, AdminCreateUser
	}
	switch word {
	case "Create", "Put", "Run", "Allocate", "Register", "Import", "Copy", "Upload", "Launch",
		"Provision", "Purchase", "Issue", "Request", "Invite":
		return audit.ActionCreate
	case "Get", "List", "Describe", "Head", "Lookup", "Search", "Query", "Scan", "Select", "View",
		"Read", "Check", "Download", "Preview", "Estimate", "Validate", "Receive", "Retrieve",
		"Fetch", "Detect", "Filter", "Export", "Poll", "Count", "Is":
		return audit.ActionRead
	case "Update", "Modify", "Set", "Add", "Remove", "Attach", "Detach", "Associate", "Disassociate",
		"Enable", "Disable", "Tag", "Untag", "Change", "Rename", "Replace", "Reset", "Restore",
		"Authorize", "Revoke", "Accept", "Reject", "Cancel", "Leave", "Move", "Merge", "Apply",
		"Activate", "Deactivate", "Link", "Unlink", "Subscribe", "Unsubscribe", "Upgrade", "Rotate",
		"Transfer", "Configure", "Assign", "Unassign", "Suspend", "Resume", "Share", "Lock", "Unlock",
		"Grant", "Deny", "Promote", "Resync", "Switch", "Increase", "Decrease", "Confirm":
		return audit.ActionUpdate
	case "Delete", "Terminate", "Deregister", "Release", "Destroy", "Purge", "Drop", "Unregister",
		"Deprovision", "Expire", "Retire", "Schedule":
		return audit.ActionDelete
	case "Start", "Stop", "Reboot", "Invoke", "Execute", "Send", "Publish", "Encrypt", "Decrypt", "Re",
		"Generate", "Sign", "Verify", "Submit", "Test", "Simulate", "Signal", "Retry", "Rebuild", "Derive":
		return audit.ActionExecute
	}
	return ""
}

// firstWord splits a name in camel case behind its first word.
func firstWord(name string) (word, rest string) {
	for i := 1; i < len(name); i++ {
		if name[i] >= 'A' && name[i] <= 'Z' {
			return name[:i], name[i:]
		}
	}
	return name, ""
}
