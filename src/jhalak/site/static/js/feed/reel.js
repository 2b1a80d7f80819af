/**
 * The scroller: a tall empty strip with five slides laid where they are needed, the same five all the time.
 * Exactly one plays; the next is loaded, the one after has its first bytes, and neither before the visible
 * one has enough to run.
 */

import { announce, calm, el, find } from "../lib/dom.js";
import { saving } from "../lib/saver.js";
import { lasting } from "../lib/store.js";
import { t } from "../lib/words.js";
import { line } from "./line.js";
import { Slide } from "./slide.js";
import { Watch } from "./watch.js";

const POOL = 5;
const STARVED = 800; // ms of waiting after which what was loading ahead gives way

export class Reel {
  /**
   * @param {HTMLElement} feed the scroller
   * @param {import("./supply.js").Supply} supply
   * @param {import("./sender.js").Sender} sender
   * @param {{menu: (slide: Slide) => void, why: (slide: Slide) => void, moved: () => void}} host
   */
  constructor(feed, supply, sender, host) {
    this.feed = feed;
    this.supply = supply;
    this.sender = sender;
    this.host = host;
    this.strip = el("div", { class: "reel" });
    this.at = -1;
    this.watch = /** @type {Watch|null} */ (null);
    this.paused = false; // by the viewer
    this.sound = lasting.get("sound") !== false;
    this.captions = lasting.get("captions") !== false;
    this.starving = 0;
    const slideHost = {
      menu: (/** @type {Slide} */ slide) => host.menu(slide),
      why: (/** @type {Slide} */ slide) => host.why(slide),
      sound: () => this.setSound(!this.audible()),
      toggled: (/** @type {Slide} */ slide) => slide === this.current && this.toggle(), // a late tap hits no other
      ended: (/** @type {Slide} */ slide) => this.ended(slide),
      leave: () => this.step(1),
      loaded: () => this.serve(),
    };
    this.slides = Array.from({ length: POOL }, () => new Slide(slideHost));
    for (const slide of this.slides) {
      slide.root.hidden = true;
      slide.video.addEventListener("canplay", () => this.prepare());
      slide.video.addEventListener("waiting", () => this.waiting(slide));
      slide.video.addEventListener("playing", () => clearTimeout(this.starving));
    }
    this.end = el("section", { class: "slide last", hidden: true });
    this.strip.append(...this.slides.map((slide) => slide.root), this.end);
    feed.replaceChildren(this.strip);
    feed.addEventListener("scroll", () => this.scrolled(), { passive: true });
    new ResizeObserver(() => this.measure()).observe(feed);
    document.addEventListener("visibilitychange", () => this.visibility());
    addEventListener("pagehide", () => {
      this.leave();
      sender.leave(); // after the ending of this clip was told
    });
    addEventListener("pageshow", (event) => event.persisted && this.current && this.activate(this.at));
    this.measure();
  }

  get current() {
    return this.slides.find((slide) => slide.index === this.at && slide.item) ?? null;
  }

  measure() {
    this.page = this.feed.clientHeight || innerHeight;
    this.strip.style.setProperty("--page", `${this.page}px`);
    if (this.at > 0) this.feed.scrollTo({ top: this.at * this.page, behavior: "instant" });
  }

  /** The supply has other clips from `cut` on. @param {HTMLElement|null} notice what stands behind the last one */
  changed(notice) {
    const { items } = this.supply;
    this.end.hidden = !notice;
    if (notice) {
      if (notice.textContent !== this.end.textContent) this.end.replaceChildren(notice); // else its focus stays
      this.end.style.setProperty("--at", String(items.length));
    }
    this.strip.style.setProperty("--count", String(items.length + (notice ? 1 : 0)));
    if (!this.current && Math.max(0, this.at) < items.length) this.activate(Math.max(0, this.at)); // first, or after the end
    else if (items.length) this.place();
  }

  scrolled() {
    const at = Math.round(this.feed.scrollTop / this.page);
    if (at !== this.at) this.activate(at);
  }

  /** Lays the five slides around the clip on screen: one behind, three ahead. */
  place() {
    const { items } = this.supply;
    for (let index = this.at - 1; index < this.at + POOL - 1; index += 1) {
      if (index < 0) continue;
      const slide = this.slides[index % POOL];
      if (index < items.length) slide.bind(items[index], index);
      else if (slide.index !== this.at) {
        slide.release();
        slide.item = null;
        slide.index = -1;
        slide.root.hidden = true;
      }
    }
    this.prepare();
  }

  /** @param {number} at */
  activate(at) {
    performance.mark("jhalak:swipe");
    this.leave();
    const focused = this.strip.contains(document.activeElement) ? document.activeElement : null;
    this.at = at;
    this.place();
    for (const slide of this.slides) {
      const mine = slide.index === at && Boolean(slide.item);
      slide.wanted = mine;
      slide.root.inert = !mine;
      slide.root.classList.toggle("current", mine);
      slide.root.classList.remove("paused");
      if (!mine) slide.video.pause();
    }
    this.paused = false;
    const slide = this.current;
    this.end.inert = slide !== null;
    if (focused) this.focus(focused);
    this.supply.moved(Math.min(at, this.supply.items.length));
    if (!slide) return;
    this.rest();
    slide.load("auto");
    this.serve();
    const { token } = slide.item;
    this.watch = new Watch(slide.video, (kind, ms) => this.sender.tell(token, kind, ms));
    this.play(slide);
    this.host.moved();
    announce(slide.root.getAttribute("aria-label") ?? "");
  }

