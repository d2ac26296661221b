// The frame: asks the gateway each second while somebody can see the page, and has the view that is open show what it says.

import { Refused, get, token } from "./api.js";
import { Config } from "./config.js";
import { announce, byId, el, say, show } from "./dom.js";
import { Explain } from "./explain.js";
import { rate } from "./format.js";
import { Overview } from "./overview.js";
import { Plugins } from "./plugins.js";
import { Routes } from "./routes.js";
import { History } from "./stats.js";
import { Upstreams } from "./upstreams.js";

const interval = 1000, longest = 30000; // milliseconds

// sources are what views need beside /stats: from where, what of it, and how often.
const sources = {
  refusals: { path: "/refusals", of: (a) => a.refusals, every: 2000 },
  plugins: { path: "/plugins", of: (a) => a.plugins, every: 3000 },
  upstreams: { path: "/upstreams", of: (a) => a.upstreams, every: 1500 },
  attempts: { path: "/config/history", of: (a) => a.history, every: 3000 },
  level: { path: "/log-level", of: (a) => a, every: 5000 },
};

const app = {
  history: new History(), routes: [], refusals: [], plugins: null, upstreams: null, attempts: null, level: null, generation: 0,
  pickRoute: (name) => go("routes", name),
  pickUpstream: (name) => go("upstreams", name),
  pickPlugin: (name) => go("plugins", name),
  explain: (example) => go("explain", example),
  focus: (scope) => { go("overview"); views.overview.view.focus(scope); },
  failed: (error) => { if (error instanceof Refused && error.status === 401) askToken(); },
  refresh: (name) => fetchSource(name).catch(app.failed),
};

const views = {
  overview: { title: "Overview", view: new Overview(app) },
  routes: { title: "Routes", view: new Routes(app) },
  plugins: { title: "Plugins", view: new Plugins(app) },
  upstreams: { title: "Upstreams", view: new Upstreams(app) },
  config: { title: "Config", view: new Config(app) },
  explain: { title: "Explain", view: new Explain(app) },
};

let current = "", timer = 0, failures = 0, since = null, running = false, paused = false;
const next = {}; // when each source is due

function go(name, what) {
  location.hash = name;
  open(name);
  if (what !== undefined) views[name].view.open?.(what);
  byId("main").focus({ preventScroll: true });
}

function open(name) {
  if (!Object.hasOwn(views, name)) name = "overview";
  if (current === name) return;
  current = name;
  for (const link of byId("tabs").children) link.toggleAttribute("aria-current", false);
  byId("tab-" + name).setAttribute("aria-current", "page");
  document.title = "Sallyport: " + views[name].title;
  byId("main").replaceChildren(views[name].view.node);
  scrollTo(0, 0);
  render();
  soon();
}

function render() {
  if (app.history.latest) views[current].view.tick();
}

// soon asks at once, unless it is being asked.
function soon() {
  clearTimeout(timer);
  if (!running) timer = setTimeout(poll, 0);
}

async function poll() {
  if (running || paused || document.hidden || !byId("login").hidden) return;
  running = true;
  const began = performance.now();
  try {
    const stats = await look();
    recovered();
    draw(stats);
  } catch (error) {
    if (error instanceof Refused && error.status === 401) askToken(); else lost(error);
  } finally {
    running = false;
  }
  const took = performance.now() - began;
  const calm = Math.max(interval - took, Math.min(longest, took * 3));
  clearTimeout(timer);
  timer = setTimeout(poll, failures ? Math.min(longest, interval * 2 ** failures) : calm);
}

async function look() {
  const stats = await get("/stats");
  if (app.history.add(stats)) announce("The gateway was restarted.");
  if (stats.generation !== app.generation) {
    app.routes = (await get("/routes")).routes;
    if (app.generation) announce(`Generation ${stats.generation} is in force.`);
    app.generation = stats.generation;
    for (const name of Object.keys(sources)) next[name] = 0;
  }
  await Promise.all(views[current].view.needs.filter((name) => performance.now() >= (next[name] || 0)).map(fetchSource));
  return stats;
}

