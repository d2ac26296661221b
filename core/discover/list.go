package discover

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/BurntSushi/toml"
)

// What a file may hold.
const (
	maxEndpoints = 10_000
	maxWeight    = 1000
	maxPriority  = 15
	maxDepth     = 32
	maxZone      = 64
)

// readJSON reads an array of endpoints, alone or as "endpoints" of an object.
func readJSON(data []byte) ([]Endpoint, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var value any
	if err := d.Decode(&value); err != nil {
		return nil, fmt.Errorf("no valid JSON: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("no valid JSON: there is more behind its end")
	}
	if list, ok := value.([]any); ok {
		return readList(list)
	}
	return readTable(value)
}

// readTOML reads an array "endpoints".
func readTOML(data []byte) ([]Endpoint, error) {
	if depth(string(data)) > maxDepth {
		return nil, fmt.Errorf("nested more than %d deep", maxDepth) // the library has no bound of its own
	}
	table, err := decodeTOML(string(data))
	if err != nil {
		return nil, fmt.Errorf("no valid TOML: %w", err)
	}
	return readTable(table)
}

// decodeTOML turns the library's panics, should it have some, into errors.
func decodeTOML(text string) (table map[string]any, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = errors.New("the TOML library gave up on it")
		}
	}()
	_, err = toml.Decode(text, &table)
	return table, err
}

func readTable(value any) ([]Endpoint, error) {
	table, ok := value.(map[string]any)
	if !ok {
		return nil, errors.New("want a list of endpoints")
	}
	for key := range table {
		if key != "endpoints" {
			return nil, fmt.Errorf("unknown key %q: there is endpoints", key)
		}
	}
	switch list := table["endpoints"].(type) {
	case []any:
		return readList(list)
	case []map[string]any: // of TOML's [[endpoints]]
		elements := make([]any, len(list))
		for i := range list {
			elements[i] = list[i]
		}
		return readList(elements)
	case nil:
		return nil, errors.New("endpoints is missing: is the file half-written?")
	}
	return nil, errors.New("endpoints is no list")
}

func readList(list []any) ([]Endpoint, error) {
	if len(list) > maxEndpoints {
		return nil, fmt.Errorf("%d endpoints, %d are the most", len(list), maxEndpoints)
	}
	endpoints := make([]Endpoint, len(list))
	for i, element := range list {
		var err error
		if endpoints[i], err = readEndpoint(element); err != nil {
			return nil, fmt.Errorf("endpoints[%d]: %w", i, err)
		}
	}
	return endpoints, nil
}

// readEndpoint reads an address, or a table with one.
func readEndpoint(element any) (e Endpoint, err error) {
	e.Weight = 1
	table, ok := element.(map[string]any)
	if !ok {
		table = map[string]any{"address": element}
	}
	if _, ok := table["address"]; !ok {
		return e, errors.New("address is missing")
	}
	for key, value := range table {
		if err := e.set(key, value); err != nil {
			return e, fmt.Errorf("%s: %w", key, err)
		}
	}
	return e, nil
}

func (e *Endpoint) set(key string, value any) (err error) {
	switch key {
	case "address":
		e.Address, err = readAddress(value)
	case "weight":
		e.Weight, err = readInteger(value, 1, maxWeight)
	case "priority":
		e.Priority, err = readInteger(value, 0, maxPriority)
	case "zone":
		zone, ok := value.(string)
		if !ok || len(zone) > maxZone {
			return fmt.Errorf("want a string of up to %d bytes", maxZone)
		}
		e.Zone = zone
	default:
		return errors.New("unknown key: there are address, weight, zone and priority")
	}
	return err
}

func readInteger(value any, low, high int64) (int, error) {
	n, ok := value.(int64)
	if text, isNumber := value.(json.Number); isNumber {
		var err error
		n, err = text.Int64()
		ok = err == nil
	}
	if !ok || n < low || n > high {
		return 0, fmt.Errorf("want an integer from %d to %d", low, high)
	}
	return int(n), nil
}
