/**
 * One clip on the screen: stage, words, rail. Five of these live for ever and are handed from clip to clip,
 * so that memory stays flat and a video element that was allowed to sound keeps that right.
 */

import { avatar, copy, el, find, icon } from "../lib/dom.js";
import { compact, t } from "../lib/words.js";
import { follow, like, save } from "../lib/ties.js";
import { share } from "../lib/share.js";
import { me } from "../lib/me.js";
import { attach } from "./source.js";
import { Stream } from "./stream.js";
import { gestures } from "./gestures.js";
import { trackLine } from "./track.js";

const RETRY_OLD = 1; // a clip that fails is tried once more by itself

const ABOVE_WORDS = 64; // percent of the stage's height, from above
const BESIDE_RAIL = 66; // percent of its width, in the middle

/** Captions stand above the clip's words and beside the rail, never behind them. @param {Event} event of a track */
function lift(event) {
  for (const cue of /** @type {any} */ (event.target).track.cues) {
    cue.snapToLines = false;
    cue.line = ABOVE_WORDS;
    cue.size = BESIDE_RAIL;
  }
}

/** @typedef {{menu: (slide: Slide) => void, why: (slide: Slide) => void, sound: () => void, toggled: (slide: Slide) => void, ended: (slide: Slide) => void, leave: () => void, loaded: () => void}} Host */

export class Slide {
  /** @param {Host} host */
  constructor(host) {
    this.host = host;
    this.root = copy("slide");
    this.video = /** @type {HTMLVideoElement} */ (find("video", this.root));
    this.item = /** @type {any} */ (null);
    this.index = -1;
    this.loading = /** @type {"none"|"metadata"|"auto"} */ ("none");
    this.held = /** @type {{release: () => void}|null} */ (null); // its bytes
    this.tries = 0;
    this.wanted = false; // this is the clip that should play
    this.wire();
  }

  wire() {
    const { video, root } = this;
    gestures(find(".stage", root), {
      tap: () => this.host.toggled(this),
      twice: (x, y) => this.heart(x, y),
      held: () => this.host.menu(this),
    });
    find(".stage-hit", root).addEventListener("click", (event) => {
      if (event.detail === 0) this.host.toggled(this); // by a key or a screen reader; fingers have gestures
    });
    for (const part of root.querySelectorAll(".meta a, .meta button, .track, .notice button, .notice a")) {
      part.addEventListener("pointerdown", (event) => event.stopPropagation());
    }
    const press = (/** @type {string} */ name, /** @type {() => void} */ act) =>
      find(name, root).addEventListener("click", act);
    press(".like", () => this.like());
    press(".save", () => this.save());
    press(".share", () => share(this.item, () => this.show()));
    press(".sound", () => this.host.sound());
    press(".menu", () => this.host.menu(this));
    press(".why", () => this.host.why(this));
    press(".follow-chip", () => this.follow());
    press(".more-words", () => this.unfold());
    press(".again", () => this.again());
    press(".next-one", () => this.host.leave());

    video.addEventListener("playing", () => root.classList.remove("waiting"));
    video.addEventListener("waiting", () => root.classList.add("waiting"));
    video.addEventListener("canplay", () => root.classList.remove("waiting"));
    video.addEventListener("pause", () => root.classList.toggle("paused", this.wanted && !video.ended));
    video.addEventListener("play", () => root.classList.remove("paused"));
    video.addEventListener("ended", () => this.host.ended(this));
    video.addEventListener("error", () => this.failed());
    trackLine(find(".track", root), video, () => this.item?.storyboard);
  }

  /**
   * Plays it. The poster leaves when a frame of the clip is really on the screen; that is asked for before it
   * plays, because "playing" comes a frame or more after the first one was shown.
   */
  start() {
    const { item, video } = this;
    const shown = () => {
      if (!this.wanted || this.item !== item) return; // handed to another clip meanwhile
      this.root.classList.add("shown");
      performance.mark("jhalak:frame", { detail: item.id });
    };
    if ("requestVideoFrameCallback" in video) video.requestVideoFrameCallback(shown);
    else video.addEventListener("playing", shown, { once: true });
    return video.play();
  }

  /** Another clip, or the same after it changed. @param {any} item @param {number} index */
  bind(item, index) {
    const { root } = this;
    if (this.item?.id === item.id && this.index === index) return;
    this.release();
    this.item = item;
    this.index = index;
    this.tries = 0;
    root.hidden = false;
    root.dataset.id = item.id;
    root.classList.remove("shown", "paused", "waiting", "troubled");
    find(".notice", root).hidden = true;
    root.style.setProperty("--at", String(index));
    root.style.setProperty("--tone", item.colour || "#1b1d2e");
    root.classList.toggle("landscape", item.width > item.height * 0.75);
    root.setAttribute("aria-label", item.caption || t("video_by", { name: item.author.name || item.author.handle }));
    for (const image of root.querySelectorAll("img.poster, img.glow")) image.removeAttribute("src");
    this.words();
    this.show();
    this.captions();
  }

