// node receiver.mjs SECRET: a receiver that trusts the package of Standard Webhooks. Tells its port, then what it got.
import { createServer } from "node:http";
import { Webhook } from "standardwebhooks";

const webhook = new Webhook(process.argv[2]);

function verdict(headers, body) {
  try {
    return { genuine: true, event: webhook.verify(body, headers) };
  } catch (error) {
    return { genuine: false, why: `${error.name}: ${error.message}` };
  }
}

const server = createServer((request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {
    const body = Buffer.concat(parts).toString();
    const told = verdict(request.headers, body);
    response.writeHead(told.genuine ? 204 : 401).end();
    console.log(JSON.stringify({ headers: request.headers, body, ...told }));
  });
});
server.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ port: server.address().port })));
