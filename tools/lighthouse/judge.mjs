// Judges a page with Lighthouse in a headless Chromium, as a phone and as a desktop, and fails under the marks wanted.
// Usage: node judge.mjs URL [FOLDER FOR THE REPORTS]
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import lighthouse, { desktopConfig } from "lighthouse";

const WANTED = { accessibility: 100, "best-practices": 100, performance: 95 };
const [url, folder = "build/lighthouse"] = process.argv.slice(2);
if (!url) {
  console.error("Name the page: node judge.mjs http://127.0.0.1:8000/");
  process.exit(2);
}

/** Start Chromium and resolve to its debugging port and a way to end it. */
function browser() {
  const profile = mkdtempSync(join(tmpdir(), "lighthouse-"));
  const flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"];
  flags.push("--disable-background-networking", "--disable-component-update", "--remote-debugging-port=0");
  const process_ = spawn(process.env.CHROME_PATH ?? "chromium", [...flags, `--user-data-dir=${profile}`, "about:blank"]);
  const end = () =>
    new Promise((done) => {
      process_.once("exit", () => {
        rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
        done();
      });
      process_.kill();
    });
  return new Promise((resolve, reject) => {
    process_.once("error", () => reject(new Error("Chromium is missing: install it, or name it in CHROME_PATH.")));
    process_.stderr.on("data", (text) => {
      const port = /DevTools listening on ws:\/\/[^:]+:(\d+)/.exec(String(text))?.[1];
      if (port) resolve({ port: Number(port), end });
    });
  });
}

mkdirSync(folder, { recursive: true });
let failed = false;
const { port, end } = await browser();
try {
  for (const [device, config] of [["phone", undefined], ["desktop", desktopConfig]]) {
    const result = await lighthouse(url, { port, output: "html", onlyCategories: Object.keys(WANTED) }, config);
    writeFileSync(join(folder, `${device}.html`), result.report);
    for (const [name, wanted] of Object.entries(WANTED)) {
      const mark = Math.round(100 * (result.lhr.categories[name].score ?? 0));
      failed ||= mark < wanted;
      console.log(`${device.padEnd(8)} ${name.padEnd(15)} ${mark} (wanted ${wanted})`);
      for (const { id } of mark < wanted ? result.lhr.categories[name].auditRefs : []) {
        const audit = result.lhr.audits[id];
        if (audit.score !== null && audit.score < 0.9) console.log(`         ${id}: ${audit.title} ${audit.displayValue ?? ""}`);
      }
    }
  }
} finally {
  await end();
}
console.log(`The reports are in ${folder}.`);
process.exit(failed ? 1 : 0);
