// Small charts as SVG. Text stays HTML, so that it has the page's size; colours come from the style sheet by role.

import { h } from "./dom.js";

const NS = "http://www.w3.org/2000/svg";
const WIDTH = 300;
const HEIGHT = 64;

function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(NS, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children.flat(Infinity));
  return element;
}

const drawing = (label, ...children) =>
  svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "spark", role: "img", "aria-label": label, preserveAspectRatio: "none" }, children);

const round = (value) => Math.round(value * 10) / 10;

/** The parts of a line between gaps, as lists of [place, value]. */
export function parts(values) {
  const all = [[]];
  values.forEach((value, place) => {
    if (value === null || value === undefined) all.push([]);
    else all.at(-1).push([place, value]);
  });
  return all.filter((part) => part.length);
}

/** Lines from 0 to the highest value of all, the newest at the right. series: [{role, values}], null for a gap. */
export function lines(label, series, slots) {
  const count = Math.max(slots ?? 0, ...series.map(({ values }) => values.length));
  const top = Math.max(...series.flatMap(({ values }) => values.map((value) => value ?? 0)), 0) || 1;
  const x = (place, values) => round(WIDTH - ((values.length - 1 - place) * WIDTH) / Math.max(1, count - 1));
  const y = (value) => round(HEIGHT - 2 - (value / top) * (HEIGHT - 6));
  return drawing(
    label,
    series.map(({ role, values }) =>
      parts(values).map((part) =>
        svg("polyline", {
          class: role,
          points: (part.length > 1 ? part : [part[0], part[0]])
            .map(([place, value], at) => `${x(place, values) - (part.length === 1 && !at ? 2 : 0)},${y(value)}`)
            .join(" "),
        }),
      ),
    ),
  );
}

/** Bars of stacked values. bars: [[{role, value}]]. */
export function bars(label, columns) {
  const top = Math.max(...columns.map((column) => column.reduce((sum, { value }) => sum + value, 0)), 0) || 1;
  const width = WIDTH / Math.max(1, columns.length);
  return drawing(
    label,
    columns.map((column, place) => {
      let bottom = HEIGHT;
      return column
        .filter(({ value }) => value > 0)
        .map(({ role, value }) => {
          const height = (value / top) * (HEIGHT - 4);
          bottom -= height;
          return svg("rect", {
            class: role,
            x: round(place * width + width * 0.1),
            y: round(bottom),
            width: round(width * 0.8),
            height: round(Math.max(height, 1)),
          });
        });
    }),
  );
}

/** Shares of a whole side by side. shares: [{role, share}] with shares of 0 to 100. */
export function split(label, shares) {
  let left = 0;
  return svg(
    "svg",
    { viewBox: "0 0 100 8", class: "split", role: "img", "aria-label": label, preserveAspectRatio: "none" },
    shares.map(({ role, share }) => {
      const rect = svg("rect", { class: role, x: round(left), y: 0, width: round(share), height: 8 });
      left += share;
      return rect;
    }),
  );
}

/** A figure in large type with its curve below. */
export const tile = (name, figure, chart, note = "") =>
  h(
    "div",
    { class: "tile" },
    h("p", { class: "quiet small" }, name),
    h("p", { class: "figure" }, figure),
    chart,
    note && h("p", { class: "quiet small" }, note),
  );
