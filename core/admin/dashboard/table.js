// Tables that keep their rows: a row is found again by its key, and only cells that differ change, so that focus and selection stay.

import { el, say } from "./dom.js";

// A column has a head and either text(row), or make(row) for an element and refresh(element, row). With sort(row) it can be sorted by.
// num puts it to the right; hint(row) is its tooltip; look(row) its class.
export class Table {
  constructor({ caption, columns, key, sort = -1, descending = true, limit = 200, empty = "Nothing yet." }) {
    Object.assign(this, { columns, key, sort, descending, limit, rows: new Map(), last: [] });
    this.head = el("tr");
    this.body = el("tbody");
    this.more = el("p", { class: "quiet", hidden: true });
    this.empty = el("p", { class: "quiet" }, empty);
    columns.forEach((c, i) => this.head.append(this.heading(c, i)));
    const table = el("table", {}, el("caption", { class: "unseen" }, caption), el("thead", {}, this.head), this.body);
    this.scroll = el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption }, table);
    this.node = el("div", {}, this.scroll, this.empty, this.more);
    this.mark();
  }

  heading(c, i) {
    const cell = el("th", { scope: "col", class: c.num ? "num" : null });
    if (!c.sort) { cell.append(c.head); return cell; }
    cell.append(el("button", { type: "button", class: "sort", onclick: () => this.sortBy(i) }, c.head));
    return cell;
  }

  sortBy(i) {
    this.descending = this.sort === i ? !this.descending : true;
    this.sort = i;
    this.mark();
    this.update(this.last);
  }

  mark() {
    [...this.head.children].forEach((cell, i) => {
      if (i === this.sort) cell.setAttribute("aria-sort", this.descending ? "descending" : "ascending");
      else cell.removeAttribute("aria-sort");
    });
  }

  update(rows) {
    this.last = rows;
    const shown = this.ordered(rows).slice(0, this.limit);
    const keep = new Set();
    shown.forEach((row, at) => {
      const key = String(this.key(row));
      keep.add(key);
      let line = this.rows.get(key);
      if (!line) this.rows.set(key, (line = this.line(row)));
      this.refresh(line, row);
      if (this.body.children[at] !== line) this.place(line, at);
    });
    for (const [key, line] of this.rows) if (!keep.has(key)) { line.remove(); this.rows.delete(key); }
    this.scroll.hidden = rows.length === 0;
    this.empty.hidden = rows.length > 0;
    this.more.hidden = rows.length <= this.limit;
    if (rows.length > this.limit) say(this.more, `The first ${this.limit} of ${rows.length} are shown.`);
  }

  // place moves a row, and focus with it: moving takes it away.
  place(line, at) {
    const focused = line.contains(document.activeElement) ? document.activeElement : null;
    this.body.insertBefore(line, this.body.children[at] || null);
    if (focused) focused.focus({ preventScroll: true });
  }

  ordered(rows) {
    const by = this.columns[this.sort]?.sort;
    if (!by) return rows;
    const sign = this.descending ? -1 : 1;
    return rows.map((r) => [by(r), r]).sort(([a], [b]) => sign * (typeof a === "string" ? a.localeCompare(b) : (a || 0) - (b || 0))).map(([, r]) => r);
  }

  line(row) {
    const line = el("tr");
    this.columns.forEach((c, i) => {
      const cell = el(i === 0 ? "th" : "td", { scope: i === 0 ? "row" : null, class: c.num ? "num" : null });
      if (c.make) cell.append(c.make(row));
      line.append(cell);
    });
    return line;
  }

  refresh(line, row) {
    this.columns.forEach((c, i) => {
      const cell = line.children[i];
      if (c.make) { if (c.refresh) c.refresh(cell.firstChild, row); } else say(cell, c.text(row));
      if (c.hint && cell.title !== c.hint(row)) cell.title = c.hint(row);
      if (c.look) cell.className = (c.num ? "num " : "") + c.look(row);
    });
  }
}
