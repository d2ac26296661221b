// Elements made of text. Nothing in the dashboard parses markup: names, paths and messages may come from anybody.

const svgNames = new Set(["svg", "g", "path", "line", "rect", "text", "circle", "polyline", "title", "tspan"]);

// el makes an element. Attributes that are functions are listeners ("onclick"); false, null and undefined leave one out.
export function el(name, attributes = {}, ...children) {
  const node = svgNames.has(name) ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (typeof value === "function") node.addEventListener(key.slice(2), value);
    else node.setAttribute(key, value === true ? "" : String(value));
  }
  node.append(...children.flat().filter((c) => c !== null && c !== undefined && c !== false));
  return node;
}

// say changes an element's text only where it differs, so that selections and screen readers are left in peace.
export function say(node, text) {
  text = String(text);
  if (node.textContent !== text) node.textContent = text;
}

export function show(node, shown) {
  if (node.hidden === shown) node.hidden = !shown;
}

export const byId = (id) => document.getElementById(id);

// confirmed asks in a dialog, and resolves to whether the answer was yes. Focus goes back to where it was.
export function confirmed(title, text, yes) {
  const dialog = byId("confirm");
  const before = document.activeElement;
  say(byId("confirm-title"), title);
  say(byId("confirm-text"), text);
  say(byId("confirm-yes"), yes);
  return new Promise((resolve) => {
    let answer = false;
    byId("confirm-yes").onclick = () => { answer = true; dialog.close(); };
    byId("confirm-no").onclick = () => dialog.close();
    dialog.onclose = () => {
      if (dialog.open) return; // the event is that of the question before: it comes late
      if (before?.isConnected && document.activeElement === document.body) before.focus(); // the user may have gone on already
      resolve(answer);
    };
    dialog.showModal();
    byId("confirm-no").focus();
  });
}

// announce tells screen readers of what has happened.
export function announce(text) { byId("news").textContent = text; }
