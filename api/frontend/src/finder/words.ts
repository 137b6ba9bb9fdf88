// The page's texts for scripts, in its language: the server's one catalogue has them all.

const holder = document.getElementById("words");

const words = JSON.parse(holder?.dataset["words"] ?? "{}") as Record<string, string>;

/** What the page tells its scripts beside texts: the map's style sheet, a tile server. */
export const facts = holder?.dataset ?? {};

export function word(name: string): string {
  const text = words[name];
  if (text === undefined) throw new Error(`the page has no text called ${name}`);
  return text;
}

/** Let a screen reader say it, without moving the focus. */
export function announce(text: string): void {
  const said = document.getElementById("said");
  if (said) said.textContent = text;
}
