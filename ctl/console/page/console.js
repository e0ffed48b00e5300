// The console: plain DOM, no library. What others wrote goes into text nodes only, never into markup, and a link of
// theirs is one only if it is http or https. A view loads, draws and polls; drawing patches the page in place, so that
// what is open, focused or half typed stays so.

const FINAL = new Set(["SUCCEEDED", "FAILED", "ROLLED_BACK", "ABORTED"]);
const STATES = ["PENDING", "RUNNING", "WAITING_APPROVAL", ...FINAL];
const FIRST_MS = 1000;
const MOST_MS = 20000;
const DETAILED = 24; // environments whose figures are asked for on the page of all

// How a word of the API looks: tone and sign, so that no meaning hangs on colour alone.
const LOOKS = {
  SUCCEEDED: ["good", "✓"], PASSED: ["good", "✓"], GOOD: ["good", "✓"], LIVE: ["good", "●"],
  RUNNING: ["busy", "▸"], INCONCLUSIVE: ["busy", "~"], NEVER_LIVE: ["busy", "○"],
  WAITING_APPROVAL: ["ask", "?"], SKIPPED: ["skip-tone", "»"],
  FAILED: ["bad", "✕"], ROLLED_BACK: ["bad", "↶"], ABORTED: ["bad", "■"], BAD: ["bad", "✕"], PARTLY_REMOVED: ["bad", "!"],
};

// ---- small things ----------------------------------------------------------------------------------------------

const $ = (id) => document.getElementById(id);

function h(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    made.setAttribute(name, value === true ? "" : String(value));
  }
  made.append(...children.flat(Infinity).filter((child) => child instanceof Node || (child ?? "") !== "" && child !== false));
  return made;
}

const alike = (one, other) => one.nodeName === other.nodeName && one.dataset?.key === other.dataset?.key;

/** Make `old` look like `fresh` with as little change as possible; whether a <details> is open is the reader's. */
function patch(old, fresh) {
  if (old.nodeType === Node.TEXT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && name !== "open") old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value && !(name === "open" && old.nodeName === "DETAILS")) old.setAttribute(name, value);
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

function draw(...children) {
  const fresh = h("main", { id: "main", tabindex: "-1" }, ...children);
  patch($("main"), fresh);
}

const badge = (word, text = word) => {
  const [tone, sign] = LOOKS[word] ?? ["none", "○"];
  return h("span", { class: `badge ${tone}`, "data-sign": sign }, String(text).replaceAll("_", " "));
};
const link = (hash, ...text) => h("a", { href: `#/${hash}` }, ...text);
const deploymentLink = (id) => id ? h("a", { href: `#/deployments/${encodeURIComponent(id)}`, class: "mono" }, id) : "–";
const environmentLink = (name) => link(`environments/${encodeURIComponent(name)}`, name);
const button = (label, action, data = {}, kind = "") =>
  h("button", { type: "button", class: kind || null, "data-do": action, ...data }, label);

function elsewhere(url) {
  const safe = /^https?:\/\//i.test(url);
  return safe ? h("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, url) : url;
}

function moment(at) {
  const when = new Date(at ?? NaN);
  if (Number.isNaN(when.getTime())) return "–";
  const today = when.toDateString() === new Date().toDateString();
  const text = today ? when.toLocaleTimeString() : when.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
  return h("time", { datetime: at, title: at }, text);
}

function seconds(value) {
  if (value === null || value === undefined) return "–";
  if (value < 90) return `${Number(value).toFixed(value < 10 ? 1 : 0)} s`;
  return value < 5400 ? `${Math.round(value / 60)} min` : `${(value / 3600).toFixed(1)} h`;
}

const share = (value) => value === null || value === undefined ? "–" : `${(100 * value).toFixed(value && value < 0.1 ? 2 : 0)} %`;

const facts = (pairs) => h("dl", { class: "facts" },
  pairs.filter(([, value]) => (value ?? "") !== "" && value !== false).map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));

