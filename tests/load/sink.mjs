// A fast receiver for measurements: node sink.mjs PORT. Each line on its standard input is answered with what it
// has got so far: deliveries, distinct events, those out of order, and how old events were when they came (ms; "new"
// instead of "?" begins these anew).
import { createServer } from "node:http";
import { createInterface } from "node:readline";

const last = new Map(); // of each call, its last call_seq
const seen = new Set();
let count = 0;
let disorder = 0;
let ages = [];

createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  let body = "";
  request.setEncoding("latin1");
  request.on("data", (part) => (body += part));
  request.on("end", () => {
    response.writeHead(204).end();
    count += 1;
    const event = JSON.parse(body);
    ages.push(Date.now() - Date.parse(event.timestamp));
    if (seen.has(event.seq)) return;
    seen.add(event.seq);
    const call = event.data.call_id;
    if (event.call_seq !== undefined) {
      if (event.call_seq !== (last.get(call) ?? 0) + 1) disorder += 1;
      last.set(call, event.call_seq);
    }
  });
}).listen(Number(process.argv[2]), "127.0.0.1", () => console.log("ready"));

createInterface({ input: process.stdin })
  .on("line", (wish) => {
    ages.sort((a, b) => a - b);
    const at = (part) => ages[Math.min(ages.length - 1, Math.floor(ages.length * part))] ?? 0;
    console.log(JSON.stringify({ count, distinct: seen.size, disorder, p50: at(0.5), p99: at(0.99), aged: ages.length }));
    if (wish === "new") ages = [];
  })
  .on("close", () => process.exit(0));
