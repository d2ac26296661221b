package field

import "testing"

func TestNames(t *testing.T) {
	tests := []struct {
		name, want          string
		equal, alike, below bool
	}{
		{"X-Consumer", "X-Consumer", true, true, false},
		{"x-cONSUMER", "X-Consumer", true, true, false},
		{"X_Consumer", "X-Consumer", false, true, false},
		{"X-Consumer-Id", "X-Consumer", false, false, true},
		{"x_consumer_id", "X-Consumer", false, false, true},
		{"X-Consumers", "X-Consumer", false, false, false},
		{"X-Consume", "X-Consumer", false, false, false},
		{"", "X-Consumer", false, false, false},
		{"X-Con\u017fumer", "X-Consumer", false, false, false}, // a long s folds to s in Unicode only
		{"\u212a", "k", false, false, false},                   // so does the Kelvin sign
	}
	for _, tt := range tests {
		if Equal(tt.name, tt.want) != tt.equal || Alike([]byte(tt.name), tt.want) != tt.alike || Below(tt.name, tt.want) != tt.below {
			t.Errorf("%q, %q: got %v, %v, %v", tt.name, tt.want, Equal(tt.name, tt.want), Alike(tt.name, tt.want), Below(tt.name, tt.want))
		}
	}
}

func TestTokensAndValues(t *testing.T) {
	for s, want := range map[string][2]bool{
		"GET": {true, true}, "": {false, true}, "a b": {false, true}, " a": {false, false}, "a\t": {false, false}, "a\r\nb": {false, false},
		"a:": {false, true}, "ä": {false, true}, "a\x7f": {false, false}, "a\u00a0": {false, false}, "x-_.~!#$%&'*+^`|": {true, true},
	} {
		if got := [2]bool{IsToken(s), IsValue(s)}; got != want {
			t.Errorf("%q: got %v, want %v", s, got, want)
		}
	}
}
