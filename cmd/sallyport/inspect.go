package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	host "github.com/sallyport/sallyport/core/plugin"
)

const inspectUsage = `sallyport plugin inspect FILE [--config JSON] [--json]

Says what a module is, needs and costs, as the gateway sees it: it is loaded, and configured with {} unless --config says otherwise.
The exit code is 1 if the gateway would refuse the module, or the configuration given.

`

// inspection is what plugin inspect --json prints.
type inspection struct {
	File     string     `json:"file"`
	OK       bool       `json:"ok"` // the gateway would load it
	Error    string     `json:"error,omitempty"`
	SHA256   string     `json:"sha256,omitempty"`
	Size     int        `json:"size"`
	Metered  int        `json:"metered_size"`
	ABI      int        `json:"abi,omitempty"`
	Config   string     `json:"config"`            // that it was tried with
	Refused  string     `json:"refused,omitempty"` // why it refuses that
	Hooks    []string   `json:"hooks"`             // that it asks for with that configuration
	Grants   []string   `json:"grants"`            // kinds that it needs
	Memory   memoryView `json:"memory"`
	Exports  []portView `json:"exports"`
	Imports  []portView `json:"imports"`
	BuiltBy  []string   `json:"built_by"`
	describe *host.Description
}

type memoryView struct {
	Initial int64 `json:"initial"`
	Maximum int64 `json:"maximum"`
}

type portView struct {
	Module    string `json:"module,omitempty"`
	Name      string `json:"name"`
	Signature string `json:"signature"`
}

// pluginInspect describes a module.
func pluginInspect(args []string, stdout, stderr io.Writer) int {
	flags := newFlags("plugin inspect", inspectUsage, stderr)
	config := flags.String("config", "", "the configuration to try, a JSON object")
	asJSON := flags.Bool("json", false, "print the result as JSON")
	files, err := parse(flags, args)
	if err != nil {
		return misused(err)
	}
	if len(files) != 1 {
		flags.Usage()
		return 2
	}
	if *config != "" && !isObject(*config) {
		fmt.Fprintf(stderr, "sallyport plugin inspect: --config %s is no JSON object\n", *config)
		return 2
	}
	i, err := inspect(files[0], *config)
	if err != nil {
		return failed(stderr, err)
	}
	if *asJSON {
		encoder := json.NewEncoder(stdout)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		err = encoder.Encode(i)
	} else {
		i.print(stdout)
	}
	if err != nil || !i.OK || i.Refused != "" && *config != "" {
		return 1
	}
	return 0
}

func isObject(text string) bool {
	var object map[string]any
	return json.Unmarshal([]byte(text), &object) == nil && object != nil
}

// inspect returns an error only for a file that cannot be read: what else is wrong is part of the result.
func inspect(file, config string) (*inspection, error) {
	wasm, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	if config == "" {
		config = "{}"
	}
	i := &inspection{File: file, Size: len(wasm), Config: config, Hooks: []string{}, Grants: []string{}, BuiltBy: []string{}, Exports: []portView{}, Imports: []portView{}}
	if d, err := host.Describe(wasm); err == nil {
		i.take(d)
	}
	h, err := host.NewHost(context.Background(), host.HostOptions{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	if err := i.load(h, wasm); err != nil {
		i.Error = err.Error()
	} else {
		i.OK = true
	}
	return i, h.Close()
}

func (i *inspection) take(d *host.Description) {
	i.describe = d
	i.SHA256, i.Metered, i.Memory = d.Hash, d.Metered, memoryView{d.MemoryMin, d.MemoryMax}
	for _, n := range d.Needs {
		i.Grants = append(i.Grants, n.Kind)
	}
	for _, p := range d.Exports {
		i.Exports = append(i.Exports, portView(p))
	}
	for _, p := range d.Imports {
		i.Imports = append(i.Imports, portView(p))
	}
	for _, p := range d.Producers {
		i.BuiltBy = append(i.BuiltBy, strings.TrimSpace(p.Name+" "+p.Version))
	}
}

// load tries the module as the gateway would. That it refuses this one configuration is no error.
func (i *inspection) load(h *host.Host, wasm []byte) error {
	p, err := h.Load(strings.TrimSuffix(filepath.Base(i.File), ".wasm"), wasm, host.Limits{})
	if err != nil {
		return err
	}
	pool, err := p.Configure([]byte(i.Config), host.Grants{Assumed: true})
	var refused *host.ConfigError
	if errors.As(err, &refused) {
		i.Refused = refused.Error()
		return nil
	}
	if err != nil {
		return err
	}
	i.ABI = pool.Level()
	i.Hooks = strings.Split(pool.Hooks().String(), ", ")
	if pool.Hooks() == 0 {
		i.Hooks = []string{}
	}
	return nil
}

func (i *inspection) print(w io.Writer) {
	row := func(name, text string) { fmt.Fprintf(w, "  %-11s %s\n", name, text) }
	switch {
	case !i.OK:
		fmt.Fprintf(w, "%s: the gateway would refuse it\n", i.File)
		for line := range strings.Lines(i.Error) {
			row("error", strings.TrimSpace(line))
		}
	case i.ABI > 0:
		fmt.Fprintf(w, "%s: a plugin for ABI level %d\n", i.File, i.ABI)
	default:
		fmt.Fprintf(w, "%s: a plugin\n", i.File)
	}
	if i.describe == nil {
		return
	}
	i.printRun(row)
	row("grants", orNone(i.Grants))
	row("memory", i.memoryText())
	row("size", fmt.Sprintf("%s, metered %s", sizeText(int64(i.Size)), sizeText(int64(i.Metered))))
	row("SHA-256", i.SHA256)
	row("built by", orNone(i.BuiltBy))
	row("exports", orNone(portNames(i.Exports, "")))
	modules := map[string]bool{}
	for _, p := range i.Imports {
		if !modules[p.Module] {
			modules[p.Module] = true
			row("imports", p.Module+": "+orNone(portNames(i.Imports, p.Module)))
		}
	}
}

// memoryText leaves out the maximum of modules that name none: it is all that 32 bits can address.
func (i *inspection) memoryText() string {
	text := sizeText(i.Memory.Initial) + " at first"
	if i.Memory.Maximum < 4<<30 {
		return text + ", at most " + sizeText(i.Memory.Maximum) + " or what [sandbox] allows"
	}
	return text + ", then as much as [sandbox] allows"
}

// printRun tells what was seen of on_configure.
func (i *inspection) printRun(row func(name, text string)) {
	switch {
	case i.Refused != "":
		row("hooks", "not known: it refuses the configuration "+i.Config)
		row("", i.Refused)
		if i.Config == "{}" {
			row("", "(give it another with --config JSON)")
		}
	case i.OK:
		row("hooks", orNone(i.Hooks)+" (with the configuration "+i.Config+")")
	}
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

func portNames(ports []portView, module string) (names []string) {
	for _, p := range ports {
		if p.Module == module {
			names = append(names, p.Name)
		}
	}
	return names
}

// sizeText writes bytes for people.
func sizeText(n int64) string {
	switch {
	case n >= 10<<20:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 10<<10:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d bytes", n)
}
