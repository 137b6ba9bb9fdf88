// Instants come in UTC; here they are put into the reader's zone, and how far off they are is kept true.

const UNITS: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["week", 604_800],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
];

// Whole units are kept up to their double: 47 hours are not "2 days" to whoever has to act before.
const THRESHOLD = 2;

export function instantText(at: Date, language: string): string {
  return new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(at);
}

export function relativeText(at: Date, now: Date, language: string): string {
  const seconds = (at.getTime() - now.getTime()) / 1000;
  const [unit, length] = UNITS.find(([, each]) => Math.abs(seconds) >= each * THRESHOLD) ?? ["second", 1];
  return new Intl.RelativeTimeFormat(language, { numeric: "always" }).format(Math.trunc(seconds / length), unit);
}

// By the server's clock, which decides when a hold lapses: a reader's own may be wrong.
const said = document.querySelector<HTMLMetaElement>("meta[name=sitematch-now]")?.content;
const aheadMs = said ? Date.parse(said) - Date.now() : 0;

export function serverNow(): Date {
  return new Date(Date.now() + aheadMs);
}

export function tellTime(root: ParentNode, now: Date = serverNow()): void {
  const language = document.documentElement.lang;
  for (const element of root.querySelectorAll<HTMLTimeElement>("time[data-instant], time[data-relative]")) {
    const at = new Date(element.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    const absolute = instantText(at, language);
    const text = "relative" in element.dataset ? relativeText(at, now, language) : absolute;
    if (element.textContent !== text) element.textContent = text;
    if ("relative" in element.dataset) element.title = absolute;
  }
}
