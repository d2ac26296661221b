package config

func readTLS(v value) *TLS {
	t := &TLS{MinVersion: "1.2", ClientAuth: "none"}
	tlsKeys().read(v, t)
	if !v.holdsKeys() {
		return t
	}
	v.need("certificates", `an array of tables such as { cert = "site.pem", key = "site.key" }`)
	verifies := t.ClientAuth == "require" || t.ClientAuth == "verify_if_given"
	switch {
	case verifies && !v.has("client_ca"):
		v.child("client_ca").fail("is missing: client_auth = %q needs the authorities that vouch for clients", t.ClientAuth)
	case !verifies && v.has("client_ca"):
		v.child("client_ca").fail(`has no effect with client_auth = %q: "require" and "verify_if_given" verify`, t.ClientAuth)
	}
	return t
}

func tlsKeys() keys[TLS] {
	return keys[TLS]{
		{"certificates", func(v value, t *TLS) { t.Certificates = readCertificates(v) }},
		{"strict_sni", func(v value, t *TLS) { v.boolean(&t.StrictSNI) }},
		{"min_version", func(v value, t *TLS) { v.oneOf(&t.MinVersion, "1.2", "1.3") }},
		{"client_auth", func(v value, t *TLS) { v.oneOf(&t.ClientAuth, "none", "request", "require", "verify_if_given") }},
		{"client_ca", func(v value, t *TLS) { v.path(&t.ClientCA) }},
	}
}

func readCertificates(v value) []Certificate {
	elements, ok := v.list(`tables with a cert and a key`)
	if ok && len(elements) == 0 {
		v.fail("must hold at least one certificate")
	}
	var list []Certificate
	for _, e := range elements {
		var c Certificate
		certificateKeys().read(e, &c)
		if e.holdsKeys() {
			e.need("cert", "the PEM file of the certificate, with those between it and the root behind it")
			e.need("key", "the PEM file of the certificate's key")
		}
		list = append(list, c)
	}
	return list
}

func certificateKeys() keys[Certificate] {
	return keys[Certificate]{
		{"cert", func(v value, c *Certificate) { v.path(&c.Cert) }},
		{"key", func(v value, c *Certificate) { v.path(&c.Key) }},
	}
}
