/**
 * From a file to a clip that plays. The bytes travel while the fields are filled in; until the author
 * publishes, nobody else sees the clip.
 */

import { call, get, seg } from "../lib/api.js";
import { announce, el, find, icon } from "../lib/dom.js";
import { channelField, details, tagField } from "../lib/clip-fields.js";
import { clear, refuse, submitted } from "../lib/form.js";
import { confirm } from "../lib/sheet.js";
import { share } from "../lib/share.js";
import { toast } from "../lib/toast.js";
import { megabytes, number, stateWords, t } from "../lib/words.js";
import { attach } from "../feed/source.js";
import { canRecord, record } from "../upload/camera.js";
import { transfer } from "../upload/transfer.js";

const LOOK_EVERY = 700; // ms between looks at the state
const choose = find("#choose");
const making = find("#making");
const done = find("#done");
const drop = find("#drop");
const form = /** @type {HTMLFormElement} */ (find("#details"));
const bar = /** @type {HTMLProgressElement} */ (find("#progress"));
const percent = find("#percent");
const status = find("#status");
const frame = /** @type {HTMLVideoElement} */ (find("#frame"));
const frameWords = find("#frame-words");
const frameBusy = find("#frame-busy");
const pauseButton = find("#pause");
const trouble = find("#trouble");
const chosen = document.getElementById("chosen"); // the sound that the clip will have
const limit = Number(drop.dataset.limit);
const tags = tagField(find("#tags"), find("#tag-offers"));
channelField(/** @type {HTMLSelectElement} */ (find("#channel")));

let travel = /** @type {Awaited<ReturnType<typeof transfer>>|null} */ (null);
let paused = false;
let away = false;
let video = "";
let card = /** @type {any} */ (null);
let published = false;
let detach = /** @type {(() => void)|null} */ (null);
let round = 0; // a later file outdates what an earlier one still asks for

/** An upload that has begun keeps its sound. @param {boolean} kept */
function keepSound(kept) {
  if (chosen) find("#no-sound").hidden = kept;
}

/** @param {string} sign @param {string} text @param {...Node} acts */
function trouble_(sign, text, ...acts) {
  trouble.hidden = false;
  trouble.replaceChildren(icon(sign), el("div", { class: "stack" }, el("p", {}, text), ...acts));
}

/** @param {File} file */
async function take(file) {
  const error = find("#choose-error");
  error.textContent = "";
  if (file.size === 0) return void (error.textContent = t("file_empty"));
  if (limit && file.size > limit) {
    return void (error.textContent = t("file_large", { size: megabytes(file.size), most: megabytes(limit) }));
  }
  if (file.type && !file.type.startsWith("video/")) return void (error.textContent = t("file_no_video"));
  round += 1;
  video = "";
  card = null;
  published = false;
  paused = false;
  away = false;
  choose.hidden = true;
  making.hidden = false;
  keepSound(true);
  done.hidden = true;
  trouble.hidden = true;
  find("#acts").hidden = false;
  showLocal(file);
  showProgress(0, file.size);
  find("#caption").focus({ preventScroll: true });
  const mine = round;
  const still = (/** @type {(...args: any[]) => void} */ act) => (/** @type {any[]} */ ...args) => mine === round && act(...args);
  travel = await transfer(file, chosen?.dataset.sound ?? "", {
    progress: still(showProgress),
    resumed: still(() => toast(t("upload_goes_on"))),
    done: still(arrived),
    away: still(() => {
      away = true;
      status.textContent = t("upload_away");
    }),
    refused: still((message) => {
      find("#acts").hidden = true;
      trouble_("alert", message || t("server_trouble"), chooseAgain());
    }),
  });
}

/** The clip from the phone itself, before a byte has travelled. @param {File} file */
function showLocal(file) {
  detach?.();
  const url = URL.createObjectURL(file);
  frame.src = url;
  frame.muted = true;
  frame.loop = true;
  frame.play().catch(() => {}); // a file that this browser cannot play still uploads
  frameBusy.hidden = true;
  frameWords.textContent = t("your_file");
  detach = () => {
    frame.removeAttribute("src");
    URL.revokeObjectURL(url);
  };
}

/** @param {number} sent @param {number} all */
function showProgress(sent, all) {
  away = false;
  const part = all ? sent / all : 0;
  bar.value = part;
  percent.textContent = `${number(Math.floor(part * 100))} %`;
  if (!paused) status.textContent = t("sent_of", { sent: megabytes(sent), all: megabytes(all) });
}

/** @param {string} id */
function arrived(id) {
  video = id;
  bar.value = 1;
  percent.textContent = `${number(100)} %`;
  find("#acts").hidden = true;
  status.textContent = t("state_received");
  announce(t("all_sent"));
  if (published) send();
  look(round);
}

/** Looks at the state until the clip is whole. @param {number} mine */
async function look(mine) {
  if (mine !== round || !video) return;
  let wait = LOOK_EVERY;
  try {
    const before = card;
    card = await get(`/videos/${seg(video)}`);
    if (mine !== round) return;
    showState(before);
    if (card.state === "complete" || card.state === "failed") return;
    if (card.state === "playable") wait = LOOK_EVERY * 4;
  } catch (problem) {
    if (/** @type {any} */ (problem).status === 404) return void trouble_("alert", /** @type {Error} */ (problem).message, chooseAgain());
    wait = LOOK_EVERY * 4; // the network is away: the clip is safe, look again later
  }
  setTimeout(() => look(mine), wait);
}

