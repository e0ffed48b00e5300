// The pages of all environments, and of a single environment.

import { get } from "./api.js";
import { remember } from "./dialogs.js";
import {
  badge,
  button,
  deploymentLink,
  elsewhere,
  environmentLink,
  facts,
  grid,
  h,
  link,
  moment,
  place,
  seconds,
  share,
} from "./dom.js";
import { doraTiles } from "./dora.js";
import { tree } from "./evidence.js";
import { historyTable } from "./history.js";
import { nightsSection } from "./nights.js";

const DETAILED = 24; // environments whose figures the page of all environments loads

const figures = (dora) =>
  h(
    "dl",
    { class: "figures" },
    [
      ["deployments a day", dora ? dora.deployments_per_day : "…"],
      ["lead time", dora ? seconds(dora.lead_time_s) : "…"],
      ["change failure rate", dora ? share(dora.change_failure_rate) : "…"],
      ["time to restore", dora ? seconds(dora.time_to_restore_s) : "…"],
    ].map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, String(value)))),
  );

const release = (environment) =>
  environment
    ? ["version ", h("b", {}, environment.version), " since ", moment(environment.at), " by ", deploymentLink(environment.deployment_id)]
    : "none";

function warnings(environment) {
  return [
    environment.incident &&
      h(
        "div",
        { class: "banner bad" },
        h("b", {}, "Incident"),
        " since ",
        moment(environment.incident.opened_at),
        ": ",
        environment.incident.why,
        " (",
        environment.incident.opened_by
          ? link(
              `environments/${encodeURIComponent(environment.name)}/incidents/${encodeURIComponent(environment.incident.opened_by)}`,
              "its page",
            )
          : "no deployment on record",
        ")",
      ),
    environment.lock && h("div", { class: "banner busy" }, "Locked by ", deploymentLink(environment.lock.deployment_id)),
    environment.expires_at && h("div", { class: "banner busy" }, "Is cleaned up at ", moment(environment.expires_at)),
  ];
}

const figuresByName = new Map(); // environment -> its figures, as of its last change

export const environmentsView = (query) => ({
  page: "environments",
  title: "Environments",
  async load(signal) {
    // A control plane that is older than the console knows no nights.
    const none = () => ({ nights: [] });
    const [{ environments, cursor }, { nights }] = await Promise.all([
      get(`environments${query.size ? `?${query}` : ""}`, signal),
      query.size ? none() : get("nights", signal).catch(none),
    ]);
    await Promise.all(
      environments.slice(0, DETAILED).map(async ({ name, updated_at: at }) => {
        if (figuresByName.get(name)?.at === at) return;
        const dora = await get(`environments/${encodeURIComponent(name)}`, signal).then(
          (environment) => environment.dora,
          () => null,
        );
        figuresByName.set(name, { at, dora });
      }),
    );
    return { cursor, nights, environments: environments.map((environment) => ({ ...environment, dora: figuresByName.get(environment.name)?.dora })) };
  },
  draw: ({ environments, nights, cursor }) => [
    h(
      "div",
      { class: "head" },
      h("h1", {}, "Environments"),
      h("div", { class: "buttons" }, button("New environment", "start", { "data-action": "deploy" }, "main")),
    ),
    environments.length
      ? h("div", { class: "cards" }, environments.map(environmentCard))
      : h(
          "div",
          { class: "card" },
          h(
            "p",
            {},
            "There is none yet. Store its secret first, in a terminal: ",
            h("code", {}, "python -m ctl secret set NAME"),
            "; then make it here.",
          ),
        ),
    h(
      "p",
      { class: "row" },
      query.has("cursor") && link("", "First"),
      cursor && link(`environments?${new URLSearchParams({ cursor })}`, "More environments"),
    ),
    nights.length > 0 && nightsSection(nights),
  ],
});

