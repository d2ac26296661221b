// Line charts of the last minutes, drawn as SVG. Each line has a colour and a dash of its own, and its value stands in the legend: that of
// the moment under the pointer, or under the arrow keys, else the latest.

import { el, say } from "./dom.js";

const height = 170, left = 46, right = 8, top = 8, bottom = 18;

export class Chart {
  // lines are { field, name, style (1–5), dash (1–4) }; format writes a value; log makes the scale logarithmic.
  constructor({ title, lines, format, log = false }) {
    Object.assign(this, { lines, format, log, title, data: null, index: -1, width: 600 });
    this.svg = el("svg", { class: "chart", tabindex: "0", role: "img", "aria-label": title });
    this.grid = el("g");
    this.cross = el("line", { class: "cross", y1: top, y2: height - bottom, visibility: "hidden" });
    this.curves = lines.map((l) => el("path", { class: `curve s${l.style} d${l.dash || 1}` }));
    this.svg.append(this.grid, ...this.curves, this.cross);
    this.values = lines.map(() => el("b", {}, "–"));
    this.when = el("span", { class: "legend" });
    const legend = lines.map((l, i) => el("span", { class: "legend" }, sample(l), l.name + " ", this.values[i]));
    this.node = el("figure", { class: "card" }, el("figcaption", {}, el("h2", {}, title), this.when, el("div", { class: "keys" }, legend)), this.svg);
    this.listen();
  }

  listen() {
    this.svg.addEventListener("pointermove", (e) => this.point(e.clientX - this.svg.getBoundingClientRect().left));
    this.svg.addEventListener("pointerleave", () => this.choose(-1));
    this.svg.addEventListener("blur", () => this.choose(-1));
    this.svg.addEventListener("keydown", (e) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[e.key];
      if (!step || !this.data) return;
      e.preventDefault();
      const from = this.index < 0 ? this.data.times.length - 1 : this.index;
      this.choose(Math.max(0, Math.min(this.data.times.length - 1, from + step)));
    });
    new ResizeObserver(([entry]) => {
      const width = Math.round(entry.contentRect.width);
      if (width > 0 && width !== this.width) { this.width = width; this.draw(); }
    }).observe(this.svg);
  }

  point(x) {
    if (!this.data || this.data.times.length === 0) return;
    let best = 0;
    this.data.times.forEach((t, i) => { if (Math.abs(this.x(t) - x) < Math.abs(this.x(this.data.times[best]) - x)) best = i; });
    this.choose(best);
  }

  choose(index) { this.index = index; this.tell(); }

  update(data) {
    this.data = data;
    if (this.index >= data.times.length) this.index = -1;
    this.draw();
  }

  draw() {
    if (!this.data) return;
    const { times } = this.data;
    this.svg.setAttribute("viewBox", `0 0 ${this.width} ${height}`);
    this.end = times[times.length - 1] || Date.now();
    this.begin = Math.min(times[0] || this.end, this.end - 60000);
    this.scale();
    this.lines.forEach((l, i) => this.curves[i].setAttribute("d", this.path(this.data[l.field])));
    this.tell();
  }

  x(t) { return left + ((t - this.begin) / (this.end - this.begin)) * (this.width - left - right); }

  y(v) {
    const share = this.log ? Math.log(Math.max(v, this.low) / this.low) / Math.log(this.high / this.low) : v / this.high;
    return height - bottom - share * (height - top - bottom);
  }

  // scale finds round bounds, and draws the grid anew when they have changed.
  scale() {
    let most = 0, least = Infinity;
    for (const l of this.lines) for (const v of this.data[l.field]) if (v > 0) { most = Math.max(most, v); least = Math.min(least, v); }
    let marks;
    if (this.log) {
      this.low = 10 ** Math.floor(Math.log10(Math.min(least, 1e4)) || 0);
      this.high = Math.max(10 ** Math.ceil(Math.log10(most || 1e4)), this.low * 100);
      marks = [];
      for (let v = this.low; v <= this.high * 1.01; v *= 10) marks.push(v);
    } else {
      this.high = roundUp(most || 1);
      marks = [0, this.high / 2, this.high];
    }
    const sketch = [this.width, ...marks, Math.round((this.end - this.begin) / 30000)].join();
    if (sketch === this.sketch) return;
    this.sketch = sketch;
    this.grid.replaceChildren(...marks.flatMap((v) => [
      el("line", { class: "grid", x1: left, x2: this.width - right, y1: this.y(v), y2: this.y(v) }),
      el("text", { x: left - 6, y: this.y(v) + 4, "text-anchor": "end" }, this.format(v)),
    ]), el("text", { x: left, y: height - 4 }, span(this.end - this.begin) + " ago"), el("text", { x: this.width - right, y: height - 4, "text-anchor": "end" }, "now"));
  }

  path(values) {
    let d = "", pen = "M";
    values.forEach((v, i) => {
      if (!Number.isFinite(v)) { pen = "M"; return; }
      d += pen + this.x(this.data.times[i]).toFixed(1) + " " + this.y(v).toFixed(1);
      pen = "L";
    });
    return d;
  }

  tell() {
    if (!this.data) return;
    const at = this.index < 0 ? this.data.times.length - 1 : this.index;
    this.lines.forEach((l, i) => say(this.values[i], this.format(this.data[l.field][at])));
    const time = this.data.times[at];
    say(this.when, this.index < 0 || !time ? "" : new Date(time).toLocaleTimeString(undefined, { hour12: false }));
    this.cross.setAttribute("visibility", this.index < 0 ? "hidden" : "visible");
    if (this.index >= 0) { this.cross.setAttribute("x1", this.x(time)); this.cross.setAttribute("x2", this.x(time)); }
    this.svg.setAttribute("aria-label", this.title + ": " + this.lines.map((l, i) => l.name + " " + this.values[i].textContent).join(", ") + ". Arrow keys go back in time.");
  }
}

function sample(line) {
  return el("svg", { viewBox: "0 0 24 8", "aria-hidden": "true" }, el("path", { class: `curve s${line.style} d${line.dash || 1}`, d: "M0 4H24" }));
}

function roundUp(n) {
  const unit = 10 ** Math.floor(Math.log10(n));
  return [1, 2, 4, 5, 10].find((k) => k * unit >= n) * unit;
}

function span(ms) { return ms < 90000 ? Math.round(ms / 1000) + " s" : Math.round(ms / 60000) + " min"; }
