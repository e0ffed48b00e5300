// The incidents of an environment, and the page of one: why it opened, what was different, what was done about it.

import { get } from "./api.js";
import { badge, deploymentLink, environmentLink, facts, grid, h, link, moment } from "./dom.js";
import { driftTable, historyTable } from "./history.js";

const under = (name) => `environments/${encodeURIComponent(name)}/incidents`;
const state = (incident) => (incident.closed_at ? badge("SUCCEEDED", "closed") : badge("FAILED", "open"));
const crumb = (name) => h("p", { class: "crumb" }, link("", "Environments"), " / ", environmentLink(name));

export const incidentsView = (name, query) => ({
  page: "environments",
  title: `Incidents of ${name}`,
  load: (signal) => get(`${under(name)}${query.size ? `?${query}` : ""}`, signal),
  draw({ incidents, cursor }) {
    const rows = incidents.map((incident) => [
      link(`${under(name)}/${encodeURIComponent(incident.opened_by)}`, incident.opened_at.slice(0, 19).replace("T", " ")),
      state(incident),
      incident.closed_at ? moment(incident.closed_at) : "–",
      incident.why,
    ]);
    return [
      crumb(name),
      h("div", { class: "head" }, h("h1", {}, "Incidents")),
      rows.length
        ? h("div", { class: "card" }, grid(["opened", "state", "closed", "why"], rows))
        : h("p", { class: "quiet" }, "There were none."),
      h(
        "p",
        { class: "row" },
        query.has("cursor") && link(under(name), "Newest"),
        cursor && link(`${under(name)}?${new URLSearchParams({ cursor })}`, "Older"),
      ),
    ];
  },
});

export const incidentView = (name, id) => ({
  page: "environments",
  title: `Incident of ${name}`,
  load: (signal) => get(`${under(name)}/${encodeURIComponent(id)}`, signal),
  draw: (incident) => [
    h("p", { class: "crumb" }, environmentLink(name), " / ", link(under(name), "Incidents")),
    h("div", { class: "head" }, h("h1", {}, `Incident of ${name}`), state(incident)),
    h(
      "section",
      { class: "card", "aria-label": "Incident" },
      facts([
        ["opened", [moment(incident.opened_at), " by ", deploymentLink(incident.opened_by)]],
        ["why", incident.why],
        ["closed", incident.closed_at && [moment(incident.closed_at), " by ", deploymentLink(incident.closed_by)]],
        ["how", incident.how],
      ]),
      driftTable(incident.drift),
    ),
    h("h2", {}, "While it was open"),
    historyTable(incident.history),
  ],
});
