// Opens pages in headless Chromium as a JSON plan on standard input says, and prints what was found as JSON.
//
// Plan: {"visits": [{"url", "scheme", "width", "height", "zoom", "javascript", "check", "picture", "print", "act", "shown"}]}.
// "check" runs axe-core; "picture" is the file of a screenshot; "act" names one of the actions below; "shown" are selectors
// of what has to be there first, on pages that fetch what they show.
"use strict";

const fs = require("node:fs");
const { chromium } = require("playwright-core");
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const FLAGS = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];

const ACTIONS = {
  // The elements that the Tab key reaches, in order, each with whether its focus shows.
  async tab(page) {
    const reached = [];
    for (let step = 0; step < 60; step += 1) {
      await page.keyboard.press("Tab");
      const found = await page.evaluate(() => {
        const element = document.activeElement;
        if (!element || element === document.body) return null;
        const style = getComputedStyle(element);
        return { text: (element.textContent || element.name || element.id).trim().slice(0, 60), tag: element.tagName,
          shows: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0 };
      });
      if (!found) break;
      reached.push(found);
    }
    return reached;
  },
  // Whether the page refreshes itself: a mark put into the content is gone after a while, and the clock went on.
  async refresh(page) {
    const before = await page.textContent("#as-of");
    await page.evaluate(() => document.querySelector("main").setAttribute("data-mark", "old"));
    await page.waitForFunction(() => !document.querySelector("main").hasAttribute("data-mark"), null, { timeout: 20000 });
    return { before, after: await page.textContent("#as-of") };
  },
  // Whether the page stands still once it was told to, and says so.
  async pause(page) {
    await page.click("#pause");
    await page.evaluate(() => document.querySelector("main").setAttribute("data-mark", "old"));
    await page.waitForTimeout(7000);
    return { pressed: await page.getAttribute("#pause", "aria-pressed"),
      still: await page.evaluate(() => document.querySelector("main").hasAttribute("data-mark")) };
  },
  // Whether what somebody typed, and where they are, outlives a refresh.
  async type(page) {
    await page.fill("#q", "rend");
    await page.evaluate(() => document.querySelector("main").setAttribute("data-mark", "old"));
    await page.waitForFunction(() => !document.querySelector("main").hasAttribute("data-mark"), null, { timeout: 60000 });
    return page.evaluate(() => [document.activeElement.id, document.getElementById("q").value]);
  },
  // Uses the filter as a person would.
  async filter(page) {
    await page.fill("#q", "render");
    await Promise.all([page.waitForNavigation(), page.click("form button[type=submit]")]);
    return { url: page.url(), pools: await page.locator("table.pools tbody tr").count() };
  },
};

async function visit(browser, wanted) {
  const context = await browser.newContext({
    viewport: { width: wanted.width || 1280, height: wanted.height || 900 },
    colorScheme: wanted.scheme || "light",
    deviceScaleFactor: wanted.zoom || 1,
    javaScriptEnabled: wanted.javascript !== false,
    bypassCSP: Boolean(wanted.check),
  });
  const page = await context.newPage();
  const complaints = [];
  const foreign = [];
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => new URL(request.url()).host === new URL(wanted.url).host || foreign.push(request.url()));
  const answer = await page.goto(wanted.url, { waitUntil: "load" });
  for (const selector of wanted.shown || []) await page.waitForSelector(selector, { timeout: 30000 });
  const result = { url: wanted.url, status: answer.status(), title: await page.title(), complaints, foreign };
  if (wanted.print) await page.emulateMedia({ media: "print" });
  const widths = "[document.documentElement.scrollWidth, document.documentElement.clientWidth]";
  if (wanted.javascript !== false) [result.contentWidth, result.windowWidth] = await page.evaluate(widths);
  if (wanted.check) {
    await page.evaluate(axe);
    const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
    result.violations = found.violations.map((each) => ({ id: each.id, impact: each.impact, help: each.help,
      where: each.nodes.slice(0, 5).map((node) => `${node.target.join(" ")}: ${node.failureSummary}`) }));
    result.passes = found.passes.map((each) => each.id);
  }
  if (wanted.act) result.acted = await ACTIONS[wanted.act](page);
  if (wanted.picture) await page.screenshot({ path: wanted.picture, fullPage: wanted.whole !== false });
  await context.close();
  return result;
}

async function main() {
  const plan = JSON.parse(fs.readFileSync(0, "utf8"));
  // Playwright gives every browser a new user data directory of its own and removes it afterwards.
  const browser = await chromium.launch({ executablePath: plan.chromium || "/usr/bin/chromium", args: FLAGS });
  try {
    const results = [];
    for (const wanted of plan.visits) results.push(await visit(browser, wanted));
    process.stdout.write(JSON.stringify(results));
  } finally {
    await browser.close();
  }
}

main().catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
