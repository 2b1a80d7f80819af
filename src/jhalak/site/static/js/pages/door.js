/** Log in and sign up. Without JavaScript the same forms post to the same page. */

import { call } from "../lib/api.js";
import { find } from "../lib/dom.js";
import { refuse, submitted } from "../lib/form.js";
import { t } from "../lib/words.js";

const form = /** @type {HTMLFormElement} */ (find("form[data-door]"));
const joining = form.dataset.door === "signup";

submitted(form, async ({ handle, password, name, language, under_age }) => {
  if (!handle.trim()) return refuse(form, t("handle_needed"), "handle");
  if (!password) return refuse(form, t("password_needed"), "password");
  if (joining) await call("POST", "/people", { handle: handle.trim(), password, name: name.trim(), language, under_age: Boolean(under_age) });
  else await call("POST", "/session", { handle: handle.trim(), password });
  location.replace(form.dataset.next || "/");
});

const eye = find("#show-password");
eye.hidden = false;
eye.addEventListener("click", () => {
  const field = /** @type {HTMLInputElement} */ (find("input[name=password]"));
  const shown = field.type === "text";
  field.type = shown ? "password" : "text";
  eye.setAttribute("aria-pressed", String(!shown));
  field.focus();
});
