// An OpenAI-compatible upstream that costs nothing. Streams word by word, so that buffering on the way shows.
const WORDS = "This comes word by word from a stub without a model".split(" ");
const MODELS = ["gpt-4o-mini", "text-embedding-3-small"];
const USAGE = { prompt_tokens: 8, completion_tokens: 11, total_tokens: 19 };
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const now = () => Math.floor(Date.now() / 1000);
const refusal = (status, message, code = null) => [status, { error: { message, type: "invalid_request_error", param: null, code } }];
const entry = (id) => ({ id, object: "model", created: 0, owned_by: "us" });

function chat(body) {
  const called = body.tools?.[0]?.function.name;
  const call = { id: "call_1", type: "function", function: { name: called, arguments: '{"city":"Paris"}' } };
  const said = called ? { content: null, tool_calls: [call] } : { content: WORDS.join(" ") };
  const message = { role: "assistant", ...said };
  return { id: "chatcmpl-1", object: "chat.completion", created: now(), model: body.model, usage: USAGE,
    choices: [{ index: 0, message, finish_reason: called ? "tool_calls" : "stop" }] };
}

function embeddings(body) {
  const vector = Array.from({ length: 16 }, (_, index) => (index + 1) / 16);
  const packed = Buffer.from(Float32Array.from(vector).buffer).toString("base64");
  const embedding = body.encoding_format === "base64" ? packed : vector;
  return { object: "list", model: body.model, usage: USAGE, data: [body.input].flat().map((_, index) => ({ object: "embedding", index, embedding })) };
}

function responses(body) {
  const content = [{ type: "output_text", text: WORDS.join(" "), annotations: [] }];
  return { id: "resp_1", object: "response", created_at: now(), model: body.model, status: "completed",
    output: [{ type: "message", id: "msg_1", status: "completed", role: "assistant", content }],
    usage: { input_tokens: 8, output_tokens: 11, total_tokens: 19 } };
}

function answer(method, path, body) {
  if (method === "GET" && path === "/v1/models") return [200, { object: "list", data: MODELS.map(entry) }];
  const route = { "/v1/chat/completions": chat, "/v1/embeddings": embeddings, "/v1/responses": responses }[path];
  if (!route) return refusal(404, `Unknown path ${path}.`);
  if (method !== "POST") return refusal(405, "Method not allowed.");
  if (!body || typeof body !== "object") return refusal(400, "No JSON object.");
  if (!body.model) return refusal(400, "model is missing.");
  if (!MODELS.includes(body.model)) return refusal(404, `The model ${body.model} does not exist.`, "model_not_found");
  if (path === "/v1/chat/completions" && !Array.isArray(body.messages)) return refusal(400, "messages must be a list.");
  return [200, route(body)];
}

async function stream(body, out) {
  const send = (delta, finish_reason = null) => {
    const part = delta ? { choices: [{ index: 0, delta, finish_reason }] } : { choices: [], usage: USAGE };
    out.write(`data: ${JSON.stringify({ id: "chatcmpl-1", object: "chat.completion.chunk", created: now(), model: body.model, ...part })}\n\n`);
  };
  for (const word of WORDS) { send({ role: "assistant", content: `${word} ` }); await pause(150); }
  send({}, "stop");
  if (body.stream_options?.include_usage) send(null);
  out.write("data: [DONE]\n\n");
}

exports.handler = awslambda.streamifyResponse(async (event, out) => {
  const { method, path } = event.requestContext.http;
  const open = (statusCode, type) => awslambda.HttpResponseStream.from(out, { statusCode, headers: { "content-type": type, "x-request-id": event.requestContext.requestId } });
  const raw = Buffer.from(event.body ?? "", event.isBase64Encoded ? "base64" : "utf8").toString();
  let body = null;
  try { body = JSON.parse(raw || "null"); } catch { body = null; }
  const authorized = event.headers.authorization === `Bearer ${process.env.STUB_KEY}`;
  const [status, document] = authorized ? answer(method, path, body) : refusal(401, "Wrong key.", "invalid_api_key");
  const streams = status === 200 && path === "/v1/chat/completions" && body.stream;
  const reply = open(status, streams ? "text/event-stream" : "application/json");
  if (streams) await stream(body, reply);
  else reply.write(JSON.stringify(document));
  reply.end();
});
