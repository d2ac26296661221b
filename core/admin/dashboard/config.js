// How configs came into force or were refused, what differs between two, and the log's level.

import { ask, get } from "./api.js";
import { announce, confirmed, el, say } from "./dom.js";
import { ago, clock } from "./format.js";
import { badge, setBadge } from "./health.js";
import { Table } from "./table.js";
import { card } from "./overview.js";

export class Config {
  needs = ["attempts", "level"];

  constructor(app) {
    this.app = app;
    this.from = el("select", { id: "diff-from", onchange: () => this.compare(true) });
    this.to = el("select", { id: "diff-to", onchange: () => this.compare(true) });
    this.changes = el("div", { class: "list", "aria-live": "polite" });
    this.wrong = el("div", { role: "alert" });
    this.level = el("select", { id: "level", onchange: () => this.setLevel() }, ["debug", "info", "warn", "error"].map((l) => el("option", { value: l }, l)));
    this.levelNote = el("span", { class: "quiet" });
    this.table = attemptTable(app);
    this.node = el("div", { class: "view" },
      el("section", { class: "card" }, el("h2", {}, "What changed"),
        el("div", { class: "row" }, field("From generation", this.from), field("to generation", this.to)), this.changes),
      el("section", { class: "card" }, el("div", { class: "row between" }, el("h2", {}, "Generations and refused configs"),
        el("button", { type: "button", onclick: () => this.reload() }, "Reload now")), this.wrong, this.table.node),
      card("Log level", el("div", { class: "row" }, field("The gateway's log tells", this.level), this.levelNote)));
  }

  tick() {
    const { attempts, level } = this.app;
    if (level && document.activeElement !== this.level) { this.level.value = level.level; say(this.levelNote, level.configured === level.level ? "as the config says" : "the config says " + level.configured); }
    if (!attempts) return;
    this.table.update(attempts);
    this.offer(attempts.filter((a) => a.ok && a.comparable).map((a) => a.generation));
  }

  // offer lists the generations that can be compared; what was chosen stays, unless a newer one has come.
  offer(generations) {
    const sketch = generations.join();
    if (sketch === this.sketch) return;
    this.sketch = sketch;
    const options = (chosen) => generations.map((g) => el("option", { value: g, selected: g === chosen }, g));
    this.to.replaceChildren(...options(generations[0]));
    this.from.replaceChildren(...options(generations[1] ?? generations[0]));
    this.compare();
  }

  async compare() {
    if (!this.to.value || this.from.value === this.to.value) {
      this.changes.replaceChildren(el("p", { class: "quiet" }, this.sketch?.includes(",") ? "Choose two generations that differ." : "There is one generation so far: nothing to compare."));
      return;
    }
    try {
      const diff = await get(`/config/diff?from=${this.from.value}&to=${this.to.value}`);
      this.changes.replaceChildren(...(diff.changes.length ? diff.changes.map(change) : [el("p", { class: "quiet" }, "Nothing differs by meaning. (A plugin's file may have changed: see its version.)")]));
    } catch (error) {
      this.changes.replaceChildren(el("p", { class: "wrong" }, error.message));
      this.app.failed(error);
    }
  }

  async reload() {
    if (!(await confirmed("Reload the config now?", "The file is read again and put in force if nothing is wrong with it; else the present config stays.", "Reload"))) return;
    try {
      await ask("POST", "/reload", {});
      this.wrong.replaceChildren();
      announce("The config was reloaded.");
    } catch (error) {
      this.wrong.replaceChildren(el("p", { class: "wrong" }, error.message), mistakes(error.problem?.errors));
      this.app.failed(error);
    }
    await this.app.refresh("attempts");
    this.tick();
  }

  async setLevel() {
    try {
      this.app.level = await ask("PUT", "/log-level", { level: this.level.value });
      announce("The log level is " + this.app.level.level + ".");
    } catch (error) {
      say(this.levelNote, "Not done: " + error.message);
      this.app.failed(error);
    }
  }
}

function field(label, input) { return el("div", { class: "field" }, el("label", { for: input.id }, label), input); }

function attemptTable(app) {
  const result = (a) => (!a.ok ? { look: "bad", word: "refused" } : a.generation === app.generation ? { look: "good", word: "in force" } : { look: "", word: "replaced" });
  return new Table({
    caption: "Generations and refused configs", key: (a) => a.time + (a.generation || ""), limit: 32,
    columns: [
      { head: "Generation", text: (a) => a.generation || "–", look: () => "short" },
      { head: "Result", make: (a) => badge(result(a)), refresh: (node, a) => setBadge(node, result(a)) },
      { head: "When", text: (a) => ago(a.time), hint: (a) => clock(a.time), look: () => "short" },
      { head: "By", text: (a) => a.source + (a.who ? ", " + a.who : ""), look: () => "wide" },
      { head: "SHA-256", text: (a) => (a.hash || "–").slice(0, 12), hint: (a) => a.hash || "", look: () => "mono" },
      { head: "Mistakes", make: (a) => (a.ok ? el("span") : a.errors?.length ? mistakes(a.errors) : el("span", { class: "bad-text wide" }, a.error)) },
    ],
  });
}

function mistakes(errors) {
  return el("pre", {}, (errors || []).map((e) => `${e.file ? e.file + ":" : ""}${e.line || "?"}:${e.col || "?"} ${e.key || ""}: ${e.message}`).join("\n"));
}

const kinds = { added: "+ added", removed: "− removed", changed: "~ changed" };
const written = (value) => (value === undefined ? "not set" : typeof value === "string" ? value : JSON.stringify(value));

// change tells of a part of the config that differs.
function change(c) {
  const look = { added: "good", removed: "bad", changed: "warn" }[c.kind] || "";
  const told = (c.settings || []).filter((s) => c.kind !== "added" || !s.default);
  return el("section", { class: "change " + c.kind },
    el("h3", {}, el("span", { class: look + "-text" }, kinds[c.kind] || c.kind), ` ${c.part} ${c.name || ""}`),
    (c.attention || []).map((text) => el("p", { class: "warn-text" }, "▲ " + text)),
    c.chain ? el("p", {}, "Chain: ", el("code", {}, c.chain.before.join(" → ") || "empty"), " is now ", el("code", {}, c.chain.after.join(" → ") || "empty")) : null,
    told.length ? el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `Settings of ${c.part} ${c.name || ""}` }, el("table", {},
      el("thead", {}, el("tr", {}, ["Setting", "Before", "After"].map((h) => el("th", { scope: "col" }, h)))),
      el("tbody", {}, told.map((s) => el("tr", {}, el("th", { scope: "row", class: "mono" }, s.key), el("td", { class: "mono wide" }, written(s.from)), el("td", { class: "mono wide" }, written(s.to) + (s.default ? " (default)" : ""))))))) : null);
}
