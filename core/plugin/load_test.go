package plugin

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/core/chain"
)

func TestLoadRefuses(t *testing.T) {
	h, _ := newHost(t)
	tests := []struct {
		name string
		want []string
	}{
		{"badsignature", []string{
			"export on_configure is (), want () -> i32",
			"export on_request is (i32) -> i32, want () -> i32",
			"export on_end is () -> i64, want ()",
		}},
		{"nomemory", []string{"exports no memory named memory", "export on_response is no function, want () -> i32"}},
		{"noconfigure", []string{"exports no on_configure () -> i32"}},
		{"noabi", []string{"no Sallyport plugin: it exports no sallyport_abi () -> i32"}},
		{"proxywasm", []string{"built for proxy-wasm"}},
		{"httpwasm", []string{"built for http-wasm"}},
		{"imports", []string{
			"imports sallyport.open_door, which ABI level 1 does not have",
			"imports sallyport.status as (i64) -> i32, want (msg i32) -> i32",
			`imports "abort" from "env": only "sallyport" and "wasi_snapshot_preview1" can be imported from`,
			"imports wasi_snapshot_preview1.fd_write as (i32) -> i32, want (a i32, b i32, c i32, d i32) -> i32",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := h.Load(tt.name, fixture(t, tt.name), Limits{})
			if err == nil {
				t.Fatal("loaded")
			}
			got := strings.Split(strings.TrimPrefix(err.Error(), "plugin "+tt.name+": "), "\n")
			for i, want := range tt.want {
				if i >= len(got) || !strings.HasPrefix(got[i], want) {
					t.Errorf("got %q, want line %d to begin %q", err, i, want)
				}
			}
			if len(got) != len(tt.want) {
				t.Errorf("got %d reasons, want %d:\n%s", len(got), len(tt.want), err)
			}
		})
	}
	if len(h.loaded) != 0 {
		t.Errorf("%d plugins kept", len(h.loaded))
	}
}

func TestLoadTruncated(t *testing.T) {
	h, _ := newHost(t)
	whole := fixture(t, "bare")
	names := bytes.Index(whole, []byte("\x04name")) - 2 // where the section begins that a module may do without
	for n := range whole {
		if n == names {
			continue
		}
		if p, err := h.Load("cut", whole[:n], Limits{}); err == nil {
			t.Errorf("loaded the first %d of %d bytes", n, len(whole))
			p.Close()
		}
	}
}

func TestLoadDamaged(t *testing.T) {
	h, _ := newHost(t)
	whole := fixture(t, "twocalls")
	for n := range whole {
		damaged := append([]byte(nil), whole...)
		damaged[n] ^= 0xff
		if p, err := h.Load("damaged", damaged, Limits{}); err == nil {
			p.Close()
		}
	}
}

func TestLoadLimits(t *testing.T) {
	h, _ := newHost(t)
	tests := []struct {
		name   string
		module string
		limits Limits
		want   string
	}{
		{"memory too small", "bare", Limits{Memory: 100}, "memory limit of 100 bytes"},
		{"memory too large", "bare", Limits{Memory: 1 << 40}, "memory limit of"},
		{"negative", "bare", Limits{Fuel: -1}, "negative limit"},
		{"module wants more memory", "probe", Limits{Memory: 3 * pageSize}, "memory wants 256KiB at its start, 192KiB allowed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := h.Load("p", fixture(t, tt.module), tt.limits)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestPluginNames(t *testing.T) {
	h, _ := newHost(t)
	p := load(t, h, "bare", Limits{})
	if got, want := p.Name(), "bare"; got != want {
		t.Errorf("Name() = %q, want %q", got, want)
	}
	if got := p.Hash(); len(got) != 64 {
		t.Errorf("Hash() = %q", got)
	}
	if got, want := p.Limits().MaxInstances, 64; got != want {
		t.Errorf("MaxInstances = %d, want the default %d", got, want)
	}
}

func TestConfigureRefuses(t *testing.T) {
	h, _ := newHost(t)
	tests := []struct{ name, want string }{
		{"level2", "plugin level2: built for ABI level 2, this gateway speaks 1 to 1"},
		{"wantsunknown", "plugin wantsunknown: on_configure asks for hook bits 0x400, which ABI level 1 does not have"},
		{"wantsmissing", `plugin wantsmissing: on_configure asks for "response" (4), but on_response is not exported`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := load(t, h, tt.name, Limits{})
			_, err := p.Configure(nil, Grants{})
			if err == nil || err.Error() != tt.want {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			if p.fleet.total != 0 || len(p.fleet.pools) != 0 {
				t.Errorf("%d instances and %d pools left", p.fleet.total, len(p.fleet.pools))
			}
		})
	}
}

func TestConfigureRefusedByPlugin(t *testing.T) {
	h, _ := newHost(t)
	p := load(t, h, "probe", Limits{})
	tests := []struct {
		name  string
		steps []step
		want  ConfigError
	}{
		{"pointer", []step{do("fail", "/rules/2/cidr is not a prefix")}, ConfigError{"/rules/2/cidr", "is not a prefix"}},
		{"pointer and colon", []step{do("fail", "/a: no")}, ConfigError{"/a", "no"}},
		{"pointer only", []step{do("fail", "/a")}, ConfigError{"/a", "refused by the plugin"}},
		{"no pointer", []step{do("fail", "no \xff rules\n")}, ConfigError{"", "no \uFFFD rules"}},
		{"last word counts", []step{do("fail", "one"), do("fail", "two")}, ConfigError{"", "two"}},
		{"silent", nil, ConfigError{"", "the plugin refused its configuration (-3) without saying why"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := script{configure: tt.steps, results: [3]int32{-3}}
			_, err := p.Configure(s.compile(t), Grants{})
			var got *ConfigError
			if !errors.As(err, &got) || *got != tt.want {
				t.Errorf("got %v, want %+v", err, tt.want)
			}
		})
	}
}

func TestStartCallsHost(t *testing.T) {
	pool, book := newPoolOf(t, "starttalks", Limits{})
	if got := pool.Filter("here", chain.Deny).Hooks(); got != 0 {
		t.Errorf("Hooks() = %b, want none", got)
	}
	lines := book.lines(t)
	if len(lines) != 2 || lines[0]["text"] != "starting" || lines[0]["level"] != "INFO" || lines[1]["level"] != "WARN" {
		t.Errorf("got %v", lines)
	}
}
