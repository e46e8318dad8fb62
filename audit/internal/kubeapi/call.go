// Package kubeapi gives a call to the Kubernetes API its meaning, whoever tells of it:
// the API server's own audit log, or a cloud's log of the clusters that it runs. The
// same operation has the same action, class and target everywhere.
package kubeapi

import (
	"strings"

	"github.com/otelcol-custody/custody/audit/internal/draft"
)

// A Call is an operation on objects of the API. Group is empty for the core group, Name
// for a call on a whole collection; a call outside the API, such as to /healthz, has
// only Verb and Path.
type Call struct {
	Verb, Group, Version, Resource, Subresource, Namespace, Name string

	Path string // of the URL; used when there is no Resource
}

// FromMethod reads a call as GKE names it: the method io.k8s.core.v1.pods.exec.create
// (the group backwards, the version, the resource, the verb) and the resource
// core/v1/namespaces/default/pods/web-0/exec.
//
// Source: https://cloud.google.com/kubernetes-engine/docs/how-to/audit-logging
func FromMethod(method, resource string) Call {
	dot := strings.LastIndexByte(method, '.')
	c := Call{Verb: method[dot+1:], Path: resource}
	names := method[:max(dot, 0)]
	parts := strings.Split(resource, "/")
	if len(parts) < 3 || !isVersion(parts[1]) {
		c.fromNames(names)
		return c
	}
	if parts[0] != core {
		c.Group = parts[0]
	}
	c.Version = parts[1]
	c.fromPath(parts[2:], names)
	return c
}

// fromPath takes what follows the version in the resource. namespaces/x/pods is about
// pods; namespaces/x and namespaces/x/status are about the namespace: only the names of
// the method tell the last from the first.
func (c *Call) fromPath(parts []string, names string) {
	if len(parts) > 2 && parts[0] == namespaces && !strings.HasSuffix(names, "."+namespaces+"."+parts[2]) {
		c.Namespace, parts = parts[1], parts[2:]
	}
	c.Resource = parts[0]
	if len(parts) > 1 {
		c.Name = parts[1]
	}
	if len(parts) > 2 {
		c.Subresource = strings.Join(parts[2:], "/")
		return
	}
	if sub, ok := strings.CutPrefix(afterVersion(names), c.Resource+"."); ok {
		c.Subresource = strings.ReplaceAll(sub, ".", "/") // of an object that has no name yet
	}
}

// fromNames takes what the method alone says: io.k8s.core.v1.pods.exec.
func (c *Call) fromNames(method string) {
	rest := afterVersion(method)
	if rest == "" {
		return
	}
	c.Resource, c.Subresource, _ = strings.Cut(rest, ".")
	names := strings.Split(strings.TrimSuffix(method, "."+rest), ".")
	c.Version, names = names[len(names)-1], names[:len(names)-1]
	var group []string
	for _, name := range names {
		group = append([]string{name}, group...)
	}
	if c.Group = strings.Join(group, "."); c.Group == core+".k8s.io" {
		c.Group = ""
	}
}

// afterVersion is what follows the version in a method's names.
func afterVersion(method string) string {
	rest := method
	for {
		name, more, ok := strings.Cut(rest, ".")
		if !ok {
			return ""
		}
		if isVersion(name) {
			return more
		}
		rest = more
	}
}

const (
	core       = "core"
	namespaces = "namespaces"
)

// isVersion accepts v1, v1beta1 and the like.
func isVersion(s string) bool {
	return len(s) > 1 && s[0] == 'v' && s[1] >= '0' && s[1] <= '9'
}

// APIVersion is the group and version as objects name them in apiVersion.
func (c *Call) APIVersion() string {
	if c.Group == "" || c.Version == "" {
		return c.Version
	}
	return c.Group + "/" + c.Version
}

// Target is the object that the call is about. Its id is that of GKE's logs, without
// the subresource, so that all calls on an object meet; its type is the resource the
// way roles name it: pods, pods/exec.
func (c *Call) Target() draft.Target {
	if c.Resource == "" {
		return draft.Target{ID: c.Path, Type: "nonResourceURL"}
	}
	id := make([]byte, 0, 96)
	for _, part := range [...]string{draft.First(c.Group, core), c.Version} {
		if part != "" {
			id = append(append(id, part...), '/')
		}
	}
	if c.Namespace != "" && c.Resource != namespaces {
		id = append(append(append(id, namespaces+"/"...), c.Namespace...), '/')
	}
	id = append(id, c.Resource...)
	if c.Name != "" {
		id = append(append(id, '/'), c.Name...)
	}
	kind := c.Resource
	if c.Subresource != "" {
		kind += "/" + c.Subresource
	}
	return draft.Target{ID: string(id), Type: kind, Name: c.Name}
}
