// node browser.mjs: a Chromium, asked by lines of JSON on standard input, answering on standard output in any order.
// {id, do, page?, ...} → {id, value} or {id, error}. tests/browser.py says what there is.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

import { chromium } from "playwright-core";

const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const options = JSON.parse(process.argv[2]);
const browser = await chromium.launch({ executablePath: options.executable, args: options.arguments, chromiumSandbox: false });
const pages = new Map();
let last = 0;

// In each page, before its own scripts: what it may not do is written down, and sound can be recognised.
function prepare() {
  window.__violations = [];
  addEventListener("securitypolicyviolation", (event) => window.__violations.push(`${event.violatedDirective}: ${event.blockedURI}`));
  // The spectrum of the last 0.17 s of a stream, in decibels.
  async function spectrum(stream) {
    const context = (window.__listening ??= new AudioContext({ sampleRate: 48_000 }));
    await context.resume();
    window.__analysers ??= new WeakMap();
    let analyser = window.__analysers.get(stream);
    if (analyser === undefined) {
      analyser = new AnalyserNode(context, { fftSize: 8_192, smoothingTimeConstant: 0 });
      context.createMediaStreamSource(stream).connect(analyser);
      window.__analysers.set(stream, analyser);
    }
    const bins = new Float32Array(analyser.frequencyBinCount);
    analyser.getFloatFrequencyData(bins);
    return { bins, width: context.sampleRate / analyser.fftSize };
  }
  // The loudest frequency and its level.
  window.__loudest = async (stream) => {
    const { bins, width } = await spectrum(stream);
    let best = 0;
    for (let bin = 1; bin < bins.length; bin++) if (bins[bin] > bins[best]) best = bin;
    return { hz: best * width, db: Math.max(bins[best], -200) };
  };
  // Each of these frequencies sounds, and none of those.
  window.__sounds = async (stream, these, those) => {
    const { bins, width } = await spectrum(stream);
    const level = (hz) => Math.max(...[-1, 0, 1].map((off) => bins[Math.round(hz / width) + off]));
    return Math.min(...these.map(level)) > -60 && Math.max(-200, ...those.map(level)) < Math.min(...these.map(level)) - 15;
  };
  // Each moment, in ms since 1970, at which the loudspeaker of the page plays that frequency.
  window.__listen = (hz) => {
    window.__heard = [];
    setInterval(async () => {
      const stream = document.querySelector("audio")?.srcObject;
      const now = stream ? await window.__loudest(stream) : null;
      if (now !== null && Math.abs(now.hz - hz) < 15 && now.db > -60) window.__heard.push(performance.timeOrigin + performance.now());
    }, 20);
  };
  window.__connections = [];
  window.RTCPeerConnection = class extends window.RTCPeerConnection {
    constructor(...words) {
      super(...words);
      window.__connections.push(this);
      this.addEventListener("connectionstatechange", () => {
        if (this.connectionState === "connected") window.__connectedAt ??= performance.now(); // since the page was asked for
      });
    }
  };
}

// window.__say(message): what the server might say on the live stream and has no reason to in a test.
function ventriloquist() {
  const { fetch } = window;
  window.fetch = async (path, init) => {
    const response = await fetch(path, init);
    if (!response.ok || !String(path).includes("/api/events")) return response;
    const more = new TransformStream({
      start(stream) {
        window.__say = (message) => stream.enqueue(new TextEncoder().encode(`event: ${message.event_type}\ndata: ${JSON.stringify(message)}\n\n`));
      },
    });
    return new Response(response.body.pipeThrough(more), response);
  };
}

