// The upstreams with their endpoints, which can be drained and weighed here.

import { ask, endpointPath } from "./api.js";
import { announce, confirmed, el, say } from "./dom.js";
import { ago, count, micros, percent, rate } from "./format.js";
import { badge, endpointHealth, setBadge, upstreamHealth } from "./health.js";
import { Table } from "./table.js";

const shown = 30;

export class Upstreams {
  needs = ["upstreams"];

  constructor(app) {
    this.app = app;
    this.search = el("input", { id: "upstream-search", type: "search", placeholder: "name or address…", autocomplete: "off", oninput: () => this.tick() });
    this.found = el("p", { class: "quiet", "aria-live": "polite" });
    this.wrong = el("p", { class: "wrong", role: "alert" });
    this.list = el("div", { class: "view" });
    this.cards = new Map();
    this.node = el("div", { class: "view" }, el("section", { class: "card" }, el("div", { class: "field grow" }, el("label", { for: "upstream-search" }, "Search upstreams"), this.search), this.found, this.wrong), this.list);
  }

  open(name) {
    this.search.value = name;
    this.tick();
  }

  tick() {
    const { upstreams } = this.app;
    if (!upstreams) return;
    const word = this.search.value.toLowerCase();
    const found = upstreams.filter((u) => u.name.toLowerCase().includes(word) || u.endpoints.some((e) => e.address.toLowerCase().includes(word)));
    say(this.found, `${found.length} of ${upstreams.length} ${upstreams.length === 1 ? "upstream" : "upstreams"}` + (found.length > shown ? `; the first ${shown} are shown` : ""));
    const names = new Set();
    found.slice(0, shown).forEach((u, at) => {
      names.add(u.name);
      let part = this.cards.get(u.name);
      if (!part) this.cards.set(u.name, (part = new Upstream(this, u)));
      if (this.list.children[at] !== part.node) this.list.insertBefore(part.node, this.list.children[at] || null);
      part.update(u);
    });
    for (const [name, part] of this.cards) if (!names.has(name)) { part.node.remove(); this.cards.delete(name); }
  }

  // change asks, then tells the gateway, then looks how it is.
  async change(question, method, path, body) {
    if (!(await confirmed(question.title, question.text, question.yes))) return;
    try {
      await ask(method, path, body);
      say(this.wrong, "");
      announce(question.done);
    } catch (error) {
      say(this.wrong, `${question.title} Not done: ${error.message}`);
      this.app.failed(error);
    }
    await this.app.refresh("upstreams");
    this.tick();
  }
}

class Upstream {
  constructor(view, u) {
    this.view = view;
    this.state = badge({ look: "good", word: "" });
    this.about = el("p", { class: "quiet" });
    this.table = this.endpointTable(u.name);
    this.node = el("section", { class: "card" },
      el("div", { class: "row between" }, el("h2", { class: "wide" }, u.name), this.state), this.about, this.table.node);
  }

  update(u) {
    this.u = u;
    setBadge(this.state, upstreamHealth(u.endpoints));
    const now = this.view.app.history.now("u:" + u.name);
    const t = u.totals;
    say(this.about, [`${u.protocol}${u.tls ? " over TLS" : ""}, ${u.balance.policy}`,
      now ? `${rate(now.rate)} requests/s, ${percent(now["5xx"] + now.none, now.rate)} failed, p50 ${micros(now.p50)}, p99 ${micros(now.p99)}` : "",
      t.retries ? count(t.retries) + " retries" : "", t.pending ? count(t.pending) + " waiting" : "", t.overflowed ? count(t.overflowed) + " refused for want of room" : "",
      u.balance.panic ? "so few endpoints can be used that all are tried" : "",
      `used by ${u.routes.length} ${u.routes.length === 1 ? "route" : "routes"}${u.routes.length ? ": " + u.routes.slice(0, 5).join(", ") + (u.routes.length > 5 ? "…" : "") : ""}`].filter(Boolean).join(" · "));
    this.table.update(u.endpoints);
  }

  endpointTable(name) {
    const drained = (e) => (e.standing.why || []).includes("drained");
    const before = (s, e) => s.upstreams[name]?.endpoints[e.address];
    return new Table({
      caption: "Endpoints of " + name, key: (e) => e.address, limit: 100, empty: "It has no endpoints now.",
      columns: [
        { head: "Endpoint", text: (e) => e.address, look: () => "mono" },
        { head: "State", make: (e) => badge(endpointHealth(e)), refresh: (node, e) => { setBadge(node, endpointHealth(e)); node.title = e.standing.check?.result || ""; } },
        { head: "Change", make: (e) => this.controls(e), refresh: (node, e) => { node.endpoint = e; say(node.firstChild, drained(e) ? "Undrain" : "Drain"); node.firstChild.setAttribute("aria-label", (drained(e) ? "Undrain " : "Drain ") + e.address); } },
        { head: "Since", num: true, text: (e) => ago(e.standing.since) },
        { head: "In flight", num: true, text: (e) => count(e.active) },
        { head: "Tries/s", num: true, text: (e) => rate(this.view.app.history.per((s) => before(s, e)?.requests)) },
        { head: "Failed", num: true, text: (e) => `${count(e.failures)} (${percent(e.failures, e.requests)})`, look: (e) => (e.failures ? "warn" : "") },
        { head: "Breaker", text: (e) => (e.breaker || "none").replace("_", " "), look: (e) => (e.breaker === "open" ? "bad" : "") },
        { head: "Weight", num: true, text: (e) => e.weight + (e.weight !== e.configured_weight ? ` (config ${e.configured_weight})` : "") },
      ],
    });
  }

  controls(e) {
    const node = el("div", { class: "chips" });
    const weight = el("input", { type: "number", min: "1", max: "1000", class: "small", "aria-label": "New weight of " + e.address, value: e.weight });
    node.append(el("button", { type: "button", class: "small drain", onclick: () => this.drain(node.endpoint) }), weight,
      el("button", { type: "button", class: "small", "aria-label": "Set the weight of " + e.address, onclick: () => this.weigh(node.endpoint, weight) }, "Set weight"));
    node.endpoint = e;
    return node;
  }

  drain(e) {
    const back = (e.standing.why || []).includes("drained");
    const others = this.u.endpoints.filter((o) => o.address !== e.address && o.standing.usable).length;
    const warning = others === 0 && !back ? " It is the last endpoint in use: requests to this upstream will fail." : "";
    return this.view.change({
      title: `${back ? "Undrain" : "Drain"} ${e.address} of ${this.u.name}?`,
      text: back ? "It gets new requests again." : "It gets no new requests; those in flight may end. This holds over reloads, until it is undrained or the gateway is restarted." + warning,
      yes: back ? "Undrain" : "Drain", done: `${e.address} is ${back ? "back in use" : "drained"}.`,
    }, "POST", endpointPath(this.u.name, e.address, "drain"), { drain: !back });
  }

  weigh(e, input) {
    const weight = input.valueAsNumber;
    if (!Number.isInteger(weight) || weight < 1 || weight > 1000) { input.setCustomValidity("From 1 to 1000."); input.reportValidity(); input.setCustomValidity(""); return; }
    const configured = weight === e.configured_weight;
    return this.view.change({
      title: `Give ${e.address} of ${this.u.name} the weight ${weight}?`,
      text: configured ? "That is the config's own." : `Now it is ${e.weight}; the config says ${e.configured_weight}. It holds until the config gives it another one.`,
      yes: "Set weight", done: `${e.address} has the weight ${weight}.`,
    }, "PUT", endpointPath(this.u.name, e.address, "weight"), { weight: configured ? null : weight });
  }
}
