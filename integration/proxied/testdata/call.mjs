// call.mjs METHOD URL BODY: one call with fetch, unsigned.
const [method, url, body] = process.argv.slice(2);
const response = await fetch(url, { method, body: body || undefined, headers: { "Content-Type": "application/json" } });
await response.arrayBuffer();
console.log(response.status, response.headers.get("X-Apigw-Attempts"), response.headers.get("X-Apigw-Reached") ?? "-");
