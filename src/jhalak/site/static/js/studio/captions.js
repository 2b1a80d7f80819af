/**
 * The captions of one clip: what is there in which language, files that are added, and an editor cue by cue.
 * What was written and not saved is kept until the tab is closed: a sheet goes with one tap beside it.
 */

import { attach } from "../feed/source.js";
import { call, get, Problem, seg } from "../lib/api.js";
import { copy, el, find, icon } from "../lib/dom.js";
import { submitted } from "../lib/form.js";
import { sheet } from "../lib/sheet.js";
import { passing } from "../lib/store.js";
import { toast } from "../lib/toast.js";
import { number, t } from "../lib/words.js";

const USUAL = 2000; // ms that a new line stands

/** @typedef {{start_ms: number, end_ms: number, text: string}} Cue */

/** ms as 1:02.500. @param {number} ms */
const stamp = (ms) => `${Math.floor(ms / 60000)}:${String(Math.floor(ms / 1000) % 60).padStart(2, "0")}.${String(ms % 1000).padStart(3, "0")}`;

/** What somebody typed as a time, in ms; null when it is none. @param {string} text */
function moment(text) {
  const found = /^(?:(\d{1,3}):)?(\d{1,3})(?:[.,](\d{1,3}))?$/.exec(text.trim());
  return found ? (Number(found[1] ?? 0) * 60 + Number(found[2])) * 1000 + Number((found[3] ?? "").padEnd(3, "0")) : null;
}

