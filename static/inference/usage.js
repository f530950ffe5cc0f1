/** The chart of usage: stacked bars with axes, and the values at the pointer in the list of colours. */
import uPlot from "../vendor/uplot/uPlot.js";

const HEIGHT = 260;
const PERIOD_STEPS = [1, 2, 3, 6, 7, 12, 14, 24, 30, 48]; // hours of a day, days of a week
const WHOLE_STEPS = Array.from({ length: 13 }, (_, zeros) => [1, 2, 5].map((one) => one * 10 ** zeros)).flat();
const number = new Intl.NumberFormat("en");
const short = new Intl.NumberFormat("en", { notation: "compact" });

/** The sums up to each series, the highest first: bars that are drawn later cover a part of the earlier ones. */
function stacked(values) {
  const sums = [];
  for (const row of values) sums.push(row.map((value, at) => value + (sums.at(-1)?.[at] ?? 0)));
  return sums.reverse();
}

class UsageChart {
  /** @param {HTMLElement} place contains the static picture, which the chart replaces @param {object} data */
  constructor(place, data) {
    this.place = place;
    this.data = data;
    this.items = [...document.querySelectorAll(".legend [data-series]")];
    this.at = document.getElementById("usage-at");
    place.replaceChildren();
    const positions = data.labels.map((_, at) => at);
    this.plot = new uPlot(this.options(), [positions, ...stacked(data.values)], place);
    this.plot.root.setAttribute("aria-hidden", "true");
    this.at.hidden = false;
    this.show(null);
    new ResizeObserver(() => this.plot.setSize({ width: place.clientWidth, height: HEIGHT })).observe(place);
    const redraw = () => this.plot.redraw(false);
    new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  }

  /** Show the values of one period, or the sums of all where there is none. @param {?number} position */
  show(position) {
    this.at.textContent = position === null ? "In all this time:" : `${this.data.labels[position]}:`;
    this.items.forEach((item, series) => {
      const values = this.data.values[series];
      const value = position === null ? values.reduce((sum, one) => sum + one, 0) : values[position];
      item.querySelector("[data-value]").textContent = number.format(value);
    });
  }

  options() {
    const { labels, values } = this.data;
    const ink = () => getComputedStyle(this.place).color;
    const grid = { stroke: () => getComputedStyle(this.place).borderTopColor, width: 1 };
    const colour = (series) => () => getComputedStyle(this.items[series]).outlineColor;
    const bars = uPlot.paths.bars({ size: [0.85, 80] });
    const series = values.map((_, at) => ({ stroke: colour(at), fill: colour(at), width: 0, paths: bars, points: { show: false } }));
    return {
      width: this.place.clientWidth,
      height: HEIGHT,
      padding: [null, 48, null, null], // the last date is as long as that
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
      scales: {
        x: { time: false, range: [-0.5, labels.length - 0.5] },
        y: { range: (_, __, most) => [0, Math.max(1, most * 1.05)] },
      },
      series: [{}, ...series.reverse()],
      axes: [
        {
          stroke: ink, grid: { show: false }, ticks: grid, space: 140,
          incrs: PERIOD_STEPS,
          values: (_, splits) => splits.map((at) => labels[at] ?? ""),
        },
        { stroke: ink, grid, ticks: grid, size: 56, incrs: WHOLE_STEPS, values: (_, splits) => splits.map((value) => short.format(value)) },
      ],
      hooks: { setCursor: [(plot) => this.show(plot.cursor.idx ?? null)] },
    };
  }
}

const place = document.getElementById("usage-chart");
if (place) new UsageChart(place, JSON.parse(document.getElementById("usage-data").textContent));
