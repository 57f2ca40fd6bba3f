// Can this browser call? Step by step, and what to do where it cannot. The last step calls the echo service with a
// tone and listens for it, so nobody has to speak.
import type { Call } from "./call.js";
import { INSECURE, microphoneError } from "./microphone.js";
import type { Phone } from "./phone.js";

export type StepName = "page" | "microphone" | "server" | "connection" | "echo";
export interface Step {
  name: StepName;
  title: string;
  state: "waiting" | "running" | "good" | "warning" | "failed";
  sentence: string;
}

export interface SelfTestOptions {
  echo?: string; // the number of the echo service
  patienceMs?: number;
}

const TONE_HZ = 941;
const TITLES: Record<StepName, string> = {
  page: "Secure page",
  microphone: "Microphone",
  server: "Server",
  connection: "Way for the sound",
  echo: "Sound there and back",
};

type Outcome = { state: "good" | "warning" | "failed"; sentence: string };
const good = (sentence: string): Outcome => ({ state: "good", sentence });
const warning = (sentence: string): Outcome => ({ state: "warning", sentence });
const failed = (sentence: string): Outcome => ({ state: "failed", sentence });

/** Runs the steps in order and tells each change; stops at the first that fails. */
export async function selfTest(
  phone: Phone,
  onChange: (steps: readonly Step[]) => void,
  options: SelfTestOptions = {},
): Promise<Step[]> {
  const patience = options.patienceMs ?? 12_000;
  const work: Record<StepName, () => Promise<Outcome>> = {
    page: async () => (globalThis.isSecureContext ? good("The page came over a secure connection.") : failed(INSECURE)),
    microphone: testMicrophone,
    server: () => testServer(phone),
    connection: () => testConnection(phone, patience),
    echo: () => testEcho(phone, options.echo ?? "*43", patience),
  };
  const steps = (Object.keys(TITLES) as StepName[]).map(
    (name): Step => ({ name, title: TITLES[name], state: "waiting", sentence: "" }),
  );
  onChange(steps);
  for (const step of steps) {
    step.state = "running";
    onChange(steps);
    const outcome = await work[step.name]().catch((error: unknown) =>
      failed(error instanceof Error ? error.message : "This step failed."),
    );
    Object.assign(step, outcome);
    onChange(steps);
    if (outcome.state === "failed") break;
  }
  return steps;
}

async function testMicrophone(): Promise<Outcome> {
  const devices = navigator.mediaDevices as MediaDevices | undefined;
  if (devices === undefined) return failed(INSECURE);
  let stream: MediaStream;
  try {
    stream = await devices.getUserMedia({ audio: true });
  } catch (error) {
    return failed(microphoneError(error).message);
  }
  try {
    const label = stream.getAudioTracks()[0]?.label ?? "";
    const loud = await heardWithin(stream, 1_500, (level) => level > 0.0005);
    if (loud) return good(label === "" ? "The microphone works." : `The microphone works: ${label}.`);
    return warning("The microphone is open, and nothing is heard from it. Is it muted, or is another one meant?");
  } finally {
    for (const track of stream.getTracks()) track.stop();
  }
}

async function testServer(phone: Phone): Promise<Outcome> {
  const before = performance.now();
  await phone.api.me();
  const ms = Math.round(performance.now() - before);
  return good(`The server answers after ${ms} ms, and you are logged in.`);
}

async function testConnection(phone: Phone, patience: number): Promise<Outcome> {
  const end = performance.now() + patience;
  while (phone.state !== "connected" && performance.now() < end) await pause(50);
  if (phone.state !== "connected") {
    const states = phone.peerConnection;
    if (states === null) return failed("The server has not opened a session for this browser. Try again in a minute.");
    if (["connected", "completed"].includes(states.iceConnectionState)) {
      return failed("A way to the server was found, and the encryption could not be agreed on it. Does a proxy change the traffic?");
    }
    return failed(
      "No sound gets through to the server: UDP and TCP to its media port are blocked on the way, often by a firewall. " +
        relayAdvice(phone.relayRefusal),
    );
  }
  const totals = await phone.measure();
  const trip = totals?.roundTripMs === undefined ? "" : ` It takes ${Math.round(totals.roundTripMs)} ms there and back.`;
  if (totals?.protocol === "tcp") {
    return warning("UDP is blocked here, so the sound goes over TCP. It works, and will stutter on a bad network." + trip);
  }
  if (totals?.protocol === "relay") return warning("The sound goes over a TURN server, because the direct way is blocked." + trip);
  return good("The way to the server is open, and encrypted." + trip);
}

