/** Settings: a file with everything about oneself, and leaving. Both ask for the password. */

import { call, get } from "../lib/api.js";
import { el, find } from "../lib/dom.js";
import { submitted } from "../lib/form.js";
import { confirm } from "../lib/sheet.js";
import { toast } from "../lib/toast.js";
import { t } from "../lib/words.js";

const form = (/** @type {string} */ id) => /** @type {HTMLFormElement} */ (find(id));
const oops = (/** @type {any} */ problem) => toast(problem.message || t("server_trouble"));
const looking = 3000;

/** @param {any} one */
function line(one) {
  const made = one.state === "asked" ? `${Math.round(one.progress * 100)} %` : `${Math.ceil(one.size / 1e6)} MB`;
  const button = el("button", { type: "button", class: "button" }, t("download_fetch"));
  button.addEventListener("click", async () => {
    const password = /** @type {HTMLInputElement} */ (find("#download-password"));
    try {
      location.assign((await call("POST", `/me/downloads/${one.id}/open`, { password: password.value })).url);
    } catch (problem) {
      oops(problem);
      password.focus();
    }
  });
  return el("li", {}, el("span", {}, `${t(`download_${one.state}`)} ${made}`), one.state === "ready" ? button : null);
}

async function downloads() {
  const { items } = await get("/me/downloads");
  find("#downloads").replaceChildren(...items.map(line));
  if (items.some((/** @type {any} */ one) => one.state === "asked")) setTimeout(() => downloads().catch(oops), looking);
}

submitted(form("#download"), async ({ password }) => {
  await call("POST", "/me/downloads", { password });
  await downloads();
});

find("#plan").addEventListener(
  "toggle",
  () =>
    get("/me/leaving").then(
      ({ items }) =>
        find("#plan-lines").replaceChildren(
          ...items.map((/** @type {any} */ one) =>
            el("li", {}, el("span", {}, one.count < 0 ? one.what : `${one.what} (${one.count})`), el("span", { class: "soft small" }, one.words)),
          ),
        ),
      oops,
    ),
  { once: true },
);

submitted(form("#leave"), async ({ password }) => {
  if (!(await confirm(t("leave_title"), t("leave_text"), t("leave_now")))) return;
  const { receipt } = await call("POST", "/me/leaving", { password });
  location.assign(receipt);
});

downloads().catch(oops);
