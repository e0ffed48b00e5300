// The four DORA metrics with small charts from the history of an environment.

import { bars, lines, tile } from "./charts.js";
import { h, seconds, share } from "./dom.js";

const DAY_MS = 86_400_000;
const CHANGES = new Set(["deploy", "rollback"]);

const failed = (entry) => entry.outcome !== "SUCCEEDED";
const isChange = (entry) => CHANGES.has(entry.action) && entry.changed !== false;

/** Changes of each of the last `days` days, the oldest first: [{good, bad}]. history: newest first. */
export function byDay(history, days, now) {
  const today = Math.floor(now / DAY_MS);
  const counts = Array.from({ length: days }, () => ({ good: 0, bad: 0 }));
  for (const entry of history.filter(isChange)) {
    const place = days - 1 - (today - Math.floor(Date.parse(entry.at) / DAY_MS));
    if (place >= 0 && place < days) counts[place][failed(entry) ? "bad" : "good"] += 1;
  }
  return counts;
}

/** Seconds from request to end of each good deploy, the oldest first. history: newest first. */
export const leadTimes = (history) =>
  history
    .filter((entry) => entry.action === "deploy" && !failed(entry) && entry.requested_at)
    .map((entry) => Math.max(0, (Date.parse(entry.at) - Date.parse(entry.requested_at)) / 1000))
    .reverse();

/** Seconds from each failure to the next good end, the oldest first. history: newest first. */
export function restorations(history) {
  const times = [];
  let since = null;
  for (const entry of [...history].reverse()) {
    if (failed(entry)) since ??= entry.users_saw_it || entry.action === "revalidate" ? Date.parse(entry.at) : null;
    else if (since !== null) {
      times.push((Date.parse(entry.at) - since) / 1000);
      since = null;
    }
  }
  return times;
}

/** dora: the API's figures over `dora.days`; the curves hold what its history holds, which may be less. */
export function doraTiles(dora, history, now = Date.now()) {
  const days = byDay(history, dora.days, now);
  const outcomes = history.filter(isChange).reverse();
  const leads = leadTimes(history),
    back = restorations(history);
  const curve = (name, values) => {
    if (!values.length) return h("p", { class: "quiet small" }, "no data yet");
    return values.length > 1 ? lines(name, [{ role: "candidate", values }]) : bars(name, [[{ role: "candidate-fill", value: values[0] }]]);
  };
  return h(
    "div",
    { class: "tiles", id: "dora" },
    tile(
      "deployments a day",
      String(dora.deployments_per_day),
      bars(`changes of each of ${dora.days} days`, days.map(({ good, bad }) => [{ role: "good-fill", value: good }, { role: "bad-fill", value: bad }])),
    ),
    tile("lead time", seconds(dora.lead_time_s), curve("lead time of each deploy", leads)),
    tile(
      "change failure rate",
      share(dora.change_failure_rate),
      bars("good and failed changes in their order", outcomes.map((entry) => [{ role: failed(entry) ? "bad-fill" : "good-fill", value: 1 }])),
    ),
    tile("time to restore", seconds(dora.time_to_restore_s), curve("time to restore of each failure", back)),
  );
}
