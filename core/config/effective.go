package config

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Redacted stands where a secret is.
const Redacted = "***"

// Setting is a value of a config as it is in force, or a table or a list of them. Secrets are not in it: of one, only whether it is the same as
// another can be learnt.
type Setting struct {
	Name string // the last part of Key; "" for an element of a list
	Key  string // key path, as far as the file could have it
	// Value is what a setting without children has: a string, int64, uint64, float64, bool, or nil for none.
	Value    any
	Secret   bool // Value is Redacted
	List     bool // the children are elements, not named
	Children []*Setting
	Place    Place // where it stands in the file; zero: it does not, and is a default or follows from others

	hidden string // a digest of a secret
}

// Effective returns the whole config as it is in force, defaults filled in. What is not used (a nil table) is left out.
func (c *Config) Effective() *Setting {
	w := walker{c, callings()}
	root := w.table("", "", reflect.ValueOf(c).Elem())
	slices.SortStableFunc(root.Children, func(a, b *Setting) int { return order(a.Name) - order(b.Name) })
	return root
}

// order puts the tables as the documentation does, and those that it does not know at the end.
func order(table string) int {
	known := rootKeys().names()
	if i := slices.Index(known, table); i >= 0 {
		return i
	}
	return len(known)
}

// Hash returns the SHA-256 of the file as it was read, in hexadecimal.
func (c *Config) Hash() string { return c.sum }

// Child returns the child of that name, nil if there is none.
func (s *Setting) Child(name string) *Setting {
	if s == nil {
		return nil
	}
	for _, child := range s.Children {
		if child.Name == name {
			return child
		}
	}
	return nil
}

// Same reports whether two settings say the same, secrets and all that is below them included. Where they stand does not count.
func (s *Setting) Same(other *Setting) bool {
	if s == nil || other == nil {
		return s == other
	}
	return s.Name == other.Name && s.Value == other.Value && s.hidden == other.hidden && s.List == other.List &&
		slices.EqualFunc(s.Children, other.Children, (*Setting).Same)
}

// Leaves calls yield for s and all below it that have a value, or no children.
func (s *Setting) Leaves(yield func(*Setting)) {
	if s.IsLeaf() {
		yield(s)
	}
	for _, child := range s.Children {
		child.Leaves(yield)
	}
}

// IsLeaf reports whether s has a value, or is an empty list or table.
func (s *Setting) IsLeaf() bool { return len(s.Children) == 0 }

// MarshalJSON writes tables as objects in their order, lists as arrays.
func (s *Setting) MarshalJSON() ([]byte, error) {
	if s.Children == nil && !s.List {
		return json.Marshal(s.Value)
	}
	open, end := byte('{'), byte('}')
	if s.List {
		open, end = '[', ']'
	}
	out := []byte{open}
	for i, child := range s.Children {
		if i > 0 {
			out = append(out, ',')
		}
		if !s.List {
			name, _ := json.Marshal(child.Name) // a string always encodes
			out = append(append(out, name...), ':')
		}
		text, err := child.MarshalJSON()
		if err != nil {
			return nil, err
		}
		out = append(out, text...)
	}
	return append(out, end), nil
}

// UnmarshalJSON takes what MarshalJSON has written as it is, to be shown again: it is a Value, whatever it holds.
func (s *Setting) UnmarshalJSON(text []byte) error {
	*s = Setting{Value: json.RawMessage(slices.Clone(text))}
	return nil
}

// walker makes Settings of a Config. Fields are called as in the file: their names in snake_case, or what called says.
type walker struct {
	c      *Config
	called map[string]string // by type and field
}

// What fields can be called beside a name.
const (
	beside  = "." // the keys of what it holds stand beside those of the table
	nowhere = "-" // it is not of the file
)

// callings are the fields that are not called as the file calls them.
func callings() map[string]string {
	return map[string]string{
		"Config.File": nowhere, "Plugin.Key": nowhere, "Filter.Key": nowhere, "Route.Key": nowhere, "Upstream.Name": nowhere,
		"Sandbox.Limits": beside, "Plugin.Limits": beside, "Upstream.Balance": beside, "Route.Split": beside,
		"Filter.RateLimit": beside, "Filter.Headers": beside, "Filter.Rewrite": beside, "Filter.Compress": beside,
		"Balance.HashFactor": "hash_balance_factor", "Balance.Panic": "panic_threshold", "Cookie.Name": "cookie",
		"Health.Healthy": "healthy_threshold", "Health.Unhealthy": "unhealthy_threshold", "JWT.JWKSURL": "jwks_url", "Limit.By": "key",
		"MetricsOTLP.OTLP": beside,
		"Limit.Count":      nowhere, "Limit.Per": nowhere, // see rateText
		"Split.Branches": "split", "Split.By": "split_by", "Split.Sticky": "split_sticky", "Split.Cookie": nowhere, "Split.MaxAge": nowhere,
	}
}

