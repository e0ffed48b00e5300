// Calls of the control API, through the console that signs them.

export class Refused extends Error {
  constructor(status, error) {
    super(error.message ?? "no message");
    Object.assign(this, { status, error });
  }
}

export async function call(method, path, { body, key, signal } = {}) {
  const headers = { Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (key) headers["Idempotency-Key"] = key;
  let answer;
  try {
    const text = body === undefined ? undefined : JSON.stringify(body);
    answer = await fetch(path, { method, headers, body: text, signal, credentials: "omit", redirect: "error" });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Refused(0, {
      code: "Unreachable",
      message: "The console does not answer.",
      remedy: "Check whether it still runs in its terminal; a new console has a new address.",
    });
  }
  const content = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refused(answer.status, content.error ?? { code: `Http${answer.status}` });
  return content;
}

export const get = (path, signal) => call("GET", `api/${path}`, { signal });
