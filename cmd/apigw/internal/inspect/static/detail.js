// One call, opened.
import { t, both } from "./texts.js";
import { timeline, inTime, toneOf } from "./draw.js";

export function el(name, attributes, ...children) {
  const e = document.createElement(name);
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (key.startsWith("on")) e.addEventListener(key.slice(2), value);
    else if (value !== undefined && value !== false) e.setAttribute(key, value === true ? "" : value);
  }
  e.append(...children.filter((c) => c !== null && c !== undefined && c !== ""));
  return e;
}

const section = (title, ...content) => [el("h3", {}, title), ...content];

function facts(pairs) {
  const list = el("dl");
  for (const [name, value] of pairs) {
    if (value !== "" && value !== null && value !== undefined) list.append(el("dt", {}, name), el("dd", {}, value));
  }
  return list;
}

function head(lines) {
  const list = el("dl", { class: "head" });
  for (const h of lines) {
    list.append(el("dt", {}, h.name), h.masked ? el("dd", { class: "faint" }, "*** " + t("masked")) : el("dd", {}, h.value));
  }
  return list;
}

function body(b) {
  const size = `${b.bytes} ${t("bytes")}`;
  if (!b.kept) return el("p", { class: "faint" }, `${size}, ${t("bodyOff")}`);
  if (b.bytes === 0) return el("p", { class: "faint" }, t("empty"));
  if (b.binary) return el("p", { class: "faint" }, `${size}, ${t("binary")}`);
  const note = b.cut ? `${size}, ${t("cut")}` : size;
  return el("div", {}, el("p", { class: "faint" }, note), el("pre", {}, b.text ?? ""));
}

// signature shows both strings side by side; lines that differ are marked.
function signature(s) {
  const parts = [];
  for (const d of s.differences ?? []) parts.push(el("p", {}, el("b", {}, d.title ? d.title + ": " : ""), both(d.text), " ", el("span", { class: "faint" }, both(d.fix))));
  if (s.text && !parts.length) parts.push(el("p", {}, s.text));
  if (s.lines?.length) {
    const table = el("table", { class: "sides" }, el("tr", {}, el("th"), el("th", {}, t("signed")), el("th", {}, t("server"))));
    for (const line of s.lines) {
      table.append(el("tr", line.differs ? { class: "differs" } : {}, el("th", {}, line.name ?? ""), el("td", {}, line.signed ?? ""), el("td", {}, line.server ?? "")));
    }
    parts.push(table);
  }
  return parts;
}

// render fills the panel. actions are the buttons' handlers.
export function render(panel, call, actions) {
  const status = call.done || call.status ? String(call.status || t("noResponse")) : t("running");
  const title = el("h2", {}, `${call.method} ${call.path} `, el("span", { class: call.done ? toneOf(call.status) : "faint" }, status));
  const buttons = el("div", { class: "actions" },
    el("button", { type: "button", id: "do-replay", disabled: !call.replayable, onclick: actions.replay }, t("replay")),
    el("button", { type: "button", id: "do-edit", disabled: !call.done, onclick: actions.edit }, t("edit")),
    el("button", { type: "button", onclick: actions.curl }, t("curl")),
    el("button", { type: "button", onclick: actions.go }, t("go")),
    call.request_id ? el("button", { type: "button", onclick: actions.id }, t("id")) : null,
    el("button", { type: "button", onclick: actions.close }, t("close")));
  const parts = [title];
  const origin = call.replay_of ? ` · ${t("replayOf")} ${call.replay_of}` : "";
  parts.push(el("p", { class: "faint" }, `${t("call")} ${call.id} · ${new Date(call.start).toLocaleTimeString()} · ${inTime(call.duration_ms)}${origin}`), buttons);
  if (call.timeline.length) parts.push(...section(t("timeline"), timeline(call)));
  if (call.class || call.stop) {
    const row = call.row && call.unverified ? `${call.row} (${t("unverified")})` : call.row;
    parts.push(...section(t("why"), facts([
      [t("meaning"), both(call.meaning)], [t("remedy"), both(call.remedy)], [t("row"), row], [t("message"), call.message],
      [t("reached"), t(call.reached)], [t("stop"), call.stop && `${both(call.stop_text)} (${call.stop})`], [t("requestId"), call.request_id], [t("cause"), call.cause],
    ])));
  }
  if (call.signature) parts.push(...section(t("signature"), ...signature(call.signature)));
  parts.push(...section(t("request"), head(call.request)));
  if (call.sent.length) parts.push(...section(t("sent"), head(call.sent)));
  parts.push(...section(t("requestBody"), body(call.request_body)));
  if (call.response.length) parts.push(...section(t("response"), head(call.response)));
  parts.push(...section(t("responseBody"), body(call.response_body)));
  panel.replaceChildren(...parts);
}