// ---- the API -----------------------------------------------------------------------------------------------------

class Refused extends Error {
  constructor(status, error) {
    super(error.message ?? "no message");
    Object.assign(this, { status, error });
  }
}

async function call(method, path, { body, key, signal } = {}) {
  const headers = { Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (key) headers["Idempotency-Key"] = key;
  let answer;
  try {
    const text = body === undefined ? undefined : JSON.stringify(body);
    answer = await fetch(path, { method, headers, body: text, signal, credentials: "omit", redirect: "error" });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Refused(0, { code: "Unreachable", message: "The console does not answer.", remedy: "Look whether it still runs in its terminal; a new one has a new address." });
  }
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refused(answer.status, told.error ?? { code: `Http${answer.status}` });
  return told;
}

const get = (path, signal) => call("GET", `api/${path}`, { signal });

/** An error of the API: code, message, the field at fault, the remedy, and who is in the way. */
function errorBox(error, kind = "bad") {
  return h("div", { class: `banner ${kind}` },
    h("p", {}, h("span", { class: "code" }, error.code ?? "Error"), ": ", error.message ?? "no message"),
    error.field && h("p", { class: "small" }, "Field: ", h("code", {}, error.field)),
    error.remedy && h("p", { class: "remedy" }, h("b", {}, "Remedy: "), error.remedy),
    error.holder && h("p", {}, "Held by ", deploymentLink(error.holder)));
}

function trouble(error) {
  const place = $("trouble");
  place.hidden = !error;
  place.replaceChildren(...(error ? [errorBox(error.error ?? { code: error.name, message: error.message })] : []));
}

// ---- evidence ----------------------------------------------------------------------------------------------------

const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
const isTable = (value) => Array.isArray(value) && value.length > 1 && value.every((row) => isObject(row) && "verdict" in row);

/** Any JSON as nested lists; a list of verdicts as a table. */
function tree(value) {
  if (isTable(value)) return verdicts(value);
  if (Array.isArray(value) && value.every((item) => item === null || typeof item !== "object")) return value.join(", ") || "none";
  if (value === null || typeof value !== "object") return String(value ?? "none");
  const entries = Object.entries(value);
  if (!entries.length) return "none";
  const shown = entries.slice(0, 200).map(([name, item]) => h("li", {}, h("span", { class: "key" }, Array.isArray(value) ? `${Number(name) + 1}. ` : `${name}: `), tree(item)));
  return h("ul", { class: "tree" }, shown, entries.length > 200 && h("li", {}, `… ${entries.length - 200} more`));
}

function verdicts(rows) {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const cell = (row, name) => name === "verdict" ? badge(row[name]) : row[name] === undefined ? "" : tree(row[name]);
  return grid(names, rows.map((row) => names.map((name) => cell(row, name))));
}

function grid(names, rows, numbers = []) {
  const kind = (place) => numbers.includes(place) ? "number" : null;
  return h("div", { class: "scroll" }, h("table", { class: "stack" },
    h("thead", {}, h("tr", {}, names.map((name, place) => h("th", { scope: "col", class: kind(place) }, name)))),
    h("tbody", {}, rows.map((row) => h("tr", {}, row.map((cell, place) => h("td", { "data-label": names[place], class: kind(place) }, cell)))))));
}

const UNITS = { p99_ms: "ms", cold_start_ms: "ms", rps: "/s", error_rate: "%", slowdown: "%" };

function slos(rows) {
  const figure = (slo, value) => value === null || value === undefined ? "?" : UNITS[slo] === "%" ? share(value) : `${value} ${UNITS[slo] ?? ""}`;
  const cells = rows.map(({ slo, verdict, bound, figure: found, interval, why }) => [
    h("code", {}, slo), badge(verdict), figure(slo, bound), figure(slo, found),
    [interval ? `${figure(slo, interval[0])} to ${figure(slo, interval[1])}` : "–", why && h("p", { class: "quiet small" }, why)]]);
  return grid(["SLO", "verdict", "bound", "figure", "95 % interval"], cells, [2, 3]);
}

// ---- views -------------------------------------------------------------------------------------------------------

const figures = (dora) => h("dl", { class: "figures" }, [
  ["deployments a day", dora ? dora.deployments_per_day : "…"],
  ["lead time", dora ? seconds(dora.lead_time_s) : "…"],
  ["change failure rate", dora ? share(dora.change_failure_rate) : "…"],
  ["time to restore", dora ? seconds(dora.time_to_restore_s) : "…"],
].map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, String(value)))));

