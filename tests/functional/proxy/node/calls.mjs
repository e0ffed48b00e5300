// The usual calls of openai-node through the proxy. Arguments: base URL, base URL of the audio upstream's proxy (or "").
// Prints one JSON object with what each call gave; any exception ends with exit code 1.
import OpenAI, { toFile } from "openai";

const [baseURL, audioURL] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey: "client-key-1" });
const audio = new OpenAI({ baseURL: audioURL || baseURL, apiKey: "client-key-1" });
const messages = [{ role: "user", content: "Say hello." }];
const result = {};

const chat = await client.chat.completions.create({ model: "fast", messages });
result.chat = chat.choices[0].message.content.length > 0;
result.request_id = chat._request_id;

const stream = await client.chat.completions.create({
  model: "fast",
  messages,
  stream: true,
  stream_options: { include_usage: true },
});
let text = "";
let usage = null;
for await (const chunk of stream) {
  text += chunk.choices[0]?.delta?.content ?? "";
  usage = chunk.usage ?? usage;
}
result.stream = text.length > 0 && usage !== null;

const tools = [
  {
    type: "function",
    function: {
      name: "get_weather",
      parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
    },
  },
];
const called = await client.chat.completions.create({ model: "fast", messages, tools });
result.tool = called.choices[0].message.tool_calls[0].function.name;

const schema = {
  name: "answer",
  strict: true,
  schema: {
    type: "object",
    properties: { word: { type: "string" } },
    required: ["word"],
    additionalProperties: false,
  },
};
const structured = await client.chat.completions.create({
  model: "fast",
  messages,
  response_format: { type: "json_schema", json_schema: schema },
});
result.structured = typeof JSON.parse(structured.choices[0].message.content).word;

const response = await client.responses.create({ model: "fast", input: "Say hello." });
result.response = response.output_text.length > 0;
const events = [];
for await (const event of await client.responses.create({ model: "fast", input: "Say hello.", stream: true })) {
  events.push(event.type);
}
result.response_stream = events.at(-1);

// As numbers: left alone, this SDK asks for base64, which llmock does not give (openai-python takes either).
const embedding = await client.embeddings.create({
  model: "text-embedding-3-small",
  input: "hello",
  encoding_format: "float",
});
result.embedding = embedding.data[0].embedding.length;

const file = await client.files.create({
  file: await toFile(Buffer.from('{"custom_id":"1"}\n'), "batch.jsonl"),
  purpose: "batch",
});
result.file = await (await client.files.content(file.id)).text();
result.deleted = (await client.files.delete(file.id)).deleted;

const names = [];
for await (const model of client.models.list()) names.push(model.id);
result.models = names.includes("fast") && names.includes("gpt-4o");

if (audioURL) {
  const speech = await audio.audio.speech.create({ model: "tts-1", voice: "alloy", input: "hello" });
  result.speech = Buffer.from(await speech.arrayBuffer()).toString("base64");
  const heard = await audio.audio.transcriptions.create({
    model: "ears",
    file: await toFile(Buffer.from([0, 255, 13, 10, 45, 45]), "a.wav"),
  });
  result.transcription = heard.text;
}

try {
  await new OpenAI({ baseURL, apiKey: "wrong", maxRetries: 0 }).models.list();
} catch (error) {
  result.wrong_key = [error.constructor.name, error.status, error.code];
}

console.log(JSON.stringify(result));