function environmentCard(environment) {
  const { name } = environment;
  return h(
    "section",
    { class: "card", "data-key": name, "aria-label": name },
    h("div", { class: "row apart" }, h("h2", {}, environmentLink(name)), badge(environment.status)),
    warnings(environment),
    facts([
      ["where", place(environment)],
      ["live", release(environment.live)],
      [
        "revalidated",
        environment.last_revalidation && [badge(environment.last_revalidation.verdict), " ", moment(environment.last_revalidation.at)],
      ],
    ]),
    environment.dora && figures(environment.dora),
    h(
      "div",
      { class: "buttons push" },
      button("Deploy", "start", { "data-action": "deploy", "data-environment": name }),
      button("Plan", "start", { "data-action": "plan", "data-environment": name }),
      h("a", { class: "button", href: `#/deployments?environment=${encodeURIComponent(name)}` }, "Deployments"),
    ),
  );
}

export const environmentView = (name) => ({
  page: "environments",
  title: name,
  async load(signal) {
    const path = `environments/${encodeURIComponent(name)}`;
    // Without a secret, and with a control plane that is older than the console, there are no versions to show.
    const none = () => ({ versions: [] });
    const [environment, { versions }] = await Promise.all([get(path, signal), get(`${path}/secret/history`, signal).catch(none)]);
    return { environment, versions: versions ?? [] };
  },
  draw({ environment, versions }) {
    const start = (label, action, kind) =>
      button(label, "start", { "data-action": action, "data-environment": name }, kind);
    const checked = environment.last_revalidation;
    remember(name, environment.live?.config);
    return [
      h("p", { class: "crumb" }, link("", "Environments")),
      h(
        "div",
        { class: "head" },
        h("h1", {}, name),
        badge(environment.status),
        h(
          "div",
          { class: "buttons" },
          start("Deploy", "deploy", "main"),
          start("Plan", "plan"),
          start("Revalidate", "revalidate"),
          start("Roll back", "rollback"),
          start("Drill", "drill"),
          start("Clean up", "cleanup", "danger"),
        ),
      ),
      warnings(environment),
      h(
        "div",
        { class: "two" },
        h(
          "section",
          { class: "card", "aria-label": "Releases" },
          facts([
            ["where", place(environment)],
            ["live", release(environment.live)],
            ["last good", release(environment.last_good)],
            ["previous", release(environment.previous)],
            [
              "revalidated",
              checked
                ? [
                    badge(checked.verdict),
                    " ",
                    moment(checked.at),
                    " ",
                    deploymentLink(checked.deployment_id),
                    checked.why && h("p", {}, checked.why),
                  ]
                : "never",
            ],
            ...Object.entries(environment.links ?? {}).map(([what, url]) => [what, elsewhere(url)]),
          ]),
        ),
        h(
          "section",
          { class: "card", "aria-label": "DORA figures" },
          h(
            "p",
            { class: "quiet small" },
            `${environment.dora.days} days: ${environment.dora.changes} changes, ${environment.dora.failed} failed`,
          ),
          doraTiles(environment.dora, environment.history ?? []),
        ),
      ),
      versions.length > 0 && secretVersions(versions),
      environment.live &&
        h(
          "details",
          {},
          h("summary", {}, "Configuration that is live"),
          h("div", { class: "card" }, tree(environment.live.config)),
        ),
      h("h2", {}, "History"),
      historyTable(environment.history ?? []),
      h(
        "p",
        { class: "row small" },
        link(`environments/${encodeURIComponent(name)}/history`, "All its history"),
        link(`environments/${encodeURIComponent(name)}/incidents`, "Its incidents"),
        link(`environments/${encodeURIComponent(name)}/costs`, "What it costs"),
        link(`deployments?environment=${encodeURIComponent(name)}`, "All its deployments"),
      ),
    ];
  },
});

/** Which versions of the secret there are, and which releases ran with each. Never a value. */
function secretVersions(versions) {
  const rows = versions.map((version) => [
    [h("code", { title: version.version_id }, version.version_id.slice(0, 8)), " ", version.current && badge("LIVE", "current"), version.pending && badge("RUNNING", "pending")],
    moment(version.stored_at),
    version.deployments.length ? version.deployments.map((id) => h("div", {}, deploymentLink(id))) : "none",
  ]);
  return [h("h2", {}, "Secret versions"), h("div", { class: "card", id: "secret" }, grid(["version", "stored", "releases with it"], rows))];
}
