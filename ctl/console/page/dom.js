// The elements of the page. Text from outside goes into text nodes only, never into markup, and a link from outside is one
// only if it is http or https.

// How a word of the API looks: tone and sign, so that no meaning hangs on colour alone.
const LOOKS = {
  SUCCEEDED: ["good", "✓"],
  PASSED: ["good", "✓"],
  GOOD: ["good", "✓"],
  DONE: ["good", "✓"],
  LIVE: ["good", "●"],
  RUNNING: ["busy", "▸"],
  INCONCLUSIVE: ["busy", "~"],
  NEVER_LIVE: ["busy", "○"],
  WAITING_APPROVAL: ["ask", "?"],
  SKIPPED: ["skip-tone", "»"],
  FAILED: ["bad", "✕"],
  ROLLED_BACK: ["bad", "↶"],
  ABORTED: ["bad", "■"],
  BAD: ["bad", "✕"],
  PARTLY_REMOVED: ["bad", "!"],
};

export const $ = (id) => document.getElementById(id);

export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(
    ...children.flat(Infinity).filter((child) => child instanceof Node || ((child ?? "") !== "" && child !== false)),
  );
  return element;
}

const alike = (left, right) => left.nodeName === right.nodeName && left.dataset?.key === right.dataset?.key;

/** Make `old` look like `fresh` with as little change as possible; whether a <details> is open is the reader's. */
export function patch(old, fresh) {
  if (old.nodeType === Node.TEXT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && name !== "open") old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value && !(name === "open" && old.nodeName === "DETAILS"))
      old.setAttribute(name, value);
  }
  let next = old.firstChild;
  for (const child of [...fresh.childNodes]) {
    let same = next;
    while (same && !alike(same, child)) same = same.nextSibling;
    if (!same) {
      old.insertBefore(child, next);
      continue;
    }
    while (next !== same) next = dropped(next);
    patch(same, child);
    next = same.nextSibling;
  }
  while (next) next = dropped(next);
}

function dropped(node) {
  const next = node.nextSibling;
  node.remove();
  return next;
}

export const badge = (word, text = word) => {
  const [tone, sign] = LOOKS[word] ?? ["none", "○"];
  return h("span", { class: `badge ${tone}`, "data-sign": sign }, String(text).replaceAll("_", " "));
};
export const link = (hash, ...text) => h("a", { href: `#/${hash}` }, ...text);
export const deploymentLink = (id) =>
  id ? h("a", { href: `#/deployments/${encodeURIComponent(id)}`, class: "mono" }, id) : "–";
export const environmentLink = (name) => link(`environments/${encodeURIComponent(name)}`, name);
/** Account and region of what is in a target; nothing for the control plane's own. */
export const place = ({ account, region }) => (account ? [account, " ", h("span", { class: "quiet" }, region)] : "");
export const button = (label, action, data = {}, kind = "") =>
  h("button", { type: "button", class: kind || null, "data-do": action, ...data }, label);

export function elsewhere(url) {
  const safe = /^https?:\/\//i.test(url);
  return safe ? h("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, url) : url;
}

export function moment(at) {
  const when = new Date(at ?? NaN);
  if (Number.isNaN(when.getTime())) return "–";
  const today = when.toDateString() === new Date().toDateString();
  const text = today
    ? when.toLocaleTimeString()
    : when.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
  return h("time", { datetime: at, title: at }, text);
}

export function seconds(value) {
  if (value === null || value === undefined) return "–";
  if (value < 90) return `${Number(value).toFixed(value < 10 ? 1 : 0)} s`;
  return value < 5400 ? `${Math.round(value / 60)} min` : `${(value / 3600).toFixed(1)} h`;
}

export const share = (value) =>
  value === null || value === undefined ? "–" : `${(100 * value).toFixed(value && value < 0.1 ? 2 : 0)} %`;

export const facts = (pairs) =>
  h(
    "dl",
    { class: "facts" },
    pairs
      .filter(([, value]) => (value ?? "") !== "" && value !== false)
      .map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]),
  );

export function grid(names, rows, numbers = []) {
  const kind = (place) => (numbers.includes(place) ? "number" : null);
  return h(
    "div",
    { class: "scroll" },
    h(
      "table",
      { class: "stack" },
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          names.map((name, place) => h("th", { scope: "col", class: kind(place) }, name)),
        ),
      ),
      h(
        "tbody",
        {},
        rows.map((row) =>
          h(
            "tr",
            {},
            row.map((cell, place) => h("td", { "data-label": names[place], class: kind(place) }, cell)),
          ),
        ),
      ),
    ),
  );
}

/** An error of the API: code, message, the field at fault, the remedy, and who is in the way. */
export function errorBox(error, kind = "bad") {
  return h(
    "div",
    { class: `banner ${kind}` },
    h("p", {}, h("span", { class: "code" }, error.code ?? "Error"), ": ", error.message ?? "no message"),
    error.field && h("p", { class: "small" }, "Field: ", h("code", {}, error.field)),
    error.remedy && h("p", { class: "remedy" }, h("b", {}, "Remedy: "), error.remedy),
    error.holder && h("p", {}, "Held by ", deploymentLink(error.holder)),
  );
}
