// Asking the gateway. The token is kept for as long as the tab is.

const key = "sallyport-token";

export const token = {
  get: () => sessionStorage.getItem(key) || "",
  set: (value) => (value ? sessionStorage.setItem(key, value) : sessionStorage.removeItem(key)),
};

// Refused is an answer that was no success.
export class Refused extends Error {
  constructor(status, problem) {
    super(problem.detail || problem.title || "the gateway answered " + status);
    this.status = status;
    this.problem = problem;
  }
}

// ask sends a request and returns the answer's JSON. It throws Refused for what the gateway refuses, and other errors when it cannot be reached.
export async function ask(method, path, body) {
  const headers = {};
  if (token.get()) headers.Authorization = "Bearer " + token.get();
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const answer = await fetch(path, {
    method, headers, body: body === undefined ? undefined : JSON.stringify(body), cache: "no-store", redirect: "error", signal: AbortSignal.timeout(20000),
  });
  const text = await answer.text();
  let value = {};
  try { value = text ? JSON.parse(text) : {}; } catch { value = { detail: text.slice(0, 300) }; }
  if (!answer.ok) throw new Refused(answer.status, value);
  return value;
}

export const get = (path) => ask("GET", path);

// endpointPath is where an endpoint is changed.
export const endpointPath = (upstream, address, what) =>
  "/upstreams/" + encodeSegment(upstream) + "/endpoints/" + encodeSegment(address) + "/" + what;

// encodeSegment leaves alone what the gateway wants plain: it takes no escapes without need.
function encodeSegment(text) { return encodeURIComponent(text).replaceAll("%3A", ":"); }
