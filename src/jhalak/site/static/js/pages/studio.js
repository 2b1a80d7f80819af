/** The studio: one's own clips with their states, kept fresh while anything is being made. */

import { call, get, seg } from "../lib/api.js";
import { copy, el, find, icon } from "../lib/dom.js";
import { channelField, details, put, tagField } from "../lib/clip-fields.js";
import { submitted } from "../lib/form.js";
import { confirm, sheet } from "../lib/sheet.js";
import "../lib/peek.js";
import { toast } from "../lib/toast.js";
import { ago, number, stateWords, t } from "../lib/words.js";
import { captions } from "../studio/captions.js";

const FAST = 1500;
const SLOW = 20000;
const list = find("#clips");
const empty = find("#empty");
const more = find("#more");
/** @type {any[]} */
let items = [];
let cursor = /** @type {string|null} */ (null);
let timer = 0;

const working = (/** @type {any} */ card) => ["received", "checking", "preparing", "playable"].includes(card.state);

/** @param {any} card */
function stateChip(card) {
  if (card.withdrawn) return el("span", { class: "chip bad" }, icon("hide"), t("withdrawn"));
  if (card.state === "failed") return el("span", { class: "chip bad" }, icon("alert"), t("state_failed"));
  if (card.state === "complete") {
    const sign = { public: "globe", followers: "people", private: "lock" }[card.visibility] ?? "globe";
    return el("span", { class: "chip good" }, icon(sign), t(`visible_${card.visibility}`));
  }
  const part = card.progress ? ` ${number(Math.round(card.progress * 100))} %` : "";
  return el("span", { class: "chip busy" }, stateWords(card) + part);
}

/** @param {any} card */
function row(card) {
  const playable = Boolean(card.src);
  const thumb = card.poster ? el("img", { src: card.poster, alt: "", loading: "lazy" }) : icon("film");
  const title = card.caption || t("untitled");
  const act = (/** @type {string} */ sign, /** @type {string} */ word, /** @type {() => void} */ does, extra = "") =>
    el("button", { type: "button", class: `button plain ${extra}`, title: word, on: { click: does } }, icon(sign), el("span", { class: "word" }, word), el("span", { class: "unseen" }, ` ${title}`));
  return el(
    "li",
    { class: "clip-row", "data-id": card.id, "data-print": print(card) },
    playable ? el("a", { class: "thumb", href: `/v/${card.id}`, "data-preview": card.preview || null, "aria-label": t("see_clip", { title }) }, thumb) : el("div", { class: "thumb" }, thumb),
    el("div", {}, el("p", { class: "title", dir: "auto" }, title), el("p", { class: "soft small" }, ago(card.created))),
    el(
      "div",
      { class: "clip-state" },
      stateChip(card),
      card.withdrawn ? el("p", { class: "small" }, card.withdrawn) : null,
      card.failure ? el("p", { class: "small" }, card.failure.text) : null,
    ),
    el(
      "dl",
      { class: "clip-numbers" },
      ...[["views", card.counts.views], ["full_watches", card.full_watches], ["likes", card.counts.likes]].map(([word, count]) =>
        el("div", {}, el("dt", {}, t(String(word))), el("dd", {}, number(Number(count)))),
      ),
    ),
    el(
      "div",
      { class: "clip-acts" },
      card.retry ? act("retry", t("try_again"), () => retry(card)) : null,
      card.state === "failed" ? null : act("captions", t("captions"), () => captions(card, renew)),
      act("edit", t("edit"), () => edit(card)),
      act("trash", t("delete"), () => remove(card), "bad"),
    ),
  );
}

/** What can change in a row: only then is it drawn anew, so that focus stays. @param {any} card */
function print(card) {
  return JSON.stringify([card.state, card.progress, card.queue, card.counts, card.full_watches, card.caption, card.visibility, card.poster, card.preview, card.failure?.code, card.withdrawn, card.captions, document.documentElement.lang]);
}

function draw() {
  const known = new Map([...list.children].map((node) => [/** @type {HTMLElement} */ (node).dataset.id, /** @type {HTMLElement} */ (node)]));
  const wanted = items.map((card) => {
    const old = known.get(card.id);
    return old && old.dataset.print === print(card) ? old : row(card);
  });
  const held = /** @type {HTMLElement} */ (document.activeElement);
  const place = [...list.children].findIndex((node) => node.contains(held));
  for (const old of known.values()) if (!wanted.includes(old)) old.remove();
  wanted.forEach((one, at) => list.children[at] === one || list.insertBefore(one, list.children[at] ?? null));
  empty.hidden = items.length > 0;
  find("#head").hidden = items.length === 0;
  more.hidden = cursor === null;
  if (place < 0 || held.isConnected) return;
  const near = list.children[Math.min(place, items.length - 1)] ?? empty;
  /** @type {HTMLElement|null} */ (near.querySelector(`[title="${CSS.escape(held.title)}"]`) ?? near.querySelector("a, button"))?.focus();
}

async function load() {
  clearTimeout(timer);
  try {
    const page = await get("/me/videos");
    const fresh = new Set(page.items.map((/** @type {any} */ one) => one.id));
    const last = page.items.at(-1)?.created ?? "";
    // Rows of later pages stay; rows of this one that are gone are gone.
    items = [...page.items, ...items.filter((one) => !fresh.has(one.id) && page.next !== null && one.created < last)];
    if (items.length === page.items.length) cursor = page.next;
    find("#trouble").textContent = "";
    draw();
  } catch (problem) {
    find("#trouble").textContent = /** @type {Error} */ (problem).message;
  }
  list.removeAttribute("aria-busy");
  timer = window.setTimeout(load, document.hidden ? SLOW : items.some(working) ? FAST : SLOW);
}

more.addEventListener("click", async () => {
  if (cursor === null) return;
  const page = await get(`/me/videos?cursor=${encodeURIComponent(cursor)}`);
  items.push(...page.items);
  cursor = page.next;
  draw();
});

/** @param {any} card */
async function retry(card) {
  try {
    Object.assign(card, await call("POST", `/videos/${seg(card.id)}/retry`));
    draw();
    load();
  } catch (problem) {
    toast(/** @type {Error} */ (problem).message);
  }
}

/** @param {any} card */
async function remove(card) {
  if (!(await confirm(t("delete_title"), t("delete_text"), t("delete_yes")))) return;
  const at = items.indexOf(card);
  items = items.filter((one) => one.id !== card.id);
  draw();
  try {
    await call("DELETE", `/videos/${seg(card.id)}`);
    toast(t("deleted"));
  } catch (problem) {
    items.splice(at, 0, card);
    draw();
    toast(/** @type {Error} */ (problem).message);
  }
}

/** A card that changed elsewhere. @param {any} fresh */
function renew(fresh) {
  items = items.map((one) => (one.id === fresh.id ? fresh : one));
  draw();
}

/** @param {any} card */
function edit(card) {
  const form = /** @type {HTMLFormElement} */ (copy("edit"));
  const dialog = sheet(t("edit"), () => [form]);
  const tags = tagField(find(".tag-box", form), find(".suggestions", form), card.tags);
  channelField(/** @type {HTMLSelectElement} */ (find("select[name=channel]", form)), card.channel?.slug);
  put(form, { ...card, channel: undefined });
  submitted(form, async () => {
    Object.assign(card, await call("PATCH", `/videos/${seg(card.id)}`, details(form, tags)));
    dialog.close();
    draw();
    toast(t("changed"));
  });
}

document.addEventListener("visibilitychange", () => !document.hidden && load());
load();
