// The bearer that names a page of this app and proves that its owner is meant: likeness-page.<client id>.<secret>.
// The worker reads the page's client id from it, so it needs no memory of its own; only the page knows the secret.

const prefix = 'likeness-page.';

/** The token of a page. `secret` is base64url. */
export function pageToken(pageId: string, secret: string): string {
  return `${prefix}${pageId}.${secret}`;
}

/** True for anything in the form of a page's token, valid or not. */
export function isPageToken(bearer: string): boolean {
  return bearer.startsWith(prefix);
}

/** The client id of the page that a token names, or undefined for any other bearer. */
export function pageOfToken(bearer: string): string | undefined {
  const end = bearer.lastIndexOf('.');
  return isPageToken(bearer) && end > prefix.length ? bearer.slice(prefix.length, end) : undefined;
}

/** The bearer of an Authorization header, or undefined. */
export function bearerOf(authorization: string | null | undefined): string | undefined {
  return /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
}
