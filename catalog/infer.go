package catalog

// Infer returns a general entry for a code that has the right shape but is not
// in the table: its class follows from the first letter and the status, and it
// is cautious where that says little. A status of 0 stands for the one that
// the code names. It returns false for anything else, known codes included
// only if they have the shape.
//
// What the letters mean is read off the documented codes, not documented.
func Infer(code Code, status int) (*Entry, bool) {
	if !code.Valid() {
		return nil, false
	}
	if status == 0 {
		status = code.Status()
	}
	serverSide := status >= 500
	switch code[0] {
	case 'T':
		return &general.throttled, true
	case 'I', 'A', 'S', 'B':
		switch {
		case serverSide:
			return &general.gatewayNoRetry, true
		case code[0] == 'I' && status == 404:
			return &general.notFound, true
		case code[0] == 'I':
			return &general.badRequest, true
		case code[0] == 'A' && status != 403:
			return &general.auth, true
		case code[0] == 'S':
			return &general.security, true
		case code[0] == 'B' && status != 451:
			return &general.billing, true
		}
		return &general.accessControl, true
	case 'D', 'N':
		switch {
		case !curable(status):
			return &general.backendNoRetry, true
		case code[0] == 'D' && status == 503:
			return &general.circuitOpen, true
		case code[0] == 'D' && status == 504:
			return &general.backendTimeout, true
		}
		return &general.backendError, true
	}
	if curable(status) {
		return &general.gateway, true
	}
	return &general.gatewayNoRetry, true
}

// ByStatus returns the general entry for a response that the gateway did not
// mark: the backend, or a proxy on the way, answered with this status.
func ByStatus(status int) *Entry {
	switch {
	case status == 429:
		return &general.answerThrottled
	case curable(status):
		return &general.answerServerError
	case status >= 500:
		return &general.answerServerErrorNoRetry
	}
	return &general.answer
}

// curable lists the statuses that a later attempt may not meet again.
func curable(status int) bool {
	switch status {
	case 500, 502, 503, 504:
		return true
	}
	return false
}

