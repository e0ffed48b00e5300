// The pages of all deployments, and of a single deployment with its phases live.

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
    const rows = deployments.map((deployment) => [
      moment(deployment.created_at),
      deploymentLink(deployment.id),
      environmentLink(deployment.environment),
      deployment.action,
      badge(deployment.status),
      seconds(deployment.duration_s),
      [deployment.summary, deployment.options?.reason && h("p", { class: "quiet small" }, "Why: ", deployment.options.reason)],
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
            STATES.map((name) => h("option", { value: name, selected: name === state }, name.replaceAll("_", " "))),
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
  const rest = new URLSearchParams(query);
  rest.delete("cursor");
  return rest.size ? `?${rest}` : "";
}

/** Phases and steps in the order in which they ran; those that have not yet come last. */
const began = (row) => row.started_at ?? "9";
const rowsOf = (deployment) =>
  [...deployment.phases, ...(deployment.steps ?? [])].sort((a, b) => began(a).localeCompare(began(b)) || a.number - b.number);

export const deploymentView = (id) => {
  let said = "",
    lastWords = 8; // the step that ends a deployment is recorded a moment after the deployment's own end
  return {
    page: "deployments",
    title: id,
    load: (signal) => get(`deployments/${encodeURIComponent(id)}`, signal),
    ended: (deployment) => FINAL.has(deployment.status) && (!rowsOf(deployment).some((row) => row.status === "RUNNING") || --lastWords < 0),
    draw(deployment) {
      const rows = rowsOf(deployment),
        running = rows.find((row) => row.status === "RUNNING");
      const status = `${deployment.status.replaceAll("_", " ")}${running && !FINAL.has(deployment.status) ? `, ${running.name}` : ""}`;
      if (status !== said) $("said").textContent = said = status;
      document.title = `${deployment.status} ${deployment.environment} · proxyctl`;
      return deploymentPage(deployment, rows);
    },
  };
};

function deploymentPage(deployment, rows) {
  const done = FINAL.has(deployment.status),
    good = deployment.status === "SUCCEEDED",
    id = { "data-id": deployment.id, "data-environment": deployment.environment };
  const written = rows.some((row) => row.name === "write_handoff" && ["SUCCEEDED", "SKIPPED"].includes(row.status));
  const inPhase = rows.some((row) => row.error && row.error.message === deployment.error?.message);
  const plan = rows.find((row) => row.name === "make_plan" && row.evidence?.text);
  const judged = rows.find((row) => row.name === "load_test")?.evidence?.slos;
  const document_ = (name) =>
    h(
      "a",
      {
        class: "button",
        target: "_blank",
        rel: "noopener",
        href: `api/deployments/${encodeURIComponent(deployment.id)}/${name}`,
      },
      name === "report" ? "Report" : "Handoff",
    );
  if (plan) rememberPlan(deployment.id, { config: deployment.config, plan: plan.evidence.digest });
  return [
    h(
      "p",
      { class: "crumb" },
      environmentLink(deployment.environment),
      " / ",
      link(`deployments?environment=${encodeURIComponent(deployment.environment)}`, "Deployments"),
    ),
    h(
      "div",
      { class: "head" },
      h("h1", {}, `${deployment.action} ${deployment.environment}`),
      badge(deployment.status),
      h("code", {}, deployment.id),
      h(
        "div",
        { class: "buttons" },
        written && [document_("report"), document_("handoff")],
        !done && deployment.status !== "WAITING_APPROVAL" && button("Abort", "abort", id, "danger"),
        done && !good && button("Resume", "resume", id, "main"),
      ),
    ),
    h(
      "progress",
      {
        class: `bar ${good ? "good" : done ? "bad" : ""}`,
        max: 100,
        value: deployment.percent,
        "aria-label": `${deployment.percent} % of the phases are done`,
      },
      `${deployment.percent} %`,
    ),
    deployment.status === "WAITING_APPROVAL" &&
      h(
        "div",
        { class: "banner ask", role: "alert" },
        h(
          "p",
          {},
          h("b", {}, "Shall users get the new version?"),
          " It has passed its checks and waits for you until ",
          moment(deployment.approval?.until),
          ".",
        ),
        h(
          "div",
          { class: "buttons" },
          button("Approve", "approve", id, "main"),
          button("Abort", "abort", id, "danger"),
        ),
      ),
    deployment.abort_requested &&
      !done &&
      h("div", { class: "banner busy" }, "Abort requested: the release is being rolled back."),
    deployment.error && !inPhase && errorBox(deployment.error),
    h(
      "section",
      { class: "card", "aria-label": "Request" },
      facts([
        ["outcome", deployment.summary],
        ["requested", [moment(deployment.created_at), " by ", deployment.caller || "unknown"]],
        ["why", deployment.options?.reason],
        ["took", deployment.duration_s !== undefined && seconds(deployment.duration_s)],
        ["resumes", deployment.resumes && deploymentLink(deployment.resumes)],
        ["approved", deployment.approval?.by && [deployment.approval.by, " ", moment(deployment.approval.at)]],
        ...Object.entries(deployment.links ?? {})
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
          "data-environment": deployment.environment,
          "data-plan": deployment.id,
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
        h("div", { class: "card" }, tree(deployment.config)),
        h("div", { class: "card" }, tree(deployment.options)),
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
