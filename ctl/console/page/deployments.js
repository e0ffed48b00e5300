// The pages of all deployments and of one, with its phases live.

import { get } from "./api.js";
import { rememberPlan } from "./dialogs.js";
import {
  $,
  badge,
  button,
  deploymentLink,
  elsewhere,
  environmentLink,
  errorBox,
  facts,
  grid,
  h,
  link,
  moment,
  seconds,
} from "./dom.js";
import { slos, tree } from "./evidence.js";

const FINAL = new Set(["SUCCEEDED", "FAILED", "ROLLED_BACK", "ABORTED"]);
const STATES = ["PENDING", "RUNNING", "WAITING_APPROVAL", ...FINAL];

export const deploymentsView = (query) => ({
  page: "deployments",
  title: "Deployments",
  load: (signal) => get(`deployments${query.size ? `?${query}` : ""}`, signal),
  draw({ deployments, cursor }) {
    const rows = deployments.map((one) => [
      moment(one.created_at),
      deploymentLink(one.id),
      environmentLink(one.environment),
      one.action,
      badge(one.status),
      seconds(one.duration_s),
      [one.summary, one.options?.reason && h("p", { class: "quiet small" }, "Why: ", one.options.reason)],
    ]);
    const older = new URLSearchParams(query);
    if (cursor) older.set("cursor", cursor);
    const state = query.get("status") ?? "";
    return [
      h("div", { class: "head" }, h("h1", {}, "Deployments")),
      h(
        "form",
        { class: "filter", "data-form": "filter" },
        h(
          "label",
          {},
          h("span", {}, "Environment"),
          h("input", {
            name: "environment",
            value: query.get("environment") ?? "",
            autocomplete: "off",
            spellcheck: "false",
          }),
        ),
        h(
          "label",
          {},
          h("span", {}, "Status"),
          h(
            "select",
            { name: "status" },
            h("option", { value: "" }, "any"),
            STATES.map((one) => h("option", { value: one, selected: one === state }, one.replaceAll("_", " "))),
          ),
        ),
        h("button", {}, "Filter"),
        query.size > 0 && link("deployments", "All"),
      ),
      rows.length
        ? h(
            "div",
            { class: "card" },
            grid(["when", "deployment", "environment", "what", "status", "took", "summary"], rows, [5]),
          )
        : h("p", { class: "quiet" }, "There are none."),
      h(
        "p",
        { class: "row" },
        query.has("cursor") && link(`deployments${newest(query)}`, "Newest"),
        cursor && link(`deployments?${older}`, "Older"),
      ),
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
const rowsOf = (one) =>
  [...one.phases, ...(one.steps ?? [])].sort((a, b) => began(a).localeCompare(began(b)) || a.number - b.number);

export const deploymentView = (id) => {
  let said = "",
    lastWords = 8; // the step that ends a deployment is recorded a moment after the deployment's own end
  return {
    page: "deployments",
    title: id,
    load: (signal) => get(`deployments/${encodeURIComponent(id)}`, signal),
    ended: (one) => FINAL.has(one.status) && (!rowsOf(one).some((row) => row.status === "RUNNING") || --lastWords < 0),
    draw(one) {
      const rows = rowsOf(one),
        running = rows.find((row) => row.status === "RUNNING");
      const told = `${one.status.replaceAll("_", " ")}${running && !FINAL.has(one.status) ? `, ${running.name}` : ""}`;
      if (told !== said) $("said").textContent = said = told;
      document.title = `${one.status} ${one.environment} · proxyctl`;
      return deploymentPage(one, rows);
    },
  };
};

function deploymentPage(one, rows) {
  const done = FINAL.has(one.status),
    good = one.status === "SUCCEEDED",
    id = { "data-id": one.id, "data-environment": one.environment };
  const written = rows.some((row) => row.name === "write_handoff" && ["SUCCEEDED", "SKIPPED"].includes(row.status));
  const inPhase = rows.some((row) => row.error && row.error.message === one.error?.message);
  const plan = rows.find((row) => row.name === "make_plan" && row.evidence?.text);
  const judged = rows.find((row) => row.name === "load_test")?.evidence?.slos;
  const document_ = (name) =>
    h(
      "a",
      {
        class: "button",
        target: "_blank",
        rel: "noopener",
        href: `api/deployments/${encodeURIComponent(one.id)}/${name}`,
      },
      name === "report" ? "Report" : "Handoff",
    );
  if (plan) rememberPlan(one.id, { config: one.config, plan: plan.evidence.digest });
  return [
    h(
      "p",
      { class: "crumb" },
      environmentLink(one.environment),
      " / ",
      link(`deployments?environment=${encodeURIComponent(one.environment)}`, "Deployments"),
    ),
    h(
      "div",
      { class: "head" },
      h("h1", {}, `${one.action} ${one.environment}`),
      badge(one.status),
      h("code", {}, one.id),
      h(
        "div",
        { class: "buttons" },
        written && [document_("report"), document_("handoff")],
        !done && one.status !== "WAITING_APPROVAL" && button("Abort", "abort", id, "danger"),
        done && !good && button("Resume", "resume", id, "main"),
      ),
    ),
    h(
      "progress",
      {
        class: `bar ${good ? "good" : done ? "bad" : ""}`,
        max: 100,
        value: one.percent,
        "aria-label": `${one.percent} % of the phases are done`,
      },
      `${one.percent} %`,
    ),
    one.status === "WAITING_APPROVAL" &&
      h(
        "div",
        { class: "banner ask", role: "alert" },
        h(
          "p",
          {},
          h("b", {}, "Shall users get the new version?"),
          " It has passed its checks and waits for you until ",
          moment(one.approval?.until),
          ".",
        ),
        h(
          "div",
          { class: "buttons" },
          button("Approve", "approve", id, "main"),
          button("Abort", "abort", id, "danger"),
        ),
      ),
    one.abort_requested &&
      !done &&
      h("div", { class: "banner busy" }, "Somebody asked it to stop; what was released goes back."),
    one.error && !inPhase && errorBox(one.error),
    h(
      "section",
      { class: "card", "aria-label": "What was asked" },
      facts([
        ["outcome", one.summary],
        ["asked", [moment(one.created_at), " by ", one.caller || "unknown"]],
        ["why", one.options?.reason],
        ["took", one.duration_s !== undefined && seconds(one.duration_s)],
        ["goes on with", one.resumes && deploymentLink(one.resumes)],
        ["approved", one.approval?.by && [one.approval.by, " ", moment(one.approval.at)]],
        ...Object.entries(one.links ?? {})
          .filter(([name]) => name !== "self")
          .map(([name, url]) => [name, elsewhere(url)]),
      ]),
    ),
    plan && [
      h("h2", {}, "Plan"),
      h("pre", {}, plan.evidence.text),
      h(
        "p",
        { class: "row small" },
        button("Deploy exactly this", "start", {
          "data-action": "deploy",
          "data-environment": one.environment,
          "data-plan": one.id,
        }),
        h("span", { class: "quiet" }, "expected_plan ", h("code", {}, plan.evidence.digest)),
      ),
    ],
    judged && [h("h2", {}, "Service levels"), h("div", { class: "card" }, slos(judged))],
    h("h2", {}, "Phases"),
    h(
      "ol",
      { class: "phases card flush" },
      rows.map((row) => phaseRow(row, done && (good ? "NOT NEEDED" : "NOT REACHED"))),
    ),
    h(
      "details",
      {},
      h("summary", {}, "Configuration and options"),
      h(
        "div",
        { class: "two" },
        h("div", { class: "card" }, tree(one.config)),
        h("div", { class: "card" }, tree(one.options)),
      ),
    ),
  ];
}

function phaseRow(row, never) {
  const evidence = row.evidence && Object.keys(row.evidence).length > 0;
  return h(
    "li",
    { class: row.status, "data-key": row.name },
    h("span", { class: "ordinal" }, row.number || "·"),
    h("span", { class: row.number ? "name" : "name step" }, row.name),
    h("span", { class: "state" }, badge(row.status, (row.status === "PENDING" && never) || row.status)),
    h(
      "span",
      { class: "took", title: row.started_at ?? "" },
      row.duration_s === null || row.duration_s === undefined ? "" : seconds(row.duration_s),
    ),
    h(
      "div",
      { class: "words" },
      row.error
        ? h("p", { class: "error" }, `${row.error.code ?? "Error"}: ${row.error.message ?? ""}`)
        : row.summary && h("p", {}, row.summary),
      row.error?.field && h("p", { class: "small" }, "Field: ", h("code", {}, row.error.field)),
      row.error?.remedy && h("p", {}, h("b", {}, "Remedy: "), row.error.remedy),
      evidence && h("details", { class: "small" }, h("summary", {}, "Evidence"), tree(row.evidence)),
    ),
  );
}