const release = (one) => one ? ["version ", h("b", {}, one.version), " since ", moment(one.at), " by ", deploymentLink(one.deployment_id)] : "none";

function warnings(one) {
  return [
    one.incident && h("div", { class: "banner bad" }, h("b", {}, "Incident"), " since ", moment(one.incident.opened_at), ": ", one.incident.why,
      " (", deploymentLink(one.incident.opened_by), ")"),
    one.lock && h("div", { class: "banner busy" }, "Held by ", deploymentLink(one.lock.deployment_id)),
    one.expires_at && h("div", { class: "banner busy" }, "Is cleaned up at ", moment(one.expires_at)),
  ];
}

const known = new Map(); // environment -> its figures, as of its last change

const environmentsView = {
  page: "environments",
  title: "Environments",
  async load(signal) {
    const { environments } = await get("environments", signal);
    await Promise.all(environments.slice(0, DETAILED).map(async ({ name, updated_at: at }) => {
      if (known.get(name)?.at === at) return;
      const dora = await get(`environments/${encodeURIComponent(name)}`, signal).then((one) => one.dora, () => null);
      known.set(name, { at, dora });
    }));
    return environments.map((one) => ({ ...one, dora: known.get(one.name)?.dora }));
  },
  draw: (environments) => [
    h("div", { class: "head" }, h("h1", {}, "Environments"),
      h("div", { class: "buttons" }, button("New environment", "start", { "data-action": "deploy" }, "main"))),
    environments.length ? h("div", { class: "cards" }, environments.map(environmentCard)) : h("div", { class: "card" },
      h("p", {}, "There is none yet. Store its secret first, in a terminal: ", h("code", {}, "python -m ctl secret set NAME"), "; then make it here.")),
  ],
};

function environmentCard(one) {
  const { name } = one;
  return h("section", { class: "card", "data-key": name, "aria-label": name },
    h("div", { class: "row apart" }, h("h2", {}, environmentLink(name)), badge(one.status)),
    warnings(one),
    facts([["live", release(one.live)], ["revalidated", one.last_revalidation && [badge(one.last_revalidation.verdict), " ", moment(one.last_revalidation.at)]]]),
    one.dora && figures(one.dora),
    h("div", { class: "buttons push" }, button("Deploy", "start", { "data-action": "deploy", "data-environment": name }),
      button("Plan", "start", { "data-action": "plan", "data-environment": name }),
      h("a", { class: "button", href: `#/deployments?environment=${encodeURIComponent(name)}` }, "Deployments")));
}

