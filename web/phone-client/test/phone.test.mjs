import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { Phone, Refusal } from "../dist/index.js";
import { browser, memory, microphone, PeerConnection, Server, until } from "./world.mjs";

let server;
let phones;
beforeEach(async () => {
  browser();
  server = await new Server().listen();
  phones = [];
});
afterEach(async () => {
  for (const phone of phones) await phone.stop();
  await server.close();
});

const QUICK = { connectMs: 10_000, patienceMs: 20, retryMs: 10, touchMs: 60_000, statsMs: 60_000 };
async function started(options = {}) {
  const phone = new Phone({ server: server.url, token: "t-0", memory: null, ...options, times: { ...QUICK, ...options.times } });
  phones.push(phone);
  await phone.start();
  await until(() => phone.state === "connected", "the media connection");
  return phone;
}
const view = (call_id, more) => ({ call_id, state: "up", from: "1001", to: "1002", started_at: "2026-03-01T10:00:00Z",
  answered_at: "2026-03-01T10:00:05Z", legs: [{ party: "1001", state: "up" }, { party: "1002", state: "up" }], ...more });

test("a phone connects before any call, without asking for the microphone", async () => {
  const phone = await started();
  assert.equal(phone.extension, "1001");
  assert.equal(PeerConnection.all.length, 1);
  assert.equal(PeerConnection.all[0].remoteDescription.sdp, "answer to offer 1 of connection 1");
  assert.equal(microphone.opened.length, 0);
  assert.ok(server.requests.every((r) => r.authorization === "Bearer t-0"));
});

test("a call is placed, rings, is answered and ends; the microphone is open for just that", async () => {
  const phone = await started();
  const states = [];
  phone.on("call", (call) => states.push(call.state));
  const call = await phone.call("10 02");
  assert.deepEqual(server.asked("POST /api/webrtc/call"), [{ session_id: "s-1", target_extension: "1002" }]);
  server.push("webrtc.ringing", { session_id: "s-1", call_id: call.id });
  server.push("webrtc.answered", { session_id: "s-1", call_id: call.id });
  await until(() => call.state === "up", "the answer");
  assert.equal(PeerConnection.all[0].sent.at(-1), microphone.opened[0]);
  server.push("webrtc.ended", { session_id: "s-1", call_id: call.id, reason: "1002 hung up." });
  await until(() => call.over, "the end");
  assert.deepEqual(states, ["dialling", "ringing", "up", "ended"]);
  assert.equal(call.reason, "1002 hung up.");
  assert.equal(microphone.opened[0].readyState, "ended");
  assert.equal(phone.calls.length, 0);
});

test("pushes that overtake the answer to the request are not lost", async () => {
  const phone = await started();
  const placing = phone.call("1002");
  await until(() => server.asked("POST /api/webrtc/call").length === 1, "the request");
  // The number of the call is known to the server alone until its answer is read; these are on another connection.
  server.push("webrtc.ringing", { call_id: "c-2" });
  server.push("webrtc.ended", { call_id: "c-2", reason: "1002 is busy." });
  const call = await placing;
  await until(() => call.over, "the end");
  assert.equal(call.reason, "1002 is busy.");
});

test("an incoming call is shown with what is known of the caller, and answered", async () => {
  const phone = await started();
  const rung = [];
  phone.on("incoming", (call) => rung.push(call));
  server.push("webrtc.incoming", { session_id: "s-1", call_id: "c-9", caller: "1002", caller_info: { name: "<b>Bob</b>" } });
  await until(() => rung.length === 1, "the ringing");
  assert.deepEqual([rung[0].number, rung[0].name, rung[0].state], ["1002", "<b>Bob</b>", "incoming"]);
  await until(() => microphone.opened.length === 1, "the microphone, ready before the answer");
  await rung[0].accept();
  assert.deepEqual(server.asked("POST /api/webrtc/session/s-1/accept"), [{ call_id: "c-9" }]);
  assert.equal(rung[0].state, "up");
  assert.equal(microphone.opened.length, 1);
});

test("what is pushed for another session of the same extension is not this phone's business", async () => {
  const phone = await started();
  server.push("webrtc.incoming", { session_id: "s-77", call_id: "c-9", caller: "1002" });
  server.push("webrtc.incoming", { session_id: "s-1", call_id: "c-10", caller: "1002" });
  await until(() => phone.calls.length > 0, "a call");
  assert.deepEqual(phone.calls.map((c) => c.id), ["c-10"]);
});

