package ocsf_test

import (
	"strconv"
	"strings"
)

// The rules of OCSF 1.6.0 for every attribute that this package writes, and every one
// that is required: https://schema.ocsf.io/1.6.0. An attribute that is not here is one
// that no event may have.
//
// Each block is an object or a class. A line is an attribute with its type: "!" behind
// the name means required, "[]" a list, "@cloud" that it belongs to the profile of that
// name; numbers are the members of an enum.
const objectText = `
metadata
	version! string
	product! product
	profiles[] string
	uid string
	correlation_uid string
	event_code string
	log_name string
	log_version string
	tenant_uid string
	original_time string
	logged_time time
	sequence int
	is_truncated bool
	loggers[] logger
logger one of: name uid
	name string
	uid string
	event_uid string
	log_name string
	logged_time time
product one of: name uid
	name string
	vendor_name string
	feature feature
feature one of: name uid
	name string
cloud
	provider! string
	region string
	account account
	org organization
account one of: name uid
	uid string
	type string
	type_id int 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 99
organization one of: name uid
	uid string
actor one of: process user invoked_by session app_name app_uid
	user user
	session session
	app_uid string
	app_name string
	idp idp
user one of: account name uid
	uid string
	uid_alt string
	name string
	full_name string
	email_addr email
	type string
	type_id int 0 1 2 3 4 99
	account account
	groups[] group
	programmatic_credentials[] programmatic_credential
programmatic_credential
	uid! string
group one of: name uid
	uid string
	name string
	type string
session
	uid string
	uid_alt string
	issuer string
	created_time time
	is_mfa bool
idp one of: name uid
	name string
api
	operation! string
	service service
	version string
	request request
	response response
service one of: name uid
	uid string
	name string
request
	uid! string
response
	code int
	error string
	message string
network_endpoint one of: ip uid name hostname svc_name instance_uid interface_uid interface_name domain
	ip ip
	hostname string
	port port
	svc_name string
	name string
	location location
location one of: city country postal_code region
	country string
	city string
http_request
	http_method string CONNECT DELETE GET HEAD OPTIONS PATCH POST PUT TRACE
	url url
	user_agent string
	x_forwarded_for[] ip
url one of: url_string path
	path string
http_response
	code! int
resource_details one of: name uid
	uid string
	uid_alt string
	name string
	type string
	namespace string
	owner user
	region@cloud string
	role string
	role_id int 0 1 2 3 4 99
managed_entity one of: name uid device group org policy user
	uid string
	name string
	type string
	type_id int 0 1 2 3 4 5 6 7 99
policy one of: name type uid
	uid string
	name string
	type string
fingerprint
	algorithm string
	algorithm_id! int 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 99
	value! hash
finding_info
	uid! string
	title string
	types[] string
evidences one of: actor api connection_info data database databucket device dst_endpoint email file process query resources src_endpoint url user job script
	actor actor
	api api
	src_endpoint network_endpoint
	http_request http_request
	http_response http_response
`

// What all classes have, then what is each class's own: its number, its category's, its
// name, its activities. A class may have what stands behind its name, too.
const classText = `
base
	activity_id! int
	activity_name string
	category_uid! int
	category_name string
	class_uid! int
	class_name string
	type_uid! int
	type_name string
	severity_id! int 0 1 2 3 4 5 6 99
	severity string
	time! time
	status_id int 0 1 2 99
	status string
	status_code string
	status_detail string
	metadata! metadata
	raw_data string
	raw_data_hash fingerprint
	raw_data_size int
	unmapped object
	cloud!@cloud cloud
	api@cloud api
iam
	actor actor
	src_endpoint network_endpoint
	http_request http_request
	http_response http_response
0 0 Base Event
6003 6 API Activity: 1 Create, 2 Read, 3 Update, 4 Delete
	actor! actor
	api! api
	src_endpoint! network_endpoint
	resources[] resource_details
	http_request http_request
	http_response http_response
3001 3 Account Change: 1 Create, 2 Enable, 3 Password Change, 4 Password Reset, 5 Disable, 6 Delete, 7 Attach Policy, 8 Detach Policy, 9 Lock, 10 MFA Factor Enable, 11 MFA Factor Disable, 12 Unlock
	user! user
	policies[] policy
3002 3 Authentication: 1 Logon, 2 Logoff, 3 Authentication Ticket, 4 Service Ticket Request, 5 Service Ticket Renew, 6 Preauth, 7 Account Switch
	one of: service dst_endpoint
	user! user
	service service
	session session
	is_mfa bool
3003 3 Authorize Session: 1 Assign Privileges, 2 Assign Groups
	just one of: privileges group
	user! user
	session session
	privileges[] string
	group group
3004 3 Entity Management: 1 Create, 2 Read, 3 Update, 4 Delete, 5 Move, 6 Enroll, 7 Unenroll, 8 Enable, 9 Disable, 10 Activate, 11 Deactivate, 12 Suspend, 13 Resume
	entity! managed_entity
3005 3 User Access Management: 1 Assign Privileges, 2 Revoke Privileges
	user! user
	privileges![] string
	resources[] resource_details
3006 3 Group Management: 1 Assign Privileges, 2 Revoke Privileges, 3 Add User, 4 Remove User, 5 Delete, 6 Create, 7 Add Subgroup, 8 Remove Subgroup
	group! group
	subgroup group
	user user
	privileges[] string
	resource resource_details
2004 2 Detection Finding: 1 Create, 2 Update, 3 Close
	status_id int 0 1 2 3 4 5 6 99
	finding_info! finding_info
	evidences[] evidences
	resources[] resource_details
`

