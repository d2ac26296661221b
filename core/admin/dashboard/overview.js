// The first view: how it goes now, and in the last minutes.

import { Chart } from "./chart.js";
import { el, say } from "./dom.js";
import { count, micros, percent, rate } from "./format.js";
import { badge, setBadge, upstreamHealth } from "./health.js";
import { refusalTable } from "./refusals.js";
import { hookCost } from "./stats.js";
import { Table } from "./table.js";

const sum = (object, field) => Object.values(object).reduce((n, o) => n + (o[field] || 0), 0);

export class Overview {
  needs = ["refusals"];

  constructor(app) {
    this.app = app;
    this.scope = el("select", { id: "scope", onchange: () => this.tick() });
    this.tiles = Object.fromEntries(["rate", "failed", "refused", "p50", "p99", "active", "connections", "plugins"].map((name) => [name, new Tile(name)]));
    this.charts = charts();
    this.refusals = refusalTable(app, { limit: 8 });
    this.routes = this.routeTable();
    this.upstreams = this.upstreamTable();
    this.costs = costTable(app);
    this.limits = limitTable();
    this.connections = connectionTable();
    this.node = el("div", { class: "view" },
      el("div", { class: "row" }, el("div", { class: "field" }, el("label", { for: "scope" }, "Numbers of"), this.scope), el("span", { class: "quiet" }, "Averages over the last 5 seconds; charts of the last 5 minutes while this page is open.")),
      el("div", { class: "tiles" }, Object.values(this.tiles).map((t) => t.node)),
      el("div", { class: "trio" }, this.charts.map((c) => c.node)),
      card("What goes wrong", this.refusals),
      el("div", { class: "pair" }, card("Busiest routes", this.routes), card("Upstreams", this.upstreams)),
      el("div", { class: "pair" }, card("Plugin cost per route", this.costs), el("div", { class: "view" }, card("Limits", this.limits), card("Connections", this.connections))));
  }

  tick() {
    const { history } = this.app;
    const stats = history.latest;
    this.offer(stats);
    const scope = this.scope.value;
    history.watch(scope);
    this.fillTiles(stats, history.now(scope), scope);
    const series = history.series(scope);
    for (const c of this.charts) c.update(series);
    this.refusals.update(this.app.refusals);
    const now = (prefix, names) => names.map((name) => ({ name, now: history.now(prefix + name) }));
    this.routes.update(now("r:", busiest(stats)));
    this.upstreams.update(now("u:", Object.keys(stats.upstreams)).map((u) => ({ ...u, stats: stats.upstreams[u.name] })));
    this.costs.update(costs(this.app));
    this.limits.update(Object.entries(stats.limits).map(([name, l]) => ({ name, ...l, allowing: history.per((s) => s.limits[name]?.allowed), denying: history.per((s) => s.limits[name]?.denied) })));
    this.connections.update(Object.entries(stats.listeners).map(([name, l]) => ({ name, ...l, accepting: history.per((s) => s.listeners[name]?.accepted) })));
  }

  // offer lists the scopes there are, if they have changed.
  offer(stats) {
    const routes = Object.keys(stats.routes).sort().slice(0, 500), upstreams = Object.keys(stats.upstreams).sort().slice(0, 200);
    const sketch = JSON.stringify([routes, upstreams]);
    if (sketch === this.sketch) return;
    this.sketch = sketch;
    const chosen = this.scope.value;
    const option = (value, text) => el("option", { value, selected: value === chosen }, text);
    this.scope.replaceChildren(option("", "all routes"),
      el("optgroup", { label: "Routes" }, routes.map((r) => option("r:" + r, r || "(no route)"))),
      el("optgroup", { label: "Upstreams" }, upstreams.map((u) => option("u:" + u, u))));
  }

  // focus shows the numbers of one scope.
  focus(scope) {
    this.tick();
    if ([...this.scope.options].some((o) => o.value === scope)) { this.scope.value = scope; this.tick(); }
  }

  fillTiles(stats, now, scope) {
    const t = this.tiles;
    const failed = now ? now["5xx"] + now.none : NaN, refused = now ? now["4xx"] : NaN, all = now ? now.rate : NaN;
    t.rate.set(rate(all), scope ? "" : count(sumRequests(stats)) + " since the start");
    t.failed.set(percent(failed, all), rate(failed) + "/s are 5xx or cut off", failed / all > 0.05 ? "bad" : failed / all > 0.01 ? "warn" : "");
    t.refused.set(percent(refused, all), rate(refused) + "/s are 4xx");
    t.p50.set(micros(now ? now.p50 : NaN), "half are faster");
    t.p99.set(micros(now ? now.p99 : NaN), "99 of 100 are faster");
    t.active.set(count(stats.active), "requests now");
    t.connections.set(count(sum(stats.listeners, "open")), count(sum(stats.listeners, "refused")) + " refused so far");
    const failures = (s) => Object.values(s.plugins).reduce((n, p) => n + Object.values(p.failures || {}).reduce((a, b) => a + b, 0), 0);
    const failing = this.app.history.per(failures), open = Object.values(stats.plugins).filter((p) => p.open).length;
    t.plugins.set(rate(failing) + "/s", open ? open + " left alone for failing" : count(failures(stats)) + " since the start", open ? "bad" : failing > 0 ? "warn" : "");
  }

