// How things are, as a colour, a sign and a word: never by the colour alone.

import { el, say } from "./dom.js";
import { troubles } from "./format.js";

export const signs = { good: "✓", warn: "▲", bad: "✕" };

// endpointHealth takes an endpoint of /stats or /upstreams.
export function endpointHealth(e) {
  const standing = e.standing || e;
  const why = (standing.why || []).map((w) => troubles[w] || w);
  if (standing.usable === false) return { look: (standing.why || []).every((w) => w === "drained") ? "warn" : "bad", word: why.join(", ") || "out of use" };
  if (e.breaker === "open") return { look: "bad", word: "breaker open" };
  if (e.breaker === "half_open") return { look: "warn", word: "breaker half open" };
  if (standing.check && standing.check.result && !standing.check.passed) return { look: "warn", word: "in use, last check failed" };
  return { look: "good", word: "in use" };
}

// upstreamHealth takes the endpoints.
export function upstreamHealth(endpoints) {
  const all = endpoints.map(endpointHealth);
  const good = all.filter((h) => h.look === "good" || h.word.startsWith("in use")).length;
  if (all.length === 0) return { look: "bad", word: "no endpoints" };
  if (good === 0) return { look: "bad", word: "none of " + all.length + " in use" };
  return { look: good < all.length ? "warn" : "good", word: good + " of " + all.length + " in use" };
}

export function badge(health) {
  const node = el("span", { class: "badge" });
  setBadge(node, health);
  return node;
}

export function setBadge(node, { look, word }) {
  if (node.className !== "badge " + look) node.className = "badge " + look;
  say(node, (signs[look] || "") + " " + word);
}
