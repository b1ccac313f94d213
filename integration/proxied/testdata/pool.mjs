// pool.mjs URL CALLS: twenty workers make the calls as fast as they can.
const [url, calls] = process.argv.slice(2);
let left = Number(calls), succeeded = 0;
async function work() {
  while (left-- > 0) {
    const response = await fetch(url, { method: "POST", body: "x" });
    await response.arrayBuffer();
    if (response.ok) succeeded++;
  }
}
await Promise.all(Array.from({ length: 20 }, work));
console.log(`${succeeded} of ${calls} succeeded`);
