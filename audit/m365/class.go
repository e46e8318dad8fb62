package m365

import (
	"strings"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/entra"
	"github.com/otelcol-custody/custody/audit/internal/draft"
)

// A meaning is a class with one of its activities, and the action.
type meaning struct {
	class    audit.Class
	activity int64
	action   string
}

// The meanings that several operations have. Activities of class 3001: 1 create,
// 6 delete. Of classes 3005 and 3006: 1 assign privileges, 2 revoke them; of 3006, too:
// 3 add user, 4 remove user, 5 delete, 6 create.
var (
	login        = meaning{audit.ClassAuthentication, audit.AuthLogon, audit.ActionLogin}
	logout       = meaning{audit.ClassAuthentication, audit.AuthLogoff, audit.ActionLogout}
	newAccount   = meaning{audit.ClassAccountChange, 1, audit.ActionCreate}
	setAccount   = meaning{audit.ClassAccountChange, audit.ActivityOther, audit.ActionUpdate}
	endAccount   = meaning{audit.ClassAccountChange, 6, audit.ActionDelete}
	grant        = meaning{audit.ClassUserAccess, 1, audit.ActionCreate}
	revoke       = meaning{audit.ClassUserAccess, 2, audit.ActionDelete}
	addMember    = meaning{audit.ClassGroup, 3, audit.ActionUpdate}
	removeMember = meaning{audit.ClassGroup, 4, audit.ActionUpdate}
	endGroup     = meaning{audit.ClassGroup, 5, audit.ActionDelete}
	newGroup     = meaning{audit.ClassGroup, 6, audit.ActionCreate}
	setGroup     = meaning{audit.ClassGroup, audit.ActivityOther, audit.ActionUpdate}
	newAlert     = meaning{audit.ClassFinding, audit.FindingCreate, audit.ActionDetect}
	setAlert     = meaning{audit.ClassFinding, audit.FindingUpdate, audit.ActionDetect}
)

// meanings are those of operations about sessions, accounts, rights, groups and
// alerts, in lower case. The directory's own are in package entra.
var meanings = map[string]meaning{
	"userloggedin": login, "userloginfailed": login, "mailboxlogin": login, "teamssessionstarted": login, "userloggedoff": logout,

	"new-mailbox": newAccount, "new-mailuser": newAccount, "enable-mailbox": newAccount,
	"set-mailbox": setAccount, "set-casmailbox": setAccount, "set-user": setAccount,
	"remove-mailbox": endAccount, "remove-mailuser": endAccount, "disable-mailbox": endAccount,

	"add-mailboxpermission": grant, "add-recipientpermission": grant, "add-mailboxfolderpermission": grant, "set-mailboxfolderpermission": grant,
	"addfolderpermissions": grant, "modifyfolderpermissions": grant, "updatecalendardelegation": grant,
	"add-rolegroupmember": grant, "update-rolegroupmember": grant, "new-managementroleassignment": grant,
	"remove-mailboxpermission": revoke, "remove-recipientpermission": revoke, "remove-mailboxfolderpermission": revoke, "removefolderpermissions": revoke,
	"remove-rolegroupmember": revoke, "remove-managementroleassignment": revoke,
	"sharingset": grant, "sharinginvitationcreated": grant, "sharinginvitationaccepted": grant, "anonymouslinkcreated": grant, "companylinkcreated": grant,
	"securelinkcreated": grant, "addedtosecurelink": grant, "sitecollectionadminadded": grant, "accessrequestapproved": grant, "rolechanged": grant, "memberrolechanged": grant,
	"sharingrevoked": revoke, "sharinginvitationrevoked": revoke, "anonymouslinkremoved": revoke, "companylinkremoved": revoke,
	"securelinkdeleted": revoke, "removedfromsecurelink": revoke, "sitecollectionadminremoved": revoke,

	"add-distributiongroupmember": addMember, "add-unifiedgrouplinks": addMember, "addedtogroup": addMember, "memberadded": addMember,
	"remove-distributiongroupmember": removeMember, "remove-unifiedgrouplinks": removeMember, "removedfromgroup": removeMember, "memberremoved": removeMember,
	"new-distributiongroup": newGroup, "new-unifiedgroup": newGroup, "groupadded": newGroup, "teamcreated": newGroup, "new-rolegroup": newGroup,
	"remove-distributiongroup": endGroup, "remove-unifiedgroup": endGroup, "groupremoved": endGroup, "teamdeleted": endGroup, "remove-rolegroup": endGroup,
	"set-distributiongroup": setGroup, "set-unifiedgroup": setGroup, "groupupdated": setGroup, "teamsettingchanged": setGroup,

	"alerttriggered": newAlert, "alertentitygenerated": newAlert, "alertupdated": setAlert,
}