// draw keeps mistakes of the page's own apart from those of the gateway.
function draw(stats) {
  try {
    header(stats);
    render();
  } catch (error) {
    console.error(error);
    say(byId("alarm"), `The dashboard itself has failed: ${error.message}. Please reload it, and report this.`);
    show(byId("alarm"), true);
  }
}

async function fetchSource(name) {
  const began = performance.now();
  app[name] = sources[name].of(await get(sources[name].path));
  const now = performance.now();
  next[name] = now + Math.max(sources[name].every - 100, (now - began) * 10); // what is dear is asked for less often
}

function header(stats) {
  const listeners = Object.keys(stats.listeners);
  state(stats.ready ? "good" : "bad", stats.ready ? "✓ ready" : "✕ not ready: draining");
  say(byId("fact-rate"), rate(app.history.now("")?.rate ?? NaN));
  say(byId("fact-generation"), stats.generation + (stats.reloads.last_failed ? " ▲ last reload failed" : ""));
  byId("fact-generation").className = stats.reloads.last_failed ? "warn-text" : "";
  say(byId("fact-listeners"), listeners.slice(0, 3).join(", ") + (listeners.length > 3 ? ` and ${listeners.length - 3} more` : "") || "none");
  say(byId("fact-version"), stats.version);
}

function state(look, text) {
  say(byId("fact-state"), text);
  byId("fact-state").className = look + "-text";
}

function recovered() {
  if (failures) announce("The gateway answers again.");
  failures = 0;
  since = null;
  show(byId("alarm"), false);
  document.body.classList.remove("stale");
}

// lost tells that what is shown is old.
function lost(error) {
  failures++;
  since ??= new Date();
  const refused = error instanceof Refused;
  const text = refused ? `The gateway refuses to tell: ${error.message}` : "The gateway does not answer.";
  say(byId("alarm"), `${text} What you see is as it was at ${since.toLocaleTimeString(undefined, { hour12: false })}. It is asked again and again.`);
  show(byId("alarm"), true);
  state("bad", refused ? "✕ refused" : "✕ no answer");
  document.body.classList.add("stale");
}

function askToken() {
  const had = token.get() !== "";
  token.set("");
  show(byId("login"), true);
  show(byId("main"), false);
  show(byId("forget"), false);
  state("bad", "✕ token needed");
  say(byId("login-wrong"), had ? "That token is not the one." : "");
  byId("token").value = "";
  byId("token").focus();
}

function begin() {
  show(byId("login"), false);
  show(byId("main"), true);
  show(byId("forget"), token.get() !== "");
  soon();
}

byId("login").addEventListener("submit", (e) => {
  e.preventDefault();
  token.set(byId("token").value.trim());
  begin();
});
byId("forget").addEventListener("click", () => { token.set(""); location.reload(); });
byId("pause").addEventListener("click", () => {
  paused = !paused;
  byId("pause").setAttribute("aria-pressed", String(paused));
  say(byId("pause"), paused ? "Go on" : "Pause");
  if (!paused) soon();
});

// theme follows the system until somebody chooses.
const dark = matchMedia("(prefers-color-scheme: dark)");
function theme() {
  const chosen = localStorage.getItem("sallyport-theme") || (dark.matches ? "dark" : "light");
  document.documentElement.dataset.theme = chosen;
  say(byId("theme"), chosen === "dark" ? "Light" : "Dark");
  byId("theme").setAttribute("aria-label", chosen === "dark" ? "Change to light colours" : "Change to dark colours");
}
dark.addEventListener("change", theme);
byId("theme").addEventListener("click", () => {
  localStorage.setItem("sallyport-theme", document.documentElement.dataset.theme === "dark" ? "light" : "dark");
  theme();
});

byId("tabs").append(...Object.entries(views).map(([name, { title }]) => el("a", { href: "#" + name, id: "tab-" + name }, title)));
addEventListener("hashchange", () => open(location.hash.slice(1)));
document.addEventListener("visibilitychange", () => { if (!document.hidden) soon(); });
theme();
open(location.hash.slice(1) || "overview");
begin();
