// Two JSON objects field by field, and the tables that show them side by side.

import { badge, grid, h } from "./dom.js";
import { isObject } from "./evidence.js";

/** Values by path, as `alarms.error_rate`; lists stay whole. */
export function flat(value, under = "") {
  return Object.entries(value ?? {}).flatMap(([name, item]) => {
    const path = under ? `${under}.${name}` : name;
    return isObject(item) ? flat(item, path) : [[path, item]];
  });
}

const text = (value) => (value === undefined || value === null ? "–" : typeof value === "string" ? value : JSON.stringify(value));

/** The fields that differ, sorted: [{path, before, after}]; null and absent are the same, as the API leaves null out. */
export function differences(before, after) {
  const [old, now] = [new Map(flat(before)), new Map(flat(after))];
  return [...new Set([...old.keys(), ...now.keys()])]
    .sort()
    .map((path) => ({ path, before: old.get(path) ?? null, after: now.get(path) ?? null }))
    .filter((change) => JSON.stringify(change.before) !== JSON.stringify(change.after));
}

/** Both sides beside each other, a row for each field that differs. */
export function sideBySide(names, changes, nothing = "Nothing differs.") {
  if (!changes.length) return h("p", { class: "quiet" }, nothing);
  const effect = changes.some((change) => change.effect);
  const rows = changes.map((change) => [
    h("code", {}, change.path),
    h("span", { class: "was" }, text(change.before)),
    h("span", { class: "is" }, text(change.after)),
    ...(effect ? [change.effect] : []),
  ]);
  return grid(["field", ...names, ...(effect ? ["who feels it"] : [])], rows);
}

const WOULD = { run: "would run", skip: "nothing to do", depends: "depends" };

/** What each phase of a plan would do. */
export const planTable = (plan) =>
  grid(
    ["phase", "would", "details"],
    (plan ?? []).map(({ phase, would, details }) => [
      h("code", {}, phase),
      badge(would === "skip" ? "SKIPPED" : would === "run" ? "RUNNING" : "", WOULD[would] ?? would),
      flat(details).map(([path, value]) => h("p", { class: "small" }, h("span", { class: "quiet" }, `${path}: `), [value].flat().map(text).join(", "))),
    ]),
  );
