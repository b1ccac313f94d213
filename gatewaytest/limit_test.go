package gatewaytest

import (
	"strings"
	"testing"
	"time"
)

// noon is aligned with every unit but the day.
var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func TestLimitKinds(t *testing.T) {
	// calls are seconds after noon, capitals of want passed: "PPr" is two
	// calls that passed and one that was refused.
	for name, tt := range map[string]struct {
		limit string
		calls []float64
		want  string
	}{
		"opened by the first call": {"2/10s", []float64{5, 6, 7, 14.9, 15, 15, 15}, "PPrrPPr"},
		"aligned":                  {"2/10s aligned", []float64{5, 6, 7, 10, 10, 19.9, 20}, "PPrPPrP"},
		"aligned, twice the limit around an edge": {"3/min aligned", []float64{59, 59, 59, 60, 60, 60, 60}, "PPPPPPr"},
		"sliding": {"2/10s sliding", []float64{5, 6, 7, 14.9, 15, 15.9, 16, 17},
			"PPrrPrPr"},
		"sliding, refused calls count": {"2/10s sliding count-refused", []float64{0, 0, 9, 9, 18, 18, 27, 38},
			"PPrrrrrP"},
		"sliding, refused calls do not count": {"2/10s sliding", []float64{0, 0, 9, 9, 18, 18, 27, 38}, "PPrrPPrP"},
		"bucket": {"1/s bucket burst=2", []float64{0, 0, 0, 0.5, 1, 1.5, 10, 10, 10},
			"PPrrPrPPr"},
		"bucket without a burst":           {"3/3s bucket", []float64{0, 0, 0, 0, 1, 1}, "PPPrPr"},
		"day":                              {"1/d aligned", []float64{0, 12*3600 - 1, 12 * 3600}, "PrP"},
		"hour":                             {"1/h aligned", []float64{1800, 3599, 3600}, "PrP"},
		"a clock that is set back":         {"1/min", []float64{100, 0, 1}, "PPr"},
		"a bucket whose clock is set back": {"1/min bucket", []float64{100, 0, 60}, "PrP"},
	} {
		t.Run(name, func(t *testing.T) {
			limit, err := ParseLimit(tt.limit)
			if err != nil {
				t.Fatal(err)
			}
			l := newLimiters(limit)[0]
			var got strings.Builder
			for _, at := range tt.calls {
				v, ok := l.take(noon.Add(time.Duration(at * float64(time.Second))))
				got.WriteString(map[bool]string{true: "P", false: "r"}[ok])
				if ok == (v.wait > 0) {
					t.Errorf("at %v: passed %v with a wait of %v", at, ok, v.wait)
				}
			}
			if got.String() != tt.want {
				t.Errorf("got %s, want %s", got.String(), tt.want)
			}
		})
	}
}

// Who waits as long as a refusal says passes, and not a moment earlier.
func TestWaitOfALimit(t *testing.T) {
	for _, text := range []string{"3/7s", "3/7s aligned", "3/7s sliding", "3/7s bucket", "3/7s bucket burst=1"} {
		limit, err := ParseLimit(text)
		if err != nil {
			t.Fatal(err)
		}
		l := newLimiters(limit)[0]
		now := noon
		for range 50 {
			v, ok := l.take(now)
			if ok {
				continue
			}
			if _, early := l.take(now.Add(v.wait - time.Millisecond)); early {
				t.Errorf("%s: passed a millisecond before the time", text)
			}
			now = now.Add(v.wait)
			if v, ok := l.take(now); !ok {
				t.Errorf("%s: refused at the time, %v more to wait", text, v.wait)
			}
		}
	}
}

func TestLimitOfAPhase(t *testing.T) {
	l := newLimiters(Limit{Calls: 1, Window: time.Minute, Kind: AlignedWindow, Phase: 20 * time.Second})[0]
	for _, tt := range []struct {
		at   time.Duration
		want bool
	}{{0, true}, {19 * time.Second, false}, {20 * time.Second, true}, {79 * time.Second, false}, {80 * time.Second,
		true}} {
		if _, got := l.take(noon.Add(tt.at)); got != tt.want {
			t.Errorf("%v: got %v, want %v", tt.at, got, tt.want)
		}
	}
}

func TestParseLimit(t *testing.T) {
	for text, want := range map[string]Limit{
		"100/s":                         {Calls: 100, Window: time.Second},
		"1000/min":                      {Calls: 1000, Window: time.Minute},
		"1000/m aligned":                {Calls: 1000, Window: time.Minute, Kind: AlignedWindow},
		"5000/h":                        {Calls: 5000, Window: time.Hour},
		"1000/d":                        {Calls: 1000, Window: 24 * time.Hour},
		"500/10s sliding count-refused": {Calls: 500, Window: 10 * time.Second, Kind: SlidingLog, CountRefused: true},
		"50/s  bucket burst=20":         {Calls: 50, Window: time.Second, Kind: TokenBucket, Burst: 20},
		"3000/15m0s":                    {Calls: 3000, Window: 15 * time.Minute},
	} {
		got, err := ParseLimit(text)
		if err != nil || got != want {
			t.Errorf("%q: got %+v %v, want %+v", text, got, err, want)
		}
		if again, err := ParseLimit(got.String()); err != nil || again != got {
			t.Errorf("%q: String gives %q, which is %+v %v", text, got.String(), again, err)
		}
	}
	for text, want := range map[string]string{
		"":                     `write one such as "100/s"`,
		"100":                  "does not begin with a number of calls and a window",
		"0/s":                  "does not begin with a number",
		"-1/s":                 "does not begin with a number",
		"100/week":             `window "week" is not s, min, h, d or a duration`,
		"100/0s":               `window "0s" is not`,
		"100/s slidng":         `unknown word "slidng"; known are opened, aligned, sliding, bucket`,
		"100/s burst=20":       "only a bucket has a burst",
		"100/s bucket burst=x": `"burst=x" is not a number of calls`,
		"100/s count-refused":  "only a sliding log counts refused calls",
	} {
		if _, err := ParseLimit(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
}
