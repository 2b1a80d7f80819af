/** The feed's page: puts supply, reel, sender and keys together, and holds what is said beside the clips. */

import { announce, el, find, icon } from "../lib/dom.js";
import { signedIn } from "../lib/me.js";
import { line, sheet } from "../lib/sheet.js";
import { share } from "../lib/share.js";
import { lasting, passing } from "../lib/store.js";
import { toast } from "../lib/toast.js";
import { data, t } from "../lib/words.js";
import { Reel } from "../feed/reel.js";
import { Sender } from "../feed/sender.js";
import { Supply } from "../feed/supply.js";
import { keys, keySheet } from "../feed/keys.js";
import { whySheet } from "../feed/why.js";

const feed = /** @type {HTMLElement} */ (find("#feed"));
const { scope = "for_you", value = "" } = feed.dataset;
const first = data("first");
const sender = new Sender();

/** Coming back by the browser's button finds the clip that was left. */
const cameBack = /** @type {any} */ (performance.getEntriesByType("navigation")[0])?.type === "back_forward";
const left = cameBack ? passing.get(`left${location.pathname}`) : null;

const supply = new Supply({ scope, value, first: left ?? (first ? [first] : []), sender }, () => reel.changed(notice()));
const reel = new Reel(feed, supply, sender, { menu, why, moved });

/** What stands in place of a clip, or null while more will come. */
function notice() {
  const empty = supply.items.length === 0;
  if (supply.state === "troubled" && empty) return message("wifi-off", t("feed_trouble"), supply.trouble, again());
  if (supply.state !== "ended") return null;
  if (empty && scope === "following") {
    return signedIn
      ? message("people", t("following_empty"), t("following_empty_text"), link("/discover", t("discover")))
      : message("people", t("following_guest"), t("following_guest_text"), link("/login?next=/following", t("log_in")));
  }
  if (empty) return message("film", t("feed_empty"), t("feed_empty_text"), link("/upload", t("upload_first")));
  return message("check", t("feed_end"), t("feed_end_text"), link("/discover", t("discover")), again(t("look_again")));
}

/** @param {string} sign @param {string} title @param {string} text @param {...HTMLElement} acts */
function message(sign, title, text, ...acts) {
  return el("article", { class: "notice", "aria-label": title }, icon(sign), el("h2", {}, title), el("p", {}, text), ...acts);
}

/** @param {string} href @param {string} text */
const link = (href, text) => el("a", { class: "button main", href }, text);

/** @param {string} [text] */
function again(text = t("try_again")) {
  return el("button", { type: "button", class: "button", on: { click: () => supply.ask({ fresh: true }) } }, text);
}

function moved() {
  if (reel.at > 0) retireHint();
}

/** @param {import("../feed/slide.js").Slide} slide */
function notInterested(slide) {
  const { item, index } = slide;
  const { token } = item;
  sender.tell(token, "not_interested");
  reel.step(1);
  supply.ask({ fresh: true });
  toast(t("less_of_this"), {
    label: t("undo"),
    act() {
      sender.tell(token, "interested");
      supply.ask({ fresh: true });
      reel.step(index - reel.at);
      announce(t("undone"));
    },
  });
}

/** What can be done about a clip's captions: hide them, show them, or in another language. @param {any} item @returns {[string, () => void][]} */
function captionLines(item) {
  if (!item.captions?.length) return [];
  if (!reel.captions) return [[t("captions_on"), () => reel.setCaptions(true)]];
  const shown = reel.captionLanguage(item);
  const others = item.captions.filter((/** @type {any} */ one) => one.language !== shown);
  return [
    [t("captions_off"), () => reel.setCaptions(false)],
    ...others.map((/** @type {any} */ one) => /** @type {[string, () => void]} */ ([t("captions_in", { language: one.label }), () => reel.setCaptions(true, one.language)])),
  ];
}

/** @param {import("../feed/slide.js").Slide} slide */
function menu(slide) {
  const { item } = slide;
  sheet(t("menu"), (close) => {
    const then = (/** @type {() => void} */ act) => () => {
      close();
      act();
    };
    return [
      line("hide", t("not_interested"), then(() => notInterested(slide)), t("not_interested_text")),
      item.why ? line("spark", t("why_title"), then(() => why(slide))) : "",
      line("share", t("share"), then(() => share(item, () => slide.show()))),
      ...captionLines(item).map(([text, act]) => line("captions", text, then(act))),
      el("a", { class: "sheet-item", href: `/@${item.author.handle}` }, icon("person"), el("span", {}, t("see_profile", { name: `@${item.author.handle}` }))),
      "judges" in feed.dataset ? line("alert", t(item.withdrawn ? "restore" : "withdraw"), then(() => judge(item))) : "",
      line("help", t("keys"), then(keySheet)),
    ].filter(Boolean);
  });
}

/** For moderators, who alone fetch it. @param {any} item */
async function judge(item) {
  const { judgeSheet } = await import("../feed/judge.js");
  judgeSheet(item, () => {
    if (!item.withdrawn) {
      document.querySelector(".feed-title small")?.remove(); // it said that this clip is down
      return toast(t("restored"));
    }
    if (reel.current?.item === item) reel.step(1);
    toast(t("withdrawn_now"), { label: t("see_again"), act: () => location.assign(`/v/${item.id}`) });
  });
}

/** @param {import("../feed/slide.js").Slide} slide */
function why(slide) {
  const changed = () => supply.ask({ fresh: true });
  if (slide.item.why) whySheet(slide.item, { less: () => notInterested(slide), changed });
}

const hint = document.getElementById("swipe-hint");
function retireHint() {
  if (!hint || hint.hidden) return;
  hint.hidden = true;
  lasting.set("swiped", true);
}

const on = (/** @type {(slide: import("../feed/slide.js").Slide) => void} */ act) => () => reel.current && act(reel.current);
const next = () => reel.step(1);
const previous = () => reel.step(-1);
keys({
  ArrowDown: next,
  PageDown: next,
  j: next,
  ArrowUp: previous,
  PageUp: previous,
  k: previous,
  " ": () => reel.toggle(),
  m: () => reel.setSound(!reel.audible()),
  l: on((slide) => slide.like()),
  s: on((slide) => slide.save()),
  f: on((slide) => slide.follow()),
  n: on(notInterested),
  w: on(why),
  c: () => reel.setCaptions(!reel.captions),
  "?": keySheet,
});
find("#next").addEventListener("click", next);
find("#previous").addEventListener("click", previous);
find("#sound-pill").addEventListener("click", () => reel.setSound(true));
feed.addEventListener("click", (event) => {
  const byline = /** @type {HTMLElement} */ (event.target).closest(".by a");
  if (byline) sender.tell(reel.current?.item.token, "profile_opened");
});
addEventListener("pagehide", () => {
  if (supply.items.length) passing.set(`left${location.pathname}`, supply.items.slice(reel.at, reel.at + 6));
});

if (supply.items.length) reel.changed(null);
supply.ask();
if (hint && lasting.get("swiped") !== true) {
  setTimeout(() => {
    hint.hidden = reel.at > 0 || supply.items.length < 2;
  }, 2500);
}