const environmentView = (name) => ({
  page: "environments",
  title: name,
  load: (signal) => get(`environments/${encodeURIComponent(name)}`, signal),
  draw(one) {
    const start = (label, action, kind) => button(label, "start", { "data-action": action, "data-environment": name }, kind);
    const checked = one.last_revalidation;
    const history = (one.history ?? []).map((entry) => [moment(entry.at), entry.action, badge(entry.outcome), deploymentLink(entry.deployment_id),
      [entry.summary, entry.why && h("p", { class: "quiet small" }, "Why: ", entry.why), h("p", { class: "quiet small" }, entry.who), changes(entry.diff)]]);
    latest.set(name, one.live?.config);
    return [
      h("p", { class: "crumb" }, link("", "Environments")),
      h("div", { class: "head" }, h("h1", {}, name), badge(one.status), h("div", { class: "buttons" },
        start("Deploy", "deploy", "main"), start("Plan", "plan"), start("Revalidate", "revalidate"), start("Roll back", "rollback"), start("Drill", "drill"), start("Clean up", "cleanup", "danger"))),
      warnings(one),
      h("div", { class: "two" },
        h("section", { class: "card", "aria-label": "Releases" }, facts([["live", release(one.live)], ["last good", release(one.last_good)], ["previous", release(one.previous)],
          ["revalidated", checked ? [badge(checked.verdict), " ", moment(checked.at), " ", deploymentLink(checked.deployment_id), checked.why && h("p", {}, checked.why)] : "never"],
          ...Object.entries(one.links ?? {}).map(([what, url]) => [what, elsewhere(url)])])),
        h("section", { class: "card", "aria-label": "DORA figures" }, h("p", { class: "quiet small" }, `${one.dora.days} days: ${one.dora.changes} changes, ${one.dora.failed} failed`), figures(one.dora))),
      one.live && h("details", {}, h("summary", {}, "Configuration that is live"), h("div", { class: "card" }, tree(one.live.config))),
      h("h2", {}, "History"),
      history.length ? h("div", { class: "card" }, grid(["when", "what", "outcome", "deployment", ""], history)) : h("p", { class: "quiet" }, "Nothing has ended yet."),
      h("p", { class: "small" }, link(`deployments?environment=${encodeURIComponent(name)}`, "All its deployments")),
    ];
  },
});

const latest = new Map(); // environment -> the configuration that is live

function changes(diff) {
  const entries = Object.entries(diff ?? {});
  const shown = (value) => isObject(value) ? JSON.stringify(value) : String(value ?? "none");
  return entries.length > 0 && h("ul", { class: "tree small" }, entries.map(([name, [before, after]]) =>
    h("li", {}, h("span", { class: "key" }, `${name}: `), `${shown(before)} → ${shown(after)}`)));
}

const deploymentsView = (query) => ({
  page: "deployments",
  title: "Deployments",
  load: (signal) => get(`deployments${query.size ? `?${query}` : ""}`, signal),
  draw({ deployments, cursor }) {
    const rows = deployments.map((one) => [moment(one.created_at), deploymentLink(one.id), environmentLink(one.environment), one.action, badge(one.status),
      seconds(one.duration_s), [one.summary, one.options?.reason && h("p", { class: "quiet small" }, "Why: ", one.options.reason)]]);
    const older = new URLSearchParams(query);
    if (cursor) older.set("cursor", cursor);
    const state = query.get("status") ?? "";
    return [
      h("div", { class: "head" }, h("h1", {}, "Deployments")),
      h("form", { class: "filter", "data-form": "filter" },
        h("label", {}, h("span", {}, "Environment"), h("input", { name: "environment", value: query.get("environment") ?? "", autocomplete: "off", spellcheck: "false" })),
        h("label", {}, h("span", {}, "Status"), h("select", { name: "status" }, h("option", { value: "" }, "any"),
          STATES.map((one) => h("option", { value: one, selected: one === state }, one.replaceAll("_", " "))))),
        h("button", {}, "Filter"), query.size > 0 && link("deployments", "All")),
      rows.length ? h("div", { class: "card" }, grid(["when", "deployment", "environment", "what", "status", "took", ""], rows, [5])) : h("p", { class: "quiet" }, "There are none."),
      h("p", { class: "row" }, query.has("cursor") && link(`deployments${newest(query)}`, "Newest"), cursor && link(`deployments?${older}`, "Older")),
    ];
  },
});

function newest(query) {
  const kept = new URLSearchParams(query);
  kept.delete("cursor");
  return kept.size ? `?${kept}` : "";
}

/** Phases and steps in the order in which they ran; those that have not yet come last. */
const began = (row) => row.started_at ?? "9";
const rowsOf = (one) => [...one.phases, ...(one.steps ?? [])].sort((a, b) => began(a).localeCompare(began(b)) || a.number - b.number);

