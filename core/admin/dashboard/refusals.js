// Why requests were refused or failed: by whom, and an example of each kind.

import { el } from "./dom.js";
import { ago, clock, count, reasons } from "./format.js";
import { Table } from "./table.js";

// blamed says who made an answer, in words.
export const blamed = (r) => (r.filter ? `${r.answered_by === "gateway" ? "gateway, after " : r.answered_by + " "}${r.filter}` : r.answered_by);

// why says it with the place in the file where it was so decided.
export function why(r, routes) {
  const parts = [reasons[r.reason_code] || r.reason_code || (r.answered_by === "upstream" ? "the upstream's own answer" : "")];
  const steps = (r.filter && routes.find((route) => route.name === r.route)?.chain.filter((s) => s.name === r.filter)) || [];
  if (steps.length) parts.push(steps.map((s) => `${s.where}, line ${s.line}`).join(" or "));
  if (r.limit) parts.push("limit " + r.limit);
  if (r.example.reason) parts.push(r.example.reason);
  return parts.filter(Boolean).join("; ");
}

export const matches = (r, words, routes) => words.every((w) => [r.route || "no route", String(r.status || "none"), blamed(r), why(r, routes), r.example.path, r.example.host, r.example.request_id, r.example.method, r.example.client].join(" ").toLowerCase().includes(w));

export function refusalTable(app, { limit }) {
  return new Table({
    caption: "Refused and failed requests", key: (r) => [r.route, r.status, r.answered_by, r.filter, r.limit, r.reason_code].join("\n"), limit, sort: 5,
    empty: "No request was refused or failed since the gateway began.",
    columns: [
      { head: "Status", text: (r) => r.status || "none", look: (r) => "short " + (r.status >= 500 || r.status === 0 ? "bad" : "warn"), sort: (r) => r.status },
      { head: "Route", make: (r) => (r.route ? el("button", { type: "button", class: "link", onclick: () => app.pickRoute(r.route) }, r.route) : el("span", { class: "quiet short" }, "no route")), sort: (r) => r.route },
      { head: "Answered by", text: blamed, sort: blamed },
      { head: "Why", text: (r) => why(r, app.routes), look: () => "wide" },
      { head: "Count", num: true, text: (r) => count(r.count), sort: (r) => r.count },
      { head: "Last", num: true, text: (r) => ago(r.last), hint: (r) => clock(r.last), sort: (r) => Date.parse(r.last) },
      { head: "Latest example", text: (r) => `${r.example.method} ${r.example.host}${r.example.path}`, hint: (r) => `request id ${r.example.request_id}, from ${r.example.client}`, look: () => "mono wide" },
      { head: "Request id", text: (r) => r.example.request_id.slice(0, 12), hint: (r) => r.example.request_id, look: () => "mono" },
      { head: "", make: (r) => new Explainer(r, app.explain).node, refresh: (node, r) => { node.refusal = r; } },
    ],
  });
}

// Explainer is the button that asks about the example that the row shows by then.
class Explainer {
  constructor(r, explain) {
    this.node = el("button", { type: "button", class: "small", onclick: () => explain(this.node.refusal.example) }, "Explain");
    this.node.refusal = r;
  }
}