func (w walker) value(name, key string, v reflect.Value) *Setting {
	if s := w.leaf(v); s != nil {
		s.Name, s.Key = name, key
		w.redact(s)
		s.Place = w.c.written(key)
		return s
	}
	s := &Setting{Name: name, Key: key}
	switch v.Kind() {
	case reflect.Pointer:
		return w.value(name, key, v.Elem())
	case reflect.Struct:
		s = w.table(name, key, v)
	case reflect.Map:
		s.Children = []*Setting{}
		for _, k := range slices.Sorted(maps.Keys(keysOf(v))) {
			s.Children = append(s.Children, w.value(k, join(key, k), v.MapIndex(reflect.ValueOf(k))))
		}
	case reflect.Slice, reflect.Array:
		s = w.list(name, key, v)
	}
	s.Place = w.c.written(key)
	return s
}

func keysOf(v reflect.Value) map[string]bool {
	names := map[string]bool{}
	for _, k := range v.MapKeys() {
		names[k.String()] = true
	}
	return names
}

// list makes a table of fields by name, else a list.
func (w walker) list(name, key string, v reflect.Value) *Setting {
	s := &Setting{Name: name, Key: key, List: true}
	for i := range v.Len() {
		e := v.Index(i)
		switch pair := e.Interface().(type) {
		case NameValue:
			s.List = false
			s.Children = append(s.Children, w.value(pair.Name, join(key, pair.Name), reflect.ValueOf(pair.Value)))
		case HeaderMatch:
			s.List = false
			s.Children = append(s.Children, w.match(pair.Name, join(key, pair.Name), pair.Value))
		case QueryMatch:
			s.List = false
			s.Children = append(s.Children, w.match(pair.Name, join(key, pair.Name), pair.Value))
		default:
			s.Children = append(s.Children, w.value("", element(key, i), e))
		}
	}
	return s
}

// match is a predicate as the file has it: the value that is wanted, or true for any.
func (w walker) match(name, key string, wanted *string) *Setting {
	if wanted == nil {
		return w.value(name, key, reflect.ValueOf(true))
	}
	return w.value(name, key, reflect.ValueOf(*wanted))
}

// leaf returns what has no parts; nil for what has.
func (w walker) leaf(v reflect.Value) *Setting {
	switch known := v.Interface().(type) {
	case Secret:
		return &Setting{Value: Redacted, Secret: true, hidden: digest(known.Reveal())}
	case time.Duration:
		return &Setting{Value: span(known)}
	case StatusRange:
		return &Setting{Value: known.text()}
	case netip.Prefix:
		return &Setting{Value: known.String()}
	case netip.AddrPort:
		return &Setting{Value: known.String()}
	case Grant:
		return &Setting{Value: strings.TrimSuffix(known.Kind+":"+known.Name, ":")}
	}
	switch v.Kind() {
	case reflect.String:
		return &Setting{Value: v.String()}
	case reflect.Bool:
		return &Setting{Value: v.Bool()}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return &Setting{Value: v.Int()}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return &Setting{Value: v.Uint()}
	case reflect.Float32, reflect.Float64:
		return &Setting{Value: v.Float()}
	}
	return nil
}

func (w walker) table(name, key string, v reflect.Value) *Setting {
	s := &Setting{Name: name, Key: key, Children: []*Setting{}}
	for i := range v.NumField() {
		field, value := v.Type().Field(i), v.Field(i)
		called := cmp.Or(w.called[v.Type().Name()+"."+field.Name], snake(field.Name))
		switch {
		case !field.IsExported() || called == nowhere || isAbsent(value):
		case value.Kind() == reflect.String && value.Len() == 0 && w.c.written(join(key, called)) == (Place{}):
		case called == beside:
			s.Children = append(s.Children, w.table(name, key, reflect.Indirect(value)).Children...)
		default:
			s.Children = append(s.Children, w.field(called, key, value)...)
		}
	}
	s.Children = append(s.Children, w.composed(key, v.Interface())...)
	return s
}

// field returns what a field of a table comes to.
func (w walker) field(called, key string, value reflect.Value) []*Setting {
	at := join(key, called)
	switch v := value.Interface().(type) {
	case []byte:
		return []*Setting{w.plugin(called, at, v)}
	case []Limit:
		if len(v) == 1 && w.c.written(at) == (Place{}) { // its keys stand beside the filter's
			return w.table(called, key, value.Index(0)).Children
		}
	}
	return []*Setting{w.value(called, at, value)}
}

