// What can be computed from answers of GET /stats: rates and quantiles from differences between two of them, and five minutes of history.

const kept = 300; // samples of each series
const window = 5; // answers that "now" is an average over
const pause = 60000; // milliseconds without an answer after which numbers begin anew: the page was hidden, or the gateway away
const maxSeries = 600; // routes and upstreams with a history
export const classes = ["2xx", "3xx", "4xx", "5xx", "none"];
const fields = ["rate", ...classes, "p50", "p90", "p99"];

// grown is what a count has grown by. One that is lower began anew.
const grown = (now, before) => (before === undefined || now < before ? now : now - before);

export function buckets(now, before) {
  return now.map((n, i) => grown(n, before ? before[i] : 0));
}

// quantile estimates one from classes: bounds in microseconds, one class more than bounds. Within a class values are taken to lie evenly.
export function quantile(q, counts, bounds) {
  const total = counts.reduce((sum, n) => sum + n, 0);
  if (total === 0) return NaN;
  let rank = q * total;
  for (let i = 0; i < counts.length; i++) {
    if (counts[i] > 0 && rank <= counts[i]) {
      const low = i === 0 ? 0 : bounds[i - 1];
      const high = i < bounds.length ? bounds[i] : low;
      return low + ((high - low) * rank) / counts[i];
    }
    rank -= counts[i];
  }
  return bounds[bounds.length - 1];
}

// Ring is a history of samples with several fields.
class Ring {
  constructor() {
    this.values = Object.fromEntries(fields.map((f) => [f, new Float64Array(kept).fill(NaN)]));
  }
}

export class History {
  constructor() { this.clear(); }

  clear() {
    this.answers = [];
    this.times = new Float64Array(kept).fill(NaN);
    this.at = -1; // of the latest sample
    this.length = 0;
    this.rings = new Map(); // "": all; "r:NAME" a route; "u:NAME" an upstream
  }

  get latest() { return this.answers[this.answers.length - 1]; }

  // add takes an answer in. It reports whether the gateway has started anew.
  add(answer) {
    const last = this.latest;
    const restarted = last !== undefined && last.began !== answer.began;
    if (restarted) this.clear();
    const time = Date.parse(answer.time);
    const since = this.latest ? time - Date.parse(this.latest.time) : Infinity;
    if (since <= 0) return restarted;
    if (since > pause && this.latest) this.interrupt(time);
    this.answers.push(answer);
    if (this.answers.length > window + 1) this.answers.shift();
    if (this.answers.length > 1) this.sample(time);
    return restarted;
  }

  // interrupt leaves a gap in the curves, and keeps what lies before it out of what is "now".
  interrupt(time) {
    this.answers = [];
    this.step(time);
    for (const ring of this.rings.values()) for (const f of fields) ring.values[f][this.at] = NaN;
  }

  step(time) {
    this.at = (this.at + 1) % kept;
    this.length = Math.min(kept, this.length + 1);
    this.times[this.at] = time;
  }

  sample(time) {
    this.step(time);
    const now = this.answers[this.answers.length - 1];
    const before = this.answers[this.answers.length - 2];
    this.put("", before, now);
    for (const name of Object.keys(now.routes)) this.put("r:" + name, before, now);
    for (const name of Object.keys(now.upstreams)) this.put("u:" + name, before, now);
    for (const [scope, ring] of this.rings) if (ring.seen !== time) { for (const f of fields) ring.values[f][this.at] = NaN; }
  }

  put(scope, before, now) {
    if (this.rings.size < maxSeries) this.watch(scope);
    const ring = this.rings.get(scope);
    if (!ring) return;
    ring.seen = this.times[this.at];
    const numbers = this.between(scope, before, now);
    for (const f of fields) ring.values[f][this.at] = numbers[f];
  }

  // watch keeps a history of a scope from now on, however many there are.
  watch(scope) {
    if (!this.rings.has(scope)) this.rings.set(scope, new Ring());
  }

  // now are the numbers of a scope over the last seconds.
  now(scope) {
    if (this.answers.length < 2) return null;
    return this.between(scope, this.answers[0], this.latest);
  }

  between(scope, before, now) {
    const seconds = (Date.parse(now.time) - Date.parse(before.time)) / 1000;
    const sums = Object.fromEntries(classes.map((c) => [c, 0]));
    const counts = new Array(now.bounds.length + 1).fill(0);
    for (const [a, b] of pairs(scope, before, now)) {
      for (const c of classes) sums[c] += grown(a.requests[c] || 0, b?.requests[c]);
      const times = a.durations || a.answers;
      buckets(times.buckets, (b?.durations || b?.answers)?.buckets).forEach((n, i) => { counts[i] += n; });
    }
    const all = classes.reduce((sum, c) => sum + sums[c], 0);
    const numbers = { requests: all, seconds, rate: all / seconds, p50: quantile(0.5, counts, now.bounds), p90: quantile(0.9, counts, now.bounds), p99: quantile(0.99, counts, now.bounds) };
    for (const c of classes) numbers[c] = sums[c] / seconds;
    return numbers;
  }

  // per returns how fast a count grows: pick takes it from an answer.
  per(pick) {
    if (this.answers.length < 2) return NaN;
    const seconds = (Date.parse(this.latest.time) - Date.parse(this.answers[0].time)) / 1000;
    return grown(pick(this.latest) || 0, pick(this.answers[0]) || 0) / seconds;
  }

  // series returns a scope's samples from the oldest on: { times, rate, "2xx", … }.
  series(scope) {
    const ring = this.rings.get(scope);
    const from = this.at - this.length + 1;
    const order = Array.from({ length: this.length }, (_, i) => (from + i + kept) % kept);
    const list = { times: order.map((i) => this.times[i]) };
    for (const f of fields) list[f] = order.map((i) => (ring ? ring.values[f][i] : NaN));
    return list;
  }
}

// pairs returns the routes or the upstream that a scope is about, now and before.
function pairs(scope, before, now) {
  const kind = scope.startsWith("u:") ? "upstreams" : "routes";
  if (scope === "") return Object.entries(now.routes).map(([name, a]) => [a, before.routes[name]]);
  const name = scope.slice(2);
  return Object.hasOwn(now[kind], name) ? [[now[kind][name], before[kind][name]]] : [];
}

// hookCost tells what a plugin's hooks in one chain cost: since the start, by the sample of them.
export function hookCost(times, bounds) {
  const sampled = times.reduce((sum, n) => sum + n, 0);
  if (sampled === 0) return { mean: NaN, p99: NaN };
  const middle = (i) => (i < bounds.length ? bounds[i] * 0.75 : bounds[bounds.length - 1] * 1.5);
  return { mean: times.reduce((sum, n, i) => sum + n * middle(i), 0) / sampled, p99: quantile(0.99, times, bounds) };
}
