/** Measures one answer as its reader sees it. */
export class Stopwatch {
  constructor() {
    this.began = performance.now();
    this.first = null;
  }

  /** @param {{type: string, reason?: string}} event */
  note(event) {
    if (event.type === "ended") this.reason = event.reason;
    if (this.first === null && (event.type === "text" || event.type === "reasoning")) this.first = performance.now();
  }

  /**
   * The worker's own decode time where it tells one; it knows better than a page behind a network.
   * @returns {import("./conversation.js").Figures}
   */
  figures({ usage, timings }) {
    const tokens = usage.completion_tokens ?? 0;
    const decodeS = timings?.decode_s || (performance.now() - (this.first ?? this.began)) / 1000;
    return {
      tokens,
      promptTokens: usage.prompt_tokens,
      cachedTokens: usage.cached_tokens ?? 0,
      perSecond: tokens > 1 && decodeS > 0 ? tokens / decodeS : null,
      firstTokenS: this.first === null ? null : (this.first - this.began) / 1000,
      reason: this.reason,
    };
  }
}
