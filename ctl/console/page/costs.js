// What a rollout cost, and the page of what an environment costs.

import { get } from "./api.js";
import { deploymentLink, environmentLink, grid, h, link } from "./dom.js";

export const usd = (value, digits = 4) => (value === null || value === undefined ? "not recorded" : `$${value.toFixed(digits)}`);

/** The lines of a bill that cost something, the dearest first. */
export function costLines(lines) {
  const rows = [...lines]
    .filter((line) => line.usd > 0)
    .sort((a, b) => b.usd - a.usd)
    .map((line) => [line.what, `${Number(line.amount.toPrecision(6)).toLocaleString("en")} ${line.unit}`, usd(line.usd, 5), line.basis]);
  return rows.length > 0 && grid(["what", "units", "USD", "how it is known"], rows, [2]);
}

/** The ledger of a deployment, closed until someone opens it. */
export function ledger(cost) {
  if (!cost?.lines?.length) return false;
  const partly = cost.recorded === "recorded" ? "" : `, ${cost.recorded}`;
  return h(
    "details",
    {},
    h("summary", {}, `Cost: ${usd(cost.usd)}${partly}`),
    h(
      "div",
      { class: "card" },
      h("p", { class: "quiet small" }, [`At the list prices of ${cost.region} of ${cost.prices_of}, without tokens.`, ...(cost.remarks ?? [])].join(" ")),
      costLines(cost.lines),
    ),
  );
}

export const costsView = (name) => ({
  page: "environments",
  title: `Costs of ${name}`,
  load: (signal) => get(`environments/${encodeURIComponent(name)}/costs`, signal),
  ended: () => true,
  draw: (costs) => [
    h("p", { class: "crumb" }, link("", "Environments"), " / ", environmentLink(name)),
    h("div", { class: "head" }, h("h1", {}, `Costs of ${name}`)),
    h("p", { class: "quiet" }, [`List prices of ${costs.region} of ${costs.prices_of}, without tokens.`, ...costs.remarks].join(" ")),
    section(`At rest: ${usd(costs.at_rest.usd, 2)} a month`, nights(costs.at_rest.nights), costLines(costs.at_rest.lines)),
    requests(costs.requests),
    rollouts(costs.rollouts, costs.last_rollout),
    section(`The control plane at rest: ${usd(costs.control_plane.usd, 2)} a month`, "For all environments together.", costLines(costs.control_plane.lines)),
  ],
});

const section = (title, words, ...content) => [h("h2", {}, title), h("div", { class: "card" }, words && h("p", { class: "quiet small" }, words), content)];

const nights = (id) => (id ? ["Nights as ", deploymentLink(id), " measured."] : "Typical nights, since none is on record.");

function requests({ serverless, fargate, equal_at, request_ms, basis }) {
  return [
    section(`A million requests: ${usd(serverless.per_million_usd, 2)}`, `${Math.round(request_ms)} ms each, ${basis}.`, costLines(serverless.per_million)),
    section(
      `The same proxy on Fargate: ${usd(fargate.monthly_usd, 2)} a month, ${usd(fargate.per_million_usd, 2)} a million`,
      equal_at ? `With a load balancer; cheaper from ${equal_at.toLocaleString("en")} requests a month.` : "With a load balancer.",
      costLines([...fargate.monthly, ...fargate.per_million]),
    ),
  ];
}

function rollouts({ days, count, usd: sum, by_action, unrecorded }, last) {
  const rows = Object.entries(by_action).map(([action, part]) => [action, usd(part)]);
  return section(
    `Deployments of ${days} days: ${count ? usd(sum) : "none"}`,
    [
      last && ["The last one, ", deploymentLink(last.deployment_id), `: ${last.usd === null ? last.recorded : usd(last.usd)}. `],
      unrecorded > 0 && `${unrecorded} of ${count} not recorded: by an earlier version of the control plane.`,
    ],
    rows.length > 0 && grid(["action", "USD"], rows, [1]),
  );
}
