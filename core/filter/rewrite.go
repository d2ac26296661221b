package filter

import (
	"errors"
	"strings"

	"github.com/sallyport/sallyport/core/chain"
	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
	"github.com/sallyport/sallyport/core/http1"
)

// PathOptions say how a path is changed: at most one of them is set.
type PathOptions struct {
	StripPrefix string // whole segments at the path's beginning; "/a" turns "/a/b" into "/b" and "/a" into "/"
	AddPrefix   string // put before the path
	Path        string // a Template that takes the path's place, and the query's if it has one
}

// PathRewrite changes the path of requests. It is immutable and shared. The new path does not lead to another route.
type PathRewrite struct {
	strip, add string
	path       *Template
}

// NewPathRewrite returns nil when there is nothing to change.
func NewPathRewrite(o PathOptions) (*PathRewrite, error) {
	set := 0
	for _, option := range []string{o.StripPrefix, o.AddPrefix, o.Path} {
		if option == "" {
			continue
		}
		if option[0] != '/' {
			return nil, errors.New(`a path must begin with "/"`)
		}
		set++
	}
	switch {
	case set == 0:
		return nil, nil
	case set > 1:
		return nil, errors.New("only one way to change the path is possible")
	}
	r := &PathRewrite{strip: strings.TrimSuffix(o.StripPrefix, "/"), add: strings.TrimSuffix(o.AddPrefix, "/")}
	if o.Path == "" {
		return r, nil
	}
	var err error
	r.path, err = ParseTemplate(o.Path)
	return r, err
}

// Params returns the path parameters that the rewrite needs its route to have.
func (r *PathRewrite) Params() []string {
	if r.path == nil {
		return nil
	}
	return r.path.Params()
}

// Apply changes the request's path. It refuses what is no path any more when the pieces are put together.
func (r *PathRewrite) Apply(x *exchange.Exchange) *fault.Fault {
	path := x.Req.Path
	switch {
	case r.path != nil:
		var query string
		var hasQuery bool
		path, query, hasQuery = strings.Cut(r.path.Expand(x), "?")
		if hasQuery {
			x.Req.Query = query
		}
	case r.add != "":
		path = r.add + path
	default:
		path = stripPrefix(path, r.strip)
	}
	canonical, ok := http1.CanonicalPath(path)
	if !ok {
		return fault.New(fault.BadRequest, fault.Client, "the path cannot be rewritten")
	}
	x.Req.Path = canonical
	return nil
}

// stripPrefix leaves a path alone that has the prefix only as part of a segment.
func stripPrefix(path, prefix string) string {
	rest, ok := strings.CutPrefix(path, prefix)
	switch {
	case !ok || (rest != "" && rest[0] != '/'):
		return path
	case rest == "":
		return "/"
	}
	return rest
}

// Rewrite is the native filter that changes a request's path.
type Rewrite struct {
	path *PathRewrite
}

// NewRewrite returns a filter that changes the path.
func NewRewrite(path *PathRewrite) *Rewrite { return &Rewrite{path} }

// Hooks asks for the request.
func (r *Rewrite) Hooks() chain.Hooks { return chain.OnRequest }

// Request changes the path.
func (r *Rewrite) Request(x *exchange.Exchange, _ int) (chain.Verdict, error) {
	if f := r.path.Apply(x); f != nil {
		return chain.Continue, f
	}
	return chain.Continue, nil
}

// Response does nothing; it is not asked for.
func (r *Rewrite) Response(*exchange.Exchange, int) error { return nil }