  words() {
    const { item, root } = this;
    const by = find(".by a", root);
    by.setAttribute("href", `/@${item.author.handle}`);
    by.replaceChildren(
      avatar(item.author),
      el(
        "span",
        {},
        el("bdi", { class: "by-name" }, item.author.name || `@${item.author.handle}`),
        item.author.name ? el("span", { class: "by-handle", dir: "ltr" }, `@${item.author.handle}`) : null,
      ),
    );
    const caption = find(".caption", root);
    caption.textContent = item.caption ?? "";
    caption.lang = item.language || "";
    caption.classList.remove("open");
    caption.hidden = !item.caption;
    const more = find(".more-words", root);
    more.hidden = true;
    requestAnimationFrame(() => {
      more.hidden = caption.scrollHeight <= caption.clientHeight + 14; // Nastaliq hangs out of its line
      more.textContent = t("more");
    });
    find(".tags", root).replaceChildren(
      ...(item.channel ? [el("a", { href: `/c/${item.channel.slug}` }, item.channel.name)] : []),
      ...(item.tags ?? []).slice(0, 4).map((/** @type {string} */ tag) =>
        el("a", { href: `/t/${encodeURIComponent(tag)}`, dir: "auto" }, `#${tag}`),
      ),
    );
    const sound = find(".sound-line", root);
    sound.hidden = !item.sound;
    if (item.sound) {
      sound.setAttribute("href", `/s/${item.sound.id}`);
      find("bdi", sound).textContent = item.sound.handle ? t("sound_of", { handle: item.sound.handle }) : t("sound_original");
    }
    const why = find(".why", root);
    why.hidden = !item.why?.text;
    why.replaceChildren(icon("spark"), el("span", {}, item.why?.text ?? ""), el("span", { class: "unseen" }, t("why_title")));
    for (const link of root.querySelectorAll(".tags a")) link.addEventListener("pointerdown", (event) => event.stopPropagation());
  }

  /** What can change while one looks: likes, saves, follows. */
  show() {
    const { item, root } = this;
    if (!item) return;
    const mark = (/** @type {string} */ name, /** @type {boolean} */ on, /** @type {number|undefined} */ count) => {
      const button = find(name, root);
      button.setAttribute("aria-pressed", String(on));
      find(".count", button).textContent = count ? compact(count) : "";
    };
    mark(".like", Boolean(item.liked), item.counts?.likes);
    mark(".save", Boolean(item.saved), item.counts?.saves);
    find(".share .count", root).textContent = item.counts?.shares ? compact(item.counts.shares) : "";
    const chip = find(".follow-chip", root);
    const following = Boolean(item.author.following);
    chip.hidden = item.author.handle === me?.handle;
    chip.setAttribute("aria-pressed", String(following));
    find("span", chip).textContent = following ? t("following") : t("follow");
  }

  /** How much of the clip may be fetched now. Less is taken back only by release(). @param {"metadata"|"auto"} depth */
  load(depth) {
    if (!this.item || this.loading === depth || this.loading === "auto") return;
    const first = this.loading === "none";
    this.loading = depth;
    this.video.preload = depth;
    if (first) {
      if (this.item.poster) {
        for (const image of this.root.querySelectorAll("img.poster, img.glow")) image.setAttribute("src", this.item.poster);
      }
      this.held = attach(this.video, this.item, () => this.failed());
      this.host.loaded();
    } else if (
      !this.stream &&
      this.video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA &&
      this.video.networkState !== HTMLMediaElement.NETWORK_LOADING
    ) {
      this.video.load(); // Some browsers do not go on after "metadata" by the attribute alone.
    }
  }

  /**
   * Captions in one language, or none. The clip has that track alone: among several a browser shows one by its own
   * choice too. @param {string} [language]
   */
  captions(language) {
    const wanted = (this.item.captions ?? []).find((/** @type {any} */ one) => one.language === language);
    const old = this.video.querySelector("track");
    if (old?.getAttribute("src") === wanted?.src) return;
    old?.remove();
    if (!wanted) return;
    const track = el("track", { kind: "captions", src: wanted.src, srclang: wanted.language, label: wanted.label, on: { load: lift } });
    this.video.append(track);
    track.track.mode = "showing";
  }

  /** What fetches by fragments, if that is how it plays; how much then, the line decides. */
  get stream() {
    return this.held instanceof Stream ? this.held : null;
  }

  /** Lets go of the clip's bytes; its words stay. */
  release() {
    this.held?.release();
    this.held = null;
    this.loading = "none";
    this.root.classList.remove("shown", "waiting", "paused");
  }

  failed() {
    if (!this.item || this.loading === "none") return;
    if (this.tries < RETRY_OLD) {
      this.tries += 1;
      this.release();
      this.load("auto");
      if (this.wanted) this.start().catch(() => {}); // its error comes here again
      return;
    }
    this.release();
    this.root.classList.add("troubled");
    find(".notice", this.root).hidden = false;
  }

  again() {
    this.tries = 0;
    this.root.classList.remove("troubled");
    find(".notice", this.root).hidden = true;
    this.load("auto");
    if (this.wanted) {
      this.root.classList.add("waiting");
      this.start().catch(() => {}); // its error comes to failed()
    }
  }

  like() {
    like(this.item, !this.item.liked, () => this.show());
  }

  save() {
    save(this.item, !this.item.saved, () => this.show());
  }

  follow() {
    const { author } = this.item;
    follow(author, !author.following, () => this.show(), `/v/${this.item.id}`);
  }

  unfold() {
    const open = find(".caption", this.root).classList.toggle("open");
    find(".more-words", this.root).textContent = open ? t("less") : t("more");
  }

  /** Two taps: a heart where the finger was. It only ever likes; the button takes back. @param {number} x @param {number} y */
  heart(x, y) {
    const stage = find(".stage", this.root);
    const box = stage.getBoundingClientRect();
    const burst = el("span", { class: "burst", "aria-hidden": "true" }, icon("heart-on"));
    burst.style.left = `${x - box.left}px`;
    burst.style.top = `${y - box.top}px`;
    burst.addEventListener("animationend", () => burst.remove());
    stage.append(burst);
    if (!this.item.liked) this.like();
  }
}
