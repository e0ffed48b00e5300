// The page of a single deployment of a fleet: its waves live, and each environment with the deployment that rolls it.

import { get } from "./api.js";
import { $, badge, button, deploymentLink, environmentLink, errorBox, facts, grid, h, link, moment, place, seconds } from "./dom.js";
import { fleetLink } from "./fleets.js";
import { FINAL } from "./states.js";

const PERCENT = 100;

export const fleetDeploymentView = (name, id) => {
  const path = `fleets/${encodeURIComponent(name)}/deployments/${encodeURIComponent(id)}`;
  let said = "";
  return {
    page: "fleets",
    title: `${name}: ${id}`,
    load: (signal) => get(path, signal),
    most: () => 4000,
    ended: ({ status }) => FINAL.has(status),
    draw(deployment) {
      const running = deployment.waves.find((wave) => wave.status === "RUNNING");
      const status = `${deployment.status.replaceAll("_", " ")}${running ? `, wave ${running.number}` : ""}`;
      if (status !== said) $("said").textContent = said = status;
      document.title = `${deployment.status} ${name} · proxyctl`;
      return fleetPage(deployment, path);
    },
  };
};

function fleetPage(deployment, path) {
  const done = FINAL.has(deployment.status),
    good = deployment.status === "SUCCEEDED",
    waits = deployment.status === "WAITING_APPROVAL",
    id = { "data-id": deployment.id, "data-fleet": deployment.fleet };
  return [
    h("p", { class: "crumb" }, link("fleets", "Fleets"), " / ", fleetLink(deployment.fleet)),
    h(
      "div",
      { class: "head" },
      h("h1", {}, `${deployment.action} ${deployment.fleet}`),
      badge(deployment.status),
      h("code", {}, deployment.id),
      h(
        "div",
        { class: "buttons" },
        h("a", { class: "button", target: "_blank", rel: "noopener", href: `api/${path}/report` }, "Report"),
        !done && !waits && button("Abort", "abortFleet", id, "danger"),
      ),
    ),
    h(
      "progress",
      {
        class: `bar ${good ? "good" : done ? "bad" : ""}`,
        max: PERCENT,
        value: deployment.percent,
        "aria-label": `${deployment.percent} % of the environments have ended`,
      },
      `${deployment.percent} %`,
    ),
    waits && approval(deployment, id),
    deployment.error && errorBox(deployment.error),
    h("section", { class: "card", "aria-label": "Request" }, facts(request(deployment, done))),
    deployment.waves.map((wave) => waveSection(wave, deployment)),
  ];
}

const approval = (deployment, id) =>
  h(
    "div",
    { class: "banner ask", role: "alert" },
    h(
      "p",
      {},
      h("b", {}, `Shall wave ${deployment.wave + 1} begin?`),
      ` Wave ${deployment.wave} has passed, and the next one waits for you until `,
      moment(deployment.approval?.until),
      ".",
    ),
    h("div", { class: "buttons" }, button("Approve", "approveFleet", id, "main"), button("Abort", "abortFleet", id, "danger")),
  );

function request(deployment, done) {
  const passed = deployment.promotion;
  return [
    ["outcome", !deployment.error && deployment.summary],
    ["requested", [moment(deployment.created_at), " by ", deployment.caller || "unknown"]],
    ["why", deployment.reason],
    ["took", done && seconds(deployment.duration_s)],
    ["promoted from", passed && [environmentLink(passed.environment), ", ", deploymentLink(passed.deployment_id)]],
    ["gate", gate(deployment.gate)],
    ["on failure", deployment.on_failure.replaceAll("_", " ")],
    ["at once", String(deployment.at_once)],
  ];
}

function gate({ soak_s: soak, approval: asks, tolerated_failures: share }) {
  const parts = [
    share > 0 ? `at most ${Math.round(PERCENT * share)} % failed` : "none failed",
    soak > 0 && `${seconds(soak)} without an alarm`,
    asks === "required" && "an approval",
  ];
  return parts.filter(Boolean).join(", ");
}

function waveSection(wave, { waves, wave: at, status }) {
  const soaks = wave.status === "PASSED" && wave.number === at && at < waves.length && status === "RUNNING";
  return h(
    "section",
    { class: "wave", "data-key": wave.number, "aria-label": `Wave ${wave.number}` },
    h("h2", {}, `Wave ${wave.number} of ${waves.length} `, badge(wave.status)),
    h(
      "div",
      { class: "card" },
      wave.approved_by && h("p", { class: "quiet small" }, `The next wave was approved by ${wave.approved_by}, `, moment(wave.approved_at)),
      soaks && h("p", { class: "quiet small" }, "Passed; its alarms are watched before the next wave begins."),
      grid(["environment", "where", "status", "deployment", "took", "summary", "taken back"], wave.members.map(memberRow), [4]),
    ),
  );
}

const took = (member) =>
  member.started_at && member.ended_at ? seconds((Date.parse(member.ended_at) - Date.parse(member.started_at)) / 1000) : "";

const memberRow = (member) => [
  environmentLink(member.environment),
  place(member),
  badge(member.outcome && member.status === "FAILED" ? member.outcome : member.status),
  member.deployment ? deploymentLink(member.deployment) : "",
  took(member),
  member.summary,
  member.rolled_back && [
    badge(member.rolled_back),
    member.rollback && h("p", {}, deploymentLink(member.rollback)),
    member.rollback_summary && h("p", { class: "small" }, member.rollback_summary),
  ],
];
