// Why an object store says no, in no cloud's words: the gateway's stores say it, and each wire has its own word for it.

/** An expected no of a store. */
export type ObjectProblem =
  | 'bucket_unknown'
  | 'key_unknown'
  | 'upload_unknown'
  /** A condition of the request does not hold. */
  | 'precondition_failed'
  /** A conditional read whose answer the caller already has. */
  | 'not_modified'
  /** Another write of the same key was faster; the same request may succeed when repeated. */
  | 'conflict'
  /** No byte of the range exists. */
  | 'range_unsatisfiable'
  /** A part that was never uploaded, or that has another ETag or checksum; or a part number out of bounds. */
  | 'part_invalid'
  /** Part numbers that do not rise. */
  | 'part_order'
  | 'part_too_small'
  /** More bytes than a store takes in one piece. */
  | 'too_large'
  | 'quota_exceeded'
  /** The body threw (`cause` is what), or was not as long as announced. */
  | 'payload_refused'
  /** The caller's signal ended it. */
  | 'aborted'
  /** The disk is full or broken, the upstream does not answer, stored bytes are damaged: nothing changed. */
  | 'storage_unavailable'
  | 'not_supported';