/** @param {any} before */
function showState(before) {
  const words = stateWords(card);
  if (before?.state !== card.state) announce(words);
  status.textContent = words;
  const working = card.state === "checking" || card.state === "preparing" || card.state === "received";
  percent.textContent = working && card.progress ? `${number(Math.round(card.progress * 100))} %` : "";
  if (working && card.progress && !card.queue) bar.value = card.progress;
  else if (working) bar.removeAttribute("value");
  else bar.value = 1;
  if (card.state === "failed") {
    bar.hidden = true;
    trouble_("alert", card.failure?.text ?? t("server_trouble"), el("div", { class: "row" }, card.retry ? tryAgain() : "", chooseAgain()));
  } else if (card.src && !before?.src) {
    bar.hidden = true;
    showServed();
  }
}

/** The clip as everybody will get it, in its frame, the moment that it plays. */
function showServed() {
  detach?.();
  frame.poster = card.poster;
  frame.loop = true;
  detach = attach(frame, { src: card.src }, () => {}).release;
  frame.play().catch(() => {}); // it waits for a tap then
  frameWords.textContent = t("plays_now");
  find("#frame-box").classList.add("ready");
}

function tryAgain() {
  const button = el("button", { type: "button", class: "button main" }, icon("retry"), t("try_again"));
  button.addEventListener("click", async () => {
    button.setAttribute("aria-busy", "true");
    try {
      await call("POST", `/videos/${seg(video)}/retry`);
      trouble.hidden = true;
      bar.hidden = false;
      look(round);
    } catch (problem) {
      toast(/** @type {Error} */ (problem).message);
    } finally {
      button.removeAttribute("aria-busy");
    }
  });
  return button;
}

function chooseAgain() {
  return el("button", { type: "button", class: "button", on: { click: restart } }, t("choose_other"));
}

function restart() {
  round += 1;
  travel = null;
  detach?.();
  detach = null;
  choose.hidden = false;
  making.hidden = true;
  keepSound(false);
  done.hidden = true;
  bar.hidden = false;
  trouble.hidden = true;
  clear(form);
  find("#file").focus();
}

submitted(form, async () => {
  published = true;
  if (video) await send();
  else {
    find("#publish-note").textContent = t("publishes_later");
    announce(t("publishes_later"));
  }
});

/** The fields, to the server: with them the clip becomes visible to whom its author chose. */
async function send() {
  const said = details(form, tags);
  try {
    card = await call("PATCH", `/videos/${seg(video)}`, said);
  } catch (problem) {
    published = false;
    find("#publish-note").textContent = "";
    const { message, field } = /** @type {any} */ (problem);
    refuse(form, message ?? t("server_trouble"), field);
    return;
  }
  find("#publish-note").textContent = "";
  finish();
}

function finish() {
  done.hidden = false;
  form.hidden = true;
  /** @type {HTMLAnchorElement} */ (find("#see")).href = `/v/${video}`;
  find("#done-words").textContent = t(card.visibility === "private" ? "done_private" : card.visibility === "followers" ? "done_followers" : "done_public");
  find("#share").hidden = card.visibility === "private";
  find("#done-title").focus();
}

find("#share").addEventListener("click", () => share({ id: video, caption: card?.caption }));
find("#another").addEventListener("click", () => {
  form.hidden = false;
  form.reset();
  tags.set([]);
  restart();
});
for (const field of [find("#file"), find("#capture")]) {
  const input = /** @type {HTMLInputElement} */ (field);
  const take_ = () => {
    const file = input.files?.[0];
    if (!file) return;
    input.value = ""; // the same file may be chosen again, and going back uploads nothing anew
    take(file);
  };
  input.addEventListener("change", take_);
  take_(); // chosen while this script was still on its way
}

const recordButton = find("#record");
for (const part of ["#capture-label", "#capture"]) find(part).hidden = canRecord(); // the system's camera, where the page has none
recordButton.hidden = !canRecord();
recordButton.addEventListener("click", async () => {
  try {
    const file = await record();
    if (file) take(file);
  } catch {
    find("#choose-error").textContent = t("no_camera");
  }
});

for (const event of ["dragenter", "dragover"]) {
  addEventListener(event, (happened) => {
    happened.preventDefault();
    drop.classList.add("over");
  });
}
addEventListener("dragleave", (event) => event.relatedTarget === null && drop.classList.remove("over"));
addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  const file = event.dataTransfer?.files[0];
  if (file && !choose.hidden) take(file);
});

pauseButton.addEventListener("click", () => {
  paused = !paused;
  if (paused) travel?.pause();
  else travel?.resume();
  find("span", pauseButton).textContent = paused ? t("go_on") : t("pause");
  status.textContent = paused ? t("upload_paused") : t("upload_going");
});
find("#cancel").addEventListener("click", async () => {
  if (!(await confirm(t("cancel_title"), t("cancel_text"), t("cancel_yes")))) return;
  travel?.cancel();
  restart();
});
addEventListener("online", () => away && !paused && travel?.resume());
addEventListener("beforeunload", (event) => {
  if (travel && !video && !making.hidden && !find("#acts").hidden) event.preventDefault();
});
