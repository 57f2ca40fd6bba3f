// Notices that sound which came has stopped coming: the first sign of a network that has changed, seconds before the
// browser calls its connection disconnected.

export class Pulse {
  private packets = 0;
  private changedAt = 0;
  private armed = false;
  private toldAt = -Infinity;

  /** `patienceMs`: how long nothing may come. `pauseMs`: a side that is silent now and then is told of no more often. */
  constructor(
    private readonly patienceMs: number,
    private readonly pauseMs: number,
  ) {}

  /** Nothing is expected now. */
  rest(): void {
    this.armed = false;
  }

  /** True once for each stop. `packets`: those that came so far. */
  stopped(packets: number, now: number): boolean {
    if (packets !== this.packets) {
      this.armed = packets > this.packets && this.packets > 0;
      this.packets = packets;
      this.changedAt = now;
      return false;
    }
    if (!this.armed || now - this.changedAt < this.patienceMs || now - this.toldAt < this.pauseMs) return false;
    this.armed = false;
    this.toldAt = now;
    return true;
  }
}
