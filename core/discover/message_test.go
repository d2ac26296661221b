package discover

import (
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// FuzzReadAnswer: whatever a server sends is refused or understood, and what it does not say of the names asked for is not believed.
func FuzzReadAnswer(f *testing.F) {
	const id = 0x1234
	asked := []question{{"a.test.", dnsmessage.TypeA}, {"a.test.", dnsmessage.TypeAAAA}, {"a.test.", dnsmessage.TypeSRV}}
	z := zone{
		"a.test. A":    {cname("a.test.", 20, "b.test."), a("b.test.", 60, "10.0.0.1")},
		"a.test. AAAA": {a("a.test.", 60, "::1")},
		"a.test. SRV":  {srv("a.test.", 60, 1, 2, 80, "one.test.")},
		"SOA":          {soa(5, 7)},
	}
	for i, q := range asked {
		query, err := makeQuery(id, q, true)
		do(f, err)
		var m dnsmessage.Message
		do(f, m.Unpack(query))
		answer := z.answer(&m)
		f.Add(i, pack(answer))
		answer.Additionals = []dnsmessage.Resource{a("one.test.", 1, "10.0.0.1"), m.Additionals[0]}
		f.Add(i, pack(answer))
		f.Add(i, pack(zone{"SOA": {soa(5, 7)}}.answer(&m)))
	}
	f.Fuzz(func(t *testing.T, i int, message []byte) {
		q := asked[uint(i)%uint(len(asked))]
		got, err := readAnswer(message, id, q)
		if err != nil || got.truncated {
			if !got.isEmpty() || got.alias != "" {
				t.Errorf("got %+v beside %v", got, err)
			}
			return
		}
		if got.ttl < 0 || got.ttl > 1<<31*time.Second {
			t.Errorf("it holds for %s", got.ttl)
		}
		if !got.isEmpty() && (got.alias != "" || !got.lasting) {
			t.Errorf("got %+v", got)
		}
		if (q.kind == dnsmessage.TypeSRV) == (len(got.addresses) > 0) && !got.isEmpty() {
			t.Errorf("%v is answered %+v", q, got)
		}
		for _, address := range got.addresses {
			if q.kind == dnsmessage.TypeA && !address.Is4() {
				t.Errorf("%s is of no A record", address)
			}
		}
	})
}
