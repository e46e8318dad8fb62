package m365

import (
	"strings"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/internal/draft"
)

// privileges names the rights that are given or taken: a role of the directory, the
// parameters of a cmdlet, or what SharePoint puts into its data between tags.
func (r *record) privileges(class audit.Class, d *draft.Draft) {
	if class.UID != audit.ClassUserAccess.UID {
		return
	}
	_, after, _ := strings.Cut(r.str(fEventData), "<Permissions granted>")
	shared, _, closed := strings.Cut(after, "</Permissions granted>")
	if !closed {
		shared = ""
	}
	d.PutList(audit.AttrPrivileges, draft.First(
		r.property("Role.DisplayName"), r.property("AppRole.Value"), r.pair(fParameterName, fParameterValue, "AccessRights"),
		r.pair(fParameterName, fParameterValue, "Role"), shared))
}