  routeTable() {
    const share = (r, fields) => (r.now ? percent(fields.reduce((n, f) => n + r.now[f], 0), r.now.rate) : "–");
    return new Table({
      caption: "Busiest routes", key: (r) => r.name, limit: 12, sort: 1, empty: "No request yet, or [metrics] is off.",
      columns: [
        { head: "Route", make: (r) => (r.name ? el("button", { type: "button", class: "link", onclick: () => this.app.pickRoute(r.name) }, r.name) : el("span", { class: "quiet" }, "no route")), sort: (r) => r.name },
        { head: "Req/s", num: true, text: (r) => rate(r.now?.rate ?? NaN), sort: (r) => r.now?.rate },
        { head: "4xx", num: true, text: (r) => share(r, ["4xx"]), sort: (r) => r.now?.["4xx"], look: (r) => (r.now && r.now["4xx"] > r.now.rate / 2 ? "warn" : "") },
        { head: "5xx, cut off", num: true, text: (r) => share(r, ["5xx", "none"]), sort: (r) => r.now?.["5xx"], look: (r) => (r.now && r.now["5xx"] + r.now.none > 0 ? "bad" : "") },
        { head: "p50", num: true, text: (r) => micros(r.now?.p50 ?? NaN), sort: (r) => r.now?.p50 },
        { head: "p99", num: true, text: (r) => micros(r.now?.p99 ?? NaN), sort: (r) => r.now?.p99 },
      ],
    });
  }

  upstreamTable() {
    const health = (u) => upstreamHealth(Object.values(u.stats.endpoints));
    return new Table({
      caption: "Upstreams", key: (u) => u.name, limit: 12, sort: 2, empty: "There is no upstream.",
      columns: [
        { head: "Upstream", make: (u) => el("button", { type: "button", class: "link", onclick: () => this.app.pickUpstream(u.name) }, u.name), sort: (u) => u.name },
        { head: "Endpoints", make: (u) => badge(health(u)), refresh: (node, u) => setBadge(node, health(u)) },
        { head: "Req/s", num: true, text: (u) => rate(u.now?.rate ?? NaN), sort: (u) => u.now?.rate },
        { head: "5xx, failed", num: true, text: (u) => (u.now ? percent(u.now["5xx"] + u.now.none, u.now.rate) : "–"), sort: (u) => u.now?.["5xx"], look: (u) => (u.now && u.now["5xx"] + u.now.none > 0 ? "bad" : "") },
        { head: "p50", num: true, text: (u) => micros(u.now?.p50 ?? NaN), sort: (u) => u.now?.p50 },
        { head: "p99", num: true, text: (u) => micros(u.now?.p99 ?? NaN), sort: (u) => u.now?.p99 },
        { head: "Retries", num: true, text: (u) => count(u.stats.retries), sort: (u) => u.stats.retries },
      ],
    });
  }
}

const names = { rate: "Requests/s", failed: "Failed", refused: "Refused", p50: "p50", p99: "p99", active: "In flight", connections: "Connections", plugins: "Plugin failures" };

class Tile {
  constructor(name) {
    this.value = el("div", { class: "value", id: "tile-" + name }, "–");
    this.note = el("div", { class: "note" });
    this.node = el("div", { class: "tile" }, el("div", { class: "name" }, names[name]), this.value, this.note);
  }

  set(value, note, look = "") {
    say(this.value, value);
    say(this.note, note);
    if (this.node.className !== ("tile " + look).trim()) this.node.className = ("tile " + look).trim();
  }
}

export function card(title, part) { return el("section", { class: "card" }, el("h2", {}, title), part.node || part); }

function charts() {
  return [
    new Chart({ title: "Requests per second", format: rate, lines: [{ field: "rate", name: "all", style: 1 }, { field: "2xx", name: "2xx", style: 5, dash: 2 }, { field: "3xx", name: "3xx", style: 2, dash: 3 }] }),
    new Chart({ title: "Errors per second", format: rate, lines: [{ field: "4xx", name: "4xx", style: 3, dash: 2 }, { field: "5xx", name: "5xx", style: 4 }, { field: "none", name: "cut off", style: 5, dash: 3 }] }),
    new Chart({ title: "Latency", format: micros, log: true, lines: [{ field: "p50", name: "p50", style: 1 }, { field: "p90", name: "p90", style: 2, dash: 2 }, { field: "p99", name: "p99", style: 4, dash: 4 }] }),
  ];
}

