package ocsf

import (
	"cmp"
	"strings"

	"github.com/otelcol-custody/custody/audit"
)

// putAPI writes what was called.
func (e *event) putAPI(required bool) {
	operation := e.take(audit.AttrOperation)
	if operation == "" && !required {
		return
	}
	e.object("api", func() {
		e.text("operation", cmp.Or(operation, unknown))
		e.object("service", func() { e.putAs("name", audit.AttrService) })
		e.putAs("version", audit.AttrAPIVersion)
		e.object("request", func() {
			if id := e.requestID(); id != "" {
				e.text("uid", id)
			}
		})
		e.object("response", func() {
			if code, ok := e.takeInt(audit.AttrHTTPStatus); ok {
				e.int("code", code)
			}
			e.putAs("error", audit.AttrErrorType)
			e.putAs("message", audit.AttrOutcomeReason)
		})
	})
}

// requestID is the request's id, under whichever name it is.
func (e *event) requestID() string {
	id := e.take(audit.AttrRequestID)
	for _, key := range []string{audit.AttrAWSRequestID, audit.AttrAzureRequestID} {
		if other := e.peek(key); id == "" || other == id {
			id = cmp.Or(id, e.take(key))
			e.drop(key)
		}
	}
	return id
}

// putSource writes from where it was done.
func (e *event) putSource(required bool) {
	location := e.has(audit.AttrGeoCountry, audit.AttrGeoLocality)
	if !required && !location && !e.has(audit.AttrSourceID, audit.AttrClientAddress) {
		return
	}
	e.object("src_endpoint", func() {
		if !e.putAddress() && !e.putSourceName() {
			e.text("name", unknown)
		}
		e.object("location", func() {
			e.putAs("country", audit.AttrGeoCountry)
			e.putAs("city", audit.AttrGeoLocality)
		})
	})
}

// putAddress writes the client's address and port.
func (e *event) putAddress() bool {
	address := e.take(audit.AttrClientAddress)
	if address == "" {
		return false
	}
	key := "hostname"
	if isIP(address) {
		key = "ip"
	}
	e.text(key, address)
	if v, i := e.lookup(audit.AttrClientPort, audit.Int); v != nil && v.Int == int64(uint16(v.Int)) {
		e.int("port", v.Int)
		e.used[i] = true
	}
	source := e.peek(audit.AttrSourceID)
	if source == address || strings.HasPrefix(source, address+":") || strings.HasPrefix(source, "["+address+"]:") {
		e.drop(audit.AttrSourceID)
		e.drop(audit.AttrSourceType)
	}
	return true
}

// putSourceName writes a source that is no address.
func (e *event) putSourceName() bool {
	if e.peek(audit.AttrSourceType) == audit.SourceService && e.putAs("svc_name", audit.AttrSourceID) {
		e.drop(audit.AttrSourceType)
		return true
	}
	return e.putAs("name", audit.AttrSourceID)
}

// methods are those that the schema knows.
var methods = map[string]bool{
	"CONNECT": true, "DELETE": true, "GET": true, "HEAD": true, "OPTIONS": true, "PATCH": true, "POST": true, "PUT": true, "TRACE": true,
}

// putHTTP writes the request and the response.
func (e *event) putHTTP() {
	e.object("http_request", func() {
		if methods[e.peek(audit.AttrHTTPMethod)] {
			e.putAs("http_method", audit.AttrHTTPMethod)
		}
		e.object("url", func() { e.putAs("path", audit.AttrURLPath) })
		e.putAs("user_agent", audit.AttrUserAgent)
		e.list("x_forwarded_for", e.putChain)
	})
	if code, ok := e.takeInt(audit.AttrHTTPStatus); ok {
		e.object("http_response", func() { e.int("code", code) })
	}
}

// putChain writes the addresses on the way, if all of them are some.
func (e *event) putChain() {
	chain, i := e.lookup(audit.AttrSourceChain, audit.Strings)
	if chain == nil {
		return
	}
	for _, hop := range chain.Strs {
		if !isIP(hop) {
			return
		}
	}
	e.used[i] = true
	for _, hop := range chain.Strs {
		e.text("", hop)
	}
}
