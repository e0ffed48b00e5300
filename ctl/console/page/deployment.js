// The page of a single deployment with its phases live.

import { get } from "./api.js";
import { ledger, usd } from "./costs.js";
import { rememberPlan } from "./dialogs.js";
import { differences, planTable, sideBySide } from "./diff.js";
import { $, badge, button, deploymentLink, elsewhere, environmentLink, errorBox, facts, h, link, moment, seconds } from "./dom.js";
import { slos, tree } from "./evidence.js";
import { extended, loadCurve, traffic } from "./live.js";
import { FINAL } from "./states.js";

// Phases and steps in which something moves that a reader follows.
const MOVING = new Set(["load_test", "shift_traffic", "bake", "deploy_stack", "roll_back"]);

/** Phases and steps in the order in which they ran; those that have not yet come last. */
const began = (row) => row.started_at ?? "9";
const rowsOf = (deployment) =>
  [...deployment.phases, ...(deployment.steps ?? [])].sort((a, b) => began(a).localeCompare(began(b)) || a.number - b.number);

export const deploymentView = (id) => {
  let said = "",
    lastWords = 8, // the step that ends a deployment is recorded a moment after the deployment's own end
    samples = [],
    lastLoad = null,
    around = null; // the environment as it was when the page was opened, and its newest deployments
  return {
    page: "deployments",
    title: id,
    async load(signal) {
      const deployment = await get(`deployments/${encodeURIComponent(id)}`, signal);
      around ??= await surroundings(deployment.environment, signal);
      return { deployment, around };
    },
    /** While something moves every second, a reader sees it within two. */
    most: ({ deployment }) => (rowsOf(deployment).some((row) => row.status === "RUNNING" && MOVING.has(row.name)) ? 800 : 4000),
    ended: ({ deployment }) => FINAL.has(deployment.status) && (!rowsOf(deployment).some((row) => row.status === "RUNNING") || --lastWords < 0),
    draw({ deployment }) {
      const rows = rowsOf(deployment),
        running = rows.find((row) => row.status === "RUNNING");
      const status = `${deployment.status.replaceAll("_", " ")}${running && !FINAL.has(deployment.status) ? `, ${running.name}` : ""}`;
      if (status !== said) $("said").textContent = said = status;
      document.title = `${deployment.status} ${deployment.environment} · proxyctl`;
      if (deployment.load) {
        samples = extended(samples, lastLoad, deployment.load);
        lastLoad = deployment.load;
      }
      return deploymentPage(deployment, rows, around, lastLoad ? loadCurve(samples, lastLoad) : false);
    },
  };
};

async function surroundings(name, signal) {
  const path = encodeURIComponent(name);
  const [environment, page] = await Promise.all([
    get(`environments/${path}`, signal).catch(() => null),
    get(`deployments?environment=${path}`, signal).catch(() => null),
  ]);
  return { environment, deployments: page?.deployments ?? [] };
}

/** The release that a deployment is compared with: the last good one before it. */
function releaseBefore(deployment, environment) {
  const releases = [environment?.last_good, environment?.previous, ...(environment?.releases ?? [])];
  return releases.find((release) => release && release.deployment_id !== deployment.id && (release.at ?? "") < (deployment.created_at ?? ""));
}

function deploymentPage(deployment, rows, { environment, deployments }, curve) {
  const done = FINAL.has(deployment.status),
    good = deployment.status === "SUCCEEDED",
    id = { "data-id": deployment.id, "data-environment": deployment.environment };
  const before = releaseBefore(deployment, environment);
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
        ["report", "handoff"].filter((name) => deployment.links?.[name]).map(document_),
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
        ["cost", done && deployment.cost && (deployment.cost.usd === undefined ? deployment.cost.recorded : `${usd(deployment.cost.usd)} at list price`)],
        ["resumes", deployment.resumes && deploymentLink(deployment.resumes)],
        ["approved", deployment.approval?.by && [deployment.approval.by, " ", moment(deployment.approval.at)]],
        ...Object.entries(deployment.links ?? {})
          .filter(([name]) => !["self", "report", "handoff"].includes(name))
          .map(([name, url]) => [name, elsewhere(url)]),
      ]),
    ),
    plan && [
      h("h2", {}, "Plan"),
      h(
        "div",
        { class: "two" },
        h("div", { class: "card" }, planTable(plan.evidence.plan)),
        h(
          "div",
          { class: "card", id: "settings" },
          sideBySide(["before", "after"], (plan.evidence.settings ?? []).map((change) => ({ ...change, path: change.field })), "No setting would change."),
        ),
      ),
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
    curve,
    traffic(rows),
    judged && [h("h2", {}, "Service levels"), h("div", { class: "card" }, slos(judged))],
    h("h2", {}, "Phases"),
    h(
      "ol",
      { class: "phases card flush" },
      rows.map((row) => phaseRow(row, done && (good ? "NOT NEEDED" : "NOT REACHED"))),
    ),
    !plan &&
      before &&
      deployment.action === "deploy" && [
        h("h2", {}, "Configuration"),
        h(
          "div",
          { class: "card", id: "settings" },
          sideBySide(
            [`version ${before.version}`, "this deployment"],
            differences(before.config, deployment.config),
            `No setting differs from those of version ${before.version}.`,
          ),
        ),
      ],
    comparison(deployment, deployments),
    ledger(deployment.cost),
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

/** A form that leads to this deployment beside another one of its environment. */
function comparison(deployment, deployments) {
  const others = deployments.filter(({ id }) => id !== deployment.id);
  if (!others.length) return false;
  return h(
    "form",
    { class: "filter", "data-form": "compare", "data-id": deployment.id },
    h(
      "label",
      {},
      h("span", {}, "Compare with"),
      h(
        "select",
        { name: "other" },
        others.map((other) =>
          h("option", { value: other.id }, `${other.action} ${other.status.replaceAll("_", " ").toLowerCase()}, ${(other.created_at ?? "").slice(0, 16).replace("T", " ")}`),
        ),
      ),
    ),
    h("button", {}, "Compare"),
  );
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
