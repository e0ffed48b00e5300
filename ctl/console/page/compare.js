// Two deployments beside each other: who and why, settings, options, results, seconds.

import { get } from "./api.js";
import { differences, sideBySide } from "./diff.js";
import { badge, deploymentLink, environmentLink, facts, h, moment, seconds } from "./dom.js";

const RESULTS = {
  package_artifact: { code: ["digest"] },
  release_code: { version: ["version"], memory_mb: ["memory_mb"] },
  prepare_secret: { "secret version": ["version_id"] },
  load_test: {
    "requests a second": ["rps"],
    "p50 ms": ["response_ms", "p50"],
    "p90 ms": ["response_ms", "p90"],
    "p99 ms": ["response_ms", "p99"],
    errors: ["errors"],
    "USD per million requests": ["usd_per_million"],
  },
};

const rowsOf = (deployment) => [...(deployment.phases ?? []), ...(deployment.steps ?? [])];

/** Status and what the phases' evidence says of the release and its load test. */
export function results(deployment) {
  const evidence = Object.fromEntries(rowsOf(deployment).map((row) => [row.name, row.evidence ?? {}]));
  const measured = Object.entries(RESULTS).flatMap(([phase, wanted]) =>
    Object.entries(wanted).map(([name, path]) => [name, path.reduce((value, key) => value?.[key], evidence[phase])]),
  );
  return Object.fromEntries([["status", deployment.status], ...measured]);
}

const took = (deployment) =>
  Object.fromEntries(rowsOf(deployment).filter((row) => row.duration_s).map((row) => [row.name, Math.round(row.duration_s * 10) / 10]));

// Every run has another reason: it stands at the top.
const withoutReason = (options) => Object.fromEntries(Object.entries(options ?? {}).filter(([name]) => name !== "reason"));

function head(deployment) {
  return h(
    "section",
    { class: "card", "aria-label": deployment.id },
    h("div", { class: "row apart" }, deploymentLink(deployment.id), badge(deployment.status)),
    facts([
      ["what", [deployment.action, " ", environmentLink(deployment.environment)]],
      ["requested", [moment(deployment.created_at), " by ", deployment.caller || "unknown"]],
      ["why", deployment.options?.reason],
      ["took", deployment.duration_s !== undefined && seconds(deployment.duration_s)],
      ["outcome", deployment.summary],
    ]),
  );
}

export const compareView = (first, second) => ({
  page: "deployments",
  title: `${first} and ${second}`,
  load: async (signal) => {
    const both = await Promise.all([first, second].map((id) => get(`deployments/${encodeURIComponent(id)}`, signal)));
    // The older one first: what came after it is what changed.
    const [before, after] = both.sort((one, other) => (one.created_at ?? "").localeCompare(other.created_at ?? ""));
    return { before, after };
  },
  ended: () => true,
  draw({ before, after }) {
    const groups = [
      ["Settings", before.config, after.config],
      ["Results", results(before), results(after)],
      ["Options", withoutReason(before.options), withoutReason(after.options)],
      ["Seconds of each phase", took(before), took(after)],
    ];
    return [
      h("div", { class: "head" }, h("h1", {}, "Two deployments")),
      h("div", { class: "two" }, head(before), head(after)),
      groups.map(([title, old, now]) => [
        h("h2", {}, title),
        h("div", { class: "card" }, sideBySide(["first", "second"], differences(old, now), "The same in both.")),
      ]),
    ];
  },
});
