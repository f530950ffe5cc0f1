/** The chart of the last hour: the memory that models held, and tokens per second. */
import uPlot from "../vendor/uplot/uPlot.js";

const HOUR_S = 3600;
const GB = 1e9;
const HEIGHT = 200;
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hour12: false });

export class Chart {
  /** @param {HTMLElement} place contains the static picture, which the chart replaces */
  constructor(place) {
    this.place = place;
    this.data = [[], [], []];
    this.swatches = Object.fromEntries(
      [...place.querySelectorAll("span[data-line]")].map((span) => [span.dataset.line, span]),
    );
  }

  get lastAt() {
    return this.data[0].at(-1) ?? 0;
  }

  /** @param {number[][]} samples time, weights, kv, caches, others, free, rate */
  add(samples) {
    for (const [at, weights, kv, caches, , , rate] of samples) {
      if (at <= this.lastAt) continue;
      this.data[0].push(at);
      this.data[1].push((weights + kv + caches) / GB);
      this.data[2].push(rate);
    }
    const old = this.data[0].findIndex((at) => at > this.lastAt - HOUR_S);
    for (const column of this.data) column.splice(0, Math.max(0, old));
    if (this.plot) this.plot.setData(this.data);
    else if (this.lastAt) this.begin();
  }

  begin() {
    this.place.querySelector("svg").remove();
    this.place.querySelector("p").hidden = true;
    this.plot = new uPlot(this.options(), this.data, this.place);
    this.plot.root.setAttribute("aria-hidden", "true");
    new ResizeObserver(() => this.plot.setSize({ width: this.place.clientWidth, height: HEIGHT })).observe(this.place);
    const redraw = () => this.plot.redraw(false);
    new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  }

  options() {
    const colour = (name) => () => getComputedStyle(this.swatches[name]).stroke;
    const ink = () => getComputedStyle(this.place).color;
    const grid = { stroke: () => getComputedStyle(this.place).borderTopColor, width: 1 };
    // The value at the pointer, or else the newest one.
    const shown = (column) => (_, value) => (value ?? this.data[column].at(-1)).toFixed(1);
    const axis = (facts) => ({ stroke: ink, grid, ticks: grid, ...facts });
    return {
      width: this.place.clientWidth,
      height: HEIGHT,
      cursor: { drag: { x: false, y: false } },
      scales: {
        x: { range: () => [this.lastAt - HOUR_S, this.lastAt] },
        GB: { range: (_, __, most) => [0, Math.max(1, most * 1.1)] },
        rate: { range: (_, __, most) => [0, Math.max(10, most * 1.1)] },
      },
      series: [
        { label: "Time", value: (_, at) => clock.format((at ?? this.lastAt) * 1000) },
        { label: "GB held", scale: "GB", value: shown(1), stroke: colour("held"), width: 2 },
        { label: "Tokens/s", scale: "rate", value: shown(2), stroke: colour("rate"), width: 1.5 },
      ],
      axes: [
        axis({ values: (_, times) => times.map((at) => clock.format(at * 1000)) }),
        axis({ scale: "GB", label: "GB", labelSize: 18, size: 44 }),
        axis({ scale: "rate", label: "tokens/s", labelSize: 18, size: 50, side: 1, grid: { show: false } }),
      ],
    };
  }
}
