// Package contents delivers what lies in files and objects, each content exactly once,
// wherever it was found and however often.
//
// A [Book] remembers contents by the SHA-256 of their stored bytes, so that a copy under
// another name is recognised, and a name that holds new bytes is not.
//
// # Order of events
//
// That a content is begun is durable, then its first batch is delivered; each batch is
// acknowledged, the position is durable, and only then does the next follow. A crash in
// between repeats at most the one batch that was in flight; it never skips one. What may
// have been repeated so is known after the restart: see [File.Repeat].
//
// # What is remembered
//
// Values are JSON.
//
//	follow/1/content/<64 hex: SHA-256 of the stored bytes>
//	    {"events":N,"done":true,"path":"…"}: N records of this content are
//	    acknowledged; done means these are all; path is where it was first read. A
//	    member begun says that more than these may be, one batch at most. A member
//	    limit says that the content was larger than this limit: it is read after all
//	    when the limit is raised. A member inflated is the SHA-256 of the inflated
//	    content, by which a provider may sign it.
//
// Content keys are never deleted: they are what keeps a content that comes back from
// being delivered twice. Each costs about 200 bytes.
package contents
