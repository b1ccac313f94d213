package catalog

import "fmt"

// Generation is the dialect that a row belongs to.
type Generation uint8

// The dialects. Classic instances send a text only, VPC-type instances a code
// and a text. The newer ones write into the body: Envoy, the proxy inside them;
// the plug-ins of Higress and its AI plug-ins; the cloud-native and the AI
// gateway of Alibaba Cloud; and Function Compute behind them.
const (
	GenerationUnknown Generation = iota
	GenerationClassic
	GenerationVPC
	GenerationHigress
	GenerationEnvoy
	GenerationHigressAI
	GenerationCloudNative
	GenerationAIGateway
	GenerationFC
)

var generationNames = [...]string{
	"unknown", "classic", "vpc", "higress", "envoy", "higress-ai", "apig-cloud-native", "ai-gateway", "fc",
}

func (g Generation) String() string { return name(generationNames[:], g) }

// Origin says who makes the response of a row.
type Origin uint8

// Who makes a response: the gateway or a plug-in of it, the proxy inside or in
// front of it, Function Compute, or the backend itself.
const (
	OriginUnknown Origin = iota
	OriginGateway
	OriginProxy
	OriginFunctionCompute
	OriginBackend
)

var originNames = [...]string{"unknown", "gateway", "proxy", "function-compute", "backend"}

func (o Origin) String() string { return name(originNames[:], o) }

// Place says where a response shows which row it belongs to.
type Place uint8

// Where a row shows: in the X-Ca-* headers, in the body, in other headers or
// the status alone, or nowhere, since another answer can look the same.
const (
	PlaceUnknown Place = iota
	PlaceHeader
	PlaceBody
	PlaceMark
	PlaceNowhere
)

var placeNames = [...]string{"unknown", "header", "body", "mark", "nowhere"}

func (p Place) String() string { return name(placeNames[:], p) }

// Class is the kind of failure.
type Class uint8

// The classes of the table.
const (
	ClassUnknown        Class = iota
	ClassThrottled            // a rate limit refused the call
	ClassQuota                // the purchased calls are used up or expired
	ClassBilling              // somebody owes money
	ClassAuth                 // AppKey, AppCode, token or authorization
	ClassSignature            // signature or Content-MD5
	ClassReplay               // timestamp or nonce
	ClassAccessControl        // refused by address, network, origin or law
	ClassBadRequest           // the request is not acceptable
	ClassNotFound             // no such API, domain or stage
	ClassPlugin               // a plug-in of the API is misconfigured
	ClassGateway              // the gateway itself failed
	ClassBackendConnect       // the gateway could not connect to the backend
	ClassBackendTimeout       // the backend did not answer in time
	ClassBackendError         // the backend failed
	ClassCircuitOpen          // the circuit breaker holds calls back
)

var classNames = [...]string{
	"unknown", "throttled", "quota", "billing", "auth", "signature", "replay", "access-control", "bad-request",
	"not-found", "plugin", "gateway", "backend-connect", "backend-timeout", "backend-error", "circuit-open",
}

func (c Class) String() string { return name(classNames[:], c) }

// ParseClass returns the class of that name, and false where there is none.
func ParseClass(s string) (Class, bool) { return parse[Class](classNames[:], s) }

// ParseGeneration returns the dialect of that name, and false where there is
// none.
func ParseGeneration(s string) (Generation, bool) { return parse[Generation](generationNames[:], s) }

// Retry says what another attempt of the same request can do.
type Retry uint8

// What another attempt can do: nothing, help soon, or help after a wait.
const (
	RetryUnknown Retry = iota
	RetryNo
	RetrySoon
	RetryWait
)

var retryNames = [...]string{"unknown", "no", "retry", "wait"}

func (r Retry) String() string { return name(retryNames[:], r) }

// Reached says whether the provider's backend got the request.
type Reached uint8

// Whether the backend got the request. ReachedNoAtThisHop: the proxy that wrote
// the text did not send it on. If a proxy behind wrote it, and the backend
// passed it on, the request may have run.
const (
	ReachedUnknown Reached = iota
	ReachedNo
	ReachedMaybe
	ReachedYes
	ReachedNoAtThisHop
)

var reachedNames = [...]string{"unknown", "no", "maybe", "yes", "no-at-this-hop"}

func (r Reached) String() string { return name(reachedNames[:], r) }

// Party is who can remove the cause of an error.
type Party uint8

// Who can remove the cause: who calls the API, who offers it, or who runs the
// gateway.
const (
	PartyUnknown Party = iota
	PartyCaller
	PartyProvider
	PartyGateway
)

var partyNames = [...]string{"unknown", "caller", "provider", "gateway"}

func (p Party) String() string { return name(partyNames[:], p) }

// Confidence says how far something was verified. Larger is surer.
type Confidence uint8

// Degrees of confidence. Recalled: not seen in any stored source. Low: seen in
// one third-party list. Medium: the code was read in an official page or SDK,
// its text was not. High: read in an official page or in several programs.
const (
	ConfidenceUnknown Confidence = iota
	ConfidenceRecalled
	ConfidenceLow
	ConfidenceMedium
	ConfidenceHigh
)

var confidenceNames = [...]string{"unknown", "recalled", "low", "medium", "high"}

func (c Confidence) String() string { return name(confidenceNames[:], c) }

// name never fails: a number without a name shows as itself.
func name[E ~uint8](names []string, e E) string {
	if int(e) < len(names) {
		return names[e]
	}
	return fmt.Sprintf("%T(%d)", e, uint8(e))
}

func parse[E ~uint8](names []string, s string) (E, bool) {
	for i, n := range names {
		if n == s {
			return E(i), true
		}
	}
	return 0, false
}
