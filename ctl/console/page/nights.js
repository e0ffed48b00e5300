// The nightly revalidations as a calendar of good and bad, and those that were not good by name.

import { deploymentLink, environmentLink, grid, h, moment } from "./dom.js";
import { tree } from "./evidence.js";

const DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const DAY_MS = 86_400_000;

const dateOf = (night) => (night.night || night.began_at || "").slice(0, 10);
const dayAt = (ms) => new Date(ms).toISOString().slice(0, 10);
const weekday = (ms) => (new Date(ms).getUTCDay() + 6) % 7;

/** `good`, `bad`, `busy` (nothing failed, but not all were checked) or `none` (no environment was live). */
export function verdictOf(night) {
  if (night.error || night.drifted || night.failed || night.lost) return "bad";
  if (!night.asked) return "none";
  return night.good === night.asked ? "good" : "busy";
}

/** Weeks from Monday to Sunday that hold all nights; a day is {date, night}, or null outside of the nights. */
export function weeks(nights) {
  const byDate = new Map([...nights].reverse().map((night) => [dateOf(night), night]));
  const dates = [...byDate.keys()].filter(Boolean).sort();
  if (!dates.length) return [];
  const [first, last] = [Date.parse(dates[0]), Date.parse(dates.at(-1))];
  const rows = [];
  for (let start = first - weekday(first) * DAY_MS; start <= last; start += 7 * DAY_MS) {
    rows.push(
      DAYS.map((_, day) => {
        const at = start + day * DAY_MS;
        return at < first || at > last ? null : { date: dayAt(at), night: byDate.get(dayAt(at)) };
      }),
    );
  }
  return rows;
}

const SIGNS = { good: "✓", bad: "✕", busy: "~", none: "○" };

function cell(day) {
  if (!day) return h("td", {});
  const { date, night } = day;
  const number = Number(date.slice(8));
  if (!night) return h("td", { class: "day" }, h("span", { class: "quiet" }, number), h("span", { class: "unseen" }, " no night"));
  const verdict = verdictOf(night);
  const words = `${night.good ?? 0} of ${night.asked ?? 0} good`;
  return h(
    "td",
    { class: `day ${verdict}`, title: `${date}: ${words}` },
    h("span", {}, number),
    h("span", { "aria-hidden": "true" }, SIGNS[verdict]),
    h("span", { class: "unseen" }, ` ${words}`),
  );
}

const calendar = (nights) =>
  h(
    "table",
    { class: "calendar" },
    h("caption", { class: "unseen" }, "Nights by day"),
    h("thead", {}, h("tr", {}, DAYS.map((day) => h("th", { scope: "col" }, day)))),
    h("tbody", {}, weeks(nights).map((week) => h("tr", {}, week.map(cell)))),
  );

const broken = (which) =>
  Object.entries(which ?? {}).flatMap(([verdict, ones]) =>
    Object.entries(ones).map(([name, id]) => h("li", {}, `${verdict}: `, environmentLink(name), " ", id && deploymentLink(id))),
  );

/** The calendar, and a row for each night that was not good, with the deployments that say why. */
export function nightsSection(nights) {
  const bad = nights.filter((night) => night.healed || !["good", "none"].includes(verdictOf(night)));
  const rows = bad.map((night) => [
    moment(night.began_at),
    `${night.good ?? 0} of ${night.asked ?? 0}`,
    [h("ul", { class: "tree" }, broken(night.which)), night.error && h("p", {}, "The night itself failed: ", tree(night.error))],
  ]);
  return [
    h("h2", {}, "Nights"),
    h(
      "div",
      { class: "nights" },
      h("div", { class: "card" }, calendar(nights)),
      h(
        "div",
        { class: "card" },
        rows.length ? grid(["began", "good", "not good, or healed"], rows, [1]) : h("p", { class: "quiet" }, "Every night was good."),
      ),
    ),
  ];
}
