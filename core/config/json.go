package config

import (
	"bytes"
	"encoding/json"
	"math"
	"time"
)

// pluginConfig reads a plugin's config table as a JSON object, with references resolved and keys sorted: the same
// config gives the same bytes, wherever its lines stand.
func (v value) pluginConfig(dst *[]byte) {
	if !v.isTable() {
		return
	}
	if v.isReference() {
		v.fail("must be a table of the plugin's keys: only what is inside of it may come from the environment or a file")
		return
	}
	before := len(v.r.wrong)
	tree := v.plain()
	if len(v.r.wrong) > before {
		return
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(tree); err != nil {
		v.fail("cannot be written as JSON")
		return
	}
	*dst = bytes.TrimSuffix(out.Bytes(), []byte("\n"))
}

// plain turns v into what JSON knows.
func (v value) plain() any {
	switch raw := v.raw.(type) {
	case map[string]any:
		return v.plainTable()
	case []any, []map[string]any:
		elements, _ := v.list("values")
		list := make([]any, len(elements))
		for i, e := range elements {
			list[i] = e.plain()
		}
		return list
	case time.Time:
		return dateText(raw)
	case float64:
		if math.IsNaN(raw) || math.IsInf(raw, 0) {
			v.fail("JSON has no infinity and no NaN")
		}
		return raw
	}
	return v.raw
}

func (v value) plainTable() any {
	if v.isReference() {
		secret, _ := v.resolve()
		return secret
	}
	if v.has("env") && v.has("file") && len(v.names()) == 2 {
		v.fail("env and file exclude each other")
		return nil
	}
	table := map[string]any{}
	for _, name := range v.names() {
		table[name] = v.child(name).plain()
	}
	return table
}

// dateText writes a date or time as TOML has it: the library marks what has no date, time or zone by its location.
func dateText(t time.Time) string {
	switch t.Location().String() {
	case "datetime-local":
		return t.Format("2006-01-02T15:04:05.999999999")
	case "date-local":
		return t.Format(time.DateOnly)
	case "time-local":
		return t.Format("15:04:05.999999999")
	}
	return t.Format(time.RFC3339Nano)
}
