package kubeapi

import "testing"

// A method without a resource's name tells what it can.
func TestFromMethod(t *testing.T) {
	for _, tt := range []struct {
		method, resource string
		want             Call
	}{
		{"io.k8s.core.v1.pods.exec.create", "", Call{Verb: "create", Version: "v1", Resource: "pods", Subresource: "exec"}},
		{"io.k8s.authorization.rbac.v1.roles.delete", "", Call{Verb: "delete", Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "roles"}},
		{"io.k8s.core.v1.serviceaccounts.token.create", "core/v1/namespaces/shop/serviceaccounts",
			Call{Verb: "create", Version: "v1", Resource: "serviceaccounts", Subresource: "token", Namespace: "shop", Path: "core/v1/namespaces/shop/serviceaccounts"}},
		{"io.k8s.get", "healthz", Call{Verb: "get", Path: "healthz"}},
		{"get", "core/v1/", Call{Verb: "get", Version: "v1", Path: "core/v1/"}},
		{"", "", Call{}},
		{"...", "///", Call{Path: "///"}},
	} {
		if got := FromMethod(tt.method, tt.resource); got != tt.want {
			t.Errorf("%s %s: %+v, want %+v", tt.method, tt.resource, got, tt.want)
		}
	}
}

func TestTargetOfCollection(t *testing.T) {
	c := Call{Group: "apps", Version: "v1", Resource: "deployments", Namespace: "shop"}
	if got := c.Target(); got.ID != "apps/v1/namespaces/shop/deployments" || got.Type != "deployments" || got.Name != "" {
		t.Errorf("%+v", got)
	}
}