const deploymentView = (id) => {
  let said = "", lastWords = 8; // the step that ends a deployment is recorded a moment after the deployment's own end
  return {
    page: "deployments",
    title: id,
    load: (signal) => get(`deployments/${encodeURIComponent(id)}`, signal),
    ended: (one) => FINAL.has(one.status) && (!rowsOf(one).some((row) => row.status === "RUNNING") || --lastWords < 0),
    draw(one) {
      const rows = rowsOf(one), running = rows.find((row) => row.status === "RUNNING");
      const told = `${one.status.replaceAll("_", " ")}${running && !FINAL.has(one.status) ? `, ${running.name}` : ""}`;
      if (told !== said) $("said").textContent = said = told;
      document.title = `${one.status} ${one.environment} · proxyctl`;
      return deploymentPage(one, rows);
    },
  };
};

function deploymentPage(one, rows) {
  const done = FINAL.has(one.status), good = one.status === "SUCCEEDED", id = { "data-id": one.id, "data-environment": one.environment };
  const written = rows.some((row) => row.name === "write_handoff" && ["SUCCEEDED", "SKIPPED"].includes(row.status));
  const inPhase = rows.some((row) => row.error && row.error.message === one.error?.message);
  const plan = rows.find((row) => row.name === "make_plan" && row.evidence?.text);
  const judged = rows.find((row) => row.name === "load_test")?.evidence?.slos;
  const document_ = (name) => h("a", { class: "button", target: "_blank", rel: "noopener", href: `api/deployments/${encodeURIComponent(one.id)}/${name}` }, name === "report" ? "Report" : "Handoff");
  if (plan) plans.set(one.id, { config: one.config, options: { expected_plan: plan.evidence.digest } });
  return [
    h("p", { class: "crumb" }, environmentLink(one.environment), " / ", link(`deployments?environment=${encodeURIComponent(one.environment)}`, "Deployments")),
    h("div", { class: "head" }, h("h1", {}, `${one.action} ${one.environment}`), badge(one.status), h("code", {}, one.id),
      h("div", { class: "buttons" },
        written && [document_("report"), document_("handoff")],
        !done && one.status !== "WAITING_APPROVAL" && button("Abort", "abort", id, "danger"),
        done && !good && button("Resume", "resume", id, "main"))),
    h("progress", { class: `bar ${good ? "good" : done ? "bad" : ""}`, max: 100, value: one.percent, "aria-label": `${one.percent} % of the phases are done` }, `${one.percent} %`),
    one.status === "WAITING_APPROVAL" && h("div", { class: "banner ask", role: "alert" },
      h("p", {}, h("b", {}, "Shall users get the new version?"), " It has passed its checks and waits for you until ", moment(one.approval?.until), "."),
      h("div", { class: "buttons" }, button("Approve", "approve", id, "main"), button("Abort", "abort", id, "danger"))),
    one.abort_requested && !done && h("div", { class: "banner busy" }, "Somebody asked it to stop; what was released goes back."),
    one.error && !inPhase && errorBox(one.error),
    h("section", { class: "card", "aria-label": "What was asked" }, facts([
      ["outcome", one.summary], ["asked", [moment(one.created_at), " by ", one.caller || "unknown"]], ["why", one.options?.reason],
      ["took", one.duration_s !== undefined && seconds(one.duration_s)], ["goes on with", one.resumes && deploymentLink(one.resumes)],
      ["approved", one.approval?.by && [one.approval.by, " ", moment(one.approval.at)]],
      ...Object.entries(one.links ?? {}).filter(([name]) => name !== "self").map(([name, url]) => [name, elsewhere(url)])])),
    plan && [h("h2", {}, "Plan"), h("pre", {}, plan.evidence.text), h("p", { class: "row small" },
      button("Deploy exactly this", "start", { "data-action": "deploy", "data-environment": one.environment, "data-plan": one.id }), h("span", { class: "quiet" }, "expected_plan ", h("code", {}, plan.evidence.digest)))],
    judged && [h("h2", {}, "Service levels"), h("div", { class: "card" }, slos(judged))],
    h("h2", {}, "Phases"),
    h("ol", { class: "phases card flush" }, rows.map((row) => phaseRow(row, done && (good ? "NOT NEEDED" : "NOT REACHED")))),
    h("details", {}, h("summary", {}, "Configuration and options"), h("div", { class: "two" }, h("div", { class: "card" }, tree(one.config)), h("div", { class: "card" }, tree(one.options)))),
  ];
}

