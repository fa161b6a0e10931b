// What a page does beyond showing: selection in conversation and waterfall, keys, copying, local times, news. Everything
// that is shown came from the server as markup; nothing here makes markup of text.
"use strict";

const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const one = (selector, root = document) => root.querySelector(selector);

// Selection --------------------------------------------------------------------------------------------------------

let selected = null;

function byId(id) { return id ? document.getElementById(id) : null; }

// What an anchor names: a place, or with #failed-TURN what failed in a turn.
function placeOf(anchor) {
  const turn = anchor.startsWith("failed-") && byId(`turn-${anchor.slice(7)}`);
  return turn ? one(".tool-call.failed, .model-call.failed", turn) || one(".entry.failed", turn) || turn : byId(anchor);
}

function select(element, { scroll = true, open = null } = {}) {
  all("[aria-current=true]").forEach((other) => other.removeAttribute("aria-current"));
  selected = element;
  if (!element) return;
  element.setAttribute("aria-current", "true");
  if (open !== null && element.tagName === "DETAILS") element.open = open;
  const bar = element.id && one(`.bar[data-of="${CSS.escape(element.id)}"]`);
  if (bar) bar.setAttribute("aria-current", "true");
  if (scroll) element.scrollIntoView({ block: "nearest" });
  if (bar && scroll) {
    const aside = bar.closest("aside");
    const rect = bar.getBoundingClientRect(), box = aside.getBoundingClientRect();
    if (rect.top < box.top || rect.bottom > box.bottom) aside.scrollTop += rect.top - box.top - box.height / 3;
  }
}

document.addEventListener("click", (event) => {
  const bar = event.target.closest(".bar");
  if (bar) {
    event.preventDefault();
    const entry = byId(bar.dataset.of);
    if (entry) { select(entry, { open: true }); history.replaceState(null, "", `#${entry.id}`); one("summary", entry)?.focus({ preventScroll: true }); }
    return;
  }
  const summary = event.target.closest(".entry > summary");
  if (summary) { select(summary.parentElement, { scroll: false }); history.replaceState(null, "", `#${summary.parentElement.id}`); }
});

// What an address names is opened; a turn outside of the window is gone to.
function follow() {
  const id = location.hash.slice(1);
  if (!id) return;
  const element = placeOf(id);
  if (element) {
    for (let around = element.parentElement; around; around = around.parentElement) if (around.tagName === "DETAILS") around.open = true;
    if (element.matches(".entry, .turn")) select(element, { open: true }); element.scrollIntoView({ block: element.matches(".turn") ? "start" : "center" });
    return;
  }
  const session = one(".session");
  if (session && id.startsWith("turn-") && !new URLSearchParams(location.search).has("turn"))
    location.replace(`${session.dataset.base}?turn=${id.slice(5)}#${id}`);
}
addEventListener("hashchange", follow);

// Keys -------------------------------------------------------------------------------------------------------------

function stops() { return all(".row, .turn, .entry").filter((element) => element.getClientRects().length); }

function step(by, among = stops()) {
  if (!among.length) return;
  let place = among.indexOf(selected);
  if (place < 0 && selected) {
    place = among.findIndex((element) => selected.compareDocumentPosition(element) & Node.DOCUMENT_POSITION_FOLLOWING) - (by > 0 ? 1 : 0);
    if (place < -1 || (place === -1 && by < 0)) place = by > 0 ? among.length - 2 : among.length;
  }
  const next = among[Math.max(0, Math.min(among.length - 1, place + by))];
  select(next);
  (one("a, summary", next) || next).focus({ preventScroll: true });
}

