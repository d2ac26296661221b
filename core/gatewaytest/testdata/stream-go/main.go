// Stream hides the digits of answers while they stream through, and counts and bounds what is uploaded.
package main

import (
	"encoding/binary"

	"github.com/sallyport/sallyport/sdk/go"
	"github.com/sallyport/sallyport/sdk/go/config"
)

func init() { sallyport.Register(configure) }

func main() {}

var uploaded = sallyport.NewCounter("uploaded_bytes")

// most is what a client may upload, in bytes.
const most = 1 << 20

func configure(raw []byte) (sallyport.Hooks, error) {
	hooks := sallyport.Hooks{RequestChunk: count, ResponseChunk: mask}
	err := config.Read(raw, func(key string, v *config.Value) error {
		if key == "bound" {
			return v.Bool(&hooks.Bound)
		}
		return nil
	})
	return hooks, err
}

// count adds up the request's bytes in its state, and ends what is too much.
func count(c *sallyport.Chunk) (sallyport.Flow, error) {
	var n [8]byte
	copy(n[:], c.State())
	sum := binary.LittleEndian.Uint64(n[:]) + uint64(len(c.Bytes()))
	if sum > most {
		return sallyport.Abort, nil
	}
	if c.Last() {
		return sallyport.Pass, uploaded.Add(int64(sum))
	}
	binary.LittleEndian.PutUint64(n[:], sum)
	return sallyport.Pass, c.SetState(n[:])
}

// mask hides digits.
func mask(_ *sallyport.Response, c *sallyport.Chunk) (sallyport.Flow, error) {
	b := c.Bytes()
	for i, digit := range b {
		if '0' <= digit && digit <= '9' {
			b[i] = '#'
		}
	}
	return sallyport.Pass, c.Set(b)
}
