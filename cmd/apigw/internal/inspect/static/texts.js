// The words of the page, in both languages.
const texts = {
  en: {
    filter: "filter: path, status, code …  (/)", all: "all", failed: "failed", retried: "retried",
    live: "live", lost: "connection lost, trying again", none: "No calls yet. Send one to the proxy:",
    noMatch: "No call matches the filter.", running: "running", theme: "light / dark", other: "中文",
    keysTitle: "Keys", up: "next, previous call", open: "open, close", focus: "filter", replayKey: "replay", editKey: "edit and replay",
    curlKey: "copy as curl", goKey: "copy as Go", idKey: "copy the request id", helpKey: "this help", languageKey: "language",
    replay: "Replay", edit: "Edit and replay", curl: "Copy as curl", go: "Copy as Go", id: "Copy request id", close: "Close", send: "Send",
    copied: "copied", failedCopy: "the browser did not permit copying", replayed: "sent again", gone: "this call is no longer kept",
    timeline: "Attempts", why: "Why", meaning: "meaning", remedy: "remedy", reached: "backend reached", stop: "no further attempt",
    requestId: "request id", message: "message", cause: "cause", row: "catalog row", unverified: "unverified", signature: "Refused signature",
    signed: "signed here", server: "signed by the gateway", causeOf: "cause", request: "Request of the client", sent: "Request as sent", response: "Response head",
    requestBody: "Request body", responseBody: "Response body", masked: "masked", bodyOff: "not kept (start the proxy with --bodies)",
    cut: "only the beginning is kept", binary: "binary", bytes: "bytes", empty: "empty", delay: "delay", attempt: "attempt",
    calls: "calls/s", failures: "failures/s", retries: "retries/s", budget: "retry budget", rate: "limit/s", waiting: "waiting",
    yes: "yes", no: "no", maybe: "maybe", unknown: "unknown", method: "method", target: "path and query", headers: "headers, one a line; *** keeps the value of the call", body: "body",
    notKept: "The body of this call was not kept whole, so give one here.", replayOf: "replay of", call: "call", noResponse: "no response",
  },
  zh: {
    filter: "筛选：路径、状态、错误码……（/）", all: "全部", failed: "失败", retried: "重试过",
    live: "实时", lost: "连接中断，正在重连", none: "尚无调用。请向代理发送一个请求：",
    noMatch: "没有符合筛选条件的调用。", running: "进行中", theme: "明 / 暗", other: "English",
    keysTitle: "快捷键", up: "下一个、上一个调用", open: "打开、关闭", focus: "筛选", replayKey: "重放", editKey: "修改后重放",
    curlKey: "复制为 curl", goKey: "复制为 Go", idKey: "复制请求 ID", helpKey: "本帮助", languageKey: "语言",
    replay: "重放", edit: "修改后重放", curl: "复制为 curl", go: "复制为 Go", id: "复制请求 ID", close: "关闭", send: "发送",
    copied: "已复制", failedCopy: "浏览器不允许复制", replayed: "已重新发送", gone: "该调用已不再保留",
    timeline: "各次尝试", why: "原因", meaning: "含义", remedy: "解决方案", reached: "是否到达后端", stop: "不再尝试的原因",
    requestId: "请求 ID", message: "消息", cause: "原因", row: "目录条目", unverified: "未核实", signature: "签名被拒绝",
    signed: "本端签名串", server: "网关签名串", causeOf: "原因", request: "客户端请求", sent: "实际发送的请求", response: "响应头",
    requestBody: "请求体", responseBody: "响应体", masked: "已隐藏", bodyOff: "未保留（启动代理时加 --bodies）",
    cut: "只保留了开头部分", binary: "二进制", bytes: "字节", empty: "空", delay: "等待", attempt: "尝试",
    calls: "调用/秒", failures: "失败/秒", retries: "重试/秒", budget: "重试预算", rate: "限流/秒", waiting: "等待中",
    yes: "是", no: "否", maybe: "可能", unknown: "未知", method: "方法", target: "路径与查询串", headers: "请求头，每行一个；*** 表示沿用原值", body: "请求体",
    notKept: "该调用的请求体未完整保留，请在此填写。", replayOf: "重放自", call: "调用", noResponse: "无响应",
  },
};

let language = "en";

export function setLanguage(l) {
  language = l === "zh" ? "zh" : "en";
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
}

export const currentLanguage = () => language;
export const t = (key) => texts[language][key] ?? key;
// both picks from a sentence that comes in both languages.
export const both = (text) => (text ? (language === "zh" && text.ZH) || text.EN || "" : "");
