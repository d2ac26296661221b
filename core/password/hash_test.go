package password

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/crypto/argon2"
)

// salted is an argon2id of "secret", made by the library.
func argonOf(text string) string {
	sum := argon2.IDKey([]byte(text), []byte("saltsalt"), 1, 64, 1, 16)
	return "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$" + encode64(sum)
}

// Hashes that other programs have made (crypt(3), hashlib) are matched by their password and by no other.
func TestHashesOfOthers(t *testing.T) {
	const phrase = "pä ss:w"
	tests := []struct{ name, hash, password string }{
		{"bcrypt 2b", "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW", "secret"},
		{"bcrypt 2y", "$2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW", "secret"},
		{"bcrypt 2a", "$2a$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW", "secret"},
		{"SHA-256 with rounds", "$5$rounds=1000$saltsalt$eKLZU9t9OoPWrqOQsoTIKG0aYkZ5rGOoOQhiIvoSWX2", "secret"},
		{"SHA-512", "$6$saltsalt$TVLlQcbpFVof5W3Yz4DTP6gRstiNuHwwTt6GLc1E5n0U0aDehy0S5knV8wiOQSpT0Y77vwPZN.Pq.H91p5hVO1", "secret"},
		{"SHA-256, UTF-8", "$5$abcd$axgZFJihpcV9dnCn0D1mf9wqtdE6oKZlukz7bwf3br6", phrase},
		{"PBKDF2 SHA-256", "$pbkdf2-sha256$1000$c2FsdHNhbHQ$hgR9HsqtKupWxpnv8y99TrPDajTT/9PcSTlNafpdLXQ", "secret"},
		{"PBKDF2 SHA-512", "$pbkdf2-sha512$1000$c2FsdHNhbHRzYWx0$bePzWo/796SGZ2lBKpZcU2FQhQXnjiEADnvU8yLzaxu1BwlSR076rTWeGRrvgBz757DxNPmtAZpVls5xSi9daw", "secret"},
		{"argon2id", argonOf("secret"), "secret"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h, err := parse(tt.hash)
			if err != nil {
				t.Fatal(err)
			}
			if !h.matches([]byte(tt.password)) {
				t.Error("the right password is refused")
			}
			for _, wrong := range []string{"", tt.password + "x", tt.password[1:], strings.ToUpper(tt.password), tt.hash} {
				if h.matches([]byte(wrong)) {
					t.Errorf("%q is taken", wrong)
				}
			}
		})
	}
}

// What bcrypt would cut off counts.
func TestLongPasswordsAreNotCut(t *testing.T) {
	long := strings.Repeat("a", bcryptBytes)
	h, err := parse(bcryptOf(t, long))
	if err != nil {
		t.Fatal(err)
	}
	if !h.matches([]byte(long)) || h.matches([]byte(long+"b")) {
		t.Error("72 bytes are refused, or what comes behind them does not count")
	}
}

