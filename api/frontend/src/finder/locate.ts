// "Use my location": asked of the device only when pressed, and sent to our own server alone, by POST.

import { announce, word } from "./words";

export function offerLocation(form: HTMLFormElement, place: HTMLInputElement): void {
  const button = document.getElementById("locate");
  const fault = document.getElementById("locate-fault");
  if (!(button instanceof HTMLButtonElement) || !fault || !("geolocation" in navigator)) return;
  button.hidden = false;

  button.addEventListener("click", () => {
    fault.hidden = true;
    button.setAttribute("aria-disabled", "true");
    announce(word("locating"));
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        button.removeAttribute("aria-disabled");
        // Five decimals are a metre: finer than any device knows.
        set(form, "latitude", coords.latitude.toFixed(5));
        set(form, "longitude", coords.longitude.toFixed(5));
        set(form, "accuracy_m", String(Math.ceil(coords.accuracy)));
        place.value = "";
        restoreLocation(form, place);
        form.requestSubmit();
      },
      () => {
        button.removeAttribute("aria-disabled");
        fault.textContent = word("denied");
        fault.hidden = false;
        place.focus();
      },
      { enableHighAccuracy: false, timeout: 20_000, maximumAge: 300_000 },
    );
  });
}

/** What is typed takes the place of what the device said. */
export function forgetLocation(form: HTMLFormElement, place: HTMLInputElement): void {
  for (const name of ["latitude", "longitude", "accuracy_m"]) set(form, name, "");
  place.required = true;
  place.placeholder = "";
}

/** Say that the device's location is used, if the form holds one. */
export function restoreLocation(form: HTMLFormElement, place: HTMLInputElement): void {
  const latitude = form.elements.namedItem("latitude");
  const isUsed = latitude instanceof HTMLInputElement && latitude.value !== "";
  place.required = !isUsed;
  place.placeholder = isUsed ? word("myLocation") : "";
}

function set(form: HTMLFormElement, name: string, value: string): void {
  const field = form.elements.namedItem(name);
  if (field instanceof HTMLInputElement) field.value = value;
}
