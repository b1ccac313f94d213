package catalog

import "testing"

func TestCode(t *testing.T) {
	for code, want := range map[Code]int{
		"B403MQ": 403, "I400I5": 400, "D503CB": 503, "": 0, "b403MQ": 0, "B403M": 0, "B403MQX": 0, "4403MQ": 0,
		"B4O3MQ": 0, "B403mq": 0, "X99\x0099": 0,
	} {
		if got := code.Status(); got != want {
			t.Errorf("Code(%q).Status() = %d, want %d", code, got, want)
		}
	}
}