test("a second call holds the first, and both can be joined", async () => {
  const phone = await started();
  const first = await phone.call("1002");
  server.push("webrtc.answered", { call_id: first.id });
  await until(() => first.state === "up", "the answer");
  const second = await phone.call("1003");
  assert.equal(first.state, "held");
  server.push("webrtc.answered", { call_id: second.id });
  await until(() => second.state === "up", "the second answer");
  await first.transferTo(second);
  assert.deepEqual(server.asked("POST /api/webrtc/session/s-1/transfer"), [{ call_id: first.id, with_call_id: second.id }]);
  await first.resume();
  assert.deepEqual([first.state, second.state], ["up", "held"]);
});

test("a refused call says why and gives the microphone back", async () => {
  const phone = await started();
  server.refusals.set("POST /api/webrtc/call", [409, { error: "1002 is busy.", code: "busy" }]);
  await assert.rejects(phone.call("1002"), (e) => e instanceof Refusal && e.status === 409 && e.message === "1002 is busy.");
  assert.equal(microphone.opened[0].readyState, "ended");
  assert.equal(phone.calls.length, 0);
});

test("a microphone that is blocked is explained, and no call is placed", async () => {
  const phone = await started();
  microphone.error = "NotAllowedError";
  await assert.rejects(phone.call("1002"), /The microphone is blocked for this page/);
  assert.equal(server.asked("POST /api/webrtc/call").length, 0);
});

test("muting takes effect on the open microphone and on the next one", async () => {
  const phone = await started();
  phone.muted = true;
  await phone.call("1002");
  assert.equal(microphone.opened[0].enabled, false);
  phone.muted = false;
  assert.equal(microphone.opened[0].enabled, true);
});

test("digits are sent to the call, and nothing else is", async () => {
  const phone = await started();
  const call = await phone.call("1002");
  await call.sendDigits("1#a");
  assert.deepEqual(server.asked("POST /api/webrtc/session/s-1/dtmf"), [{ call_id: call.id, digits: "1#A" }]);
  await assert.rejects(call.sendDigits("1,2"));
});

test("digits that are pressed fast arrive in their order", async () => {
  const phone = await started();
  const call = await phone.call("1002");
  await Promise.all([..."123456789*0#"].map((digit) => call.sendDigits(digit)));
  const sent = server.asked("POST /api/webrtc/session/s-1/dtmf").map((b) => b.digits).join("");
  assert.equal(sent, "123456789*0#");
  assert.equal(call.digits, sent);
});

test("a lost way is looked for again by an ICE restart on the same session", async () => {
  const phone = await started();
  const call = await phone.call("1002");
  PeerConnection.all[0].become("disconnected");
  assert.equal(phone.state, "reconnecting");
  await until(() => server.offers.length === 2, "another offer");
  assert.match(server.offers[1], /of connection 1 \(restart\)/);
  await until(() => phone.state === "connected", "connected again");
  assert.equal(call.over, false);
  assert.equal(server.asked("POST /api/webrtc/session").length, 1);
});

test("sound that stops in a call is the sign to look for another way, and to open the live stream anew", async () => {
  const phone = await started({ times: { pulseMs: 5 } });
  const call = await phone.call("1002");
  const states = [];
  phone.on("connection", ({ state }) => states.push(state));
  server.push("webrtc.answered", { call_id: call.id, session_id: "s-1" });
  await until(() => call.state === "up", "the answer");
  const [connection] = PeerConnection.all;
  let [packets, speaks] = [0, true];
  const inbound = { type: "inbound-rtp", kind: "audio", id: "i", get packetsReceived() { return speaks ? ++packets : packets; } };
  connection.stats.set("i", inbound); // whoever looks finds more, however seldom that is on a busy machine
  await until(() => packets > 20, "some sound");
  assert.equal(server.offers.length, 1);
  speaks = false;
  await until(() => server.offers.length === 2, "another offer");
  assert.match(server.offers[1], /of connection 1 \(restart\)/);
  await until(() => server.streamQueries.length === 2, "the stream again");
  assert.equal(call.over, false);
  assert.deepEqual(states, [], "perhaps nobody speaks: nothing is said of it");
});

test("a restart that did not reach the server is tried again", async () => {
  const phone = await started();
  server.refusals.set("POST /api/webrtc/offer", [500, { error: "Something is wrong.", code: "internal" }]);
  await phone.reconnect();
  assert.equal(phone.state, "reconnecting");
  await until(() => server.offers.length === 2 && phone.state === "connected", "another offer");
  assert.match(server.offers[1], /of connection 1 \(restart\)/);
});

