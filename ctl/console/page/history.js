// What happened to an environment: a table on its page, and a page of all of it.

import { get } from "./api.js";
import { badge, deploymentLink, environmentLink, grid, h, link, moment } from "./dom.js";
import { isObject } from "./evidence.js";

/** A row for each entry, or a sentence for none. */
export function historyTable(entries) {
  const rows = entries.map((entry) => [
    moment(entry.at),
    entry.action,
    badge(entry.outcome),
    deploymentLink(entry.deployment_id),
    [
      entry.summary,
      entry.why && h("p", { class: "quiet small" }, "Why: ", entry.why),
      h("p", { class: "quiet small" }, entry.who),
      changes(entry.diff),
      driftTable(entry.drift),
    ],
  ]);
  return rows.length
    ? h("div", { class: "card" }, grid(["when", "what", "outcome", "deployment", "summary"], rows))
    : h("p", { class: "quiet" }, "Nothing has ended yet.");
}

/** What a check found different from the record, side by side; nothing for none. */
export function driftTable(rows) {
  if (!rows?.length) return false;
  return grid(
    ["what", "on record", "found", "then"],
    rows.map((row) => [
      h("code", {}, row.where),
      h("span", { class: "was" }, row.expected),
      h("span", { class: "is" }, row.found),
      row.healed ? badge("SUCCEEDED", "put back") : row.remedy,
    ]),
  );
}

export const historyView = (name, query) => ({
  page: "environments",
  title: `History of ${name}`,
  load: (signal) => get(`environments/${encodeURIComponent(name)}/history${query.size ? `?${query}` : ""}`, signal),
  draw: ({ history, cursor }) => [
    h("p", { class: "crumb" }, link("", "Environments"), " / ", environmentLink(name)),
    h("div", { class: "head" }, h("h1", {}, "History")),
    historyTable(history),
    h(
      "p",
      { class: "row" },
      query.has("cursor") && link(`environments/${encodeURIComponent(name)}/history`, "Newest"),
      cursor && link(`environments/${encodeURIComponent(name)}/history?${new URLSearchParams({ cursor })}`, "Older"),
    ),
  ],
});

function changes(diff) {
  const entries = Object.entries(diff ?? {});
  const shown = (value) => (isObject(value) ? JSON.stringify(value) : String(value ?? "none"));
  return (
    entries.length > 0 &&
    h(
      "ul",
      { class: "tree small" },
      entries.map(([name, [before, after]]) =>
        h("li", {}, h("span", { class: "key" }, `${name}: `), `${shown(before)} → ${shown(after)}`),
      ),
    )
  );
}
