package kubernetes

import (
	"strings"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/internal/draft"
	"github.com/otelcol-custody/custody/audit/internal/jsonscan"
	"github.com/otelcol-custody/custody/audit/internal/kubeapi"
)

// service is the name under which GKE logs the API, too.
const service = "k8s.io"

func mapEvent(cluster string, f *jsonscan.Fields, d *draft.Draft) error {
	id, stage := f.Str(fAuditID), f.Str(fStage)
	if id == "" {
		return ErrNotEvent
	}
	d.Rec.Resource = audit.Resource{Product: format.Product, Stream: "audit"}
	// The id is the client's to choose, and one request has up to three events.
	d.Identify("kubernetes", cluster, id+"/"+stage)
	d.Put(audit.AttrCorrelationID, id)
	d.Put(audit.AttrRequestID, id)
	d.Put(audit.AttrK8sCluster, cluster)
	d.Truncated = f.Str(fTruncated) == "true"
	setTime(f, d)
	d.Put(audit.AttrOperation, f.Str(fVerb))
	d.Put(audit.AttrService, service)
	path, _, _ := strings.Cut(f.Str(fRequestURI), "?")
	d.Put(audit.AttrURLPath, path)
	c := call(f, path)
	c.Put(d, grant(&c, f))
	outcome(&c, f, d)
	actor(f, d)
	source(f, d)
	return nil
}

// setTime takes when the request came as the event's time, and keeps when its stage
// was reached.
func setTime(f *jsonscan.Fields, d *draft.Draft) {
	received, staged := f.Str(fReceived), f.Str(fStaged)
	if received == "" && staged != "" {
		d.Warn("requestReceivedTimestamp: missing, the time is that of the stage")
	}
	d.Time("requestReceivedTimestamp", draft.First(received, staged))
	d.Put(audit.AttrPhase, f.Str(fStage))
	d.Put(audit.AttrPhaseTime, staged)
}

func call(f *jsonscan.Fields, path string) kubeapi.Call {
	c := kubeapi.Call{
		Verb: f.Str(fVerb), Group: f.Str(fGroup), Version: f.Str(fVersion), Resource: f.Str(fResource),
		Subresource: f.Str(fSubresource), Namespace: f.Str(fNamespace), Name: f.Str(fName), Path: path,
	}
	if c.Name == "" && c.Verb == "create" {
		// The server may have made the name up; it is in the answer then.
		c.Name = draft.First(f.Str(fResponseName), f.Str(fRequestName))
	}
	return c
}

// grant is what a binding gives to whom. A patch holds lists of another meaning.
func grant(c *kubeapi.Call, f *jsonscan.Fields) (g kubeapi.Grant) {
	if c.IsTokenReview() {
		return kubeapi.Grant{Subjects: []kubeapi.Subject{{Kind: "User", Name: f.Str(fReviewed)}}}
	}
	if !c.Binds() {
		return g
	}
	g.Role, g.RoleKind = f.Str(fRole), f.Str(fRoleKind)
	for i := range f.Elements(fSubjectName) {
		g.Subjects = append(g.Subjects, kubeapi.Subject{Kind: f.StrAt(fSubjectKind, i), Name: f.StrAt(fSubjectName, i), Namespace: f.StrAt(fSubjectNamespace, i)})
	}
	return g
}

// actor maps who did it. A request whose sender could not be authenticated has none.
func actor(f *jsonscan.Fields, d *draft.Draft) {
	name, uid := f.Str(fUser), f.Str(fUserUID)
	if name != "" {
		d.Put(audit.AttrActorID, draft.First(uid, name))
		d.Put(audit.AttrActorType, kubeapi.ActorType(name))
	}
	d.Put(audit.AttrUserID, uid)
	d.Put(audit.AttrUserName, name)
	// Who is impersonated may bring groups, with all that they may do.
	d.PutList(audit.AttrUserRoles, append(f.Strs(fGroups), f.Strs(fImpersonatedGroups)...)...)
	d.Put(audit.AttrActorCredentialID, draft.First(f.Str(fCredential), f.Str(fAccessKey)))
	d.PutList(audit.AttrActorDelegation, f.Strs(fImpersonated)...)
}

// source maps from where the request came. Only the last address is one that the server
// saw itself; whatever precedes it, the client may have written.
func source(f *jsonscan.Fields, d *draft.Draft) {
	if f.Kind(fSourceList) == jsonscan.Array {
		last := lastOf(f.Raw(fSourceList))
		d.Source(last)
		if ips := f.Strs(fSourceIPs); len(ips) > 0 && ips[len(ips)-1] == last {
			d.PutList(audit.AttrSourceChain, ips[:len(ips)-1]...)
		} else {
			d.PutList(audit.AttrSourceChain, ips...) // more than a table keeps, or none was last
		}
	}
	d.Put(audit.AttrUserAgent, f.Str(fUserAgent))
}

// lastOf is the last of a list of strings, whatever the client made of those before it,
// and however many: a table keeps only the first ones.
func lastOf(list string) string {
	s := jsonscan.Scanner{Data: []byte(list)}
	last := ""
	for more := s.Open(']'); more; {
		start := s.Pos
		if err := s.Skip(); err != nil {
			return ""
		}
		last = list[start:s.Pos]
		var err error
		if more, err = s.Next(']'); err != nil {
			return ""
		}
	}
	if !strings.HasPrefix(last, `"`) {
		return ""
	}
	return jsonscan.Unquote(last)
}
