// The fleets, and the deployments of a single one.

import { get } from "./api.js";
import { badge, grid, h, link, moment, seconds } from "./dom.js";
import { FINAL } from "./states.js";

const under = (name) => `fleets/${encodeURIComponent(name)}`;
export const fleetLink = (name) => link(under(name), name);
export const fleetDeploymentLink = (name, id) =>
  id ? h("a", { href: `#/${under(name)}/${encodeURIComponent(id)}`, class: "mono" }, id) : "–";

export const fleetsView = (query) => ({
  page: "fleets",
  title: "Fleets",
  load: (signal) => get(`fleets${query.size ? `?${query}` : ""}`, signal),
  draw({ fleets, cursor }) {
    const rows = fleets.map((fleet) => [
      fleetLink(fleet.name),
      fleet.running ? badge("RUNNING") : badge("", "free"),
      fleetDeploymentLink(fleet.name, fleet.last_deployment),
      moment(fleet.updated_at),
    ]);
    return [
      h("div", { class: "head" }, h("h1", {}, "Fleets")),
      rows.length
        ? h("div", { class: "card" }, grid(["fleet", "now", "last deployment", "changed"], rows))
        : h(
            "div",
            { class: "card" },
            h("p", {}, "There is none yet. Roll environments in waves, in a terminal: "),
            h("p", {}, h("code", {}, "python -m ctl fleet deploy shops --wave canary --wave eu,us --wave rest")),
          ),
      h(
        "p",
        { class: "row" },
        query.has("cursor") && link("fleets", "First"),
        cursor && link(`fleets?${new URLSearchParams({ cursor })}`, "More fleets"),
      ),
    ];
  },
});

const took = (row) => (row.ended_at ? (Date.parse(row.ended_at) - Date.parse(row.created_at)) / 1000 : null);

export const fleetView = (name, query) => ({
  page: "fleets",
  title: `Fleet ${name}`,
  load: (signal) => get(`${under(name)}/deployments${query.size ? `?${query}` : ""}`, signal),
  draw({ deployments, cursor }) {
    const rows = deployments.map((row) => [
      moment(row.created_at),
      fleetDeploymentLink(name, row.id),
      row.action,
      // A row of the list is written when it begins and when it ends.
      badge(FINAL.has(row.status) ? row.status : "RUNNING"),
      `${row.members} in ${row.waves} wave${row.waves > 1 ? "s" : ""}`,
      seconds(took(row)),
      row.summary,
    ]);
    const names = ["when", "deployment", "what", "status", "environments", "took", "summary"];
    return [
      h("p", { class: "crumb" }, link("fleets", "Fleets")),
      h("div", { class: "head" }, h("h1", {}, `Fleet ${name}`)),
      rows.length ? h("div", { class: "card" }, grid(names, rows, [5])) : h("p", { class: "quiet" }, "There are none."),
      h(
        "p",
        { class: "row" },
        query.has("cursor") && link(under(name), "Newest"),
        cursor && link(`${under(name)}?${new URLSearchParams({ cursor })}`, "Older"),
      ),
    ];
  },
});
