// The way of requests, drawn: listeners, routes, the filters of their chains, upstreams with their endpoints.

import { el, say } from "./dom.js";
import { rate } from "./format.js";
import { endpointHealth, signs, upstreamHealth } from "./health.js";

const column = { listeners: 0, routes: 170, chain: 430, upstreams: 745, endpoints: 965 };
const width = 1192, row = 40, gap = 8, top = 24;

// The drawing is made anew when what it shows has changed; numbers in it change in place.
export class RouteMap {
  constructor({ pickRoute, pickUpstream, pickPlugin }) {
    Object.assign(this, { pickRoute, pickUpstream, pickPlugin });
    this.node = el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Topology" });
    this.rates = new Map();
  }

  update(routes, stats, history, selected) {
    const upstreams = targets(routes).filter((name) => stats.upstreams[name]);
    const health = upstreams.map((name) => [name, Object.entries(stats.upstreams[name].endpoints).map(([a, e]) => [a, endpointHealth(e)])]);
    const sketch = JSON.stringify([routes.map((r) => [r.name, r.path, r.host, r.chain.length]), stats.generation, Object.keys(stats.listeners), health, selected]);
    if (sketch !== this.sketch) { this.sketch = sketch; this.draw(routes, stats, upstreams, selected); }
    for (const [name, text] of this.rates) say(text, rate(history.now("r:" + name)?.rate ?? NaN) + "/s");
  }

