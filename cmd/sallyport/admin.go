package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
)

const adminUsage = `sallyport admin SUBCOMMAND [--json] [-c gateway.toml | --address ADDRESS] [--token-file FILE]

Asks a running gateway, through its admin interface, or changes it:

  status                             version, generation, listeners, whether it is ready
  routes                             in the order of precedence
  explain METHOD URL [-H Name:value] which route a request goes to, and why no other
  refusals [WORD...]                 how requests ended badly, and why; only those with the words
  plugins [NAME]                     what they cost, how they failed; of one: grants, limits, stacks
  upstreams [NAME]                   endpoints with their standing
  drain UPSTREAM ADDRESS             no new requests to an endpoint; it lasts over reloads
  undrain UPSTREAM ADDRESS           take that back
  weight UPSTREAM ADDRESS N          1 to 1000; "config" for that of gateway.toml
  config                             as it is in force, without secrets
  history                            how configs came into force, or did not
  diff [FROM TO]                     between two generations; by default what the last change was
  reload                             read the config again
  log-level [LEVEL]                  show it, or set it: debug, info, warn, error

The address is by default that of the [admin] table of the config file, else 127.0.0.1:9901. It may be host:port, a http:// or https:// URL, or
unix: and a path. A token is taken from the environment (SALLYPORT_ADMIN_TOKEN) or a file, never from an argument, which others could see.
The exit code is 0, 1 when the gateway refuses or (diff) there are differences, and 2 when it cannot be asked at all or the question is wrong.

`

// adminCommand is one run of sallyport admin.
type adminCommand struct {
	client *adminClient
	json   bool
	fields fieldList
	out    io.Writer // for people
	raw    io.Writer // for programs
}

// subcommand is what can be asked, and how many arguments it takes.
type subcommand struct {
	name        string
	least, most int
	run         func(c *adminCommand, args []string) error
}

func subcommands() []subcommand {
	return []subcommand{
		{"status", 0, 0, (*adminCommand).status},
		{"routes", 0, 0, (*adminCommand).routes},
		{"explain", 2, 2, (*adminCommand).explain},
		{"refusals", 0, 99, (*adminCommand).refusals},
		{"plugins", 0, 1, (*adminCommand).plugins},
		{"upstreams", 0, 1, (*adminCommand).upstreams},
		{"drain", 2, 2, func(c *adminCommand, args []string) error { return c.drain(args, true) }},
		{"undrain", 2, 2, func(c *adminCommand, args []string) error { return c.drain(args, false) }},
		{"weight", 3, 3, (*adminCommand).weight},
		{"config", 0, 0, (*adminCommand).config},
		{"history", 0, 0, (*adminCommand).history},
		{"diff", 0, 2, (*adminCommand).diff},
		{"reload", 0, 0, (*adminCommand).reload},
		{"log-level", 0, 1, (*adminCommand).logLevel},
	}
}

// fieldList are the values of a flag that may be there more than once.
type fieldList []string

func (f *fieldList) String() string { return strings.Join(*f, ", ") }

func (f *fieldList) Set(value string) error {
	*f = append(*f, value)
	return nil
}

// adminVerb asks a running gateway.
func adminVerb(args []string, stdout, stderr io.Writer) int {
	stderr = printable{stderr}
	flags := newFlags("admin", adminUsage, stderr)
	c := &adminCommand{out: printable{stdout}, raw: stdout}
	flags.BoolVar(&c.json, "json", false, "print the answer as JSON")
	flags.Var(&c.fields, "H", "a header of the request to explain, `Name:value`; may be there more than once")
	where := clientFlags(flags)
	rest, err := parse(flags, args)
	if err != nil {
		return misused(err)
	}
	if len(rest) == 0 {
		flags.Usage()
		return 2
	}
	for _, s := range subcommands() {
		if s.name != rest[0] {
			continue
		}
		if n := len(rest) - 1; n < s.least || n > s.most {
			fmt.Fprintf(stderr, "sallyport admin %s: %d arguments are not what it takes\n\n%s", s.name, n, adminUsage)
			return 2
		}
		if c.client, err = where.client(); err == nil {
			err = s.run(c, rest[1:])
		}
		return adminFailed(stderr, err)
	}
	fmt.Fprintf(stderr, "sallyport admin: there is no subcommand %q\n\n%s", rest[0], adminUsage)
	return 2
}

// adminFailed prints an error and returns the exit code that it stands for.
func adminFailed(stderr io.Writer, err error) int {
	switch known := err.(type) {
	case nil:
		return 0
	case differs:
		return 1
	case *refusal:
		fmt.Fprintln(stderr, "sallyport admin:", known)
		return 1
	}
	fmt.Fprintln(stderr, "sallyport admin:", err)
	return 2
}

// differs is the error of a diff that has found something: it is printed already.
type differs struct{}

func (differs) Error() string { return "there are differences" }

// show prints an answer as JSON if that is wanted, and reports whether it was.
func (c *adminCommand) show(answer []byte) bool {
	if !c.json {
		return false
	}
	fmt.Fprintln(c.raw, strings.TrimRight(string(answer), "\n"))
	return true
}

// ask gets something, and decodes it unless it is to be printed as it is.
func (c *adminCommand) ask(path string, into any) (printed bool, err error) {
	return c.send("GET", path, nil, into)
}

func (c *adminCommand) send(method, path string, body, into any) (printed bool, err error) {
	answer, err := c.client.do(method, path, body)
	if err != nil || c.show(answer) {
		return true, err
	}
	if err := json.Unmarshal(answer, into); err != nil {
		return true, fmt.Errorf("the answer is not what an admin interface of this version says: %w", err)
	}
	return false, nil
}

// whereFlags say where the gateway is, and what opens it.
type whereFlags struct {
	file, address, tokenFile, ca, cert, key *string
}

func clientFlags(flags *flag.FlagSet) whereFlags {
	return whereFlags{
		file:      flags.String("c", defaultFile, "the config `file` whose [admin] table says where the gateway is"),
		address:   flags.String("address", "", "where it is instead: `host:port`, URL or unix: and a path"),
		tokenFile: flags.String("token-file", "", "the `file` that holds the token"),
		ca:        flags.String("ca", "", "the `file` of the authorities that vouch for the gateway, in PEM"),
		cert:      flags.String("cert", "", "the `file` of a client certificate, in PEM"),
		key:       flags.String("key", "", "the `file` of its key"),
	}
}

// token returns what opens the gateway: that of the file, else of the environment.
func (w whereFlags) token() (string, error) {
	if *w.tokenFile == "" {
		return os.Getenv("SALLYPORT_ADMIN_TOKEN"), nil
	}
	text, err := os.ReadFile(*w.tokenFile)
	return strings.TrimSpace(string(text)), err
}
