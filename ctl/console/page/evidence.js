// The evidence of phases: any JSON as nested lists, verdicts and service levels as tables.

import { badge, grid, h, share } from "./dom.js";

export const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
const isTable = (value) =>
  Array.isArray(value) && value.length > 1 && value.every((row) => isObject(row) && "verdict" in row);

/** Any JSON as nested lists; a list of verdicts as a table. */
export function tree(value) {
  if (isTable(value)) return verdicts(value);
  if (Array.isArray(value) && value.every((item) => item === null || typeof item !== "object"))
    return value.join(", ") || "none";
  if (value === null || typeof value !== "object") return String(value ?? "none");
  const entries = Object.entries(value);
  if (!entries.length) return "none";
  const shown = entries
    .slice(0, 200)
    .map(([name, item]) =>
      h(
        "li",
        {},
        h("span", { class: "key" }, Array.isArray(value) ? `${Number(name) + 1}. ` : `${name}: `),
        tree(item),
      ),
    );
  return h("ul", { class: "tree" }, shown, entries.length > 200 && h("li", {}, `… ${entries.length - 200} more`));
}

function verdicts(rows) {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const cell = (row, name) => (name === "verdict" ? badge(row[name]) : row[name] === undefined ? "" : tree(row[name]));
  return grid(
    names,
    rows.map((row) => names.map((name) => cell(row, name))),
  );
}

const UNITS = {
  p99_ms: "ms",
  first_byte_p99_ms: "ms",
  overhead_p99_ms: "ms",
  cold_start_ms: "ms",
  usd_per_million: "USD",
  rps: "/s",
  error_rate: "%",
  slowdown: "%",
  cold_start_relative: "%",
  cost_relative: "%",
};

const isOpen = (value) => value === null || value === undefined;

// With few samples a quantile has no upper end.
const between = ([low, high], text) => (isOpen(high) ? `at least ${text(low)}` : `${text(low)} to ${text(high)}`);

export function slos(rows) {
  const figure = (slo, value) =>
    isOpen(value) ? "–" : UNITS[slo] === "%" ? share(value) : `${value} ${UNITS[slo] ?? ""}`;
  const cells = rows.map(({ slo, verdict, bound, figure: measured, interval, why }) => [
    h("code", {}, slo),
    badge(verdict),
    figure(slo, bound),
    figure(slo, measured),
    [
      interval ? between(interval, (value) => figure(slo, value)) : "–",
      why && h("p", { class: "quiet small" }, why),
    ],
  ]);
  return grid(["SLO", "verdict", "bound", "figure", "95 % interval"], cells, [2, 3]);
}
