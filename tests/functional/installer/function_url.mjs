// A Function URL on this machine: gives a streaming handler what Lambda gives it, and its answer to HTTP as it comes.
import http from "node:http";
import { createRequire } from "node:module";

globalThis.awslambda = {
  streamifyResponse: (handler) => handler,
  HttpResponseStream: { from: (out, head) => { out.writeHead(head.statusCode, head.headers); return out; } },
};
const { handler } = createRequire(import.meta.url)(process.argv[2]);
const server = http.createServer(async (request, response) => {
  const parts = [];
  for await (const part of request) parts.push(part);
  const context = { http: { method: request.method, path: request.url.split("?")[0] }, requestId: "r-1" };
  const body = Buffer.concat(parts).toString("base64");
  await handler({ requestContext: context, headers: request.headers, body, isBase64Encoded: true }, response);
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