// composed returns what the file has as one value and the Config as several.
func (w walker) composed(key string, table any) []*Setting {
	text := func(name, value string) []*Setting {
		return []*Setting{w.value(name, join(key, name), reflect.ValueOf(value))}
	}
	switch t := table.(type) {
	case Limit:
		if t.Per == 0 {
			return []*Setting{w.value("max", join(key, "max"), reflect.ValueOf(t.Count))}
		}
		return text("rate", rateText(&t))
	case Split:
		if t.Cookie != "" {
			sticky := struct {
				Cookie string
				MaxAge time.Duration
			}{t.Cookie, t.MaxAge}
			return []*Setting{w.value("split_sticky", join(key, "split_sticky"), reflect.ValueOf(sticky))}
		}
	}
	return nil
}

// rateText writes a limit's rate as the file has it.
func rateText(l *Limit) string {
	unit := map[time.Duration]string{time.Second: "s", time.Minute: "m", time.Hour: "h", 24 * time.Hour: "d", Month: "mo"}[l.Per]
	return fmt.Sprintf("%d/%s", l.Count, cmp.Or(unit, span(l.Per)))
}

// text writes a range as the file has it.
func (r StatusRange) text() string {
	if r.From == r.To {
		return strconv.Itoa(r.From)
	}
	return fmt.Sprintf("%d-%d", r.From, r.To)
}

// isAbsent reports whether a table or list is not there, or a secret was not set.
func isAbsent(v reflect.Value) bool {
	if s, isSecret := v.Interface().(Secret); isSecret {
		return s.text == nil
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Slice:
		return v.IsNil()
	}
	return false
}

// plugin shows a plugin's own config. The gateway does not know what is a secret in it, so names tell.
func (w walker) plugin(name, key string, text []byte) *Setting {
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.UseNumber() // else large integers would change
	var tree any
	if err := decoder.Decode(&tree); err != nil {
		return &Setting{Name: name, Key: key, Value: Redacted, Secret: true, hidden: digest(string(text))}
	}
	return w.tree(name, key, tree)
}

func (w walker) tree(name, key string, v any) *Setting {
	s := &Setting{Name: name, Key: key, Place: w.c.written(key)}
	switch v := v.(type) {
	case map[string]any:
		s.Children = []*Setting{}
		for _, k := range slices.Sorted(maps.Keys(v)) {
			s.Children = append(s.Children, w.tree(k, join(key, k), v[k]))
		}
	case []any:
		s.List = true
		for i, e := range v {
			child := w.tree(name, element(key, i), e)
			child.Name = ""
			s.Children = append(s.Children, child)
		}
	default:
		s.Value = v
		w.redact(s)
	}
	return s
}

// redact hides what came from the environment or a file, and what by its name is likely to be a secret.
func (w walker) redact(s *Setting) {
	text, isText := s.Value.(string)
	if !isText || s.Secret || !w.c.Secret(s.Key) && !mayHide(s.Key) {
		return
	}
	s.Value, s.Secret, s.hidden = Redacted, true, digest(text)
}

// digest tells two secrets apart without being one: it is never shown.
func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// mayHide reports whether a value at that key path may be a secret though the file has it in the clear: inside of a plugin's config, or of a
// field.
func mayHide(key string) bool {
	free := false
	for _, table := range []string{".config.", ".config[", ".set.", ".add.", ".headers.", ".query."} {
		if _, rest, found := strings.Cut(key, table); found {
			key, free = rest, true
		}
	}
	if !free {
		return false
	}
	words := strings.FieldsFunc(strings.ToLower(key), func(r rune) bool { return !unicode.IsLetter(r) })
	return slices.ContainsFunc(words, func(word string) bool {
		return slices.Contains([]string{
			"secret", "secrets", "password", "passwords", "passwd", "passphrase", "token", "tokens", "credential", "credentials", "key", "keys", "apikey", "hmac",
			"authorization", "cookie", "auth",
		}, word)
	})
}

// written returns the place of a key that stands in the file itself.
func (c *Config) written(key string) Place {
	if c.index == nil || key == "" {
		return Place{}
	}
	return c.index.exact(key)
}

// snake writes a field's name as the file has it: MaxIdle is max_idle, HTTP2 is http2.
func snake(name string) string {
	var b strings.Builder
	runes := []rune(name)
	for i, r := range runes {
		isStart := unicode.IsUpper(r) && i > 0 && (!unicode.IsUpper(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1]))
		if isStart {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// Hidden reports whether the value of that name in the table at a key path must not be shown.
func (c *Config) Hidden(table, name string) bool {
	key := join(table, name)
	return c.Secret(key) || mayHide(key)
}