const KEYS = {
  j: () => step(1), k: () => step(-1),
  "]": () => step(1, all(".turn")), "[": () => step(-1, all(".turn")),
  e: () => {
    const failures = all(".entry.failed, .turn.failed"), more = one("a[data-failure]");
    const last = failures.at(-1);
    if (more && (!last || last === selected || (selected && last.compareDocumentPosition(selected) & Node.DOCUMENT_POSITION_FOLLOWING))) location.href = more.href;
    else step(1, failures);
  },
  s: () => { location.href = "/sessions"; },
  "/": () => { one(".find input").focus(); one(".find input").select(); },
  "?": () => one(".keys").showModal(),
  Enter: () => {
    if (!selected) return false;
    if (selected.matches(".row")) { one("a", selected).click(); return true; }
    if (selected.tagName === "DETAILS" && !selected.contains(document.activeElement)) { selected.open = !selected.open; return true; }
    return false;
  },
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, select, textarea")) { if (event.key === "Escape") event.target.blur(); return; }
  if (one("dialog[open]")) return;
  const act = KEYS[event.key];
  if (act && act() !== false) event.preventDefault();
});

// Copying ----------------------------------------------------------------------------------------------------------

async function copied(button, text) {
  const says = button.textContent;
  try { await navigator.clipboard.writeText(await text()); button.textContent = "copied"; } catch { button.textContent = "not copied"; }
  setTimeout(() => { button.textContent = says; }, 1500);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest(".copy");
  if (!button) return;
  if (button.dataset.curl) copied(button, () => `curl -s '${location.origin}${button.dataset.curl.replaceAll("'", "%27")}'`);
  else copied(button, async () => (await fetch(button.dataset.copy)).text());
});

// Long content and verdicts, fetched when they are asked for -------------------------------------------------------

async function pieceOf(address) {
  const answer = await fetch(address);
  if (!answer.ok && answer.status !== 404) throw new Error(String(answer.status));
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

document.addEventListener("click", async (event) => {
  const link = event.target.closest("a.whole, a.trust");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  link.setAttribute("aria-busy", "true");
  try {
    if (link.matches(".trust")) {
      const place = one(".verdict");
      if (!place.hidden) { place.hidden = true; return; }
      const card = one(".trust-card", await pieceOf(link.dataset.trust));
      place.replaceChildren(card);
      place.hidden = false;
      link.classList.add(...[...card.classList].filter((name) => name !== "trust-card"));
      ready(place);
      return;
    }
    const page = await pieceOf(link.getAttribute("href"));
    const part = link.closest("[data-part]"), entry = link.closest(".entry"), said = link.closest(".said");
    const found = part
      ? one(`[data-part="${CSS.escape(part.dataset.part)}"]`, page.getElementById(entry.id))
      : one(`.${said.classList[1]}`, page.getElementById(said.closest(".turn").id));
    (part || said).replaceWith(found);
  } catch { location.href = link.href; } finally { link.removeAttribute("aria-busy"); }
});

// A sub-session stands in the conversation: it is fetched when it is unfolded, its places under names of their own.
document.addEventListener("toggle", async (event) => {
  const place = event.target.open && one(":scope > .body > .sub[data-from]", event.target);
  if (!place) return;
  const from = place.dataset.from, prefix = `${event.target.id}--`;
  delete place.dataset.from;
  try {
    const page = await pieceOf(from);
    const inside = all(".head > .erased, .turns", page);
    for (const piece of inside) {
      for (const named of all("[id]", piece)) named.id = prefix + named.id;
      for (const link of all('a[href^="#"]', piece)) link.setAttribute("href", `#${prefix}${link.getAttribute("href").slice(1)}`);
      for (const bar of all("[data-of]", piece)) bar.dataset.of = prefix + bar.dataset.of;
      for (const named of all("[aria-labelledby]", piece)) named.setAttribute("aria-labelledby", prefix + named.getAttribute("aria-labelledby"));
      ready(piece);
    }
    place.append(...inside);
  } catch { place.dataset.from = from; }
}, true);

// Why, Compare, agents, events and log lines open beside the page; what they name on the page is gone to.
const panel = one("dialog.panel");

async function beside(address) {
  const article = one("main > article, main > .empty", await pieceOf(address));
  ready(article);
  one(".inside", panel).replaceChildren(article);
  one("a.page", panel).href = address;
  if (!panel.open) panel.showModal();
  panel.scrollTop = 0;
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if ("panel" in link.dataset) {
    event.preventDefault();
    link.setAttribute("aria-busy", "true");
    beside(link.getAttribute("href")).catch(() => { location.href = link.href; }).finally(() => link.removeAttribute("aria-busy"));
  } else {
    const to = new URL(link.getAttribute("href"), location.href);
    if (to.origin !== location.origin || to.pathname !== location.pathname || !to.hash || !placeOf(to.hash.slice(1))) return;
    event.preventDefault();
    panel.close();
    history.replaceState(null, "", to.hash);
    follow();
  }
});

