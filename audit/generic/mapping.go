package generic

// A Mapping says where in an event of a cloud of one's own the answers lie. It is meant
// to be written in YAML and decoded by its mapstructure tags, unknown keys refused
// (ErrorUnused), and one text taken for a list of one (WeaklyTypedInput).
//
// Fields that hold paths hold several: the first one at which there is a value counts.
// In a path, a dot goes to a member, [] to every element of a list, and a key with dots,
// brackets or quotes in it stands in quotes: user.id, targets[].name, labels."a.b/c".
// Keys are compared exactly, case and all.
type Mapping struct {
	// Product names what writes the events.
	Product string `mapstructure:"product"`
	// Provider is cloud.provider, if the product is a cloud's. It, or the product where
	// there is none, is a part of record ids, and must not change when events have been
	// sealed.
	Provider string `mapstructure:"provider"`
	// Stream names the log, if the product has several.
	Stream string `mapstructure:"stream"`

	// Lists are paths of lists of events, such as data.items. Events may always stand
	// in a list, one after another, or line by line.
	Lists []string `mapstructure:"lists"`
	// Require are paths that every event has: what lacks one is sealed raw, as
	// quarantined. Null is nothing. The first one must be of a key that objects around
	// Lists have not, since it tells an event from them.
	Require []string `mapstructure:"require"`

	// ID are paths of the event's own id; Scope, within what ids are unique, all of
	// them together. Without a scope it is account and region.
	ID    []string `mapstructure:"id"`
	Scope []string `mapstructure:"scope"`

	Time    Time     `mapstructure:"time"`
	Account []string `mapstructure:"account"`
	Region  []string `mapstructure:"region"`
	Org     []string `mapstructure:"org"`

	// Operation is what was done, in the product's words; Actions say what that means,
	// the first that matches. What none matches is OTHER.
	Operation []string `mapstructure:"operation"`
	Actions   []Action `mapstructure:"actions"`

	Outcome Outcome  `mapstructure:"outcome"`
	Actor   Actor    `mapstructure:"actor"`
	Source  Source   `mapstructure:"source"`
	Targets []Target `mapstructure:"targets"`
	// Privileges are the rights that are given or taken, all of them.
	Privileges []string `mapstructure:"privileges"`

	Service       []string `mapstructure:"service"`
	Category      []string `mapstructure:"category"`
	Version       []string `mapstructure:"version"` // of the event's form
	APIVersion    []string `mapstructure:"api_version"`
	RequestID     []string `mapstructure:"request_id"`
	CorrelationID []string `mapstructure:"correlation_id"`
	SessionID     []string `mapstructure:"session_id"`
	UserAgent     []string `mapstructure:"user_agent"`
	HTTPMethod    []string `mapstructure:"http_method"`
	URLPath       []string `mapstructure:"url_path"`
}

// Time says when an event happened.
type Time struct {
	Path []string `mapstructure:"path"`
	// Layouts are tried one after another: rfc3339, which is the one if there are
	// none, unix_s, unix_ms, unix_us, unix_ns, or a layout of Go's package time. A
	// time without a zone is taken as UTC, and the record says so.
	Layouts []string `mapstructure:"layouts"`
}

// An Action says what the operations that match are.
type Action struct {
	// Path is of what is compared instead of the operation.
	Path []string `mapstructure:"path"`
	// Match are values; one * in a value stands for any text.
	Match []string `mapstructure:"match"`
	// Action is CREATE, READ, UPDATE, DELETE, LOGIN, LOGOUT, EXECUTE, DETECT, REPORT or
	// OTHER.
	Action string `mapstructure:"action"`
	// Class is a class of events, api_activity if empty, and Activity one of its
	// activities in OCSF's words, such as password_change; if empty, what the action is.
	Class    string `mapstructure:"class"`
	Activity string `mapstructure:"activity"`
}

// Outcome says whether it worked. A failure by any of its fields is one; it was a
// success when nothing that is configured says or leaves open otherwise.
type Outcome struct {
	// Path is of a value that is in one of the lists; one that is in none is unknown.
	Path    []string `mapstructure:"path"`
	Success []string `mapstructure:"success"`
	Failure []string `mapstructure:"failure"`
	Unknown []string `mapstructure:"unknown"`
	// Status is an HTTP status code: from 400 on it is a failure.
	Status []string `mapstructure:"status"`
	// Error is there, and not empty, only if it failed.
	Error []string `mapstructure:"error"`
	// Reason is told of what did not succeed.
	Reason []string `mapstructure:"reason"`
}

// Actor says who did it.
type Actor struct {
	ID       []string `mapstructure:"id"` // the most durable one
	Name     []string `mapstructure:"name"`
	Email    []string `mapstructure:"email"`
	FullName []string `mapstructure:"full_name"`
	Roles    []string `mapstructure:"roles"` // all of them
	// Type is the kind of actor in the product's words. One that matches Services or
	// Systems is that, any other one is a user; one * stands for any text.
	Type       []string `mapstructure:"type"`
	Services   []string `mapstructure:"services"`
	Systems    []string `mapstructure:"systems"`
	Account    []string `mapstructure:"account"`
	Credential []string `mapstructure:"credential"` // the id of a key or a token
	MFA        []string `mapstructure:"mfa"`
	App        []string `mapstructure:"app"`
	Delegation []string `mapstructure:"delegation"` // for whom the actor acts, oldest first
}

// Source says from where it was done.
type Source struct {
	// Path is of an address, with a port or without, or a host's name.
	Path []string `mapstructure:"path"`
	// Services match what stands there and is no client; one * stands for any text.
	Services []string `mapstructure:"services"`
	Chain    []string `mapstructure:"chain"` // addresses on the way, all of them
}

// A Target says to what it was done: to each element of a list, if there is [] in a
// path. All targets that have an id are listed, the first one is the record's.
type Target struct {
	ID []string `mapstructure:"id"`
	// Join puts all the values of ID together, with it in between, instead of taking
	// the first one. All of them must be there.
	Join string `mapstructure:"join"`
	// Kind is the type where Type gives none.
	Type    []string `mapstructure:"type"`
	Kind    string   `mapstructure:"kind"`
	Name    []string `mapstructure:"name"`
	Account []string `mapstructure:"account"`
	Region  []string `mapstructure:"region"`
}
