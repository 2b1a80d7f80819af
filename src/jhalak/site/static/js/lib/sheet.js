/** Sheets: a modal <dialog> from below. The browser keeps the focus inside and gives it back. */

import { el, icon } from "./dom.js";
import { t } from "./words.js";
import { doorway } from "./me.js";

/**
 * @param {string} title
 * @param {(close: () => void) => (Node|string)[]} content
 * @returns {HTMLDialogElement}
 */
export function sheet(title, content) {
  const dialog = el("dialog", { class: "sheet", "aria-labelledby": "sheet-title" });
  const close = () => dialog.close();
  dialog.append(
    el(
      "div",
      { class: "sheet-head" },
      el("h2", { id: "sheet-title" }, title),
      el("button", { type: "button", class: "icon-button", "aria-label": t("close"), on: { click: close } }, icon("close")),
    ),
    ...content(close),
  );
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) close(); // the backdrop
  });
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/** A line of a menu. @param {string} sign @param {string} text @param {() => void} act @param {string} [more] */
export function line(sign, text, act, more) {
  return el(
    "button",
    { type: "button", class: "sheet-item", on: { click: act } },
    icon(sign),
    el("span", {}, text, more ? el("small", {}, more) : null),
  );
}

/** Asks before something that cannot be taken back. @returns {Promise<boolean>} */
export function confirm(/** @type {string} */ title, /** @type {string} */ text, /** @type {string} */ yes, no = t("keep")) {
  return new Promise((resolve) => {
    let answer = false;
    const dialog = sheet(title, (close) => [
      el("p", { class: "soft" }, text),
      el(
        "div",
        { class: "row sheet-acts" },
        el("button", { type: "button", class: "button wide bad", on: { click: () => { answer = true; close(); } } }, yes),
        el("button", { type: "button", class: "button wide", autofocus: true, on: { click: close } }, no),
      ),
    ]);
    dialog.addEventListener("close", () => resolve(answer));
  });
}

/** What a guest sees who wants more than to watch. @param {string} why @param {string} [back] where to come back to */
export function askToSignIn(why, back) {
  sheet(why, () => [
    el("p", { class: "soft" }, t("sign_in_text")),
    el(
      "div",
      { class: "row sheet-acts" },
      el("a", { class: "button main wide", href: doorway("signup", back) }, t("sign_up")),
      el("a", { class: "button wide", href: doorway("login", back) }, t("log_in")),
    ),
  ]);
}
