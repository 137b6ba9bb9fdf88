// On every page: menus close as people expect, and the colour scheme changes without a reload.

const YEAR_S = 31_536_000;

function closeMenus(except: EventTarget | null = null): void {
  for (const menu of document.querySelectorAll<HTMLDetailsElement>("details.menu[open]")) {
    if (!(except instanceof Node && menu.contains(except))) menu.open = false;
  }
}

document.addEventListener("click", (event) => closeMenus(event.target));
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = document.activeElement?.closest<HTMLDetailsElement>("details.menu[open]");
  if (menu) {
    menu.open = false;
    menu.querySelector<HTMLElement>("summary")?.focus();
  }
});

document.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest<HTMLButtonElement>("button[name=theme]") : null;
  if (!button) return;
  event.preventDefault();
  const root = document.documentElement;
  if (button.value === "auto") delete root.dataset["theme"];
  else root.dataset["theme"] = button.value;
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `sitematch_theme=${button.value}; Path=/; Max-Age=${YEAR_S}; SameSite=Lax${secure}`;
  for (const each of document.querySelectorAll<HTMLButtonElement>("button[name=theme]")) {
    each.setAttribute("aria-pressed", String(each === button));
  }
  document.dispatchEvent(new CustomEvent("sitematch:theme"));
});

export {};
