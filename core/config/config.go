// Package config reads gateway.toml strictly: everything that is wrong is told at once, with its place.
package config

import (
	"net/netip"
	"time"
)

// Config is one gateway.toml, read, checked for everything that can be known without building it, and with the
// defaults filled in. It is not changed after Load. Key paths such as `routes[0].filters[1].config` lead to places by At.
type Config struct {
	File      string // as given to Load
	Server    Server
	Admin     *Admin // nil: off
	Log       Log
	Metrics   Metrics
	Tracing   *Tracing `json:",omitzero"` // nil: off
	Sandbox   Sandbox
	Plugins   map[string]Plugin
	Upstreams map[string]Upstream
	Secrets   map[string]Secret // like KV and Limits, for plugins' grants
	KV        map[string]KV
	Limits    map[string]Limit
	JWT       map[string]JWT
	Passwords map[string]Passwords
	Schemas   map[string]Schema `json:",omitzero"`
	Stores    map[string]Store
	Filters   []Filter // run before every route's own
	Routes    []Route

	places  places          // while the file is read
	index   *index          // from then on; nil: not yet
	secrets map[string]bool // key paths of what came from the environment or a file
	sum     string          // SHA-256 of the file in hexadecimal
}

// Place is where in the file something stands; lines and columns count from 1, columns in characters.
type Place struct {
	Line, Col int
}

// Server is the [server] table.
type Server struct {
	Listen       []Listener
	DrainDelay   time.Duration // from SIGTERM until the listeners close
	DrainTimeout time.Duration
	Zone         string       // where the gateway is; "": not known
	Concurrency  *Concurrency // of all routes together; nil: no bound
}

// Listener is one address that requests come in on.
type Listener struct {
	Address        string // host:port, or "unix:" and an absolute path
	TrustedProxies []netip.Prefix
	TrustUnix      bool // whoever connects to a Unix socket is a trusted proxy
	RedirectHTTPS  int  // the port that requests are sent to by https; 0: they are served
	HTTP2          bool
	TLS            *TLS // nil: plain
	Limits         Limits
}

// TLS is how a listener secures its connections.
type TLS struct {
	Certificates []Certificate
	StrictSNI    bool
	MinVersion   string // "1.2" or "1.3"
	ClientAuth   string // "none", "request", "require", "verify_if_given"
	ClientCA     string // absolute path; "" where clients are not verified
}

// files returns the paths that t names; none for nil.
func (t *TLS) files() []string {
	if t == nil {
		return nil
	}
	var files []string
	for _, c := range t.Certificates {
		files = append(files, c.Cert, c.Key)
	}
	if t.ClientCA != "" {
		files = append(files, t.ClientCA)
	}
	return files
}

// Certificate is a certificate with its chain and its key: absolute paths of PEM files.
type Certificate struct {
	Cert, Key string
}

// Limits are the bounds of one listener. Sizes are bytes.
type Limits struct {
	Head             int           // the request line and all fields
	Fields           int           // how many
	URI              int           // the request target
	HeadTimeout      time.Duration // from a head's first byte to its last
	IdleTimeout      time.Duration // between requests
	BodyTimeout      time.Duration // without progress while a request's body is read, or an answer is written
	Connections      int           // open at once; more wait to be accepted
	ConnectionsPerIP int           // open at once from one address; more are closed; 0: no bound
	Streams          int           // requests at once on an HTTP/2 connection
}

// Log is the [log] table.
type Log struct {
	Access string // "stdout", "off" or a path
	Level  string // "debug", "info", "warn", "error"

	Format           string   `json:",omitempty"` // "clf" or "combined"; "": lines of JSON
	Fields           []string `json:",omitempty"` // of lines of JSON, in order; empty: all but those that have to be named
	Filters          bool     `json:",omitempty"` // each filter's time is taken
	RequestHeaders   []string `json:",omitempty"` // names
	ResponseHeaders  []string `json:",omitempty"`
	RedactQuery      []string `json:",omitempty"` // names of query parameters; nil: those that usually hold secrets
	RedactAttributes []string `json:",omitempty"`
	// Sample is the share of exchanges that get a line, by the first digit of their status; nil: all do.
	Sample map[string]float64 `json:",omitempty"`
	Slow   time.Duration      `json:",omitempty"` // exchanges that took as long always get a line; 0: that alone is no reason
}

// Sandbox is the [sandbox] table: what every plugin gets unless its own table says otherwise.
type Sandbox struct {
	Dir    string // absolute
	Cache  string // absolute
	Limits PluginLimits
}

// PluginLimits bound one plugin.
type PluginLimits struct {
	Memory       int64 // bytes an instance's linear memory may grow to
	Fuel         int64 // units for one hook
	Slice        int64 // units between two safe points
	FuelStart    int64 // units for start, _initialize and on_configure together
	TimeLimit    time.Duration
	MaxInstances int
	MaxUses      int64         // hooks an instance runs before a fresh one takes its place; 0: no bound
	WaitTimeout  time.Duration // for an idle instance when all are busy
	BufferLimit  int64         // bytes of a body that is held whole for it
	FetchTimeout time.Duration // for a fetch that names none, and the most for those that do
	MaxWaiting   int           // instances that may wait for a blocking fetch at once
}

// Plugin is one [plugins.NAME] table.
type Plugin struct {
	Key           string // key path, for At
	File          string // absolute; by default Sandbox.Dir/NAME.wasm
	SHA256        string // lower-case hex that the file must have; "" for any
	Limits        PluginLimits
	Grants        []Grant
	HiddenHeaders []string // field names, in the file's spelling
}

