/** What a moderator does to a clip: take it down, or bring it back, with a reason that its author reads. */

import { call, seg } from "../lib/api.js";
import { el } from "../lib/dom.js";
import { submitted } from "../lib/form.js";
import { sheet } from "../lib/sheet.js";
import { t } from "../lib/words.js";

/** @param {any} item `withdrawn`: why it is down, if it is @param {() => void} done */
export function judgeSheet(item, done) {
  const what = item.withdrawn ? "restore" : "withdraw";
  sheet(t(`${what}_title`), (close) => {
    const form = el(
      "form",
      { class: "stack", novalidate: true },
      el("p", { class: "soft" }, t(`${what}_text`)),
      el(
        "div",
        { class: "field" },
        el("label", { for: "reason" }, t("reason")),
        el("textarea", { class: "input", id: "reason", name: "reason", maxlength: 300, rows: 3, dir: "auto", required: true, autofocus: true, "aria-describedby": "reason-error" }),
        el("p", { class: "error", id: "reason-error", "data-error": "reason" }),
      ),
      el("p", { class: "error", "data-error": "", role: "alert" }),
      el("button", { class: `button wide ${item.withdrawn ? "main" : "bad"}` }, t(what)),
    );
    submitted(form, async ({ reason }) => {
      await call("POST", `/videos/${seg(item.id)}/${what}`, { reason });
      item.withdrawn = item.withdrawn ? "" : reason;
      close();
      done();
    });
    return [form];
  });
}
