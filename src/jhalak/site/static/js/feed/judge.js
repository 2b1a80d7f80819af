/** What a moderator does to a clip: take it down, or bring it back, with a reason that its author reads. */

import { call, seg } from "../lib/api.js";
import { el } from "../lib/dom.js";
import { submitted } from "../lib/form.js";
import { sheet } from "../lib/sheet.js";
import { t } from "../lib/words.js";

/** @param {any} item `withdrawn`: why it is down, if it is @param {() => void} done */
export function judgeSheet(item, done) {
  const down = Boolean(item.withdrawn);
  sheet(down ? t("restore_title") : t("withdraw_title"), (close) => {
    const form = el(
      "form",
      { class: "stack", novalidate: true },
      el("p", { class: "soft" }, down ? t("restore_text") : t("withdraw_text")),
      el(
        "div",
        { class: "field" },
        el("label", { for: "reason" }, t("reason")),
        el("textarea", { class: "input", id: "reason", name: "reason", maxlength: 300, rows: 3, dir: "auto", required: true, autofocus: true, "aria-describedby": "reason-error" }),
        el("p", { class: "error", id: "reason-error", "data-error": "reason" }),
      ),
      el("p", { class: "error", "data-error": "", role: "alert" }),
      el("button", { class: `button wide ${down ? "main" : "bad"}` }, down ? t("restore") : t("withdraw")),
    );
    submitted(form, async ({ reason }) => {
      await call("POST", `/videos/${seg(item.id)}/${down ? "restore" : "withdraw"}`, { reason });
      item.withdrawn = down ? "" : reason;
      close();
      done();
    });
    return [form];
  });
}
