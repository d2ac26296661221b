// The routes: searched, drawn, and one of them in full.

import { el, say } from "./dom.js";
import { count, micros, percent, rate } from "./format.js";
import { RouteMap, ending, upstreamsOf } from "./map.js";
import { card, costs } from "./overview.js";
import { refusalTable } from "./refusals.js";
import { Table } from "./table.js";

const drawn = 20; // routes in the drawing: of many, the first that match

export class Routes {
  needs = ["refusals"];

  constructor(app) {
    this.app = app;
    this.chosen = "";
    this.search = el("input", { id: "route-search", type: "search", placeholder: "name, path, host, filter, upstream…", autocomplete: "off", spellcheck: "false", oninput: () => this.tick() });
    this.found = el("p", { class: "quiet", "aria-live": "polite" });
    this.map = new RouteMap({ pickRoute: (name) => this.choose(name), pickUpstream: app.pickUpstream, pickPlugin: app.pickPlugin });
    this.detail = el("section", { class: "card", hidden: true, "aria-label": "The chosen route" });
    this.table = this.routeTable();
    this.node = el("div", { class: "view" },
      el("section", { class: "card" }, el("div", { class: "row" }, el("div", { class: "field grow" }, el("label", { for: "route-search" }, "Search routes"), this.search)), this.found, this.map.node),
      this.detail, card("Routes, in the order of precedence", this.table));
  }

  open(name) {
    this.search.value = "";
    this.choose(name);
  }

  choose(name) {
    this.chosen = name;
    this.tick();
    this.detail.scrollIntoView({ block: "nearest" });
  }

  tick() {
    const { routes, history } = this.app;
    const found = this.matching(routes);
    const first = found.slice(0, drawn);
    const chosen = routes.find((r) => r.name === this.chosen);
    if (chosen && !first.includes(chosen)) first.unshift(chosen);
    say(this.found, found.length === routes.length ? (found.length > drawn ? `${count(found.length)} routes; the first ${drawn} are drawn. Search to see others.` : `${found.length} ${found.length === 1 ? "route" : "routes"}.`) : `${found.length} of ${routes.length} routes match.`);
    this.map.update(first, history.latest, history, this.chosen);
    this.table.update(found.slice(0, this.table.limit + 1).map((r) => ({ ...r, now: history.now("r:" + r.name) })));
    if (found.length > this.table.limit) say(this.table.more, `The first ${this.table.limit} of ${found.length} are shown.`);
    this.tell(chosen);
  }

  matching(routes) {
    const words = this.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    if (words.length === 0) return routes;
    return routes.filter((r) => {
      r.text ??= [r.name, r.host, r.path, r.where, ...(r.methods || []), ...r.chain.map((s) => s.name), ...upstreamsOf(r), ending(r.target)].join(" ").toLowerCase();
      return words.every((w) => r.text.includes(w));
    });
  }

  // tell shows the chosen route: its frame once, its numbers each time.
  tell(route) {
    this.detail.hidden = !route;
    if (!route) return;
    const sketch = route.name + "\n" + this.app.generation;
    if (sketch !== this.sketch) { this.sketch = sketch; this.frame(route); }
    const now = this.app.history.now("r:" + route.name);
    say(this.numbers, now ? `${rate(now.rate)} requests/s, ${percent(now["4xx"], now.rate)} 4xx, ${percent(now["5xx"] + now.none, now.rate)} failed, p50 ${micros(now.p50)}, p99 ${micros(now.p99)}` : "No request yet.");
    const cost = new Map(costs(this.app).filter((c) => c.route === route.name).map((c) => [c.plugin, c]));
    this.steps.update(route.chain.map((s, i) => ({ ...s, at: i + 1, cost: cost.get(s.name) })));
    this.refusals.update(this.app.refusals.filter((r) => r.route === route.name));
  }

  frame(route) {
    this.numbers = el("p");
    this.steps = stepTable(this.app);
    this.refusals = refusalTable(this.app, { limit: 10 });
    this.detail.replaceChildren(
      el("div", { class: "row between" }, el("h2", { class: "wide" }, "Route ", route.name), el("div", { class: "row" },
        el("button", { type: "button", class: "small", onclick: () => this.app.focus("r:" + route.name) }, "Charts"),
        el("button", { type: "button", class: "small", onclick: () => this.choose("") }, "Close"))),
      this.numbers, facts(route), el("h3", {}, "Chain"), this.steps.node, el("h3", {}, "Refused and failed on this route"), this.refusals.node);
  }

  routeTable() {
    const { app } = this;
    return new Table({
      caption: "Routes", key: (r) => r.name, limit: 100, empty: "No route matches.",
      columns: [
        { head: "Route", make: (r) => el("button", { type: "button", class: "link", onclick: () => this.choose(r.name) }, r.name) },
        { head: "Rank", num: true, text: (r) => r.rank },
        { head: "Methods", text: (r) => (r.methods || ["any"]).join(" ") },
        { head: "Host and path", text: (r) => (r.host || "") + r.path, look: () => "mono wide" },
        { head: "Chain", text: (r) => r.chain.map((s) => s.name).join(" → ") || "–" },
        { head: "Goes to", text: (r) => ending(r.target), look: () => "wide" },
        { head: "Req/s", num: true, text: (r) => rate(r.now?.rate ?? NaN) },
        { head: "p99", num: true, text: (r) => micros(r.now?.p99 ?? NaN) },
        { head: "Line", num: true, text: (r) => r.line, hint: (r) => r.where },
      ],
    });
  }
}

function stepTable(app) {
  return new Table({
    caption: "The chain", key: (s) => s.at, empty: "No filter: requests go straight on.",
    columns: [
      { head: "Step", make: (s) => (s.kind === "plugin" ? el("button", { type: "button", class: "link", onclick: () => app.pickPlugin(s.name) }, s.name) : el("span", {}, s.name)) },
      { head: "Kind", text: (s) => (s.kind === "plugin" ? "plugin" : "built in") + (s.global ? ", every route" : "") },
      { head: "If it fails", text: (s) => s.on_error || "–" },
      { head: "Per call", num: true, text: (s) => micros(s.cost?.mean ?? NaN) },
      { head: "p99", num: true, text: (s) => micros(s.cost?.p99 ?? NaN) },
      { head: "Failed", num: true, text: (s) => count(s.cost?.failed ?? NaN), look: (s) => (s.cost?.failed ? "bad" : "") },
      { head: "Set at", text: (s) => `${s.where || ""}, line ${s.line || "?"}`, look: () => "quiet" },
    ],
  });
}

// facts are what a route is made of.
export function facts(route) {
  const list = [["Methods", (route.methods || ["any"]).join(", ")], ["Host", route.host || "any"], ["Path", route.path], ["Headers", entries(route.headers)], ["Query", entries(route.query)],
    ["Goes to", ending(route.target)], ["Limits", entries(route.limits)], ["Set at", `${route.where}, line ${route.line}; rank ${route.rank}`]];
  return el("dl", { class: "pairs" }, list.filter(([, v]) => v).flatMap(([k, v]) => [el("dt", {}, k), el("dd", { class: "wide" }, v)]));
}

function entries(object) {
  return Object.entries(object || {}).map(([k, v]) => k.replaceAll("_", " ") + " " + (typeof v === "object" ? JSON.stringify(v) : v)).join(", ");
}
