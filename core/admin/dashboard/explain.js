// Which route gets a request, and why; and why requests were refused.

import { get } from "./api.js";
import { el, say } from "./dom.js";
import { badge } from "./health.js";
import { troubles } from "./format.js";
import { facts } from "./routes.js";
import { matches, refusalTable } from "./refusals.js";
import { Table } from "./table.js";

const outcomes = { matched: "good", precedence: "warn" };

export class Explain {
  needs = ["refusals"];

  constructor(app) {
    this.app = app;
    this.method = el("input", { id: "explain-method", value: "GET", list: "methods", size: 8, autocomplete: "off", spellcheck: "false", required: true });
    this.url = el("input", { id: "explain-url", placeholder: "https://api.example.com/orders/7", autocomplete: "off", spellcheck: "false", required: true });
    this.headers = el("textarea", { id: "explain-headers", rows: 2, placeholder: "X-Version: 2", spellcheck: "false" });
    this.answer = el("div", { class: "view", "aria-live": "polite" });
    const field = (label, input, cls = "") => el("div", { class: "field " + cls }, el("label", { for: input.id }, label), input);
    const form = el("form", { id: "explain", onsubmit: (e) => { e.preventDefault(); this.ask(); } },
      el("div", { class: "row" }, field("Method", this.method), field("URL, or a path", this.url, "grow"), field("Headers, one a line (optional)", this.headers, "grow"), el("button", { type: "submit", class: "primary" }, "Explain")),
      el("datalist", { id: "methods" }, ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"].map((m) => el("option", { value: m }))));
    this.search = el("input", { id: "refusal-search", type: "search", placeholder: "403, a path, a route, a filter, a request id…", autocomplete: "off", oninput: () => this.tick() });
    this.refusals = refusalTable(app, { limit: 100 });
    this.node = el("div", { class: "view" },
      el("section", { class: "card" }, el("h2", {}, "Where does a request go?"), form), this.answer,
      el("section", { class: "card" }, el("h2", {}, "Why was a request refused?"), el("p", { class: "quiet" }, "What was answered with 400 and above or cut off since the gateway began, by kind, each with its latest example. The access log has every request by its id."),
        field("Search", this.search, "grow"), this.refusals.node));
  }

  // open asks about an example of a refusal.
  open(example) {
    if (!example || typeof example !== "object") return;
    this.method.value = example.method;
    this.url.value = example.path;
    this.headers.value = example.host ? "Host: " + example.host : "";
    this.node.scrollIntoView({ block: "start" });
    this.ask();
  }

  tick() {
    const words = this.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    this.refusals.update(this.app.refusals.filter((r) => matches(r, words, this.app.routes)));
  }

  async ask() {
    const query = new URLSearchParams({ method: this.method.value.trim(), url: this.url.value.trim() });
    for (const line of this.headers.value.split("\n")) if (line.trim()) query.append("header", line.trim());
    try {
      this.tell(await get("/explain?" + query));
    } catch (error) {
      this.answer.replaceChildren(el("section", { class: "card" }, el("p", { class: "wrong" }, error.message)));
      this.app.failed(error);
    }
  }

  tell(e) {
    const parts = [el("p", { class: "answer", id: "explain-answer" }, verdict(e))];
    if (e.route) {
      parts.push(el("p", {}, "Its chain: ", e.route.chain.length ? e.route.chain.map((s) => s.name).join(" → ") : "no filter", ". Any of these filters may still refuse the request."));
      if (e.params) parts.push(el("p", {}, "Parameters: " + Object.entries(e.params).map(([k, v]) => `${k} = ${v}`).join(", ")));
      parts.push(facts(e.route), endpoints(e.endpoints || {}), el("button", { type: "button", class: "small", onclick: () => this.app.pickRoute(e.route.name) }, "Show the route"));
    }
    const table = reasonTable();
    table.update([...e.reached, ...e.others]);
    this.answer.replaceChildren(el("section", { class: "card" }, ...parts),
      el("section", { class: "card" }, el("h2", {}, "Why this route and no other"), table.node, e.left_out ? el("p", { class: "quiet" }, `${e.left_out} routes that it does not come near are left out.`) : null));
    this.seen(e);
  }

  // seen adds how requests of that route were refused.
  seen(e) {
    const list = this.app.refusals.filter((r) => r.route === (e.route ? e.route.name : ""));
    if (!list.length || !e.route) return;
    const table = refusalTable(this.app, { limit: 10 });
    table.update(list);
    this.answer.firstChild.append(el("h3", {}, "Refusals seen on this route"), table.node);
  }
}

function verdict(e) {
  const request = `${e.method} ${e.host}${e.path}`;
  if (e.route && e.status) return `${request} matches the route ${e.route.name}, which answers ${e.status}: ${e.answer}`;
  if (e.route) return `${request} goes to the route ${e.route.name}`;
  return `${request} is answered ${e.status}: ${e.answer}`;
}

function endpoints(byUpstream) {
  return el("ul", {}, Object.entries(byUpstream).map(([name, list]) => el("li", {}, `${name}: `, el("span", { class: "chips" }, (list || []).map((e) =>
    badge({ look: e.usable ? "good" : "bad", word: e.address + (e.usable ? "" : ": " + ((e.why || []).map((w) => troubles[w] || w).join(", ") || "breaker open")) }))))));
}

function reasonTable() {
  return new Table({
    caption: "Routes and why they match or do not", key: (r) => r.route, limit: 200,
    columns: [
      { head: "Route", text: (r) => r.route },
      { head: "Outcome", make: (r) => badge({ look: outcomes[r.outcome] || "", word: r.outcome === "matched" ? "matches" : r.outcome === "precedence" ? "fits, comes later" : "other " + r.outcome }) },
      { head: "Why", text: (r) => r.why, look: () => "wide" },
    ],
  });
}