test("a connection that has failed is made anew under the same session", async () => {
  const phone = await started();
  PeerConnection.all[0].become("failed");
  await until(() => PeerConnection.all.length === 2 && phone.state === "connected", "another connection");
  assert.equal(server.offers.at(-1), "offer 1 of connection 2");
  assert.equal(server.asked("POST /api/webrtc/session").length, 1);
});

test("a session that has ended is replaced, its calls are over, and a call can be placed", async () => {
  const phone = await started();
  const first = await phone.call("1002");
  first.startedAt -= 10_000;
  server.sessions.clear();
  const second = await phone.call("1003").catch((e) => e);
  assert.equal(first.over, true);
  assert.match(first.reason, /lost for too long/);
  assert.equal(second.state, "dialling");
  assert.equal(server.asked("POST /api/webrtc/call").at(-1).session_id, "s-3");
});

test("a page that is loaded again finds its session and its call", async () => {
  const kept = memory();
  const before = await started({ memory: kept });
  const call = await before.call("1002");
  server.calls.set(call.id, view(call.id));
  const after = await started({ memory: kept });
  await until(() => after.calls.length === 1, "the call");
  assert.equal(server.asked("POST /api/webrtc/session").length, 1);
  assert.deepEqual([after.calls[0].id, after.calls[0].state, after.calls[0].number], [call.id, "up", "1002"]);
  assert.equal(after.calls[0].answeredAt, Date.parse("2026-03-01T10:00:05Z"));
});

test("the live stream comes back with the last number it has, and what was missed is asked for", async () => {
  const phone = await started();
  const seen = [];
  phone.on("message", (m) => seen.push(m.seq));
  server.push("call.started", { call_id: "x" }, 41);
  await until(() => seen.length === 1, "an event");
  const session = server.sessions.get("s-1");
  session.calls = ["c-50"];
  session.call_id = "c-50";
  server.calls.set("c-50", view("c-50", { state: "ringing", from: "1002", to: "1001", answered_at: null,
    legs: [{ party: "1002", state: "up" }, { party: "1001", state: "ringing" }] }));
  const rung = new Promise((resolve) => phone.on("incoming", resolve));
  server.cutStreams();
  const call = await rung;
  assert.deepEqual(server.streamQueries, [{ session: "s-1", push: "0" }, { session: "s-1", push: "0", since: "41" }]);
  assert.deepEqual([call.id, call.state, call.number], ["c-50", "incoming", "1002"]);
});

test("the number of the last push survives a reload, and what came after it is asked for", async () => {
  const kept = memory();
  const before = await started({ memory: kept });
  server.push("webrtc.session", { session_id: "s-1", state: "connected" }, undefined, 7);
  server.push("webrtc.session", { session_id: "s-other", state: "connected" }, undefined, 99);
  server.push("webrtc.session", { session_id: "s-1", state: "connected" }, undefined, 8);
  await until(() => kept.getItem("bellwire.session")?.includes("8"), "the number");
  const after = await started({ memory: kept });
  assert.deepEqual(server.streamQueries.at(-1), { session: "s-1", push: "8" });
  assert.equal(before.session.session_id, after.session.session_id);
});

test("a login that has ended is told once, and nothing hammers the server", async () => {
  const phone = await started();
  let told = 0;
  phone.on("loggedOut", () => told++);
  server.refusals.set("GET /api/events?session=s-1&push=0", [401, { error: "Please log in first.", code: "unauthorized" }]);
  server.cutStreams();
  await until(() => told === 1, "the end of the login");
  const asked = server.requests.length;
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(server.requests.length, asked);
});

test("figures are sent while a call is up, and the light follows them", async () => {
  const phone = await started({ times: { statsMs: 15 } });
  const stats = PeerConnection.all[0].stats;
  stats.set("in", { id: "in", type: "inbound-rtp", kind: "audio", packetsReceived: 100, packetsLost: 0 });
  const call = await phone.call("1002");
  server.push("webrtc.answered", { call_id: call.id });
  await until(() => call.state === "up" && server.asked("POST /api/webrtc/session/s-1/stats").length > 0, "figures");
  stats.set("in", { id: "in", type: "inbound-rtp", kind: "audio", packetsReceived: 190, packetsLost: 10 });
  const qualities = [];
  phone.on("quality", ({ quality }) => qualities.push(quality.level));
  const lossy = () => server.asked("POST /api/webrtc/session/s-1/stats").filter((f) => f.packets_lost === 10);
  await until(() => lossy().length > 0, "the loss");
  await until(() => qualities.includes("poor"), "the light");
  const [sent] = lossy();
  assert.equal(sent.call_id, call.id);
  assert.equal(sent.loss_percent, 10);
});

