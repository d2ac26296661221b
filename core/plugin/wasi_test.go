package plugin

import (
	"testing"

	"github.com/sallyport/sallyport/core/chain"
	"github.com/sallyport/sallyport/core/plugin/abi"
)

func TestWASIAnswers(t *testing.T) {
	pool, _ := newPoolOf(t, "wasi", Limits{})
	if _, err := pool.Filter("test", chain.Deny).Request(newExchange(), 0); err != nil {
		t.Fatalf("an answer is not as documented: %v", failureOf(t, err).Err)
	}
}

func TestEveryWASIFunctionIsThere(t *testing.T) {
	seen := make(map[string]bool)
	for _, f := range wasiFunctions() {
		if seen[f.name] || f.do == nil {
			t.Errorf("%s is there twice, or does nothing", f.name)
		}
		seen[f.name] = true
		if f.signature.Result != abi.I32 && f.name != "proc_exit" {
			t.Errorf("%s returns no error number", f.name)
		}
	}
	if got, want := len(seen), 46; got != want {
		t.Errorf("%d functions, preview 1 has %d", got, want)
	}
}

func TestOfferedFunctionsAreThere(t *testing.T) {
	native := nativeFunctions()
	for _, f := range abi.Functions() {
		if native[f.Name] == nil {
			t.Errorf("%s is not there", f.Name)
		}
		delete(native, f.Name)
	}
	for name := range native {
		t.Errorf("%s is no function of the ABI", name)
	}
}

func TestOfferedExportsAreCalled(t *testing.T) {
	for _, info := range abi.AllHooks() {
		called := info.Export == "" // no moment, but a wish
		for _, h := range hooks {
			called = called || h.bit&info.Hook.Implied() != 0 && h.export == info.Export
		}
		if !called {
			t.Errorf("hook %q is never called", info.Name)
		}
	}
}

func TestValidHost(t *testing.T) {
	tests := []struct {
		host string
		want bool
	}{
		{"example.com", true},
		{"example.com:80", true},
		{"a_b-c~1", true},
		{"[::1]", true},
		{"[2001:db8::1]:8443", true},
		{"", false},
		{":80", false},
		{"a:", false},
		{"a:65536", false},
		{"a:8x", false},
		{"a b", false},
		{"a/b", false},
		{"a@b", false},
		{"[::1", false},
		{"[[::1]", false},
		{"[]", false},
		{"[::1]x", false},
		{"[::1%eth0]", false},
		{"[127.0.0.1]", false},
		{"a\r\nb", false},
	}
	for _, tt := range tests {
		if got := validHost(tt.host); got != tt.want {
			t.Errorf("validHost(%q) = %v, want %v", tt.host, got, tt.want)
		}
	}
}