// Chromium gives a load up when the machine's network gets another address, as a fresh one does for a second or two.
async function visit(page, url) {
  for (let tries = 0; ; tries++) {
    try {
      return await page.goto(url, { waitUntil: "load", timeout: 120_000 });
    } catch (error) {
      if (tries === 10 || !String(error.message).includes("ERR_NETWORK_CHANGED")) throw error;
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
  }
}

const actions = {
  async open({ url, permissions, dark, width, height, https, says }) {
    const context = await browser.newContext({
      colorScheme: dark ? "dark" : "light",
      viewport: { width: width ?? 1200, height: height ?? 800 },
      ignoreHTTPSErrors: https ?? false,
      reducedMotion: "reduce",
      locale: "en-GB",
      timezoneId: "UTC",
    });
    if (permissions !== null) await context.grantPermissions(permissions ?? ["microphone"]);
    await context.addInitScript(prepare);
    if (says) await context.addInitScript(ventriloquist);
    const page = await context.newPage();
    const name = `p${++last}`;
    const told = [];
    page.on("console", (message) => ["error", "warning"].includes(message.type()) && told.push(`${message.type()}: ${message.text()}`));
    page.on("pageerror", (error) => told.push(`error: ${error.message}`));
    pages.set(name, { page, context, told });
    if (url) await visit(page, url);
    return name;
  },
  async another({ page }) {
    const { context } = pages.get(page);
    const tab = await context.newPage();
    const name = `p${++last}`;
    pages.set(name, { page: tab, context, told: [] });
    return name;
  },
  goto: ({ page, url }) => visit(pages.get(page).page, url).then((r) => ({ status: r.status(), headers: r.headers() })),
  reload: ({ page }) => pages.get(page).page.reload({ waitUntil: "load", timeout: 120_000 }).then(() => null),
  evaluate: ({ page, code, argument }) => pages.get(page).page.evaluate(`(${code})(${JSON.stringify(argument ?? null)})`),
  // By the debugger: the policy of a page may forbid it to evaluate anything itself.
  async wait({ page, code, argument, seconds }) {
    const end = Date.now() + seconds * 1000;
    for (;;) {
      const value = await actions.evaluate({ page, code, argument });
      if (value) return value;
      if (Date.now() > end) throw new Error(`not within ${seconds} s: ${code}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  },
  click: ({ page, role, name, seconds }) => pages.get(page).page.getByRole(role, { name, exact: true }).first().click({ timeout: seconds * 1000 }).then(() => null),
  see: ({ page, role, name, seconds }) => pages.get(page).page.getByRole(role, name === null ? {} : { name, exact: true }).first().waitFor({ timeout: seconds * 1000 }).then(() => null),
  read: ({ page, text, seconds }) => pages.get(page).page.getByText(text).first().waitFor({ timeout: seconds * 1000 }).then(() => null),
  fill: ({ page, label, text }) => pages.get(page).page.getByLabel(label, { exact: true }).first().fill(text, { timeout: 120_000 }).then(() => null),
  press: ({ page, key }) => pages.get(page).page.keyboard.press(key).then(() => null),
  type: ({ page, text }) => pages.get(page).page.keyboard.type(text).then(() => null),
  offline: ({ page, offline }) => pages.get(page).context.setOffline(offline).then(() => null),
  look: ({ page, dark, width, height }) =>
    pages.get(page).page.emulateMedia({ colorScheme: dark ? "dark" : "light", reducedMotion: "reduce" })
      .then(() => pages.get(page).page.setViewportSize({ width, height })),
  screenshot: ({ page, file }) => pages.get(page).page.screenshot({ path: file, animations: "disabled" }).then(() => null),
  async axe({ page }) {
    const { page: p } = pages.get(page);
    // By the debugger, which the policy of the page does not concern.
    if (!(await p.evaluate("window.axe !== undefined"))) {
      await p.evaluate(await readFile(axe, "utf8"));
    }
    const { violations } = await p.evaluate("axe.run(document, {resultTypes: ['violations']})");
    return violations.map((v) => ({ id: v.id, impact: v.impact, help: v.help, nodes: v.nodes.map((n) => `${n.target}: ${n.failureSummary}`) }));
  },
  told: ({ page }) => Promise.resolve(pages.get(page).told),
  async close({ page }) {
    const { page: p } = pages.get(page);
    pages.delete(page);
    await p.close();
    return null;
  },
};

console.log(JSON.stringify({ id: 0, value: browser.version() }));
for await (const line of createInterface({ input: process.stdin })) {
  const { id, do: action, ...rest } = JSON.parse(line);
  Promise.resolve(rest).then(actions[action]).then(
    (value) => console.log(JSON.stringify({ id, value: value ?? null })),
    (error) => console.log(JSON.stringify({ id, error: String(error.message) })),
  );
}
await browser.close();
