// Pictures: the timeline of a call, and small plots over time. All text goes in
// as text nodes.
import { t } from "./texts.js";

const svgNS = "http://www.w3.org/2000/svg";

function svg(name, attributes, text) {
  const e = document.createElementNS(svgNS, name);
  for (const [key, value] of Object.entries(attributes)) e.setAttribute(key, String(value));
  if (text !== undefined) e.textContent = text;
  return e;
}

export const inTime = (ms) => (ms >= 10000 ? (ms / 1000).toFixed(1) + " s" : ms >= 100 ? Math.round(ms) + " ms" : ms.toFixed(1) + " ms");

export function toneOf(status) {
  if (status === 0 || status >= 500) return "bad";
  return status >= 400 ? "warn" : "ok";
}

// timeline draws attempts and the delays between them to one scale.
export function timeline(call) {
  const width = 640, rowHeight = 22, left = 8, right = 150;
  const rows = call.timeline;
  const end = Math.max(1, call.duration_ms || 0, ...rows.map((a) => a.begin_ms + a.duration_ms));
  const scale = (width - left - right) / end;
  const height = rows.length * rowHeight + 22;
  const picture = svg("svg", { class: "timeline", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": t("timeline") });
  rows.forEach((a, i) => {
    const y = i * rowHeight + 4;
    const begin = left + a.begin_ms * scale;
    if (a.wait_ms > 0) {
      const wait = svg("rect", { class: "wait", x: left + (a.begin_ms - a.wait_ms) * scale, y: y + 5, width: Math.max(1, a.wait_ms * scale), height: 4, rx: 2 });
      wait.append(svg("title", {}, `${t("delay")} ${inTime(a.wait_ms)}`));
      picture.append(wait);
    }
    const bar = svg("rect", { class: "fill-" + toneOf(a.status), x: begin, y, width: Math.max(2, a.duration_ms * scale), height: 14, rx: 3 });
    bar.append(svg("title", {}, `${t("attempt")} ${a.number}: ${inTime(a.duration_ms)}`));
    picture.append(bar);
    const label = [a.number + ".", a.status || t("noResponse"), a.code || "", inTime(a.duration_ms)].filter(Boolean).join(" ");
    picture.append(svg("text", { x: Math.min(begin + a.duration_ms * scale + 6, width - right + 6), y: y + 11 }, label));
  });
  const axis = height - 14;
  picture.append(svg("line", { x1: left, x2: width - right, y1: axis, y2: axis }));
  for (const part of [0, 0.5, 1]) {
    picture.append(svg("text", { class: "axis", x: left + part * (width - left - right), y: height - 2, "text-anchor": part === 0 ? "start" : part === 1 ? "end" : "middle" }, inTime(end * part)));
  }
  return picture;
}

// plot is a line over the last ten minutes.
export function plot(name, samples, value, tone) {
  const width = 132, height = 26;
  const values = samples.map(value);
  const most = Math.max(1e-9, ...values);
  const box = document.createElement("div");
  box.className = "plot";
  box.append(name);
  const now = document.createElement("b");
  now.textContent = values.length ? round(values[values.length - 1]) : "–";
  box.append(now);
  const picture = svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" });
  const step = values.length > 1 ? width / (values.length - 1) : 0;
  const points = values.map((v, i) => `${(i * step).toFixed(1)} ${(height - 2 - (v / most) * (height - 4)).toFixed(1)}`);
  if (points.length > 1) picture.append(svg("path", { class: tone || "", d: "M" + points.join("L") }));
  box.append(picture);
  return box;
}

const round = (v) => String(Math.round(v * 10) / 10);
