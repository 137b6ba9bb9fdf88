// A field that narrows a long list to what contains its words, and opens the folded parts that have some of it.

export function offerFilter(field: HTMLElement): void {
  const input = field.querySelector<HTMLInputElement>("input[type=search]");
  const said = field.querySelector<HTMLElement>("[data-words]");
  const items = [...document.querySelectorAll<HTMLElement>(field.dataset["filter"] ?? "")];
  if (!input || items.length === 0) return;
  const texts = items.map((item) => (item.textContent ?? "").toLocaleLowerCase());
  const folds = [...new Set(items.map((item) => item.closest("details")).filter((fold) => fold !== null))];
  field.hidden = false;
  input.addEventListener("input", () => {
    const words = input.value.toLocaleLowerCase().split(/\s+/).filter(Boolean);
    let found = 0;
    for (const [position, item] of items.entries()) {
      item.hidden = !words.every((word) => texts[position]?.includes(word));
      if (!item.hidden) found += 1;
    }
    for (const fold of folds) {
      const has = items.some((item) => !item.hidden && fold.contains(item));
      fold.hidden = !has;
      if (words.length && has) fold.open = true;
    }
    if (said) said.textContent = words.length ? (said.dataset["words"] ?? "").replace("{n}", String(found)) : "";
  });
}
