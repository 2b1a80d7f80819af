/** Discover: channels as coloured doors, and one search box for clips, people and tags. */

import { get, seg } from "../lib/api.js";
import { announce, el, find, paint } from "../lib/dom.js";
import { arrived } from "../lib/peek.js";
import { personRow } from "../lib/people.js";
import { tile } from "../lib/tiles.js";
import { number, t } from "../lib/words.js";

const WAIT = 250;
const box = /** @type {HTMLInputElement} */ (find("#search"));
const results = find("#results");
const doors = find("#doors");
let asked = 0;
let timer = 0;

async function search() {
  const words = box.value.trim();
  const mine = ++asked;
  history.replaceState(null, "", words ? `?q=${encodeURIComponent(words)}` : location.pathname);
  doors.hidden = Boolean(words);
  results.hidden = !words;
  if (!words) return results.replaceChildren();
  results.setAttribute("aria-busy", "true");
  try {
    const last = words.split(/\s+/).at(-1)?.replace(/^[#@]/, "") ?? "";
    const [videos, tags] = await Promise.all([get(`/search?q=${encodeURIComponent(words)}`), get(`/tags?prefix=${encodeURIComponent(last)}`)]);
    if (mine === asked) show(words, videos.items, last ? tags.items : []);
  } catch (problem) {
    if (mine !== asked) return;
    results.replaceChildren(
      el("p", { class: "error" }, /** @type {Error} */ (problem).message),
      el("button", { type: "button", class: "button", on: { click: search } }, t("try_again")),
    );
  } finally {
    if (mine === asked) results.removeAttribute("aria-busy");
  }
}

/** @param {string} words @param {any[]} videos @param {any[]} tags */
function show(words, videos, tags) {
  const needle = words.toLocaleLowerCase().replace(/^@/, "");
  const people = new Map();
  for (const { author } of videos) {
    if (`${author.handle} ${author.name}`.toLocaleLowerCase().includes(needle)) people.set(author.handle, author);
  }
  const section = (/** @type {string} */ title, /** @type {Node} */ content) => el("section", { class: "section" }, el("h2", {}, title), content);
  results.replaceChildren();
  if (tags.length) {
    results.append(
      section(t("tags"), el("div", { class: "suggestions" }, ...tags.map((one) => el("a", { class: "chip", href: `/t/${encodeURIComponent(one.tag)}` }, el("bdi", {}, `#${one.tag}`), el("span", { class: "soft" }, number(one.videos)))))),
    );
  }
  if (people.size) results.append(section(t("people"), el("ul", {}, ...[...people.values()].slice(0, 6).map((one) => personRow(one)))));
  if (videos.length) results.append(section(t("clips"), el("div", { class: "tiles" }, ...videos.map((one) => tile(one)))));
  if (!results.childElementCount) {
    results.append(el("div", { class: "empty" }, el("h2", {}, t("nothing_found")), el("p", { class: "soft" }, t("nothing_found_text", { words }))));
  }
  announce(t("found", { count: number(videos.length) }));
}

box.addEventListener("input", () => {
  clearTimeout(timer);
  timer = window.setTimeout(search, WAIT);
});
find("#search-form").addEventListener("submit", (event) => {
  event.preventDefault();
  clearTimeout(timer);
  search();
});
box.value ||= new URLSearchParams(location.search).get("q") ?? "";
if (box.value) search();

/** A door shows what is behind it: the poster of the channel's newest clip. */
const looks = new IntersectionObserver(
  (seen) => {
    for (const { isIntersecting, target } of seen) {
      if (!isIntersecting) continue;
      looks.unobserve(target);
      get(`/channels/${seg(/** @type {HTMLElement} */ (target).dataset.slug ?? "")}/videos?n=1`)
        .then(({ items: [newest] }) => {
          if (!newest?.poster) return;
          target.prepend(el("img", { src: newest.poster, alt: "", decoding: "async" }));
          if (!newest.preview) return;
          /** @type {HTMLElement} */ (target).dataset.preview = newest.preview;
          arrived(target);
        })
        .catch(() => {}); // the door's own colour stays
    }
  },
  { rootMargin: "200px" },
);
for (const door of doors.querySelectorAll("[data-slug]")) looks.observe(door);
paint(doors);
