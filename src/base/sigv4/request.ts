// What of an HTTP request takes part in a signature, as it was on the wire.

/**
 * A request as it was on the wire, or will be. Precondition: parsed by an HTTP server, so that the method is a token and
 * the request line and headers hold no line breaks.
 */
export interface SignableRequest {
  /** As sent; methods are case-sensitive (RFC 9110 §9.1). */
  readonly method: string;
  /** Raw, without the query; begins with "/". */
  readonly path: string;
  /** Raw, without "?". */
  readonly query: string;
  /**
   * Every header of the request: names in lower case, each value in its order. A character stands for one byte (latin1),
   * as node gives them, so that a UTF-8 value is signed by its bytes.
   */
  readonly headers: ReadonlyMap<string, readonly string[]>;
}
