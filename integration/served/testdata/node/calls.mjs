// calls.mjs BASE APPKEY APPCODE CASE...: calls with the npm package, to a
// gateway at BASE. Prints a line for each: the case, the status, and the error
// text, cut off before the string to sign. The AppSecret is in APIGW_APP_SECRET.
import gateway from "aliyun-api-gateway";

const [base, key, appCode, ...names] = process.argv.slice(2);
const { Client, SimpleClient } = gateway;
const secret = process.env.APIGW_APP_SECRET;
const client = (stage) => new Client(key, secret, stage);
const multipart =
  '--edge\r\nContent-Disposition: form-data; name="a"\r\n\r\n你好\r\n--edge--\r\n';
const form = { "content-type": gateway.CONTENT_TYPE_FORM };
const fixed = { headers: { "x-ca-nonce": "the same twice" } };

const cases = {
  "chinese path and query": () =>
    client().get(`${base}/%E4%BD%A0%E5%A5%BD/get`, { query: { 名: "值 +&=#%", leer: "" } }),
  "json": () => client().post(`${base}/json`, { data: { 名: "值" } }),
  // The package computes a digest for POST only.
  "put with another digest": () =>
    client().put(`${base}/json`, { data: {}, headers: { "content-md5": "AAAAAAAAAAAAAAAAAAAAAA==" } }),
  "form": () => client().post(`${base}/form?b=2`, { data: { a: "1 +", 名: "值" }, headers: form }),
  "multipart": () =>
    client().post(`${base}/parts`, { data: multipart, headers: { "content-type": "multipart/form-data; boundary=edge" } }),
  "put": () => client().put(`${base}/json`, { data: { a: 1 } }),
  "delete": () => client().delete(`${base}/json`, {}),
  "stage TEST": () => client("TEST").get(`${base}/staged`),
  "stage PRE": () => client("PRE").get(`${base}/staged`),
  "wrong secret": () => new Client(key, "wrong").get(`${base}/a`),
  "wrong secret, long form": () =>
    new Client(key, "wrong").post(`${base}/a`, { data: { a: "x".repeat(40000) }, headers: form }),
  "unknown key": () => new Client("1", secret).get(`${base}/a`),
  "old timestamp": () => client().get(`${base}/a`, { headers: { "x-ca-timestamp": Date.now() - 16 * 60 * 1000 } }),
  "nonce twice": async () => {
    await client().get(`${base}/a`, fixed);
    return client().get(`${base}/a`, fixed);
  },
  "appcode": () => new SimpleClient(appCode).get(`${base}/a`),
  "wrong appcode": () => new SimpleClient("wrong").get(`${base}/a`),
};

for (const name of names) {
  try {
    const answer = await cases[name]();
    console.log(`${name}: 200 ${answer.method} ${answer.path}`);
  } catch (err) {
    const text = err.data?.headers["x-ca-error-message"] ?? String(err);
    console.log(`${name}: ${err.code} ${text.split(",")[0]}`);
  }
}
