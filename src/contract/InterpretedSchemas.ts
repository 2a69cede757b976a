/**
 * What `#schema-compiler` means where code may not be made at run time, as in a browser under a content security policy: nothing is
 * enabled, and schemas are interpreted. On Node it is Effect's compiler of schemas, which makes decoding several times faster.
 */

/** Whether schemas are compiled. */
export const compiled = false
