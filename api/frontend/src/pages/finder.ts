// The patient's page with a script: answers change in place, the device's location, sharing, the map.

import { ask } from "../finder/ask";
import { forgetLocation, offerLocation } from "../finder/locate";
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
    void look(sender, sender instanceof HTMLButtonElement && sender.name === "show");
  });

  // The header's menu changes the whole page: it takes along what the form holds now.
  document.getElementById("preferences")?.addEventListener("formdata", ({ formData }) => {
    for (const [name, value] of new FormData(form)) formData.set(name, value);
  });

  // A changed filter shows at once, but only where there is an answer to narrow.
  for (const name of ["within", "minutes", "order", "travel", "only_country"]) {
    document.getElementById(name)?.addEventListener("change", () => {
      if (document.querySelector("#results .results")) void look(null, true);
    });
  }

  document.addEventListener("click", (event) => {
    const pressed = event.target instanceof Element ? event.target : null;
    const sharing = pressed?.closest<HTMLElement>("[data-share]");
    if (sharing) void share(sharing, form);
    else if (pressed?.closest("[data-print]")) print();
    else if (pressed?.closest("[data-map-open]")) void toggleMap();
  });
  settle();
}

/** Put a suggestion that was pressed into the form, as if it had been typed. */
function take(button: HTMLButtonElement): void {
  const [code = "", ...rest] = button.value.split("|");
  country.value = code;
  place.value = rest.join("|");
  forgetLocation(form, place);
}

async function look(sender: HTMLElement | null, isQuiet: boolean): Promise<void> {
  if ((await ask(form, sender, isQuiet)) !== null) settle();
}

/** Make what has just come in work with a script. */
function settle(): void {
  for (const hidden of document.querySelectorAll<HTMLElement>("#results [data-script]")) hidden.hidden = false;
  followMap();
}

start();
