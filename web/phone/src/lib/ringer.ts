// The ring of this page: two bells that need no file, a notification while the page is in the background, and a title
// that says who calls.

const RING_S = 1.1;
const EVERY_MS = 3_000;

export class Ringer {
  private context: AudioContext | null = null;
  private timer: ReturnType<typeof setInterval> | null = null;
  private notification: Notification | null = null;
  private readonly title = document.title;

  /** From a click or a key: without one a browser lets no page make a sound. */
  async unlock(): Promise<void> {
    this.context ??= new AudioContext();
    await this.context.resume().catch(() => {});
  }

  async useSpeaker(deviceId: string): Promise<void> {
    const context = this.context as (AudioContext & { setSinkId?: (id: string) => Promise<void> }) | null;
    await context?.setSinkId?.(deviceId);
  }

  start(who: string, onOpen: () => void): void {
    this.stop();
    document.title = `${who} is calling`;
    this.context ??= new AudioContext();
    this.ring();
    this.timer = setInterval(() => this.ring(), EVERY_MS);
    if (document.visibilityState === "hidden" && "Notification" in window && Notification.permission === "granted") {
      this.notification = new Notification("Incoming call", { body: who, tag: "bellwire-call", requireInteraction: true });
      this.notification.onclick = () => {
        window.focus();
        onOpen();
      };
    }
  }

  stop(): void {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
    this.notification?.close();
    this.notification = null;
    document.title = this.title;
  }

  private ring(): void {
    const context = this.context;
    if (context === null || context.state !== "running") return;
    const start = context.currentTime;
    const volume = new GainNode(context, { gain: 0 });
    volume.connect(context.destination);
    for (let beat = 0; beat < RING_S; beat += 0.08) {
      volume.gain.setValueAtTime(0.12, start + beat);
      volume.gain.exponentialRampToValueAtTime(0.03, start + beat + 0.07);
    }
    volume.gain.linearRampToValueAtTime(0, start + RING_S);
    for (const frequency of [480, 620]) {
      const bell = new OscillatorNode(context, { frequency, type: "triangle" });
      bell.connect(volume);
      bell.start(start);
      bell.stop(start + RING_S);
    }
  }
}
