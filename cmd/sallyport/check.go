package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"

	"github.com/sallyport/sallyport/core/config"
	"github.com/sallyport/sallyport/core/gateway"
)

// check loads a config with all its plugins and says what is wrong with it.
func check(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("sallyport check", flag.ContinueOnError)
	flags.SetOutput(stderr)
	file := flags.String("c", "gateway.toml", "the config `file`")
	asJSON := flags.Bool("json", false, "print the result as JSON")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	err := checkFile(*file, stderr)
	if *asJSON {
		return printJSON(stdout, *file, err)
	}
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	fmt.Fprintf(stdout, "%s: ok\n", *file)
	return 0
}

func checkFile(file string, stderr io.Writer) error {
	cfg, err := config.Load(file)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	return together(gateway.Check(log, cfg), checkAdmin(cfg))
}

// checkResult is what check --json prints.
type checkResult struct {
	File   string         `json:"file"`
	OK     bool           `json:"ok"`
	Errors []config.Error `json:"errors"`
}

func printJSON(stdout io.Writer, file string, err error) int {
	result := checkResult{File: file, OK: err == nil, Errors: []config.Error{}}
	var wrong config.Errors
	switch {
	case errors.As(err, &wrong):
		result.Errors = wrong
	case err != nil:
		result.Errors = []config.Error{{File: file, Message: err.Error()}}
	}
	encoder := json.NewEncoder(stdout)
	encoder.SetIndent("", "  ")
	if encodeErr := encoder.Encode(result); encodeErr != nil || err != nil {
		return 1
	}
	return 0
}