// Grant is a kind of thing that a plugin may use and the name of one: `kv:sessions`. Kind "kv" without a name is the plugin's own store.
type Grant struct {
	Kind string // "fetch", "jwt", "kv", "limit", "passwords", "schema" or "secret"
	Name string
}

// KV is one [kv.NAME] table: a store of values.
type KV struct {
	Entries int    // kept at most
	Bytes   int64  // that they may take
	Store   string // of [stores.NAME]; "": this gateway's memory
}

// Upstream is one [upstreams.NAME] table.
type Upstream struct {
	Endpoints       []Endpoint
	Policy          string
	ConnectTimeout  time.Duration
	ResponseTimeout time.Duration // from the request sent to the response's head
	IdleTimeout     time.Duration // of a kept connection
	MaxIdle         int           // kept connections per endpoint
	Retries         int           // on another endpoint, when the request can be replayed
	Protocol        string        // "http/1.1", "h2", "h2c"
	TLS             *UpstreamTLS  // nil: none
	Discover        *Discover     // where more endpoints are looked up; nil: nowhere
	Name            string
	Balance         Balance

	Health *Health `json:",omitzero"` // nil: endpoints are not checked
	Eject  *Eject  `json:",omitzero"` // nil: endpoints are not ejected

	Retry   *Retry          // nil: on connect and reset, at once, without a budget
	Limits  *UpstreamLimits // nil: none
	Breaker *Breaker        // nil: none
}

// Endpoint is one server of an upstream.
type Endpoint struct {
	Address string // host:port, or unix: and an absolute path
	Weight  int    // 1 to 1000

	Zone     string // "": not known
	Priority int    // 0 first
}

// JWT is one [jwt.NAME] table: keys that tokens are verified against, and what else a token must be. One of Secrets, PublicKeys, JWKS and
// JWKSURL is set.
type JWT struct {
	Secrets    []Secret
	PublicKeys []string // PEM
	JWKS       Secret   // JSON; it may hold secrets, too
	JWKSURL    string
	Refresh    time.Duration
	Algorithms []string
	Issuers    []string // empty: any
	Audiences  []string // empty: any
	Leeway     time.Duration
	RequireExp bool
}

// Filter is one step of a chain as written: a native filter (then exactly one of the native fields is set) or a plugin.
type Filter struct {
	Use       string // the native filter's or the plugin's name
	Key       string // key path, for At
	OnError   string // "deny" or "skip"; plugins only
	Config    []byte // JSON object; plugins only, "{}" when absent
	RateLimit *RateLimit
	Headers   *Headers
	Rewrite   *Rewrite
	Compress  *Compress
}

// Headers is the native filter `headers`.
type Headers struct {
	Request, Response HeaderEdit
}

// HeaderEdit changes the fields of a message: remove first, then set, then add.
type HeaderEdit struct {
	Set, Add []NameValue // in the file's order
	Remove   []string
}

// NameValue is a field as written in the file.
type NameValue struct {
	Name, Value string
}

// Rewrite is the native filter `rewrite`: exactly one of the ways to change the path.
type Rewrite struct {
	StripPrefix string
	Path        string // a pattern with :name and *name parameters of the route; its query, if any, replaces the request's
	AddPrefix   string
}

// Compress is the native filter `compress`.
type Compress struct {
	Encodings  []string // of "zstd", "br" and "gzip", the preferred first
	Types      []string // "type/subtype", "type/*" or "type/*+suffix", in lower case
	MinSize    int64    // bytes
	Level      string   // "fast", "default", "best"
	MaxStreams int
}

// Route is one [[routes]] table.
type Route struct {
	Name          string
	Key           string // key path, for At
	Host          string // "", exact, or *.example.com
	Path          string // httprouter pattern
	Methods       []string
	Headers       []HeaderMatch
	Query         []QueryMatch
	Upstream      string // one of Upstream, Redirect and Respond is set
	Redirect      *Redirect
	Respond       *Respond
	StripPrefix   string
	Rewrite       string
	RejectEncoded []string      // of "%2F", "%5C", "%3B", "%23"
	UpstreamHost  string        // "pass", "upstream" or a name to send as Host
	Timeout       time.Duration // of the whole exchange up to the response's head; 0: none
	MaxBody       int64         // bytes; 0: no bound
	IdleTimeout   time.Duration // of a tunnel, or an answer's content, that brings no byte
	Filters       []Filter

	TotalTimeout time.Duration // of the whole exchange up to the response's last byte; 0: none
	Concurrency  *Concurrency  // nil: no bound
	Split        *Split        // instead of Upstream; nil: none
	Mirror       *Mirror       // nil: none
	Unlogged     bool          `json:",omitempty"` // its exchanges have no line in the access log

	Tracing *RouteTracing `json:",omitzero"` // nil: as all routes
}

// HeaderMatch is a predicate on a request's fields: there, or there with exactly that value.
type HeaderMatch struct {
	Name  string
	Value *string
}

// QueryMatch is a predicate on the query: the parameter is there, or there with exactly that first value.
type QueryMatch struct {
	Name  string
	Value *string
}

// Redirect answers with a Location. Its parts may use :name and *name parameters of the route.
type Redirect struct {
	To     string // absolute URL or path; keeps the request's query unless it has one
	Status int    // 301, 302, 303, 307, 308
}

// Respond is a static answer.
type Respond struct {
	Status  int
	Body    string
	Headers []NameValue
}
