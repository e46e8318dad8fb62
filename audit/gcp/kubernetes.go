package gcp

import (
	"strconv"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/internal/draft"
	"github.com/otelcol-custody/custody/audit/internal/kubeapi"
)

// isKubernetes says whether the entry tells of a call to the API of a cluster, and not
// of one to the service that makes clusters.
func (e *entry) isKubernetes() bool { return e.service == "k8s.io" }

// kubernetes gives an entry of GKE the meaning that the cluster's own log would give it.
func (e *entry) kubernetes() {
	c := kubeapi.FromMethod(e.method, e.Str(fResourceName))
	if c.Name == "" && c.Verb == "create" {
		c.Name = draft.First(e.Str(fKubeResponseName), e.Str(fKubeName))
	}
	if c.Namespace == "" && c.Resource != "namespaces" {
		c.Namespace = e.Str(fNamespace)
	}
	var g kubeapi.Grant
	if c.Binds() {
		g.Role, g.RoleKind = e.Str(fRole), e.Str(fRoleKind)
		for i := range e.Elements(fSubjectName) {
			g.Subjects = append(g.Subjects, kubeapi.Subject{Kind: e.StrAt(fSubjectKind, i), Name: e.StrAt(fSubjectName, i), Namespace: e.StrAt(fSubjectNamespace, i)})
		}
	}
	c.Put(e.Draft, g)
	e.Truncated = e.Str(fTruncated) == "true"
	e.Put(audit.AttrK8sCluster, e.Str(fCluster))
	e.Put(audit.AttrRequestID, e.Str(fOperationID)) // the cluster's auditID
	code, err := strconv.ParseInt(e.Str(fKubeCode), 10, 64)
	if err == nil {
		e.PutInt(audit.AttrHTTPStatus, code)
	}
	e.outcome(meaning{failed: code >= 400})
}