function relayAdvice(refusal: { url: string; code: number } | null): string {
  if (refusal === null) return "Ask the administrator to open the port, or to set up a TURN server.";
  if (refusal.code === 701) return `The TURN server that leads around it (${refusal.url}) cannot be reached either.`;
  return (
    `The TURN server that leads around it (${refusal.url}) refused with status ${refusal.code}. ` +
    "Ask the administrator whether it has the secret that the phone system has."
  );
}

async function testEcho(phone: Phone, number: string, patience: number): Promise<Outcome> {
  if (phone.calls.length > 0) return warning("Not tried, because you are in a call.");
  const context = new AudioContext();
  const oscillator = new OscillatorNode(context, { frequency: TONE_HZ });
  const sink = context.createMediaStreamDestination();
  oscillator.connect(new GainNode(context, { gain: 0.5 })).connect(sink);
  oscillator.start();
  const wasMuted = phone.audio.muted;
  phone.audio.muted = true;
  let call: Call | null = null;
  try {
    await context.resume();
    call = await phone.call(number);
    const mine = call;
    if (!(await until(() => mine.state === "up" || mine.over, patience))) return failed("The echo service did not answer.");
    if (mine.over) return failed(`The call to the echo service ended: ${mine.reason}`);
    const before = await phone.measure();
    const track = sink.stream.getAudioTracks()[0];
    if (track !== undefined) await phone.sendInstead(track);
    const stream = phone.audio.srcObject as MediaStream;
    // Most of what is heard is the tone: an echo of it, not a voice or the tone of something else.
    const heard = await heardWithin(stream, patience, (rms, level) => rms > 0.005 && level(TONE_HZ) > 0.7 * Math.SQRT2 * rms);
    if (heard) return good("A tone was sent to the server and came back as it was.");
    const after = await phone.measure();
    if ((after?.packetsReceived ?? 0) > (before?.packetsReceived ?? 0)) {
      return failed("Packets come back, and the tone is not in them. Does another program change or mute the sound?");
    }
    return failed("No sound came back. It reaches the server, or is lost on the way; a firewall may let it pass one way alone.");
  } finally {
    await phone.sendInstead(null);
    if (call !== null && !call.over) await call.hangUp().catch(() => {});
    phone.audio.muted = wasMuted;
    await context.close();
  }
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

async function until(check: () => boolean, ms: number): Promise<boolean> {
  const end = performance.now() + ms;
  while (!check() && performance.now() < end) await pause(50);
  return check();
}

/** `enough(rms, level)`: level(hz) is the amplitude near that frequency. */
async function heardWithin(
  stream: MediaStream,
  ms: number,
  enough: (rms: number, level: (hz: number) => number) => boolean,
): Promise<boolean> {
  const context = new AudioContext();
  try {
    await context.resume();
    const analyser = new AnalyserNode(context, { fftSize: 4096, smoothingTimeConstant: 0 });
    context.createMediaStreamSource(stream).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    const level = (hz: number) => amplitude(samples, hz / context.sampleRate);
    const end = performance.now() + ms;
    while (performance.now() < end) {
      analyser.getFloatTimeDomainData(samples);
      const rms = Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / samples.length);
      if (enough(rms, level)) return true;
      await pause(50);
    }
    return false;
  } finally {
    await context.close();
  }
}

/** The amplitude of one frequency in the samples (Goertzel); `turn`: its share of the sampling rate. */
export function amplitude(samples: Float32Array, turn: number): number {
  const factor = 2 * Math.cos(2 * Math.PI * turn);
  let last = 0;
  let before = 0;
  for (const sample of samples) {
    const next = sample + factor * last - before;
    before = last;
    last = next;
  }
  return (2 * Math.sqrt(Math.max(0, last * last + before * before - factor * last * before))) / samples.length;
}
