package meter

import (
	"slices"
	"testing"
)

func TestProducers(t *testing.T) {
	name := func(s string) []byte { return appendName(nil, s) }
	field := func(name string, pairs ...[]byte) []byte { return append(appendName(nil, name), vector(pairs...)...) }
	pair := func(name, version string) []byte { return appendName(appendName(nil, name), version) }
	whole := vector(field("language", pair("Go", "1.26")), field("processed-by", pair("TinyGo", "0.42.0"), pair("clang", "")))
	tests := []struct {
		name    string
		content []byte
		want    []Producer
	}{
		{"two fields", whole, []Producer{{"language", "Go", "1.26"}, {"processed-by", "TinyGo", "0.42.0"}, {"processed-by", "clang", ""}}},
		{"none", vector(), nil},
		{"cut off", whole[:len(whole)-2], nil},
		{"more than it says", append(slices.Clone(whole), 0), nil},
		{"lying count", []byte{0xff, 0xff, 0xff, 0xff, 0x0f}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			info, err := Inspect(build(section(secCustom, append(name("producers"), tt.content...))))
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(info.Producers, tt.want) {
				t.Errorf("got %v, want %v", info.Producers, tt.want)
			}
		})
	}
}
