// Dialogs to start or answer a deployment; a refused request leaves its dialog open, with the error of the API.

import { Refused, call } from "./api.js";
import { $, button, errorBox, h } from "./dom.js";

const plans = new Map(); // id of a deployment that planned -> the configuration, and the digest that holds a deploy to it
const latest = new Map(); // environment -> the configuration that is live

export const rememberPlan = (id, plan) => plans.set(id, plan);
export const remember = (environment, config) => latest.set(environment, config);

const FIELDS = {
  environment: { path: "environment", label: "Name: lower-case letters, digits, dashes; at most 20" },
  config: { path: "config", kind: "json", label: "Configuration, as a JSON object (empty: no change)" },
  reason: { path: "options.reason", label: "Why (for the record)" },
  to: { path: "options.rollback_to", label: "To version (empty: the last good one)" },
  plan: { path: "options.expected_plan", label: "Refuse unless the plan is still (digest)" },
  approval: {
    path: "options.approval",
    kind: "check",
    value: "required",
    label: "Wait for an approval before users get it",
  },
  wait: { path: "options.if_busy", kind: "check", value: "wait", label: "Wait in line if the environment is busy" },
  heal: { path: "options.heal", kind: "check", value: true, label: "Repair drift where that is safe" },
  remove_secret: { path: "options.remove_secret", kind: "check", value: true, label: "Remove the secret, too" },
};
const ACTIONS = {
  deploy: {
    verb: "Deploy",
    text: "All twelve phases; users get the new version only if it passes.",
    fields: ["config", "reason", "plan", "approval", "wait"],
  },
  plan: {
    verb: "Plan",
    text: "Shows what a deploy would do, and changes nothing.",
    fields: ["config", "reason", "wait"],
  },
  revalidate: {
    verb: "Revalidate",
    text: "Checks what is live: drift, endpoints, errors, a light load.",
    fields: ["heal", "reason", "wait"],
  },
  rollback: {
    verb: "Roll back",
    text: "Users get an earlier version at once, code and settings.",
    fields: ["to", "reason", "wait"],
    named: true,
  },
  drill: {
    verb: "Drill",
    text: "Rehearses on a copy of this environment: creates it, breaks it, updates it, removes it. It takes minutes.",
    fields: ["reason", "wait"],
  },
  cleanup: {
    verb: "Clean up",
    text: "Removes the environment: its address, its function, its alarms and logs. Nothing brings it back.",
    fields: ["remove_secret", "reason", "wait"],
    named: true,
  },
};

function field(name, content) {
  const { label, kind, path } = FIELDS[name],
    id = { name, "data-path": path };
  if (kind === "check")
    return h("label", { class: "check" }, h("input", { type: "checkbox", ...id }), h("span", {}, label));
  const value = content === undefined ? "" : kind === "json" ? JSON.stringify(content, null, 1) : content;
  const input =
    kind === "json"
      ? h("textarea", { ...id, spellcheck: "false" }, value)
      : h("input", { ...id, value, autocomplete: "off", spellcheck: name === "reason" });
  return h("label", {}, h("span", {}, label), input);
}

/** Show a form; `send(form)` does it and answers where to go then. It stays open, with the API's words, when refused. */
function ask({ title, text, parts = [], verb, danger = false, confirms = "", send }) {
  const dialog = $("dialog"),
    problem = h("div", { role: "alert" });
  const go = h("button", { class: danger ? "danger" : "main" }, verb);
  const form = h(
    "form",
    { novalidate: true },
    parts,
    confirms &&
      h(
        "label",
        {},
        h("span", {}, "Type ", h("b", {}, confirms), " to confirm"),
        h("input", { name: "confirm", autocomplete: "off", spellcheck: "false" }),
      ),
    problem,
    h("div", { class: "buttons" }, h("button", { type: "button", "data-do": "dismiss" }, "Cancel"), go),
  );
  const check = () => {
    go.disabled = Boolean(confirms) && form.elements.confirm.value.trim() !== confirms;
  };
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
      if (next && next !== location.hash) location.hash = next;
      else document.dispatchEvent(new Event("done"));
    } catch (error) {
      const refusal = error.error ?? { code: error.name, message: error.message };
      problem.replaceChildren(errorBox(refusal));
      const wrong = [...form.elements].find(({ dataset: { path } }) => path && (refusal.field ?? "").startsWith(path));
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
    let content = kind === "check" ? (input.checked ? value : undefined) : input.value.trim() || undefined;
    if (kind === "json" && content !== undefined) content = parsed(content, path);
    if (content === undefined) continue;
    const [first, second] = path.split(".");
    if (second) (body[first] ??= {})[second] = content;
    else body[first] = content;
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

/** The same key for the same content: sent twice, it starts a single deployment. */
function keyed() {
  let last = "",
    key = "";
  return (body) => {
    const text = JSON.stringify(body);
    if (text !== last) [last, key] = [text, crypto.randomUUID()];
    return key;
  };
}

const ofFleet = (fleet, id, verb) => `api/fleets/${encodeURIComponent(fleet)}/deployments/${encodeURIComponent(id)}/${verb}`;

export const DO = {
  dismiss: () => $("dialog").close(),
  start({ action, environment = "", plan: planned }) {
    const { verb, text, fields, named = false } = ACTIONS[action],
      keyFor = keyed(),
      values = plans.get(planned) ?? {};
    const fill =
      fields.includes("config") &&
      latest.get(environment) &&
      button("Start from what is live", "fill", { "data-environment": environment });
    ask({
      title: environment ? `${verb} ${environment}` : "New environment",
      text,
      verb,
      danger: named,
      confirms: named ? environment : "",
      parts: [
        !environment && field("environment"),
        fields.map((name) => [field(name, values[name]), name === "config" && fill && h("div", {}, fill)]),
      ],
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
  abort: ({ id, environment }) =>
    ask({
      title: "Abort this deployment?",
      text: `What it released goes back, and ${environment} is let go.`,
      verb: "Abort it",
      danger: true,
      send: () => call("POST", `api/deployments/${encodeURIComponent(id)}/abort`).then(() => ""),
    }),
  approve: ({ id, environment }) =>
    ask({
      title: "Let users have it?",
      text: `Traffic of ${environment} moves to the new version, step by step.`,
      verb: "Approve",
      send: () => call("POST", `api/deployments/${encodeURIComponent(id)}/approve`).then(() => ""),
    }),
  abortFleet: ({ id, fleet }) =>
    ask({
      title: "Abort this fleet deployment?",
      text: "What runs is aborted, and no further environment begins.",
      parts: [
        h(
          "label",
          { class: "check" },
          h("input", { type: "checkbox", name: "back" }),
          h("span", {}, "Take back the environments that were rolled, too"),
        ),
      ],
      verb: "Abort it",
      danger: true,
      send: (form) => call("POST", ofFleet(fleet, id, form.elements.back.checked ? "abort?roll_back=true" : "abort")).then(() => ""),
    }),
  approveFleet: ({ id, fleet }) =>
    ask({
      title: "Let the next wave begin?",
      text: `The next environments of ${fleet} get the release.`,
      verb: "Approve",
      send: () => call("POST", ofFleet(fleet, id, "approve")).then(() => ""),
    }),
  resume({ id, environment }) {
    const key = crypto.randomUUID();
    ask({
      title: "Continue where it failed?",
      text: `A new deployment of ${environment} starts; completed phases are skipped.`,
      verb: "Resume",
      send: () =>
        call("POST", `api/deployments/${encodeURIComponent(id)}/resume`, { key }).then(
          (next) => `#/deployments/${next.id}`,
        ),
    });
  },
};