test("what the server hears badly of this side is said, and no longer when it is mended", async () => {
  const phone = await started();
  const call = await phone.call("1002");
  server.push("webrtc.quality", { call_id: call.id, loss_percent: 12.4, jitter_ms: 3 });
  await until(() => call.sentQuality !== "", "the sentence");
  assert.match(call.sentQuality, /12 % of your sound/);
  server.push("webrtc.quality", { call_id: call.id, loss_percent: 0, jitter_ms: 3 });
  await until(() => call.sentQuality === "", "that it is mended");
});

test("who is at the other end is known after a transfer, and whether it holds", async () => {
  const phone = await started({ times: { statsMs: 15 } });
  const call = await phone.call("1002");
  server.push("webrtc.answered", { call_id: call.id });
  server.calls.set(call.id, view(call.id, { legs: [{ party: "1001", state: "held" }, { party: "1002", state: "ended" }, { party: "1005", state: "up" }] }));
  await until(() => call.number === "1005", "the new party");
  assert.equal(call.heldByOther, true);
});

test("stopping hangs up, ends the session and closes the connection", async () => {
  const phone = await started();
  const call = await phone.call("1002");
  await phone.stop();
  assert.deepEqual(server.asked("POST /api/webrtc/session/s-1/hangup"), [{ call_id: call.id }]);
  assert.equal(server.sessions.size, 0);
  assert.equal(PeerConnection.all[0].connectionState, "closed");
  assert.equal(call.over, true);
});

const answers = () => server.asked("POST /api/webrtc/answer");

test("the server asks for another codec and is answered with the number of its offer", async () => {
  await started();
  server.push("webrtc.offer", { session_id: "s-1", sdp: "speak PCMU", offer: 1 }, undefined, 1);
  await until(() => answers().length === 1, "the answer");
  assert.deepEqual(answers(), [{ session_id: "s-1", sdp: "answer of connection 1", offer: 1 }]);
  assert.equal(PeerConnection.all[0].remoteDescription.sdp, "speak PCMU");
});

test("an offer of the server's that crossed one of the page, or came late, is not taken", async () => {
  const phone = await started();
  server.made = 2; // offers, when that of the page arrives
  await phone.reconnect();
  await until(() => server.offers.length === 2, "the offer of the page");
  let heard = 0;
  phone.on("message", () => (heard += 1));
  for (const offer of [1, 2]) server.push("webrtc.offer", { session_id: "s-1", sdp: `late ${offer}`, offer }, undefined, offer);
  await until(() => heard === 2, "both");
  server.push("webrtc.offer", { session_id: "s-1", sdp: "speak G722", offer: 3 }, undefined, 3);
  await until(() => answers().length > 0, "an answer");
  assert.deepEqual(answers().map((a) => a.offer), [3]);
  assert.equal(PeerConnection.all[0].remoteDescription.sdp, "speak G722");
});

test("of several offers that wait, the last one counts; a refused answer does no harm", async () => {
  const phone = await started();
  server.refusals.set("POST /api/webrtc/answer", [409, { error: "Another offer has taken its place.", code: "superseded" }]);
  server.push("webrtc.offer", { session_id: "s-1", sdp: "first", offer: 1 }, undefined, 1);
  await until(() => answers().length === 1, "the first answer");
  server.push("webrtc.offer", { session_id: "s-1", sdp: "second", offer: 2 }, undefined, 2);
  await until(() => answers().length === 2, "the second answer");
  assert.equal(PeerConnection.all[0].remoteDescription.sdp, "second");
  assert.equal(phone.state, "connected");
});

test("a key that the other side pressed is told", async () => {
  const phone = await started();
  const keys = [];
  phone.on("digit", ({ call, digit }) => keys.push([call.id, digit]));
  const call = await phone.call("1002");
  for (const digit of "1#D") server.push("webrtc.dtmf", { session_id: "s-1", call_id: call.id, digit });
  await until(() => keys.length === 3, "the keys");
  assert.deepEqual(keys, [..."1#D"].map((digit) => [call.id, digit]));
});
