/** Addresses of providers, as far as a form can judge them; the service has the last word. */

/** The address, or null where it is none that a provider can have. */
export function parseAddress(text: string): URL | null {
  let url: URL;
  try {
    url = new URL(text.trim());
  } catch {
    return null;
  }
  const isPlain =
    (url.protocol === 'http:' || url.protocol === 'https:') &&
    url.username === '' &&
    url.password === '' &&
    !/[?#]/.test(text);
  return isPlain && url.hostname !== '' ? url : null;
}

/** Whether it is on the machine that runs Jupyter. */
export function isNear(text: string): boolean {
  const host = parseAddress(text)?.hostname ?? '';
  return (
    host === 'localhost' ||
    host.endsWith('.localhost') ||
    host === '[::1]' ||
    /^127(\.\d{1,3}){3}$/.test(host)
  );
}

/** Host and port, for people. */
export function placeOf(text: string): string {
  return parseAddress(text)?.host ?? text;
}

/** Whether a kept key goes along from one address to another: it belongs to scheme, host and port. */
export function isSameOrigin(one: string, other: string): boolean {
  const [here, there] = [parseAddress(one), parseAddress(other)];
  return here !== null && here.origin === there?.origin;
}

/** Whether others on the way could read a key that is sent there. */
export function isUnencrypted(text: string): boolean {
  return parseAddress(text)?.protocol === 'http:' && !isNear(text);
}
