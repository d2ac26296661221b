package admin

import (
	"embed"
	"net/http"
	"path"
)

//go:embed dashboard
var dashboardFiles embed.FS

// dashboardPolicy lets the page load its own parts and ask its own origin, and nothing else. Text cannot become markup or script in it, even
// by a mistake of the page's own.
const dashboardPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; " +
	"frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// dashboardPart is a file of the page.
type dashboardPart struct {
	kind string
	text []byte
}

// dashboardParts returns the page's files by name.
func dashboardParts() map[string]dashboardPart {
	parts := map[string]dashboardPart{}
	files, _ := dashboardFiles.ReadDir("dashboard") // what is embedded can be read
	for _, f := range files {
		text, _ := dashboardFiles.ReadFile("dashboard/" + f.Name())
		parts[f.Name()] = dashboardPart{kindOf(f.Name()), text}
	}
	return parts
}

// kindOf asks no table of the machine's: it may say anything.
func kindOf(file string) string {
	switch path.Ext(file) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".js":
		return "text/javascript; charset=utf-8"
	}
	return "application/octet-stream"
}

func (a *api) dashboard(w http.ResponseWriter, _ *http.Request) {
	a.writePart(w, a.parts["index.html"])
}

func (a *api) dashboardFile(w http.ResponseWriter, r *http.Request) {
	part, ok := a.parts[r.PathValue("file")]
	if !ok {
		fail(w, http.StatusNotFound, "the dashboard has no such part")
		return
	}
	a.writePart(w, part)
}

func (a *api) writePart(w http.ResponseWriter, part dashboardPart) {
	w.Header().Set("Content-Security-Policy", dashboardPolicy)
	w.Header().Set("Content-Type", part.kind)
	_, _ = w.Write(part.text) // the client may have gone; nothing follows from it
}
