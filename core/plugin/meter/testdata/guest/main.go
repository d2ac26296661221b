// Guest is work of several kinds for stock Go and TinyGo. Every export takes a size and returns a number that depends
// on everything computed.
package main

import (
	"crypto/sha256"
	"encoding/binary"
	"sort"
	"strconv"
	"strings"
)

func main() {}

//go:wasmexport fib
func fib(n int32) int32 {
	if n < 2 {
		return n
	}
	return fib(n-1) + fib(n-2)
}

//go:wasmexport sum
func sum(n int32) int32 {
	h := sha256.Sum256([]byte("seed"))
	for range n {
		h = sha256.Sum256(h[:])
	}
	return int32(binary.LittleEndian.Uint32(h[:]))
}

//go:wasmexport sorted
func sorted(n int32) int32 {
	v := make([]int, n)
	x := uint32(1)
	for i := range v {
		x = x*1664525 + 1013904223
		v[i] = int(x >> 8)
	}
	sort.Ints(v)
	return int32(v[n/2])
}

//go:wasmexport matmul
func matmul(n int32) int32 {
	a, b, c := grid(n), grid(n), grid(n)
	for i := range a {
		for j := range b {
			s := 0.0
			for k := range c {
				s += a[i][k] * b[k][j]
			}
			c[i][j] = s
		}
	}
	return int32(c[n/2][n/3])
}

func grid(n int32) [][]float64 {
	g := make([][]float64, n)
	for i := range g {
		g[i] = make([]float64, n)
		for j := range g[i] {
			g[i][j] = float64(i ^ j)
		}
	}
	return g
}

type shape interface{ area(depth int) int }

type leaf struct{ v int }

type pair struct{ l, r shape }

func (l leaf) area(int) int { return l.v }

func (p pair) area(d int) int { return p.l.area(d+1) + d*p.r.area(d+1) }

//go:wasmexport words
func words(n int32) int32 {
	var b strings.Builder
	count := map[string]int{}
	var s shape = leaf{1}
	for i := range int(n) {
		w := strconv.Itoa(i * i % 97)
		count[w] += i
		b.WriteString(w)
		s = pair{leaf{i}, s}
		if i%16 == 0 {
			s = leaf{s.area(0) & 0xffff}
		}
	}
	total := s.area(1) + b.Len()
	for w, c := range count {
		total += c * len(w)
	}
	return int32(total)
}