  /** What had the focus was left: the same control of the new slide has it now. @param {Element} old */
  focus(old) {
    const root = this.current?.root ?? this.end;
    const same = old.classList.length ? root.querySelector(`.${old.classList[0]}`) : null;
    const to = same?.checkVisibility() ? same : root.querySelector(".stage-hit, a, button");
    /** @type {HTMLElement|null} */ (to)?.focus({ preventScroll: true });
  }

  /** Slides that are behind keep their words and picture, not their bytes. */
  rest() {
    for (const slide of this.slides) {
      if (slide.item && slide.index < this.at - 1) slide.release();
      else if (slide.item && slide.index < this.at) slide.video.currentTime = 0;
    }
  }

  leave() {
    this.watch?.leave();
    this.watch = null;
    clearTimeout(this.starving);
  }

  /** @param {Slide} slide */
  async play(slide) {
    const { video } = slide;
    if (video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) slide.root.classList.add("waiting");
    video.muted = !this.sound;
    this.showCaptions(slide);
    try {
      await slide.start();
    } catch (reason) {
      const name = /** @type {Error} */ (reason).name;
      if (name !== "NotAllowedError" || video.muted || !slide.wanted) {
        if (name === "NotAllowedError" && slide.wanted) slide.root.classList.add("paused");
        return; // moved on meanwhile, or a fault that comes as the element's error
      }
      video.muted = true; // the browser wants a touch before it sounds
      await slide.start().catch(() => slide.root.classList.toggle("paused", slide.wanted));
    }
    this.showSound();
  }

  /** The visible clip and the three that are ahead, as far as they are there. */
  onward() {
    return [0, 1, 2, 3].map((by) => this.slides.find((one) => one.index === this.at + by && one.item));
  }

  /** What is ahead, once the visible one can play. */
  prepare() {
    const [now, next, after, third] = this.onward();
    if (!now || now.video.readyState < HTMLMediaElement.HAVE_FUTURE_DATA) return;
    next?.load(saving() ? "metadata" : "auto");
    if (!next || next.video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA || saving()) return;
    after?.load("metadata");
    if (third?.item.sources?.length) third.load("metadata");
  }

  /** Who may use the line, in order; how much of each comes, and when, is for the line to say. */
  serve() {
    line.serve(this.onward().flatMap((one) => one?.stream ?? []));
  }

  /** The visible clip stalls: what the browser loads ahead of it lets go of the line. @param {Slide} slide */
  waiting(slide) {
    if (slide !== this.current) return;
    clearTimeout(this.starving);
    this.starving = window.setTimeout(() => {
      if (slide !== this.current) return;
      for (const one of this.slides) {
        if (one.index > this.at && !one.stream && one.video.readyState < HTMLMediaElement.HAVE_ENOUGH_DATA) one.release();
      }
    }, STARVED);
  }

  /** @param {Slide} slide */
  ended(slide) {
    if (slide !== this.current) return;
    this.watch?.ended();
    slide.video.currentTime = 0;
    slide.video.play().catch(() => {}); // left meanwhile
  }

  toggle() {
    const slide = this.current;
    if (!slide) return;
    this.paused = !slide.video.paused;
    if (this.paused) slide.video.pause();
    else this.play(slide);
  }

  visibility() {
    const slide = this.current;
    if (document.visibilityState === "hidden") {
      slide?.video.pause();
      if (this.watch?.settled()) this.leave(); // a phone may end a hidden page without another word
      this.sender.leave();
    } else if (slide && !this.paused) this.play(slide);
  }

  /** @param {number} by */
  step(by) {
    const last = this.supply.items.length - 1 + (this.end.hidden ? 0 : 1);
    const to = Math.min(Math.max(0, this.at + by), Math.max(0, last));
    this.feed.scrollTo({ top: to * this.page, behavior: calm() ? "instant" : "smooth" });
  }

  audible() {
    return this.sound && !(this.current?.video.muted ?? true);
  }

  /** @param {boolean} on */
  setSound(on) {
    this.sound = on;
    lasting.set("sound", on);
    const slide = this.current;
    if (slide) {
      slide.video.muted = !on;
      if (on && slide.video.paused && !this.paused) this.play(slide);
    }
    this.showSound();
    announce(on ? t("sound_on") : t("sound_off"));
  }

  showSound() {
    const on = this.audible();
    for (const slide of this.slides) find(".sound", slide.root).setAttribute("aria-pressed", String(on));
    const pill = document.getElementById("sound-pill");
    if (pill) pill.hidden = !this.sound || on || !this.current;
  }

  /** The language that captions of a clip are shown in: the one chosen, the page's, else the first. @param {any} item */
  captionLanguage(item) {
    const known = (item.captions ?? []).map((/** @type {any} */ one) => one.language);
    return [lasting.get("captionLanguage"), document.documentElement.lang].find((one) => known.includes(one)) ?? known[0];
  }

  /** @param {Slide} slide */
  showCaptions(slide) {
    slide.captions(this.captions ? this.captionLanguage(slide.item) : undefined);
  }

  /** @param {boolean} on @param {string} [language] */
  setCaptions(on, language) {
    this.captions = on;
    lasting.set("captions", on);
    if (language) lasting.set("captionLanguage", language);
    if (this.current) this.showCaptions(this.current);
  }
}
