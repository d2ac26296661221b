package admin

import (
	"log/slog"
	"mime"
	"net"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// handler checks requests and hands them to their endpoints.
type handler struct {
	api    *api
	mux    *http.ServeMux
	known  map[string]Endpoint // by the mux's pattern
	access *atomic.Pointer[Access]
	wrong  tries
	log    *slog.Logger
}

func newHandler(o Options, access *atomic.Pointer[Access]) *handler {
	h := &handler{api: &api{Options: o}, mux: http.NewServeMux(), known: map[string]Endpoint{}, access: access, log: o.Log}
	for _, e := range h.api.endpoints() {
		pattern := e.Method + " " + e.Pattern
		h.known[pattern] = e
		h.mux.HandleFunc(pattern, e.handle)
	}
	return h
}

// ServeHTTP is part of http.Handler.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	guardAnswer(w)
	e, ok := h.find(r)
	if refused := h.refusal(r, &e); refused != nil {
		refused.write(w)
		return
	}
	if !ok {
		h.notFound(w, r)
		return
	}
	r = withBy(r, h.access.Load().permits(r))
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(answerTime)) // a test's recorder has none
	h.mux.ServeHTTP(w, r)
}

// guardAnswer says that the answer is no page, is for nobody else, and is not to be kept.
func guardAnswer(w http.ResponseWriter) {
	fields := w.Header()
	fields.Set("X-Content-Type-Options", "nosniff")
	fields.Set("Cache-Control", "no-store")
	fields.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	fields.Set("X-Frame-Options", "DENY")
	fields.Set("Referrer-Policy", "no-referrer")
	fields.Set("Cross-Origin-Resource-Policy", "same-origin")
}

// find returns the endpoint that a request is for.
func (h *handler) find(r *http.Request) (Endpoint, bool) {
	if !isPlain(r) {
		return Endpoint{}, false
	}
	_, pattern := h.mux.Handler(r)
	e, ok := h.known[pattern]
	return e, ok
}

// isPlain reports whether a path can only be understood in one way: nothing to be cleaned, nothing escaped that need not be.
func isPlain(r *http.Request) bool {
	escaped := r.URL.EscapedPath()
	if !strings.HasPrefix(escaped, "/") || r.URL.Opaque != "" {
		return false
	}
	if cleaned := path.Clean(escaped); cleaned != escaped && cleaned+"/" != escaped {
		return false
	}
	for segment := range strings.SplitSeq(escaped, "/") {
		plain, err := url.PathUnescape(segment)
		if err != nil || plain == "." || plain == ".." || strings.ContainsRune(plain, 0) {
			return false
		}
		if strings.Contains(segment, "%") && strings.IndexFunc(plain, needsEscape) < 0 {
			return false
		}
	}
	return true
}

// needsEscape reports whether somebody may have had a reason to escape it in a segment.
func needsEscape(c rune) bool {
	return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("-._~", c))
}

// isSafe reports whether a method changes nothing.
func isSafe(method string) bool { return method == http.MethodGet || method == http.MethodHead }

// refusal returns why a request is not served, nil if it may be.
func (h *handler) refusal(r *http.Request, e *Endpoint) *problem {
	if e.Open {
		return nil
	}
	access := h.access.Load()
	if !access.unix && !access.knows(r) {
		return h.refused(r, problem{Status: http.StatusMisdirectedRequest, Detail: "this is not who the Host field asks for: a name by which the gateway is reached has to be in hosts of [admin]"})
	}
	if why := crossSite(r); why != "" {
		return h.refused(r, problem{Status: http.StatusForbidden, Detail: why})
	}
	if access.permits(r) == "" {
		return h.unauthorized(r)
	}
	if !isSafe(r.Method) && !declared(r) {
		return &problem{Status: http.StatusUnsupportedMediaType, Detail: "what changes something is sent as Content-Type: application/json, or without content"}
	}
	if wanted := r.Header.Get("If-Match"); wanted != "" && wanted != "*" && wanted != h.api.etag() {
		return &problem{Status: http.StatusPreconditionFailed, Detail: "the generation is " + h.api.etag() + " by now"}
	}
	return nil
}

// crossSite returns why a browser must not have its way: the request was made by a page of another site.
func crossSite(r *http.Request) string {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
	default:
		return "not from a page of another site"
	}
	scheme := "http://"
	if r.TLS != nil {
		scheme = "https://"
	}
	for _, origin := range r.Header.Values("Origin") {
		if !strings.EqualFold(origin, scheme+r.Host) {
			return "not from a page of another origin"
		}
	}
	return ""
}

// declared reports whether a request says that its content is JSON, or has none. A form cannot; a script of another site can leave the
// content out, but then its browser tells where it is from.
func declared(r *http.Request) bool {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err == nil && kind == "application/json" {
		return true
	}
	return r.ContentLength == 0 && r.Header.Get("Content-Type") == ""
}

func (h *handler) unauthorized(r *http.Request) *problem {
	p := problem{Status: http.StatusUnauthorized, Detail: "a token (Authorization: Bearer …) or a client certificate is needed", challenge: true}
	if r.Header.Get("Authorization") == "" {
		return &p
	}
	if more, ok := h.wrong.pass(clientIP(r), time.Now()); !ok {
		return &problem{Status: http.StatusTooManyRequests, Detail: "too many wrong tokens", retryAfter: 1}
	} else if more > 0 {
		h.log.Warn("admin: wrong tokens that were not logged", "count", more)
	}
	p.Detail = "the token is not the one"
	return h.refused(r, p)
}

// refused logs a refusal that looks like misuse, if not too many do.
func (h *handler) refused(r *http.Request, p problem) *problem {
	if _, ok := h.api.refusals.pass("", time.Now()); ok {
		h.log.Warn("admin: refused", "from", r.RemoteAddr, "method", r.Method, "path", r.URL.Path, "host", r.Host, "origin", r.Header.Get("Origin"), "status", p.Status)
	}
	return &p
}

// notFound tells methods apart from paths.
func (h *handler) notFound(w http.ResponseWriter, r *http.Request) {
	var allow []string
	if isPlain(r) {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut} {
			other := r.Clone(r.Context())
			other.Method = method
			if _, pattern := h.mux.Handler(other); h.known[pattern].Method == method {
				allow = append(allow, method)
			}
		}
	}
	if allow == nil {
		(&problem{Status: http.StatusNotFound, Detail: "there is no such endpoint: see /openapi.json"}).write(w)
		return
	}
	w.Header().Set("Allow", strings.Join(allow, ", "))
	(&problem{Status: http.StatusMethodNotAllowed, Detail: "this is for " + strings.Join(allow, " and ")}).write(w)
}

// who describes the client of a request for the log.
func (h *api) who(r *http.Request) string {
	from := r.RemoteAddr
	if from == "" || from == "@" {
		from = "unix socket"
	}
	return from
}

func clientIP(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

func (a *api) etag() string {
	if s := a.Gateway.Current(); s != nil {
		return `"` + strconv.FormatUint(s.Generation, 10) + `"`
	}
	return `"0"`
}
