// The console: plain DOM, no library. A view loads, draws and polls; drawing patches the page in place, so that what is
// open, focused or half typed stays so.

import { Refused, call } from "./api.js";
import { compareView } from "./compare.js";
import { deploymentView } from "./deployment.js";
import { deploymentsView } from "./deployments.js";
import { DO } from "./dialogs.js";
import { $, errorBox, h, link, patch } from "./dom.js";
import { environmentView, environmentsView } from "./environments.js";
import { fleetDeploymentView } from "./fleet.js";
import { fleetView, fleetsView } from "./fleets.js";
import { historyView } from "./history.js";
import { costsView } from "./costs.js";
import { incidentView, incidentsView } from "./incidents.js";

const FIRST_MS = 1000;
const MOST_MS = 20000;

function draw(...children) {
  const fresh = h("main", { id: "main", tabindex: "-1" }, ...children);
  patch($("main"), fresh);
}

function trouble(error) {
  const place = $("trouble");
  place.hidden = !error;
  place.replaceChildren(...(error ? [errorBox(error.error ?? { code: error.name, message: error.message })] : []));
}

let leave = new AbortController();
let wake = () => {};

/** Until `ms` have passed and the page is looked at, something was done on it, or it is left. */
const rest = (ms, signal) =>
  new Promise((resolve) => {
    const rested = new AbortController();
    let over = false;
    wake = () => {
      rested.abort();
      resolve();
    };
    const look = () => over && !document.hidden && wake();
    setTimeout(() => {
      over = true;
      look();
    }, ms);
    document.addEventListener("visibilitychange", look, { signal: rested.signal });
    signal.addEventListener("abort", wake, { signal: rested.signal });
  });

async function show(view, signal) {
  let pause = FIRST_MS,
    last = "";
  while (!signal.aborted) {
    try {
      const data = await view.load(signal);
      if (signal.aborted) return;
      trouble(null);
      const state = JSON.stringify(data);
      const most = view.most?.(data) ?? MOST_MS;
      pause = Math.min(state === last ? pause * 1.5 : FIRST_MS, most);
      if (state !== last) draw(...view.draw(data));
      last = state;
      if (view.ended?.(data)) return;
    } catch (error) {
      if (signal.aborted) return;
      trouble(error);
      if (!last) draw(h("p", {}, link("", "Environments")));
      if ([400, 403, 404].includes(error.status) || !(error instanceof Refused)) return;
      pause = Math.min(pause * 2, MOST_MS);
    }
    await rest(pause, signal);
  }
}

function viewOf(hash) {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split("?");
  const [page, name, other, id] = path.split("/").map(decodeURIComponent);
  if (page === "environments" && other === "history") return historyView(name, new URLSearchParams(query));
  if (page === "environments" && other === "costs") return costsView(name);
  if (page === "environments" && other === "incidents" && id) return incidentView(name, id);
  if (page === "environments" && other === "incidents") return incidentsView(name, new URLSearchParams(query));
  if (page === "environments" && name) return environmentView(name);
  if (page === "compare" && name && other) return compareView(name, other);
  if (page === "deployments" && name) return deploymentView(name);
  if (page === "fleets" && name && other) return fleetDeploymentView(name, other);
  if (page === "fleets" && name) return fleetView(name, new URLSearchParams(query));
  if (page === "fleets") return fleetsView(new URLSearchParams(query));
  if (page === "deployments") return deploymentsView(new URLSearchParams(query));
  return environmentsView(new URLSearchParams(query));
}

function open() {
  leave.abort();
  leave = new AbortController();
  const view = viewOf(location.hash);
  document.title = `${view.title} · proxyctl`;
  for (const tab of document.querySelectorAll("[data-page]")) {
    if (tab.dataset.page === view.page) tab.setAttribute("aria-current", "page");
    else tab.removeAttribute("aria-current");
  }
  trouble(null);
  $("dialog").close();
  $("main").replaceChildren(h("p", { class: "quiet" }, "Loading …"));
  window.scrollTo(0, 0);
  show(view, leave.signal);
}

document.addEventListener("click", (event) => {
  const source = event.target.closest("[data-do]");
  if (source) DO[source.dataset.do](source.dataset);
});
document.addEventListener("submit", (event) => {
  const { form, id } = event.target.dataset;
  if (!["filter", "compare"].includes(form)) return;
  event.preventDefault();
  if (form === "compare") {
    const other = new FormData(event.target).get("other");
    location.hash = `#/compare/${encodeURIComponent(other)}/${encodeURIComponent(id)}`;
    return;
  }
  const query = new URLSearchParams(
    [...new FormData(event.target)].map(([name, value]) => [name, value.trim()]).filter(([, value]) => value),
  );
  location.hash = `#/deployments${query.size ? `?${query}` : ""}`;
});
document.addEventListener("done", () => wake());
window.addEventListener("hashchange", () => {
  open();
  $("main").focus();
});
call("GET", "about").then(({ api, region }) => {
  $("about").textContent = `${api} · ${region}`;
}, trouble);
open();
