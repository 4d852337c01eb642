// What either form of authentication presents, before anything of it has been checked.

/** A signature as sent. No text is empty but those that may be null. */
export interface PresentedSignature {
  readonly form: 'header' | 'query';
  readonly credential: string;
  readonly signedHeaders: string;
  readonly signature: string;
  readonly amzDate: string;
  /** X-Amz-Expires; null in the header form. */
  readonly expires: string | null;
  readonly securityToken: string | null;
  /** Of the query; null when it has none. */
  readonly payloadHash: string | null;
}
