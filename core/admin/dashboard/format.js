// Numbers and times as people read them.

export function count(n) {
  if (!Number.isFinite(n)) return "–";
  const size = Math.abs(n);
  if (size >= 1e9) return (n / 1e9).toFixed(1) + " G";
  if (size >= 1e6) return (n / 1e6).toFixed(1) + " M";
  if (size >= 1e4) return (n / 1e3).toFixed(size >= 1e5 ? 0 : 1) + " k";
  return String(Math.round(n));
}

export function rate(n) {
  if (!Number.isFinite(n)) return "–";
  if (n === 0) return "0";
  if (n < 10) return n.toFixed(n < 1 ? 2 : 1);
  return count(n);
}

// micros writes a duration in microseconds.
export function micros(n) {
  if (!Number.isFinite(n)) return "–";
  if (n < 1000) return n.toFixed(n < 10 ? 1 : 0) + " µs";
  if (n < 1e6) return (n / 1e3).toFixed(n < 1e4 ? 1 : 0) + " ms";
  return (n / 1e6).toFixed(n < 1e7 ? 1 : 0) + " s";
}

export function percent(part, whole) {
  if (!(whole > 0)) return "–";
  const p = (100 * part) / whole;
  return (p === 0 ? "0" : p < 0.1 ? "<0.1" : p < 10 ? p.toFixed(1) : Math.round(p)) + " %";
}

export function bytes(n) {
  if (n >= 1 << 30) return (n / (1 << 30)).toFixed(1) + " GiB";
  if (n >= 1 << 20) return (n / (1 << 20)).toFixed(1) + " MiB";
  if (n >= 1024) return Math.round(n / 1024) + " KiB";
  return n + " B";
}

export function ago(time, now = Date.now()) {
  const s = Math.max(0, Math.round((now - Date.parse(time)) / 1000));
  if (!Number.isFinite(s)) return "–";
  if (s < 90) return s + " s ago";
  if (s < 5400) return Math.round(s / 60) + " min ago";
  if (s < 129600) return Math.round(s / 3600) + " h ago";
  return Math.round(s / 86400) + " days ago";
}

export function clock(time) {
  const t = new Date(time);
  return Number.isNaN(t.getTime()) ? "–" : t.toLocaleString(undefined, { hour12: false });
}

// reasons are the access log's codes.
export const reasons = {
  NR: "no route, or none for the method", UH: "no healthy endpoint", UF: "upstream connection failed", UO: "upstream full", UT: "upstream timed out", UC: "upstream closed early",
  UPE: "upstream protocol error", URX: "retries used up", DT: "deadline passed", SI: "idle for too long", RL: "rate limited", RLSE: "limit's store failed",
  OM: "overload", PL: "the plugin decided so", PF: "plugin failed", DC: "client went away", CT: "client too slow", DPE: "malformed request", TL: "too large",
  MD: "host is not the certificate’s", IE: "internal error",
};

// troubles are why an endpoint gets nothing.
export const troubles = { check_failed: "check failed", unchecked: "not checked yet", ejected: "ejected", drained: "drained" };
