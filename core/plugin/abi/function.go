package abi

// Function is a host function, imported from the module "sallyport".
type Function struct {
	Name string
	Signature
	Phases Phases // outside them it returns WrongPhase
	Grant  string // the kind of grant it needs; "" for none
}

// The kinds of grants.
const (
	GrantFetch     = "fetch"
	GrantJWT       = "jwt"
	GrantKV        = "kv"
	GrantLimit     = "limit"
	GrantPasswords = "passwords"
	GrantSchema    = "schema"
	GrantSecret    = "secret"
)

// Functions returns every host function of the level, in the order of sdk/ABI.md.
func Functions() []Function {
	return append(coreFunctions(), grantedFunctions()...)
}

func coreFunctions() []Function {
	return []Function{
		host("config", Everywhere, "buf", "cap"),
		host("fail", InConfigure, "text…"),
		host("log", Everywhere, "level", "text…"),
		host("get", InReading, "field", "buf", "cap"),
		host("set", InHead, "field", "value…"),
		host("param", InReading, "name…", "buf", "cap"),
		host("query", InReading, "name…", "buf", "cap"),
		host("status", InReading, "msg"),
		host("set_status", InResponse, "code"),
		host("header_get", InReading, "msg", "name…", "buf", "cap"),
		host("header_all", InReading, "msg", "name…", "buf", "cap"),
		host("header_set", InHead, "msg", "name…", "value…"),
		host("header_add", InHead, "msg", "name…", "value…"),
		host("header_remove", InHead, "msg", "name…"),
		host("body_size", InExchange, "msg"),
		host("body_read", InExchange, "msg", "offset", "buf", "cap"),
		host("body_write", InHead|InRequestChunk|InResponseChunk, "msg", "data…"),
		host("respond", InHead, "status", "body…"),
		host("state_get", InExchange, "buf", "cap"),
		host("state_set", InExchange, "data…"),
		host("attr_get", InReading, "name…", "buf", "cap"),
		host("attr_set", InHead|InResponseChunk, "name…", "value…"),
		{Name: "exchange", Signature: Signature{Result: I64}, Phases: InExchange},
		{Name: "now", Signature: Signature{Result: I64}, Phases: Everywhere},
		host("random", Everywhere, "buf", "len"),
	}
}

func grantedFunctions() []Function {
	fetch := []string{"upstream…", "fields…", "body…", "timeout_ms"}
	delta, value := []Param{{"delta", I64}}, []Param{{"value", F64}}
	return []Function{
		granted(GrantFetch, host("fetch_start", InHead, fetch...)),
		granted(GrantFetch, host("fetch", InHead, fetch...)),
		granted(GrantFetch, host("fetch_result", InHead, "id")),
		granted(GrantKV, host("kv_get", InHead|InEnd, "store…", "key…", "buf", "cap")),
		granted(GrantKV, host("kv_set", InHead|InEnd, "store…", "key…", "value…", "ttl_ms")),
		granted(GrantKV, hostOf("kv_add", InHead|InEnd, i32s("store…", "key…"), delta, i32s("ttl_ms", "out"))),
		granted(GrantKV, host("kv_delete", InHead|InEnd, "store…", "key…")),
		granted(GrantKV, host("kv_swap", InHead|InEnd, "store…", "key…", "old…", "new…", "ttl_ms")),
		granted(GrantJWT, host("jwt_verify", InHead, "keys…", "token…", "buf", "cap")),
		granted(GrantLimit, host("rate_take", InHead, "limit…", "key…", "n")),
		granted(GrantSecret, host("secret", Everywhere, "name…", "buf", "cap")),
		hostOf("metric_add", InExchange, i32s("name…", "labels…"), delta),
		hostOf("metric_observe", InExchange, i32s("name…", "labels…"), value),
		granted(GrantPasswords, host("password_check", InHead, "set…", "user…", "password…")),
		granted(GrantSchema, host("schema_check", InHead, "schema…", "msg", "data…", "buf", "cap")),
		host("granted", Everywhere, "grant…"),
	}
}

func host(name string, phases Phases, params ...string) Function {
	return hostOf(name, phases, i32s(params...))
}

func hostOf(name string, phases Phases, params ...[]Param) Function {
	return Function{Name: name, Signature: Signature{Params: join(params...), Result: I32}, Phases: phases}
}

func granted(grant string, f Function) Function {
	f.Grant = grant
	return f
}
