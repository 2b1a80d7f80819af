/** Mail addresses and phone numbers in the settings: add, confirm by a code, remove. */

import { call, get } from "../lib/api.js";
import { el, find } from "../lib/dom.js";
import { refuse, submitted } from "../lib/form.js";
import { confirm, sheet } from "../lib/sheet.js";
import { toast } from "../lib/toast.js";
import { t } from "../lib/words.js";

/** @typedef {{id: number, contact: string, confirmed: boolean, can_confirm: boolean}} Contact */

const oops = (/** @type {any} */ problem) => toast(problem.message || t("server_trouble"));
const list = find("#contacts");
const form = /** @type {HTMLFormElement} */ (find("#contact-new"));

/** @param {string} word @param {string} name what it does, to whom @param {() => void} act */
const button = (word, name, act, extra = "") =>
  el("button", { type: "button", class: `button ${extra}`, "aria-label": name, on: { click: act } }, word);

/** @param {Contact} one */
function row(one) {
  const { contact, confirmed } = one;
  return el(
    "li",
    {},
    el(
      "span",
      { class: "contact" },
      el("bdi", {}, contact),
      el("span", { class: `chip${confirmed ? " good" : ""}` }, confirmed ? t("confirmed") : t("unconfirmed")),
    ),
    el(
      "span",
      { class: "row" },
      one.can_confirm ? button(t("confirm_contact"), t("confirm_this", { contact }), () => ask(one), "main") : null,
      button(t("remove"), t("remove_this", { contact }), () => remove(one), "plain bad"),
    ),
  );
}

/** @param {Contact[]} items */
function show(items) {
  list.replaceChildren(...items.map(row));
  find("#contacts-empty").hidden = items.length > 0;
}

const load = async () => show((await get("/me/contacts")).items);

/** @param {Contact} one */
async function ask({ id, contact }) {
  let ticket = "";
  try {
    ({ ticket } = await call("POST", `/me/contacts/${id}/code`));
  } catch (problem) {
    return oops(problem);
  }
  const field = el("input", { class: "input", id: "code", name: "code", dir: "ltr", inputmode: "numeric", autocomplete: "one-time-code", maxlength: 12, autofocus: true, required: true, "aria-describedby": "code-error" });
  const typed = el(
    "form",
    { class: "stack", novalidate: true },
    el("div", { class: "field" }, el("label", { for: "code" }, t("code")), field, el("p", { class: "error", id: "code-error", "data-error": "code" })),
    el("p", { class: "error", "data-error": "", role: "alert" }),
    el("button", { class: "button main wide" }, t("confirm_contact")),
  );
  const dialog = sheet(t("confirm_this", { contact }), () => [el("p", { class: "soft" }, t("code_sent", { contact })), typed]);
  submitted(typed, async ({ code }) => {
    if (!code.trim()) return refuse(typed, t("code_needed"), "code");
    await call("POST", `/me/contacts/${id}/confirm`, { ticket, code });
    dialog.close();
    toast(t("contact_confirmed", { contact }));
    await load();
    find("#contacts-title").focus();
  });
}

/** @param {Contact} one */
async function remove({ id, contact }) {
  if (!(await confirm(t("remove_this", { contact }), t("remove_contact_text"), t("remove")))) return;
  try {
    await call("DELETE", `/me/contacts/${id}`);
    toast(t("contact_removed", { contact }));
    await load();
    find("#contacts-title").focus(); // the button is gone
  } catch (problem) {
    oops(problem);
  }
}

submitted(form, async ({ contact, password }) => {
  const { items } = await call("POST", "/me/contacts", { contact, password });
  form.reset();
  show(items);
  toast(t("contact_added", { contact: items[items.length - 1].contact }));
});

load().catch(oops);
