/** The JSON API. Every refusal is a Problem with words that can be shown as they are. */

import { t } from "./words.js";

export class Problem extends Error {
  /** @param {number} status @param {string} code @param {string} message @param {string} [field] */
  constructor(status, code, message, field) {
    super(message);
    this.status = status; // 0: the server could not be reached
    this.code = code;
    this.field = field;
  }
}

/**
 * @param {string} method
 * @param {string} path from /api on, without it
 * @param {any} [body] sent as JSON, or as it is when a Blob
 * @param {RequestInit} [options]
 * @returns {Promise<any>} the answer, or null when it is empty
 */
export async function call(method, path, body, options = {}) {
  /** @type {Record<string, string>} */
  const headers = { Accept: "application/json" };
  let payload;
  if (body instanceof Blob) {
    payload = body;
    headers["Content-Type"] = body.type || "application/octet-stream";
  } else if (body !== undefined) {
    payload = JSON.stringify(body);
    headers["Content-Type"] = "application/json";
  }
  let answer;
  try {
    answer = await fetch(`/api${path}`, { method, headers, body: payload, credentials: "same-origin", ...options });
  } catch (reason) {
    if (reason instanceof DOMException && reason.name === "AbortError") throw reason;
    throw new Problem(0, "unreachable", t("unreachable"));
  }
  const text = await answer.text();
  let content = null;
  try {
    content = text ? JSON.parse(text) : null;
  } catch {
    if (answer.ok) throw new Problem(answer.status, "unreadable", t("server_trouble"));
  }
  if (answer.ok) return content;
  const error = content?.error ?? {};
  throw new Problem(answer.status, error.code ?? "trouble", error.message ?? t("server_trouble"), error.field);
}

/** @param {string} path @param {RequestInit} [options] */
export const get = (path, options) => call("GET", path, undefined, options);

/** @param {string} value a path segment from data */
export const seg = (value) => encodeURIComponent(value);
