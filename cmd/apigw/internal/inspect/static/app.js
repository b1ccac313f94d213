// The page: a live list of calls, one of them opened, all by keyboard.
import { t, both, setLanguage, currentLanguage } from "./texts.js";
import { plot, inTime, toneOf } from "./draw.js";
import { el, render } from "./detail.js";
import { asCurl, asGo } from "./copy.js";

const $ = (id) => document.getElementById(id);
const calls = new Map(); // id -> summary
const rows = new Map(); // id -> element
let samples = [];
let config = { upstream: "", proxy: "", language: "en" };
let scope = "all";
let selected = 0; // id of the marked call
let opened = null; // detail of the open call

function remember(key, value) {
  try { localStorage.setItem(key, value); } catch { /* private window */ }
}
function remembered(key) {
  try { return localStorage.getItem(key); } catch { return null; }
}

// --- list

function isShown(c) {
  if (scope === "failed" && !(c.done && (c.status === 0 || c.status >= 400))) return false;
  if (scope === "retried" && c.attempts < 2) return false;
  const words = $("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return true;
  const text = [c.method, c.path, c.status, c.code, c.row, c.class, both(c.meaning)].join(" ").toLowerCase();
  return words.every((w) => text.includes(w));
}

function makeRow(id) {
  const row = el("div", { class: "row", role: "option", "data-id": id });
  row.addEventListener("click", () => { select(id); open(id); });
  return row;
}

function fillRow(row, c) {
  const status = c.done || c.status ? String(c.status || "–") : "…";
  row.replaceChildren(
    el("span", { class: "time faint" }, new Date(c.start).toLocaleTimeString()),
    el("span", {}, c.method),
    el("span", { class: c.done ? toneOf(c.status) : "faint" }, status),
    el("span", {}, c.path, c.code || c.class ? el("span", { class: "sub" }, [c.code, both(c.meaning)].filter(Boolean).join(" ")) : null),
    el("span", { class: "attempts number" + (c.attempts > 1 ? " warn" : " faint") }, c.attempts > 1 ? "×" + c.attempts : ""),
    el("span", { class: "number faint" }, c.done ? inTime(c.duration_ms) : t("running")));
  row.setAttribute("aria-selected", c.id === selected);
}

function dropBefore(oldest) {
  for (const id of calls.keys()) {
    if (id >= oldest) break; // in order of arrival
    calls.delete(id);
    rows.get(id)?.remove();
    rows.delete(id);
  }
}

function apply(update) {
  const list = $("list");
  const fresh = document.createDocumentFragment();
  for (const c of update.calls ?? []) {
    calls.set(c.id, c);
    let row = rows.get(c.id);
    if (!row) {
      row = makeRow(c.id);
      rows.set(c.id, row);
      fresh.prepend(row);
    }
    fillRow(row, c);
    row.hidden = !isShown(c);
    if (opened && opened.id === c.id) refresh();
  }
  list.querySelector(".empty")?.remove();
  list.prepend(fresh);
  dropBefore(update.oldest);
  if (update.samples) {
    samples = samples.concat(update.samples).slice(-600);
    drawPlots();
  }
  showEmpty();
}

function showEmpty() {
  const list = $("list");
  list.querySelector(".empty")?.remove();
  if (calls.size === 0) list.append(el("div", { class: "empty" }, t("none"), el("pre", {}, `curl -i ${config.proxy}/`)));
  else if (![...rows.values()].some((r) => !r.hidden)) list.append(el("div", { class: "empty" }, t("noMatch")));
}

function redraw() {
  for (const [id, c] of calls) {
    fillRow(rows.get(id), c);
    rows.get(id).hidden = !isShown(c);
  }
  showEmpty();
}

const shownIds = () => [...$("list").querySelectorAll(".row:not([hidden])")].map((r) => Number(r.dataset.id));

function select(id) {
  rows.get(selected)?.setAttribute("aria-selected", "false");
  selected = id;
  const row = rows.get(id);
  row?.setAttribute("aria-selected", "true");
  row?.scrollIntoView({ block: "nearest" });
}

function move(step) {
  const ids = shownIds();
  if (!ids.length) return;
  const at = ids.indexOf(selected);
  select(ids[at < 0 ? 0 : Math.min(ids.length - 1, Math.max(0, at + step))]);
  if (opened) open(selected);
}

// --- plots

function drawPlots() {
  const has = (key) => samples.some((s) => s[key]);
  $("plots").replaceChildren(
    plot(t("calls"), samples, (s) => s.calls),
    plot(t("failures"), samples, (s) => s.failures, "bad"),
    plot(t("retries"), samples, (s) => s.retries),
    plot(t("budget"), samples, (s) => s.available),
    ...(has("rate") ? [plot(t("rate"), samples, (s) => s.rate ?? 0)] : []),
    ...(has("waiting") ? [plot(t("waiting"), samples, (s) => s.waiting ?? 0)] : []));
}

// --- one call

let asked = 0;
async function open(id) {
  const mine = ++asked;
  const answer = await fetch(`api/calls/${id}`);
  if (mine !== asked) return;
  if (!answer.ok) {
    say(t("gone"));
    close();
    return;
  }
  opened = await answer.json();
  // The path as the list shows it has no query: commands need none either.
  opened.target = opened.path;
  render($("detail"), opened, actions);
  $("detail").hidden = false;
}

let waiting = 0;
function refresh() {
  if (waiting) return;
  waiting = setTimeout(() => { waiting = 0; if (opened) open(opened.id); }, 150);
}

function close() {
  opened = null;
  asked++;
  $("detail").hidden = true;
  $("list").focus();
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    say(t("copied"));
  } catch {
    say(t("failedCopy"));
  }
}

