package admin

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"

	"github.com/sallyport/sallyport/core/config"
)

// problem is an answer that says what is wrong (RFC 9457).
type problem struct {
	Title  string         `json:"title"`
	Status int            `json:"status"`
	Detail string         `json:"detail"`
	Errors []config.Error `json:"errors,omitempty"` // of a config

	challenge  bool
	retryAfter int // seconds; 0: not said
}

func (p *problem) write(w http.ResponseWriter) {
	p.Title = http.StatusText(p.Status)
	if p.challenge {
		w.Header().Set("WWW-Authenticate", `Bearer realm="sallyport admin"`)
	}
	if p.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(p.retryAfter))
	}
	w.Header().Set("Content-Type", "application/problem+json")
	encode(w, p.Status, p)
}

func fail(w http.ResponseWriter, status int, detail string) {
	(&problem{Status: status, Detail: detail}).write(w)
}

func writeText(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	_, _ = w.Write([]byte(text + "\n")) // the client may have gone; nothing follows from it
}

func writeJSON(w http.ResponseWriter, code int, value any) {
	w.Header().Set("Content-Type", "application/json")
	encode(w, code, value)
}

func encode(w http.ResponseWriter, code int, value any) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false) // it is never HTML: the fields say so
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(value); err != nil {
		writeText(w, http.StatusInternalServerError, "cannot encode the answer")
		return
	}
	w.WriteHeader(code)
	_, _ = w.Write(text.Bytes()) // the client may have gone; nothing follows from it
}

// read decodes a request's content strictly: no unknown names, nothing behind it. It answers what is wrong and reports false then.
func read(w http.ResponseWriter, r *http.Request, into any) bool {
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	err := decoder.Decode(into)
	if err == nil {
		if _, more := decoder.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("something stands behind the object")
		}
	}
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		fail(w, http.StatusRequestEntityTooLarge, "the content is too large")
	case err != nil:
		fail(w, http.StatusBadRequest, "the content is not what is wanted: "+err.Error())
	}
	return err == nil
}
