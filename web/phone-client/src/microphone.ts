// The microphone: taken when a call needs it and given back after, so that the browser's recording mark says the truth.

/** Why there is no microphone, in a sentence that says what to do. */
export class MicrophoneError extends Error {
  override readonly name = "MicrophoneError";
  constructor(readonly kind: "insecure" | "denied" | "missing" | "busy" | "unknown", sentence: string) {
    super(sentence);
  }
}

export function microphoneError(error: unknown): MicrophoneError {
  switch ((error as { name?: string } | null)?.name) {
    case "NotAllowedError":
    case "SecurityError":
      return new MicrophoneError(
        "denied",
        "The microphone is blocked for this page. Allow it beside the address of the page, then try again.",
      );
    case "NotFoundError":
    case "OverconstrainedError":
      return new MicrophoneError("missing", "No microphone was found. Connect one, then try again.");
    case "NotReadableError":
    case "AbortError":
      return new MicrophoneError("busy", "The microphone is used by another program. Close that, then try again.");
    default:
      return new MicrophoneError("unknown", "The microphone cannot be opened.");
  }
}

export const INSECURE =
  "This page did not come over HTTPS, and browsers give the microphone to secure pages alone. Open it with https://.";

export class Microphone {
  private track: MediaStreamTrack | null = null;
  private pending: Promise<MediaStreamTrack> | null = null;
  private wanted = 0;
  private isMuted = false;
  /** Empty: the one the system prefers. */
  deviceId = "";

  /** `onTrack`: what is sent from now on; null when it was given back. */
  constructor(private readonly onTrack: (track: MediaStreamTrack | null) => Promise<void> | void) {}

  get muted(): boolean {
    return this.isMuted;
  }
  set muted(value: boolean) {
    this.isMuted = value;
    if (this.track !== null) this.track.enabled = !value;
  }
  get current(): MediaStreamTrack | null {
    return this.track;
  }

  /** Opened for the first who asks; each take() wants its give(). */
  async take(): Promise<void> {
    this.wanted += 1;
    try {
      await this.opened();
    } catch (error) {
      this.wanted -= 1;
      throw error;
    }
  }

  give(): void {
    this.wanted = Math.max(0, this.wanted - 1);
    if (this.wanted === 0) this.close();
  }

  /** Another device, also in the middle of a call. */
  async use(deviceId: string): Promise<void> {
    this.deviceId = deviceId;
    if (this.track === null) return;
    this.close();
    await this.opened();
  }

  private opened(): Promise<MediaStreamTrack> {
    if (this.track !== null) return Promise.resolve(this.track);
    this.pending ??= this.open().finally(() => (this.pending = null));
    return this.pending;
  }

  private async open(): Promise<MediaStreamTrack> {
    const devices = (globalThis.navigator as Navigator | undefined)?.mediaDevices;
    if (devices === undefined) throw new MicrophoneError("insecure", INSECURE);
    let stream: MediaStream;
    try {
      stream = await devices.getUserMedia({
        audio: {
          echoCancellation: true,
          noiseSuppression: true,
          autoGainControl: true,
          ...(this.deviceId === "" ? {} : { deviceId: { exact: this.deviceId } }),
        },
      });
    } catch (error) {
      // The device that was chosen is gone; the system's own choice is better than none.
      if (this.deviceId !== "" && ["OverconstrainedError", "NotFoundError"].includes((error as Error).name)) {
        this.deviceId = "";
        return this.open();
      }
      throw microphoneError(error);
    }
    const track = stream.getAudioTracks()[0];
    if (track === undefined) throw microphoneError({ name: "NotFoundError" });
    if (this.wanted === 0) {
      track.stop(); // the call ended while the browser asked
      return track;
    }
    track.enabled = !this.isMuted;
    track.addEventListener("ended", () => {
      if (this.track !== track) return;
      this.track = null; // unplugged
      if (this.wanted > 0) this.opened().catch(() => void this.onTrack(null));
    });
    this.track = track;
    await this.onTrack(track);
    return track;
  }

  private close(): void {
    const track = this.track;
    this.track = null;
    if (track === null) return;
    track.stop();
    void this.onTrack(null);
  }
}