async function replay(change) {
  const answer = await fetch(`api/calls/${opened.id}/replay`, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(change ?? {}),
  });
  const result = await answer.json();
  if (!answer.ok) {
    say(result.error);
    return false;
  }
  say(t("replayed"));
  selected = result.id;
  await open(result.id);
  redraw();
  return true;
}

const actions = {
  replay: () => opened?.replayable && replay(),
  edit: () => opened && showEdit(),
  curl: () => opened && copy(asCurl(opened, config)),
  go: () => opened && copy(asGo(opened, config)),
  id: () => opened?.request_id && copy(opened.request_id),
  close,
};

function showEdit() {
  const dialog = $("edit");
  const method = el("input", { value: opened.method, name: "method" });
  const target = el("input", { value: opened.target, name: "target" });
  const headers = el("textarea", { name: "headers" });
  headers.value = opened.request.filter((h) => h.name !== "Host").map((h) => `${h.name}: ${h.masked ? "***" : h.value}`).join("\n");
  const body = el("textarea", { name: "body" });
  body.value = opened.request_body.text ?? "";
  const send = async () => {
    const change = { method: method.value, headers: parseHeaders(headers.value) };
    if (target.value !== opened.target) change.target = target.value;
    if (!opened.replayable || body.value !== (opened.request_body.text ?? "")) change.body = body.value;
    if (await replay(change)) dialog.close();
  };
  dialog.replaceChildren(
    el("h2", {}, t("edit")),
    opened.replayable ? "" : el("p", { class: "warn" }, t("notKept")),
    el("label", {}, t("method")), method, el("label", {}, t("target")), target,
    el("label", {}, t("headers")), headers, el("label", {}, t("body")), body,
    el("div", { class: "actions" },
      el("button", { type: "button", id: "edit-send", onclick: send }, t("send")),
      el("button", { type: "button", onclick: () => dialog.close() }, t("close"))));
  dialog.showModal();
}

function parseHeaders(text) {
  const list = [];
  for (const line of text.split("\n")) {
    const at = line.indexOf(":");
    if (at < 1) continue;
    const value = line.slice(at + 1).trim();
    list.push({ name: line.slice(0, at).trim(), value, masked: value === "***" });
  }
  return list;
}

// --- the rest

let noteTimer = 0;
function say(text) {
  $("note").textContent = text;
  $("note").hidden = false;
  clearTimeout(noteTimer);
  noteTimer = setTimeout(() => { $("note").hidden = true; }, 2500);
}

function showHelp() {
  const keys = [["j k ↓ ↑", "up"], ["Enter Esc", "open"], ["/", "focus"], ["r", "replayKey"], ["e", "editKey"], ["c", "curlKey"], ["g", "goKey"], ["i", "idKey"], ["t", "theme"], ["l", "languageKey"], ["?", "helpKey"]];
  const list = el("dl");
  for (const [key, text] of keys) list.append(el("dt", {}, el("kbd", {}, key)), el("dd", {}, t(text)));
  $("help").replaceChildren(el("h2", {}, t("keysTitle")), list);
  $("help").showModal();
}

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  remember("theme", theme);
}
const toggleTheme = () => setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark");

function toggleLanguage() {
  setLanguage(currentLanguage() === "zh" ? "en" : "zh");
  remember("language", currentLanguage());
  label();
}

function label() {
  $("filter").placeholder = t("filter");
  $("filter").setAttribute("aria-label", t("focus"));
  $("theme").textContent = "◐";
  $("theme").title = t("theme");
  $("language").textContent = t("other");
  $("scopes").replaceChildren(...["all", "failed", "retried"].map((s) => el("button", {
    type: "button", role: "radio", "aria-checked": String(s === scope), "data-scope": s,
    onclick: () => { scope = s; label(); },
  }, t(s))));
  showLive(connected);
  redraw();
  drawPlots();
  if (opened) render($("detail"), opened, actions);
}

const keys = {
  j: () => move(1), ArrowDown: () => move(1), k: () => move(-1), ArrowUp: () => move(-1),
  Enter: () => selected && open(selected), Escape: close, "/": () => $("filter").focus(),
  r: actions.replay, e: actions.edit, c: actions.curl, g: actions.go, i: actions.id, t: toggleTheme, l: toggleLanguage, "?": showHelp,
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (event.target.matches("input, textarea")) {
    if (event.key === "Escape") $("list").focus();
    return;
  }
  if (event.key === "Enter" && event.target.matches("button")) return;
  const action = keys[event.key];
  if (action) {
    event.preventDefault();
    action();
  }
});
$("filter").addEventListener("input", redraw);
$("theme").addEventListener("click", toggleTheme);
$("language").addEventListener("click", toggleLanguage);
$("keys").addEventListener("click", showHelp);

let connected = false;
function showLive(now) {
  connected = now;
  $("live").textContent = now ? "● " + t("live") : t("lost");
}

function listen() {
  const events = new EventSource("api/events");
  let begun = false;
  events.onmessage = (event) => {
    if (!begun) { // a new connection sends all anew
      begun = true;
      samples = [];
    }
    apply(JSON.parse(event.data));
  };
  events.onopen = () => { begun = false; showLive(true); };
  events.onerror = () => showLive(false);
}

async function begin() {
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme = remembered("theme") ?? (dark ? "dark" : "light");
  config = await (await fetch("api/config")).json();
  setLanguage(remembered("language") ?? config.language ?? navigator.language.slice(0, 2));
  $("upstream").textContent = config.upstream;
  label();
  listen();
  $("list").focus();
}

begin();
