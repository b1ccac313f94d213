package peers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"runtime/metrics"
	"time"
)

// zeros is a large body that takes no memory.
type zeros struct{ offset, length int64 }

func (z *zeros) Read(p []byte) (int, error) {
	if z.offset >= z.length {
		return 0, io.EOF
	}
	n := min(int64(len(p)), z.length-z.offset)
	clear(p[:n])
	z.offset += n
	return int(n), nil
}

func (z *zeros) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += z.offset
	case io.SeekEnd:
		offset += z.length
	}
	if offset < 0 {
		return 0, errors.New("seek before the start")
	}
	z.offset = offset
	return offset, nil
}

// UploadHeap uploads so many bytes to a server on the loopback interface and
// returns by how many bytes the heap grew at most, garbage included.
func UploadHeap(p Peer, length int64, replayable bool) (int64, error) {
	l := NewLoopback(0)
	defer l.Close()
	do := p.New(l.Base)
	// Connections and what is made once do not count.
	if _, err := do(context.Background(), Scenarios[0].Call(l.URL)); err != nil {
		return 0, err
	}
	runtime.GC()
	before := heap()
	var most int64
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for {
			most = max(most, heap())
			select {
			case <-tick.C:
			case <-stop:
				return
			}
		}
	}()
	status, err := do(context.Background(), Call{
		Method: http.MethodPost, URL: l.URL + "/ok", Length: length, Replayable: replayable,
		Body: func() io.ReadSeeker { return &zeros{length: length} },
	})
	close(stop)
	<-stopped
	most = max(most, heap())
	if err != nil || status != 200 {
		return 0, fmt.Errorf("%s: upload got status %d, error %v; want 200", p.Name, status, err)
	}
	return max(0, most-before), nil
}

func heap() int64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return int64(sample[0].Value.Uint64())
}

// Connections makes so many requests, each of which is refused with a body of
// so many bytes first, and returns how many connections that took.
func Connections(p Peer, requests, padding int) (int64, error) {
	l := NewLoopback(padding)
	defer l.Close()
	do, call := p.New(l.Base), Scenarios[len(Scenarios)-1].Call(l.URL)
	for range requests {
		if status, err := do(context.Background(), call); err != nil || status != 200 {
			return 0, fmt.Errorf("%s: got status %d, error %v; want 200 after a retry", p.Name, status, err)
		}
	}
	return l.connections.Load(), nil
}

// Amplification makes so many calls against a server that is out, one after the
// other and in no time, and returns attempts per call.
func Amplification(p Peer, calls int) float64 {
	stub := &Stub{}
	do := p.New(stub)
	for range calls {
		// What it returns does not matter: it fails, each in its own way.
		do(context.Background(), Call{Method: http.MethodGet, URL: "http://api.example.com/outage"})
	}
	return float64(stub.arrived.Load()) / float64(calls)
}
