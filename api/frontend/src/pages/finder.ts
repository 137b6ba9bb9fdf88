// The patient's page with a script: answers change in place, the device's location, sharing, the map.

import { ask, send, showAgain, type Focus, type Swapped } from "../finder/ask";
import { forgetAll, isStale, keep, recall } from "../finder/kept";
import { forgetLocation, offerLocation, restoreLocation } from "../finder/locate";
import { followMap, toggleMap } from "../finder/map-panel";
import { share } from "../finder/share";

const form = document.getElementById("search") as HTMLFormElement;
const place = document.getElementById("place") as HTMLInputElement;
const country = document.getElementById("country") as HTMLSelectElement;

function start(): void {
  offerLocation(form, place);
  place.addEventListener("input", () => forgetLocation(form, place));

  form.addEventListener("submit", (event) => {
    const sender = (event as SubmitEvent).submitter;
    event.preventDefault();
    if (sender instanceof HTMLButtonElement && sender.name === "choice") take(sender);
    void look(sender, sender instanceof HTMLButtonElement && sender.name === "show" ? "added" : "heading");
  });

  // The header's menu changes the whole page: it takes along what the form holds now.
  document.getElementById("preferences")?.addEventListener("formdata", ({ formData }) => {
    for (const [name, value] of new FormData(form)) formData.set(name, value);
  });

  // A changed filter shows at once, but only where there is an answer to narrow.
  for (const name of ["within", "minutes", "order", "travel", "only_country"]) {
    document.getElementById(name)?.addEventListener("change", () => {
      if (document.querySelector("#results .results")) void look(null, "stays");
    });
  }

  document.addEventListener("click", (event) => {
    const pressed = event.target instanceof Element ? event.target : null;
    const sharing = pressed?.closest<HTMLElement>("[data-share]");
    if (sharing) void share(sharing, form);
    else if (pressed?.closest("[data-print]")) print();
    else if (pressed?.closest("[data-clear]")) clear();
    else if (pressed?.closest("[data-map-open]")) void toggleMap();
  });

  window.addEventListener("popstate", restore);
  // A page that came with its answer, as after a change of language.
  if (document.querySelector("#results .results")) remember({ body: sent() }, "stays");
  else if (!document.querySelector("#results h2")) restore();
  settle();
}

/** Put a suggestion that was pressed into the form, as if it had been typed. */
function take(button: HTMLButtonElement): void {
  const [code = "", ...rest] = button.value.split("|");
  country.value = code;
  place.value = rest.join("|");
  forgetLocation(form, place);
}

async function look(sender: HTMLElement | null, focus: Focus): Promise<void> {
  const swapped = await ask(form, sender, focus);
  if (swapped === null) return;
  remember(swapped, focus);
  settle();
}

/** Keep what is shown for reload, back and forward. A new search is a new step; a filter and "more" change the same one. */
function remember({ body }: Swapped, focus: Focus): void {
  const answer = document.getElementById("answer");
  if (!body || !answer?.querySelector(".results, #fault")) return;
  keep({ html: answer.outerHTML, body, lang: document.documentElement.lang, at: Date.now() }, focus === "heading");
}

/** Show what belongs to this step of the history. */
function restore(): void {
  const kept = recall();
  if (kept) fill(kept.body);
  showAgain(kept?.html ?? "");
  settle();
  if (kept && isStale(kept)) {
    void send(form.action, kept.body, "refresh").then((swapped) => {
      if (swapped === null) return;
      remember(swapped, "stays");
      settle();
    });
  }
}

/** Put back into the form what was sent. */
function fill(body: string): void {
  const sentBefore = new URLSearchParams(body);
  for (const field of form.elements) {
    if (!(field instanceof HTMLInputElement || field instanceof HTMLSelectElement) || !field.name) continue;
    field.value = sentBefore.get(field.name) ?? "";
  }
  restoreLocation(form, place);
}

/** What the form would send now. */
function sent(): string {
  const fields = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (typeof value === "string") fields.append(name, value);
  return fields.toString();
}

/** Forget the answers and what was typed: for a device that others use too. */
function clear(): void {
  forgetAll();
  showAgain("");
  forgetLocation(form, place);
  place.value = "";
  place.focus();
}

/** Make what has just come in work with a script. */
function settle(): void {
  for (const hidden of document.querySelectorAll<HTMLElement>("#results [data-script]")) hidden.hidden = false;
  showGuess();
  followMap();
}

/** Show the country that was found, as long as the person has chosen none. */
function showGuess(): void {
  const guess = country.options[0];
  if (guess) guess.text = document.getElementById("answer")?.dataset["countryGuess"] || (guess.dataset["guess"] ?? "");
}

start();