const requestsOf = (r) => Object.values(r.requests).reduce((n, c) => n + c, 0);
const sumRequests = (stats) => Object.values(stats.routes).reduce((n, r) => n + requestsOf(r), 0);

// busiest returns at most 300 routes: those with the most requests so far.
function busiest(stats) {
  const all = Object.keys(stats.routes);
  if (all.length <= 300) return all;
  return all.map((name) => [requestsOf(stats.routes[name]), name]).sort((a, b) => b[0] - a[0]).slice(0, 300).map(([, name]) => name);
}

// costs returns what plugins cost in each route's chain: by the second now, and by the call since the start.
export function costs(app) {
  const { history } = app;
  const before = new Map((history.answers[0]?.filters || []).map((f) => [f.route + "\n" + f.plugin, f]));
  const seconds = (Date.parse(history.latest.time) - Date.parse(history.answers[0].time)) / 1000;
  return history.latest.filters.map((f) => {
    const old = before.get(f.route + "\n" + f.plugin);
    const calls = seconds > 0 ? Math.max(0, f.calls - (old ? old.calls : 0)) / seconds : NaN;
    const cost = hookCost(f.times, history.latest.hook_bounds);
    return { ...f, ...cost, calling: calls, share: calls * cost.mean };
  });
}

export function costTable(app) {
  return new Table({
    caption: "Plugin cost per route", key: (f) => f.route + "\n" + f.plugin, limit: 20, sort: 6, empty: "No plugin has run yet.",
    columns: [
      { head: "Plugin", make: (f) => el("button", { type: "button", class: "link", onclick: () => app.pickPlugin(f.plugin) }, f.plugin), sort: (f) => f.plugin },
      { head: "Route", text: (f) => f.route, sort: (f) => f.route, look: () => "wide" },
      { head: "Calls/s", num: true, text: (f) => rate(f.calling), sort: (f) => f.calling },
      { head: "Per call", num: true, text: (f) => micros(f.mean), hint: () => "average since the start, by one hook in 64", sort: (f) => f.mean },
      { head: "p99", num: true, text: (f) => micros(f.p99), sort: (f) => f.p99 },
      { head: "Fuel/call", num: true, text: (f) => count(f.calls ? f.fuel / f.calls : NaN), sort: (f) => f.fuel / f.calls },
      { head: "Per second", num: true, text: (f) => micros(f.share), hint: () => "calls/s × time per call", sort: (f) => f.share },
      { head: "Failed", num: true, text: (f) => count(f.failed), sort: (f) => f.failed, look: (f) => (f.failed ? "bad" : "") },
    ],
  });
}

function limitTable() {
  return new Table({
    caption: "Limits", key: (l) => l.name, limit: 12, sort: 2, empty: "No limit has decided anything yet.",
    columns: [
      { head: "Limit", text: (l) => l.name, sort: (l) => l.name },
      { head: "Allowed/s", num: true, text: (l) => rate(l.allowing), sort: (l) => l.allowing },
      { head: "Refused/s", num: true, text: (l) => rate(l.denying), sort: (l) => l.denying, look: (l) => (l.denying > 0 ? "warn" : "") },
      { head: "Allowed", num: true, text: (l) => count(l.allowed), sort: (l) => l.allowed },
      { head: "Refused", num: true, text: (l) => count(l.denied), sort: (l) => l.denied },
      { head: "Would refuse", num: true, text: (l) => (l.dry_run ? count(l.would_deny || 0) : "–") },
      { head: "Store errors", num: true, text: (l) => count(l.store_errors || 0), look: (l) => (l.store_errors ? "bad" : "") },
    ],
  });
}

function connectionTable() {
  return new Table({
    caption: "Connections", key: (l) => l.name, limit: 12, empty: "There is no listener.",
    columns: [
      { head: "Listener", text: (l) => l.name },
      { head: "Open", num: true, text: (l) => count(l.open) },
      { head: "HTTP/2", num: true, text: (l) => count(l.open_http2) },
      { head: "New/s", num: true, text: (l) => rate(l.accepting) },
      { head: "Refused", num: true, text: (l) => count(l.refused), look: (l) => (l.refused ? "warn" : "") },
      { head: "TLS failed", num: true, text: (l) => count(l.handshakes_failed), look: (l) => (l.handshakes_failed ? "warn" : "") },
    ],
  });
}