panel.addEventListener("submit", (event) => {
  if (event.target.method === "dialog") return;
  event.preventDefault();
  beside(`${event.target.getAttribute("action")}?${new URLSearchParams(new FormData(event.target))}`).catch(() => event.target.submit());
});
panel.addEventListener("click", (event) => { if (event.target === panel) panel.close(); });

// Times in the reader's own zone -----------------------------------------------------------------------------------

function localTimes(root = document) {
  const day = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" }), clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
  const exact = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3 });
  const today = day.format(new Date());
  for (const time of all("time[datetime]", root)) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    time.title = time.title || time.dateTime;
    const form = "precise" in time.dataset ? exact : clock;
    time.textContent = (day.format(at) === today ? "" : `${day.format(at)}, `) + form.format(at);
  }
}

function ready(root = document) {
  all(".copy", root).forEach((button) => { button.hidden = false; });
  localTimes(root);
}

// News -------------------------------------------------------------------------------------------------------------

async function refresh() {
  const page = await pieceOf(location.pathname + location.search);
  ready(page);
  const list = one(".sessions"), session = one(".session");
  if (list) {
    const known = new Set(all(".row").map((row) => row.id));
    for (const selector of [".list", ".empty"]) if (!one(selector) !== !one(selector, page)) return void list.replaceWith(one(".sessions", page));
    if (!one(".list")) return;
    const current = selected && selected.id;
    one(".list").replaceWith(one(".list", page));
    all(".row").forEach((row) => { if (!known.has(row.id)) row.classList.add("new"); });
    if (current && byId(current)) select(byId(current), { scroll: false });
  } else if (session) {
    const current = selected && selected.id, opened = all("details[open][id]").map((details) => details.id);
    for (const selector of [".head .line", ".head h1", ".agents .scroll", ".strip-bar"]) { const now = one(selector), then = one(selector, page); if (now && then) now.replaceWith(then); }
    for (const turn of all(".turn", page)) {
      const now = byId(turn.id);
      if (!now) one(".turns").append(turn);
      else if (now.dataset.version !== turn.dataset.version) now.replaceWith(turn);
    }
    one(".turns > .empty")?.remove();
    opened.forEach((id) => { if (byId(id)) byId(id).open = true; });
    if (current && byId(current)) select(byId(current), { scroll: false });
  }
}

const live = one("[data-live]");
if (live && "EventSource" in window) {
  const news = new EventSource(live.dataset.live);
  let known = null;
  const changed = (event) => { if (known !== null && event.data !== known) refresh().catch(() => {}); known = event.data; };
  news.addEventListener("state", changed);
  news.addEventListener("changed", changed);
  addEventListener("pagehide", () => news.close());
}

// Filters: what is not asked for has no place in an address --------------------------------------------------------

one(".filters")?.addEventListener("formdata", (event) => {
  for (const [name, value] of [...event.formData]) if (!value) event.formData.delete(name);
});

// Light and dark ---------------------------------------------------------------------------------------------------

const theme = one(".theme");
try { if (localStorage.theme) document.documentElement.dataset.theme = localStorage.theme; } catch { /* private window */ }
theme.hidden = false;
theme.addEventListener("click", () => {
  const root = document.documentElement, dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  try { localStorage.theme = root.dataset.theme; } catch { /* private window */ }
});

ready();
follow();