/** @param {any} card of the clip @param {(fresh: any) => void} changed with the clip's card after each change */
export function captions(card, changed) {
  const place = el("div", {});
  let leave = () => {};
  const dialog = sheet(t("captions"), () => [place]);
  dialog.addEventListener("close", () => leave());
  const path = (/** @type {string} */ language) => `/videos/${seg(card.id)}/captions/${seg(language)}`;
  const draft = (/** @type {string} */ language) => `captions ${card.id} ${language}`;
  const label = (/** @type {string} */ language) =>
    find("select", place).querySelector(`option[value="${CSS.escape(language)}"]`)?.textContent ?? language;

  async function refresh() {
    card = await get(`/videos/${seg(card.id)}`);
    changed(card);
  }

  /** What is there, and the ways to add. @param {string} [said] @param {{language: string, label: string, cues: Cue[]}} [gone] can be brought back */
  function list(said = "", gone) {
    leave = () => {};
    const box = copy("captions");
    place.replaceChildren(box);
    const select = /** @type {HTMLSelectElement} */ (find("select", box));
    const file = /** @type {HTMLInputElement} */ (find("input[type=file]", box));
    const trouble = find(".error", box);
    /** @param {() => Promise<void>} act */
    const trying = async (act) => {
      trouble.textContent = "";
      box.setAttribute("aria-busy", "true");
      try {
        await act();
      } catch (problem) {
        if (!(problem instanceof Problem)) console.error(problem);
        trouble.textContent = problem instanceof Problem ? problem.message : t("server_trouble");
      }
      box.removeAttribute("aria-busy");
    };
    const button = (/** @type {string} */ sign, /** @type {string} */ word, /** @type {string} */ of, /** @type {() => Promise<void>} */ act) =>
      el("button", { type: "button", class: "icon-button", title: word, "aria-label": `${word}: ${of}`, on: { click: () => trying(act) } }, icon(sign));

    const rows = card.captions.map((/** @type {any} */ one) =>
      el(
        "li",
        {},
        el("bdi", { lang: one.language }, one.label),
        el("span", { class: "row" },
          button("edit", t("edit"), one.label, async () => editor(one.language, (await get(path(one.language))).cues)),
          button("trash", t("delete"), one.label, async () => {
            const { cues } = await get(path(one.language));
            await call("DELETE", path(one.language));
            await refresh();
            list(t("captions_deleted", { language: one.label }), { ...one, cues });
          })),
      ),
    );
    find("ul", box).replaceChildren(...rows);
    find(".caption-none", box).hidden = rows.length > 0;
    find("[role=status]", box).textContent = said;
    const undo = find(".caption-undo", box);
    undo.hidden = !gone;
    undo.addEventListener("click", () =>
      trying(async () => {
        await call("PUT", path(gone?.language ?? ""), { cues: gone?.cues });
        await refresh();
        list(t("undone"));
      }),
    );

    const known = new Set(card.captions.map((/** @type {any} */ one) => one.language));
    const wanted = [card.language, document.documentElement.lang].find((one) => one && !known.has(one));
    if (wanted) select.value = wanted;
    find(".caption-file", box).addEventListener("click", () => file.click());
    file.addEventListener("change", () => {
      const chosen = file.files?.[0];
      file.value = "";
      if (!chosen) return;
      trying(async () => {
        if (chosen.size > Number(file.dataset.most)) throw new Problem(413, "too_large", t("captions_large"));
        const { label: name } = await call("PUT", path(select.value), new Blob([chosen], { type: "text/vtt" }));
        passing.set(draft(select.value), null);
        await refresh();
        list(t("captions_saved", { language: name }));
      });
    });
    find(".caption-write", box).addEventListener("click", () =>
      trying(async () => {
        const language = select.value;
        editor(language, known.has(language) ? (await get(path(language))).cues : []);
      }),
    );
    /** @type {HTMLElement} */ (said ? find("[role=status]", box) : box.querySelector("li button") ?? find(".caption-file", box)).focus();
  }

  /** @param {string} language @param {Cue[]} saved */
  function editor(language, saved) {
    const title = label(language);
    const form = /** @type {HTMLFormElement} */ (copy("caption-editor"));
    const rows = find("ol", form);
    const video = /** @type {HTMLVideoElement} */ (find("video", form));
    find(".caption-language", form).textContent = title;
    const detach = card.src ? attach(video, { src: card.src }, () => {}).release : () => {};
    video.hidden = !card.src;

    /** @param {HTMLElement} row */
    const fields = (row) => ({
      from: /** @type {HTMLInputElement} */ (find(".from", row)),
      to: /** @type {HTMLInputElement} */ (find(".to", row)),
      text: /** @type {HTMLTextAreaElement} */ (find("textarea", row)),
    });
    const all = () => /** @type {HTMLElement[]} */ ([...rows.children]);

    /** @param {Cue} cue */
    function add(cue) {
      const row = copy("cue");
      const { from, to, text } = fields(row);
      [from.value, to.value, text.value, text.lang] = [stamp(cue.start_ms), stamp(cue.end_ms), cue.text, language];
      find(".cue-play", row).addEventListener("click", () => {
        video.currentTime = (moment(from.value) ?? 0) / 1000;
        video.play().catch(() => {}); // it cannot be played yet: the words can be written all the same
      });
      find(".cue-remove", row).addEventListener("click", () => {
        const next = /** @type {HTMLElement|null} */ (row.nextElementSibling ?? row.previousElementSibling);
        row.remove();
        name();
        (next ? fields(next).text : find(".cue-add", form)).focus();
      });
      rows.append(row);
      return text;
    }

    /** Fields are called by the place of their line. */
    function name() {
      all().forEach((row, at) => {
        const place = number(at + 1);
        const { from, to, text } = fields(row);
        from.setAttribute("aria-label", t("cue_from", { number: place }));
        to.setAttribute("aria-label", t("cue_to", { number: place }));
        text.setAttribute("aria-label", t("cue_words", { number: place }));
        find(".cue-play", row).setAttribute("aria-label", t("cue_play", { number: place }));
        find(".cue-remove", row).setAttribute("aria-label", t("cue_remove", { number: place }));
      });
    }

    /** What stands in the lines; times that are none are 0. @returns {Cue[]} */
    const written = () => all().map(fields).map(({ from, to, text }) => ({ start_ms: moment(from.value) ?? 0, end_ms: moment(to.value) ?? 0, text: text.value.trim() }));

    /** @param {number} at @param {"from"|"to"|"text"} field @param {string} message */
    function refuse(at, field, message) {
      find(".error", form).textContent = message;
      const where = fields(all()[at])[field];
      where.setAttribute("aria-invalid", "true");
      where.focus();
    }

    /** @param {Cue[]} cues */
    function draw(cues) {
      rows.replaceChildren();
      for (const cue of cues) add(cue);
      name();
    }

    draw(passing.get(draft(language)) ?? saved);
    find(".cue-add", form).addEventListener("click", () => {
      const last = Math.max(0, ...written().map((cue) => cue.end_ms));
      const start = Math.max(last, Math.round(video.currentTime * 1000));
      const text = add({ start_ms: start, end_ms: card.duration_ms ? Math.max(start + 1, Math.min(start + USUAL, card.duration_ms)) : start + USUAL, text: "" });
      name();
      text.focus();
    });
    const before = JSON.stringify(saved);
    leave = () => {
      detach();
      if (JSON.stringify(written()) === before) return passing.set(draft(language), null);
      passing.set(draft(language), written());
      toast(t("captions_kept"));
    };
    find(".caption-back", form).addEventListener("click", () => {
      leave();
      list();
    });
    submitted(form, async () => {
      for (const [at, row] of all().entries()) {
        const { from, to } = fields(row);
        if (moment(from.value) === null) return refuse(at, "from", t("cue_time", { number: number(at + 1) }));
        if (moment(to.value) === null) return refuse(at, "to", t("cue_time", { number: number(at + 1) }));
      }
      draw(written().filter((cue) => cue.text).sort((one, other) => one.start_ms - other.start_ms));
      try {
        await call("PUT", path(language), { cues: written() });
      } catch (problem) {
        const at = /^cues\.(\d+)$/.exec((problem instanceof Problem && problem.field) || "")?.[1];
        if (!(problem instanceof Problem) || at === undefined) throw problem;
        return refuse(Number(at), "text", problem.message);
      }
      passing.set(draft(language), null);
      detach();
      await refresh();
      list(t("captions_saved", { language: title }));
    });
    place.replaceChildren(form);
    (all().length ? fields(all()[0]).text : find(".cue-add", form)).focus();
  }

  list();
}
