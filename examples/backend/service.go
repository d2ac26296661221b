package main

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// shown are the request's fields that an answer tells of: what the gateway and its plugins add.
var shown = []string{"X-First-Plugin", "X-Consumer", "X-Consumer-Groups", "X-Tenant", "X-Forwarded-By", "X-Forwarded-For"}

// answer is the body for any path. With a request through the gateway it is about 259 bytes long, a usual API answer.
type answer struct {
	Endpoint string            `json:"endpoint"`
	Method   string            `json:"method"`
	Host     string            `json:"host"`
	Path     string            `json:"path"`
	Query    string            `json:"query,omitempty"`
	Headers  map[string]string `json:"headers"`
	Message  string            `json:"message"`
}

// service answers on one endpoint. Its fields do not change; it is safe for concurrent use.
type service struct {
	endpoint string
	stopping <-chan struct{} // closed when endless answers should end
}

func newService(endpoint string, stopping <-chan struct{}) http.Handler {
	s := &service{endpoint: endpoint, stopping: stopping}
	mux := http.NewServeMux()
	mux.HandleFunc("/", s.tell)
	mux.HandleFunc("/slow", s.slow)
	mux.HandleFunc("/echo", echo)
	mux.HandleFunc("/bytes", bytesOf)
	mux.HandleFunc("/status/{code}", s.status)
	mux.HandleFunc("/sse", s.events)
	mux.HandleFunc("/ws", s.webSocket)
	return mux
}

// tell answers with what arrived, and where.
func (s *service) tell(w http.ResponseWriter, r *http.Request) {
	s.write(w, r, http.StatusOK)
}

// status answers as tell does, with the status that the path names.
func (s *service) status(w http.ResponseWriter, r *http.Request) {
	code, err := strconv.Atoi(r.PathValue("code"))
	if err != nil || code < 200 || code > 599 {
		http.Error(w, "the status must be a number from 200 to 599", http.StatusBadRequest)
		return
	}
	s.write(w, r, code)
}

func (s *service) write(w http.ResponseWriter, r *http.Request, code int) {
	headers := map[string]string{}
	for _, name := range shown {
		if value := r.Header.Get(name); value != "" {
			headers[name] = value
		}
	}
	body, err := json.Marshal(answer{
		Endpoint: s.endpoint,
		Method:   r.Method,
		Host:     r.Host,
		Path:     r.URL.Path,
		Query:    r.URL.RawQuery,
		Headers:  headers,
		Message:  "Hello from the service behind the gateway: this is what arrived here.",
	})
	if err != nil {
		http.Error(w, "the answer cannot be written as JSON", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if code == http.StatusNoContent || code == http.StatusNotModified {
		w.WriteHeader(code)
		return
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)+1))
	w.WriteHeader(code)
	w.Write(append(body, '\n'))
}
