/** Why a clip is on the page: every reason that was kept with it, and what can be done about each. */

import { call } from "../lib/api.js";
import { announce, el, icon } from "../lib/dom.js";
import { line, sheet } from "../lib/sheet.js";
import { toast } from "../lib/toast.js";
import { t } from "../lib/words.js";

const LEVELS = /** @type {Record<string, number>} */ ({ strong: 5, clear: 3, slight: 1 }); // what only brought it here has none

/** A fragment as a sentence. @param {string} text */
const sentence = (text) => text.charAt(0).toLocaleUpperCase() + text.slice(1);

/**
 * @param {any} item
 * @param {{less: () => void, changed: () => void}} acts `less`: not interested; `changed`: an interest is gone
 */
export function whySheet(item, { less, changed }) {
  const { why } = item;
  sheet(t("why_title"), (close) => [
    el("ul", { class: "reasons" }, ...why.reasons.map((/** @type {any} */ one) => reason(one, changed))),
    el("p", { class: "soft small" }, why.explore ? t("why_explore") : why.source_text),
    line("hide", t("less_like_this"), () => {
      close();
      less();
    }, t("not_interested_text")),
    el("a", { class: "sheet-item", href: "/feed-data" }, icon("eye"), el("span", {}, t("feed_knows"), el("small", {}, t("feed_knows_text")))),
  ]);
}

/** @param {any} one @param {() => void} changed */
function reason(one, changed) {
  const level = LEVELS[one.strength];
  const row = el(
    "li",
    {},
    el(
      "span",
      {},
      el("b", { dir: "auto" }, sentence(one.text)),
      level ? el("span", { class: "level", "data-level": level, "aria-hidden": "true" }) : "",
      el("small", {}, t(`strength_${one.strength}`)),
    ),
  );
  if (!one.forget) return row;
  const button = el("button", { type: "button", class: "button plain", "aria-label": t("forget_this", { what: sentence(one.text) }) }, t("forget"));
  button.addEventListener("click", async () => {
    if (button.getAttribute("aria-busy") === "true") return;
    button.setAttribute("aria-busy", "true");
    try {
      await call("DELETE", `/feed/held/${one.forget}`);
    } catch (problem) {
      button.removeAttribute("aria-busy");
      return toast(/** @type {Error} */ (problem).message);
    }
    const done = el("small", { class: "good", tabindex: "-1" }, t("forgotten"));
    button.replaceWith(done);
    done.focus();
    announce(t("forgotten"));
    changed();
  });
  row.append(button);
  return row;
}