function phaseRow(row, never) {
  const evidence = row.evidence && Object.keys(row.evidence).length > 0;
  return h("li", { class: row.status, "data-key": row.name },
    h("span", { class: "ordinal" }, row.number || "·"),
    h("span", { class: row.number ? "name" : "name step" }, row.name),
    h("span", { class: "state" }, badge(row.status, row.status === "PENDING" && never || row.status)),
    h("span", { class: "took", title: row.started_at ?? "" }, row.duration_s === null || row.duration_s === undefined ? "" : seconds(row.duration_s)),
    h("div", { class: "words" },
      row.error ? h("p", { class: "error" }, `${row.error.code ?? "Error"}: ${row.error.message ?? ""}`) : row.summary && h("p", {}, row.summary),
      row.error?.field && h("p", { class: "small" }, "Field: ", h("code", {}, row.error.field)),
      row.error?.remedy && h("p", {}, h("b", {}, "Remedy: "), row.error.remedy),
      evidence && h("details", { class: "small" }, h("summary", {}, "Evidence"), tree(row.evidence))));
}

// ---- dialogs -----------------------------------------------------------------------------------------------------

const plans = new Map(); // id of a deployment that planned -> what holds a deploy to it

const FIELDS = {
  environment: { path: "environment", label: "Name: lower-case letters, digits, dashes; at most 20" },
  config: { path: "config", kind: "json", label: "Configuration, as a JSON object (empty: as it is)" },
  reason: { path: "options.reason", label: "Why (for the record)" },
  to: { path: "options.rollback_to", label: "To version (empty: the one that was good before)" },
  plan: { path: "options.expected_plan", label: "Refuse unless the plan is still (digest)" },
  approval: { path: "options.approval", kind: "check", value: "required", label: "Wait for an approval before users get it" },
  wait: { path: "options.if_busy", kind: "check", value: "wait", label: "Stand in line if the environment is busy" },
  heal: { path: "options.heal", kind: "check", value: true, label: "Put drift back where that is safe" },
  remove_secret: { path: "options.remove_secret", kind: "check", value: true, label: "Remove the secret, too" },
};
const ACTIONS = {
  deploy: { verb: "Deploy", text: "All twelve phases; users get the new version only if it passes.", fields: ["config", "reason", "plan", "approval", "wait"] },
  plan: { verb: "Plan", text: "Says what a deploy would do, and changes nothing.", fields: ["config", "reason", "wait"] },
  revalidate: { verb: "Revalidate", text: "Checks what is live: drift, endpoints, errors, a light load.", fields: ["heal", "reason", "wait"] },
  rollback: { verb: "Roll back", text: "Users get an earlier version at once, code and settings.", fields: ["to", "reason", "wait"], named: true },
  drill: { verb: "Drill", text: "Proves the whole way on an environment of its own that is made after this one and removed. It takes minutes.", fields: ["reason", "wait"] },
  cleanup: { verb: "Clean up", text: "Removes the environment: its address, its function, its alarms and logs. Nothing brings it back.", fields: ["remove_secret", "reason", "wait"], named: true },
};

