import assert from "node:assert/strict";
import { test } from "node:test";

import { Pulse } from "../dist/pulse.js";
import { figuresBetween, qualityOf, totalsOf } from "../dist/quality.js";
import { amplitude } from "../dist/selftest.js";
import { SseParser } from "../dist/sse.js";

test("an event stream is read the same however it is cut", () => {
  const text = ': heartbeat\n\nid: 7\nevent: call.ended\ndata: {"a":1}\n\nevent: webrtc.ringing\r\ndata: x\r\ndata: y\r\n\r\ndata\n\n';
  const expected = [
    { id: "7", event: "call.ended", data: '{"a":1}' },
    { id: undefined, event: "webrtc.ringing", data: "x\ny" },
    { id: undefined, event: "message", data: "" },
  ];
  for (let size = 1; size <= text.length; size++) {
    const parser = new SseParser();
    const found = [];
    for (let i = 0; i < text.length; i += size) found.push(...parser.push(text.slice(i, i + size)));
    assert.deepEqual(found, expected, `pieces of ${size}`);
  }
});

test("a message without end is refused, not collected", () => {
  const parser = new SseParser();
  assert.throws(() => {
    for (let i = 0; i < 2_000; i++) parser.push("data: " + "x".repeat(1_024));
  });
});

const report = (received, lost, sent = received) => [
  { id: "in", type: "inbound-rtp", kind: "audio", packetsReceived: received, packetsLost: lost, jitter: 0.004, codecId: "c",
    totalSamplesReceived: received * 960, concealedSamples: lost * 960 },
  { id: "video", type: "outbound-rtp", kind: "video", packetsSent: 9 },
  { id: "out", type: "outbound-rtp", kind: "audio", packetsSent: sent, codecId: "c" },
  { id: "c", type: "codec", mimeType: "audio/opus" },
  { id: "t", type: "transport", selectedCandidatePairId: "p2" },
  { id: "p1", type: "candidate-pair", nominated: true, state: "succeeded", currentRoundTripTime: 9, localCandidateId: "l1" },
  { id: "p2", type: "candidate-pair", currentRoundTripTime: 0.0123, localCandidateId: "l2" },
  { id: "l1", type: "local-candidate", candidateType: "host", protocol: "udp" },
  { id: "l2", type: "local-candidate", candidateType: "relay", protocol: "udp" },
];

test("statistics become figures of the interval, over the pair in use", () => {
  const figures = figuresBetween(totalsOf(report(1_000, 100)), totalsOf(report(1_240, 110, 1_250)), "c-1");
  assert.deepEqual(figures, { call_id: "c-1", packets_sent: 250, packets_received: 240, packets_lost: 10, loss_percent: 4,
    concealed_percent: 4.2, jitter_ms: 4, round_trip_ms: 12.3, codec: "opus", protocol: "relay" });
});

test("counters that begin again give no negative figures", () => {
  const figures = figuresBetween(totalsOf(report(1_000, 100)), totalsOf(report(50, 0)), "c-1");
  assert.equal(figures.packets_received, 50);
  assert.equal(figures.packets_lost, 0);
});

test("statistics of a connection that has none are figures all the same", () => {
  const figures = figuresBetween(null, totalsOf([]), "c-1");
  assert.deepEqual(figures, { call_id: "c-1", packets_sent: 0, packets_received: 0, packets_lost: 0 });
});

test("the light tells good from fair from poor, and why", () => {
  const of = (more) => qualityOf({ call_id: "c", packets_sent: 250, packets_received: 250, packets_lost: 0, ...more });
  assert.deepEqual([of({}).level, of({}).sentence], ["good", ""]);
  assert.equal(of({ loss_percent: 2 }).level, "fair");
  assert.match(of({ loss_percent: 2 }).sentence, /2 % of the packets/);
  assert.equal(of({ loss_percent: 9 }).level, "poor");
  assert.match(of({ round_trip_ms: 600 }).sentence, /600 ms/);
  assert.equal(of({ jitter_ms: 40 }).level, "fair");
  assert.match(of({ packets_received: 0 }).sentence, /Nothing is heard/);
});

test("a tone is told from another", () => {
  const samples = Float32Array.from({ length: 4_800 }, (_, i) => 0.5 * Math.sin((2 * Math.PI * 941 * i) / 48_000));
  assert.ok(Math.abs(amplitude(samples, 941 / 48_000) - 0.5) < 0.02);
  assert.ok(amplitude(samples, 700 / 48_000) < 0.02);
});

test("sound that stops is told once, one that never came or is not expected never", () => {
  const pulse = new Pulse(1_000, 5_000);
  const steps = [
    ["none ever came", 0, 0, false],
    ["and still none", 0, 3_000, false],
    ["the first", 7, 3_100, false],
    ["it goes on", 8, 3_200, false],
    ["not yet", 8, 4_100, false],
    ["stopped", 8, 4_200, true],
    ["told already", 8, 20_000, false],
    ["it is back", 9, 20_100, false],
    ["and stops again", 9, 21_100, true],
    ["back", 10, 21_200, false],
    ["stops too soon after the last time", 10, 22_300, false],
    ["which is told when the pause is over", 10, 26_100, true],
    ["another connection begins to count", 1, 40_000, false],
    ["and has brought nothing yet", 1, 50_000, false],
    ["it does", 2, 50_100, false],
  ];
  for (const [what, packets, now, expected] of steps) assert.equal(pulse.stopped(packets, now), expected, what);
  pulse.rest();
  assert.equal(pulse.stopped(2, 60_000), false, "a call that is held");
});
