// The plugins: which version, what they may, what they cost, and how they failed.

import { el, say } from "./dom.js";
import { ago, bytes, clock, count, micros } from "./format.js";
import { badge, setBadge } from "./health.js";
import { card, costTable, costs } from "./overview.js";
import { Table } from "./table.js";

const total = (p, field) => p.pools.reduce((n, pool) => n + pool[field], 0);
const mean = (p) => { const calls = total(p, "calls"); return calls ? p.pools.reduce((n, pool) => n + pool.micros * pool.calls, 0) / calls : NaN; };
const failed = (p) => p.pools.reduce((n, pool) => n + Object.values(pool.failures).reduce((a, b) => a + b, 0), 0);

function health(p) {
  if (p.pools.some((pool) => pool.open)) return { look: "bad", word: "left alone: keeps failing" };
  if (p.failures.some((f) => Date.now() - Date.parse(f.time) < 60000)) return { look: "warn", word: "failed in the last minute" };
  return { look: "good", word: "works" };
}

export class Plugins {
  needs = ["plugins"];

  constructor(app) {
    this.app = app;
    this.chosen = "";
    this.table = this.pluginTable();
    this.costs = costTable(app);
    this.detail = el("section", { class: "card", hidden: true, "aria-label": "The chosen plugin" });
    this.node = el("div", { class: "view" }, card("Plugins", this.table), this.detail, card("Cost per route", this.costs));
  }

  open(name) { this.choose(name); }

  choose(name) {
    this.chosen = name;
    this.tick();
    this.detail.scrollIntoView({ block: "nearest" });
  }

  tick() {
    this.costs.update(costs(this.app));
    const { plugins } = this.app;
    if (!plugins) return;
    this.table.update(plugins);
    const p = plugins.find((each) => each.name === this.chosen);
    this.detail.hidden = !p;
    if (p) this.tell(p);
  }

  pluginTable() {
    return new Table({
      caption: "Plugins", key: (p) => p.name, limit: 100, sort: 3, empty: "No route uses a plugin.",
      columns: [
        { head: "Plugin", make: (p) => el("button", { type: "button", class: "link", onclick: () => this.choose(p.name) }, p.name), sort: (p) => p.name },
        { head: "State", make: (p) => badge(health(p)), refresh: (node, p) => setBadge(node, health(p)) },
        { head: "Version", text: (p) => p.hash.slice(0, 12), hint: (p) => "SHA-256 " + p.hash, look: () => "mono" },
        { head: "Per call", num: true, text: (p) => micros(mean(p) || NaN), sort: mean },
        { head: "Calls", num: true, text: (p) => count(total(p, "calls")), sort: (p) => total(p, "calls") },
        { head: "Fuel/call", num: true, text: (p) => count(total(p, "fuel") / total(p, "calls")), sort: (p) => total(p, "fuel") / total(p, "calls") },
        { head: "Instances", num: true, text: (p) => `${total(p, "instances") - total(p, "idle")} busy, ${total(p, "idle")} idle` },
        { head: "Waiting", num: true, text: (p) => count(total(p, "waiting")), look: (p) => (total(p, "waiting") ? "warn" : "") },
        { head: "Failed", num: true, text: (p) => count(failed(p)), sort: failed, look: (p) => (failed(p) ? "bad" : "") },
        { head: "Grants", text: (p) => p.grants.join(", ") || "none", look: () => "wide" },
      ],
    });
  }

  tell(p) {
    const sketch = JSON.stringify([p.name, p.hash, p.failures[0]?.time, p.grants]);
    if (sketch !== this.sketch) { this.sketch = sketch; this.frame(p); }
    const causes = {};
    for (const pool of p.pools) for (const [cause, n] of Object.entries(pool.failures)) causes[cause] = (causes[cause] || 0) + n;
    say(this.causes, Object.entries(causes).map(([cause, n]) => `${cause} ${count(n)}`).join(", ") || "none");
    say(this.memory, `${bytes(total(p, "idle_memory"))} in idle instances; each may have ${bytes(p.limits.memory)}`);
  }

  frame(p) {
    this.causes = el("dd");
    this.memory = el("dd");
    const fact = (name, value) => [el("dt", {}, name), value instanceof Node ? value : el("dd", { class: "wide" }, value)];
    const l = p.limits;
    this.detail.replaceChildren(
      el("div", { class: "row between" }, el("h2", {}, "Plugin ", p.name), el("button", { type: "button", class: "small", onclick: () => this.choose("") }, "Close")),
      el("dl", { class: "pairs" },
        fact("Version", el("dd", { class: "mono wide" }, "SHA-256 " + p.hash + (p.pinned ? " (pinned by the config)" : ""))), fact("File", p.file),
        fact("Hooks", p.hooks.join(", ") || "none"), fact("Grants", p.grants.join(", ") || "none"),
        fact("Limits", `fuel ${count(l.fuel)} a hook, time ${l.time_limit}, ${l.max_instances} instances, wait ${l.wait_timeout}`),
        fact("Memory", this.memory), fact("Failures", this.causes)),
      el("h3", {}, "Last failures"), ...(p.failures.length ? p.failures.map(failure) : [el("p", { class: "quiet" }, "It has not failed.")]));
  }
}

function failure(f, i) {
  return el("details", { open: i === 0 },
    el("summary", {}, el("span", { class: "bad-text" }, "✕ " + f.cause), ` in ${f.export} on route ${f.route}, ${ago(f.time)}${f.retried ? ", tried again in a fresh instance" : ""}`),
    el("pre", {}, [f.error, f.stack, `at ${f.where}, request ${f.request_id}, ${clock(f.time)}`].filter(Boolean).join("\n")));
}
