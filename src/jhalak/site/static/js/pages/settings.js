/** Settings: each group saves by itself and says so. */

import { call, get, seg } from "../lib/api.js";
import { avatar, el, find } from "../lib/dom.js";
import { submitted } from "../lib/form.js";
import { personRow } from "../lib/people.js";
import { choose, chosen } from "../lib/saver.js";
import { confirm } from "../lib/sheet.js";
import { fill } from "../lib/tiles.js";
import { toast } from "../lib/toast.js";
import { ago, t } from "../lib/words.js";

const year = 31536000;
const form = (/** @type {string} */ id) => /** @type {HTMLFormElement} */ (find(id));
const oops = (/** @type {any} */ problem) => toast(problem.message || t("server_trouble"));

submitted(form("#profile"), async ({ name, bio }) => {
  await call("PATCH", "/me", { name, bio });
  toast(t("changed"));
});

submitted(form("#password"), async ({ current, new: fresh }) => {
  await call("PUT", "/me/password", { current, new: fresh });
  form("#password").reset();
  toast(t("password_changed"));
  sessions();
});

const picture = find("#picture");
const shown = find("#picture-shown");
/** @param {string} url */
function showPicture(url) {
  shown.replaceChildren(avatar({ handle: shown.dataset.handle ?? "", name: shown.dataset.name, picture: url }, "big"));
  find("#picture-remove").hidden = !url;
}
picture.addEventListener("change", async () => {
  const file = /** @type {HTMLInputElement} */ (picture).files?.[0];
  if (!file) return;
  try {
    showPicture((await call("PUT", "/me/picture", file)).picture);
    toast(t("changed"));
  } catch (problem) {
    oops(problem);
  }
});
find("#picture-remove").addEventListener("click", async () => {
  try {
    await call("DELETE", "/me/picture");
    showPicture("");
    picture.focus(); // "remove" is gone
  } catch (problem) {
    oops(problem);
  }
});

find("#language").addEventListener("change", async (event) => {
  const language = /** @type {HTMLSelectElement} */ (event.target).value;
  try {
    await call("PATCH", "/me", { language });
    location.reload();
  } catch (problem) {
    oops(problem);
  }
});

for (const radio of document.querySelectorAll("input[name=theme]")) {
  radio.addEventListener("change", () => {
    const { value } = /** @type {HTMLInputElement} */ (radio);
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = value
      ? `jhalak_theme=${value}; Path=/; Max-Age=${year}; SameSite=Lax${secure}`
      : "jhalak_theme=; Path=/; Max-Age=0; SameSite=Lax";
    if (value) document.documentElement.dataset.theme = value;
    else delete document.documentElement.dataset.theme;
  });
}

for (const one of document.querySelectorAll("input[name=saver]")) {
  const radio = /** @type {HTMLInputElement} */ (one);
  const means = { "": null, on: true, off: false }[radio.value] ?? null;
  radio.checked = means === chosen();
  radio.addEventListener("change", () => choose(means));
}

const closed = /** @type {HTMLInputElement} */ (find("#private"));
closed.addEventListener("change", async () => {
  try {
    await call("PATCH", "/me", { private: closed.checked });
    toast(closed.checked ? t("now_private") : t("now_open"));
    if (!closed.checked) for (const row of find("#requests").querySelectorAll("li")) leave(row); // all were accepted
  } catch (problem) {
    closed.checked = !closed.checked;
    oops(problem);
  }
});

async function sessions() {
  const { items } = await get("/sessions");
  find("#sessions").replaceChildren(
    ...items.map((/** @type {any} */ one) =>
      el(
        "li",
        {},
        el("span", {}, el("b", {}, one.device || t("a_browser")), el("br"), el("span", { class: "soft small" }, one.current ? t("this_browser") : t("last_seen", { when: ago(one.seen) }))),
        one.current ? el("span", { class: "chip good" }, t("here")) : null,
      ),
    ),
  );
}

/** Takes an answered person out of a list; the focus goes to the next one's button. @param {HTMLElement} row */
function leave(row) {
  const list = row.parentElement;
  if (!list) return; // answered twice
  const next = row.nextElementSibling ?? row.previousElementSibling;
  const focused = row.contains(document.activeElement);
  row.remove();
  find(`#${list.id}-empty`).hidden = list.childElementCount > 0;
  if (focused) (next?.querySelector("button") ?? find("#main")).focus({ preventScroll: true });
}

/** @param {string} word @param {string} method @param {string} path */
function answer(word, method, path, extra = "") {
  const button = el("button", { type: "button", class: `button ${extra}` }, word);
  button.addEventListener("click", () =>
    call(method, path).then(() => leave(/** @type {HTMLElement} */ (button.closest("li"))), oops),
  );
  return button;
}

/** @param {string} id @param {string} path @param {(person: any) => Node[]} acts */
const people = (id, path, acts) =>
  fill(find(id), path, { empty: find(`${id}-empty`), make: (person) => personRow(person, ...acts(person)) });

people("#requests", "/me/follow-requests", ({ handle }) => [
  answer(t("agree"), "PUT", `/me/follow-requests/${seg(handle)}`, "main"),
  answer(t("decline"), "DELETE", `/me/follow-requests/${seg(handle)}`),
]);
people("#blocked", "/me/blocked", ({ handle }) => [answer(t("unblock"), "DELETE", `/people/${seg(handle)}/block`)]);

find("#log-out").addEventListener("click", async (event) => {
  event.preventDefault();
  try {
    await call("DELETE", "/session");
    location.assign("/");
  } catch (problem) {
    oops(problem);
  }
});
find("#log-out-all").addEventListener("click", async () => {
  if (!(await confirm(t("log_out_all_title"), t("log_out_all_text"), t("log_out_all")))) return;
  try {
    await call("DELETE", "/sessions");
    location.assign("/login");
  } catch (problem) {
    oops(problem);
  }
});

sessions().catch(oops);
