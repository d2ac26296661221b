package nonblock

import (
	"bytes"
	"syscall"
	"testing"
)

func TestPipe(t *testing.T) {
	from, source := pair(t)
	target, to := pair(t)
	var pipes Pipes
	pipe, err := pipes.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	if n, err := pipe.Fill(uintptr(source), 10); n != 0 || err != syscall.EAGAIN {
		t.Errorf("nothing there: got %d, %v", n, err)
	}
	if _, err := Write(uintptr(from), []byte("hello, world")); err != nil {
		t.Fatal(err)
	}
	if n, err := pipe.Fill(uintptr(source), 5); n != 5 || err != nil || pipe.Held() != 5 {
		t.Errorf("fill: got %d, %v, %d held; want 5", n, err, pipe.Held())
	}
	if err := pipe.Drain(uintptr(target)); err != nil || pipe.Held() != 0 {
		t.Errorf("drain: got %v, %d held", err, pipe.Held())
	}
	buf := make([]byte, 16)
	if n, err := Read(uintptr(to), buf); err != nil || string(buf[:n]) != "hello" {
		t.Errorf("got %q, %v", buf[:n], err)
	}
}

func TestPipeEnds(t *testing.T) {
	from, source := pair(t)
	target, to := pair(t)
	var pipes Pipes
	pipe, err := pipes.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	if _, err := Write(uintptr(from), []byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Close(from); err != nil {
		t.Fatal(err)
	}
	if n, err := pipe.Fill(uintptr(source), 5); n != 1 || err != nil {
		t.Errorf("got %d, %v", n, err)
	}
	if err := syscall.Close(to); err != nil {
		t.Fatal(err)
	}
	if err := pipe.Drain(uintptr(target)); err != syscall.EPIPE || pipe.Held() != 1 {
		t.Errorf("peer gone: got %v, %d held", err, pipe.Held())
	}
	var another *Pipe
	if another, err = pipes.Open(); err != nil {
		t.Fatal(err)
	}
	defer another.Close()
	if n, err := another.Fill(uintptr(source), 5); n != 0 || err != nil {
		t.Errorf("got %d, %v, want the end", n, err)
	}
}

// TestFullSocket: what does not go out stays, in order.
func TestFullSocket(t *testing.T) {
	from, source := pair(t)
	target, to := pair(t)
	var pipes Pipes
	pipe, err := pipes.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	var sent, got []byte
	for round := byte(0); ; round++ {
		piece := bytes.Repeat([]byte{'a' + round%26}, 10_000)
		if _, err := Write(uintptr(from), piece); err != nil {
			t.Fatal(err)
		}
		sent = append(sent, piece...)
		if _, err := pipe.Fill(uintptr(source), 10_000); err != nil {
			t.Fatal(err)
		}
		if err := pipe.Drain(uintptr(target)); err == syscall.EAGAIN {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	buf := make([]byte, 64<<10)
	for len(got) < len(sent) {
		n, err := Read(uintptr(to), buf)
		if err != nil {
			t.Fatalf("%v after %d bytes of %d", err, len(got), len(sent))
		}
		got = append(got, buf[:n]...)
		if err := pipe.Drain(uintptr(target)); err != nil && err != syscall.EAGAIN {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(got, sent) {
		t.Error("the bytes are not the same")
	}
}

func TestPipesAreBounded(t *testing.T) {
	var pipes Pipes
	var open []*Pipe
	for range maxPipes {
		pipe, err := pipes.Open()
		if err != nil {
			break // the kernel may allow fewer
		}
		open = append(open, pipe)
	}
	if len(open) == maxPipes {
		if _, err := pipes.Open(); err == nil {
			t.Errorf("more than %d pipes were lent", maxPipes)
		}
	}
	for _, pipe := range open {
		pipe.Close()
	}
	if n := pipes.lent.Load(); n != 0 {
		t.Errorf("%d are still lent", n)
	}
}
