// The page of all deployments.

import { get } from "./api.js";
import { badge, deploymentLink, environmentLink, grid, h, link, moment, seconds } from "./dom.js";
import { STATES } from "./states.js";

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
