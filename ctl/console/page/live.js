// What a running deployment shows of itself: the curve of its load test, and how users' traffic moves.

import { lines, split, tile } from "./charts.js";
import { badge, grid, h, moment } from "./dom.js";

const KEPT = 120; // newest samples that a curve keeps

/** The samples with one more from the totals of `load`, unless it is not newer than `last`. */
export function extended(samples, last, load) {
  const before = last ?? { second: 0, sent: 0, failed: 0 };
  const seconds = load.second - before.second;
  if (seconds <= 0) return samples;
  const since = (name) => Math.max(0, (load[name] ?? 0) - (before[name] ?? 0));
  const sample = {
    second: load.second,
    rate: since("sent") / seconds,
    failed: since("failed"),
    p50: load.p50_ms ?? null,
    p99: load.p99_ms ?? null,
  };
  return [...samples, sample].slice(-KEPT);
}

const ms = (value) => (value === null || value === undefined ? "–" : `${Math.round(value).toLocaleString()} ms`);

/** Requests a second, p50, p99 and errors of the last minutes, each with its newest figure. */
export function loadCurve(samples, load) {
  const newest = samples.at(-1);
  if (!newest) return false;
  const curve = (name, role) => lines(`${name} over time`, [{ role, values: samples.map((each) => each[name]) }], 30);
  const errors = samples.reduce((sum, { failed }) => sum + failed, 0);
  return [
    h("h2", {}, "Load test"),
    h(
      "div",
      { class: "card", id: "load" },
      h(
        "div",
        { class: "tiles" },
        tile("requests a second", newest.rate.toFixed(1), curve("rate", "candidate")),
        tile("p50 of three seconds", ms(newest.p50), curve("p50", "candidate")),
        tile("p99 of three seconds", ms(newest.p99), curve("p99", "tail")),
        tile("errors", String(errors), curve("failed", "bad-line")),
      ),
      h(
        "p",
        { class: "quiet small" },
        `second ${load.second}: ${(load.sent ?? 0).toLocaleString()} sent, ${(load.good ?? 0).toLocaleString()} good answers, ` +
          `${load.unsent ?? 0} unsent, ${load.workers ?? 1} worker${(load.workers ?? 1) > 1 ? "s" : ""}`,
      ),
    ),
  ];
}

/** Users' share on the new version: now, the steps so far, and the verdict on each. false without a shift. */
export function traffic(rows) {
  const evidence = rows.find(({ name }) => name === "shift_traffic")?.evidence ?? {};
  const back = rows.find(({ name, status }) => name === "roll_back" && status === "SUCCEEDED");
  const recorded = evidence.percent ?? null;
  if (recorded === null || !evidence.from_version) return false;
  const percent = back ? 0 : recorded;
  const [now, before] = [evidence.version, evidence.from_version];
  const steps = [...(evidence.weights ?? []).map(([, share]) => share), ...(back ? [0] : [])];
  const judged = (evidence.judgements ?? []).map((each) => [
    each.at ? moment(each.at) : "–",
    `${each.percent} %`,
    each.alarms,
    [badge(each.against_live.split(":")[0]), each.against_live.includes(":") && h("p", { class: "quiet small" }, each.against_live.split(": ")[1])],
  ]);
  return [
    h("h2", {}, "Users' traffic"),
    h(
      "div",
      { class: "card", id: "traffic" },
      h("p", {}, h("b", {}, `${percent} %`), ` on version ${now}, `, h("b", {}, `${100 - percent} %`), ` on version ${before}`),
      split(`${percent} % on version ${now}`, [
        { role: "candidate-fill", share: percent },
        { role: "live-fill", share: 100 - percent },
      ]),
      steps.length > 1 && h("p", { class: "quiet small" }, `steps: ${steps.map((share) => `${share} %`).join(" → ")}`),
      judged.length > 0 && grid(["judged at", "share", "alarms", "against live"], judged, [1]),
    ),
  ];
}