  draw(routes, stats, upstreams, selected) {
    this.rates.clear();
    this.wires = el("g");
    this.boxes = el("g");
    this.places = this.placeUpstreams(upstreams, stats);
    let y = top;
    const middles = [];
    for (const r of routes) {
      const height = this.route(r, y, stats, r.name === selected);
      middles.push([y + height / 2, r.name === selected]);
      y += height + gap;
    }
    this.listeners(Object.keys(stats.listeners), middles);
    const heads = [["listeners", "Listeners"], ["routes", "Routes"], ["chain", "Chain"], ["upstreams", "Upstreams"], ["endpoints", "Endpoints"]];
    const height = Math.max(y, this.low) + 4;
    this.node.replaceChildren(el("svg", { class: "map", width, height, viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": "Topology: routes with their chains and upstreams" },
      heads.map(([at, text]) => el("text", { class: "head", x: column[at], y: 12 }, text)), this.wires, this.boxes));
  }

  placeUpstreams(names, stats) {
    const places = new Map();
    let y = top;
    for (const name of names) {
      const endpoints = Object.entries(stats.upstreams[name].endpoints);
      const shown = endpoints.slice(0, 8);
      const height = Math.max(row, shown.length * 26 + (endpoints.length > shown.length ? 18 : 0));
      const health = upstreamHealth(endpoints.map(([, e]) => e));
      const middle = y + row / 2;
      places.set(name, { middle, look: health.look });
      this.box({ x: column.upstreams, y, w: 185, look: health.look, text: clip(name, 24), sub: clip(signs[health.look] + " " + health.word, 30), label: `Upstream ${name}: ${health.word}`, pick: () => this.pickUpstream(name) });
      shown.forEach(([address, e], i) => this.endpoint(address, e, y + i * 26, middle));
      if (endpoints.length > shown.length) this.boxes.append(el("text", { class: "sub", x: column.endpoints, y: y + shown.length * 26 + 12 }, `and ${endpoints.length - shown.length} more`));
      y += height + gap;
    }
    this.low = y;
    return places;
  }

  endpoint(address, e, y, from) {
    const health = endpointHealth(e);
    this.wire(column.upstreams + 185, from, column.endpoints, y + 11, health.look === "bad" ? "bad" : "");
    this.boxes.append(el("g", {}, el("title", {}, `${address}: ${health.word}`), el("rect", { class: "box " + health.look, x: column.endpoints, y, width: 225, height: 22, rx: 4 }),
      el("text", { class: "sign " + health.look, x: column.endpoints + 8, y: y + 15 }, signs[health.look]),
      el("text", { x: column.endpoints + 24, y: y + 15 }, clip(address, health.look === "good" ? 30 : 17)),
      health.look === "good" ? null : el("text", { class: "sub", x: column.endpoints + 219, y: y + 15, "text-anchor": "end" }, clip(health.word, 15))));
  }

  // route draws a route's row, and returns its height.
  route(r, y, stats, chosen) {
    const steps = this.layout(r.chain);
    const height = Math.max(row, steps.height);
    const middle = y + height / 2;
    const number = el("text", { class: "sub", x: column.routes + 212, y: middle - 3, "text-anchor": "end" });
    this.rates.set(r.name, number);
    this.box({ x: column.routes, y: middle - row / 2, w: 220, look: chosen ? "chosen" : "", text: clip(r.name, 22), sub: clip((r.host || "") + r.path, 32), label: `Route ${r.name}, ${r.host || "any host"}, ${r.path}`, pick: () => this.pickRoute(r.name), more: number });
    steps.boxes.forEach(({ step, x, at, w }) => this.step(step, column.chain + x, y + (height - steps.height) / 2 + at, w));
    this.wire(column.routes + 220, middle, column.chain, middle, chosen ? "chosen" : "");
    const named = upstreamsOf(r).filter((name) => this.places.has(name));
    for (const name of named) {
      const to = this.places.get(name);
      this.wire(column.chain + steps.width, middle, column.upstreams, to.middle, chosen ? "chosen" : to.look === "bad" ? "bad" : "");
    }
    if (named.length === 0) this.boxes.append(el("text", { class: "sub ending", x: column.chain + steps.width + 10, y: middle + 4 }, "→ " + clip(ending(r.target), 40)));
    return height;
  }

  // layout puts the steps of a chain into lines.
  layout(chain) {
    const boxes = [];
    let x = 6, at = 0, widest = 0;
    for (const step of chain) {
      const w = Math.min(150, 16 + step.name.length * 7);
      if (x + w > 300) { x = 6; at += 26; }
      boxes.push({ step, x, at, w });
      x += w + 6;
      widest = Math.max(widest, x);
    }
    return { boxes, width: widest, height: at + 22 };
  }

  step(step, x, y, w) {
    const plugin = step.kind === "plugin";
    const label = `${plugin ? "Plugin" : "Filter"} ${step.name}${step.global ? ", for every route" : ""}${step.on_error ? ", on error: " + step.on_error : ""}`;
    const node = el("g", plugin ? { class: "node", tabindex: "0", role: "link", "aria-label": label } : {}, el("title", {}, label),
      el("rect", { class: "box " + (plugin ? "plugin" : ""), x, y, width: w, height: 22, rx: 4 }), el("text", { x: x + 8, y: y + 15 }, clip(step.name, 19)));
    if (plugin) activate(node, () => this.pickPlugin(step.name));
    this.boxes.append(node);
  }

  listeners(names, middles) {
    names.forEach((name, i) => {
      const y = top + i * (row + gap);
      this.box({ x: column.listeners, y, w: 140, look: "", text: clip(name, 20), sub: "", label: "Listener " + name });
      for (const [middle, chosen] of middles) this.wire(column.listeners + 140, y + row / 2, column.routes, middle, chosen ? "chosen" : "");
    });
  }

  box({ x, y, w, look, text, sub, label, pick, more }) {
    const node = el("g", pick ? { class: "node", tabindex: "0", role: "link", "aria-label": label } : {}, el("title", {}, label),
      el("rect", { class: "box " + look, x, y, width: w, height: row, rx: 5 }), el("text", { x: x + 10, y: y + (sub ? 17 : 24) }, text),
      sub ? el("text", { class: "sub", x: x + 10, y: y + 32 }, sub) : null, more);
    if (pick) activate(node, pick);
    this.boxes.append(node);
  }

  wire(x1, y1, x2, y2, look) {
    const middle = (x1 + x2) / 2;
    this.wires.append(el("path", { class: "wire " + look, d: `M${x1} ${y1}C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}` }));
  }
}

function activate(node, pick) {
  node.addEventListener("click", pick);
  node.addEventListener("keydown", (e) => { if (e.key === "Enter" || e.key === " ") { e.preventDefault(); pick(); } });
}

function clip(text, most) { return text.length > most ? text.slice(0, most - 1) + "…" : text; }

export function upstreamsOf(route) {
  const t = route.target;
  return [...(t.upstream ? [t.upstream] : []), ...(t.split || []).map((b) => b.upstream)];
}

function targets(routes) { return [...new Set(routes.flatMap(upstreamsOf))]; }

// ending says in words what a route's chain ends in.
export function ending(t) {
  if (t.redirect) return "redirect " + t.redirect;
  if (t.respond) return "static answer " + t.respond;
  const mirror = t.mirror ? `, ${t.mirror.share} % copied to ${t.mirror.upstream}` : "";
  if (t.split) return "split: " + t.split.map((b) => `${b.name} → ${b.upstream} (${b.weight})`).join(", ") + mirror;
  return "upstream " + (t.upstream || "?") + mirror;
}
