package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/cmd/sallyport/project"
	"github.com/sallyport/sallyport/core/cases"
	"github.com/sallyport/sallyport/core/config"
)

const pluginTestUsage = `sallyport plugin test DIR|FILE... [--wasm FILE] [--update] [--verbose]

Runs the cases of NAME.test.toml and NAME.*.test.toml in the gateway's own sandbox, with the module NAME.wasm beside them. A FILE is one of
either; a DIR stands for all cases in it. Fetches are answered by the case, the clock stands still, random bytes are the same every time.
The exit code is 0 if all went as expected, 1 if not.

`

// caseSuffix ends the names of files of cases.
const caseSuffix = ".test.toml"

// testFlags are those that both kinds of tests have.
type testFlags struct {
	update, verbose bool
}

// parse adds them to flags, reads args, and returns what is to be tested, of which there must be something: without, the exit code is all
// that is left to do.
func (t *testFlags) parse(flags *flag.FlagSet, args []string) (targets []string, code int) {
	flags.BoolVar(&t.update, "update", false, "write what was seen into the expect tables of cases that fail")
	flags.BoolVar(&t.verbose, "verbose", false, "show notes also of cases that pass")
	targets, err := parse(flags, args)
	if err != nil {
		return nil, misused(err)
	}
	if len(targets) == 0 {
		flags.Usage()
		return nil, 2
	}
	return targets, 0
}

// pluginTest runs the cases of plugins.
func pluginTest(args []string, stdout, stderr io.Writer) int {
	var t testFlags
	flags := newFlags("plugin test", pluginTestUsage, stderr)
	wasm := flags.String("wasm", "", "the module, where it is not beside the cases")
	targets, code := t.parse(flags, args)
	if len(targets) == 0 {
		return code
	}
	var files []string
	for _, target := range targets {
		found, err := caseFiles(target)
		if err != nil {
			return failed(stderr, err)
		}
		files = append(files, found...)
	}
	for _, file := range files {
		passed, err := t.pluginFile(file, *wasm, stdout, stderr)
		if err != nil {
			fmt.Fprintln(stderr, err)
		}
		if !passed {
			code = 1
		}
	}
	return code
}

// caseFiles returns the files of cases that a target stands for.
func caseFiles(target string) ([]string, error) {
	info, err := os.Stat(target)
	if err != nil {
		return nil, err
	}
	pattern := ""
	switch stem, isModule := strings.CutSuffix(target, ".wasm"); {
	case info.IsDir():
		pattern = filepath.Join(target, "*"+caseSuffix)
	case isModule:
		pattern = stem + ".*" // narrowed below: a pattern has no way to say "nothing, or .MORE"
	case strings.HasSuffix(target, caseSuffix):
		return []string{target}, nil
	default:
		return nil, fmt.Errorf("%s is neither a folder nor a .wasm file nor a %s file", target, caseSuffix)
	}
	all, err := filepath.Glob(pattern)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", target, err)
	}
	var files []string
	for _, file := range all {
		if strings.HasSuffix(file, caseSuffix) {
			files = append(files, file)
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s: there are no cases for it: write NAME%s, as docs/PLUGINS.md says", target, caseSuffix)
	}
	return files, nil
}

// pluginFile runs one file of cases. Errors are told apart from cases that fail.
func (t *testFlags) pluginFile(file, wasm string, stdout, stderr io.Writer) (passed bool, err error) {
	cs, err := config.LoadCases(file, config.PluginCases)
	if err != nil {
		return false, err
	}
	stem, _, _ := strings.Cut(filepath.Base(file), ".")
	if wasm == "" {
		wasm = filepath.Join(filepath.Dir(file), stem+".wasm")
		if newer := project.Newer(filepath.Dir(file), wasm); newer != "" {
			fmt.Fprintf(stderr, "%s is older than %s: sallyport plugin build %s\n", wasm, newer, filepath.Dir(file))
		}
	}
	module, err := os.ReadFile(wasm)
	if errors.Is(err, fs.ErrNotExist) {
		return false, fmt.Errorf("%s: its module %s is not there: sallyport plugin build %s, or name it with --wasm", file, wasm, filepath.Dir(file))
	}
	if err != nil {
		return false, err
	}
	results, err := cases.RunPlugin(cs, stem, module)
	if err != nil {
		return false, fmt.Errorf("%s: %w", wasm, err)
	}
	return t.finish(cs, results, stdout)
}

// finish shows the results, or writes them into the file.
func (t *testFlags) finish(cs *config.Cases, results []cases.Result, stdout io.Writer) (passed bool, err error) {
	if !t.update {
		report := cases.Report{Out: stdout, Colour: isTerminal(stdout), Verbose: t.verbose}
		report.Write(cs, results)
		return cases.Passed(results), nil
	}
	text, changed, err := cases.Update(cs, results)
	if err != nil {
		return false, err
	}
	if changed > 0 {
		if err := os.WriteFile(cs.File, text, 0o644); err != nil {
			return false, err
		}
	}
	fmt.Fprintf(stdout, "%s: %d of %d cases updated\n", cs.File, changed, len(results))
	return t.noneStuck(cs, results, stdout), nil
}

// noneStuck shows the cases that nothing can be written for, since they could not be run.
func (t *testFlags) noneStuck(cs *config.Cases, results []cases.Result, stdout io.Writer) bool {
	results = slices.DeleteFunc(results, func(r cases.Result) bool { return !r.Stuck() })
	if len(results) > 0 {
		report := cases.Report{Out: stdout, Colour: isTerminal(stdout), Verbose: t.verbose}
		report.Write(cs, results)
	}
	return len(results) == 0
}