function field(name, given) {
  const { label, kind, path } = FIELDS[name], id = { name, "data-path": path };
  if (kind === "check") return h("label", { class: "check" }, h("input", { type: "checkbox", ...id }), h("span", {}, label));
  const value = given === undefined ? "" : kind === "json" ? JSON.stringify(given, null, 1) : given;
  const input = kind === "json" ? h("textarea", { ...id, spellcheck: "false" }, value) : h("input", { ...id, value, autocomplete: "off", spellcheck: name === "reason" });
  return h("label", {}, h("span", {}, label), input);
}

/** Show a form; `send(form)` does it and answers where to go then. It stays open, with the API's words, when refused. */
function ask({ title, text, parts = [], verb, danger = false, confirms = "", send }) {
  const dialog = $("dialog"), problem = h("div", { role: "alert" });
  const go = h("button", { class: danger ? "danger" : "main" }, verb);
  const form = h("form", { novalidate: true }, parts,
    confirms && h("label", {}, h("span", {}, "Type ", h("b", {}, confirms), " to confirm"), h("input", { name: "confirm", autocomplete: "off", spellcheck: "false" })),
    problem, h("div", { class: "buttons" }, h("button", { type: "button", "data-do": "dismiss" }, "Cancel"), go));
  const check = () => { go.disabled = Boolean(confirms) && form.elements.confirm.value.trim() !== confirms; };
  form.addEventListener("input", check);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (go.disabled) return;
    go.disabled = true;
    problem.replaceChildren();
    for (const input of form.querySelectorAll("[aria-invalid]")) input.removeAttribute("aria-invalid");
    try {
      const next = await send(form);
      dialog.close();
      if (next && next !== location.hash) location.hash = next; else wake();
    } catch (error) {
      const told = error.error ?? { code: error.name, message: error.message };
      problem.replaceChildren(errorBox(told));
      const wrong = [...form.elements].find(({ dataset: { path } }) => path && (told.field ?? "").startsWith(path));
      wrong?.setAttribute("aria-invalid", "true");
      wrong?.focus();
      check();
    }
  });
  dialog.replaceChildren(h("h2", { id: "dialog-title" }, title), h("p", {}, text), form);
  check();
  dialog.showModal();
}

function bodyOf(form, action, environment) {
  const body = environment ? { environment, action } : { action };
  for (const input of form.querySelectorAll("[data-path]")) {
    const { kind, value, path } = FIELDS[input.name];
    let given = kind === "check" ? (input.checked ? value : undefined) : input.value.trim() || undefined;
    if (kind === "json" && given !== undefined) given = parsed(given, path);
    if (given === undefined) continue;
    const [first, second] = path.split(".");
    if (second) (body[first] ??= {})[second] = given; else body[first] = given;
  }
  return body;
}

function parsed(text, path) {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Refused(0, { code: "NotJson", message: error.message, field: path, remedy: "Correct the JSON." });
  }
}

/** The same key for the same content: sent twice, it starts one deployment. */
function keyed() {
  let last = "", key = "";
  return (body) => {
    const text = JSON.stringify(body);
    if (text !== last) [last, key] = [text, crypto.randomUUID()];
    return key;
  };
}

const DO = {
  dismiss: () => $("dialog").close(),
  start({ action, environment = "", plan: planned }) {
    const { verb, text, fields, named = false } = ACTIONS[action], keyFor = keyed(), given = plans.get(planned);
    const values = { config: given?.config, plan: given?.options.expected_plan };
    const fill = fields.includes("config") && latest.get(environment) && button("Start from what is live", "fill", { "data-environment": environment });
    ask({
      title: environment ? `${verb} ${environment}` : "New environment", text, verb, danger: named, confirms: named ? environment : "",
      parts: [!environment && field("environment"), fields.map((one) => [field(one, values[one]), one === "config" && fill && h("div", {}, fill)])],
      async send(form) {
        const body = bodyOf(form, action, environment);
        const { id } = await call("POST", "api/deployments", { body, key: keyFor(body) });
        return `#/deployments/${id}`;
      },
    });
  },
  fill({ environment }) {
    $("dialog").querySelector("textarea").value = JSON.stringify(latest.get(environment), null, 1);
  },
  abort: ({ id, environment }) => ask({
    title: "Abort this deployment?", text: `What it released goes back, and ${environment} is let go.`, verb: "Abort it", danger: true,
    send: () => call("POST", `api/deployments/${encodeURIComponent(id)}/abort`).then(() => ""),
  }),
  approve: ({ id, environment }) => ask({
    title: "Let users have it?", text: `Traffic of ${environment} moves to the new version, step by step.`, verb: "Approve",
    send: () => call("POST", `api/deployments/${encodeURIComponent(id)}/approve`).then(() => ""),
  }),
  resume({ id, environment }) {
    const key = crypto.randomUUID();
    ask({
      title: "Go on where it failed?", text: `A new deployment of ${environment} begins; what this one had done is skipped.`, verb: "Resume",
      send: () => call("POST", `api/deployments/${encodeURIComponent(id)}/resume`, { key }).then((next) => `#/deployments/${next.id}`),
    });
  },
};

