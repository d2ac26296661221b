package config

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/BurntSushi/toml"
)

// maxFile is the most bytes that a config file may have.
const maxFile = 16 << 20

// Load reads the config file at path. The error is an Errors that tells all that is wrong with it, or says why it could
// not be read.
func Load(path string) (*Config, error) {
	return LoadGently(path, func() {})
}

// LoadGently is Load for when there is more urgent work: it calls rest between small steps.
func LoadGently(path string, rest func()) (*Config, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the config: %w", err)
	}
	from := systemSources()
	from.rest = rest
	return parse(path, data, from)
}

// Parse reads data as the content of file, which names it in errors and whose folder relative paths start at. The error
// is an Errors. Beside data, Parse looks at the plugin folder's list of files, the environment and files that data
// refers to. It keeps nothing of data.
func Parse(file string, data []byte) (*Config, error) {
	return parse(file, data, systemSources())
}

func parse(file string, data []byte, from sources) (*Config, error) {
	c := &Config{File: file, places: places{}, secrets: map[string]bool{}}
	folder, err := filepath.Abs(filepath.Dir(file))
	if err != nil {
		return nil, Errors{c.Errorf("", "its folder is not known: %v", err)}
	}
	if len(data) > maxFile {
		return nil, Errors{c.Errorf("", "the file is larger than %s", sizeText(maxFile))}
	}
	sum := sha256.Sum256(data)
	c.sum = hex.EncodeToString(sum[:])
	table, wrong := decode(c, withoutMark(string(data)), from.rest)
	if len(wrong) > 0 {
		return nil, wrong.sort()
	}
	r := &reader{config: c, sources: from, folder: folder}
	r.readConfig(value{r, "", table})
	if len(r.wrong) > 0 {
		return nil, r.wrong.sort()
	}
	c.index, c.places = newIndex(c.places, from.rest), nil
	return c, nil
}

// withoutMark takes away the byte order marks that the TOML library skips, too.
func withoutMark(text string) string {
	for _, mark := range []string{"\xef\xbb\xbf", "\xff\xfe", "\xfe\xff"} {
		if rest, ok := strings.CutPrefix(text, mark); ok {
			return rest
		}
	}
	return text
}

// decode reads the values by the TOML library and the places by our own scanner.
func decode(c *Config, text string, rest func()) (map[string]any, Errors) {
	s := scan(text, rest)
	c.places = s.places
	var wrong Errors
	for _, again := range s.repeated {
		wrong = append(wrong, Error{c.File, again.second.Line, again.second.Col, again.key, again.message()})
	}
	if s.tooDeep != nil {
		// the library has no bound of its own, and a Go stack that overflows ends the process
		return nil, append(wrong, Error{c.File, s.tooDeep.Line, s.tooDeep.Col, "", fmt.Sprintf("nested more than %d deep", maxDepth)})
	}
	table, err := decodeInParts(s, partSize, rest)
	var fault toml.ParseError
	switch {
	case errors.As(err, &fault):
		place := scanned(text, fault.Position.Start)
		if tellsSecret(text, fault.Position.Start) {
			fault.Message = "what stands here is not repeated, since it may be part of a secret: is it in quotes?"
		}
		if len(wrong) == 0 || wrong[0].Line != place.Line { // the library finds what is defined twice, too
			wrong = append(wrong, Error{c.File, place.Line, place.Col, "", "no valid TOML: " + fault.Message})
		}
	case err != nil:
		wrong = append(wrong, Error{c.File, 1, 1, "", "no valid TOML: " + err.Error()})
	}
	return table, wrong
}

// scanned returns the place of an offset in text.
func scanned(text string, offset int) Place {
	s := scanner{text: text, linePlace: Place{1, 1}}
	return s.place(min(max(offset, 0), len(text)))
}

// decodeTOML turns the library's panics, should it have some, into errors: a config file must not end the gateway.
func decodeTOML(text string) (table map[string]any, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = errors.New("the TOML library gave up on it")
		}
	}()
	_, err = toml.Decode(text, &table)
	return table, err
}
