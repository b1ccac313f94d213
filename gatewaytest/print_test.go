package gatewaytest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/apigw-go/apigw/gatewaytest"
)

// A gateway that has served shows its configuration and no secret of it.
func TestUsedGatewayPrintsNoSecret(t *testing.T) {
	g := &gatewaytest.Gateway{
		Apps: []gatewaytest.App{{AppKey: gatewaytest.DefaultAppKey, AppSecret: gatewaytest.DefaultAppSecret,
			AppCode: gatewaytest.DefaultAppCode}},
		Now: newClock().now,
		Routes: []gatewaytest.Route{{
			Pattern: "/", Backend: tellRoute, Breaker: gatewaytest.DocumentedBreaker(),
			AppLimits: []gatewaytest.Limit{{Calls: 100, Window: 1}},
		}},
	}
	request{nonce: "n", path: "/items?password=query-secret"}.do(t, g)
	request{unsigned: true, header: map[string]string{"Authorization": "APPCODE " + gatewaytest.DefaultAppCode}}.do(t,
		g)
	s := gatewaytest.NewServer(g)
	defer s.Close()

	outputs := make(map[string]string)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		outputs[verb] = fmt.Sprintf(verb, g)
		outputs[verb+" of the server"] = fmt.Sprintf(verb, s)
		outputs[verb+" of an application"] = fmt.Sprintf(verb, g.Apps)
		outputs[verb+" of the log"] = fmt.Sprintf(verb, g.Log())
	}
	data, err := json.Marshal(g)
	if err != nil || !strings.Contains(string(data), `"AppSecret":"***"`) {
		t.Errorf("JSON: got %s %v, want the configuration with *** for secrets", data, err)
	}
	outputs["JSON"] = string(data)
	var logged bytes.Buffer
	slog.New(slog.NewTextHandler(&logged, nil)).Info("gateway", "it", g)
	zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zapcore.EncoderConfig{}), zapcore.AddSync(&logged), zap.InfoLevel)).
		Info("gateway", zap.Any("it", g), zap.Any("log", g.Log()))
	outputs["logs"] = logged.String()
	for how, text := range outputs {
		for _, secret := range []string{gatewaytest.DefaultAppSecret, gatewaytest.DefaultAppCode, "query-secret",
			fmt.Sprintf("%x", gatewaytest.DefaultAppSecret)} {
			if strings.Contains(text, secret) {
				t.Errorf("%s shows %q", how, secret)
			}
		}
	}
	if !strings.Contains(outputs["%+v"], gatewaytest.DefaultAppKey) {
		t.Errorf("got %s, want the configuration", outputs["%+v"])
	}
}