// ---- the page ----------------------------------------------------------------------------------------------------

let leave = new AbortController();
let wake = () => {};

/** Until `ms` have passed and the page is looked at, something was done on it, or it is left. */
const rest = (ms, signal) => new Promise((resolve) => {
  const rested = new AbortController();
  let over = false;
  wake = () => {
    rested.abort();
    resolve();
  };
  const look = () => over && !document.hidden && wake();
  setTimeout(() => { over = true; look(); }, ms);
  document.addEventListener("visibilitychange", look, { signal: rested.signal });
  signal.addEventListener("abort", wake, { signal: rested.signal });
});

async function show(view, signal) {
  let pause = FIRST_MS, last = "";
  while (!signal.aborted) {
    try {
      const told = await view.load(signal);
      if (signal.aborted) return;
      trouble(null);
      const state = JSON.stringify(told);
      pause = state === last ? Math.min(pause * 1.5, MOST_MS) : FIRST_MS;
      if (state !== last) draw(...view.draw(told));
      last = state;
      if (view.ended?.(told)) return;
    } catch (error) {
      if (signal.aborted) return;
      trouble(error);
      if (!last) draw(h("p", {}, link("", "Environments")));
      if ([400, 403, 404].includes(error.status) || !(error instanceof Refused)) return;
      pause = Math.min(pause * 2, MOST_MS);
    }
    await rest(pause, signal);
  }
}

function viewOf(hash) {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split("?");
  const [page, name] = path.split("/").map(decodeURIComponent);
  if (page === "environments" && name) return environmentView(name);
  if (page === "deployments" && name) return deploymentView(name);
  if (page === "deployments") return deploymentsView(new URLSearchParams(query));
  return environmentsView;
}

function open() {
  leave.abort();
  leave = new AbortController();
  const view = viewOf(location.hash);
  document.title = `${view.title} · proxyctl`;
  for (const tab of document.querySelectorAll("[data-page]")) {
    if (tab.dataset.page === view.page) tab.setAttribute("aria-current", "page"); else tab.removeAttribute("aria-current");
  }
  trouble(null);
  $("dialog").close();
  $("main").replaceChildren(h("p", { class: "quiet" }, "Loading …"));
  window.scrollTo(0, 0);
  show(view, leave.signal);
}

document.addEventListener("click", (event) => {
  const asked = event.target.closest("[data-do]");
  if (asked) DO[asked.dataset.do](asked.dataset);
});
document.addEventListener("submit", (event) => {
  if (event.target.dataset.form !== "filter") return;
  event.preventDefault();
  const query = new URLSearchParams([...new FormData(event.target)].map(([name, value]) => [name, value.trim()]).filter(([, value]) => value));
  location.hash = `#/deployments${query.size ? `?${query}` : ""}`;
});
window.addEventListener("hashchange", () => { open(); $("main").focus(); });
call("GET", "about").then(({ api, region }) => { $("about").textContent = `${api} · ${region}`; }, trouble);
open();
