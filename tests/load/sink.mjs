// A fast receiver for measurements: node sink.mjs PORT. Each line on its standard input is answered with what it
// has got so far.
import { createServer } from "node:http";
import { createInterface } from "node:readline";

const last = new Map(); // of each call, its last call_seq
const seen = new Set();
let count = 0;
let disorder = 0;

createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  let body = "";
  request.setEncoding("latin1");
  request.on("data", (part) => (body += part));
  request.on("end", () => {
    response.writeHead(204).end();
    count += 1;
    const event = JSON.parse(body);
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
  .on("line", () => console.log(JSON.stringify({ count, distinct: seen.size, disorder })))
  .on("close", () => process.exit(0));
