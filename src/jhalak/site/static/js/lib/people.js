/** A person as a row, and the follow button wherever it stands. */

import { avatar, el } from "./dom.js";
import { follow } from "./ties.js";
import { me } from "./me.js";
import { t } from "./words.js";

/** @param {any} person a card of the API @param {...Node} acts instead of the follow button */
export function personRow(person, ...acts) {
  return el(
    "li",
    { class: "person-row" },
    el(
      "a",
      { href: `/@${person.handle}` },
      avatar(person),
      el("span", {}, el("b", {}, el("bdi", {}, person.name || `@${person.handle}`)), el("small", { dir: "ltr" }, `@${person.handle}`)),
    ),
    ...(acts.length ? acts : person.handle === me?.handle ? [] : [followButton(person)]),
  );
}

/** @param {any} person with handle, following, and for private ones requested and private */
export function followButton(person) {
  const button = el("button", { type: "button", class: "button" });
  const show = () => {
    const on = Boolean(person.following);
    button.setAttribute("aria-pressed", String(on));
    button.classList.toggle("main", !on);
    button.textContent = !on ? t("follow") : person.private && !person.agreed ? t("requested") : t("following");
  };
  if (person.following) person.agreed = true;
  if (person.requested) person.following = true;
  button.addEventListener("click", () => follow(person, !person.following, show));
  show();
  return button;
}
