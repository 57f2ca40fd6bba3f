// What getStats says, reduced to the figures of one interval and to one word that people understand.
import type { Figures } from "./wire.js";

/** Running totals, as the browser counts them from the start of the connection. */
export interface Totals {
  packetsSent: number;
  packetsReceived: number;
  packetsLost: number;
  samples: number;
  concealed: number;
  jitterMs: number | undefined;
  roundTripMs: number | undefined;
  codec: string | undefined;
  protocol: "udp" | "tcp" | "relay" | undefined;
}

type Entry = Record<string, unknown> & { type: string; id: string };

const number = (value: unknown): number => (typeof value === "number" && Number.isFinite(value) ? value : 0);
const milliseconds = (value: unknown): number | undefined =>
  typeof value === "number" && Number.isFinite(value) ? round(value * 1000) : undefined;
const round = (value: number): number => Math.round(value * 10) / 10;

export function totalsOf(report: Iterable<Entry>): Totals {
  const entries = new Map<string, Entry>();
  for (const entry of report) entries.set(entry.id, entry);
  const all = [...entries.values()];
  const of = (type: string) => all.find((e) => e.type === type && (e["kind"] ?? "audio") === "audio");
  const received = of("inbound-rtp");
  const sent = of("outbound-rtp");
  const transport = all.find((e) => e.type === "transport");
  const pair =
    entries.get(String(transport?.["selectedCandidatePairId"])) ??
    all.find((e) => e.type === "candidate-pair" && e["nominated"] === true && e["state"] === "succeeded");
  const local = entries.get(String(pair?.["localCandidateId"]));
  const codec = entries.get(String((received ?? sent)?.["codecId"]));
  return {
    packetsSent: number(sent?.["packetsSent"]),
    packetsReceived: number(received?.["packetsReceived"]),
    packetsLost: number(received?.["packetsLost"]),
    samples: number(received?.["totalSamplesReceived"]),
    concealed: number(received?.["concealedSamples"]),
    jitterMs: milliseconds(received?.["jitter"]),
    roundTripMs: milliseconds(pair?.["currentRoundTripTime"]),
    codec: typeof codec?.["mimeType"] === "string" ? codec["mimeType"].replace(/^audio\//i, "") : undefined,
    protocol:
      local?.["candidateType"] === "relay"
        ? "relay"
        : local?.["protocol"] === "udp" || local?.["protocol"] === "tcp"
          ? local["protocol"]
          : undefined,
  };
}

/** What happened between two readings. After a new connection the counters begin again; then `before` is no use. */
export function figuresBetween(before: Totals | null, now: Totals, callId: string): Figures {
  const restarted = before === null || now.packetsReceived < before.packetsReceived || now.packetsSent < before.packetsSent;
  const since = (key: "packetsSent" | "packetsReceived" | "packetsLost" | "samples" | "concealed") =>
    Math.max(0, now[key] - (restarted || before === null ? 0 : before[key]));
  const received = since("packetsReceived");
  const lost = since("packetsLost");
  const samples = since("samples");
  const figures: Figures = {
    call_id: callId,
    packets_sent: since("packetsSent"),
    packets_received: received,
    packets_lost: lost,
  };
  if (received + lost > 0) figures.loss_percent = round((100 * lost) / (received + lost));
  if (samples > 0) figures.concealed_percent = round((100 * Math.min(since("concealed"), samples)) / samples);
  if (now.jitterMs !== undefined) figures.jitter_ms = now.jitterMs;
  if (now.roundTripMs !== undefined) figures.round_trip_ms = now.roundTripMs;
  if (now.codec !== undefined) figures.codec = now.codec;
  if (now.protocol !== undefined) figures.protocol = now.protocol;
  return figures;
}

export type Level = "unknown" | "good" | "fair" | "poor";
export interface Quality {
  level: Level;
  /** Why it is not good, for people; empty if it is. */
  sentence: string;
  figures: Figures;
}

/** The limits are those where people begin to notice (ITU-T G.114: 150 and 400 ms one way) and to complain. */
export function qualityOf(figures: Figures): Quality {
  const loss = figures.loss_percent ?? 0;
  const trip = figures.round_trip_ms ?? 0;
  const jitter = figures.jitter_ms ?? 0;
  if (figures.packets_received === 0) {
    return { level: "poor", sentence: "Nothing is heard from the other side.", figures };
  }
  const level: Level =
    loss > 5 || trip > 500 || jitter > 80 ? "poor" : loss > 1 || trip > 250 || jitter > 30 ? "fair" : "good";
  if (level === "good") return { level, sentence: "", figures };
  const worst =
    loss > 1
      ? `${loss} % of the packets are lost on their way here.`
      : trip > 250
        ? `It takes ${Math.round(trip)} ms to the server and back.`
        : "Packets arrive unevenly.";
  return { level, sentence: worst, figures };
}

/** What the server measured of this side's sound, where people would notice it. */
export function sentQuality(lossPercent: number, jitterMs: number): string {
  if (lossPercent > 5) return `The other side hears you with gaps: ${Math.round(lossPercent)} % of your sound is lost on its way.`;
  return jitterMs > 80 ? "Your sound arrives unevenly at the other side." : "";
}