// general holds the entries that stand for no row. Their ID is "unknown" and
// their confidence is none.
var general = struct {
	throttled, notFound, badRequest, auth, security, billing, accessControl Entry
	circuitOpen, backendTimeout, backendError, backendNoRetry               Entry
	gateway, gatewayNoRetry                                                 Entry
	answer, answerThrottled, answerServerError, answerServerErrorNoRetry    Entry
}{
	throttled: inferred(ClassThrottled, RetryWait, ReachedNo, Provider,
		Text{"a rate limit that is not in the catalog refused the call", "被未收录的流控规则限制"},
		Text{"slow down, retry after the limit window", "降低调用频率，等限流窗口过去再试"}),
	notFound: inferred(ClassNotFound, RetryNo, ReachedNo, Caller,
		Text{"the gateway found nothing at this address", "网关在该地址没有找到接口"},
		Text{"check host, path, method and X-Ca-Stage", "核对域名、路径、方法与 X-Ca-Stage"}),
	badRequest: inferred(ClassBadRequest, RetryNo, ReachedNo, Caller,
		Text{"the gateway does not accept the request", "网关不接受该请求"},
		Text{"correct the request as X-Ca-Error-Message says", "按 X-Ca-Error-Message 改正请求"}),
	auth: inferred(ClassAuth, RetryNo, ReachedNo, Caller,
		Text{"the gateway does not accept the credentials", "网关不接受该凭证"},
		Text{"check AppKey, AppCode or token, and the authorization of the app", "核对 AppKey、AppCode 或令牌，以及应用的授权"}),
	security: inferred(ClassReplay, RetryNo, ReachedNo, Caller,
		Text{"a security check (timestamp, nonce, token id) refused the request", "安全校验（时间戳、Nonce、令牌标识）未通过"},
		Text{"sign again with the current time and a new nonce", "用当前时间和新的 Nonce 重新签名"}),
	billing: inferred(ClassBilling, RetryNo, ReachedNo, Caller,
		Text{"a billing rule refused the call", "因计费原因被拒绝"},
		Text{"check balance and subscription", "检查余额与订购关系"}),
	accessControl: inferred(ClassAccessControl, RetryNo, ReachedNo, Provider,
		Text{"an access rule refused the call", "被访问控制规则拒绝"},
		Text{"ask the API provider which rule applies", "向 API 提供方询问命中的规则"}),
	circuitOpen: inferred(ClassCircuitOpen, RetryWait, ReachedMaybe, Provider,
		Text{"the backend is not available at the moment", "后端暂不可用"},
		Text{"wait, then repeat when the call is safe to repeat", "可安全重复时稍后再试"}),
	backendTimeout: inferred(ClassBackendTimeout, RetryWait, ReachedMaybe, Provider,
		Text{"the gateway got no answer from the backend in time", "网关没有按时得到后端应答"},
		Text{"repeat when the call is safe to repeat; the provider checks the backend", "可安全重复时再试；提供方检查后端"}),
	backendError: inferred(ClassBackendError, RetrySoon, ReachedMaybe, Provider,
		Text{"the call to the backend failed", "调用后端失败"},
		Text{"repeat when the call is safe to repeat; the provider checks the backend", "可安全重复时再试；提供方检查后端"}),
	backendNoRetry: inferred(ClassBackendError, RetryNo, ReachedMaybe, Provider,
		Text{"the call to the backend failed", "调用后端失败"},
		Text{"ask the API provider", "联系 API 提供方"}),
	gateway: inferred(ClassGateway, RetrySoon, ReachedMaybe, Gateway,
		Text{"the gateway failed", "网关内部异常"},
		Text{"repeat when the call is safe to repeat; open a ticket with X-Ca-Request-Id", "可安全重复时重试，仍失败则带请求 ID 提工单"}),
	gatewayNoRetry: inferred(ClassGateway, RetryNo, ReachedMaybe, Gateway,
		Text{"the gateway failed, and another attempt does not help", "网关异常，重试无效"},
		Text{"open a ticket with X-Ca-Request-Id", "带请求 ID 提工单"}),

	answer: answered(ClassUnknown, RetryNo, ReachedMaybe, PartyUnknown,
		Text{"the backend, or a proxy on the way, answered with this status", "后端或途中的代理返回了该状态码"},
		Text{"read the body; the API's own documentation explains it", "查看响应体，并参照该 API 自身的文档"}),
	answerThrottled: answered(ClassThrottled, RetryWait, ReachedMaybe, Provider,
		Text{"the backend, or a proxy on the way, limits the rate", "后端或途中的代理限制了调用频率"},
		Text{"slow down, retry as Retry-After says", "降低频率，按 Retry-After 重试"}),
	answerServerError: answered(ClassBackendError, RetrySoon, ReachedMaybe, Provider,
		Text{"the backend, or a proxy on the way, failed", "后端或途中的代理出错"},
		Text{"repeat when the call is safe to repeat; ask the API provider if it persists", "可安全重复时重试，仍失败则联系 API 提供方"}),
	answerServerErrorNoRetry: answered(ClassBackendError, RetryNo, ReachedMaybe, Provider,
		Text{"the backend, or a proxy on the way, cannot serve this request", "后端或途中的代理无法处理该请求"},
		Text{"ask the API provider", "联系 API 提供方"}),
}

// inferred is what the shape of a code says.
func inferred(class Class, retry Retry, reached Reached, fixer Party, meaning, remedy Text) Entry {
	return Entry{
		ID: UnknownID, Class: class, ServerSide: class >= ClassGateway, Retry: retry, Reached: reached,
		ReachedWhy: "inferred from the letter and the status of the code", Fixer: fixer, Meaning: meaning, Remedy: remedy,
	}
}

// answered is what a status says that nobody marked.
func answered(class Class, retry Retry, reached Reached, fixer Party, meaning, remedy Text) Entry {
	e := inferred(class, retry, reached, fixer, meaning, remedy)
	e.ReachedWhy = "only the status is known, and the backend may have chosen it"
	return e
}
