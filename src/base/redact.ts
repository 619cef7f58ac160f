/** Replaces every secret in a text by a mask. */
export type Redact = (text: string) => string;

const MASK = "[redacted]";

// Tokens that show what they are: GitHub, Anthropic, OpenAI, Google, Slack, AWS, JSON web tokens, bearer headers, URLs with a password.
const KNOWN = [
  /\b(?:gh[opsur]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,})\b/g,
  /\bsk-(?:ant-|proj-)?[A-Za-z0-9_-]{16,}/g,
  /\bAIza[A-Za-z0-9_-]{30,}/g,
  /\bxox[abeoprs]-[A-Za-z0-9-]{10,}/g,
  /\bAKIA[A-Z0-9]{16}\b/g,
  /\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{5,}/g,
  /(?<=\bBearer )[A-Za-z0-9._~+/-]{12,}=*/gi,
  /(?<=:\/\/[^\s/:@]{0,100}:)[^\s/:@]{3,}(?=@)/g,
];

/** Shorter values are words, not secrets; masking them would make every text unreadable. */
const SECRET_MIN = 8;

/**
 * Makes a redactor for the given values, plain and in base64, and for tokens of known shapes.
 * @param values read at each call, so that a secret learned later is masked too.
 */
export function createRedactor(values: () => Iterable<string>): Redact {
  return (text) => {
    let masked = text;
    for (const value of values()) {
      if (value.length < SECRET_MIN) continue;
      for (const form of [value, Buffer.from(value).toString("base64").replace(/=+$/, "")]) {
        if (masked.includes(form)) masked = masked.replaceAll(form, MASK);
      }
    }
    for (const shape of KNOWN) masked = masked.replace(shape, MASK);
    return masked;
  };
}
