/**
 * Gives a clip to a video element: a whole file by Media Source (stream.js), or by its address where there is
 * none, or no more is known than that; a list that still grows by HLS.
 *
 * Growing lists are played by hls.js, fetched only then, wherever the browser has Media Source: Chromium's
 * own HLS player gives up on a list of fewer than three pieces and jumps over pieces at a reload (seen in
 * 156). The browser's own is for those without Media Source, iPhones above all.
 */

import { choose } from "./choice.js";
import { line } from "./line.js";
import { MEDIA, Stream, type } from "./stream.js";
import { saving } from "../lib/saver.js";

/** @typedef {import("./choice.js").Source} Source */

const HLS_TYPE = "application/vnd.apple.mpegurl";
const SMALL = 540; // lines of a picture that any processor decodes by itself

/** @param {string} url */
export const grows = (url) => new URL(url, location.href).pathname.endsWith(".m3u8");

/** @type {Map<string, boolean>} whether AV1 of a size is smooth here and costs little; asked for once each */
const light = new Map();

/** @param {Source} source */
function plays({ codecs, width, height, bps }) {
  if (!MEDIA?.isTypeSupported(type(codecs))) return false;
  if (!codecs.startsWith("av01")) return true;
  const key = `${codecs} ${width}x${height}`;
  if (!light.has(key)) {
    light.set(key, false); // until it is known
    const video = { contentType: type(codecs.split(",")[0]), width, height, bitrate: bps, framerate: 30 };
    navigator.mediaCapabilities
      ?.decodingInfo({ type: "media-source", video })
      .then(({ smooth, powerEfficient }) => light.set(key, smooth && (powerEfficient || Math.min(width, height) <= SMALL)))
      .catch(() => {});
  }
  return light.get(key) === true;
}

/**
 * @param {HTMLVideoElement} video
 * @param {any} item a card; `src` alone is enough
 * @param {() => void} failed called when the clip cannot be played; the element's own errors come as its events
 * @returns {{release: () => void}} takes it away again and lets go of its memory; a Stream where one plays
 */
export function attach(video, item, failed) {
  const growing = grows(item.src);
  const sources = growing ? [] : (item.sources ?? []).filter(plays);
  if (sources.length) return new Stream(video, sources, failed);
  if (growing && ("MediaSource" in globalThis || !video.canPlayType(HLS_TYPE))) return list(video, item.src, failed);
  video.src = growing ? item.src : plain(item);
  return { release: () => empty(video) };
}

/** The one file that a browser without Media Source is given. @param {any} item @returns {string} */
function plain({ src, sources }) {
  const known = (sources ?? []).filter((/** @type {Source} */ one) => one.codecs.startsWith("avc1"));
  if (!known.length) return src;
  const side = Math.min(innerWidth, innerHeight) * devicePixelRatio;
  return choose(known, { bps: line.bps, side, saving: saving(), ahead: 0 }).src;
}

/** @param {HTMLVideoElement} video */
function empty(video) {
  video.pause();
  video.removeAttribute("src");
  video.load();
}

/** @param {HTMLVideoElement} video @param {string} url @param {() => void} failed */
function list(video, url, failed) {
  let hls = /** @type {any} */ (null);
  let gone = false;
  import("../../vendor/hls.js/hls.light.min.mjs")
    .then(({ default: Hls }) => {
      if (gone) return;
      if (!Hls.isSupported()) return failed();
      hls = new Hls({ enableWorker: false, capLevelToPlayerSize: true, maxBufferLength: 15 }); // workers from blobs are not allowed here
      hls.on(Hls.Events.ERROR, (_event, /** @type {any} */ what) => what.fatal && failed());
      const wanted = !video.paused; // a new source takes back the play() that came before it
      hls.on(Hls.Events.MEDIA_ATTACHED, () => wanted && !gone && video.play().catch(() => {}));
      hls.loadSource(url);
      hls.attachMedia(video);
    })
    .catch(() => gone || failed());
  return {
    release() {
      gone = true;
      hls?.destroy();
      empty(video);
    },
  };
}