func TestRefusedHashes(t *testing.T) {
	bad := func(text string, old, new string) string { return strings.Replace(text, old, new, 1) }
	argon := argonOf("x")
	const sha = "$5$rounds=1000$saltsalt$eKLZU9t9OoPWrqOQsoTIKG0aYkZ5rGOoOQhiIvoSWX2"
	const pbkdf = "$pbkdf2-sha256$1000$c2FsdHNhbHQ$hgR9HsqtKupWxpnv8y99TrPDajTT/9PcSTlNafpdLXQ"
	tests := []struct{ hash, want string }{
		{"", "plain text is refused"},
		{"hunter2", "plain text is refused"},
		{"$apr1$abcdefgh$abcdefghijklmnopqrstuv", "MD5 ($apr1$) is refused"},
		{"$1$abcdefgh$abcdefghijklmnopqrstuv", "MD5 ($1$) is refused"},
		{"{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", "SHA-1 without salt"},
		{"{SSHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", "SHA-1"},
		{"abJnggxhB/yWI", "plain text, or DES"},
		{"$argon2i$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$abcdefghijklmnopqrstuv", "argon2i is refused"},
		{"$2x$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW", "program with an error"},
		{"$7$C6..../....SodiumChloride$x", "not known"},
		{"$2b$16$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW", "at most 15"},
		{"$2b$31$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW", "at most 15"},
		{"$2b$99$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW", "malformed"},
		{"$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIr", "malformed"},
		{"$2b$04$", "malformed"},
		{bad(argon, "m=64", "m=262145"), "m must be from 8 to 262144"},
		{bad(argon, "m=64", "m=4294967360"), "m must be from 8 to 262144"},
		{bad(argon, "m=64", "m=064"), "no number"},
		{bad(argon, "m=64", "m=-64"), "m must be"},
		{bad(argon, "t=1", "t=0"), "t must be from 1 to 16"},
		{bad(argon, "t=1", "t=17"), "t must be from 1 to 16"},
		{bad(argon, "p=1", "p=0"), "p must be from 1 to 8"},
		{bad(argon, "p=1", "p=255"), "p must be from 1 to 8"},
		{bad(argon, "m=64,t=1", "m=262144,t=5"), "m times t"},
		{bad(argon, "m=64,t=1,p=1", "m=8,t=1,p=8"), "malformed"},
		{bad(argon, "v=19", "v=16"), "is written"},
		{bad(argon, "c2FsdHNhbHQ", "c2FsdA"), "malformed"},
		{argon + "=", "malformed"},
		{argon + "$", "is written"},
		{bad(sha, "1000", "999"), "rounds must be from 1000 to 500000"},
		{bad(sha, "1000", "999999999"), "rounds must be from 1000 to 500000"},
		{bad(sha, "saltsalt", ""), "malformed"},
		{bad(sha, "saltsalt", "saltsaltsaltsaltx"), "malformed"},
		{sha + "x", "malformed"}, {sha + "$", "malformed"}, {"$5$", "malformed"}, {"$6$$", "malformed"},
		{bad(pbkdf, "1000", "999"), "iterations must be from 1000 to 2000000"},
		{bad(pbkdf, "1000", "2000001"), "iterations must be from 1000 to 2000000"},
		{bad(pbkdf, "c2FsdHNhbHQ", "c2+sdHNhbHQ"), "malformed"},
		{"$pbkdf2-sha256$1000$$", "malformed"}, {"$pbkdf2-sha512" + pbkdf[len("$pbkdf2-sha256"):], "malformed"},
	}
	for _, tt := range tests {
		err := CheckHash(tt.hash)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.hash, err, tt.want)
		} else if len(tt.hash) > 20 && strings.Contains(err.Error(), tt.hash[20:]) {
			t.Errorf("the error shows the hash: %v", err)
		}
	}
}

func TestReadFile(t *testing.T) {
	hash := "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"
	text := "# staff\njo:" + hash + "\r\n\nann:" + hash + "\njo:" + hash + "\n:" + hash + "\nplain:hunter2\nshadow:" + hash + ":1:2\n a:" + hash + "\nb\x00:" + hash + "\nnohash\n\xff:" + hash
	users, wrong := ReadFile(text)
	if len(users) != 2 || users[0] != (User{"jo", hash}) || users[1].Name != "ann" {
		t.Errorf("got %v", users)
	}
	var got []string
	for _, w := range wrong {
		got = append(got, fmt.Sprintf("%d %v", w.Line, w.Err))
	}
	want := []string{"5 the user is in line 2 already", "6 a user's name must not be empty", "7 no hash: plain text is refused" + known,
		"8 a line is NAME:HASH, with nothing behind it", "9 a user's name must not begin or end with a space",
		"10 a user's name must hold no colon and no control character", "11 no hash: plain text is refused" + known, "12 a user's name must be UTF-8"}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// Whatever is parsed can be computed: nothing panics, and costs are within bounds.
func FuzzParse(f *testing.F) {
	for _, text := range []string{argonOf("x"), "$5$rounds=1000$saltsalt$eKLZU9t9OoPWrqOQsoTIKG0aYkZ5rGOoOQhiIvoSWX2",
		"$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW", "$pbkdf2-sha256$1000$c2FsdHNhbHQ$hgR9HsqtKupWxpnv8y99TrPDajTT/9PcSTlNafpdLXQ"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		h, err := parse(text)
		if err != nil {
			return
		}
		if c := h.cost(); c.memory > maxMemory || c.cores > maxArgonLanes {
			t.Errorf("%q costs %+v", text, c)
		}
		if cheap(h) {
			h.matches([]byte("x"))
		}
	})
}

func cheap(h hash) bool {
	switch h := h.(type) {
	case *argon2Hash:
		return h.memory*h.time < 1<<10
	case *shaCrypt:
		return h.rounds < 5000
	case *pbkdf2Hash:
		return h.iterations < 5000
	case bcryptHash:
		return string(h[4:6]) < "06"
	}
	return false
}
