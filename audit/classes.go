package audit

// OCSFVersion is the version of OCSF whose classes and activities are used.
const OCSFVersion = "1.6.0"

// A Class is a class of OCSF events, and the event name of its records.
type Class struct {
	UID   int64
	Event string
}

// The OCSF classes (https://schema.ocsf.io/1.6.0/classes).
var (
	ClassFinding          = Class{2004, EventFinding}          // Detection Finding
	ClassAccountChange    = Class{3001, EventAccountChange}    // Account Change
	ClassAuthentication   = Class{3002, EventAuthentication}   // Authentication
	ClassAuthorizeSession = Class{3003, EventAuthorizeSession} // Authorize Session
	ClassEntity           = Class{3004, EventEntityManagement} // Entity Management
	ClassUserAccess       = Class{3005, EventUserAccess}       // User Access Management
	ClassGroup            = Class{3006, EventGroupManagement}  // Group Management
	ClassAPI              = Class{6003, EventAPIActivity}      // API Activity
)

// The OCSF activities that many providers have; those of a class are in tables.
const (
	ActivityUnknown = 0
	ActivityOther   = 99

	APICreate = 1 // of ClassAPI
	APIRead   = 2
	APIUpdate = 3
	APIDelete = 4

	AuthLogon  = 1 // of ClassAuthentication
	AuthLogoff = 2

	FindingCreate = 1 // of ClassFinding
	FindingUpdate = 2
	FindingClose  = 3
)

// APIActivity is the activity of [ClassAPI] that an action is.
func APIActivity(action string) int64 {
	switch action {
	case ActionCreate:
		return APICreate
	case ActionRead:
		return APIRead
	case ActionUpdate:
		return APIUpdate
	case ActionDelete:
		return APIDelete
	}
	return ActivityOther
}
