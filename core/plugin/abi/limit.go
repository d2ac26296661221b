package abi

// The limits of what plugins hand to the host. Sizes are bytes. Beyond them a host function returns TooLarge, except
// that the texts of log and fail are cut.
const (
	MaxName       = 256       // the name of a field, parameter, attribute or of anything granted
	MaxFieldValue = 16 << 10  // the value of one header field
	MaxFields     = 256       // header fields of one message
	MaxFieldBytes = 64 << 10  // names and values of one message's header fields together
	MaxHost       = 261       // a DNS name, a colon, a port
	MaxPath       = 8 << 10   // as written by the plugin and as normalised
	MaxQuery      = 16 << 10  //
	MaxBody       = 1 << 20   // of respond, body_write, fetches and schema_check
	MaxState      = 64 << 10  // of one filter for one exchange
	MaxAttrs      = 64        // attributes of one exchange
	MaxAttrValue  = 4 << 10   //
	MaxText       = 4 << 10   // of log and fail: longer ones are cut
	MaxRandom     = 4 << 10   // bytes of one call
	MaxFetches    = 16        // started by one filter for one exchange
	MaxKey        = 512       // a key of kv or of a limit
	MaxStored     = 256 << 10 // a value in kv
	MaxToken      = 8 << 10   // a token given to jwt_verify
	MaxPassword   = 512       // of password_check, and the user\'s name
	MaxChecks     = 16        // of passwords, begun by one filter for one exchange
	MaxSeries     = 1000      // of all metrics of one plugin
	MaxLabels     = 16        // of one series; name and value of each are bounded as names
)

// Limit is a row of the table of limits.
type Limit struct {
	Name string
	Max  int
}

// Limits returns every limit in order.
func Limits() []Limit {
	return []Limit{
		{"name", MaxName},
		{"field value", MaxFieldValue},
		{"fields", MaxFields},
		{"field bytes", MaxFieldBytes},
		{"host", MaxHost},
		{"path", MaxPath},
		{"query", MaxQuery},
		{"body", MaxBody},
		{"state", MaxState},
		{"attributes", MaxAttrs},
		{"attribute value", MaxAttrValue},
		{"text", MaxText},
		{"random", MaxRandom},
		{"fetches", MaxFetches},
		{"key", MaxKey},
		{"stored value", MaxStored},
		{"token", MaxToken},
		{"password", MaxPassword},
		{"checks", MaxChecks},
		{"series", MaxSeries},
		{"labels", MaxLabels},
	}
}
