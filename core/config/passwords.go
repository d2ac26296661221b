package config

import "time"

// Passwords is one [passwords.NAME] table: users and the hashes of their passwords, in a file, in the table, or in both.
type Passwords struct {
	File     string // absolute path; "": none
	Users    []PasswordUser
	CacheTTL time.Duration // how long a right password is remembered; 0: not at all
}

// PasswordUser is a user of a Passwords table.
type PasswordUser struct {
	Name string
	Key  string // key path, for Errorf
	Hash Secret
}

func readPasswords(v value, _ string) Passwords {
	p := Passwords{CacheTTL: 5 * time.Minute}
	passwordKeys().read(v, &p)
	if v.holdsKeys() && !v.has("file") && !v.has("users") {
		v.fail("needs a file or users, or both")
	}
	return p
}

func passwordKeys() keys[Passwords] {
	return keys[Passwords]{
		{"file", func(v value, p *Passwords) { v.path(&p.File) }},
		{"users", func(v value, p *Passwords) { readPasswordUsers(v, p) }},
		{"cache_ttl", func(v value, p *Passwords) { v.duration(&p.CacheTTL, 0, time.Hour) }},
	}
}

// readPasswordUsers reads hashes, which are secret wherever they stand: whoever has one can guess at it in peace.
func readPasswordUsers(v value, p *Passwords) {
	v.r.config.secrets[v.key] = true
	if !v.isTable() {
		return
	}
	for _, name := range v.names() {
		e := v.child(name)
		hash, ok := e.secretText("a hash")
		v.r.config.secrets[e.key] = true
		if ok && hash == "" {
			e.fail("must not be empty: a hash, such as htpasswd -nbB prints")
		}
		p.Users = append(p.Users, PasswordUser{name, e.key, Secret{&hash}})
	}
	if len(v.names()) == 0 {
		v.fail("must hold at least one")
	}
}
