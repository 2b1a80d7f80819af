/**
 * Words for people, put into the page by the server in the viewer's language (site/words.py).
 * A missing word is shown by its key: visible in a test, harmless in front of a person.
 */

/** @param {string} id of a JSON data block. @returns {any} its content, or null */
export function data(id) {
  const block = document.getElementById(id);
  return block ? JSON.parse(block.textContent ?? "null") : null;
}

/** @type {Record<string, string>} */
const words = data("words") ?? {};
const language = document.documentElement.lang || "en";

/**
 * @param {string} key
 * @param {Record<string, string|number>} [values] for the {names} in the text
 */
export function t(key, values = {}) {
  const text = words[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}

const short = new Intl.NumberFormat(language, { notation: "compact", maximumFractionDigits: 1 });
const plain = new Intl.NumberFormat(language);

/** Where a clip is on its way, in words. @param {any} card of one's own */
export function stateWords(card) {
  const line = card.queue;
  if (!line) return t(`state_${card.state}`);
  const count = number(line.ahead);
  if (line.many_today) return t("in_line_many", { count });
  return line.ahead ? t("in_line_before", { count }) : t("in_line_next");
}

/** 12,300 as "12K" in the viewer's language. @param {number} count */
export const compact = (count) => short.format(count);

/** @param {number} count */
export const number = (count) => plain.format(count);

/** Seconds as m:ss. @param {number} seconds */
export function clock(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** Bytes as megabytes with one decimal. @param {number} bytes */
export const megabytes = (bytes) =>
  new Intl.NumberFormat(language, { minimumFractionDigits: 1, maximumFractionDigits: 1 }).format(bytes / 1e6);

const steps = /** @type {const} */ ([
  ["year", 31536000],
  ["month", 2592000],
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
]);

/** An ISO time as "3 hours ago". @param {string} iso */
export function ago(iso) {
  const seconds = (Date.parse(iso) - Date.now()) / 1000;
  const format = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
  for (const [unit, size] of steps) {
    if (Math.abs(seconds) >= size) return format.format(Math.round(seconds / size), unit);
  }
  return t("just_now");
}
