/** A profile: follow, block, and the rest of the clips as one scrolls. */

import { call, seg } from "../lib/api.js";
import { find } from "../lib/dom.js";
import { followButton } from "../lib/people.js";
import { askToSignIn, confirm, line, sheet } from "../lib/sheet.js";
import { signedIn } from "../lib/me.js";
import { fill } from "../lib/tiles.js";
import { toast } from "../lib/toast.js";
import { compact, data, t } from "../lib/words.js";

const person = data("person");
for (const count of document.querySelectorAll("[data-count]")) {
  count.textContent = compact(Number(/** @type {HTMLElement} */ (count).dataset.count));
}
const slot = document.getElementById("follow-slot");
if (slot) slot.replaceChildren(followButton(person));

const grid = document.getElementById("tiles");
if (grid?.dataset.next) {
  fill(grid, `/people/${seg(person.handle)}/videos`, { suffix: "?in=author", empty: find("#empty"), start: grid.dataset.next });
}

document.getElementById("person-menu")?.addEventListener("click", () => {
  sheet(`@${person.handle}`, (close) => [
    line("link", t("copy_link"), async () => {
      close();
      try {
        await navigator.clipboard.writeText(location.href);
        toast(t("link_copied"));
      } catch {
        toast(location.href);
      }
    }),
    line("hide", t("block"), async () => {
      close();
      if (!signedIn) return askToSignIn(t("sign_in_block"));
      if (!(await confirm(t("block_title", { name: `@${person.handle}` }), t("block_text"), t("block")))) return;
      try {
        await call("PUT", `/people/${seg(person.handle)}/block`);
        location.assign("/");
      } catch (problem) {
        toast(/** @type {Error} */ (problem).message);
      }
    }, t("block_hint")),
  ]);
});