// words begin or end the name of an operation: "Set-Mailbox", "FileDownloaded".
var words = []struct{ word, action string }{
	{"get", audit.ActionRead}, {"search", audit.ActionRead}, {"test", audit.ActionRead}, {"export", audit.ActionRead}, {"view", audit.ActionRead},
	{"accessed", audit.ActionRead}, {"viewed", audit.ActionRead}, {"downloaded", audit.ActionRead}, {"previewed", audit.ActionRead}, {"bind", audit.ActionRead},
	{"performed", audit.ActionRead}, {"exported", audit.ActionRead}, {"pageprefetched", audit.ActionRead}, {"downloadedfull", audit.ActionRead},
	{"new", audit.ActionCreate}, {"add", audit.ActionCreate}, {"create", audit.ActionCreate}, {"created", audit.ActionCreate}, {"added", audit.ActionCreate},
	{"uploaded", audit.ActionCreate}, {"uploadedfull", audit.ActionCreate}, {"copied", audit.ActionCreate}, {"copy", audit.ActionCreate}, {"installed", audit.ActionCreate},
	{"remove", audit.ActionDelete}, {"delete", audit.ActionDelete}, {"deleted", audit.ActionDelete}, {"removed", audit.ActionDelete},
	{"recycled", audit.ActionDelete}, {"deleteditems", audit.ActionDelete}, {"uninstalled", audit.ActionDelete},
	{"set", audit.ActionUpdate}, {"update", audit.ActionUpdate}, {"enable", audit.ActionUpdate}, {"disable", audit.ActionUpdate}, {"move", audit.ActionUpdate},
	{"modified", audit.ActionUpdate}, {"updated", audit.ActionUpdate}, {"renamed", audit.ActionUpdate}, {"moved", audit.ActionUpdate}, {"restored", audit.ActionUpdate},
	{"changed", audit.ActionUpdate}, {"rules", audit.ActionUpdate}, {"edited", audit.ActionUpdate}, {"upgraded", audit.ActionUpdate},
	{"send", audit.ActionExecute}, {"sendas", audit.ActionExecute}, {"sendonbehalf", audit.ActionExecute}, {"sent", audit.ActionExecute}, {"start", audit.ActionExecute},
}

// classify sets the event name, the action and the OCSF class.
func (r *record) classify(operation string, d *draft.Draft) audit.Class {
	name := strings.ToLower(operation)
	m, ok := meanings[name]
	switch {
	case ok:
	case r.Str(fWorkload) == "AzureActiveDirectory":
		entra.Classify(operation, d)
		return classOf(d)
	default:
		done := action(name)
		m = meaning{audit.ClassAPI, audit.APIActivity(done), done}
	}
	d.Class(m.class, m.action, m.activity)
	if m.class == audit.ClassFinding {
		d.Put(audit.AttrFindingSeverity, r.str(fSeverity))
	}
	return m.class
}

// classOf is the class that a record has been given.
func classOf(d *draft.Draft) audit.Class {
	uid, _ := d.Rec.Get(audit.AttrOCSFClass)
	return audit.Class{UID: uid.Int, Event: d.Rec.EventName}
}

// action reads the verb before the dash of a cmdlet, or the longest word with which
// the name of an operation ends, or begins.
func action(name string) string {
	verb, _, isCmdlet := strings.Cut(name, "-")
	found, length := audit.ActionOther, 0
	for _, w := range words {
		match := strings.HasSuffix(name, w.word)
		if isCmdlet {
			match = verb == w.word
		}
		if match && len(w.word) > length {
			found, length = w.action, len(w.word)
		}
	}
	if length > 0 || isCmdlet {
		return found
	}
	for _, w := range words {
		if strings.HasPrefix(name, w.word) {
			return w.action
		}
	}
	return found
}
