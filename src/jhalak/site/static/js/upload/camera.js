/** Records a clip with the camera, full screen. Nothing leaves the phone before it is kept. */

import { el, icon } from "../lib/dom.js";
import { clock, t } from "../lib/words.js";

const KINDS = ["video/mp4;codecs=avc1.42E01E,mp4a.40.2", "video/mp4", "video/webm;codecs=vp8,opus", "video/webm"];
const LONGEST = 60_000;

export const canRecord = () => Boolean(navigator.mediaDevices?.getUserMedia && globalThis.MediaRecorder);

/** @returns {Promise<File|null>} what was recorded, or null. Throws when the camera is not given. */
export async function record() {
  let facing = "user";
  const open = () =>
    navigator.mediaDevices.getUserMedia({
      video: { facingMode: facing, width: { ideal: 1080 }, height: { ideal: 1920 } },
      audio: true,
    });
  let stream = await open();
  const view = el("video", { autoplay: true, playsinline: true, muted: true });
  view.muted = true;
  view.srcObject = stream;
  const time = el("p", { class: "camera-time", role: "timer" }, clock(0));
  const button = el("button", { type: "button", class: "record", "aria-pressed": "false", "aria-label": t("record") });
  const close = el("button", { type: "button", class: "icon-button", "aria-label": t("close") }, icon("close"));
  const turn = el("button", { type: "button", class: "icon-button", "aria-label": t("turn_camera") }, icon("retry"));
  const dialog = el("dialog", { class: "camera dark", "aria-label": t("record") }, view, time, el("div", { class: "camera-bar" }, close, button, turn));
  document.body.append(dialog);
  dialog.showModal();

  return new Promise((resolve) => {
    let recorder = /** @type {MediaRecorder|null} */ (null);
    let result = /** @type {File|null} */ (null);
    let ticking = 0;
    const stopStream = () => stream.getTracks().forEach((track) => track.stop());
    close.addEventListener("click", () => dialog.close());
    turn.addEventListener("click", async () => {
      if (recorder) return;
      facing = facing === "user" ? "environment" : "user";
      stopStream();
      stream = await open();
      view.srcObject = stream;
    });
    button.addEventListener("click", () => {
      if (recorder) return recorder.stop();
      const kind = KINDS.find((one) => MediaRecorder.isTypeSupported(one)) ?? "";
      /** @type {Blob[]} */
      const parts = [];
      const began = Date.now();
      recorder = new MediaRecorder(stream, kind ? { mimeType: kind, videoBitsPerSecond: 6_000_000 } : {});
      recorder.addEventListener("dataavailable", ({ data }) => data.size && parts.push(data));
      recorder.addEventListener("stop", () => {
        const type = (recorder?.mimeType || "video/webm").split(";")[0];
        const ending = type === "video/mp4" ? "mp4" : "webm";
        if (parts.length) result = new File(parts, `${t("recording")}.${ending}`, { type });
        dialog.close();
      });
      recorder.start(1000);
      button.setAttribute("aria-pressed", "true");
      button.setAttribute("aria-label", t("stop"));
      turn.hidden = true;
      ticking = window.setInterval(() => {
        time.textContent = clock((Date.now() - began) / 1000);
        if (Date.now() - began > LONGEST) recorder?.stop();
      }, 250);
    });
    dialog.addEventListener("close", () => {
      clearInterval(ticking);
      if (recorder?.state === "recording") recorder.stop();
      stopStream();
      dialog.remove();
      resolve(result);
    });
  });
}
