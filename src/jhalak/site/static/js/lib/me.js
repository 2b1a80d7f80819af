/** Who is looking, as the page was rendered. */

import { data } from "./words.js";

/** @type {{handle: string, name: string, picture: string|null, role: string}|null} null for a guest */
export const me = data("me");

export const signedIn = me !== null;

/** The way to the log-in page and back here. @param {string} page "login" or "signup" @param {string} [back] */
export function doorway(page, back = location.pathname + location.search) {
  return `/${page}?next=${encodeURIComponent(back)}`;
}
