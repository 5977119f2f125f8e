// Reads on stdin which pages to open and which Mermaid pictures to draw; answers in JSON on stdout.
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

const asked = JSON.parse(fs.readFileSync(0, "utf8"));
const module = (name) => import(pathToFileURL(path.join(asked.modules, name)));
const { default: packed } = await module("@sparticuz/chromium/build/esm/index.js");
const { chromium } = await module("playwright-core/index.mjs");

const browser = await chromium.launch({
  executablePath: await packed.executablePath(),
  args: ["--no-sandbox", "--disable-gpu"],
  headless: true,
});
const answer = { pages: {}, pictures: [] };
try {
  for (const [name, url] of Object.entries(asked.pages)) answer.pages[name] = await page(name, url);
  answer.pictures = await pictures(asked.pictures);
} finally {
  await browser.close();
}
process.stdout.write(JSON.stringify(answer));

async function page(name, url) {
  const found = { console: [], requests: [], schemes: {} };
  for (const colorScheme of ["light", "dark"]) {
    const tab = await browser.newPage({ viewport: { width: 1280, height: 1000 }, colorScheme });
    tab.on("console", (message) => found.console.push(message.text()));
    tab.on("pageerror", (error) => found.console.push(String(error)));
    tab.on("request", (request) => found.requests.push(request.url()));
    await tab.goto(url);
    found.schemes[colorScheme] = await tab.evaluate(measure);
    if (colorScheme === "light") found.pointed = await pointed(tab);
    await tab.close();
  }
  return found;
}

function measure() {
  const box = (element) => {
    const { left, top, right, bottom } = element.getBoundingClientRect();
    return [left, top, right, bottom];
  };
  const all = (selector) => [...document.querySelectorAll(`section > svg.plan ${selector}`)];
  return {
    width: document.documentElement.scrollWidth,
    ink: getComputedStyle(document.body).color,
    paper: getComputedStyle(document.documentElement).backgroundColor,
    boxes: all(".b").map((each) => ({
      key: each.querySelector("title").textContent.split(" (")[0],
      box: box(each.querySelector(".box")),
      words: [...each.querySelectorAll("text")].map(box),
    })),
    zones: all("text.zone").map((each) => ({ text: each.lastChild.textContent, box: box(each) })),
    ports: all(".tip text.port").map((each) => ({ text: each.textContent, box: box(each), quiet: each.parentNode.classList.contains("q") })),
    scripts: document.scripts.length,
    strange: [...document.querySelectorAll("img, iframe, object, embed, link, base, form")].map((each) => each.tagName),
    on: [...document.querySelectorAll("*")].flatMap((each) => each.getAttributeNames().filter((name) => name.startsWith("on"))),
    said: document.body.textContent,
  };
}

async function pointed(tab) {
  const found = {};
  for (const each of await tab.$$("section > svg.plan .b")) {
    await each.hover({ force: true });
    const key = await each.evaluate((node) => node.querySelector("title").textContent.split(" (")[0]);
    found[key] = await tab.evaluate(() =>
      [...document.querySelectorAll("section > svg.plan path.e")]
        .filter((line) => getComputedStyle(line).opacity === "1")
        .map((line) => line.querySelector("title").textContent.split(", ")[0])
    );
  }
  return found;
}

async function pictures(texts) {
  const tab = await browser.newPage();
  await tab.setContent("<div id=place></div>");
  await tab.addScriptTag({ path: path.join(asked.modules, "mermaid/dist/mermaid.min.js") });
  const found = [];
  for (const [number, text] of texts.entries()) {
    found.push(
      await tab.evaluate(
        async ([number, text]) => {
          try {
            mermaid.initialize({ startOnLoad: false, securityLevel: "strict" });
            const { svg } = await mermaid.render(`picture${number}`, text);
            document.getElementById("place").innerHTML = svg;
            const words = [...document.querySelectorAll("#place .nodeLabel, #place .edgeLabel, #place .cluster-label")];
            return { words: words.map((each) => each.textContent), scripts: document.querySelectorAll("#place script, #place img").length };
          } catch (error) {
            return { error: String(error) };
          }
        },
        [number, text]
      )
    );
  }
  await tab.close();
  return found;
}
