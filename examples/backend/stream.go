package main

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// maxBytes bounds /bytes: 1 TiB.
const maxBytes = 1 << 40

// slow answers as tell does after ?ms= milliseconds (1000 without it), unless the client leaves first.
func (s *service) slow(w http.ResponseWriter, r *http.Request) {
	ms, err := number(r, "ms", 1000, int64(time.Hour/time.Millisecond))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	select {
	case <-time.After(time.Duration(ms) * time.Millisecond):
		s.tell(w, r)
	case <-r.Context().Done():
	}
}

// echo sends the request's body back while it still comes in.
func echo(w http.ResponseWriter, r *http.Request) {
	control := http.NewResponseController(w)
	if r.ProtoMajor == 1 {
		if err := control.EnableFullDuplex(); err != nil {
			http.Error(w, "this connection cannot echo", http.StatusInternalServerError)
			return
		}
	}
	if kind := r.Header.Get("Content-Type"); kind != "" {
		w.Header().Set("Content-Type", kind)
	}
	if r.ContentLength >= 0 {
		w.Header().Set("Content-Length", strconv.FormatInt(r.ContentLength, 10))
	}
	buf := make([]byte, 64<<10)
	for {
		n, err := r.Body.Read(buf)
		if _, werr := w.Write(buf[:n]); werr != nil || control.Flush() != nil {
			return
		}
		if err == io.EOF {
			return
		}
		if err != nil {
			panic(http.ErrAbortHandler) // half an echo must not look like a whole one
		}
	}
}

// bytesOf sends ?n= bytes, chunked when ?chunked=1 is there, with Content-Length otherwise.
func bytesOf(w http.ResponseWriter, r *http.Request) {
	n, err := number(r, "n", 0, maxBytes)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	if r.URL.Query().Get("chunked") != "1" {
		w.Header().Set("Content-Length", strconv.FormatInt(n, 10))
	}
	if _, err := io.CopyN(w, pattern{}, n); err != nil {
		panic(http.ErrAbortHandler)
	}
}

// pattern reads as an endless run of one letter.
type pattern struct{}

func (pattern) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

// events sends server-sent events, ?n= of them (0: without end), ?ms= milliseconds apart (1000 without it).
func (s *service) events(w http.ResponseWriter, r *http.Request) {
	n, errN := number(r, "n", 0, maxBytes)
	ms, errMS := number(r, "ms", 1000, int64(time.Hour/time.Millisecond))
	if errN != nil || errMS != nil {
		http.Error(w, "n and ms must be numbers", http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	control := http.NewResponseController(w)
	for i := int64(1); ; i++ {
		fmt.Fprintf(w, "id: %d\ndata: {\"endpoint\":%q,\"event\":%d}\n\n", i, s.endpoint, i)
		if control.Flush() != nil || i == n {
			return
		}
		select {
		case <-time.After(time.Duration(ms) * time.Millisecond):
		case <-r.Context().Done():
			return
		case <-s.stopping:
			return
		}
	}
}

// number reads the query parameter name, from 0 to most.
func number(r *http.Request, name string, absent, most int64) (int64, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return absent, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n > most {
		return 0, fmt.Errorf("%s must be a number from 0 to %d", name, most)
	}
	return n, nil
}