var categories = map[string]string{"0": "Uncategorized", "2": "Findings", "3": "Identity & Access Management", "6": "Application Activity"}

// captions are those of enums with names that say what the number says.
var captions = map[string]map[string]string{
	"severity_id": {"0": "Unknown", "1": "Informational", "2": "Low", "3": "Medium", "4": "High", "5": "Critical", "6": "Fatal"},
	"status_id":   {"0": "Unknown", "1": "Success", "2": "Failure"},
	"role_id":     {"0": "Unknown", "1": "Target", "2": "Actor", "3": "Affected", "4": "Related"},
}

// An attribute is the rule for one.
type attribute struct {
	typ, profile   string
	required, list bool
	enum           []string
}

// An object is the rules for an object or for an event of a class.
type object struct {
	attributes          map[string]attribute
	atLeastOne, justOne []string

	// Of a class.
	uid, category, name string
	activities          map[string]string
}

var objects, classes = parseRules(objectText), parseClasses()

func parseRules(text string) map[string]*object {
	all := map[string]*object{}
	var o *object
	for line := range strings.Lines(strings.TrimSpace(text)) {
		body, indented := strings.CutPrefix(strings.TrimRight(line, "\n"), "\t")
		if !indented {
			head, constraint, _ := strings.Cut(body, " one of: ")
			o = &object{attributes: map[string]attribute{}, atLeastOne: strings.Fields(constraint), name: head}
			all[strings.Fields(head)[0]] = o
			continue
		}
		if names, ok := strings.CutPrefix(body, "one of: "); ok {
			o.atLeastOne = strings.Fields(names)
		} else if names, ok := strings.CutPrefix(body, "just one of: "); ok {
			o.justOne = strings.Fields(names)
		} else {
			name, a := parseAttribute(body)
			o.attributes[name] = a
		}
	}
	return all
}

func parseAttribute(text string) (string, attribute) {
	fields := strings.Fields(text)
	var a attribute
	name, profile, _ := strings.Cut(fields[0], "@")
	name, a.list = strings.CutSuffix(name, "[]")
	name, a.required = strings.CutSuffix(name, "!")
	a.profile, a.typ, a.enum = profile, fields[1], fields[2:]
	return name, a
}

// parseClasses puts what all classes have into each.
func parseClasses() map[string]*object {
	all := parseRules(classText)
	base, iam := all["base"], all["iam"]
	delete(all, "base")
	delete(all, "iam")
	for _, c := range all {
		head, activities, _ := strings.Cut(c.name, ": ")
		fields := strings.SplitN(head, " ", 3)
		c.uid, c.category, c.name = fields[0], fields[1], fields[2]
		c.activities = map[string]string{"0": "Unknown", "99": "Other"}
		for _, one := range strings.Split(activities, ", ") {
			id, caption, _ := strings.Cut(one, " ")
			c.activities[id] = caption
		}
		from := []*object{base}
		if c.category == "3" {
			from = append(from, iam)
		}
		for _, o := range from {
			for name, a := range o.attributes {
				if _, own := c.attributes[name]; !own {
					c.attributes[name] = a
				}
			}
		}
	}
	return all
}

func product(a, b string) string {
	x, _ := strconv.ParseInt(a, 10, 64)
	y, _ := strconv.ParseInt(b, 10, 64)
	return strconv.FormatInt(x*100+y, 10)
}
