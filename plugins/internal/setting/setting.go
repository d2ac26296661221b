// Package setting reads what more than one plugin has in its configuration.
package setting

import (
	"errors"

	"github.com/sallyport/sallyport/sdk/go"
	"github.com/sallyport/sallyport/sdk/go/config"
)

// Name reads the name of something, which is not empty.
func Name(v *config.Value, dst *string) error {
	err := v.String(dst)
	if err == nil && *dst == "" {
		err = errors.New("must not be empty")
	}
	return err
}

// Granted reads the name of something that the plugin uses by a grant of that kind, which it must have got.
func Granted(v *config.Value, dst *string, kind string) error {
	if err := Name(v, dst); err != nil {
		return err
	}
	return Need(kind + ":" + *dst)
}

// Need returns an error for a grant that the plugin has not got.
func Need(grant string) error {
	if sallyport.Granted(grant) {
		return nil
	}
	return errors.New(`needs the grant "` + grant + `", which the plugin has not got`)
}

// Quotable reads what can stand in a challenge between quotes as it is (RFC 9110, section 5.6.4).
func Quotable(v *config.Value, dst *string) error {
	if err := v.String(dst); err != nil {
		return err
	}
	for i := range len(*dst) {
		if c := (*dst)[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return errors.New("must be ASCII without quotes and backslashes")
		}
	}
	return nil
}
