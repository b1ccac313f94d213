package main

import (
	"cmp"
	"strings"

	"github.com/apigw-go/apigw"
)

// languageOf reads the language of the surroundings, in the order of POSIX.
func languageOf(env func(string) string) string {
	if lang, ok := parseLanguage(cmp.Or(env("LC_ALL"), env("LC_MESSAGES"), env("LANG"))); ok {
		return lang
	}
	return "en"
}

// parseLanguage takes "zh", "zh_CN.UTF-8", "en-US" and the like.
func parseLanguage(tag string) (string, bool) {
	base := strings.ToLower(tag)
	if i := strings.IndexAny(base, "_-.@"); i >= 0 {
		base = base[:i]
	}
	return base, base == "en" || base == "zh"
}

// t picks the text in the language of the user.
func (in *invocation) t(en, zh string) string {
	if in.lang == "zh" {
		return zh
	}
	return en
}

// stopTexts are the Chinese sentences of [apigw.StopReason.Text].
var stopTexts = map[apigw.StopReason]string{
	apigw.StopNotRetryable:  "重试无济于事",
	apigw.StopThrottled:     "被限流，且策略不允许等待这么久（MaxThrottleWait）",
	apigw.StopMaxAttempts:   "尝试次数已用完（MaxAttempts）",
	apigw.StopMaxElapsed:    "再等就会超过总时限（MaxElapsed）",
	apigw.StopDeadline:      "再等就会超过上下文的截止时间",
	apigw.StopContext:       "上下文已结束",
	apigw.StopBudget:        "该主机的重试预算已用完",
	apigw.StopMayHaveRun:    "后端可能已执行，且请求不是幂等的；加 Idempotency-Key 头或设置 RetryNonIdempotent 才会重试",
	apigw.StopBody:          "请求体无法再次发送；请设置 GetBody，或使其小于 MaxBodyBuffer",
	apigw.StopNonce:         "请求带有无人更新的 X-Ca-Nonce；请在 Transport 之下签名，或把 PrepareRetry 设为签名器的 Sign",
	apigw.StopNonceUsed:     "此前的同一请求已被接受，可能已执行",
	apigw.StopRetryAfter:    "服务端要求的等待（或目录中该错误的持续时间）超过 MaxRetryAfter",
	apigw.StopBackOff:       "策略的 BackOff 要求停止",
	apigw.StopPermanent:     "这样的请求无论何时都无法发送",
	apigw.StopPrepareFailed: "PrepareRetry 失败",
	apigw.StopPaced:         "在期限内（MaxThrottleWait 或 context 的截止时间）调用限额没有空位，请求未发出",
	apigw.StopQuotaHeld:     "由 apigw 直接答复，请求未发出：不久前配额已被拒绝（QuotaHold）",
}

// stopText says why there was no further attempt.
func (in *invocation) stopText(s apigw.StopReason) string {
	if zh, ok := stopTexts[s]; ok && in.lang == "zh" {
		return zh
	}
	return s.Text()
}
