package peers

import "testing"

func TestPeersDoWhatIsTimed(t *testing.T) {
	for _, p := range All {
		for _, s := range Scenarios {
			t.Run(p.Name+"/"+s.Name, func(t *testing.T) {
				stub := &Stub{}
				if err := s.Check(p, stub, "http://api.example.com", &stub.answer); err != nil {
					t.Error("stub:", err)
				}
				l := NewLoopback(2 << 10)
				defer l.Close()
				if err := s.Check(p, l.Base, l.URL, &l.answer); err != nil {
					t.Error("loopback:", err)
				}
			})
		}
	}
}

func TestAPIGWStreamsUploads(t *testing.T) {
	for _, replayable := range []bool{true, false} {
		got, err := UploadHeap(All[1], 64<<20, replayable)
		if err != nil {
			t.Fatal(err)
		}
		if want := int64(16 << 20); got > want {
			t.Errorf("replayable %t: got a heap %d bytes larger, want at most %d", replayable, got, want)
		}
	}
}

func TestAPIGWKeepsItsConnection(t *testing.T) {
	for _, padding := range []int{2 << 10, 32 << 10} {
		if got, err := Connections(All[1], 100, padding); err != nil || got != 1 {
			t.Errorf("bodies of %d bytes: got %d connections, error %v; want 1", padding, got, err)
		}
	}
}

func BenchmarkStub(b *testing.B) {
	for _, s := range Scenarios {
		for _, p := range All {
			b.Run(s.Name+"/"+p.Name, func(b *testing.B) { s.BenchmarkStub(b, p) })
		}
	}
}

func BenchmarkLoopback(b *testing.B) {
	for _, s := range Scenarios {
		for _, p := range All {
			b.Run(s.Name+"/"+p.Name, func(b *testing.B) { s.BenchmarkLoopback(b, p) })
		}
	}
}

func BenchmarkParallelLoopback(b *testing.B) {
	for _, p := range All {
		b.Run(p.Name, func(b *testing.B) { BenchmarkThroughput(b, p) })
	}
}
