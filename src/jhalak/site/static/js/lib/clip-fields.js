/** What an author says of a clip: caption, tags with completion, who can see, language, channel. */

import { get } from "./api.js";
import { el, find, icon } from "./dom.js";
import { t } from "./words.js";

const WAIT = 180; // ms of quiet before tags are looked up
const MOST = 10;

/**
 * Tags as chips, with what others use below. @param {HTMLElement} box a .tag-box with an input
 * @param {HTMLElement} offers where completions go @param {string[]} start
 */
export function tagField(box, offers, start = []) {
  const input = /** @type {HTMLInputElement} */ (find("input", box));
  /** @type {string[]} */
  let tags = [...start];
  let timer = 0;

  const draw = () => {
    for (const chip of box.querySelectorAll(".chip")) chip.remove();
    input.before(
      ...tags.map((tag) =>
        el(
          "button",
          {
            type: "button",
            class: "chip",
            "aria-label": t("remove_tag", { tag }),
            on: {
              click() {
                tags = tags.filter((one) => one !== tag);
                draw();
                input.focus();
              },
            },
          },
          el("bdi", {}, `#${tag}`),
          icon("close"),
        ),
      ),
    );
  };
  const add = (/** @type {string} */ text) => {
    const tag = text.trim().replace(/^[#＃]+/, "");
    if (tag && !tags.includes(tag) && tags.length < MOST) tags.push(tag);
    input.value = "";
    offers.replaceChildren();
    draw();
  };
  const look = async () => {
    const prefix = input.value.trim().replace(/^#/, "");
    if (!prefix) return offers.replaceChildren();
    try {
      const { items } = await get(`/tags?prefix=${encodeURIComponent(prefix)}`);
      offers.replaceChildren(
        ...items
          .filter((/** @type {any} */ one) => !tags.includes(one.tag))
          .slice(0, 6)
          .map((/** @type {any} */ one) =>
            el("button", { type: "button", class: "chip", on: { click: () => { add(one.tag); input.focus(); } } }, el("bdi", {}, `#${one.tag}`)),
          ),
      );
    } catch {
      offers.replaceChildren(); // completion is a help, not a need
    }
  };
  input.addEventListener("input", () => {
    if (/[\s,]$/.test(input.value)) return add(input.value.replace(/[\s,]+$/, ""));
    clearTimeout(timer);
    timer = window.setTimeout(look, WAIT);
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && input.value.trim()) {
      event.preventDefault();
      add(input.value);
    } else if (event.key === "Backspace" && !input.value && tags.length) {
      tags.pop();
      draw();
    }
  });
  input.addEventListener("blur", () => input.value.trim() && setTimeout(() => input.value.trim() && add(input.value), 200));
  box.addEventListener("click", (event) => event.target === box && input.focus());
  draw();
  return { get: () => (input.value.trim() ? [...tags, input.value.trim().replace(/^#/, "")] : tags), set(/** @type {string[]} */ next) { tags = [...next]; draw(); } };
}

/** The channels into a <select>. @param {HTMLSelectElement} select @param {string} [chosen] */
export async function channelField(select, chosen = "") {
  try {
    const { items } = await get("/channels");
    select.append(...items.map((/** @type {any} */ one) => el("option", { value: one.slug, selected: one.slug === chosen }, one.name)));
  } catch {
    // Without the list a clip simply goes under no channel.
  }
}

/** The form's content as the API takes it. @param {HTMLFormElement} form @param {{get: () => string[]}} tags */
export function details(form, tags) {
  const values = new FormData(form);
  return {
    caption: String(values.get("caption") ?? ""),
    tags: tags.get(),
    language: String(values.get("language") ?? ""),
    channel: String(values.get("channel") ?? ""),
    visibility: String(values.get("visibility") ?? "public"),
  };
}

/** @param {HTMLFormElement} form @param {any} values */
export function put(form, values) {
  for (const name of ["caption", "language", "channel"]) {
    const field = /** @type {HTMLInputElement|null} */ (form.elements.namedItem(name));
    if (field && values[name] !== undefined) field.value = values[name] ?? "";
  }
  const group = /** @type {RadioNodeList|null} */ (form.elements.namedItem("visibility"));
  if (group && values.visibility) group.value = values.visibility;
}
