// Keys and account ids never leave the router: not in an error, a trace or a notice. Model and generation ids stay.

const secrets = [
  /sk-or-[\w.-]+/g, // keys, and the labels of keys (sk-or-v1-abc...def)
  /\bBearer\s+[\w.~+/-]+=*/gi,
  /\buser_\w+/g, // account ids
];

/** `text` without keys, key labels and account ids. */
export function redact(text: string): string {
  return secrets.reduce((clean, pattern) => clean.replace(pattern, '[redacted]'), text);
}
